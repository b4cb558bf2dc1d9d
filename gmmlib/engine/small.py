"""Whole runs of EM in one compiled call (``runs``, needs Numba), where a pass takes microseconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gmmlib.engine.available import KERNEL
from gmmlib.engine.matrices import CANCELLING
from gmmlib.engine.parameters import Parameters
from gmmlib.models import Family
from gmmlib.models.families import Diagonal, Full, Spherical, Tied
from gmmlib.validation import FloatArray

if KERNEL is not None:
    from gmmlib.engine import runs

LONGEST = 10_000  # steps in one call, which Ctrl-C cannot end

_KINDS: tuple[type[Family], ...] = (Full, Tied, Diagonal, Spherical)  # numbered as in ``runs``


@dataclass(frozen=True, eq=False)
class Converged:
    """What :meth:`Small.converge` returns; see there."""

    parameters: Parameters
    collapsed: Parameters | None
    history: FloatArray
    n_steps: int
    n_passes: int
    remaining: float
    converged: bool


class Small:
    """Some observations that fit into the cache, and a family whose M-step is compiled.

    Parameters
    ----------
    x : (d, n)
        In the coordinates of the engine.
    w : (n,), or empty for a weight of 1 each
    family : Family
        See :meth:`takes`.
    scale, added, rounding : (d,)
        Of the engine: the units, what is added to each variance, and the least spread.
    limits : the steepest pivot and the least weight of a component that has not collapsed
    """

    def __init__(
        self,
        x: FloatArray,
        w: FloatArray,
        family: Family,
        scale: FloatArray,
        added: FloatArray,
        rounding: FloatArray,
        limits: Sequence[float],
    ) -> None:
        d = len(x)
        self._kind = _kind(family)
        added = np.array(np.broadcast_to(added, d))
        self._problem = (x, w, scale, added, rounding, np.array([*limits, CANCELLING]))
        self._padded = d + (-d % runs.TILED if not family.diagonal and d >= runs.TILED else 0)

    @staticmethod
    def takes(family: Family) -> bool:
        """Whether Numba is there, and the M-step of this family compiled."""
        return KERNEL is not None and isinstance(family, _KINDS)

    def steps(
        self, p: Parameters, most: npt.NDArray[np.intp], still: float
    ) -> tuple[Parameters, FloatArray, npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """At most so many EM steps (R,) of each of R mixtures.

        A mixture stops where a step changes ℓ by no more than ``still`` of it, and before a step
        in which a component collapses.

        Returns
        -------
        after : Parameters
        log_likelihood : (R,)
            Before the last step; NaN where none was taken.
        taken : (R,)
            How many steps.
        gone : (R, K)
            Which components collapsed in the last step, which is not in ``after``.
        """
        mixtures = self._arrays(p)
        R, K = p.weights.shape
        found, taken = np.full(R, np.nan), np.zeros(R, np.intp)
        gone = np.zeros((R, K), np.bool_)
        runs.steps(self._problem, self._kind, mixtures, most, still, found, taken, gone)
        return self._parameters(mixtures), found, taken, gone

    def converge(self, p: Parameters, tol: float, max_iter: int, accelerate: bool) -> Converged:
        """:func:`gmmlib.fitting.converge` of one mixture, its ℓ in ``history[:, 1]``.

        Before each, in ``history``, the steps; behind it the estimated distance to the fixed point.
        Where ℓ overflows it is the last, and not finite.
        """
        mixture = self._arrays(p)
        first = tuple(array[0] for array in mixture)
        how, n_steps, n_passes, remaining, history, after = runs.converge(
            self._problem, self._kind, first, tol, max_iter, accelerate
        )
        if how == runs.OVERFLOWED:
            history = np.vstack([history, [n_steps, np.nan, remaining]])
        collapsed = None
        if how == runs.COLLAPSED:
            collapsed = self._parameters(tuple(array[np.newaxis] for array in after))
        return Converged(
            self._parameters(mixture),
            collapsed,
            history,
            n_steps,
            n_passes,
            remaining,
            how == runs.CONVERGED,
        )

    def shares(self, p: Parameters) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The E-step of one mixture.

        Returns
        -------
        beta, squares : (K, n)
            Responsibilities times w, and squared distances in units of each component.
        log_density : (n,)
        """
        x = self._problem[0]
        shape = (p.weights.shape[1], x.shape[1])
        beta, squares, log_density = np.empty(shape), np.empty(shape), np.empty(shape[1])
        first = tuple(array[0] for array in self._arrays(p))
        runs.shares(self._problem, self._kind, first, beta, squares, log_density)
        return beta, squares, log_density

    def missed(self, p: Parameters) -> FloatArray:
        """Of R mixtures, by how much ℓ changes without each component, (R, K).

        Book: eq-without-one.
        """
        kept = np.empty(p.weights.shape)
        runs.missed(self._problem, self._kind, self._arrays(p), kept)
        return kept

    def _arrays(self, p: Parameters) -> tuple[FloatArray, ...]:
        """Copies, as the compiled loops want them."""
        R, K, d = p.means.shape
        C = 1 if self._kind == runs.TIED else K
        a = 1 if p.diagonal else d
        covariances = np.empty((R, C, a, d))
        W = np.zeros((R, C, 1 if p.diagonal else self._padded, self._padded))
        covariances[:] = p.covariances[:, :, np.newaxis] if p.diagonal else p.covariances
        W[:, :, :a, :d] = p.W[:, :, np.newaxis] if p.diagonal else p.W
        return p.weights.copy(), p.means.copy(), covariances, W, p.log_c.copy()

    def _parameters(self, mixtures: tuple[FloatArray, ...]) -> Parameters:
        weights, means, covariances, W, log_c = mixtures
        d = means.shape[2]
        if self._kind >= runs.DIAGONAL:
            return Parameters(weights, means, covariances[:, :, 0], W[:, :, 0], log_c)
        return Parameters(weights, means, covariances, W[:, :, :d, :d], log_c)


def _kind(family: Family) -> int:
    return next(i for i, kind in enumerate(_KINDS) if isinstance(family, kind))
