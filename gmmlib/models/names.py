"""Every family by its names: scikit-learn's four, mclust's fourteen, and E and V on the line."""

from typing import Literal

from gmmlib.models import decomposed
from gmmlib.models.families import Diagonal, Family, Full, Spherical, Tied

CovarianceType = Literal[
    "full", "tied", "diag", "spherical",
    "EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV",
    "VVV", "E", "V",
]  # fmt: skip

_SCIKIT_LEARNS: tuple[Family, ...] = (Full(), Tied(), Diagonal(), Spherical())
_OTHERS: tuple[Family, ...] = (
    decomposed.EII(),
    decomposed.EEI(),
    decomposed.VEI(),
    decomposed.EVI(),
    decomposed.VEE(),
    decomposed.EVE(),
    decomposed.VVE(),
    decomposed.EEV(),
    decomposed.VEV(),
    decomposed.EVV(),
)
_BY_LETTERS = {family.letters: family for family in (*_SCIKIT_LEARNS, *_OTHERS)}
MCLUST_TYPES = (
    "EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV"
)  # fmt: skip
COVARIANCE_TYPES = tuple(family.name for family in _SCIKIT_LEARNS)
ON_THE_LINE = ("E", "V")
FAMILIES: dict[str, Family] = {
    **{family.name: family for family in _SCIKIT_LEARNS},
    **{letters: _BY_LETTERS[letters] for letters in MCLUST_TYPES},
    "E": decomposed.E(),
    "V": decomposed.V(),
}


def family_of(covariance_type: "str | Family") -> Family:
    """The family with this name. Raises ``ValueError`` where there is none.

    >>> family_of("tied").n_parameters(K=3, d=2)
    3
    >>> family_of("VEV").n_parameters(K=3, d=2)
    7
    """
    if isinstance(covariance_type, Family):
        return covariance_type
    if covariance_type not in FAMILIES:
        raise ValueError(
            f"covariance_type is {covariance_type!r}. "
            f"Choose one of {', '.join(map(repr, FAMILIES))}."
        )
    return FAMILIES[covariance_type]
