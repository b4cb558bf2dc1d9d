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
_RATES = 6  # pairs of steps over which the slowest rate of convergence is taken


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
    if labels is None:
        unit = np.sqrt(covariance if diagonal else np.diag(covariance))
        nearest = _drawn_clusters(x / unit, w, n_components, n_starts, rng, spread_out)
    else:
        nearest = np.array([labels(r) for r in range(n_starts)])
    member = w * (nearest[:, np.newaxis] == np.arange(n_components)[:, np.newaxis])  # (R, K, m)
    counts = member.sum(axis=2)
    weights = counts / counts.sum(axis=1, keepdims=True)
    means = member @ x / counts[..., np.newaxis]
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
    trials = 2 + int(np.log(n_components)) if spread_out else 1
    for k in range(n_components):
        chance = np.cumsum(w * (squares if spread_out and k else squares > 0), axis=1)
        best = least = None
        for _ in range(trials if k else 1):
            target = rng.random(n_starts) * chance[:, -1]
            chosen = np.minimum((chance <= target[:, np.newaxis]).sum(axis=1), len(z) - 1)
            centre = z[chosen]
            new = norms + (centre * centre).sum(axis=1)[:, np.newaxis] - 2 * centre @ z.T
            np.maximum(new, 0, out=new)
            new[runs, chosen] = 0
            cost = np.minimum(new, squares) @ w
            if best is None:
                best, least = new, cost
            else:
                better = cost < least
                best[better], least = new[better], np.minimum(least, cost)
        closer = best < squares
        nearest[closer] = k
        squares = np.minimum(squares, best)
    return nearest


def race(engine: Engine, p: Parameters) -> Parameters:
    """Short runs of all starts in one pass; the better ones go on; the best come back in order.

    Runs that collapse drop out. Nothing may come back.

    Book: sec-many-starts.
    """
    log_likelihood = np.empty(0)
    for steps, share in _HEATS:
        for _ in range(steps):
            p, log_likelihood = engine.em_step(p)
            sound = np.flatnonzero(np.isfinite(p.log_c).all(axis=1))
            if len(sound) < len(log_likelihood):
                p, log_likelihood = p.runs(sound), log_likelihood[sound]
            if not len(sound):
                return p
        keep = max(3, int(np.ceil(share * len(log_likelihood))))
        best = np.argsort(-log_likelihood, kind="stable")[:keep]
        p, log_likelihood = p.runs(best), log_likelihood[best]
    spikes = is_spike(engine, p).any(axis=1)
    return p.runs(np.argsort(spikes, kind="stable"))


def is_spike(engine: Engine, p: Parameters) -> npt.NDArray[np.bool_]:
    """Which components are spikes, (R, K): narrow, and on a few observations only.

    The likelihood has no upper bound, and near each of its singularities it may have a high local
    maximum whose narrow component holds a few points that happen to lie nearly on a line. Such a
    component has less than ``NARROW`` times the pooled variance in some direction (Hathaway 1985
    bounds this ratio), and holds fewer than ``FEW`` (d + 1) observations. A narrow component with
    more observations is taken as real.

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

    Book: eq-fisher-distance.
    """
    return _norm(a, *(y - x for x, y in zip(_coordinates(a), _coordinates(b), strict=True)))


def converge(
    engine: Engine,
    p: Parameters,
    tol: float,
    max_iter: int,
    accelerate: bool = True,
    report: Callable[[int, float, float], None] | None = None,
) -> Run:
    """EM to its fixed point, with squared extrapolation (Varadhan and Roland 2008).

    Two EM steps show where the iteration is heading; a jump there is kept if the likelihood rises
    on it, and otherwise left. So ℓ never falls, as in plain EM.

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
    rates: list[float] = []
    longest = 4.0
    remaining = np.inf
    passes = 0

    def step(theta: Parameters) -> tuple[Parameters, float]:
        nonlocal passes
        passes += 1
        new, log_likelihood = engine.em_step(theta)
        if report is not None:
            report(passes, float(log_likelihood[0]), remaining)
        return new, float(log_likelihood[0])

    zero = p
    one, log_likelihood = step(zero)
    history.append(log_likelihood)
    while True:
        if not np.isfinite(one.log_c).all():
            return Run(zero, history, passes, remaining, False, collapsed=one)
        if passes >= max_iter:
            return Run(zero, history, passes, remaining, False)
        two, log_likelihood = step(one)
        history.append(log_likelihood)
        if not np.isfinite(two.log_c).all():
            return Run(one, history, passes, remaining, False, collapsed=two)
        first, second = distance(zero, one), distance(one, two)
        rate = second / first if first > second else float(second > 0)  # also 1 where both overflow
        rates = [*rates[1 - _RATES :], rate]
        remaining = second / max(1 - max(rates), 1e-4)
        if remaining <= tol:
            return Run(one, history, passes, remaining, True)
        if passes >= max_iter:
            return Run(one, history, passes, remaining, False)
        jump, length = _extrapolated(zero, one, two, longest) if accelerate else (None, 1.0)
        if jump is not None and not engine.collapsed(jump).any():
            after, log_likelihood = step(jump)
            if log_likelihood >= history[-1] and np.isfinite(after.log_c).all():
                history.append(log_likelihood)
                zero, one = jump, after
                longest *= 4 if length == longest else 1
                continue
            longest = max(longest / 4, 1.0)
        zero, one = one, two


def _extrapolated(
    zero: Parameters, one: Parameters, two: Parameters, longest: float
) -> tuple[Parameters | None, float]:
    """θ0 + 2 a r + a² v with r = θ1 - θ0 and v = θ2 - 2 θ1 + θ0, and a; None where a is short."""
    r = [y - x for x, y in zip(_coordinates(zero), _coordinates(one), strict=True)]
    s = [y - x for x, y in zip(_coordinates(one), _coordinates(two), strict=True)]
    v = [y - x for x, y in zip(r, s, strict=True)]
    norm = _norm(zero, *v)
    if not 0 < norm < np.inf:
        return None, 1.0
    a = min(_norm(zero, *r) / norm, longest)
    if a <= 1:
        return None, a
    weights, means, covariances = (
        x + 2 * a * dx + a * a * ddx for x, dx, ddx in zip(_coordinates(zero), r, v, strict=True)
    )
    if not (weights > 0).all():
        return None, a
    return Parameters.factored(weights / weights.sum(), means, covariances), a


def _coordinates(p: Parameters) -> tuple[FloatArray, FloatArray, FloatArray]:
    return p.weights, p.means, p.covariances


def _norm(at: Parameters, weights: FloatArray, means: FloatArray, covariances: FloatArray) -> float:
    W = at.W
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(((weights / at.weights) ** 2).sum())
        if at.diagonal:
            total += float(((W * means) ** 2).sum() + ((W * W * covariances) ** 2).sum() / 2)
        else:
            total += float(((W @ means[..., np.newaxis]) ** 2).sum())
            total += float(((W @ covariances @ W.swapaxes(-1, -2)) ** 2).sum() / 2)
    return float(np.sqrt(total)) if np.isfinite(total) else np.inf
