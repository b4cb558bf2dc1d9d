"""Data for the benchmarks: samples of Gaussian mixtures whose components overlap moderately."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmlib import Mixture

OVERLAP = 0.1  # the share of observations that the true mixture itself would give to another one


@dataclass(frozen=True, eq=False)
class Problem:
    """Observations, where everybody starts, and how hard the components are to tell apart."""

    X: NDArray[np.float64]
    start: Mixture
    truth: Mixture
    overlap: float

    @property
    def flops(self) -> float:
        """Operations of one EM step as two matrix products, 4 K p n."""
        n, d = self.X.shape
        return 4.0 * len(self.start.weights) * (1 + d + d * (d + 1) // 2) * n


def problem(n: int, d: int, K: int, seed: int = 0) -> Problem:
    """A sample of n, from K components in d dimensions.

    The covariances have eigenvalues between 1/4 and 4 in random directions, the weights lie
    between 1/(2K) and 2/K, and the means are spread out so far that the true mixture gives
    ``OVERLAP`` of the observations to a wrong component. The start has K different observations
    as means, the covariance of all the data, and equal weights.
    """
    rng = np.random.default_rng([seed, d, K])
    directions = rng.standard_normal((K, d))
    weights = rng.uniform(0.5, 2.0, size=K)
    covariances = np.empty((K, d, d))
    for j in range(K):
        Q, _ = np.linalg.qr(rng.standard_normal((d, d)))
        covariances[j] = (Q * np.exp2(rng.uniform(-2, 2, size=d))) @ Q.T
        covariances[j] = (covariances[j] + covariances[j].T) / 2
    if d == 1:  # on the line, means at random are now and then almost the same
        directions = np.linspace(-1, 1, K)[:, np.newaxis]

    def mixture(spread: float) -> Mixture:
        return Mixture(weights / weights.sum(), spread * directions, covariances)

    low, high = 0.0, 100.0
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (middle, high) if _overlap(mixture(middle)) > OVERLAP else (low, middle)
    truth = mixture(high)
    X, _ = truth.sample(n, rng)
    everything = np.cov(X.T).reshape(d, d)
    means = X[rng.choice(n, size=K, replace=False)]
    start = Mixture(np.full(K, 1 / K), means, np.repeat(everything[np.newaxis], K, axis=0))
    return Problem(X, start, truth, _overlap(truth))


def _overlap(truth: Mixture) -> float:
    X, _ = truth.sample(2000, 0)
    joint = np.asarray(truth.log_joint(X))
    joint -= joint.max(axis=1, keepdims=True)
    return float(1 - (1 / np.exp(joint).sum(axis=1)).mean())
