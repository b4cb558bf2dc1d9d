"""Who computes the two steps on a block: one interface, and which backend is used.

``matrices`` and ``compiled`` are the two that there are. An ``Engine`` takes one as an argument;
without it, the one of the innermost ``using``, or the fastest that there is (``available``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from gmmlib.engine.available import KERNEL
from gmmlib.engine.frame import FloatRows, Frame
from gmmlib.engine.matrices import Matrices
from gmmlib.engine.moments import Moments
from gmmlib.engine.parameters import Parameters
from gmmlib.validation import FloatArray

if KERNEL is not None:
    from gmmlib.engine.compiled import Compiled as Compiled
else:
    Compiled = None  # type: ignore[assignment, misc]


class Step(Protocol):
    """Both steps of EM for certain parameters."""

    @property
    def about(self) -> FloatArray:
        """The points (R, K, d) that the moments are about."""

    @property
    def whole(self) -> bool:
        """Whether S2 is among the moments.

        Where it is not, the components share one covariance and ``about`` is 0: summed over the
        components, S2 is that of all the data, whatever the responsibilities are.
        """

    def on_block(self, x: FloatArray, w: FloatArray) -> Moments:
        """The moments of a block (d, m) with weights (m,); empty ``w`` is a weight of 1 each."""


class Backend(Protocol):
    """Loops for blocks of observations.

    Attributes
    ----------
    name : str
    cancelling : float
        How many times larger than their sum the terms of a moment may be.
    """

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def cancelling(self) -> float:
        """See above."""

    def factors(self, Sigma: FloatArray) -> tuple[FloatArray, FloatArray]:
        """L⁻¹ and its log-determinant for matrices (..., d, d); NaN where Σ has no L."""

    def load(self, rows: FloatRows, frame: Frame) -> FloatArray:
        """Rows (m, d) as (d, m) in double precision, in the coordinates of the frame."""

    def log_joints(self, x: FloatArray, p: Parameters) -> FloatArray:
        """log α_j + log g_j(x_i) of one mixture on a block (d, m), as (K, m). Book: def-joint."""

    def step(
        self, p: Parameters, about: FloatArray | None, origin: FloatArray, shared: bool = False
    ) -> Step:
        """Both steps with these parameters, measured from ``about``, or from what costs least.

        Where the components are ``shared``, so that they have one covariance, S2 is summed over
        them.
        """


FASTEST: Backend = Matrices() if Compiled is None else Compiled()
_CHOSEN: ContextVar[Backend] = ContextVar("backend", default=FASTEST)


def current() -> Backend:
    """The backend of the innermost :func:`using`, or the fastest."""
    return _CHOSEN.get()


@contextmanager
def using(backend: Backend) -> Iterator[Backend]:
    """Whatever is computed inside, also by an estimator, is computed by ``backend``.

    >>> from gmmlib.engine import Matrices
    >>> with using(Matrices()):
    ...     current().name
    'matrices'
    """
    token = _CHOSEN.set(backend)
    try:
        yield backend
    finally:
        _CHOSEN.reset(token)
