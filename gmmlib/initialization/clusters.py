"""Starts for the engine: many at once, in the coordinates of its data."""

import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from gmmlib.engine import Frame, Parameters
from gmmlib.engine.available import KERNEL
from gmmlib.validation import FloatArray

LOOPS: Any = None if KERNEL is None else import_module("gmmlib.initialization.loops")

Labels = Callable[[int], npt.NDArray[np.intp]]

_SHRINK = 0.01  # of the data's covariance in a start's: no cluster of equal points begins flat


def starting_points(
    x: FloatArray,
    w: FloatArray,
    covariance: FloatArray,
    n_components: int,
    n_starts: int,
    rng: np.random.Generator,
    labels: Labels | None = None,
    spread_out: bool = True,
    rounds: int = 0,
    own: bool = False,
) -> Parameters:
    """Clusters around different observations, with one covariance that all share.

    Parameters
    ----------
    x : (m, d)
        Observations, standardised.
    w : (m,)
    covariance : (d, d), or the variances (d,)
        Of all the data.
    n_components : int
    n_starts : int
    rng : Generator
    labels : function of the number of the start, or None
        The cluster of each observation, where something else finds the clusters.
    spread_out : bool
        Draw candidates for each next centre with probability proportional to their squared
        distance from the nearest so far, and take the best of a few (greedy k-means++, Arthur and
        Vassilvitskii 2007); or draw by weight alone.
    rounds : int
        Of k-means from there, at most.
    own : bool
        Each has the covariance of its own observations instead.

    Book: def-start.
    """
    diagonal = covariance.ndim == 1
    z = x / np.sqrt(covariance if diagonal else np.diag(covariance))
    if labels is None:
        nearest = _drawn_clusters(z, w, n_components, n_starts, rng, spread_out)
        nearest = _centred(z, w, nearest, n_components, rounds)
    else:
        nearest = np.array([labels(r) for r in range(n_starts)])
        for r in range(n_starts):
            if len(np.unique(nearest[r])) < n_components:  # some points are too near for k-means
                nearest[r] = _drawn_clusters(z, w, n_components, 1, rng, spread_out)[0]
    clusters = _Clusters.of(x, w, nearest, n_components, diagonal, own)
    weights = clusters.counts / clusters.counts.sum(axis=1, keepdims=True)
    means = clusters.means
    if own:
        return Parameters.factored(weights, means, clusters.covariances(covariance))
    centre = np.einsum("rk,rka->ra", weights, means)
    away = means - centre[:, np.newaxis]
    if diagonal:
        between = np.einsum("rk,rka->ra", weights, away**2)
    else:
        between = (weights[..., np.newaxis] * away).swapaxes(1, 2) @ away
    within = (1 + _SHRINK) * covariance - between
    shape = (n_starts, n_components if diagonal else 1, *covariance.shape)
    return Parameters.factored(weights, means, np.broadcast_to(within[:, np.newaxis], shape).copy())


def _drawn_clusters(
    z: FloatArray,
    w: FloatArray,
    n_components: int,
    n_starts: int,
    rng: np.random.Generator,
    spread_out: bool,
) -> npt.NDArray[np.intp]:
    trials = 2 + int(np.log(n_components)) if spread_out else 1
    uniform = np.zeros((n_components, trials, n_starts))
    for k in range(n_components):
        uniform[k, : trials if k else 1] = rng.random((trials if k else 1, n_starts))
    nearest = np.zeros((n_starts, len(z)), dtype=np.intp)
    if LOOPS is not None:
        LOOPS.drawn_clusters(z, w, spread_out, uniform, nearest)
        return nearest
    runs = np.arange(n_starts)
    squares = np.full((n_starts, len(z)), np.inf)
    norms = (z * z).sum(axis=1)
    taken = np.zeros((n_starts, len(z)), dtype=bool)
    for k in range(n_components):
        chance = np.cumsum(w * (squares if spread_out and k else ~taken), axis=1)
        none = chance[:, -1] == 0  # all that are left coincide with others, but for rounding
        chance[none] = np.cumsum(w * ~taken[none], axis=1)
        best, least = squares.copy(), np.full(n_starts, np.inf)
        centres = np.zeros(n_starts, dtype=np.intp)
        for at in uniform[k, : trials if k else 1]:
            target = at * chance[:, -1]
            chosen = np.minimum((chance <= target[:, np.newaxis]).sum(axis=1), len(z) - 1)
            centre = z[chosen]
            new = norms + (centre * centre).sum(axis=1)[:, np.newaxis] - 2 * centre @ z.T
            np.maximum(new, 0, out=new)
            new[runs, chosen] = 0
            cost = np.minimum(new, squares) @ w
            better = cost < least
            best[better], least[better] = new[better], cost[better]
            centres[better] = chosen[better]
        taken[runs, centres] = True
        closer = best < squares
        closer[runs, centres] = True  # each keeps itself, so no cluster is empty
        nearest[closer] = k
        squares = np.minimum(squares, best)
    return nearest


def _centred(
    z: FloatArray, w: FloatArray, nearest: npt.NDArray[np.intp], n_components: int, rounds: int
) -> npt.NDArray[np.intp]:
    """The clusters after some rounds of k-means, which end early rather than leave one empty."""
    if LOOPS is not None:
        LOOPS.centred(z, w, rounds, n_components, nearest)
        return nearest
    for r in range(len(nearest)):
        for _ in range(rounds):
            counts = np.bincount(nearest[r], w, n_components)
            sums = [np.bincount(nearest[r], w * column, n_components) for column in z.T]
            centres = np.stack(sums, axis=1) / counts[:, np.newaxis]
            halves = (centres * centres).sum(axis=1) / 2 - z @ centres.T
            moved = halves.argmin(axis=1)
            if len(np.unique(moved)) < n_components or np.array_equal(moved, nearest[r]):
                break
            nearest[r] = moved
    return nearest


@dataclass(frozen=True, eq=False)
class _Clusters:
    """Sums over the clusters of R starts.

    Attributes
    ----------
    counts, sizes : (R, K)
        The weight, and how many observations.
    means : (R, K, d)
        NaN for a cluster of none.
    scatters : (R, K, d, d), or (R, K, d) of variances alone; or None
        Σ w (x - mean)(x - mean)ᵀ.
    """

    counts: FloatArray
    sizes: FloatArray
    means: FloatArray
    scatters: FloatArray | None

    @classmethod
    def of(
        cls,
        x: FloatArray,
        w: FloatArray,
        nearest: npt.NDArray[np.intp],
        n_components: int,
        diagonal: bool,
        scattered: bool,
    ) -> "_Clusters":
        R, K, d = len(nearest), n_components, x.shape[1]
        counts, sizes, means = np.zeros((R, K)), np.zeros((R, K)), np.zeros((R, K, d))
        scatters = np.zeros((R, K, 1 if diagonal else d, d) if scattered else (R, K, 0, d))
        if LOOPS is not None:
            LOOPS.cluster_sums(x, w, nearest, counts, sizes, means, scatters)
        else:
            for r, near in enumerate(nearest):
                counts[r], sizes[r] = np.bincount(near, w, K), np.bincount(near, minlength=K)
                sums = [np.bincount(near, w * column, K) for column in x.T]
                with np.errstate(invalid="ignore"):
                    means[r] = np.stack(sums, axis=1) / counts[r][:, np.newaxis]
                if not scattered:
                    continue
                away = x - means[r, near]
                for j in np.flatnonzero(sizes[r]):
                    z = away[near == j]
                    v = w[near == j][:, np.newaxis] * z
                    scatters[r, j] = (v * z).sum(axis=0) if diagonal else v.T @ z
        if not scattered:
            return cls(counts, sizes, means, None)
        return cls(counts, sizes, means, scatters[:, :, 0] if diagonal else scatters)

    def covariances(self, covariance: FloatArray) -> FloatArray:
        """The covariance of each cluster about its own centre, or its variances.

        One of few observations has a part of the pooled covariance, and each a little of it; one
        of none has that of all the data.
        """
        assert self.scatters is not None
        d = len(covariance)
        ones = [1] * covariance.ndim
        each = (*self.counts.shape, *ones)
        counts = np.where(self.counts > 0, self.counts, 1.0)
        pooled = self.scatters.sum(axis=1, keepdims=True)
        pooled = pooled / self.counts.sum(axis=1).reshape(-1, 1, *ones)
        few = np.minimum(1, (d + 2) / np.maximum(self.sizes, 1)).reshape(each)
        shrunk = (1 - few) * self.scatters / counts.reshape(each) + (few + _SHRINK) * pooled
        shrunk += _SHRINK**2 * covariance
        shrunk[~(self.counts > 0)] = covariance
        return np.asarray(shrunk)


def random_responsibilities(
    x: FloatArray,
    w: FloatArray,
    covariance: FloatArray,
    n_components: int,
    n_starts: int,
    rng: np.random.Generator,
) -> Parameters:
    """Means by random responsibilities, all near the centre, with the covariance of all the data.

    Arguments as :func:`starting_points`.
    """
    K = n_components
    counts, means = np.empty((n_starts, K)), np.empty((n_starts, K, x.shape[1]))
    for r in range(n_starts):
        beta = rng.dirichlet(np.ones(K), size=len(x)) * w[:, np.newaxis]
        counts[r] = beta.sum(axis=0)
        means[r] = beta.T @ x / counts[r][:, np.newaxis]
    each = K if covariance.ndim == 1 else 1
    covariances = np.broadcast_to(covariance, (n_starts, each, *covariance.shape)).copy()
    return Parameters.factored(counts / counts.sum(axis=1, keepdims=True), means, covariances)


def k_means(
    x: FloatArray,
    w: FloatArray,
    covariance: FloatArray,
    n_components: int,
    rng: np.random.Generator,
) -> Labels:
    """The clusters of k-means, for :func:`starting_points`: anew for each start."""
    from sklearn.cluster import KMeans  # takes most of a second to load

    unit = np.sqrt(covariance if covariance.ndim == 1 else np.diag(covariance))

    def labels(_: int) -> npt.NDArray[np.intp]:
        means = KMeans(n_components, n_init=1, random_state=int(rng.integers(2**31)))
        found: npt.NDArray[np.intp] = means.fit(x / unit, sample_weight=w).labels_
        return found

    return labels


def _around(
    means: FloatArray, x: FloatArray, w: FloatArray, covariance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weights and covariances of the observations nearest to each mean, about their own centres."""
    unit = np.sqrt(covariance if covariance.ndim == 1 else np.diag(covariance))
    z, centres = x / unit, means / unit
    squares = (centres * centres).sum(axis=1) - 2 * z @ centres.T  # but for what all have in common
    nearest = squares.argmin(axis=1)
    about = (x, w, nearest[np.newaxis], len(means), covariance.ndim == 1)
    clusters = _Clusters.of(*about, scattered=True)
    weights, covariances = clusters.counts[0], clusters.covariances(covariance)[0]
    weights[weights == 0] = w.min()
    return weights / weights.sum(), covariances


@dataclass(frozen=True, eq=False)
class Given:
    """What the user wants in place of what a start would have, in the units of the data.

    Attributes
    ----------
    weights : (K,) or None
    means : (K, d) or None
    covariances : (K, d, d), or the variances (K, d) for a diagonal family; or None
    """

    weights: FloatArray | None = None
    means: FloatArray | None = None
    covariances: FloatArray | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether there is none of them."""
        return self.weights is None and self.means is None and self.covariances is None

    def whole(self, frame: Frame) -> Parameters | None:
        """The start itself, where everything is given; it needs no look at the data.

        Raises as :meth:`put_into`.
        """
        if self.weights is None or self.means is None or self.covariances is None:
            return None
        with np.errstate(over="ignore"):
            means = frame.rows(self.means)[np.newaxis]
            covariances = frame.covariances(self.covariances, self.covariances.ndim == 2)
        _require_range(means, covariances, frame)
        return Parameters.factored(self.weights[np.newaxis], means, covariances[np.newaxis])

    def put_into(
        self, p: Parameters, x: FloatArray, w: FloatArray, covariance: FloatArray, frame: Frame
    ) -> Parameters:
        """Starts with what is given.

        With means, the weights and covariances are those of the observations x (m, d), of weight w
        (m,), that are nearest to each; a mean that is nearest to none has the weight of one
        observation and the covariance of all.

        Raises ``ValueError`` where something given is out of the range of floats in that frame.
        """
        if self.is_nothing:
            return p
        weights, means = p.weights.copy(), p.means.copy()
        shape = (*means.shape[:2], *p.covariances.shape[2:])
        covariances = np.broadcast_to(p.covariances, shape).copy()
        with np.errstate(over="ignore"):
            if self.means is not None:
                means[:] = frame.rows(self.means)
                if np.isfinite(means).all():  # what is not is refused below
                    weights[:], covariances[:] = _around(means[0], x, w, covariance)
            if self.weights is not None:
                weights[:] = self.weights
            if self.covariances is not None:
                covariances[:] = frame.covariances(self.covariances, p.diagonal)
        _require_range(means, covariances, frame)
        return Parameters.factored(weights, means, covariances)


def _require_range(means: FloatArray, covariances: FloatArray, frame: Frame) -> None:
    for name, found in (("means_init", means), ("precisions_init", covariances)):
        if not np.isfinite(found).all():
            raise ValueError(
                f"{name} is out of the range of floats beside data of standard deviation "
                f"{reprlib.repr(frame.scale)}. Pass it in the units of X."
            )
