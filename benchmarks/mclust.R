# Whole fits by mclust for bench.py and starts.py: K, model name, repeats; the data, comma separated,
# on stdin. Out: seconds and log-likelihood in a line; the weights, means and covariances in the next.
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
v <- fit$parameters$variance
Sigma <- if (is.matrix(X)) v$sigma else rep_len(v$sigmasq, fit$G)
cat(format(c(fit$parameters$pro, fit$parameters$mean, Sigma), digits = 17), "\n")
