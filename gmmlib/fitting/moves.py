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
from gmmlib.fitting.heats import SHORT, SPIKE, is_spike
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
_FEW_NUMBERS = 2**14  # of which a compiled loop finds the nearest sooner than a product
_LOOKED_AT = 512  # observations at which the density is looked at
_HEATS = ((3, 0.5), (17, 1.0))  # EM steps, and the share that goes on
_KNOWN = 4  # runs in turn that lead to a known summit, after which no other is looked for
_PASSES_EACH = 20  # that a move takes for each mixture in it, all in all
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
        q = _after(engine, Parameters.joined(grown))
        if not len(q.weights):
            break
        q = _after(engine, _without_one(engine, x, w, q.runs(slice(_GROWN)), most))
        found = [
            summit
            for summit in _summits(engine, q, _LAST, same)
            if min(abs(summit.log_likelihood - old.log_likelihood) for old in tried) > same
        ]
        summits = _different(summits + found, same)[:_SUMMITS]
    return Parameters.joined([*(summit.parameters for summit in summits), p])


def _looked_at(n: int, rng: np.random.Generator) -> Indices:
    return np.sort(rng.choice(n, size=min(n, _LOOKED_AT), replace=False)).astype(np.intp)


def _n_near(n: int, d: int, diagonal: bool) -> int:
    return min(n, FEW if diagonal else max(FEW, 2 * (d + 1)))


def _summits(engine: Engine, p: Parameters, count: int, same: float) -> list[_Summit]:
    """Where EM leads from the first of the mixtures, or from all of them once one is a spike."""
    found: list[_Summit] = []
    spikes = known = 0
    for r in range(len(p.weights)):
        run = converge(engine, p.runs([r]), _NEAR, _FURTHEST)
        if run.collapsed is None and not is_spike(engine, run.parameters).any():
            before = len(found)
            found = _different([*found, _Summit(run.parameters, run.log_likelihoods[-1])], same)
            known = known + 1 if len(found) == before else 0
        else:
            spikes += 1
        if (len(found) >= count or known == _KNOWN) and not spikes:
            break
    return found[:count]


def _different(summits: list[_Summit], same: float) -> list[_Summit]:
    kept: list[_Summit] = []
    for summit in sorted(summits, key=lambda summit: -summit.log_likelihood):
        if not kept or kept[-1].log_likelihood - summit.log_likelihood > same:
            kept.append(summit)
    return kept


def _after(engine: Engine, p: Parameters) -> Parameters:
    """The better ones of the mixtures after some EM steps, the best first, without spikes."""
    small = engine.small_for(p)
    if small is not None and len(p.weights):
        mixtures, total = small.arrays(p), engine.blocks.total_weight
        about = (np.array(_HEATS), _LAST, total, SPIKE)
        order, passes = SHORT.after(small.problem, small.kind, mixtures, *about)
        engine.passed(passes)
        return small.parameters(mixtures, order)
    log_likelihood = np.zeros(len(p.weights))
    for steps, share in _HEATS:
        p, log_likelihood, _, gone = engine.em_run(p, steps)
        going_on = np.flatnonzero(~gone.any(axis=1))
        order = np.argsort(-log_likelihood[going_on], kind="stable")
        going_on = going_on[order[: max(_LAST, int(share * len(order)))]]
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
        size = _n_near(m, d, diagonal)
        at = _looked_at(m, rng)
        if diagonal:
            z = x / np.sqrt(pooled)
        else:
            z = solve_triangular(np.linalg.cholesky(pooled), x.T, lower=True).T
        if SHORT is not None and m * d <= _FEW_NUMBERS:
            nearest, radius = SHORT.nearest(np.ascontiguousarray(z), at, size)
        else:
            nearest, radius = _nearest(z, at, size)
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

    def components(
        self, chosen: list[int], x: FloatArray, w: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Weights (m,), means (m, d) and covariances from the observations near m of them."""
        near = self.nearest[chosen]
        share = w[near] / w[near].sum(axis=1, keepdims=True)
        means = np.einsum("ms,msa->ma", share, x[near])
        away = x[near] - means[:, np.newaxis]
        if self.pooled.ndim == 1:
            covariances = np.einsum("ms,msa->ma", share, away**2) + _LEAST * self.pooled
        else:  # halfway to no correlation: there are few observations
            covariances = np.einsum("ms,msa,msb->mab", share, away, away) / 2
            each = np.arange(len(self.pooled))
            covariances[:, each, each] *= 2
            covariances[:, each, each] += _LEAST * self.pooled.diagonal()
        return np.minimum(self.share[chosen], 0.5), means, covariances


def _nearest(z: FloatArray, at: Indices, size: int) -> tuple[Indices, FloatArray]:
    """The nearest rows of z to some of them (s, size), and the largest squared distances (s,)."""
    squares = (z * z).sum(axis=1)
    nearest = np.empty((len(at), size), dtype=np.intp)
    radius = np.empty(len(at))
    for first in range(0, len(at), 64):
        rows = slice(first, first + 64)
        distances = squares - 2 * z[at[rows]] @ z.T + squares[at[rows], np.newaxis]
        nearest[rows] = np.argpartition(distances, size - 1, axis=1)[:, :size]
        radius[rows] = np.take_along_axis(distances, nearest[rows], axis=1).max(axis=1)
    return nearest, radius


_Arrays = tuple[FloatArray, FloatArray, FloatArray]


def _split(
    p: Parameters, j: Indices, step: FloatArray, inner: FloatArray, outer: FloatArray
) -> _Arrays:
    """Mixtures in which a component of p is two of half its weight.

    Component j[i] moves back by step[i] (m, d) and has the covariance outer[i]; another one, the
    last, lies as far on the other side and has the covariance inner[i].
    """
    m = np.arange(len(j))
    weights = np.append(np.repeat(p.weights, len(j), axis=0), np.zeros((len(j), 1)), axis=1)
    weights[m, j] = weights[m, -1] = p.weights[0, j] / 2
    means = np.append(np.repeat(p.means, len(j), axis=0), p.means[0, j, np.newaxis], axis=1)
    means[m, j] -= step
    means[m, -1] += step
    covariances = np.repeat(p.covariances, len(j), axis=0)
    if p.covariances.shape[1] > 1 or p.means.shape[1] == 1:
        covariances = np.append(covariances, inner[:, np.newaxis], axis=1)
        covariances[m, j] = outer
    return weights, means, covariances


def _inserted(
    p: Parameters, share: FloatArray, mean: FloatArray, covariance: FloatArray
) -> _Arrays:
    """Mixtures with one more component, the others with the same shares of what is left."""
    m = len(share)
    weights = np.append(p.weights * (1 - share[:, np.newaxis]), share[:, np.newaxis], axis=1)
    means = np.append(np.repeat(p.means, m, axis=0), mean[:, np.newaxis], axis=1)
    covariances = np.repeat(p.covariances, m, axis=0)
    if p.covariances.shape[1] > 1 or p.means.shape[1] == 1:
        covariances = np.append(covariances, covariance[:, np.newaxis], axis=1)
    return weights, means, covariances


def _grown(
    engine: Engine, x: FloatArray, w: FloatArray, places: _Places, p: Parameters, most: int
) -> Parameters:
    """At most so many mixtures of one component more, from a single one."""
    small = engine.small_for(p)
    if small is not None:
        near = (places.at, places.nearest, places.share, places.log_density)
        pooled = np.atleast_2d(places.pooled)
        rules = (most, (_SPLIT, _PLACES, _HALF, _LEAST))
        first = small.first(p)
        return small.parameters(SHORT.grown(small.problem, small.kind, first, near, pooled, *rules))
    d = x.shape[1]
    is_shared = engine.family.shared
    beta, squares, log_density = _shares(engine, x, w, p)
    # of a normal distribution, the variance of the squared distances is 2d
    counts = beta.sum(axis=1)
    away = squares - ((beta * squares).sum(axis=1) / counts)[:, np.newaxis]
    spread = (beta * away**2).sum(axis=1) / counts
    with np.errstate(divide="ignore"):
        misfit = counts * np.abs(np.log(spread / (2 * d)))
    places_too = places.densest(log_density)[: most // 3]
    splits = max(1, min(_SPLIT, (most - len(places_too)) // (1 if is_shared else 2)))
    j = np.argsort(-misfit, kind="stable")[:splits]
    covariances = p.covariances[0, np.minimum(j, p.covariances.shape[1] - 1)]
    share = beta[j] / counts[j, np.newaxis]
    step, inner = _halves(x, share, p.means[0, j], covariances, is_shared)
    made = [_split(p, j, step, inner, inner)]
    if not is_shared:  # a narrow one inside a wide one
        made.append(_split(p, j, np.zeros_like(step), 0.1 * covariances, 1.3 * covariances))
    if places_too:
        made.append(_inserted(p, *places.components(places_too, x, w)))
    joined = (np.concatenate(arrays) for arrays in zip(*made, strict=True))
    return engine.projected(engine.factored(*joined))


def _shares(
    engine: Engine, x: FloatArray, w: FloatArray, p: Parameters
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """β times w and the squared distances, (K, m) each, and log p(x) (m,)."""
    log_joint = engine.backend.log_joints(np.ascontiguousarray(x.T), p)
    log_density = logsumexp(log_joint, axis=0)
    squares = 2 * (p.log_c[0][:, np.newaxis] - log_joint)
    return np.exp(log_joint - log_density) * w, squares, log_density


def _halves(
    x: FloatArray, share: FloatArray, mean: FloatArray, covariance: FloatArray, of_all: bool
) -> tuple[FloatArray, FloatArray]:
    """How far from its mean (s, d) the halves of each component lie, and the covariance of each.

    They part along the longest axis; where there are only variances, along the column that is least
    like a normal distribution on the side of two clusters (the lowest kurtosis). What is found for
    the first is that ``of_all``, where they share a covariance.
    """
    step = np.zeros_like(mean)
    if covariance.ndim == 2:
        for i in range(len(mean)):
            kurtosis = share[i] @ ((x - mean[i]) ** 2 / covariance[i]) ** 2
            c = int(np.argmin(kurtosis))
            step[i, c] = _HALF * np.sqrt(covariance[i, c])
        return step, covariance - step**2
    values, vectors = np.linalg.eigh(covariance[:1] if of_all else covariance)
    step[:] = _HALF * np.sqrt(values[:, -1:]) * vectors[:, :, -1]
    return step, covariance - step[:, :, np.newaxis] * step[:, np.newaxis]


def _without_one(
    engine: Engine, x: FloatArray, w: FloatArray, p: Parameters, most: int
) -> Parameters:
    """The mixtures without one of the components that are missed least, but the new one."""
    small = engine.small_for(p)
    if small is not None:
        arrays = small.arrays(p)
        return small.parameters(SHORT.without_one(small.problem, small.kind, arrays, most))
    R, K = p.weights.shape
    order = np.argsort(-_missed(engine, x, w, p)[:, :-1], axis=1, kind="stable")
    dropped = order[:, : max(1, most // R)]
    r = np.repeat(np.arange(R), dropped.shape[1])[:, np.newaxis]
    left = np.arange(K - 1) + (np.arange(K - 1) >= dropped.reshape(-1, 1))
    weights = p.weights[r, left]
    covariances = p.covariances[r, left] if p.covariances.shape[1] > 1 else p.covariances[r[:, 0]]
    weights /= weights.sum(axis=1, keepdims=True)
    return engine.factored(weights, p.means[r, left], covariances)


def _missed(engine: Engine, x: FloatArray, w: FloatArray, p: Parameters) -> FloatArray:
    """By how much ℓ changes without each component, (R, K), the others in their proportions."""
    block, total = np.ascontiguousarray(x.T), w.sum()
    kept = np.empty(p.weights.shape)
    for r in range(len(kept)):
        log_joint = engine.backend.log_joints(block, p.runs([r]))
        beta = np.exp(log_joint - logsumexp(log_joint, axis=0))
        kept[r] = np.log1p(-np.minimum(beta, 1 - 1e-9)) @ w - total * np.log1p(-p.weights[r])
    return kept
