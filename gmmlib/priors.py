"""A prior for every component, and EM for what it makes of the likelihood: no needles any more.

New since ``em``: to the log-likelihood ℓ(θ) a penalty P(θ) is added, the logarithm of a prior
density. ``m_step`` maximises the sum, and ``fit`` climbs it.

In this module::

    mean       (d,)     m, around which the prior expects the μ_j
    shrinkage  scalar   κ, how many observations at m each component is given
    scale      (d, d)   Ψ, a sum of squares that each component is given
    dof        scalar   ν, the degrees of freedom
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from gmmlib.em import e_step
from gmmlib.errors import ConvergenceWarning
from gmmlib.guards import data_for, weighted_data
from gmmlib.mixture import Mixture
from gmmlib.stopping import goes_on, verdict
from gmmlib.validation import FloatArray, as_data, as_floats, is_positive_definite


@dataclass(frozen=True, eq=False, init=False)
class Prior:
    """A normal–inverse-Wishart prior, the same for each component.

    Given Σ_j, the mean μ_j is N(m, Σ_j/κ); and Σ_j is inverse Wishart with ν degrees of freedom
    and the scale Ψ. The weights have no prior.

    Parameters
    ----------
    mean : (d,), or a number when d = 1
        m, in the units of the data.
    shrinkage : float
        κ, at least 0. With 0 the means are left alone.
    scale : (d, d), or a number when d = 1
        Ψ, positive definite, in the units of the data squared.
    dof : float
        ν, more than d - 1.

    Raises
    ------
    TypeError, ValueError
        For what is not numeric, shapes that do not fit, or values out of range.

    Book: def-penalty.

    >>> Prior(mean=0, shrinkage=0.01, scale=2, dof=3).scale
    array([[2.]])
    """

    mean: FloatArray
    shrinkage: float
    scale: FloatArray
    dof: float

    def __init__(self, mean: Any, shrinkage: float, scale: Any, dof: float) -> None:
        m = np.atleast_1d(as_floats(mean, "mean"))
        Psi = as_floats(scale, "scale")
        d = len(m)
        if Psi.size == 1 and d == 1:
            Psi = Psi.reshape(1, 1)
        if m.ndim != 1 or Psi.shape != (d, d):
            raise ValueError(
                f"mean has shape {m.shape} and scale {Psi.shape}. Pass (d,) and (d, d), or two "
                f"numbers when d = 1."
            )
        if not np.allclose(Psi, Psi.T, rtol=1e-8, atol=0) or not is_positive_definite(Psi):
            raise ValueError(
                "scale is not symmetric positive definite, so it does not hold components away "
                "from the singularities. If the data do not spread in every direction, take only "
                "the diagonal of their covariance."
            )
        if not 0 <= shrinkage < np.inf:
            raise ValueError(f"shrinkage is {shrinkage!r}. Pass a number from 0 up, such as 0.01.")
        if not d - 1 < dof < np.inf:
            raise ValueError(f"dof is {dof!r}. Pass more than d - 1 = {d - 1}, such as {d + 2}.")
        for name, value in (("mean", m), ("scale", Psi)):
            value = value.copy()
            value.flags.writeable = False
            object.__setattr__(self, name, value)
        object.__setattr__(self, "shrinkage", float(shrinkage))
        object.__setattr__(self, "dof", float(dof))

    @classmethod
    def default(cls, X: Any, n_components: int) -> "Prior":
        """The choice of Fraley and Raftery (2007), as mclust makes it.

        m is the mean of the data, κ = 0.01, ν = d + 2, and Ψ their covariance (divided by n - 1)
        over K^(2/d).

        Parameters
        ----------
        X : (n, d), or (n,) when d = 1
        n_components : int

        Raises
        ------
        ValueError
            If the data do not spread in every direction.

        Book: sec-prior.

        >>> prior = Prior.default([0.0, 2.0, 10.0, 12.0], n_components=2)
        >>> prior.mean, prior.scale.round(3), prior.dof
        (array([6.]), array([[8.667]]), 3.0)
        """
        X = as_data(X)
        d = X.shape[1]
        covariance = np.cov(X.T).reshape(d, d) if len(X) > 1 else np.zeros((d, d))
        return cls(X.mean(axis=0), 0.01, covariance / n_components ** (2 / d), d + 2)

    def penalty(self, mixture: Mixture) -> float:
        """P(θ), the logarithm of the prior density but for a constant.

        Book: def-penalty.
        """
        total = 0.0
        for mu, Sigma in zip(mixture.means, mixture.covariances, strict=True):
            away = mu - self.mean
            squares = self.scale + self.shrinkage * np.outer(away, away)
            log_det = np.linalg.slogdet(Sigma)[1]
            total += (self.dof + len(mu) + 2) * log_det + np.trace(np.linalg.solve(Sigma, squares))
        return -float(total) / 2


@dataclass(frozen=True, eq=False)
class PenalisedFit:
    """What :func:`fit` returns.

    Attributes
    ----------
    mixture : Mixture
        The last mixture visited.
    objectives : (n_iter + 1,)
        ℓ + P of every mixture visited, from the start to ``mixture`` itself.
    log_likelihood : float
        ℓ of ``mixture`` alone.
    converged : bool
    """

    mixture: Mixture
    objectives: FloatArray
    log_likelihood: float
    converged: bool


def m_step(X: Any, responsibilities: Any, prior: Prior) -> Mixture:
    """The mixture that maximises the expected complete-data log-likelihood plus the penalty.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
        The data need not spread in every direction.
    responsibilities : (n, K)
    prior : Prior

    Raises
    ------
    CollapseError
        If a component has no observations left.
    TypeError, ValueError
        For bad data, or responsibilities that are not (n, K) probabilities.

    Book: eq-map-mean, eq-map-covariance.

    >>> prior = Prior(mean=5, shrinkage=0, scale=1, dof=2)
    >>> m_step([0.0, 0.0, 9.0, 11.0], [[1, 0], [1, 0], [0, 1], [0, 1]], prior)
    Mixture of 2 components in 1 dimension
      weight  mean  variance
         0.5     0  0.142857
         0.5    10  0.428571
    """
    X, beta = weighted_data(X, responsibilities, "full")
    counts = beta.sum(axis=0)  # (K,)  def-counts
    averages = beta.T @ X / counts[:, np.newaxis]
    d, m, kappa = X.shape[1], prior.mean, prior.shrinkage
    if len(m) != d:
        raise ValueError(f"the prior is for {len(m)} columns, but X has {d}. Make one for X.")
    means = (counts[:, np.newaxis] * averages + kappa * m) / (counts[:, np.newaxis] + kappa)
    covariances = np.empty((len(counts), d, d))
    for j, N in enumerate(counts):
        centered, away = X - averages[j], averages[j] - m
        scatter = (beta[:, j] * centered.T) @ centered
        squares = prior.scale + scatter + kappa * N / (kappa + N) * np.outer(away, away)
        covariances[j] = squares / (N + prior.dof + d + 2)  # eq-map-covariance
    return Mixture(counts / len(X), means, covariances)


def fit(
    X: Any, start: Mixture, prior: Prior, *, tol: float | None = 1e-9, max_iter: int = 5000
) -> PenalisedFit:
    """EM with a prior from ``start``, until ℓ + P stops rising.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    start : Mixture
    prior : Prior
    tol : float or None
        Stop when one iteration raises ℓ + P by at most ``tol`` per observation. ``None`` takes
        exactly ``max_iter`` iterations.
    max_iter : int

    Warns
    -----
    ConvergenceWarning
        If ``max_iter`` iterations were not enough for ``tol``.

    Raises
    ------
    CollapseError
        If a component has no observations left.
    TypeError, ValueError
        For bad data, more components than observations, or options out of range.

    Book: eq-map-ascent.

    >>> x = [0.9, 0.7, 1.2, 2.4, 1.8]
    >>> needle = Mixture.univariate([0.5, 0.5], [0.9, 1.5], [1e-4, 0.4])
    >>> fit(x, needle, Prior.default(x, n_components=2)).mixture.variances.round(3)
    array([0.028, 0.038])
    """
    X = data_for(start, X, "full", tol, max_iter)
    mixture = start
    responsibilities, log_likelihood = e_step(X, mixture)
    history = [log_likelihood + prior.penalty(mixture)]
    while goes_on(history, len(X), tol, max_iter):
        mixture = m_step(X, responsibilities, prior)
        responsibilities, log_likelihood = e_step(X, mixture)
        history.append(log_likelihood + prior.penalty(mixture))
    converged, reason = verdict(history, len(X), tol, max_iter)
    if tol is not None and not converged:
        said = reason.replace("the log-likelihood", "the penalised log-likelihood")
        warnings.warn(said, ConvergenceWarning, stacklevel=2)
    return PenalisedFit(mixture, np.array(history), log_likelihood, converged)
