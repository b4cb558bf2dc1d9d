"""What a first pass over the data finds out about them, a block at a time; it adds, like moments.

Means and squares are added as Chan, Golub and LeVeque (1983) do it, about each block's own mean.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gmmlib.engine.frame import FloatRows
from gmmlib.validation import FloatArray

_MANY = 64  # features, so many that a row of them is fast


@dataclass(frozen=True, eq=False)
class Summary:
    """Of some rows with weights; ``a + b`` is of the rows of both, those of a being the first.

    Attributes
    ----------
    n_rows : int
        Rows of weight 0 included, which count nowhere else.
    weight : float
        Σ_i w_i.
    mean : (d,)
    squares : (d,)
        Σ_i w_i (x_i - mean)², in units of ``unit`` squared.
    unit : (d,)
        Powers of 2 near the width of the rows; 0 where all have one value.
    lowest, highest : (d,)
    is_weighted : bool
        Whether the rows came with weights.
    bad : (row, column, value) or None
        The first entry that is NaN or infinite; rows are counted from the first of these.
    """

    n_rows: int
    weight: float
    mean: FloatArray
    squares: FloatArray
    unit: FloatArray
    lowest: FloatArray
    highest: FloatArray
    is_weighted: bool = False
    bad: tuple[int, int, float] | None = None

    @classmethod
    def of(cls, rows: FloatRows, w: FloatArray | None) -> "Summary":
        """Of rows (m, d) with their weights (m,), or with a weight of 1 each."""
        n, nothing = len(rows), np.zeros(rows.shape[1])
        none = cls(n, 0.0, nothing, nothing, nothing, nothing, nothing, w is not None)
        x, along = _copied(rows)
        low, high = x.min(axis=along), x.max(axis=along)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            i, c = (int(k) for k in np.argwhere(~np.isfinite(rows))[0])
            return replace(none, bad=(i, c, float(rows[i, c])))
        if w is not None and not w.all():
            x, w = x.compress(w > 0, axis=along), w[w > 0]
            if not len(w):
                return none
            low, high = x.min(axis=along), x.max(axis=along)
        with np.errstate(over="ignore", invalid="ignore"):  # reported as a range elsewhere
            unit = _width(high - low)
            weight = float(x.shape[along]) if w is None else float(w.sum())
            mean = _weighted_sum(x, w, along) / weight
            x -= np.expand_dims(mean, along)
            x /= np.expand_dims(as_divisor(unit), along)
            x *= x
            squares = _weighted_sum(x, w, along)
        return cls(n, weight, mean, squares, unit, low, high, none.is_weighted)

    def __add__(self, other: "Summary") -> "Summary":
        n_rows, bad = self.n_rows + other.n_rows, self.bad
        if bad is None and other.bad is not None:
            bad = (self.n_rows + other.bad[0], *other.bad[1:])
        is_weighted = self.is_weighted or other.is_weighted
        if not (self.weight and other.weight):
            kept = self if self.weight else other
            return replace(kept, n_rows=n_rows, bad=bad, is_weighted=is_weighted)
        weight = self.weight + other.weight
        with np.errstate(over="ignore", invalid="ignore"):
            away = other.mean - self.mean
            unit = np.maximum(np.maximum(self.unit, other.unit), _width(np.abs(away)))
            divisor = as_divisor(unit)
            squares = self.squares * (self.unit / divisor) ** 2
            squares = squares + other.squares * (other.unit / divisor) ** 2
            squares = squares + (away / divisor) ** 2 * (self.weight * (other.weight / weight))
            mean = self.mean + away * (other.weight / weight)
        low = np.minimum(self.lowest, other.lowest)
        high = np.maximum(self.highest, other.highest)
        return Summary(n_rows, weight, mean, squares, unit, low, high, is_weighted, bad)


def _copied(rows: FloatRows) -> tuple[FloatArray, int]:
    """A copy, one row per feature unless they are many, and the axis of the observations."""
    if rows.shape[1] >= _MANY and rows.flags.c_contiguous:
        return np.array(rows, dtype=np.float64, order="C"), 0
    return np.array(rows.T, dtype=np.float64, order="C"), 1


def _weighted_sum(x: FloatArray, w: FloatArray | None, along: int) -> FloatArray:
    if w is None:
        return np.asarray(x.sum(axis=along))
    return np.asarray(x @ w if along else w @ x)


def power_of_2(size: FloatArray) -> FloatArray:
    """The largest power of 2 that is at most each size; 1 where the size is 0."""
    with np.errstate(divide="ignore"):
        exponent = np.floor(np.log2(size))
    exponent[~np.isfinite(exponent)] = 0
    return np.asarray(np.exp2(exponent))


def as_divisor(unit: FloatArray) -> FloatArray:
    """A unit, or 1 where it is 0."""
    return np.where(unit > 0, unit, 1.0)


def _width(size: Any) -> FloatArray:
    return np.where(size > 0, power_of_2(size), 0.0)
