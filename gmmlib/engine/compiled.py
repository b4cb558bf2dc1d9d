"""The backend in compiled loops (``kernel``, needs Numba).

Each block goes through both steps while it is in the cache. Distances are measured from each
component's mean, so nothing cancels.
"""

from dataclasses import dataclass

import numpy as np

from gmmlib.engine import kernel
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
        function = kernel.log_joint_diagonal if p.diagonal else kernel.log_joint
        function(x, p.log_c[0], p.means[0], _padded(p.W)[0], L)
        return L

    def step(
        self, p: Parameters, about: FloatArray | None, origin: FloatArray, shared: bool = False
    ) -> "CompiledStep":
        """Both steps."""
        return CompiledStep(p, _padded(p.W), p.means if about is None else about, shared)


@dataclass(frozen=True, eq=False)
class CompiledStep:
    """Both steps with the parameters p; W is padded to whole tiles."""

    p: Parameters
    W: FloatArray
    about: FloatArray
    shared: bool

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


def _padded(W: FloatArray) -> FloatArray:
    """W as the compiled loops want it: a whole number of tiles."""
    d = W.shape[-1]
    if W.ndim == 3 or d < kernel.TILED or d % kernel.TILED == 0:
        return W
    more = -d % kernel.TILED
    return np.pad(W, [(0, 0), (0, 0), (0, more), (0, more)])
