"""Small data sets with their provenance, and seeded toys. Every function returns fresh arrays."""

from importlib.resources import files
from typing import IO

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


def acidity() -> FloatArray:
    """How well 155 lakes in Wisconsin withstand acid, (155,): log(ANC + 50), without units.

    ANC is the acid-neutralising capacity. Source: Crawford, DeGroot, Kadane and Small (1992),
    Technometrics 34, 441-453, and Richardson and Green (1997), Journal of the Royal Statistical
    Society B 59, 731-792; ``acidity`` in R's mclust.

    >>> acidity().shape
    (155,)
    """
    return _table("acidity.csv")[:, 0]


def galaxies() -> FloatArray:
    """Velocities of 82 galaxies of the Corona Borealis region, (82,), in km/s, ascending.

    Source: Roeder (1990), Journal of the American Statistical Association 85, 617-624, as
    ``galaxies`` in R's MASS. The 78th value, 26690, is a misprint of her 26960. It stands here
    because published fits use it.

    >>> galaxies().shape
    (82,)
    """
    return _table("galaxies.csv")[:, 0]


def geyser_1985() -> FloatArray:
    """Old Faithful again: (299, 2), a wait and the duration that followed it, in minutes.

    From 1 to 15 August 1985, in the order of time. At night nobody measured: durations noted as
    short, medium and long stand as 2, 3 and 4. Source: Azzalini and Bowman (1990), Applied
    Statistics 39, 357-365; ``geyser`` in R's MASS. ``old_faithful`` is another series.

    >>> geyser_1985().shape
    (299, 2)
    """
    return _table("geyser_1985.csv")


def diabetes() -> tuple[FloatArray, npt.NDArray[np.str_]]:
    """Three measurements of 145 people, and what the clinic called each.

    Returns X (145, 3) and the classes (145,): Normal, Chemical or Overt. Source: Reaven and Miller
    (1979), Diabetologia 16, 17-24, as ``diabetes`` in R's mclust 6.0.0. There the columns are
    called glucose, insulin and sspg; in R's rrcov the same numbers are the fasting plasma glucose
    and the areas under the curves of glucose and of insulin. Row 104 has 45 in the second column,
    where rrcov has 455. It stands here because published fits use it.

    >>> X, classes = diabetes()
    >>> X.shape, classes[0]
    ((145, 3), np.str_('Normal'))
    """
    with _open("diabetes.csv") as lines:
        rows = np.loadtxt(lines, delimiter=",", skiprows=1, dtype=str)
    return rows[:, 1:].astype(float), rows[:, 0]


def baudry_example() -> FloatArray:
    """Two simulated columns, (600, 2), without units: two crosses and two slanting clouds.

    Drawn from six Gaussians, two for each cross. Source: example 4.1 of Baudry, Raftery, Celeux, Lo
    and Gottardo (2010), Journal of Computational and Graphical Statistics 19, 332-353, as ``ex4.1``
    in R's mclust 6.0.0.

    >>> baudry_example().shape
    (600, 2)
    """
    return _table("baudry_ex4_1.csv")


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
    with _open(name) as lines:
        return np.loadtxt(lines, delimiter=",", skiprows=1, ndmin=2)


def _open(name: str) -> IO[str]:
    return (files("gmmlib") / "data" / name).open(encoding="utf-8")
