"""From data to the answer: many short runs, the best carried to convergence.

``starting_points`` draws the starts, ``race`` lets them run a little and keeps the better ones,
``converge`` takes one to its fixed point, faster than plain EM and never downhill.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gmmlib.engine import Engine, Parameters
from gmmlib.validation import FloatArray

FEW = 10  # observations for each of its d + 1 points; with fewer a narrow component is chance
NARROW = 1e-4  # a share of the pooled variance; with few observations it is a spike on some of them

_HEATS = ((5, 1 / 3), (10, 1 / 3), (10, 0.0))  # EM steps, and the share of the runs that goes on
_SHRINK = 0.01  # of the data's covariance in a start's: no cluster of equal points begins flat
_REMEMBERED = 10  # steps from which the next jump is computed
_NOTHING = 1e-3  # of tol: so small a step needs no estimate of how many more there are
_RIDGE = 1e-12  # keeps the jump finite where the last steps are nearly the same
_ROOT_HALF = 0.5**0.5
_ROUNDING = 4 * np.finfo(float).eps  # of ℓ, relative


def starting_points(
    x: FloatArray,
    w: FloatArray,
    covariance: FloatArray,
    n_components: int,
    n_starts: int,
    rng: np.random.Generator,
    labels: Callable[[int], npt.NDArray[np.intp]] | None = None,
    spread_out: bool = True,
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

    Book: def-start.
    """
    diagonal = covariance.ndim == 1
    z = x / np.sqrt(covariance if diagonal else np.diag(covariance))
    if labels is None:
        nearest = _drawn_clusters(z, w, n_components, n_starts, rng, spread_out)
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
    centre = np.einsum("rk,rka->ra", weights, means)
    away = means - centre[:, np.newaxis]
    if diagonal:
        between = np.einsum("rk,rka->ra", weights, away**2)
    else:
        between = (weights[..., np.newaxis] * away).swapaxes(1, 2) @ away
    within = (1 + _SHRINK) * covariance - between
    shape = (n_starts, n_components, *covariance.shape)
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


def race(engine: Engine, p: Parameters) -> Parameters:
    """Short runs of all starts in one pass; the better ones go on; the best come back first.

    Those that were overtaken come after them, as they were then: the best may all end in a spike.
    Runs that collapse drop out. Nothing may come back.

    Book: sec-many-starts.
    """
    log_likelihood = np.empty(0)
    overtaken: list[Parameters] = []
    for steps, share in _HEATS:
        for _ in range(steps):
            p, log_likelihood = engine.em_step(p)
            sound = np.flatnonzero(np.isfinite(p.log_c).all(axis=1))
            if len(sound) < len(log_likelihood):
                p, log_likelihood = p.runs(sound), log_likelihood[sound]
            if not len(sound):
                return _joined([*overtaken[::-1], p])
        keep = max(3, int(np.ceil(share * len(log_likelihood))))
        best = np.argsort(-log_likelihood, kind="stable")
        overtaken.append(p.runs(best[keep:]))
        p, log_likelihood = p.runs(best[:keep]), log_likelihood[best[:keep]]
    p = _joined([p, *overtaken[::-1]])
    spikes = is_spike(engine, p).any(axis=1)
    return p.runs(np.argsort(spikes, kind="stable"))


def _joined(parts: list[Parameters]) -> Parameters:
    names = ("weights", "means", "covariances", "W", "log_c")
    return Parameters(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def is_spike(engine: Engine, p: Parameters) -> npt.NDArray[np.bool_]:
    """Which components are spikes, (R, K): narrow, and on a few observations only.

    The likelihood has no upper bound, and near each of its singularities it may have a high local
    maximum whose narrow component holds a few points that happen to lie nearly on a line. Such a
    component has less than ``NARROW`` times the pooled variance in some direction, and holds fewer
    than ``FEW`` (d + 1) observations. A narrow component with more observations is taken as real.

    Book: sec-many-starts.
    """
    if p.diagonal:
        pooled = np.einsum("rk,rka->ra", p.weights, p.covariances)
        ratio = 1 / (p.W**2 * pooled[:, np.newaxis]).max(axis=2)
    else:
        pooled = np.einsum("rk,rkab->rab", p.weights, p.covariances)
        whitened = p.W @ np.linalg.cholesky(pooled)[:, np.newaxis]
        ratio = 1 / np.linalg.norm(whitened, 2, axis=(2, 3)) ** 2
    few = p.weights * engine.blocks.total_weight < FEW * (engine.blocks.n_features + 1)
    return np.asarray(few & (ratio < NARROW))


@dataclass(frozen=True, eq=False)
class Run:
    """What :func:`converge` returns: the last mixture, the ℓ of all, and how it ended.

    Attributes
    ----------
    parameters : Parameters
        One mixture.
    log_likelihoods : list of float
        ℓ of every mixture kept, the last is that of ``parameters``.
    n_iter : int
        Passes over the data.
    distance : float
        The estimated distance to the fixed point, see :func:`distance`.
    converged : bool
    collapsed : Parameters or None
        What the next step would have given, where it does not exist.

    Book: alg-engine.
    """

    parameters: Parameters
    log_likelihoods: list[float]
    n_iter: int
    distance: float
    converged: bool
    collapsed: Parameters | None = None


def distance(a: Parameters, b: Parameters) -> float:
    """How far b is from a, in the units of each component of a.

    The root of Σ_j (Δα_j/α_j)² + Δμ_jᵀ Σ_j⁻¹ Δμ_j + ½ tr(Σ_j⁻¹ΔΣ_j)²: a step of 1e-6 changes the
    sixth digit of a weight, or a mean by a millionth of a standard deviation.

    Book: def-step-length.
    """
    change = (y - x for x, y in zip(_coordinates(a), _coordinates(b), strict=True))
    with np.errstate(over="ignore", invalid="ignore"):
        length = float(np.linalg.norm(_scaled(a, *change)))
    return length if np.isfinite(length) else np.inf


def converge(
    engine: Engine,
    p: Parameters,
    tol: float,
    max_iter: int,
    accelerate: bool = True,
    report: Callable[[int, float, float], None] | None = None,
) -> Run:
    """EM to its fixed point, with Anderson acceleration (Anderson 1965, Walker and Ni 2011).

    The last few EM steps show how the step changes from place to place. Were that linear, some
    mixture of those places would have a step of 0: it is the next place. If the likelihood falls
    there, EM goes on from where its own last step led, with nothing remembered. So ℓ never falls
    by more than rounding, as in plain EM (Henderson and Varadhan 2019).

    Parameters
    ----------
    engine : Engine
    p : Parameters
        One mixture, the start.
    tol : float
        Stop when the fixed point is estimated to be this near, see :func:`distance`.
    max_iter : int
        Passes over the data, at least 1.
    accelerate : bool
    report : function of (passes, ℓ, estimated distance), or None

    Book: alg-engine.
    """
    history: list[float] = []
    memory = _Memory(p)
    here = last = p
    plain: Parameters | None = None  # where EM led from the last place, after a jump
    remaining = np.inf
    passes = 0
    while True:
        there, found = engine.em_step(here)
        log_likelihood = float(found[0])
        passes += 1
        sound = np.isfinite(there.log_c).all()
        fell = bool(history) and log_likelihood < history[-1] - _ROUNDING * abs(log_likelihood)
        if plain is not None and (fell or not sound):  # the jump was no good
            if passes >= max_iter:
                return Run(last, history, passes, remaining, False)
            memory = _Memory(plain)
            here, plain = plain, None
            continue
        history.append(log_likelihood)
        if report is not None:
            report(passes, log_likelihood, remaining)
        if not sound:
            return Run(here, history, passes, remaining, False, collapsed=there)
        last = here
        memory.add(here, there)
        jump = memory.fixed_point()
        if jump is not None and engine.collapsed(jump).any():
            jump = None
        remaining = memory.last_step()
        if remaining < 1e3 * tol or passes >= max_iter:  # in units of here, not of the first place
            remaining = distance(here, there)
        converged = remaining <= _NOTHING * tol
        if jump is not None and tol >= remaining > _NOTHING * tol:  # small, but is it near?
            remaining = max(remaining, distance(here, jump))
            converged = remaining <= tol and len(memory) > 2
        if converged or passes >= max_iter:
            return Run(here, history, passes, remaining, converged)
        if jump is None or not accelerate:
            here, plain = there, None
        else:
            here, plain = jump, there


class _Memory:
    """The last places of an iteration and where EM leads from each."""

    def __init__(self, unit: Parameters) -> None:
        self._unit = unit  # steps are measured in units of its components
        self._to: list[FloatArray] = []
        self._steps: list[FloatArray] = []

    def __len__(self) -> int:
        return len(self._to)

    def last_step(self) -> float:
        return float(np.linalg.norm(self._steps[-1]))

    def add(self, here: Parameters, there: Parameters) -> None:
        change = (y - x for x, y in zip(_coordinates(here), _coordinates(there), strict=True))
        self._to = [*self._to[1 - _REMEMBERED :], np.concatenate(_coordinates(there), axis=None)]
        self._steps = [*self._steps[1 - _REMEMBERED :], _scaled(self._unit, *change)]

    def fixed_point(self) -> Parameters | None:
        """Where the step would be 0 if it changed linearly; None if that is no mixture."""
        if len(self) < 2:
            return None
        steps = np.array(self._steps)
        with np.errstate(over="ignore", invalid="ignore"):  # NaN below is no weight above 0
            differences = steps[1:] - steps[:-1]
            products = differences @ differences.T
            products[np.diag_indices_from(products)] *= 1 + _RIDGE
            target = differences @ steps[-1]
        try:
            shares = np.linalg.solve(products, target)
        except np.linalg.LinAlgError:  # the last steps are all the same
            return None
        combined = np.zeros(len(self))  # shares of the places, from those of the differences
        combined[-1] = 1
        combined[:-1] += shares
        combined[1:] -= shares
        with np.errstate(over="ignore", invalid="ignore"):
            flat = combined @ np.array(self._to)
        R, K, d = self._unit.means.shape
        weights, means, covariances = np.split(flat, [K, K + K * d])
        if not (weights > 0).all() or not np.isfinite(flat).all():
            return None
        return Parameters.factored(
            weights.reshape(R, K) / weights.sum(),
            means.reshape(R, K, d),
            covariances.reshape(self._unit.covariances.shape),
        )


def _coordinates(p: Parameters) -> tuple[FloatArray, FloatArray, FloatArray]:
    return p.weights, p.means, p.covariances


def _scaled(
    at: Parameters, weights: FloatArray, means: FloatArray, covariances: FloatArray
) -> FloatArray:
    """A change of one mixture in units of each component of ``at``, as one vector."""
    W = at.W[0]
    with np.errstate(over="ignore", invalid="ignore"):
        if at.diagonal:
            first, second = W * means[0], W * W * covariances[0]
        else:
            first = np.einsum("jab,jb->ja", W, means[0])
            second = W @ covariances[0] @ W.swapaxes(1, 2)
    return np.concatenate((weights / at.weights, first, second * _ROOT_HALF), axis=None)
