"""Families of covariances: what the components have in common, and how much of each is kept.

A family is all that the engine and the estimators know about a ``covariance_type``. Here are the
four that scikit-learn has; the others are in ``decomposed``, and all names in ``names``.

Shapes, for R mixtures of K components in d dimensions::

    weights       (R, K)
    covariances   (R, K, d, d), or the variances (R, K, d) of a family that is ``diagonal``, or
                  (R, 1, d, d) of one that is ``shared``
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from gmmlib.validation import FloatArray


class Family(ABC):
    """Covariances of one kind.

    Attributes
    ----------
    name : str
        As in scikit-learn, or else as in mclust.
    letters : str
        The name in mclust: volume, shape and orientation equal (E), varying (V) or of the identity
        (I).
    diagonal : bool
        Whether only variances are kept.
    shared : bool
        Whether all components have one covariance.
    linear : bool
        Whether a weighted mean of the covariances of two members is one of a member.
    one_column : bool
        Whether it is for data with one column only.
    turned : bool
        Whether it looks for axes in the units of the data.
    """

    name: ClassVar[str]
    letters: ClassVar[str]
    diagonal: ClassVar[bool] = False
    shared: ClassVar[bool] = False
    linear: ClassVar[bool] = True
    one_column: ClassVar[bool] = False
    turned: ClassVar[bool] = False

    def estimate(
        self,
        weights: FloatArray,
        covariances: FloatArray,
        scale: FloatArray,
        before: FloatArray | None = None,
    ) -> FloatArray:
        """The family's covariances with the largest Q, from each component's own.

        ``scale`` (d,) is the unit of each column: what is equal in the units of the data is not
        equal in others. ``before``, shaped as the result, are those of the last step: where the
        largest Q has to be searched for, it is only for a Q that is not below theirs.
        """
        return covariances

    def away(self, weights: FloatArray, covariances: FloatArray) -> FloatArray:
        """How far each covariance is from what the family would make of all, by its variances.

        Parameters
        ----------
        weights : (K,)
        covariances : (K, d, d), or (K, d) of a diagonal family
            In the units of the data.

        Returns
        -------
        away : (K,)
            The largest difference of two entries, as a share of the standard deviations. About 0
            for the covariances of a member.
        """
        d = covariances.shape[-1]
        unit = np.sqrt(
            np.diagonal(covariances, axis1=1, axis2=2) if covariances.ndim == 3 else covariances
        )
        member = self.estimate(
            weights[np.newaxis], covariances[np.newaxis], np.ones(d), covariances[np.newaxis]
        )[0]
        outer = unit**2 if covariances.ndim == 2 else unit[:, :, np.newaxis] * unit[:, np.newaxis]
        return np.asarray(np.abs((member - covariances) / outer).reshape(len(unit), -1).max(axis=1))

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
    letters = "VVV"

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
    letters = "EEE"
    shared = True

    def estimate(
        self,
        weights: FloatArray,
        covariances: FloatArray,
        scale: FloatArray,
        before: FloatArray | None = None,
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
    """Variances alone: the axes of each component are those of the data.

    Book: eq-vvi.
    """

    name = "diag"
    letters = "VVI"
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
    """One variance for each component, the same in every direction.

    Book: eq-vii.
    """

    name = "spherical"
    letters = "VII"
    diagonal = True

    def estimate(
        self,
        weights: FloatArray,
        covariances: FloatArray,
        scale: FloatArray,
        before: FloatArray | None = None,
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
