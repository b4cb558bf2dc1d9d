"""What a fitted mixture says about the rows of a Dask collection: arrays that are lazy, and ℓ."""

import math
from typing import Any

import dask
import dask.array as da
import numpy as np

from gmmlib.distributed.collections import (
    Collection,
    as_rows,
    as_weights,
    n_features,
    named,
)
from gmmlib.distributed.scheduler import Scheduler


def lazily(model: Any, X: Any, method: str, columns: int | None, dtype: Any) -> Any:
    """A Dask array of what a method of ``model`` gives for the rows of X, chunk by chunk.

    Parameters
    ----------
    model : GaussianMixture
        It is sent to each worker once.
    X : Dask array (n, d), or data frame
    method : str
    columns : int or None
        Of the result, which is (n, columns), or (n,).
    dtype : NumPy's
    """
    d = n_features(X)
    if isinstance(X, da.Array):
        rows = X.rechunk({1: -1}) if X.numblocks[1] > 1 else X
    else:
        rows = da.concatenate(
            [
                da.from_delayed(dask.delayed(_rows)(part, d, i), (np.nan, d), np.float64)
                for i, part in enumerate(X.to_delayed())
            ],
            allow_unknown_chunksizes=True,
        )
    shape: dict[str, Any] = {"drop_axis": 1}
    if columns is not None:
        shape = {"chunks": (rows.chunks[0], (columns,))}
    return rows.map_blocks(
        _of_chunk,
        dask.delayed(model, traverse=False),
        method=method,
        dtype=np.dtype(dtype),
        meta=np.empty((0,) if columns is None else (0, columns), dtype),
        **shape,
    )


def log_likelihood(model: Any, X: Collection, scheduler: Scheduler) -> tuple[float, float]:
    """Σ_i w_i log p(x_i), and Σ_i w_i."""
    sent = dask.delayed(model, traverse=False)
    task = dask.delayed(_log_likelihood_of_chunk, pure=False)
    tasks = [
        task(sent, rows, X.weight(chunk), X.n_features, chunk) for chunk, rows in enumerate(X.rows)
    ]
    found = scheduler.computed(tasks)
    return math.fsum(ell for ell, _ in found), math.fsum(weight for _, weight in found)


# --- what workers do ------------------------------------------------------------------------------


def _rows(x: Any, d: int, chunk: int) -> Any:
    return as_rows(x, d, chunk)


def _of_chunk(x: Any, model: Any, method: str, block_id: Any = None) -> Any:
    chunk = block_id[0] if block_id else 0
    rows = as_rows(x, model.n_features_in_, chunk)
    if not len(rows):
        shape = (0, len(model.weights_)) if method == "predict_proba" else (0,)
        return np.empty(shape, np.intp if method == "predict" else np.float64)
    try:
        return getattr(model, method)(rows)
    except ValueError as error:
        raise named(error, chunk) from None


def _log_likelihood_of_chunk(model: Any, x: Any, w: Any, d: int, chunk: int) -> tuple[float, float]:
    rows = as_rows(x, d, chunk)
    weights = as_weights(w, len(rows), chunk)
    if not len(rows):
        return 0.0, 0.0
    log_density = _of_chunk(rows, model, "score_samples", (chunk, 0))
    if weights is None:
        return float(log_density.sum()), float(len(rows))
    return float(weights @ log_density), float(weights.sum())
