# All families and numbers of components by mclust for families.py: the largest number and the
# models in the arguments, the data, comma separated, on stdin. Out: the seconds of one Mclust over
# all of them; then for each model its log-likelihoods, NA where there is no fit.
suppressPackageStartupMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
most <- as.integer(arguments[1])
X <- as.matrix(read.csv(file("stdin"), header = FALSE))
begin <- proc.time()[["elapsed"]]
invisible(Mclust(X, G = seq_len(most), verbose = FALSE))
cat(proc.time()[["elapsed"]] - begin, "\n")
for (model in arguments[-1]) {
  found <- sapply(seq_len(most), function(K) {
    fit <- tryCatch(
      suppressWarnings(Mclust(X, G = K, modelNames = model, verbose = FALSE)),
      error = function(e) NULL
    )
    if (is.null(fit)) NA else fit$loglik
  })
  cat(model, format(found, digits = 15), "\n")
}
