"""Data in blocks: an array, a file mapped into memory, or a function that yields blocks.

The engine goes over the data block by block, so it never needs more than a few of them at once.
One first pass checks every value and finds the centre, the scale and the variances of all. What
grows with d², their covariance, is made in a pass of its own where a family asks for it.

Blocks are counted from the first row on, and have one length. Whatever is found out about data,
here or by a pass of EM, is a function of ``Piece`` that an executor applies to all pieces: some
whole blocks, wherever they lie. Sums over blocks are added in one tree (``pairwise``). So
``Observations`` that lie elsewhere need no more than pieces and an executor of their own, and every
digit is that of the same rows in memory.
"""

import mmap
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar, NoReturn

import numpy as np
import numpy.typing as npt

from gmmlib.engine.frame import FloatRows, Frame
from gmmlib.engine.pairwise import PairwiseSum
from gmmlib.engine.summary import Summary, as_divisor, power_of_2
from gmmlib.engine.threads import Executor, Threads, one_blas_thread
from gmmlib.spread import Lacking, constant, lacking
from gmmlib.validation import FloatArray, as_data, as_floats, counted

BlockSource = Callable[[], Iterable[Any]]
Load = Callable[[FloatRows], FloatArray]

_NO_WEIGHTS = np.empty(0)
_VALUES = 2**17  # numbers in a block, 1 MiB in double precision
_WORK = 2**22  # rows of a block times d²: where d is large, few long blocks leave a thread idle
_ROWS = 512  # rows that a block has in any case, if they have no more than ``_VALUES`` numbers
_FEW = 256  # rows that it has at least, unless they have 8 times as many numbers
_MANY = 16  # shares of the weight: a row that has more leaves them to others
_RESIDENT = 2**23  # bytes of a mapped file after which its pages are let go


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows that follow one another, from the border of a block on: one block or several.

    Attributes
    ----------
    first : int
        The number of its first block, counted over all the data from 0.
    rows : (m, d)
    weights : (m,) or None
    size : int
        Rows in a block; the last one of all the data may have fewer.
    """

    first: int
    rows: FloatRows
    weights: FloatArray | None
    size: int

    def blocks(self) -> Iterator[tuple[int, FloatRows, FloatArray | None]]:
        """(number, rows, weights) of each block."""
        for more, start in enumerate(range(0, len(self.rows), self.size)):
            part = slice(start, start + self.size)
            w = None if self.weights is None else self.weights[part]
            yield self.first + more, self.rows[part], w

    def __iter__(self) -> Iterator[tuple[int, FloatRows, FloatArray | None]]:
        """The same without the rows of weight 0; a block may be left with none."""
        for number, rows, w in self.blocks():
            if w is not None and not w.all():
                rows, w = rows[w > 0], w[w > 0]
            yield number, rows, w

    def loaded(self, load: Load) -> Iterator[tuple[int, FloatArray, FloatArray]]:
        """The same as a backend works on it, with an empty array for weights of 1."""
        for number, rows, w in self:
            yield number, load(rows), _NO_WEIGHTS if w is None else w


@dataclass(frozen=True, eq=False)
class Observations(ABC):
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
    is_weighted : bool
        Whether they came with weights.

    Book: def-blocks.
    """

    n_rows: int
    total_weight: float
    mean: FloatArray
    frame: Frame
    variances: FloatArray
    rounding: FloatArray
    is_weighted: bool

    is_local: ClassVar[bool] = True  # whether pieces come to this process, one after another

    @abstractmethod
    def pieces(self) -> Iterable[Any]:
        """All the data, in order: each a ``Piece``, or what stands for one in :meth:`executor`."""

    @abstractmethod
    def executor(self, n_threads: int | None = None) -> Executor:
        """Where a function of pieces is applied to those of :meth:`pieces`."""

    @cached_property
    def covariance(self) -> FloatArray:
        """Of all the data, (d, d), in units of ``scale``; a pass when it is first asked for."""
        total = PairwiseSum[FloatArray]()
        function = partial(sum_over_blocks, partial(_products, self.mean, self.scale))
        with one_blas_thread():
            for part in self.executor(1).sums(function, self.pieces(), self._work):
                total.join(part)
        products = total.total()
        assert products is not None
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
        """Of the columns, where it is the pass over the data that finds them."""
        return None

    @property
    def _work(self) -> float:
        """Multiplications in a pass that takes every number once."""
        return float(self.n_rows) * self.n_features

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Which columns have one value in every row but for rounding, (d,)."""
        return constant(self.variances, self.rounding)

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
        run, grid = self.executor(1), self._grid
        some, sums = np.empty((0, self.n_features)), np.empty(0)
        parts, shares, waiting = [some], [sums], 0
        for rows, w in run.map(partial(_different, size, grid), self.pieces(), self._work):
            parts.append(rows)
            shares.append(w)
            waiting += len(rows)
            if waiting < len(some) and len(some) + waiting <= size:
                continue  # merged when they are as many, so that no row is sorted again and again
            some, sums = _merged_all(parts, shares)
            if len(some) > size:
                break
            parts, shares, waiting = [some], [sums], 0
        else:
            return _merged_all(parts, shares)
        heavy = self._with_many_shares(size)
        threshold = float(heavy.min(initial=np.inf))
        before, rest = self._weights_before(threshold)
        n_shares = size - len(heavy)
        step = rest / n_shares
        points = (np.arange(n_shares) + rng.random(n_shares)) * step
        draw = partial(_drawn, points, step, threshold, grid, before)
        found = list(run.map(draw, self.pieces(), self._work))
        picked = _merged_all([rows for rows, _ in found], [w for _, w in found])
        if len(picked[0]) >= least:
            return picked
        rows, w = self._first_different(least)
        return _merged_all([picked[0], rows], [picked[1], w])

    @cached_property
    def _grid(self) -> float | None:
        """Weights are rounded to multiples of this where rows are drawn; None leaves them.

        Sums of such weights are exact, so that no order in which they are added matters.
        """
        return 2.0 ** (np.ceil(np.log2(self.total_weight)) - 51) if self.is_weighted else None

    def _with_many_shares(self, size: int) -> FloatArray:
        """The largest weights: those of many shares, if the rest are cut into the others."""
        largest = np.empty(0)
        if not self.is_weighted:
            return largest
        function = partial(_largest, size, self._grid)
        for weights in self.executor(1).map(function, self.pieces(), self._work):
            largest = np.sort(np.concatenate([largest, weights]))[::-1][:size]
        left = self.total_weight - np.concatenate([[0.0], np.cumsum(largest)[:-1]])
        exceeds = largest * (size - np.arange(len(largest))) > _MANY * left
        return largest[: int(np.argmin(exceeds)) if not exceeds.all() else len(largest) - 1]

    def _weights_before(self, threshold: float) -> tuple[dict[int, float] | None, float]:
        """For each piece, the weights below ``threshold`` in those before it; and of all.

        None where the weights are 1: then the place of a row says it.
        """
        if not self.is_weighted:
            return None, self.total_weight
        before, total = {}, 0.0
        function = partial(_weight_below, threshold, self._grid)
        for first, weight in self.executor(1).map(function, self.pieces(), self._work):
            before[first] = total
            total += weight
        return before, total

    def _first_different(self, count: int) -> tuple[FloatArray, FloatArray]:
        """The first ``count`` rows that differ from all before them, and their weights."""
        rows, w = np.empty((0, self.n_features)), np.empty(0)
        function = partial(_first_of_each, count)
        for more, weights in self.executor(1).map(function, self.pieces(), self._work):
            rows, w = _firsts(np.concatenate([rows, more]), np.concatenate([w, weights]), count)
            if len(rows) == count:
                break
        return rows, w

    def has_distinct_rows(self, count: int) -> bool:
        """Whether at least ``count`` different rows have a weight above 0."""
        different = np.empty((0, self.n_features))
        function = partial(_some_different, count)
        for rows in self.executor(1).map(function, self.pieces(), self._work):
            different = np.concatenate([different, rows])
            if len(rows) < len(different):
                different = _merged(different, np.ones(len(different)))[0]
            if len(different) >= count:
                return True
        return False

    @classmethod
    def _attributes(cls, found: Summary | None) -> dict[str, Any]:
        """What a first pass has found, as attributes. Raises ``ValueError`` where that is none."""
        if found is None or found.n_rows == 0:
            raise ValueError("X is empty: it has no rows. Pass at least one row and one column.")
        total, mean = found.weight, found.mean
        if not total > 0:
            raise ValueError(
                "sample_weight is zero for every observation. Give some of them a weight above 0."
            )
        lowest, highest = found.lowest, found.highest
        _require_range(lowest, highest, total)
        variances = found.squares / total
        rescale = power_of_2(np.sqrt(variances))
        variances = variances / rescale**2
        scale = as_divisor(found.unit) * rescale
        reach = np.maximum(np.abs(lowest), np.abs(highest))
        rounding = np.minimum(np.finfo(float).eps * reach / scale, 1e100)  # its square is finite
        with np.errstate(all="ignore"):
            near = (0.5 <= lowest / mean) & (lowest / mean <= 2)
            near &= (0.5 <= highest / mean) & (highest / mean <= 2)
        frame = Frame(np.where(near, mean, 0), scale)
        return {
            "n_rows": found.n_rows,
            "total_weight": total,
            "mean": mean,
            "frame": frame,
            "variances": variances,
            "rounding": rounding,
            "is_weighted": found.is_weighted,
        }


@dataclass(frozen=True, eq=False)
class Blocks(Observations):
    """Observations in this process: an array, a mapped file, or a function that yields blocks.

    See :class:`Observations` for its attributes.

    Book: def-blocks.
    """

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
        total, n = PairwiseSum[Summary](), 0
        with one_blas_thread():
            for number, (block, w) in enumerate(in_blocks(rows, weights)):
                found = Summary.of(block, w)
                if found.bad is not None:
                    i, c, value = found.bad
                    refuse_bad_entry((n + i, c), value)
                total.add(number, found)
                n += len(block)
        return cls(**cls._attributes(total.total()), _rows=rows, _weights=weights)

    @property
    def names(self) -> list[str] | None:
        """Of the columns, where a function yields data frames whose names are all strings."""
        names = self._rows.names if isinstance(self._rows, _Repeated) else None
        return names if names and all(isinstance(name, str) for name in names) else None

    @property
    def in_memory(self) -> bool:
        """Whether the data are an array, and not a function."""
        return not callable(self._rows)

    def executor(self, n_threads: int | None = None) -> Executor:
        """Threads of this process."""
        return Threads(n_threads)

    def pieces(self) -> Iterator[Piece]:
        """Each block, in order."""
        seen = 0
        for number, (rows, w) in enumerate(in_blocks(self._rows, self._weights)):
            if rows.shape[1] != self.n_features:
                raise ValueError(_changed(f"a block has {rows.shape[1]} columns"))
            seen += len(rows)
            yield Piece(number, rows, w, block_size(self.n_features))
        if seen != self.n_rows:
            raise ValueError(_changed(f"it yielded {seen} rows, and {self.n_rows} the first time"))
        if isinstance(self._rows, _Repeated) and self._rows.has_changed:
            raise ValueError(_changed("the sums of its columns are others"))

    def __iter__(self) -> Iterator[tuple[FloatRows, FloatArray | None]]:
        """(rows (m, d), weights (m,) or None), in order, without the rows of weight 0."""
        for piece in self.pieces():
            for _, rows, w in piece:
                if len(rows):
                    yield rows, w


# --- functions of a piece -------------------------------------------------------------------------


def sum_over_blocks(
    of_block: Callable[[FloatRows, FloatArray | None], Any], piece: Piece, every_row: bool = False
) -> PairwiseSum[Any]:
    """The sum of a function of (rows, weights); rows of weight 0 are in it with ``every_row``."""
    total = PairwiseSum[Any]()
    for number, rows, w in piece.blocks() if every_row else piece:
        total.add(number, of_block(rows, w) if len(rows) else None)
    return total


def _products(
    mean: FloatArray, scale: FloatArray, rows: FloatRows, w: FloatArray | None
) -> FloatArray:
    x = np.subtract(rows, mean, order="C")  # BLAS rounds otherwise where rows are columns
    x /= scale
    return np.asarray(x.T @ (x if w is None else w[:, np.newaxis] * x))


def _used(piece: Piece) -> Iterator[tuple[FloatRows, FloatArray]]:
    """The blocks, with a weight for each row; none is empty."""
    for _, rows, w in piece:
        if len(rows):
            yield rows, np.ones(len(rows)) if w is None else w


def _rounded(w: FloatArray, grid: float | None) -> FloatArray:
    """Weights above 0 as multiples of ``grid`` above 0."""
    return w if grid is None else np.maximum(np.round(w / grid), 1) * grid


def _different(size: int, grid: float | None, piece: Piece) -> tuple[FloatArray, FloatArray]:
    """The different rows, sorted, and their weights; so many as tell if they are over ``size``."""
    some, sums = np.empty((0, piece.rows.shape[1])), np.empty(0)
    for rows, w in _used(piece):
        some, sums = _merged_all([some, rows], [sums, _rounded(w, grid)])
        if len(some) > size:
            break
    return some[: size + 1], sums[: size + 1]


def _largest(size: int, grid: float | None, piece: Piece) -> FloatArray:
    """At most ``size`` of the weights."""
    largest = np.empty(0)
    for _, w in _used(piece):
        largest = np.sort(np.concatenate([largest, _rounded(w, grid)]))[::-1][:size]
    return largest


def _weight_below(threshold: float, grid: float | None, piece: Piece) -> tuple[int, float]:
    """The number of the first block, and the sum of the weights below ``threshold``."""
    total = 0.0
    for _, w in _used(piece):
        each = _rounded(w, grid)
        total += float(each[each < threshold].sum())
    return piece.first, total


def _drawn(
    points: FloatArray,
    step: float,
    threshold: float,
    grid: float | None,
    before: dict[int, float] | None,
    piece: Piece,
) -> tuple[FloatArray, FloatArray]:
    """The rows at the ``points`` of the weights, added up, and those of at least ``threshold``."""
    passed = float(piece.first * piece.size) if before is None else before[piece.first]
    found, weights = [np.empty((0, piece.rows.shape[1]))], [np.empty(0)]
    for rows, w in _used(piece):
        each = _rounded(w, grid)
        certain = each >= threshold
        ends = passed + np.cumsum(np.where(certain, 0.0, each))
        borders = np.searchsorted(points, np.concatenate([[passed], ends]))
        passed = float(ends[-1])
        drawn = np.where(certain, each, np.diff(borders) * step)
        found.append(rows[drawn > 0].astype(np.float64))
        weights.append(drawn[drawn > 0])
    return np.concatenate(found), np.concatenate(weights)


def _first_of_each(count: int, piece: Piece) -> tuple[FloatArray, FloatArray]:
    """At most ``count`` rows, each the first of its value, and their weights."""
    rows, w = np.empty((0, piece.rows.shape[1])), np.empty(0)
    for more, weights in _used(piece):
        rows, w = _firsts(np.concatenate([rows, more]), np.concatenate([w, weights]), count)
        if len(rows) == count:
            break
    return rows, w


def _firsts(rows: FloatArray, w: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    _, first = np.unique(_keys(rows), return_index=True)
    first = np.sort(first)[:count]
    return rows[first], w[first]


def _some_different(count: int, piece: Piece) -> FloatArray:
    """At least ``count`` different rows, or all that there are."""
    different = np.empty((0, piece.rows.shape[1]))
    for rows, _ in _used(piece):
        head = np.add(rows[: 2 * count], 0.0, dtype=np.float64, order="C")
        found = {row.tobytes(): row for row in head}  # in nearly all data they are enough
        if len(found) >= count:
            return np.array(list(found.values()))
        for first in range(0, len(rows), 1024):
            part = np.concatenate([different, rows[first : first + 1024]])
            different = _merged(part, np.ones(len(part)))[0]
            if len(different) >= count:
                return different
    return different


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


def refuse_bad_entry(index: tuple[int, int], value: float, where: str = "") -> NoReturn:
    """Raise ``ValueError`` for a value that is NaN or infinite, with its row and column."""
    raise ValueError(
        f"X has NaN or infinite entries, the first at index {index} ({value}){where}. "
        f"Leave those rows out, or fill them, before the call."
    )


def _require_range(lowest: FloatArray, highest: FloatArray, total_weight: float) -> None:
    if not 1e-100 < total_weight < 1e100:
        raise ValueError(
            f"the weights of the observations sum to {total_weight:.1e}, out of the range of "
            f"floats. Divide or multiply them all by one number."
        )
    with np.errstate(over="ignore"):
        farthest_of = np.maximum(np.abs(lowest), np.abs(highest))
        widths = highest - lowest
        sound = (farthest_of < 1e150) & ((widths == 0) | (widths > 1e-140))
    for c in np.flatnonzero(~sound):
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


def _merged_all(
    parts: Sequence[FloatRows], weights: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    return _merged(np.concatenate(parts), np.concatenate(weights))


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
