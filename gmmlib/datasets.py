"""Small data sets with their provenance, and seeded toys. Every function returns fresh arrays."""

from importlib.resources import files

import numpy as np
import numpy.typing as npt

from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray


def worked_example() -> FloatArray:
    """The five numbers of the book's worked example, (5,), without units.

    Source: the note's Question 1. Book: chapter 7.

    >>> worked_example()
    array([0.9, 0.7, 1.2, 2.4, 1.8])
    """
    return np.array([0.9, 0.7, 1.2, 2.4, 1.8])


def old_faithful() -> FloatArray:
    """Old Faithful geyser: (272, 2), eruption duration and the wait that followed, in minutes.

    Source: Härdle (1991), the ``faithful`` data of R. The same series is in Weisberg's Applied
    Linear Regression (2014; ``oldfaith`` in the R package alr4), dated October 1980. The 299
    eruptions of August 1985 in Azzalini and Bowman (1990) are another series.

    >>> old_faithful().shape
    (272, 2)
    """
    return _table("old_faithful.csv")


def esl_mixture() -> FloatArray:
    """Twenty numbers, (20,), from The Elements of Statistical Learning, 2nd ed., Table 8.1.

    Source: Hastie, Tibshirani and Friedman (2009). The values are printed to two decimals; the
    maximum-likelihood fit of the printed values has log-likelihood -38.9134.

    >>> esl_mixture().shape
    (20,)
    """
    return _table("esl_table_8_1.csv")[:, 0]


def three_blobs(
    n: int = 300, random_state: int | np.random.Generator | None = 0
) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """A seeded toy in the plane: n points from three Gaussians, and the labels they came from.

    Returns X (n, 2) and labels (n,). Raises ``ValueError`` if n < 1.

    >>> X, labels = three_blobs(n=6)
    >>> X.shape, labels.shape
    ((6, 2), (6,))
    """
    mixture = Mixture(
        weights=[0.5, 0.3, 0.2],
        means=[[0.0, 0.0], [4.0, 3.0], [-3.0, 4.0]],
        covariances=[
            [[1.0, 0.6], [0.6, 1.0]],
            [[1.5, -0.8], [-0.8, 0.8]],
            [[0.4, 0.0], [0.0, 2.0]],
        ],
    )
    return mixture.sample(n, random_state)


def _table(name: str) -> FloatArray:
    with (files("gmmlib") / "data" / name).open(encoding="utf-8") as lines:
        return np.loadtxt(lines, delimiter=",", skiprows=1, ndmin=2)
