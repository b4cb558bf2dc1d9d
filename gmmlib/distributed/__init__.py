"""Data on several machines, as Dask collections: chunks stay where they are, and moments travel.

``collections`` reads what the user hands in; ``chunks`` makes observations of it, for the engine;
``scheduler`` is the executor, a cluster or Dask's own threads; ``prediction`` is lazy. Dask is
imported where a collection comes in, and never before.
"""

import sys
from typing import Any


def is_collection(X: Any) -> bool:
    """Whether this is one of Dask's collections. Nothing is imported to find out."""
    dask = sys.modules.get("dask")
    return dask is not None and bool(dask.is_dask_collection(X))


__all__ = ["is_collection"]
