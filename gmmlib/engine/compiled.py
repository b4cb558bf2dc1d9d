"""The backend in compiled loops (``kernel``, needs Numba).

Each block goes through both steps while it is in the cache. Distances are measured from each
component's mean, or from the origin where nothing cancels.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gmmlib.engine import flat, kernel
from gmmlib.engine.frame import FloatRows, Frame
from gmmlib.engine.matrices import CANCELLING
from gmmlib.engine.moments import Moments
from gmmlib.engine.parameters import Parameters, compiled_factors
from gmmlib.validation import FloatArray


@dataclass(frozen=True)
class Compiled:
    """See :class:`gmmlib.engine.backends.Backend`."""

    name: str = "compiled"
    cancelling: float = CANCELLING

    def factors(self, Sigma: FloatArray) -> tuple[FloatArray, FloatArray]:
        """L⁻¹ and its log-determinant."""
        return compiled_factors(Sigma)

    def load(self, rows: FloatRows, frame: Frame) -> FloatArray:
        """Rows (m, d) as (d, m), from the centre, in units of the scale."""
        block = np.empty((rows.shape[1], len(rows)))
        kernel.load(rows, frame.centre, 1 / frame.scale, block)
        return block

    def log_joints(self, x: FloatArray, p: Parameters) -> FloatArray:
        """log α_j + log g_j(x_i), (K, m)."""
        L = np.empty((p.means.shape[1], x.shape[1]))
        W, function = _padded(p.W)[0], kernel.log_joint
        if p.diagonal:
            function = (
                kernel.log_joint_diagonal if len(x) < kernel.TILED else flat.log_joint_diagonal
            )
        elif len(W) == 1 and len(x) >= kernel.TILED:
            W, function = W[0], flat.log_joint_tied
        function(x, p.log_c[0], p.means[0], W, L)
        return L

    def step(
        self, p: Parameters, about: FloatArray | None, origin: FloatArray, shared: bool = False
    ) -> "CompiledStep | DiagonalStep | TiedStep":
        """Both steps."""
        if p.means.shape[2] >= kernel.TILED:
            if p.diagonal:
                return DiagonalStep.of(p, about, self.cancelling)
            together = shared and about is None and p.W.shape[1] == 1
            if together and (p.cancellation() <= self.cancelling).all():
                return TiedStep(p, _padded(p.W)[:, 0], np.zeros(p.means.shape))
        return CompiledStep(p, _padded(p.W), p.means if about is None else about, shared)


@dataclass(frozen=True, eq=False)
class CompiledStep:
    """Both steps with the parameters p; W is padded to whole tiles."""

    p: Parameters
    W: FloatArray
    about: FloatArray
    shared: bool
    whole = True

    def on_block(self, x: FloatArray, w: FloatArray) -> Moments:
        """The moments of a block (d, m)."""
        p = self.p
        R, K, d = p.means.shape
        N, S1 = np.zeros((R, K)), np.zeros((R, K, d))
        S2 = np.zeros((R, 1 if self.shared else K, *self.W.shape[2:]))
        log_likelihood = np.zeros(R)
        function = kernel.accumulate_diagonal if p.diagonal else kernel.accumulate
        function(x, w, p.log_c, p.means, self.W, self.about, N, S1, S2, log_likelihood)
        S2 = S2 if p.diagonal else S2[:, :, :d, :d]
        return Moments(N, S1, S2, self.about, log_likelihood)


@dataclass(frozen=True, eq=False)
class DiagonalStep:
    """Both steps with variances alone; moments from the origin, unless that would cancel."""

    p: Parameters
    about: FloatArray
    centred: npt.NDArray[np.bool_]
    whole = True

    @classmethod
    def of(cls, p: Parameters, about: FloatArray | None, cancelling: float) -> "DiagonalStep":
        """The step, and for which components (R, K) sums from the origin would cancel."""
        if about is not None:
            return cls(p, about, np.ones(p.weights.shape, np.bool_))
        centred = ~(p.cancellation() <= cancelling)
        return cls(p, np.where(centred[..., np.newaxis], p.means, 0.0), centred)

    def on_block(self, x: FloatArray, w: FloatArray) -> Moments:
        """The moments of a block (d, m)."""
        p = self.p
        N, log_likelihood = np.zeros(p.weights.shape), np.zeros(len(p.weights))
        d = len(x)
        S1, S2 = np.zeros((2, *N.shape, d + -d % kernel.TILED))
        given = (p.log_c, p.means, p.W, self.about, self.centred)
        flat.accumulate_diagonal(x, w, *given, N, S1, S2, log_likelihood)
        return Moments(N, S1[..., :d], S2[..., :d], self.about, log_likelihood)


@dataclass(frozen=True, eq=False)
class TiedStep:
    """Both steps with one covariance for all, but for S2; W is (R, dp, dp)."""

    p: Parameters
    W: FloatArray
    about: FloatArray
    whole = False

    def on_block(self, x: FloatArray, w: FloatArray) -> Moments:
        """The moments of a block (d, m), S2 not among them."""
        p = self.p
        N, S1 = np.zeros(p.weights.shape), np.zeros((*p.weights.shape, self.W.shape[-1]))
        S2, log_likelihood = np.zeros((len(N), 1, 1, 1)), np.zeros(len(N))
        flat.accumulate_tied(x, w, p.log_c, p.means, self.W, N, S1, log_likelihood)
        return Moments(N, S1[..., : len(x)], S2, self.about, log_likelihood)


def _padded(W: FloatArray) -> FloatArray:
    """W as the compiled loops want it: a whole number of tiles."""
    d = W.shape[-1]
    if W.ndim == 3 or d < kernel.TILED or d % kernel.TILED == 0:
        return W
    more = -d % kernel.TILED
    return np.pad(W, [(0, 0), (0, 0), (0, more), (0, more)])
