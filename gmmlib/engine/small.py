"""Small data for the compiled runs (``runs``, needs Numba): a pass takes microseconds."""

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

    Attributes
    ----------
    problem : tuple
        The observations and all that a pass needs of them, for ``runs`` and ``fitting.short``.
    kind : int
        The family's number there.
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
        self.kind = _kind(family)
        added = np.array(np.broadcast_to(added, d))
        self.problem = (x, w, scale, added, rounding, np.array([*limits, CANCELLING]))

    @staticmethod
    def takes(family: Family) -> bool:
        """Whether Numba is there, and the M-step of this family compiled."""
        return KERNEL is not None and isinstance(family, _KINDS)

    def converge(self, p: Parameters, tol: float, max_iter: int, accelerate: bool) -> Converged:
        """:func:`gmmlib.fitting.converge` of one mixture, its ℓ in ``history[:, 1]``.

        Before each, in ``history``, the steps; behind it the estimated distance to the fixed point.
        Where ℓ overflows it is the last, and not finite.
        """
        mixture = self.arrays(p)
        how, n_steps, n_passes, remaining, history, after = runs.converge(
            self.problem, self.kind, tuple(a[0] for a in mixture), tol, max_iter, accelerate
        )
        if how == runs.OVERFLOWED:
            history = np.vstack([history, [n_steps, np.nan, remaining]])
        collapsed = None
        if how == runs.COLLAPSED:
            collapsed = self.parameters(tuple(array[np.newaxis] for array in after))
        return Converged(
            self.parameters(mixture),
            collapsed,
            history,
            n_steps,
            n_passes,
            remaining,
            how == runs.CONVERGED,
        )

    def first(self, p: Parameters) -> tuple[FloatArray, ...]:
        """Copies of the numbers of one mixture, as the compiled loops want them."""
        return tuple(array[0] for array in self.arrays(p))

    def arrays(self, p: Parameters) -> tuple[FloatArray, ...]:
        """Copies, as the compiled loops want them."""
        R, K, d = p.means.shape
        C = 1 if self.kind == runs.TIED else K
        a = 1 if p.diagonal else d
        covariances, W = np.empty((R, C, a, d)), np.empty((R, C, a, d))
        covariances[:] = p.covariances[:, :, np.newaxis] if p.diagonal else p.covariances
        W[:] = p.W[:, :, np.newaxis] if p.diagonal else p.W
        return p.weights.copy(), p.means.copy(), covariances, W, p.log_c.copy()

    def parameters(
        self, mixtures: tuple[FloatArray, ...], index: npt.NDArray[np.intp] | None = None
    ) -> Parameters:
        """The other way round, of all mixtures or some."""
        if index is not None:
            mixtures = tuple(array[index] for array in mixtures)
        weights, means, covariances, W, log_c = mixtures
        if self.kind >= runs.DIAGONAL:
            return Parameters(weights, means, covariances[:, :, 0], W[:, :, 0], log_c)
        return Parameters(weights, means, covariances, W, log_c)


def _kind(family: Family) -> int:
    return next(i for i, kind in enumerate(_KINDS) if isinstance(family, kind))
