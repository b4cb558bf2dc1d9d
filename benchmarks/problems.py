"""Data for the benchmarks: samples of Gaussian mixtures whose components overlap moderately."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmlib import Mixture

OVERLAP = 0.1  # the share of observations that the true mixture itself would give to another one
NEAR = 4.0  # standard deviations from the centre to a mean of the start


@dataclass(frozen=True, eq=False)
class Problem:
    """Observations, where everybody starts, and how hard the components are to tell apart."""

    X: NDArray[np.float64]
    start: Mixture
    truth: Mixture
    overlap: float
    covariance_type: str = "full"

    @property
    def flops(self) -> float:
        """Operations of one EM step as two matrix products, 4 K p n."""
        n, d = self.X.shape
        squares = d if self.covariance_type in ("diag", "spherical") else d * (d + 1) // 2
        return 4.0 * len(self.start.weights) * (1 + d + squares) * n


def problem(n: int, d: int, K: int, covariance_type: str = "full", seed: int = 0) -> Problem:
    """A sample of n, from K components in d dimensions.

    The covariances have eigenvalues between 1/4 and 4 in random directions ('diag': in those of the
    data; 'tied': all the same; 'spherical': one for each), the weights lie between 1/(2K) and 2/K,
    and the means are spread out so far that the true mixture gives ``OVERLAP`` of the observations
    to a wrong component. The start has equal weights, the covariance of all the data, as far as the
    type keeps it, and K different observations as means. Where there are many columns, they are
    moved towards the centre, to about ``NEAR`` standard deviations: else the one that lies nearest
    to it would get nearly all observations.
    """
    rng = np.random.default_rng([seed, d, K])
    directions = rng.standard_normal((K, d))
    weights = rng.uniform(0.5, 2.0, size=K)
    spreads = _spreads(d, K, covariance_type, rng)
    if d == 1:  # on the line, means at random are now and then almost the same
        directions = np.linspace(-1, 1, K)[:, np.newaxis]

    def mixture(spread: float) -> Mixture:
        return _mixture(weights / weights.sum(), spread * directions, spreads)

    low, high = 0.0, 100.0
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (middle, high) if _overlap(mixture(middle)) > OVERLAP else (low, middle)
    truth = mixture(high)
    X, _ = truth.sample(n, rng)
    centre = X.mean(axis=0)
    means = centre + min(1.0, NEAR / d**0.5) * (X[rng.choice(n, size=K, replace=False)] - centre)
    if covariance_type in ("diag", "spherical"):
        everything = X.var(axis=0)
        if covariance_type == "spherical":
            everything[:] = everything.mean()
        start = Mixture.diagonal(np.full(K, 1 / K), means, np.repeat(everything[None], K, axis=0))
    else:
        everything = np.cov(X.T).reshape(d, d)
        start = _mixture(
            np.full(K, 1 / K),
            means,
            everything if covariance_type == "tied" else np.repeat(everything[None], K, axis=0),
        )
    return Problem(X, start, truth, _overlap(truth), covariance_type)


def _spreads(d: int, K: int, covariance_type: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """The covariances (K, d, d), the one of all (d, d), or variances as (K, 1, d)."""
    if covariance_type == "diag":
        return np.exp2(rng.uniform(-2, 2, size=(K, 1, d)))
    if covariance_type == "spherical":
        return np.repeat(np.exp2(rng.uniform(-2, 2, size=(K, 1, 1))), d, axis=2)
    covariances = np.empty((1 if covariance_type == "tied" else K, d, d))
    for j in range(len(covariances)):
        Q, _ = np.linalg.qr(rng.standard_normal((d, d)))
        covariances[j] = (Q * np.exp2(rng.uniform(-2, 2, size=d))) @ Q.T
        covariances[j] = (covariances[j] + covariances[j].T) / 2
    return covariances[0] if covariance_type == "tied" else covariances


def _mixture(
    weights: NDArray[np.float64], means: NDArray[np.float64], spreads: NDArray[np.float64]
) -> Mixture:
    if spreads.ndim == 2:
        return Mixture.tied(weights, means, spreads)
    if spreads.shape[1] < spreads.shape[2]:
        return Mixture.diagonal(weights, means, spreads[:, 0])
    return Mixture(weights, means, spreads)


def _overlap(truth: Mixture) -> float:
    X, _ = truth.sample(2000, 0)
    joint = np.asarray(truth.log_joint(X))
    joint -= joint.max(axis=1, keepdims=True)
    return float(1 - (1 / np.exp(joint).sum(axis=1)).mean())
