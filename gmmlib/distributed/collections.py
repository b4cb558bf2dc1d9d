"""What the user hands in: Dask arrays and data frames, as chunks of rows with their weights."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import dask
import dask.array as da
import numpy as np
from sklearn.utils import check_array

from gmmlib.distributed.scheduler import Scheduler
from gmmlib.engine.blocks import as_sample_weight
from gmmlib.engine.frame import FloatRows
from gmmlib.validation import FloatArray, as_floats, counted

_WEIGHT = "sample_weight of gmmlib"  # a column for as long as rows and weights are read


@dataclass(frozen=True, eq=False)
class Collection:
    """Chunks of rows, none of which has been computed.

    Attributes
    ----------
    rows : list of Delayed
        Each a table (m, d); m may be 0.
    weights : list of Delayed, or of numbers, or None
        Of each chunk's rows, (m,), or one for all of them.
    lengths : list of int, or None
        m of each chunk, where it is known.
    n_features : int
    dtype : NumPy's
        float32 where all columns have that, and otherwise float64.
    """

    rows: list[Any]
    weights: list[Any] | None
    lengths: list[int] | None
    n_features: int
    dtype: Any

    @classmethod
    def of(cls, X: Any, sample_weight: Any, scheduler: Scheduler) -> "Collection":
        """Take a Dask array (n, d) or a data frame; lengths are computed where weights ask for it.

        Raises
        ------
        TypeError
            For other collections, and for data that are no numbers.
        ValueError
            For shapes and chunks that do not fit.
        """
        rows, lengths, dtypes = _array(X) if isinstance(X, da.Array) else _frame(X)
        single = bool(dtypes) and all(dtype == np.float32 for dtype in dtypes)
        dtype = np.dtype(np.float32 if single else np.float64)
        made = cls(rows, None, lengths, n_features(X), dtype)
        if sample_weight is None:
            return made
        if dask.is_dask_collection(sample_weight):
            return made._with_collection(X, sample_weight, scheduler)
        if np.ndim(sample_weight) == 0:
            weight = float(as_sample_weight(sample_weight, 1)[0])
            return replace(made, weights=[weight] * len(rows))
        made = made.with_lengths(scheduler)
        assert made.lengths is not None
        w = as_sample_weight(sample_weight, sum(made.lengths))
        parts = np.split(w, np.cumsum(made.lengths)[:-1])
        kept = scheduler.kept([dask.delayed(part, traverse=False) for part in parts])
        return replace(made, weights=kept)

    def with_lengths(self, scheduler: Scheduler) -> "Collection":
        """The same, whose lengths are known: a pass over the data, where they are not."""
        if self.lengths is not None:
            return self
        count = dask.delayed(_n_rows, pure=False)
        lengths = scheduler.computed([count(rows) for rows in self.rows])
        return replace(self, lengths=lengths)

    def weight(self, chunk: int) -> Any:
        """The weights of a chunk, or None."""
        return None if self.weights is None else self.weights[chunk]

    def _with_collection(self, X: Any, w: Any, scheduler: Scheduler) -> "Collection":
        """With weights that are a Dask array or a series."""
        is_series = hasattr(type(w), "to_dask_array") and w.ndim == 1
        if is_series and is_frame(X):  # read together: alone, files may be cut otherwise
            both = X.assign(**{_WEIGHT: w}).to_delayed()
            without = dask.delayed(_without_weight, pure=False)
            weight = dask.delayed(_weight, pure=False)
            return replace(self, rows=[without(x) for x in both], weights=[weight(x) for x in both])
        w = w.to_dask_array() if is_series else w
        if not isinstance(w, da.Array) or w.ndim != 1:
            shape = f" of shape {w.shape}" if hasattr(w, "shape") else ""
            raise ValueError(
                f"sample_weight is a Dask {type(w).__name__}{shape}. Pass a Dask array or a series "
                f"with one number for each row of X, or a NumPy array of them."
            )
        own = w.chunks[0]
        known = not np.isnan(own).any()
        made = self.with_lengths(scheduler) if known else self
        if known and made.lengths is not None:
            if sum(own) != sum(made.lengths):
                raise ValueError(
                    f"sample_weight has {sum(own)} numbers, but X has {sum(made.lengths)} rows. "
                    f"Pass one number per observation."
                )
            w = w.rechunk((tuple(made.lengths),))
        elif len(own) != len(self.rows):
            raise ValueError(
                f"sample_weight has {counted(len(own), 'chunk', 'chunks')} and X has "
                f"{len(self.rows)}, and their lengths are not known. Pass a series of the same "
                f"data frame, or call sample_weight.compute_chunk_sizes() first."
            )
        return replace(made, weights=list(w.to_delayed().ravel()))


def n_features(X: Any) -> int:
    """The columns d of a Dask array or a data frame."""
    return int(X.shape[1]) if isinstance(X, da.Array) else len(X.columns)


def empty(X: Any) -> Any:
    """A table without rows, with the columns and types of X, for those who check names."""
    return np.empty((0, n_features(X)), X.dtype) if isinstance(X, da.Array) else X._meta


def is_frame(X: Any) -> bool:
    """Whether X is a data frame of Dask's. Nothing is imported to find out."""
    frames = sys.modules.get("dask.dataframe")
    return frames is not None and isinstance(X, frames.DataFrame)


def require_table(X: Any) -> None:
    """Raise ``TypeError`` or ``ValueError`` where X is no table (n, d) of Dask's."""
    if isinstance(X, da.Array):
        if X.ndim != 2:
            hint = "X[:, None]" if X.ndim == 1 else "X.reshape(n, d)"
            raise ValueError(
                f"X has {counted(X.ndim, 'dimension', 'dimensions')} (shape {X.shape}). Pass "
                f"(n, d), one row per observation, for example {hint}."
            )
        if np.isnan(X.shape[1]):
            raise ValueError(
                f"X has an unknown number of columns (shape {X.shape}). "
                f"Call X.compute_chunk_sizes() first."
            )
        if X.shape[1] == 0:
            raise ValueError(f"X is empty (shape {X.shape}). Pass at least one column.")
        if X.dtype.kind not in "biufO":
            raise TypeError(
                f"X is not numeric (dtype {X.dtype}). Convert it first, for example "
                f"X.real or X.astype(float)."
            )
        return
    if not is_frame(X):
        raise TypeError(
            f"X is a {type(X).__module__.partition('.')[0]} {type(X).__name__}, and of Dask's "
            f"collections arrays (n, d) and data frames are taken. Pass X.to_dask_array() of a "
            f"series, X.to_dataframe() of a bag, X.data of an xarray.DataArray."
        )
    if not len(X.columns):
        raise ValueError("X is a data frame without columns. Pass at least one.")


def as_rows(x: Any, d: int, chunk: int) -> FloatRows:
    """A chunk as (m, d) in float64 or float32; not copied where it is that already."""
    try:
        if not (type(x) is np.ndarray and x.dtype in (np.float64, np.float32) and x.ndim == 2):
            if np.ma.isMaskedArray(x) or hasattr(x, "toarray"):
                as_floats(x, "X")  # raises where something is masked, and for sparse matrices
            x = check_array(
                x,
                dtype=[np.float64, np.float32],
                ensure_all_finite=False,
                ensure_min_samples=0,
                ensure_min_features=0,
            )
        if x.shape[1] != d:
            raise ValueError(
                f"it has {counted(x.shape[1], 'column', 'columns')}, and X has {d}. "
                f"Let all chunks have the same columns."
            )
    except (TypeError, ValueError) as error:
        raise named(error, chunk) from None
    return x  # type: ignore[no-any-return]


def as_weights(w: Any, m: int, chunk: int) -> FloatArray | None:
    """The weights of a chunk of m rows, (m,)."""
    try:
        return None if w is None else as_sample_weight(w, m)
    except (TypeError, ValueError) as error:
        raise named(error, chunk) from None


def named(error: Exception, chunk: int) -> Exception:
    """The same error, which says in which chunk it was."""
    return type(error)(f"chunk {chunk} (counting from 0): {error}")


def _n_rows(x: Any) -> int:
    return int(x.shape[0])


def _array(X: Any) -> tuple[list[Any], list[int] | None, Sequence[Any]]:
    if X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    lengths = X.chunks[0]
    known = None if np.isnan(lengths).any() else [int(m) for m in lengths]
    return list(X.to_delayed().ravel()), known, [X.dtype]


def _frame(X: Any) -> tuple[list[Any], list[int] | None, Sequence[Any]]:
    return list(X.to_delayed()), None, list(X.dtypes)


def _without_weight(x: Any) -> Any:
    return x.drop(columns=_WEIGHT)


def _weight(x: Any) -> Any:
    return x[_WEIGHT].to_numpy()
