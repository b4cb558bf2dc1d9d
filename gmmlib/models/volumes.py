"""Volumes that vary around one shape: Σ_j = λ_j C with det C = 1.

Shapes as in ``families``; the S_j are matrices (R, K, d, d), or diagonals (R, K, d).
"""

import contextlib
from dataclasses import dataclass

import numpy as np

from gmmlib.validation import FloatArray

_SOLVED = 1e-13  # relative: where the volumes are those of their shape, and the shape is theirs
_STEPS = 200
_FEW = 3  # in a step of EM: it need not find the largest Q, only a larger one
_ROUNDING = 1e-13  # of h, relative


def around_one_shape(
    weights: FloatArray, S: FloatArray, before: FloatArray | None = None
) -> FloatArray:
    """The Σ_j = λ_j C that are most likely beside the covariances S_j.

    With u_j = -log λ_j but for a constant, what is minimised is, but for a constant,
    h(u) = log det Σ_j α_j exp(u_j) S_j - d Σ_j α_j u_j, which is convex. For a given C the best
    volumes are tr(S_j C⁻¹)/d, and for given volumes the best C is proportional to Σ_j α_j S_j/λ_j:
    to do both in turn never raises h. Newton's step is taken where it leads no higher than that.

    Parameters
    ----------
    weights : (R, K)
        Summing to 1.
    S : (R, K, d, d), or (R, K, d)
    before : as S, or None
        Members of the family: a few steps are taken from their volumes on, instead of all from
        equal ones.

    Returns
    -------
    Sigma : as S

    Book: eq-best-volumes, eq-best-shape, eq-log-volumes-convex.
    """
    d = S.shape[-1]
    columns = (slice(None), slice(None)) + (np.newaxis,) * (S.ndim - 2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        start = np.zeros(weights.shape)
        if before is not None:
            log_det = np.log(before).sum(axis=2) if S.ndim == 3 else np.linalg.slogdet(before)[1]
            start = np.where(np.isfinite(log_det), -log_det / d, 0.0)
        here = _Place.at(weights, S, start)
        for step in range(_STEPS if before is None else _FEW):
            off = np.abs(np.exp(here.u) * here.traces / d - 1)[weights > 0]
            if not (off > _SOLVED).any():
                break
            there = _Place.at(weights, S, np.log(d / here.traces))
            if step or before is not None:
                newton = _Place.at(weights, S, here.u + here.newton_step(weights, S))
                better = newton.h <= there.h + _ROUNDING * (1 + np.abs(there.h))
                chosen = np.where(better[:, np.newaxis], newton.u, there.u)
                there = newton if better.all() else _Place.at(weights, S, chosen)
            here = there
        return np.asarray(np.exp(-here.u)[columns] * here.M[:, np.newaxis])


@dataclass(frozen=True, eq=False)
class _Place:
    u: FloatArray  # (R, K)
    M: FloatArray  # (R, d, d) or (R, d): Σ_j α_j exp(u_j) S_j
    inverse: FloatArray  # of M
    traces: FloatArray  # (R, K): of S_j M⁻¹
    h: FloatArray  # (R,)

    @classmethod
    def at(cls, weights: FloatArray, S: FloatArray, u: FloatArray) -> "_Place":
        d = S.shape[-1]
        u = u - (weights * u).sum(axis=1, keepdims=True)
        M = np.einsum("rk,rk...->r...", weights * np.exp(u), S)
        if S.ndim == 3:
            inverse, log_det = 1 / M, np.log(M).sum(axis=1)
            traces = np.einsum("rka,ra->rk", S, inverse)
        else:
            inverse, log_det = _inverses(M), np.linalg.slogdet(M)[1]
            traces = np.einsum("rkab,rab->rk", S, inverse)
        return cls(u, M, inverse, traces, log_det - d * (weights * u).sum(axis=1))

    def newton_step(self, weights: FloatArray, S: FloatArray) -> FloatArray:
        d, K = S.shape[-1], weights.shape[1]
        scale = weights * np.exp(self.u)
        if S.ndim == 3:
            each = scale[..., np.newaxis] * S * self.inverse[:, np.newaxis]
            curvature = -each @ each.swapaxes(1, 2)
        else:
            each = scale[..., np.newaxis, np.newaxis] * (S @ self.inverse[:, np.newaxis])
            flat, turned = (m.reshape(len(m), K, -1) for m in (each, each.swapaxes(2, 3)))
            curvature = -flat @ turned.swapaxes(1, 2)
        slope = scale * self.traces
        every = np.arange(K)
        curvature[:, every, every] += slope + (weights == 0)
        curvature += 1  # h is the same for u and u + c
        return -_solved(curvature, slope - d * weights)


def _solved(matrices: FloatArray, right: FloatArray) -> FloatArray:
    """The solutions (R, K); NaN where there is none."""
    try:
        return np.asarray(np.linalg.solve(matrices, right[..., np.newaxis])[..., 0])
    except np.linalg.LinAlgError:
        found = np.full(right.shape, np.nan)
        for r in range(len(right)):
            with contextlib.suppress(np.linalg.LinAlgError):
                found[r] = np.linalg.solve(matrices[r], right[r])
        return found


def _inverses(matrices: FloatArray) -> FloatArray:
    """The inverses of matrices (..., d, d); infinite where there is none."""
    try:
        found = np.asarray(np.linalg.inv(matrices))
        # in WebAssembly NumPy raises no error
        whole = np.isfinite(matrices).all(axis=(-2, -1), keepdims=True)
        return np.where(whole & np.isnan(found), np.inf, found)
    except np.linalg.LinAlgError:
        found = np.full(matrices.shape, np.inf)
        for index in np.ndindex(matrices.shape[:-2]):
            with contextlib.suppress(np.linalg.LinAlgError):
                found[index] = np.linalg.inv(matrices[index])
        return found
