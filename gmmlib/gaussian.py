"""One Gaussian density, always as its logarithm.

The covariance is factored, never inverted: Σ = L Lᵀ gives log det Σ from the diagonal of L
and the squared distance from one triangular solve.
"""

from typing import Any

import numpy as np
import scipy.linalg

from gmmlib.validation import FloatArray, as_data, as_gaussians, as_variances


def log_gaussian(X: Any, means: Any, covariances: Any) -> FloatArray:
    """Log density of K Gaussians at n points, log g_j(x_i).

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
        Observations.
    means : (K, d), or (K,) when d = 1
        μ_j, in the units of X.
    covariances : (K, d, d), or the variances (K,) when d = 1
        Σ_j, in the units of X squared.

    Returns
    -------
    (n, K)
        log N(x_i; μ_j, Σ_j), natural logarithm. It may be positive: a density is no probability.
        It is -inf where a point is so far away that its squared distance overflows.

    Raises
    ------
    TypeError
        For complex, sparse or non-numeric input.
    ValueError
        For empty data, NaN or infinity, shapes that do not fit, or a covariance that is not
        symmetric positive definite.

    Book: def-gaussian, eq-log-det, eq-mahalanobis.

    >>> log_gaussian([0.0, 1.0], means=[0.0], covariances=[1.0]).round(4)
    array([[-0.9189],
           [-1.4189]])
    """
    mu, Sigma = as_gaussians(means, covariances)
    K, d = mu.shape
    X = as_data(X, n_features=d)
    log_density = np.empty((len(X), K))
    for j in range(K):
        L = scipy.linalg.cholesky(Sigma[j], lower=True)
        log_det = 2 * np.log(np.diag(L)).sum()  # eq-log-det
        squared_distances = _squared_distances(X, mu[j], L)  # eq-mahalanobis
        log_density[:, j] = -0.5 * (d * np.log(2 * np.pi) + log_det + squared_distances)
    return log_density


def log_gaussian_diagonal(X: Any, means: Any, variances: Any) -> FloatArray:
    """The same where all covariances are diagonal, from the variances (K, d) alone.

    Raises as :func:`log_gaussian`.
    """
    mu, kept = as_variances(means, variances)
    K, d = mu.shape
    X = as_data(X, n_features=d)
    log_density = np.empty((len(X), K))
    for j in range(K):
        root = np.sqrt(kept[j])
        with np.errstate(over="ignore", invalid="ignore"):
            squares = (((X - mu[j]) / root) ** 2).sum(axis=1)
        squares[np.isnan(squares)] = np.inf
        log_density[:, j] = -0.5 * (d * np.log(2 * np.pi) + 2 * np.log(root).sum() + squares)
    return log_density


def _squared_distances(X: FloatArray, mu: FloatArray, L: FloatArray) -> FloatArray:
    """(x_i - μ)ᵀ Σ⁻¹ (x_i - μ) as (n,): the squared length of y_i, where L y_i = x_i - μ."""
    with np.errstate(over="ignore", invalid="ignore"):
        Y = scipy.linalg.solve_triangular(L, (X - mu).T, lower=True, check_finite=False)  # (d, n)
        squares: FloatArray = (Y**2).sum(axis=0)
    squares[np.isnan(squares)] = np.inf  # inf - inf: what overflowed is far away
    return squares
