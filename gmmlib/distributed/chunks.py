"""Observations whose rows are chunks of a Dask collection.

Sums over the data are over the blocks that the same rows in memory would have, added in the same
tree: so the result is the same in every digit, however the rows are cut into chunks. A block that
lies across a border of chunks is put together once, and stays on a worker: for each chunk at most
a block, 1 MiB, travels then. Whatever comes later moves parameters and sums only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import dask
import numpy as np
from tqdm import tqdm

from gmmlib.distributed.collections import Collection, as_rows, as_weights
from gmmlib.distributed.scheduler import Near, Scheduler, apply
from gmmlib.engine.blocks import (
    Observations,
    Piece,
    block_size,
    refuse_bad_entry,
    sum_over_blocks,
)
from gmmlib.engine.frame import FloatRows
from gmmlib.engine.pairwise import PairwiseSum
from gmmlib.engine.summary import Summary
from gmmlib.errors import warn
from gmmlib.validation import FloatArray

_SHORT = 2**25  # numbers: 256 MiB, from which on it matters that chunks are shorter than blocks


@dataclass(frozen=True)
class Cut:
    """The rows from ``start`` to ``stop`` of a chunk."""

    chunk: int
    start: int
    stop: int


@dataclass(frozen=True)
class Layout:
    """How blocks lie in chunks.

    Attributes
    ----------
    within : tuple of (first block, Cut)
        Whole blocks inside of one chunk.
    across : tuple of (block, cuts)
        A block that lies in several chunks.
    """

    within: tuple[tuple[int, Cut], ...]
    across: tuple[tuple[int, tuple[Cut, ...]], ...]

    @classmethod
    def of(cls, lengths: Sequence[int], size: int) -> "Layout":
        """For chunks of these lengths, and blocks of ``size`` rows."""
        within: list[tuple[int, Cut]] = []
        across: dict[int, list[Cut]] = {}
        n, begin = sum(lengths), 0
        for chunk, length in enumerate(lengths):
            end = begin + length
            first = -(-begin // size) * size
            last = end if end == n else end // size * size
            if first < last:
                within.append((first // size, Cut(chunk, first - begin, last - begin)))
            else:
                first = last = min(first, end)
            for start, stop in ((begin, first), (last, end)):
                if start < stop:
                    cut = Cut(chunk, start - begin, stop - begin)
                    across.setdefault(start // size, []).append(cut)
            begin = end
        return cls(tuple(within), tuple((i, tuple(cuts)) for i, cuts in across.items()))


@dataclass(frozen=True, eq=False)
class _Within:
    """Whole blocks in a chunk: stands for a ``Piece``."""

    first: int
    cut: Cut
    size: int
    n_features: int
    rows: Any
    weights: Any

    @property
    def key(self) -> Any:
        return self.rows.key

    def applied(self, sent: Any) -> Any:
        about = (self.first, self.cut, self.size, self.n_features)
        return dask.delayed(_apply_within, pure=False)(sent, self.rows, self.weights, about)


@dataclass(frozen=True, eq=False)
class _Across:
    """A block from several chunks, put together on a worker."""

    first: int
    piece: Any

    @property
    def key(self) -> Any:
        return self.piece.key

    def applied(self, sent: Any) -> Any:
        return dask.delayed(apply, pure=False)(sent, self.piece)


@dataclass(frozen=True, eq=False)
class Chunks(Observations):
    """Observations in the chunks of a Dask collection.

    See :class:`gmmlib.engine.Observations` for its attributes.
    """

    is_local: ClassVar[bool] = False

    _parts: tuple[_Within | _Across, ...]
    _scheduler: Scheduler

    @classmethod
    def of(cls, X: Collection, scheduler: Scheduler, verbose: bool = False) -> "Chunks":
        """Check the data, in one pass; one more goes before it where lengths are not known.

        Raises
        ------
        TypeError, ValueError
            As :meth:`gmmlib.engine.Blocks.of`; the chunk is named, and the row in it.
        ConnectionError
            Where the cluster is lost.
        """
        X = X.with_lengths(scheduler)
        lengths, d = X.lengths, X.n_features
        assert lengths is not None
        size, n = block_size(d), sum(lengths)
        layout = Layout.of(lengths, size)
        _warn_of_short(layout, n, d, size)
        near = scheduler.near()
        glued = scheduler.kept(
            [_glued(X, block, cuts, size, near) for block, cuts in layout.across]
        )
        parts: list[_Within | _Across] = [
            _Within(first, cut, size, d, X.rows[cut.chunk], X.weight(cut.chunk))
            for first, cut in layout.within
        ]
        parts += [
            _Across(block, piece) for (block, _), piece in zip(layout.across, glued, strict=True)
        ]
        parts.sort(key=lambda part: part.first)
        total = PairwiseSum[Summary]()
        function = partial(sum_over_blocks, Summary.of, every_row=True)
        bar = tqdm(total=n, unit="row", desc="first pass", disable=not verbose, mininterval=0.1)
        with bar:
            for found in scheduler.sums(function, parts, float(n) * d):
                bar.update(min(len(found) * size, n - bar.n))
                total.join(found)
        summary = total.total()
        if summary is not None and summary.bad is not None:
            i, c, value = summary.bad
            chunk = int(np.searchsorted(np.cumsum(lengths), i, side="right"))
            row = i - sum(lengths[:chunk])
            where = f": row {row} of chunk {chunk}, both counted from 0"
            refuse_bad_entry((i, c), value, where)
        return cls(**cls._attributes(summary), _parts=tuple(parts), _scheduler=scheduler)

    def pieces(self) -> tuple[_Within | _Across, ...]:
        """Whole blocks in the chunks and across their borders, in order."""
        return self._parts

    def executor(self, n_threads: int | None = None) -> Scheduler:
        """The cluster, or Dask's threads; how many there are is not asked here."""
        return self._scheduler


def _warn_of_short(layout: Layout, n: int, d: int, size: int) -> None:
    copied = sum(cut.stop - cut.start for _, cuts in layout.across for cut in cuts)
    if 2 * copied > n and n * d > _SHORT:
        warn(
            f"the chunks of X are short: {copied} of {n} rows lie in blocks of {size} rows that "
            f"reach across their borders, and were copied. Make the chunks longer, for example "
            f"X.rechunk(({32 * size}, -1)), or repartition the data frame.",
            UserWarning,
        )


def _glued(X: Collection, block: int, cuts: Sequence[Cut], size: int, near: Near) -> Any:
    cut_out, pieces = dask.delayed(_cut_out, pure=False), []
    for cut in cuts:
        rows, about = X.rows[cut.chunk], (block, cut, size, X.n_features)
        with near(rows.key):
            pieces.append(cut_out(rows, X.weight(cut.chunk), about))
    return dask.delayed(_put_together, pure=False)(pieces)


# --- what workers do ------------------------------------------------------------------------------


def _apply_within(function: Any, x: Any, w: Any, about: tuple[int, Cut, int, int]) -> Any:
    return apply(function, _piece(x, w, *about))


def _piece(x: Any, w: Any, first: int, cut: Cut, size: int, d: int) -> Piece:
    rows = as_rows(x, d, cut.chunk)
    weights = as_weights(w, len(rows), cut.chunk)
    part = slice(cut.start, cut.stop)
    return Piece(first, rows[part], None if weights is None else weights[part], size)


def _cut_out(x: Any, w: Any, about: tuple[int, Cut, int, int]) -> Piece:
    piece = _piece(x, w, *about)
    weights = None if piece.weights is None else piece.weights.copy()
    return Piece(piece.first, piece.rows.copy(), weights, piece.size)


def _put_together(pieces: Sequence[Piece]) -> Piece:
    rows: FloatRows = np.concatenate([piece.rows for piece in pieces])
    found = [piece.weights for piece in pieces if piece.weights is not None]
    weights: FloatArray | None = np.concatenate(found) if found else None
    return Piece(pieces[0].first, rows, weights, pieces[0].size)
