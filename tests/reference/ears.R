# Upper bounds of EARS C1, C2 and C3 by R's surveillance::earsC, for tests/test_detectors_ears.py.
#
#   Rscript tests/reference/ears.R > tests/reference/ears.csv
#
# On Debian: apt-get install r-base-core r-cran-surveillance.  The suite reads ears.csv and needs no R.
suppressMessages(library(surveillance))

bound <- function(sts, method, alpha = NULL) {
  control <- list(method = method, baseline = 7, minSigma = 0)
  if (!is.null(alpha)) control$alpha <- alpha
  found <- rep(NA_real_, nrow(sts))
  result <- suppressWarnings(earsC(sts, control = control))
  found[(nrow(sts) - nrow(result) + 1):nrow(sts)] <- upperbound(result)[, 1]
  found
}

data(stsNewport)  # Salmonella Newport, Germany, weekly; the rise of November 2011 is near the end
data(k1)          # RKI SurvStat, weekly, rare
chosen <- list(newport = stsNewport[260:419, ], k1 = disProg2sts(k1))

cat(sprintf("# surveillance %s, R %s; earsC(baseline = 7, minSigma = 0)\n", packageVersion("surveillance"), getRversion()))
cat("series,observed,c1,c2,c2_at_025,c3\n")
for (name in names(chosen)) {
  sts <- chosen[[name]]
  table <- cbind(observed(sts)[, 1], bound(sts, "C1"), bound(sts, "C2"), bound(sts, "C2", 0.025), bound(sts, "C3"))
  for (row in seq_len(nrow(table))) {
    cat(name, paste(sprintf("%.10g", table[row, ]), collapse = ","), sep = ",")
    cat("\n")
  }
}
