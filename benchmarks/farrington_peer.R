# R's surveillance::farringtonFlexible on the columns of a CSV, for bench_small_outbreaks.py.
#
#     Rscript farrington_peer.R values.csv years last answers.csv
#
# Writes the tails of the last weeks of each series, and prints the processor seconds it took without loading.
suppressMessages(library(surveillance))

asked <- commandArgs(trailingOnly = TRUE)
values <- as.matrix(read.csv(asked[1]))
years <- as.integer(asked[2])
last <- as.integer(asked[3])
control <- list(range = nrow(values) - last + seq_len(last), b = years, w = 3, noPeriods = 10,
                pastWeeksNotIncluded = 26, weightsThreshold = 2.58, pThresholdTrend = 0.05,
                thresholdMethod = "nbPlugin", limit54 = c(0, 4), glmWarnings = FALSE)
begin <- proc.time()
answers <- apply(values, 2, function(counts) {
  told <- suppressWarnings(farringtonFlexible(sts(counts, frequency = 52), control))
  c(told@control$pvalue)
})
spent <- proc.time() - begin
write.csv(matrix(answers, nrow = last), asked[4], row.names = FALSE)
cat(as.character(packageVersion("surveillance")), spent[["user.self"]] + spent[["sys.self"]], "\n")
