"""Families of covariances: what the components have in common, and how much of each is kept.

A family is all that the engine and the estimators know about a ``covariance_type``. A new one is
a class here and a name in ``FAMILIES``.

Shapes, for R mixtures of K components in d dimensions::

    weights       (R, K)
    covariances   (R, K, d, d), or the variances (R, K, d) of a family that is ``diagonal``, or
                  (R, 1, d, d) of one that is ``shared``
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np

from gmmlib.validation import FloatArray

CovarianceType = Literal["full", "tied", "diag", "spherical"]


class Family(ABC):
    """Covariances of one kind.

    Attributes
    ----------
    name : str
        As in scikit-learn.
    diagonal : bool
        Whether only variances are kept.
    shared : bool
        Whether all components have one covariance.
    """

    name: ClassVar[str]
    diagonal: ClassVar[bool] = False
    shared: ClassVar[bool] = False

    def estimate(
        self, weights: FloatArray, covariances: FloatArray, scale: FloatArray
    ) -> FloatArray:
        """The family's covariances with the largest Q, from each component's own.

        ``scale`` (d,) is the unit of each column: what is equal in the units of the data is not
        equal in others.
        """
        return covariances

    @abstractmethod
    def shape(self, K: int, d: int) -> tuple[int, ...]:
        """Of the covariances, as the user has them."""

    @abstractmethod
    def n_parameters(self, K: int, d: int) -> int:
        """Free numbers in the covariances."""

    @abstractmethod
    def stored(self, kept: FloatArray) -> FloatArray:
        """One matrix (d, d) or row (d,) a component, as the user has them: see :meth:`shape`."""

    @abstractmethod
    def kept(self, stored: FloatArray, K: int, d: int) -> FloatArray:
        """The other way round: (K, d, d); (K, d) of a diagonal family, (1, d, d) of a shared."""


class Full(Family):
    """One covariance for each component.

    Book: eq-m-step-covariances.
    """

    name = "full"

    def shape(self, K: int, d: int) -> tuple[int, ...]:
        """(K, d, d)."""
        return (K, d, d)

    def n_parameters(self, K: int, d: int) -> int:
        """K d(d + 1)/2."""
        return K * d * (d + 1) // 2

    def stored(self, kept: FloatArray) -> FloatArray:
        """As they are."""
        return kept

    def kept(self, stored: FloatArray, K: int, d: int) -> FloatArray:
        """As they are."""
        return stored


class Tied(Family):
    """One covariance that all components share.

    Book: eq-m-step-tied.
    """

    name = "tied"
    shared = True

    def estimate(
        self, weights: FloatArray, covariances: FloatArray, scale: FloatArray
    ) -> FloatArray:
        """Their mean, by weight; one that all share already is as it was."""
        if covariances.shape[1] == 1:
            return covariances
        return np.asarray(np.einsum("rk,rkab->rab", weights, covariances)[:, np.newaxis])

    def shape(self, K: int, d: int) -> tuple[int, ...]:
        """(d, d)."""
        return (d, d)

    def n_parameters(self, K: int, d: int) -> int:
        """Those of one matrix: d(d + 1)/2."""
        return d * (d + 1) // 2

    def stored(self, kept: FloatArray) -> FloatArray:
        """The only one, or the first: all are equal."""
        return np.array(kept[0])

    def kept(self, stored: FloatArray, K: int, d: int) -> FloatArray:
        """The one, (1, d, d)."""
        return stored[np.newaxis]


class Diagonal(Family):
    """Variances alone: the axes of each component are those of the data."""

    name = "diag"
    diagonal = True

    def shape(self, K: int, d: int) -> tuple[int, ...]:
        """(K, d)."""
        return (K, d)

    def n_parameters(self, K: int, d: int) -> int:
        """K d."""
        return K * d

    def stored(self, kept: FloatArray) -> FloatArray:
        """As they are."""
        return kept

    def kept(self, stored: FloatArray, K: int, d: int) -> FloatArray:
        """As they are."""
        return stored


class Spherical(Family):
    """One variance for each component, the same in every direction."""

    name = "spherical"
    diagonal = True

    def estimate(
        self, weights: FloatArray, covariances: FloatArray, scale: FloatArray
    ) -> FloatArray:
        """The mean of each component's variances, in the units of the data."""
        squared = scale**2
        with np.errstate(over="ignore"):  # columns in units too far apart: no such component
            return np.asarray((covariances * squared).mean(axis=2, keepdims=True) / squared)

    def shape(self, K: int, d: int) -> tuple[int, ...]:
        """(K,)."""
        return (K,)

    def n_parameters(self, K: int, d: int) -> int:
        """K."""
        return K

    def stored(self, kept: FloatArray) -> FloatArray:
        """The first of each row: all are equal."""
        return np.array(kept[:, 0])

    def kept(self, stored: FloatArray, K: int, d: int) -> FloatArray:
        """d times the same."""
        return np.repeat(stored[:, np.newaxis], d, axis=1)


FAMILIES: dict[str, Family] = {
    family.name: family for family in (Full(), Tied(), Diagonal(), Spherical())
}
COVARIANCE_TYPES = tuple(FAMILIES)


def family_of(covariance_type: "str | Family") -> Family:
    """The family with this name. Raises ``ValueError`` where there is none.

    >>> family_of("tied").n_parameters(K=3, d=2)
    3
    """
    if isinstance(covariance_type, Family):
        return covariance_type
    if covariance_type not in FAMILIES:
        raise ValueError(
            f"covariance_type is {covariance_type!r}. "
            f"Choose one of {', '.join(map(repr, FAMILIES))}."
        )
    return FAMILIES[covariance_type]
