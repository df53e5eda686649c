# What R's surveillance::farringtonFlexible says of a few series: the reference of tests/test_farrington.py.
#
#     Rscript tests/reference/farrington.R
#
# Writes farrington_series.csv (what was judged) and farrington.csv (what was said) beside this file.  Debian has it as
# r-base-core and r-cran-surveillance; the tests read the files and need neither.
suppressMessages(library(surveillance))

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
set.seed(20130321)

counts <- function(mean, dispersion) rnbinom(length(mean), mu = mean, size = mean / (dispersion - 1))
weeks <- seq(as.Date("2009-01-05"), by = 7, length.out = 520)
months <- seq(as.Date("2009-01-01"), by = "1 month", length.out = 120)
year <- function(dates) 2 * pi * as.numeric(dates - as.Date("2009-01-01")) / 365.25

data(salmNewport)  # Salmonella Newport, Germany, SurvStat@RKI; up to the outbreak of November 2011
# no gap lies at the first week of a regression: there R counts the weeks to the date from the first that is reported
series <- list(
  seasonal = list(weeks, counts(exp(2 + 0.6 * cos(year(weeks))), 1.5)),
  rising = list(weeks, counts(exp(1 + 0.003 * seq_along(weeks)), 2)),
  rare = list(weeks, rpois(520, 0.25)),
  large = list(weeks, counts(exp(5.5 + 0.3 * sin(year(weeks))), 4)),
  bursts = list(weeks, counts(rep(4, 520), 1.3) + ifelse(seq_along(weeks) %% 61 < 3, 15, 0)),
  gaps = list(weeks, replace(counts(exp(1.5 + 0.5 * sin(year(weeks))), 2), c(270:284, 301, 333, 420), NA)),
  newport = list(epoch(salmNewport)[1:416], rowSums(observed(salmNewport))[1:416]),
  monthly = list(months, counts(exp(3 + 0.4 * cos(year(months))), 2))
)

noufaily <- list(b = 5, w = 3, noPeriods = 10, pastWeeksNotIncluded = 26, weightsThreshold = 2.58,
                 pThresholdTrend = 1, thresholdMethod = "nbPlugin", alpha = 0.001, limit54 = c(0, 4))
changed <- function(...) modifyList(noufaily, list(...))
settings <- list(
  plugin = noufaily,
  tested = changed(pThresholdTrend = 0.05),
  delta = changed(thresholdMethod = "delta", pThresholdTrend = 0.05),
  muan = changed(thresholdMethod = "muan", alpha = 0.01),
  original = changed(b = 4, noPeriods = 1, pastWeeksNotIncluded = 3, weightsThreshold = 1, pThresholdTrend = 0.05,
                  thresholdMethod = "delta"),
  coarse = changed(b = 3, w = 2, noPeriods = 5, pastWeeksNotIncluded = 10, reweight = FALSE, thresholdMethod = "delta"),
  short = changed(b = 2, thresholdMethod = "delta"),
  level = changed(trend = FALSE),
  few = changed(limit54 = c(5, 4)),
  steps = changed(thresholdMethod = "delta"),
  months = changed(w = 1, noPeriods = 4, pastWeeksNotIncluded = 6, pThresholdTrend = 0.05)
)

said <- function(name, setting) {
  dates <- series[[name]][[1]]
  y <- series[[name]][[2]]
  monthly <- name == "monthly"
  # months are counted as steps, so that they are equally long
  dated <- !monthly && setting != "steps"
  panel <- sts(y, frequency = if (monthly) 12 else 52, epoch = if (dated) as.numeric(dates) else seq_along(y),
               epochAsDate = dated)
  range <- length(y) - (if (monthly) 23 else 47):0
  control <- c(settings[[setting]], list(range = range, glmWarnings = FALSE))
  result <- suppressWarnings(farringtonFlexible(panel, control))
  kept <- seq(1, length(range), by = if (monthly) 2 else 4)
  data.frame(series = name, setting = setting, date = dates[range], observed = y[range],
             expected = c(result@control$expected), upper = c(result@upperbound), p = c(result@control$pvalue),
             score = c(result@control$score), alarm = c(result@alarm), dispersion = c(result@control$phiVector),
             trend = c(result@control$trendVector))[kept, ]
}

weekly <- setdiff(names(series), "monthly")
answers <- rbind(
  do.call(rbind, lapply(setdiff(names(settings), "months"), function(setting) {
    do.call(rbind, lapply(weekly, said, setting))
  })),
  said("monthly", "months")
)
numbers <- sapply(answers, is.numeric)
answers[numbers] <- lapply(answers[numbers], signif, 12)

written <- function(rows, file, remarks) {
  path <- file.path(here, file)
  writeLines(paste("#", remarks), path)
  suppressWarnings(write.table(rows, path, sep = ",", na = "", quote = FALSE, row.names = FALSE, append = TRUE))
}
asked <- function(setting) paste0(setting, ": ", paste(deparse(settings[[setting]], width.cutoff = 500), collapse = " "))
written(answers, "farrington.csv", c(
  paste0("surveillance ", packageVersion("surveillance"), ", ", R.version.string),
  "farringtonFlexible(sts, control), control with these beside the defaults of that version; written by farrington.R",
  vapply(names(settings), asked, "")
))
written(
  do.call(rbind, lapply(names(series), function(name) {
    data.frame(series = name, date = series[[name]][[1]], value = series[[name]][[2]])
  })),
  "farrington_series.csv",
  c("simulated by farrington.R, except newport: Salmonella Newport, Germany, weeks of 2004-2011,",
    "Robert Koch-Institut, SurvStat@RKI, as in R's surveillance (data set salmNewport)")
)
