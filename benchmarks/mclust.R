# Whole fits by mclust for bench.py: K, model name, repeats; the data, comma separated, on stdin.
suppressPackageStartupMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
X <- as.matrix(read.csv(file("stdin"), header = FALSE))
if (ncol(X) == 1) X <- as.vector(X)
best <- Inf
for (r in seq_len(as.integer(arguments[3]))) {
  begin <- proc.time()[["elapsed"]]
  fit <- Mclust(X, G = as.integer(arguments[1]), modelNames = arguments[2], verbose = FALSE)
  best <- min(best, proc.time()[["elapsed"]] - begin)
}
if (is.null(fit)) stop("no fit")
cat(best, format(fit$loglik, digits = 15), "\n")
