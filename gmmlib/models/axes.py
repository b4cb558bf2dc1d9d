"""Axes that all components share: the orthogonal D of Σ_j = D Λ_j Dᵀ.

Shapes as in ``families``.
"""

from typing import Literal

import numpy as np

from gmmlib.validation import FloatArray

_STEPS = 200  # at most, where the axes are searched for
_STILL = 1e-10  # radians: no plane is turned by more
_FURTHEST = 0.3  # radians, in one step
_AROUND = np.linspace(0, np.pi, 12, endpoint=False)  # twice the angles that are tried
_NEWTON = 8
_HALVED = 12
_ROUNDING = 1e-15  # of what is minimised


def common_axes(
    weights: FloatArray,
    S: FloatArray,
    D: FloatArray,
    volume: Literal["E", "V"],
    steps: int | None = None,
) -> FloatArray:
    """The axes that are most likely for covariances S_j, from D on.

    With two columns the diagonals of DᵀS_jD are a_j ± y_j, with y_j a cosine of twice the angle, so
    what is minimised is a function of one angle, and valleys are looked for all around. With more,
    the planes of all pairs of axes are turned together, each by its own Newton step or by less, so
    that no step leads higher (Flury and Gautschi 1986 turn one plane after the other).

    Parameters
    ----------
    weights : (R, K)
        Summing to 1.
    S : (R, K, d, d)
    D : (R, d, d)
        Orthogonal; a column is an axis.
    volume : 'E' or 'V'
        What is minimised: with a volume each, Σ_j α_j log det diag(DᵀS_jD); with one volume
        log Σ_j α_j (det diag(DᵀS_jD))^(1/d).
    steps : int or None
        With more than two columns, only so many steps from D on, none of which leads higher.

    Returns
    -------
    D : (R, d, d)

    Book: eq-common-axes, eq-plane-angle.
    """
    d = S.shape[-1]
    D = D.copy()
    if d < 3:
        return D @ _turn(_best_turn(weights, seen_along(D, S), volume)) if d == 2 else D
    T = seen_along(D, S)
    now = _minimised(weights, T, volume)
    for _ in range(_STEPS if steps is None else steps):
        planes = _newton_in_each_plane(weights, T, volume)
        moved = np.zeros(len(D))
        for _ in range(_HALVED):
            turned = D @ _rotation(planes)
            there = seen_along(turned, S)
            found = _minimised(weights, there, volume)
            lower = found <= now + _ROUNDING * (1 + np.abs(now))
            use = lower & (moved == 0)
            D[use], T[use], now[use] = turned[use], there[use], found[use]
            moved[use] = np.abs(planes[use]).max(axis=(1, 2))
            if lower.all():
                break
            planes = np.where(lower[:, np.newaxis, np.newaxis], 0.0, planes / 2)
        if moved.max(initial=0) < _STILL:
            break
    return D


def _minimised(weights: FloatArray, T: FloatArray, volume: str) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.diagonal(T, axis1=2, axis2=3)).sum(axis=2)
        if volume == "V":
            return np.asarray((weights * logs).sum(axis=1))
        return np.asarray(np.log((weights * np.exp(logs / T.shape[-1])).sum(axis=1)))


def _newton_in_each_plane(weights: FloatArray, T: FloatArray, volume: str) -> FloatArray:
    """The angle of each plane, as an antisymmetric matrix (R, d, d)."""
    d = T.shape[-1]
    along = np.diagonal(T, axis1=2, axis2=3)
    first, second = along[..., np.newaxis], along[:, :, np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slope = 2 * T * (1 / first - 1 / second)
        bend = 2 * (second - first) * (1 / first - 1 / second)
        bend = bend - 4 * T**2 * (1 / first**2 + 1 / second**2)
        factor = weights
        if volume == "E":
            factor = weights * np.exp(np.log(along).mean(axis=2))
            factor = factor / factor.sum(axis=1, keepdims=True)
            bend = bend + slope**2 / d
        slope = np.einsum("rk,rkab->rab", factor, slope)
        bend = np.einsum("rk,rkab->rab", factor, bend)
        angle = np.where(bend > 0, -slope / bend, -0.1 * np.sign(slope))
    angle = np.clip(np.where(np.isfinite(angle), angle, 0.0), -_FURTHEST, _FURTHEST)
    lower = np.tril(angle.swapaxes(1, 2), -1)  # the turn of p towards q stands at [q, p]
    return np.asarray(lower - lower.swapaxes(1, 2))


def _rotation(planes: FloatArray) -> FloatArray:
    """An orthogonal matrix near I + planes (Cayley)."""
    half, one = planes / 2, np.eye(planes.shape[-1])
    return np.asarray(np.linalg.solve(one - half, one + half))


def seen_along(D: FloatArray, S: FloatArray) -> FloatArray:
    """DᵀS_jD, (R, K, d, d)."""
    return np.asarray(D[:, np.newaxis].swapaxes(2, 3) @ S @ D[:, np.newaxis])


def _turn(angle: FloatArray) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]]).transpose(2, 0, 1)


def _best_turn(weights: FloatArray, T: FloatArray, volume: str) -> FloatArray:
    """The angle (R,) by which the two axes are turned.

    A long, thin ellipse makes a narrow valley around its own angle. So there is a start at the
    angle of each, and others all around; the lowest end counts.
    """
    a = (T[:, :, 0, 0] + T[:, :, 1, 1])[:, np.newaxis] / 2
    b = (T[:, :, 0, 0] - T[:, :, 1, 1])[:, np.newaxis] / 2
    c = T[:, :, 0, 1][:, np.newaxis]
    weights = weights[:, np.newaxis]
    power = 0.5 if volume == "E" else 0.0
    around = np.broadcast_to(_AROUND, (len(T), len(_AROUND)))
    angle = np.concatenate([np.arctan2(c, b)[:, 0], around], axis=1)  # twice the angle, (R, m)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_NEWTON):
            angle = angle + _newton_step(angle, weights, a, b, c, power)
        y = b * np.cos(angle)[..., np.newaxis] + c * np.sin(angle)[..., np.newaxis]
        y = np.concatenate([b, y], axis=1)  # the first as it is
        left = a**2 - y**2
        value = (weights * (left**power if power else np.log(left))).sum(axis=2)
    angle = np.concatenate([np.zeros((len(T), 1)), angle], axis=1)
    lowest = np.argmin(np.where(np.isnan(value), np.inf, value), axis=1)
    found = np.take_along_axis(angle, lowest[:, np.newaxis], axis=1)[:, 0]
    return np.asarray((found + np.pi / 2) % np.pi - np.pi / 2) / 2  # y and -y are the same


def _newton_step(
    angle: FloatArray,
    weights: FloatArray,
    a: FloatArray,
    b: FloatArray,
    c: FloatArray,
    power: float,
) -> FloatArray:
    """Towards the angles (R, m) at which the slope is 0, or downhill where none is near."""
    cos, sin = np.cos(angle)[..., np.newaxis], np.sin(angle)[..., np.newaxis]
    y, dy = b * cos + c * sin, c * cos - b * sin
    left = a**2 - y**2
    first, second = -2 * y * dy, -2 * (dy**2 - y**2)  # of left
    if power:
        slope = power * left ** (power - 1) * first
        bend = power * left ** (power - 1) * (second + (power - 1) * first**2 / left)
    else:
        slope = first / left
        bend = second / left - slope**2
    slope, bend = (weights * slope).sum(axis=2), (weights * bend).sum(axis=2)
    step = np.where(bend > 0, -slope / bend, -0.1 * np.sign(slope))
    return np.asarray(np.clip(np.where(np.isfinite(step), step, 0.0), -0.15, 0.15))
