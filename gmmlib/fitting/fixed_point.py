"""One mixture to its fixed point, faster than plain EM and never downhill."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gmmlib.engine import Engine, Parameters
from gmmlib.engine.constants import NOTHING, REMEMBERED, RIDGE, ROUNDING
from gmmlib.engine.small import LONGEST, Small
from gmmlib.validation import FloatArray


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
        Steps taken, or tried.
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
        Steps, 0 or more. After the last of them, which is one of plain EM, one more pass over the
        data gives the ℓ of where it led.
    accelerate : bool
    report : function of (steps, ℓ, estimated distance), or None

    Book: alg-engine.
    """
    small = engine.small_for(p)
    if small is not None and max_iter <= LONGEST:
        return _in_one_call(engine, small, p, tol, max_iter, accelerate, report)
    history: list[float] = []
    memory = _Memory(p, engine.extrapolated)
    here = p
    plain: Parameters | None = None  # where EM led from the last place, after a jump
    remaining = np.inf
    steps = 0  # before this pass; one that fell counts too
    while True:
        there, found = engine.em_step(here)
        log_likelihood = float(found[0])
        sound = np.isfinite(there.log_c).all()
        fell = bool(history) and log_likelihood < history[-1] - ROUNDING * abs(log_likelihood)
        if plain is not None and (fell or not sound):  # the jump was no good
            memory = _Memory(plain, engine.extrapolated)
            here, plain = plain, None
            steps += 1
            continue
        history.append(log_likelihood)
        if report is not None:
            report(steps, log_likelihood, remaining)
        if not sound:
            is_last = steps >= max_iter
            collapsed = None if is_last else there
            return Run(here, history, steps + (not is_last), remaining, False, collapsed)
        memory.add(here, there)
        jump = memory.fixed_point()
        if jump is not None and engine.collapsed(jump).any():
            jump = None
        remaining = memory.last_step()
        if remaining < 1e3 * tol or steps >= max_iter:  # in units of here, not of the first place
            remaining = distance(here, there)
        converged = remaining <= NOTHING * tol
        if jump is not None and tol >= remaining > NOTHING * tol:  # small, but is it near?
            remaining = max(remaining, distance(here, jump))
            converged = remaining <= tol and len(memory) > 2
        if steps >= max_iter:
            return Run(here, history, steps, remaining, converged)
        if converged:
            return Run(here, history, steps + 1, remaining, True)
        steps += 1
        if jump is None or not accelerate or steps >= max_iter:
            here, plain = there, None
        else:
            here, plain = jump, there


def _in_one_call(
    engine: Engine,
    small: Small,
    p: Parameters,
    tol: float,
    max_iter: int,
    accelerate: bool,
    report: Callable[[int, float, float], None] | None,
) -> Run:
    found = small.converge(p, tol, max_iter, accelerate)
    engine.passed(found.n_passes)
    log_likelihoods = engine.log_likelihoods(found.history[:, 1])
    if report is not None:
        for steps, value, distance in zip(
            found.history[:, 0], log_likelihoods, found.history[:, 2], strict=True
        ):
            report(int(steps), float(value), float(distance))
    run = (found.parameters, log_likelihoods.tolist(), found.n_steps, found.remaining)
    return Run(*run, found.converged, found.collapsed)


class _Memory:
    """The last places of an iteration and where EM leads from each."""

    def __init__(
        self, unit: Parameters, factored: Callable[..., Parameters] = Parameters.factored
    ) -> None:
        self._unit = unit  # steps are measured in units of its components
        self._factored = factored
        self._to: list[FloatArray] = []
        self._step = np.empty(0)
        self._differences: list[FloatArray] = []  # of one step and the next
        self._products = np.empty((0, 0))  # of those; d² numbers each, so none is computed twice

    def __len__(self) -> int:
        return len(self._to)

    def last_step(self) -> float:
        return float(np.linalg.norm(self._step))

    def add(self, here: Parameters, there: Parameters) -> None:
        change = (y - x for x, y in zip(_coordinates(here), _coordinates(there), strict=True))
        self._to = [*self._to[1 - REMEMBERED :], np.concatenate(_coordinates(there), axis=None)]
        step, last = _scaled(self._unit, *change), self._step
        self._step = step
        if not len(last):
            return
        with np.errstate(over="ignore", invalid="ignore"):
            self._differences = [*self._differences[2 - REMEMBERED :], step - last]
            count = len(self._differences)
            products = np.empty((count, count))
            products[:-1, :-1] = self._products[1 - count :, 1 - count :] if count > 1 else 0.0
            products[-1] = [one @ self._differences[-1] for one in self._differences]
        products[:-1, -1] = products[-1, :-1]
        self._products = products

    def fixed_point(self) -> Parameters | None:
        """Where the step would be 0 if it changed linearly; None if that is no mixture."""
        if len(self) < 2:
            return None
        products = self._products.copy()
        with np.errstate(over="ignore", invalid="ignore"):  # NaN below is no weight above 0
            products[np.diag_indices_from(products)] *= 1 + RIDGE
            target = np.array([one @ self._step for one in self._differences])
        try:
            shares = np.linalg.solve(products, target)
        except np.linalg.LinAlgError:  # the last steps are all the same
            return None
        combined = np.zeros(len(self))  # shares of the places, from those of the differences
        combined[-1] = 1
        combined[:-1] += shares
        combined[1:] -= shares
        with np.errstate(over="ignore", invalid="ignore"):
            flat = combined[0] * self._to[0]
            for share, place in zip(combined[1:], self._to[1:], strict=True):
                flat += share * place
        R, K, d = self._unit.means.shape
        weights, means, covariances = np.split(flat, [K, K + K * d])
        if not (weights > 0).all() or not np.isfinite(flat).all():
            return None
        return self._factored(
            weights.reshape(R, K) / weights.sum(),
            means.reshape(R, K, d),
            covariances.reshape(R, -1, *self._unit.covariances.shape[2:]),
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
            first = (W @ means[0][..., np.newaxis])[..., 0]
            second = W @ covariances[0] @ W.swapaxes(1, 2)
        second *= (0.5 * len(means[0]) / len(second)) ** 0.5  # one that all share counts for each
    return np.concatenate((weights / at.weights, first, second), axis=None)
