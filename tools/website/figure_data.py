"""Write assets/figures/data/data-sets.js: the data sets of the figures, from gmmlib.

Run it after a change of one: ``python tools/website/figure_data.py``.
tests/site/test_js.py finds what is stale.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmmlib import Mixture, datasets

DATA = Path(__file__).resolve().parents[2] / "assets" / "figures" / "data" / "data-sets.js"
HEAD = """\
// The global `gmmData`: the data sets of the figures, from gmmlib (tools/website/figure_data.py).
"""

FloatArray = NDArray[np.float64]


def hard_data() -> FloatArray:
    """Two long clouds that cross, and two lone points: nothing for a component to spread over."""
    cross = Mixture(
        [0.5, 0.5],
        [[0.0, 0.0], [0.0, 0.0]],
        [[[4.0, 3.6], [3.6, 4.0]], [[4.0, -3.6], [-3.6, 4.0]]],
    )
    return np.vstack([cross.sample(198, random_state=3)[0], [[5.6, 0.2], [6.2, -0.2]]])


def data_sets() -> dict[str, FloatArray]:
    """As the browser has them: rounded, so that they are the same everywhere."""
    return {
        "worked": datasets.worked_example(),
        "esl": datasets.esl_mixture(),
        "faithful": datasets.old_faithful(),
        "blobs": datasets.three_blobs(n=200)[0].round(2),
        "hard": hard_data().round(2),
        "galaxies": (datasets.galaxies() / 1000).round(3),
    }


def data_script() -> str:
    sets = ",\n".join(f"  {name}: {_compact(X)}" for name, X in data_sets().items())
    return f"{HEAD}globalThis.gmmData = {{\n{sets},\n}};\n"


def _compact(X: FloatArray) -> str:
    rows = [",".join(f"{value:.5g}" for value in np.atleast_1d(row)) for row in X]
    return "[" + ",".join(rows if X.ndim == 1 else [f"[{row}]" for row in rows]) + "]"


if __name__ == "__main__":
    DATA.write_text(data_script(), encoding="utf-8")
