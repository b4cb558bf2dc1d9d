# Ten EM iterations of mclust for families.py: the model and the number of components in the
# arguments; on stdin the data and after them the responsibilities, comma separated, one row each.
# Out: the seconds and the log-likelihood.
suppressPackageStartupMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
K <- as.integer(arguments[2])
both <- as.matrix(read.csv(file("stdin"), header = FALSE))
d <- ncol(both) - K
control <- emControl(tol = c(0, 1e-5), itmax = c(10, 1000))
begin <- proc.time()[["elapsed"]]
fit <- suppressWarnings(
  me(both[, seq_len(d)], arguments[1], both[, d + seq_len(K)], control = control)
)
cat(proc.time()[["elapsed"]] - begin, format(fit$loglik, digits = 12), attr(fit, "info"), "\n")
