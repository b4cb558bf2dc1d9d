"""The backend in NumPy: two matrix products.

The E-step of K components on a block is the product Θ T, and the moments are read off the product
B Tᵀ. Restarts are more rows of Θ. Where that form would cancel, distances are measured from each
component's mean instead.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gmmlib.engine.constants import LOWEST
from gmmlib.engine.frame import FloatRows, Frame
from gmmlib.engine.moments import Moments
from gmmlib.engine.parameters import Parameters, numpy_factors
from gmmlib.engine.statistics import pairs, sufficient_statistics, theta_of
from gmmlib.validation import FloatArray

CANCELLING = 100.0  # terms may be this many times their sum: two digits of sixteen are lost
_TERMS = 2**19  # numbers of T and L in a block of the matrix products: 4 MiB
_LARGEST_T = 2**20  # numbers of T in the smallest block; above it T is not formed


@dataclass(frozen=True)
class Matrices:
    """See :class:`gmmlib.engine.backends.Backend`.

    ``largest`` is how many numbers the table T may have in the smallest block of 64 observations;
    above it T is not formed.
    """

    name: str = "matrices"
    cancelling: float = CANCELLING
    largest: int = _LARGEST_T

    def factors(self, Sigma: FloatArray) -> tuple[FloatArray, FloatArray]:
        """L⁻¹ and its log-determinant."""
        return numpy_factors(Sigma)

    def load(self, rows: FloatRows, frame: Frame) -> FloatArray:
        """Rows (m, d) as (d, m), from the centre, in units of the scale."""
        block = np.empty((rows.shape[1], len(rows)))
        np.subtract(rows.T, frame.centre[:, np.newaxis], out=block)
        block /= frame.scale[:, np.newaxis]
        return block

    def log_joints(self, x: FloatArray, p: Parameters) -> FloatArray:
        """log α_j + log g_j(x_i), (K, m)."""
        L = np.empty((p.means.shape[1], x.shape[1]))
        for start in range(0, x.shape[1], 1024):
            part = slice(start, start + 1024)
            squares = _squared_distances(x[:, part], p.means[0], p.W[0])
            L[:, part] = p.log_c[0][:, np.newaxis] - 0.5 * squares
        return L

    def step(
        self, p: Parameters, about: FloatArray | None, origin: FloatArray, shared: bool = False
    ) -> "MatrixStep":
        """Both steps; T is taken from ``origin`` (d,), the mean of the data."""
        return MatrixStep(self, p, about, origin, shared)


class MatrixStep:
    """Θ T, a softmax, B Tᵀ; row by row about a component's mean where that would cancel."""

    whole = True

    def __init__(
        self,
        backend: Matrices,
        p: Parameters,
        about: FloatArray | None,
        origin: FloatArray,
        shared: bool = False,
    ) -> None:
        R, K, d = p.means.shape
        self.p = p
        self.origin = origin
        self.shared = shared
        seen = replace(p, means=p.means - origin)
        features = 1 + d + (d if p.diagonal else d * (d + 1) // 2)
        self.centred = seen.cancellation() > backend.cancelling  # (R, K)
        if about is not None or features * 64 > backend.largest:
            self.centred[:] = True
        own = self.centred[..., np.newaxis]
        self.about = np.where(own, p.means if about is None else about, origin)
        with np.errstate(over="ignore", invalid="ignore"):  # rows of the centred are not used
            self.theta = None if self.centred.all() else theta_of(seen)
        held = (0 if self.theta is None else features) + 2 * R * K + 3 * d * self.centred.sum()
        columns = int(_TERMS // held)
        self.columns = max(64, min(4096, columns - columns % 64))

    def on_block(self, x: FloatArray, w: FloatArray) -> Moments:
        """The moments of a block (d, m)."""
        total: Any = None
        for start in range(0, x.shape[1], self.columns):
            part = slice(start, start + self.columns)
            with np.errstate(over="ignore", invalid="ignore"):  # NaN in ℓ is reported
                found = self._on_columns(np.ascontiguousarray(x[:, part]), w[part])
                total = found if total is None else total + found
        return total  # type: ignore[no-any-return]

    def _on_columns(self, x: FloatArray, w: FloatArray) -> Moments:
        p = self.p
        R, K, d = p.means.shape
        if self.theta is None:
            L = np.empty((R * K, x.shape[1]))
        else:
            T = sufficient_statistics(x - self.origin[:, np.newaxis], p.diagonal)
            L = self.theta @ T
        L = L.reshape(R, K, -1)
        if self.centred.any():
            for r, own in enumerate(self.centred):
                W = p.W[r] if p.W.shape[1] == 1 else p.W[r, own]
                squares = _squared_distances(x, p.means[r, own], W)
                L[r, own] = p.log_c[r, own][:, np.newaxis] - 0.5 * squares
        top = L.max(axis=1)
        L -= top[:, np.newaxis]
        L[L < LOWEST] = -np.inf
        np.exp(L, out=L)
        total = L.sum(axis=1)
        log_density = top + np.log(total)
        log_likelihood = log_density @ w if w.size else log_density.sum(axis=1)
        L *= ((w if w.size else 1.0) / total)[:, np.newaxis]  # β, times w

        S1 = np.zeros((R, K, d))
        S2 = np.zeros((R, K, d) if p.diagonal else (R, 1 if self.shared else K, d, d))
        if self.theta is not None:
            if self.shared:
                S = (L.reshape(R * K, -1) @ T[: 1 + d].T).reshape(R, K, -1)
                of_all = np.where(self.centred[..., np.newaxis], 0.0, L).sum(axis=1)
                second = (of_all @ T[1 + d :].T)[:, np.newaxis]
            else:
                S = (L.reshape(R * K, -1) @ T.T).reshape(R, K, -1)
                second = S[:, :, 1 + d :]
            S1[:] = S[:, :, 1 : 1 + d]
            if p.diagonal:
                S2[:] = second
            else:
                rows, columns, _ = pairs(d)
                S2[:, :, rows, columns] = S2[:, :, columns, rows] = second
        for r, own in enumerate(self.centred):
            z = x - self.about[r, own][:, :, np.newaxis]
            weighted = L[r, own][:, np.newaxis] * z
            S1[r, own] = weighted.sum(axis=2)
            if p.diagonal:
                S2[r, own] = (weighted * z).sum(axis=2)
            elif self.shared:
                for one, other in zip(weighted, z, strict=True):
                    S2[r, 0] += one @ other.T
            else:
                S2[r, own] = weighted @ z.swapaxes(1, 2)
        return Moments(L.sum(axis=2), S1, S2, self.about, log_likelihood)


def _squared_distances(x: FloatArray, mu: FloatArray, W: FloatArray) -> FloatArray:
    """(x - μ)ᵀ Σ⁻¹ (x - μ) for x (d, m) and J Gaussians, (J, m): Σ_c (W (x - μ))_c².

    W is of each, or one of all.
    """
    z = x - mu[:, :, np.newaxis]
    y = W[:, :, np.newaxis] * z if W.ndim == 2 else W @ z
    return np.asarray(np.einsum("jcm,jcm->jm", y, y))
