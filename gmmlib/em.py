"""The EM algorithm for a Gaussian mixture, as the book derives it.

New since ``mixture``: ``e_step`` asks whose each point is, ``m_step`` re-estimates the
parameters from the answers, and ``fit`` takes turns until the log-likelihood stops rising.
"""

import warnings
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax

from gmmlib.errors import CollapseError, ConvergenceWarning
from gmmlib.guards import data_for, require_finite, require_mixture, require_spread, weighted_data
from gmmlib.mixture import Mixture
from gmmlib.stopping import Fit, goes_on, verdict
from gmmlib.validation import FloatArray


def e_step(X: Any, mixture: Mixture) -> tuple[FloatArray, float]:
    """Responsibilities β_ij = p(z_i = j | x_i) and the log-likelihood, both under ``mixture``.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    mixture : Mixture

    Returns
    -------
    responsibilities : (n, K)
        Each row sums to 1, however far the point is from every mean.
    log_likelihood : float
        ℓ(θ), the sum over observations.

    Raises
    ------
    TypeError, ValueError
        As :func:`gmmlib.gaussian.log_gaussian`; also for a point too far away.

    Book: eq-responsibilities, eq-log-sum-exp, def-log-likelihood.

    >>> mixture = Mixture.univariate(weights=[0.5, 0.5], means=[1, 2], variances=[2, 2])
    >>> responsibilities, log_likelihood = e_step([0.9, 2.4], mixture)
    >>> responsibilities.round(3)
    array([[0.574, 0.426],
           [0.389, 0.611]])
    """
    require_mixture(mixture)
    log_joint = mixture.log_joint(X)  # (n, K)  def-joint
    log_density = logsumexp(log_joint, axis=1)  # (n,)  eq-log-sum-exp
    require_finite(log_density)
    responsibilities = softmax(log_joint, axis=1)  # (n, K)  eq-responsibilities
    return responsibilities, float(log_density.sum())


def m_step(X: Any, responsibilities: Any, covariance_type: str = "full") -> Mixture:
    """The mixture that maximises the expected complete-data log-likelihood.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    responsibilities : (n, K)
        β_ij, rows summing to 1; 0/1 entries where the labels are known.
    covariance_type : 'full' or 'tied'
        One covariance for each component, or one that all share.

    Raises
    ------
    CollapseError
        If a component has no observations left, or no spread.
    TypeError, ValueError
        For bad data, responsibilities that are not (n, K) probabilities, or data that do not
        span d dimensions (see :mod:`gmmlib.spread`).

    Book: eq-m-step-weights, eq-m-step-means, eq-m-step-covariances, eq-m-step-tied.

    >>> m_step([0.0, 2.0, 10.0, 14.0], [[1, 0], [1, 0], [0, 1], [0, 1]])
    Mixture of 2 components in 1 dimension
      weight  mean  variance
         0.5     1         1
         0.5    12         4
    """
    X, beta = weighted_data(X, responsibilities, covariance_type)
    counts = beta.sum(axis=0)  # (K,)  def-counts
    weights = counts / len(X)  # eq-m-step-weights
    means = beta.T @ X / counts[:, np.newaxis]  # eq-m-step-means
    covariances = np.empty((len(counts), X.shape[1], X.shape[1]))
    for j in range(len(counts)):
        centered = X - means[j]
        covariances[j] = (beta[:, j] * centered.T) @ centered / counts[j]  # eq-m-step-covariances
    if covariance_type == "tied":
        covariances[:] = np.tensordot(weights, covariances, axes=1)  # eq-m-step-tied
    require_spread(X, counts, means, covariances, covariance_type)
    return Mixture(weights, means, covariances)


def fit(
    X: Any,
    start: Mixture,
    *,
    covariance_type: str = "full",
    tol: float | None = 1e-9,
    max_iter: int = 5000,
) -> Fit:
    """EM from ``start``: E-step and M-step in turn until the log-likelihood stops rising.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    start : Mixture
        The first mixture visited; K and d are read from it.
    covariance_type : 'full' or 'tied'
    tol : float or None
        Stop when one iteration raises the log-likelihood by at most ``tol`` per observation
        (nats). ``None`` takes exactly ``max_iter`` iterations.
    max_iter : int
        At most this many iterations, at least 0.

    Warns
    -----
    ConvergenceWarning
        If ``max_iter`` iterations were not enough for ``tol``.

    Raises
    ------
    CollapseError
        If a component collapses; its ``fit`` holds the run up to the last sound mixture.
    TypeError, ValueError
        For bad data, more components than observations, or options out of range.

    Book: alg-em, eq-ascent.

    >>> start = Mixture.univariate(weights=[0.5, 0.5], means=[1, 2], variances=[2, 2])
    >>> result = fit([0.9, 0.7, 1.2, 2.4, 1.8], start)
    >>> result.converged, round(result.log_likelihood, 5)
    (True, -3.29019)
    """
    X = data_for(start, X, covariance_type, tol, max_iter)
    mixture = start
    responsibilities, log_likelihood = e_step(X, mixture)
    history = [log_likelihood]
    try:
        while goes_on(history, len(X), tol, max_iter):
            mixture = m_step(X, responsibilities, covariance_type)
            responsibilities, log_likelihood = e_step(X, mixture)
            history.append(log_likelihood)
    except CollapseError as error:
        raise error.after(Fit(mixture, np.array(history), False, "")) from None
    converged, reason = verdict(history, len(X), tol, max_iter)
    if tol is not None and not converged:
        warnings.warn(reason, ConvergenceWarning, stacklevel=2)
    return Fit(mixture, np.array(history), converged, reason)
