"""Starts for the engine: many at once, in the coordinates of its data."""

import reprlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gmmlib.engine import Frame, Parameters
from gmmlib.validation import FloatArray

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
        nearest = np.array([_centred(z, w, near, n_components, rounds) for near in nearest])
    else:
        nearest = np.array([labels(r) for r in range(n_starts)])
        for r in range(n_starts):
            if len(np.unique(nearest[r])) < n_components:  # some points are too near for k-means
                nearest[r] = _drawn_clusters(z, w, n_components, 1, rng, spread_out)[0]
    cluster = (nearest + n_components * np.arange(n_starts)[:, np.newaxis]).ravel()
    size = n_starts * n_components
    sums = [np.bincount(cluster, np.tile(v, n_starts), size) for v in (w, *(w * x.T))]
    counts, *firsts = (total.reshape(n_starts, n_components) for total in sums)
    means = np.stack(firsts, axis=2) / counts[..., np.newaxis]
    weights = counts / counts.sum(axis=1, keepdims=True)
    if own:
        covariances = np.array(
            [_scatters(x, w, near, n_components, covariance) for near in nearest]
        )
        return Parameters.factored(weights, means, covariances)
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
    runs = np.arange(n_starts)
    squares = np.full((n_starts, len(z)), np.inf)
    nearest = np.zeros((n_starts, len(z)), dtype=np.intp)
    norms = (z * z).sum(axis=1)
    taken = np.zeros((n_starts, len(z)), dtype=bool)
    trials = 2 + int(np.log(n_components)) if spread_out else 1
    for k in range(n_components):
        chance = np.cumsum(w * (squares if spread_out and k else ~taken), axis=1)
        none = chance[:, -1] == 0  # all that are left coincide with others, but for rounding
        chance[none] = np.cumsum(w * ~taken[none], axis=1)
        best, least = squares.copy(), np.full(n_starts, np.inf)
        centres = np.zeros(n_starts, dtype=np.intp)
        for _ in range(trials if k else 1):
            target = rng.random(n_starts) * chance[:, -1]
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
    for _ in range(rounds):
        counts = np.bincount(nearest, w, n_components)
        sums = [np.bincount(nearest, w * column, n_components) for column in z.T]
        centres = np.stack(sums, axis=1) / counts[:, np.newaxis]
        squares = (centres * centres).sum(axis=1) - 2 * z @ centres.T
        moved = squares.argmin(axis=1)
        if len(np.unique(moved)) < n_components or np.array_equal(moved, nearest):
            break
        nearest = moved
    return nearest


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


def _scatters(
    x: FloatArray,
    w: FloatArray,
    nearest: npt.NDArray[np.intp],
    n_components: int,
    covariance: FloatArray,
) -> FloatArray:
    """The covariance of each cluster about its own centre, or its variances.

    One of few observations has a part of the pooled covariance, and each a little of it; one of
    none has that of all the data.
    """
    d = x.shape[1]
    found = np.zeros((n_components, *covariance.shape))
    counts = np.zeros(n_components)
    sizes = np.zeros(n_components)
    order = np.argsort(nearest, kind="stable")
    borders = np.searchsorted(nearest[order], np.arange(n_components + 1))
    for j in range(n_components):
        mine = order[borders[j] : borders[j + 1]]
        sizes[j], counts[j] = len(mine), w[mine].sum()
        if not counts[j] > 0:
            continue
        away = x[mine] - w[mine] @ x[mine] / counts[j]
        within = w[mine] @ away**2 if covariance.ndim == 1 else (w[mine] * away.T) @ away
        found[j] = within / counts[j]
    filled = counts > 0
    pooled = np.tensordot(counts[filled], found[filled], 1) / counts.sum()
    few = np.minimum(1, (d + 2) / np.maximum(sizes, 1)).reshape(-1, *[1] * covariance.ndim)
    shrunk = (1 - few) * found + (few + _SHRINK) * pooled + _SHRINK**2 * covariance
    shrunk[~filled] = covariance
    return np.asarray(shrunk)


def _around(
    means: FloatArray, x: FloatArray, w: FloatArray, covariance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weights and covariances of the observations nearest to each mean, about their own centres."""
    unit = np.sqrt(covariance if covariance.ndim == 1 else np.diag(covariance))
    z, centres = x / unit, means / unit
    squares = (centres * centres).sum(axis=1) - 2 * z @ centres.T  # but for what all have in common
    nearest = squares.argmin(axis=1)
    weights = np.bincount(nearest, w, len(means))
    covariances = _scatters(x, w, nearest, len(means), covariance)
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

    def put_into(
        self, p: Parameters, x: FloatArray, w: FloatArray, covariance: FloatArray, frame: Frame
    ) -> Parameters:
        """Starts with what is given.

        With means, the weights and covariances are those of the observations x (m, d), of weight w
        (m,), that are nearest to each; a mean that is nearest to none has the weight of one
        observation and the covariance of all.

        Raises ``ValueError`` where something given is out of the range of floats in that frame.
        """
        if self.weights is None and self.means is None and self.covariances is None:
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
        for name, found in (("means_init", means), ("precisions_init", covariances)):
            if not np.isfinite(found).all():
                raise ValueError(
                    f"{name} is out of the range of floats beside data of standard deviation "
                    f"{reprlib.repr(frame.scale)}. Pass it in the units of X."
                )
        return Parameters.factored(weights, means, covariances)
