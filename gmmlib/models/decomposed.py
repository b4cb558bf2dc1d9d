"""Σ_j = λ_j D_j A_j D_jᵀ, and what of it the components share (Celeux and Govaert 1995).

The determinant of the diagonal A_j is 1. So λ_j is the volume, A_j the shape, and D_j, whose
columns are the axes, the orientation. Three letters say of volume, shape and orientation whether
it is equal in all components (E), varies (V), or is that of the identity (I). Of the fourteen
families four are in ``families``: VII, VVI, EEE and VVV.

Shapes as in ``families``. S_j are the covariances of the components by themselves.
"""

from abc import abstractmethod

import numpy as np

from gmmlib.models.axes import common_axes, seen_along
from gmmlib.models.families import Family, Full, Tied
from gmmlib.models.volumes import around_one_shape
from gmmlib.validation import FloatArray

_AXES_STEPS = 2  # in a step of EM: it need not find the largest Q, only a larger one
_GOLDEN = (5**0.5 - 1) / 2


class Decomposed(Family):
    """The layout, the number of parameters, and the units."""

    linear = False

    def estimate(
        self,
        weights: FloatArray,
        covariances: FloatArray,
        scale: FloatArray,
        before: FloatArray | None = None,
    ) -> FloatArray:
        """See :meth:`Family.estimate`. NaN for a component without observations.

        And for one without spread, where the family needs it: its size or shape is its own.
        """
        largest = scale.max()  # so that squares of variances are in the range of floats
        units = (scale / largest) ** 2
        if covariances.ndim == 4:
            units = np.outer(scale / largest, scale / largest)
        S = np.broadcast_to(covariances, (*weights.shape, *covariances.shape[2:])) * units
        found = np.isfinite(S).reshape(*S.shape[:2], -1).all(axis=2) & (weights > 0)
        if "V" in self.letters[:2]:
            found &= (np.diagonal(S, axis1=2, axis2=3) if S.ndim == 4 else S).sum(axis=2) > 0
        lost = ~found
        if lost.any():
            S[lost] = np.eye(S.shape[-1]) if S.ndim == 4 else 1.0
            weights = np.where(lost, 0.0, weights)
            total = weights.sum(axis=1, keepdims=True)
            weights = np.where(total > 0, weights / np.where(total > 0, total, 1.0), 1.0)
        known = None
        if before is not None and np.isfinite(before).all():
            known = np.broadcast_to(before, S.shape) * units
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            Sigma = self._most_likely(weights, S, known) / units
        Sigma[lost | lost.all(axis=1, keepdims=True)] = np.nan
        return np.asarray(Sigma)

    @abstractmethod
    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        """:meth:`estimate` in the units of the data, without components that are lost."""

    def shape(self, K: int, d: int) -> tuple[int, ...]:
        """(K, d, d); (K, d) where the axes are those of the data, (K,) where all are balls."""
        return (K, d, d) if not self.diagonal else (K, d) if self.letters[1] != "I" else (K,)

    def n_parameters(self, K: int, d: int) -> int:
        """One for a volume, d - 1 for a shape, d(d - 1)/2 for an orientation."""
        volume, shape, orientation = ({"E": 1, "V": K, "I": 0}[letter] for letter in self.letters)
        return volume + shape * (d - 1) + orientation * (d * (d - 1) // 2)

    def stored(self, kept: FloatArray) -> FloatArray:
        """As they are; the first of each row where all are balls."""
        return np.array(kept[:, 0]) if self.letters[1] == "I" else kept

    def kept(self, stored: FloatArray, K: int, d: int) -> FloatArray:
        """The other way round."""
        return np.repeat(stored[:, np.newaxis], d, axis=1) if self.letters[1] == "I" else stored


class EII(Decomposed):
    """Balls of one size.

    Book: eq-eii.
    """

    name = letters = "EII"
    diagonal = True

    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        volume = np.einsum("rk,rka->r", weights, S) / S.shape[2]
        return np.broadcast_to(volume[:, np.newaxis, np.newaxis], S.shape)


class EEI(Decomposed):
    """One ellipsoid along the axes of the data.

    Book: eq-eei.
    """

    name = letters = "EEI"
    diagonal = True

    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        return np.broadcast_to(np.einsum("rk,rka->ra", weights, S)[:, np.newaxis], S.shape)


class VEI(Decomposed):
    """Ellipsoids of one shape and any size along the axes of the data.

    Book: eq-best-volumes, eq-best-shape.
    """

    name = letters = "VEI"
    diagonal = True

    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        return around_one_shape(weights, S, before)


class EVI(Decomposed):
    """Ellipsoids of one volume along the axes of the data.

    Book: eq-one-volume.
    """

    name = letters = "EVI"
    diagonal = True

    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        return _of_one_volume(weights, S, np.exp(np.log(S).mean(axis=2)))


class VEE(Decomposed):
    """Ellipsoids of one shape and orientation, and any size.

    Book: eq-best-volumes, eq-best-shape.
    """

    name = letters = "VEE"

    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        return around_one_shape(weights, S, before)


class EVE(Decomposed):
    """Ellipsoids of one volume with common axes.

    Book: eq-one-volume, eq-common-axes.
    """

    name = letters = "EVE"
    turned = True

    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        steps = None if before is None else _AXES_STEPS
        D = common_axes(weights, S, _axes(weights, S, before), "E", steps)
        along = _along(D, S)
        return _with_axes(D, _of_one_volume(weights, along, np.exp(np.log(along).mean(axis=2))))


class VVE(Decomposed):
    """Ellipsoids with common axes.

    Book: eq-vvi, eq-common-axes.
    """

    name = letters = "VVE"
    turned = True

    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        steps = None if before is None else _AXES_STEPS
        D = common_axes(weights, S, _axes(weights, S, before), "V", steps)
        return _with_axes(D, _along(D, S))


class EEV(Decomposed):
    """One ellipsoid, turned in any way.

    Book: eq-trace-order, eq-mean-lengths.
    """

    name = letters = "EEV"
    turned = True

    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        lengths, D = np.linalg.eigh(S)
        common = np.einsum("rk,rka->ra", weights, lengths)[:, np.newaxis]
        return _with_axes(D, np.broadcast_to(common, lengths.shape))


class VEV(Decomposed):
    """Ellipsoids of one shape, of any size and turned in any way.

    Book: eq-trace-order, eq-best-volumes, eq-best-shape.
    """

    name = letters = "VEV"
    turned = True

    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        lengths, D = np.linalg.eigh(S)
        known = None if before is None else np.asarray(np.linalg.eigvalsh(before))
        return _with_axes(D, around_one_shape(weights, lengths, known))


class EVV(Decomposed):
    """Ellipsoids of one volume.

    Book: eq-one-volume.
    """

    name = letters = "EVV"

    def _most_likely(
        self, weights: FloatArray, S: FloatArray, before: FloatArray | None
    ) -> FloatArray:
        return _of_one_volume(weights, S, np.exp(np.linalg.slogdet(S)[1] / S.shape[-1]))


class E(Tied):
    """One variance, for data with one column.

    Book: eq-m-step-tied.
    """

    name = letters = "E"
    one_column = True


class V(Full):
    """A variance for each component, for data with one column.

    Book: eq-m-step-covariances.
    """

    name = letters = "V"
    one_column = True


def _of_one_volume(weights: FloatArray, S: FloatArray, volumes: FloatArray) -> FloatArray:
    """The S_j with their mean volume in place of their own, ``volumes`` (R, K)."""
    ratio = (weights * volumes).sum(axis=1, keepdims=True) / volumes
    return np.asarray(S * ratio[(...,) + (np.newaxis,) * (S.ndim - 2)])


def _axes(weights: FloatArray, S: FloatArray, before: FloatArray | None) -> FloatArray:
    """Where the search for common axes starts: those of ``before``, or of all together."""
    if before is None:
        return np.asarray(np.linalg.eigh(np.einsum("rk,rkab->rab", weights, S))[1])
    # axes of any sum: with unlike shares, so that it is no ball where the components are none
    shares = (0.5 + np.arange(1, S.shape[1] + 1) * _GOLDEN % 1) / np.einsum("rkaa->rk", before)
    return np.asarray(np.linalg.eigh(np.einsum("rk,rkab->rab", shares, before))[1])


def _along(D: FloatArray, S: FloatArray) -> FloatArray:
    """The diagonals of DᵀS_jD, (R, K, d)."""
    return np.diagonal(seen_along(D, S), axis1=2, axis2=3)


def _with_axes(D: FloatArray, lengths: FloatArray) -> FloatArray:
    """D diag(lengths) Dᵀ; D is (R, K, d, d), or (R, d, d) where it is common."""
    D = D if D.ndim == 4 else D[:, np.newaxis]
    Sigma = (D * lengths[..., np.newaxis, :]) @ D.swapaxes(2, 3)
    return np.asarray((Sigma + Sigma.swapaxes(2, 3)) / 2)
