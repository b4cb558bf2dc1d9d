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
from gmmlib.fitting.heats import FEW, is_spike, sound_runs
from gmmlib.validation import FloatArray

Indices = npt.NDArray[np.intp]

_SUMMITS = 2  # that are kept, and tried
_GROWN = 10  # mixtures of K + 1 components from which one is removed
_REMOVED = 6  # components of each that are tried
_LAST = 4  # new mixtures that are carried to their summit
_SPLIT = 20  # components of a summit that are split
_PLACES = 8  # where one more is tried
_LOOKED_AT = 512  # observations at which the density is looked at
_STEPS = 10
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
    steps: int,
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
    steps : int
        After so many EM steps of one mixture, no summit is tried any more.

    Returns
    -------
    climbed : Parameters
        At most a few mixtures, near their fixed points, none with a spike; p itself where all of
        them end in one.

    Book: sec-many-starts.
    """
    last = engine.steps_taken + steps
    same = _SAME * engine.blocks.total_weight
    summits = _summits(engine, p, _SUMMITS, same)
    if not summits:
        return p
    tried: list[_Summit] = []
    best = summits[0].parameters
    pooled = np.einsum("k,k...->...", best.weights[0], best.covariances[0])
    places = _Places.of(x, w, pooled, rng)
    while engine.steps_taken < last:
        new = [summit for summit in summits if summit not in tried]
        if not new:
            break
        tried += new
        grown = [_grown(engine, x, w, places, summit.parameters) for summit in new]
        q = _after(engine, Parameters.joined(grown), _STEPS)
        if not len(q.weights):
            break
        q = _after(engine, _without_one(engine, x, w, q.runs(slice(_GROWN))), _STEPS)
        q = _after(engine, q.runs(slice(2 * _LAST)), 2 * _STEPS)
        found = _summits(engine, q, _LAST, same)
        summits = _different(summits + found, same)[:_SUMMITS]
    return Parameters.joined([summit.parameters for summit in summits])


def _summits(engine: Engine, p: Parameters, count: int, same: float) -> list[_Summit]:
    """Where EM leads from the first of the mixtures, without those that end in a spike."""
    found: list[_Summit] = []
    for r in range(len(p.weights)):
        run = converge(engine, p.runs([r]), _NEAR, _FURTHEST)
        if run.collapsed is None and not is_spike(engine, run.parameters).any():
            found = _different([*found, _Summit(run.parameters, run.log_likelihoods[-1])], same)
        if len(found) == count:
            break
    return found


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
        p, log_likelihood = engine.em_step(p)
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
    means, covariances : (s, d), and (s, d, d) or (s, d)
        Of the nearest.
    log_density : (s,)
        From the volume of the ball that holds the nearest, but for a constant.
    """

    at: Indices
    nearest: Indices
    share: FloatArray
    means: FloatArray
    covariances: FloatArray
    log_density: FloatArray

    @classmethod
    def of(
        cls, x: FloatArray, w: FloatArray, pooled: FloatArray, rng: np.random.Generator
    ) -> "_Places":
        """Distances are in units of the pooled covariance."""
        m, d = x.shape
        diagonal = pooled.ndim == 1
        variances = pooled if diagonal else pooled.diagonal()
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
        weights = w[nearest]
        share = weights.sum(axis=1) / w.sum()
        weights = weights / weights.sum(axis=1, keepdims=True)
        means = np.einsum("sm,smd->sd", weights, x[nearest])
        covariances = np.empty((len(at), *pooled.shape))
        for s, near in enumerate(nearest):
            away = x[near] - means[s]
            if diagonal:
                covariances[s] = weights[s] @ away**2 + _LEAST * pooled
            else:  # halfway to no correlation: there are few observations
                covariances[s] = (weights[s] * away.T) @ away / 2
                covariances[s] += np.diag(covariances[s].diagonal() + _LEAST * variances)
        with np.errstate(divide="ignore"):
            log_density = np.log(share) - 0.5 * d * np.log(np.maximum(radius, 0))
        return cls(at, nearest, share, means, covariances, log_density)

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


def _grown(
    engine: Engine, x: FloatArray, w: FloatArray, places: _Places, p: Parameters
) -> Parameters:
    """Mixtures of one component more, from a single one."""
    weights, means, covariances = p.weights[0], p.means[0], p.covariances[0]
    d = means.shape[1]
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
    made: list[tuple[FloatArray, FloatArray, FloatArray]] = []

    def add(
        j: int | None,
        share: float,
        mean: FloatArray,
        covariance: FloatArray,
        own_mean: FloatArray | None = None,
        own_covariance: FloatArray | None = None,
    ) -> None:
        alpha, mu = np.append(weights, share), np.vstack([means, mean])
        Sigma = np.concatenate([covariances, covariance[np.newaxis]])
        if j is None:
            alpha[:-1] *= 1 - share
        else:
            alpha[j] -= share
            if own_mean is not None:
                mu[j] = own_mean
            Sigma[j] = own_covariance
        made.append((alpha, mu, Sigma))

    for j in np.argsort(-misfit, kind="stable")[:_SPLIT]:
        share = weights[j] / 2
        step, less = _halves(x, beta[j] / counts[j], means[j], covariances[j])
        add(j, share, means[j] + step, less, means[j] - step, less)
        if not engine.family.shared:  # a narrow one inside a wide one
            add(j, share, means[j], 0.1 * covariances[j], None, 1.3 * covariances[j])
    for s in places.densest(log_density):
        add(None, min(float(places.share[s]), 0.5), places.means[s], places.covariances[s])
    stacked = (np.array(arrays) for arrays in zip(*made, strict=True))
    return engine.projected(engine.factored(*stacked))


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


def _without_one(engine: Engine, x: FloatArray, w: FloatArray, p: Parameters) -> Parameters:
    """Each of the mixtures without one of the components that are missed least, but the new one."""
    block = np.ascontiguousarray(x.T)
    total = w.sum()
    parts = []
    for r in range(len(p.weights)):
        single = p.runs([r])
        log_joint = engine.backend.log_joints(block, single)
        beta = np.exp(log_joint - logsumexp(log_joint, axis=0))[:-1]
        kept = np.log1p(-np.minimum(beta, 1 - 1e-9)) @ w - total * np.log1p(-p.weights[r, :-1])
        for j in np.argsort(-kept, kind="stable")[:_REMOVED]:
            left = np.delete(np.arange(len(log_joint)), j)
            parts.append(single.runs(([[0]], left)))
    q = Parameters.joined(parts)
    weights = q.weights / q.weights.sum(axis=1, keepdims=True)
    return engine.factored(weights, q.means, q.covariances)
