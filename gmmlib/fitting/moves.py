"""From a summit to a higher one: a component is added where it helps most, and another removed.

EM stays on its hill. A component too many in one place and one too few in another is the usual way
in which a hill is not the highest, and no EM step mends it. So each summit is tried with K + 1
components, one of them split or one more where the data are denser than the mixture, and then with
K again, without the one that is missed least (Ueda et al. 2000 split and merge in one move).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from gmmlib.engine import Engine, Parameters
from gmmlib.fitting.fixed_point import converge
from gmmlib.fitting.heats import is_spike, sound_runs
from gmmlib.spikes import FEW
from gmmlib.validation import FloatArray

Indices = npt.NDArray[np.intp]

_SUMMITS = 2  # that are kept, and tried
_GROWN = 10  # mixtures of K + 1 components from which one is removed
_REMOVED = 6  # components of each that are tried
_LAST = 4  # new mixtures that are carried to their summit
_SPLIT = 20  # components of a summit that are split
_PLACES = 8  # where one more is tried
_HELD = 2**23  # numbers in the mixtures of one move: 64 MiB
_LOOKED_AT = 512  # observations at which the density is looked at
_STEPS = 10
_PASSES_EACH = 20  # that a move takes for each mixture in it, all in all
_HALF_TIME = 3  # steps after which only the better half goes on
_NEAR = 1e-3  # the distance to a summit from which it is compared
_FURTHEST = 150  # steps that are taken to it
_SAME = 1e-6  # of n: summits that differ by less are one
_LEAST = 1e-6  # of the pooled variance, in a component on a few observations
_HALF = 0.8  # standard deviations from the centre to each half of a split normal distribution


@dataclass(frozen=True, eq=False)
class _Summit:
    parameters: Parameters
    log_likelihood: float


def climbed(
    engine: Engine,
    x: FloatArray,
    w: FloatArray,
    p: Parameters,
    rng: np.random.Generator,
    n_passes: int,
) -> Parameters:
    """The highest summits found from the best of the R mixtures p, the highest first.

    Parameters
    ----------
    engine : Engine
        Of the observations x.
    x : (m, d)
        In the coordinates of the engine.
    w : (m,)
    p : Parameters
        R mixtures, the most promising first.
    rng : Generator
        Draws the observations at which the density is looked at.
    n_passes : int
        After so many passes over x, each for one mixture, no summit is tried any more.

    Returns
    -------
    climbed : Parameters
        A few mixtures near their fixed points, none with a spike; then those of p. Only these
        where all of them end in a spike, and where there is no room or time for a move: a mixture
        has millions of numbers, or the passes are few.

    Book: sec-moves, eq-without-one.
    """
    last = engine.n_passes + n_passes
    numbers = p.covariances[0].size + p.means[0].size
    most = min(_GROWN * _REMOVED, _HELD // numbers, n_passes // _PASSES_EACH)
    if most < _LAST:
        return p
    same = _SAME * engine.blocks.total_weight
    summits = _summits(engine, p, _SUMMITS, same)
    if not summits:
        return p
    tried: list[_Summit] = []
    best = summits[0].parameters
    pooled = np.einsum("k,k...->...", best.weights[0], best.covariances[0])
    places = _Places.of(x, w, pooled, rng)
    while engine.n_passes < last:
        new = [summit for summit in summits if summit not in tried]
        if not new:
            break
        tried += new
        grown = [_grown(engine, x, w, places, summit.parameters, most) for summit in new]
        q = _after(engine, Parameters.joined(grown), _STEPS)
        if not len(q.weights):
            break
        q = _after(engine, _without_one(engine, x, w, q.runs(slice(_GROWN)), most), _STEPS)
        q = _after(engine, q.runs(slice(2 * _LAST)), 2 * _STEPS)
        found = _summits(engine, q, _LAST, same)
        summits = _different(summits + found, same)[:_SUMMITS]
    return Parameters.joined([*(summit.parameters for summit in summits), p])


def _summits(engine: Engine, p: Parameters, count: int, same: float) -> list[_Summit]:
    """Where EM leads from the first of the mixtures, or from all of them once one is a spike."""
    found: list[_Summit] = []
    spikes = 0
    for r in range(len(p.weights)):
        run = converge(engine, p.runs([r]), _NEAR, _FURTHEST)
        if run.collapsed is None and not is_spike(engine, run.parameters).any():
            found = _different([*found, _Summit(run.parameters, run.log_likelihoods[-1])], same)
        else:
            spikes += 1
        if len(found) >= count and not spikes:
            break
    return found[:count]


def _different(summits: list[_Summit], same: float) -> list[_Summit]:
    kept: list[_Summit] = []
    for summit in sorted(summits, key=lambda summit: -summit.log_likelihood):
        if not kept or kept[-1].log_likelihood - summit.log_likelihood > same:
            kept.append(summit)
    return kept


def _after(engine: Engine, p: Parameters, steps: int) -> Parameters:
    """The better half of the mixtures after so many EM steps, the best first, without spikes."""
    log_likelihood = np.zeros(len(p.weights))
    for step in range(steps):
        if not len(p.weights):
            return p
        p, log_likelihood = engine.em_steps(p)
        going_on = sound_runs(p)
        if step + 1 == _HALF_TIME:
            order = np.argsort(-log_likelihood[going_on], kind="stable")
            going_on = going_on[order[: max(_LAST, len(order) // 2)]]
        p, log_likelihood = p.runs(going_on), log_likelihood[going_on]
    real = ~is_spike(engine, p).any(axis=1)
    p, log_likelihood = p.runs(real), log_likelihood[real]
    return p.runs(np.argsort(-log_likelihood, kind="stable"))


@dataclass(frozen=True, eq=False)
class _Places:
    """Some observations, each with those nearest to it.

    Attributes
    ----------
    at : (s,)
        Indices of the observations.
    nearest : (s, m')
        Indices, of the observation itself too.
    share : (s,)
        Of the whole weight in the nearest.
    log_density : (s,)
        From the volume of the ball that holds the nearest, but for a constant.
    pooled : (d, d) or (d,)
        The covariance in whose units near is near.
    """

    at: Indices
    nearest: Indices
    share: FloatArray
    log_density: FloatArray
    pooled: FloatArray

    @classmethod
    def of(
        cls, x: FloatArray, w: FloatArray, pooled: FloatArray, rng: np.random.Generator
    ) -> "_Places":
        m, d = x.shape
        diagonal = pooled.ndim == 1
        if diagonal:
            z = x / np.sqrt(pooled)
        else:
            z = solve_triangular(np.linalg.cholesky(pooled), x.T, lower=True).T
        size = min(m, FEW if diagonal else max(FEW, 2 * (d + 1)))
        at = np.sort(rng.choice(m, size=min(m, _LOOKED_AT), replace=False)).astype(np.intp)
        squares = (z * z).sum(axis=1)
        nearest = np.empty((len(at), size), dtype=np.intp)
        radius = np.empty(len(at))
        for first in range(0, len(at), 64):
            rows = slice(first, first + 64)
            distances = squares - 2 * z[at[rows]] @ z.T + squares[at[rows], np.newaxis]
            nearest[rows] = np.argpartition(distances, size - 1, axis=1)[:, :size]
            radius[rows] = np.take_along_axis(distances, nearest[rows], axis=1).max(axis=1)
        share = w[nearest].sum(axis=1) / w.sum()
        with np.errstate(divide="ignore"):
            log_density = np.log(share) - 0.5 * d * np.log(np.maximum(radius, 0))
        return cls(at, nearest, share, log_density, pooled)

    def densest(self, expected: FloatArray) -> list[int]:
        """Those where the data are densest beside what is expected (m,), none near another."""
        chosen: list[int] = []
        taken: set[int] = set()
        for s in np.argsort(expected[self.at] - self.log_density, kind="stable"):
            near = set(self.nearest[s].tolist())
            if not taken & near:
                chosen.append(int(s))
                taken |= near
            if len(chosen) == _PLACES:
                break
        return chosen

    def component(
        self, s: int, x: FloatArray, w: FloatArray
    ) -> tuple[float, FloatArray, FloatArray]:
        """A weight, mean and covariance from the observations near one of them."""
        near = self.nearest[s]
        share = w[near] / w[near].sum()
        mean = share @ x[near]
        away = x[near] - mean
        if self.pooled.ndim == 1:
            covariance = share @ away**2 + _LEAST * self.pooled
        else:  # halfway to no correlation: there are few observations
            covariance = (share[:, np.newaxis] * away).T @ away / 2
            covariance += np.diag(covariance.diagonal() + _LEAST * self.pooled.diagonal())
        return min(float(self.share[s]), 0.5), mean, covariance


class _Made:
    """Mixtures of one component more than a single one has."""

    def __init__(self, p: Parameters, is_shared: bool) -> None:
        self._weights, self._means, self._covariances = p.weights[0], p.means[0], p.covariances[0]
        self._is_shared = is_shared
        self._made: list[tuple[FloatArray, FloatArray, FloatArray]] = []

    def split(
        self, j: int, step: FloatArray, inner: FloatArray, outer: FloatArray | None = None
    ) -> None:
        """Component j becomes two of half its weight, ``step`` from its mean on both sides."""
        weights, means = np.append(self._weights, 0), np.vstack([self._means, self._means[j]])
        weights[[j, -1]] = self._weights[j] / 2
        means[j] -= step
        means[-1] += step
        self._add(weights, means, inner, j, inner if outer is None else outer)

    def insert(self, share: float, mean: FloatArray, covariance: FloatArray) -> None:
        """One more, the others with the same shares of what is left."""
        weights = np.append(self._weights * (1 - share), share)
        self._add(weights, np.vstack([self._means, mean]), covariance)

    def _add(
        self,
        weights: FloatArray,
        means: FloatArray,
        last: FloatArray,
        j: int = 0,
        changed: FloatArray | None = None,
    ) -> None:
        covariances = self._covariances
        if not self._is_shared:
            covariances = np.concatenate([covariances, last[np.newaxis]])
            if changed is not None:
                covariances[j] = changed
        self._made.append((weights, means, covariances))

    def parameters(self, engine: Engine) -> Parameters:
        stacked = (np.array(arrays) for arrays in zip(*self._made, strict=True))
        return engine.projected(engine.factored(*stacked))


def _grown(
    engine: Engine, x: FloatArray, w: FloatArray, places: _Places, p: Parameters, most: int
) -> Parameters:
    """At most so many mixtures of one component more, from a single one."""
    d = x.shape[1]
    is_shared = engine.family.shared
    log_joint = engine.backend.log_joints(np.ascontiguousarray(x.T), p)
    log_density = logsumexp(log_joint, axis=0)
    beta = np.exp(log_joint - log_density) * w
    squares = 2 * (p.log_c[0][:, np.newaxis] - log_joint)
    # of a normal distribution, the variance of the squared distances is 2d
    counts = beta.sum(axis=1)
    away = squares - ((beta * squares).sum(axis=1) / counts)[:, np.newaxis]
    spread = (beta * away**2).sum(axis=1) / counts
    with np.errstate(divide="ignore"):
        misfit = counts * np.abs(np.log(spread / (2 * d)))
    made = _Made(p, is_shared)
    places_too = places.densest(log_density)[: most // 3]
    splits = max(1, min(_SPLIT, (most - len(places_too)) // (1 if is_shared else 2)))
    halves = None
    for j in np.argsort(-misfit, kind="stable")[:splits]:
        covariance = p.covariances[0, 0 if is_shared else j]
        if halves is None or not is_shared:
            halves = _halves(x, beta[j] / counts[j], p.means[0, j], covariance)
        made.split(j, *halves)
        if not is_shared:  # a narrow one inside a wide one
            made.split(j, np.zeros(d), 0.1 * covariance, 1.3 * covariance)
    for s in places_too:
        made.insert(*places.component(s, x, w))
    return made.parameters(engine)


def _halves(
    x: FloatArray, share: FloatArray, mean: FloatArray, covariance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """How far from the mean the two halves of a component lie, and the covariance of each.

    They part along the longest axis; where there are only variances, along the column that is least
    like a normal distribution on the side of two clusters (the lowest kurtosis).
    """
    if covariance.ndim == 1:
        kurtosis = share @ ((x - mean) ** 2 / covariance) ** 2
        c = int(np.argmin(kurtosis))
        step = np.zeros(len(mean))
        step[c] = _HALF * np.sqrt(covariance[c])
        return step, covariance - step**2
    values, vectors = np.linalg.eigh(covariance)
    step = _HALF * np.sqrt(values[-1]) * vectors[:, -1]
    return step, covariance - np.outer(step, step)


def _without_one(
    engine: Engine, x: FloatArray, w: FloatArray, p: Parameters, most: int
) -> Parameters:
    """The mixtures without one of the components that are missed least, but the new one."""
    block = np.ascontiguousarray(x.T)
    total = w.sum()
    parts = []
    for r in range(len(p.weights)):
        single = p.runs([r])
        log_joint = engine.backend.log_joints(block, single)
        beta = np.exp(log_joint - logsumexp(log_joint, axis=0))[:-1]
        kept = np.log1p(-np.minimum(beta, 1 - 1e-9)) @ w - total * np.log1p(-p.weights[r, :-1])
        for j in np.argsort(-kept, kind="stable")[: max(1, most // len(p.weights))]:
            parts.append(single.reordered(np.delete(np.arange(len(log_joint)), j)))
    q = Parameters.joined(parts)
    weights = q.weights / q.weights.sum(axis=1, keepdims=True)
    return engine.factored(weights, q.means, q.covariances)
