"""Data in blocks: an array, a file mapped into memory, or a function that yields blocks.

The engine goes over the data block by block, so it never needs more than a few of them at once.
One first pass checks every value and finds the centre, the scale and the variances of all. What
grows with d², their covariance, is made in a pass of its own where a family asks for it.
"""

import mmap
import reprlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from gmmlib.engine.frame import FloatRows, Frame
from gmmlib.engine.threads import one_blas_thread
from gmmlib.spread import Lacking, constant, lacking
from gmmlib.validation import FloatArray, as_data, as_floats, counted

BlockSource = Callable[[], Iterable[Any]]

_VALUES = 2**17  # numbers in a block, 1 MiB in double precision
_WORK = 2**22  # rows of a block times d²: where d is large, few long blocks leave a thread idle
_ROWS = 512  # rows that a block has in any case, if they have no more than ``_VALUES`` numbers
_FEW = 256  # rows that it has at least, unless they have 8 times as many numbers
_MANY = 16  # shares of the weight: a row that has more leaves them to others
_RESIDENT = 2**23  # bytes of a mapped file after which its pages are let go


@dataclass(frozen=True, eq=False)
class Blocks:
    """Observations and their weights, checked, to be passed over as often as needed.

    Attributes
    ----------
    n_rows : int
        n, rows of weight 0 included.
    total_weight : float
        Σ_i w_i; n without weights.
    mean : (d,)
        Of all the data, in their units.
    frame : Frame
        Its centre is the mean where subtracting it costs no digit of any value, and otherwise 0:
        values from half the mean to twice the mean are subtracted from it exactly (Sterbenz 1974).
        Its scale is a power of 2 near each column's standard deviation.
    variances : (d,)
        Of all the data, in units of ``scale`` squared.
    rounding : (d,)
        How finely floats tell the values of each column apart, in units of ``scale``.

    Book: def-blocks.
    """

    n_rows: int
    total_weight: float
    mean: FloatArray
    frame: Frame
    variances: FloatArray
    rounding: FloatArray
    _rows: "FloatRows | BlockSource"
    _weights: FloatArray | None

    @classmethod
    def of(cls, X: Any, sample_weight: Any = None) -> "Blocks":
        """Check the data, in one pass.

        Parameters
        ----------
        X : (n, d), or a function
            An array in float64 or float32 is read where it lies, in any order, also from a
            memmap; anything else is converted. A function is called for every pass and returns
            the blocks (m, d) one after another, the same each time; each may come as a pair
            with its weights (m,).
        sample_weight : (n,) or None
            How often each observation counts, 0 or more.

        Raises
        ------
        TypeError
            For sparse, complex and non-numeric data.
        ValueError
            For empty data, NaN or infinity, shapes that do not fit, negative weights, weights
            that sum to 0.
        """
        if callable(X) and not hasattr(X, "__array__"):
            if sample_weight is not None:
                raise ValueError(
                    "sample_weight cannot be combined with a function that yields blocks. "
                    "Yield pairs instead: (rows, weights)."
                )
            return cls._measured(_Repeated(X), None)
        rows = _as_rows(X)
        weights = None
        if sample_weight is not None:
            weights = as_sample_weight(sample_weight, len(rows))
        return cls._measured(rows, weights)

    @classmethod
    def _measured(cls, rows: "FloatRows | BlockSource", weights: FloatArray | None) -> "Blocks":
        none = np.empty(0)
        n, total = 0, 0.0
        mean = squares = lowest = highest = unit = none
        with one_blas_thread():
            for raw, w in in_blocks(rows, weights):
                x = np.array(raw.T, dtype=np.float64, order="C")  # a copy, fast along each feature
                low, high = x.min(axis=1), x.max(axis=1)
                if not (np.isfinite(low).all() and np.isfinite(high).all()):
                    _refuse_bad_row(raw, n)
                n += len(raw)
                if w is not None and not w.all():
                    x, w = x[:, w > 0], w[w > 0]
                    if not len(w):
                        continue
                    low, high = x.min(axis=1), x.max(axis=1)
                if total == 0:
                    lowest, highest = low, high
                    mean, squares = np.zeros(len(x)), np.zeros(len(x))
                    with np.errstate(over="ignore"):
                        unit = _unit(high - low)
                lowest, highest = np.minimum(lowest, low), np.maximum(highest, high)
                with np.errstate(over="ignore", invalid="ignore"):  # reported as a range below
                    added = float(len(raw)) if w is None else float(w.sum())
                    here = x.mean(axis=1) if w is None else x @ w / added
                    x -= here[:, np.newaxis]
                    x /= unit[:, np.newaxis]
                    x *= x
                    squares += x.sum(axis=1) if w is None else x @ w
                    away = (here - mean) / unit
                    squares += away**2 * (total * added / (total + added))
                    mean = mean + (here - mean) * (added / (total + added))
                total += added
        if n == 0:
            raise ValueError("X is empty: it has no rows. Pass at least one row and one column.")
        if not total > 0:
            raise ValueError(
                "sample_weight is zero for every observation. Give some of them a weight above 0."
            )
        _require_range(lowest, highest, total)
        variances = squares / total
        rescale = _unit(np.sqrt(variances))
        variances = variances / rescale**2
        scale = unit * rescale
        reach = np.maximum(np.abs(lowest), np.abs(highest))
        rounding = np.minimum(np.finfo(float).eps * reach / scale, 1e100)  # its square is finite
        with np.errstate(all="ignore"):
            near = (0.5 <= lowest / mean) & (lowest / mean <= 2)
            near &= (0.5 <= highest / mean) & (highest / mean <= 2)
        centre = np.where(near, mean, 0)
        return cls(n, total, mean, Frame(centre, scale), variances, rounding, rows, weights)

    @cached_property
    def covariance(self) -> FloatArray:
        """Of all the data, (d, d), in units of ``scale``; a pass when it is first asked for."""
        products = np.zeros((self.n_features, self.n_features))
        with one_blas_thread():
            for rows, w in self:
                x = (rows - self.mean) / self.scale
                products += x.T @ (x if w is None else w[:, np.newaxis] * x)
        return products / self.total_weight

    @property
    def n_features(self) -> int:
        """The dimension d."""
        return len(self.mean)

    @property
    def centre(self) -> FloatArray:
        """Of the frame."""
        return self.frame.centre

    @property
    def scale(self) -> FloatArray:
        """Of the frame."""
        return self.frame.scale

    def lacking(self, diagonal: bool, added: FloatArray | float = 0.0) -> Lacking | None:
        """Why the data, with ``added`` to their variances in units of the scale, lack spread."""
        if not np.any(added):
            return self._columns_lacking if diagonal else self._lacking
        total = self.variances + added
        if not diagonal:
            total = self.covariance + np.diag(np.broadcast_to(added, self.n_features))
        return lacking(total, self.rounding, self.centre, None)

    @cached_property
    def _columns_lacking(self) -> Lacking | None:
        return lacking(self.variances, self.rounding, self.centre, self.n_rows)

    @cached_property
    def _lacking(self) -> Lacking | None:
        return lacking(self.covariance, self.rounding, self.centre, self.n_rows)

    @property
    def names(self) -> list[str] | None:
        """Of the columns, where a function yields data frames whose names are all strings."""
        names = self._rows.names if isinstance(self._rows, _Repeated) else None
        return names if names and all(isinstance(name, str) for name in names) else None

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Which columns have one value in every row but for rounding, (d,)."""
        return constant(self.variances, self.rounding)

    @property
    def in_memory(self) -> bool:
        """Whether the data are an array, and not a function."""
        return not callable(self._rows)

    def __iter__(self) -> Iterator[tuple[FloatRows, FloatArray | None]]:
        """(rows (m, d), weights (m,) or None), in order, without the rows of weight 0."""
        seen = 0
        for rows, w in in_blocks(self._rows, self._weights):
            if rows.shape[1] != self.n_features:
                raise ValueError(_changed(f"a block has {rows.shape[1]} columns"))
            seen += len(rows)
            if w is not None and not w.all():
                rows, w = rows[w > 0], w[w > 0]
            if len(rows):
                yield rows, w
        if seen != self.n_rows:
            raise ValueError(_changed(f"it yielded {seen} rows, and {self.n_rows} the first time"))
        if isinstance(self._rows, _Repeated) and self._rows.has_changed:
            raise ValueError(_changed("the sums of its columns are others"))

    def picked(
        self, size: int, rng: np.random.Generator, least: int = 1
    ) -> tuple[FloatArray, FloatArray]:
        """At most ``size`` rows (m, d), drawn at random, and their weights.

        Equal rows become one with the sum of their weights, and the rows are sorted. Where more
        than ``size`` are different, one is drawn from each of as many equal shares of the whole
        weight, so that no order of the rows can hide some of them. A row of weight 2 gives
        what two equal rows give; one that has very many shares is taken with its own weight, and
        leaves them to others. Where the drawn rows are nearly all equal, so
        that fewer than ``least`` are different, the first different ones are taken.

        Parameters
        ----------
        size : int
        rng : Generator
        least : int
            How many different rows are needed, if there are as many.
        """
        some, sums = np.empty((0, self.n_features)), np.empty(0)
        parts: list[FloatRows] = [some]
        shares, waiting = [sums], 0
        for rows, w in self:
            parts.append(rows)
            shares.append(np.ones(len(rows)) if w is None else w)
            waiting += len(rows)
            if waiting < len(some) and len(some) + waiting <= size:
                continue  # merged when they are as many, so that no row is sorted again and again
            some, sums = _merged(np.concatenate(parts), np.concatenate(shares))
            if len(some) > size:
                break
            parts, shares, waiting = [some], [sums], 0
        else:
            return _merged(np.concatenate(parts), np.concatenate(shares))
        heavy = self._with_many_shares(size)
        rest = self.total_weight - heavy.sum()
        threshold = heavy.min(initial=np.inf)
        n_shares = size - len(heavy)
        step = rest / n_shares
        points = (np.arange(n_shares) + rng.random(n_shares)) * step
        found, weights, before = [], [], 0.0
        for rows, w in self:
            each = np.ones(len(rows)) if w is None else w
            certain = each >= threshold
            ends = before + np.cumsum(np.where(certain, 0.0, each))
            borders = np.searchsorted(points, np.concatenate([[before], ends]))
            before = float(ends[-1])
            drawn = np.where(certain, each, np.diff(borders) * step)
            found.append(rows[drawn > 0].astype(np.float64))
            weights.append(drawn[drawn > 0])
        picked = _merged(np.concatenate(found), np.concatenate(weights))
        return picked if len(picked[0]) >= least else (some, sums)

    def _with_many_shares(self, size: int) -> FloatArray:
        """The largest weights: those of many shares, if the rest are cut into the others."""
        largest = np.empty(0)
        for _, w in self:
            if w is None:
                return largest
            largest = np.sort(np.concatenate([largest, w]))[::-1][:size]
        left = self.total_weight - np.concatenate([[0.0], np.cumsum(largest)[:-1]])
        exceeds = largest * (size - np.arange(len(largest))) > _MANY * left
        return largest[: int(np.argmin(exceeds)) if not exceeds.all() else len(largest) - 1]

    def has_distinct_rows(self, count: int) -> bool:
        """Whether at least ``count`` different rows have a weight above 0."""
        for rows, _ in self:
            first_rows = np.add(rows[: 2 * count], 0.0, dtype=np.float64, order="C")
            if len({row.tobytes() for row in first_rows}) >= count:  # as in nearly all data
                return True
            break
        different = np.empty((0, self.n_features))
        for rows, _ in self:
            for first in range(0, len(rows), 1024):
                part = np.concatenate([different, rows[first : first + 1024]])
                different = _merged(part, np.ones(len(part)))[0]
                if len(different) >= count:
                    return True
        return False


def in_blocks(
    rows: FloatRows | BlockSource,
    weights: FloatArray | None = None,
    look: Callable[[Any], object] = lambda _: None,
) -> Iterator[tuple[FloatRows, FloatArray | None]]:
    """Rows, or what a function yields, in blocks of one length; m depends on d alone.

    ``look`` gets the first rows that a function yields, as they are.
    """
    if isinstance(rows, _Repeated):
        yield from rows.checked()
        return
    if callable(rows):
        yield from _rebuffered(_looked_at(_same_names(rows(), None), look))
        return
    size = block_size(rows.shape[1])
    let_go, passed = _page_release(rows), 0
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        yield part, None if weights is None else weights[start : start + size]
        passed += part.nbytes
        if passed > _RESIDENT:
            let_go()
            passed = 0
    let_go()


def block_size(d: int) -> int:
    """Rows in a block, from d alone, so that sums come out the same wherever the data lie."""
    usual = min(_VALUES // d, max(_WORK // d**2, _ROWS))
    return min(max(usual, min(_FEW, 8 * _VALUES // d), 64), 16384)


def as_sample_weight(sample_weight: Any, n: int) -> FloatArray:
    """Weights of observations as (n,), none negative, not all 0. Raises ``ValueError``."""
    w = as_floats(sample_weight, "sample_weight")
    if w.ndim == 0:
        w = np.full(n, float(w))
    if w.shape != (n,):
        raise ValueError(
            f"sample_weight has shape {w.shape}, but X has {counted(n, 'row', 'rows')}. "
            f"Pass one number per observation, {(n,)}."
        )
    if (w < 0).any():
        i = int(np.argmax(w < 0))
        raise ValueError(
            f"sample_weight must not be negative, but observation {i} has {w[i]:g}. "
            f"A weight says how often an observation counts; 0 leaves it out."
        )
    return w


def _as_rows(X: Any) -> FloatRows:
    """X as a 2-D array, not copied where it is one of float64 or float32 already."""
    if type(X) in (np.ndarray, np.memmap) and X.dtype in (np.float64, np.float32) and X.ndim == 2:
        if X.size == 0:
            return as_data(X)  # raises
        return X  # type: ignore[no-any-return]
    return as_data(X)


def _as_block(rows: Any) -> FloatRows:
    if not hasattr(rows, "shape"):
        rows = as_floats(rows, "X")
    shape = rows.shape
    if len(shape) != 2:
        raise ValueError(
            f"a block has the shape {shape}. Let the function given as X yield blocks of rows, "
            f"each (m, d), also where m or d is 1."
        )
    return np.empty(shape) if shape[0] == 0 else _as_rows(rows)


def _refuse_bad_row(rows: FloatRows, before: int) -> NoReturn:
    i, c = (int(k) for k in np.argwhere(~np.isfinite(rows))[0])
    raise ValueError(
        f"X has NaN or infinite entries, the first at index ({before + i}, {c}) ({rows[i, c]}). "
        f"Leave those rows out, or fill them, before the call."
    )


def _unit(size: FloatArray) -> FloatArray:
    """The largest power of 2 that is at most each size; 1 where the size is 0."""
    with np.errstate(divide="ignore"):
        exponent = np.floor(np.log2(size))
    exponent[~np.isfinite(exponent)] = 0
    return np.asarray(np.exp2(exponent))


def _require_range(lowest: FloatArray, highest: FloatArray, total_weight: float) -> None:
    if not 1e-100 < total_weight < 1e100:
        raise ValueError(
            f"the weights of the observations sum to {total_weight:.1e}, out of the range of "
            f"floats. Divide or multiply them all by one number."
        )
    for c in range(len(lowest)):
        farthest = max(lowest[c], highest[c], key=abs)
        if not abs(farthest) < 1e150:
            raise ValueError(
                f"column {c} of X holds {farthest:.1e}, and the square of that is out of the "
                f"range of floats. Change the column's units."
            )
        width = highest[c] - lowest[c]
        if not (width == 0 or width > 1e-140):
            raise ValueError(
                f"column {c} of X spans {width:.1e}, and the square of that is out of the range "
                f"of floats. Change the column's units."
            )


def _changed(what: str) -> str:
    return (
        f"the function given as X did not yield the same data again: {what}. It is called for "
        f"every pass, so let it start anew each time (a function, not a used-up generator)."
    )


class _Repeated:
    """A function that yields blocks, and that has to yield the same in every pass."""

    def __init__(self, function: BlockSource) -> None:
        self.function = function
        self.names: list[Any] | None = None
        self.has_changed = False  # in the last pass
        self._sums: FloatArray | None = None

    def __call__(self) -> Iterable[Any]:
        for block in _same_names(self.function(), self.names):
            self.names = _names_of(block)
            yield block

    def checked(self) -> Iterator[tuple[FloatRows, FloatArray | None]]:
        """The blocks; behind the last of them it is known whether they have changed."""
        sums = np.zeros(1)
        for rows, w in _rebuffered(self()):
            yield rows, w
            with np.errstate(over="ignore", invalid="ignore"):  # bad values are refused elsewhere
                sums = sums + rows.sum(axis=0, dtype=np.float64) + (0 if w is None else w.sum())
        self._sums = sums if self._sums is None else self._sums
        self.has_changed = not np.array_equal(sums, self._sums, equal_nan=True)


def _same_names(blocks: Iterable[Any], names: list[Any] | None) -> Iterator[Any]:
    """The blocks, whose columns keep the names of the first."""
    try:
        blocks = iter(blocks)
    except TypeError:
        raise TypeError(
            f"the function given as X returned {reprlib.repr(blocks)}. "
            f"Let it return or yield blocks of rows, each (m, d)."
        ) from None
    for block in blocks:
        found = _names_of(block)
        if names is not None and found != names:
            raise ValueError(
                f"a block has the columns {found}, and the one before it {names}. "
                f"Yield the same columns in the same order."
            )
        names = found
        yield block


def _looked_at(blocks: Iterator[Any], look: Callable[[Any], object]) -> Iterator[Any]:
    for number, block in enumerate(blocks):
        if number == 0:
            look(_rows_of(block))
        yield block


def _names_of(block: Any) -> list[Any] | None:
    columns = getattr(_rows_of(block), "columns", None)
    return None if columns is None else list(columns)


def _rows_of(block: Any) -> Any:
    return block[0] if isinstance(block, tuple) and block else block


def _rebuffered(blocks: Iterable[Any]) -> Iterator[tuple[FloatRows, FloatArray | None]]:
    """Blocks of any length to blocks of one length."""
    waiting: list[tuple[FloatRows, FloatArray | None]] = []
    held = 0
    for block in blocks:
        pair = isinstance(block, tuple)
        if pair and len(block) != 2:
            raise ValueError(
                f"a block is a tuple of {len(block)}. Yield rows (m, d), or (rows, weights)."
            )
        rows = _as_block(block[0] if pair else block)
        weights = as_sample_weight(block[1], len(rows)) if pair else None
        if not len(rows):
            continue
        if waiting and (weights is None) != (waiting[0][1] is None):
            raise ValueError("only some blocks come with weights. Give weights to all, or none.")
        if waiting and rows.shape[1] != waiting[0][0].shape[1]:
            raise ValueError(
                f"a block has {counted(rows.shape[1], 'column', 'columns')}, and the one before "
                f"it {waiting[0][0].shape[1]}. Yield blocks of the same columns."
            )
        size = block_size(rows.shape[1])
        waiting.append((rows, weights))
        held += len(rows)
        if held >= size:
            rows, weights = _joined(waiting)
            whole = held - held % size
            for start in range(0, whole, size):
                part = slice(start, start + size)
                yield rows[part], None if weights is None else weights[part]
            rest = slice(whole, held)
            waiting = [(rows[rest], None if weights is None else weights[rest])]
            held -= whole
    if held:
        yield _joined(waiting)


def _joined(
    waiting: list[tuple[FloatRows, FloatArray | None]],
) -> tuple[FloatRows, FloatArray | None]:
    if len(waiting) == 1:
        return waiting[0]
    rows = np.concatenate([rows for rows, _ in waiting])
    weights = [w for _, w in waiting if w is not None]
    return rows, np.concatenate(weights) if weights else None


def _merged(rows: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The different rows, sorted, and the sums of their weights."""
    order = np.argsort(_keys(rows), kind="stable")
    rows, weights = rows[order], weights[order]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return rows[new], np.add.reduceat(weights, np.flatnonzero(new))


def _keys(rows: FloatArray) -> npt.NDArray[np.void]:
    """One string of bytes a row, (n,), in the order of the rows: compared at once, not by column.

    The bits of a double, read as a whole number, are in the order of the doubles; of negative ones
    in the opposite order. As strings are compared byte by byte, the highest byte comes first.
    """
    bits = np.add(rows, 0.0, order="C").view(np.int64)  # -0.0 becomes 0.0
    bits ^= (bits >> 63) & np.iinfo(np.int64).max
    bits ^= np.iinfo(np.int64).min
    return bits.astype(">i8").view(f"V{8 * rows.shape[1]}")[:, 0]


def _page_release(rows: FloatRows) -> Callable[[], None]:
    """What makes the pages of a mapped file leave this process; nothing for other arrays.

    Pages that were read count as the process's memory until the system needs them elsewhere.
    """
    base: Any = rows
    mode = None
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            mode = base.mode
        base = base.base
    shared = mode in ("r", "r+", "w+")  # "c" holds changes in memory only: they would be lost
    if not (shared and isinstance(base, mmap.mmap) and hasattr(base, "madvise")):
        return lambda: None

    def let_go() -> None:
        base.madvise(mmap.MADV_DONTNEED)

    return let_go
