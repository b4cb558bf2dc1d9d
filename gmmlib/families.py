"""The fourteen families of covariances, beside their derivation: Σ_j = λ_j V_j A_j V_jᵀ.

New since ``em``: what the components have in common. Volume λ_j, shape A_j and orientation V_j are
each equal in all components (E), vary (V), or are those of the identity (I), and three letters
name the family, as in mclust. This is a thin face: ``gmmlib.models`` has the estimates.

Shapes::

    counts        (K,)        N_j, or the weights: only their shares matter
    covariances   (K, d, d)   S_j, each component's own
    volumes       (K,)        λ_j, in the units of the data squared
    shapes        (K, d)      the diagonals of A_j, descending, with product 1
    orientations  (K, d, d)   V_j, whose columns are the axes
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gmmlib.models import MCLUST_TYPES, ON_THE_LINE, Family, family_of
from gmmlib.validation import FloatArray, as_floats, as_gaussians


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Volumes (K,), shapes (K, d) and orientations (K, d, d) of K covariances.

    Book: def-volume-shape-orientation.
    """

    volumes: FloatArray
    shapes: FloatArray
    orientations: FloatArray

    def composed(self) -> FloatArray:
        """The covariances again, (K, d, d).

        Book: def-volume-shape-orientation.
        """
        V = self.orientations
        Sigma = (V * (self.volumes[:, np.newaxis] * self.shapes)[:, np.newaxis]) @ V.swapaxes(1, 2)
        return np.asarray((Sigma + Sigma.swapaxes(1, 2)) / 2)


def names(d: int = 2) -> tuple[str, ...]:
    """The families for data with d columns: fourteen, or E and V on the line.

    Raises ``TypeError`` or ``ValueError`` unless d is a whole number of at least 1.

    >>> names(1)
    ('E', 'V')
    >>> len(names(2))
    14
    """
    return tuple(ON_THE_LINE) if _size(d, "d") == 1 else MCLUST_TYPES


def decompose(covariances: Any) -> Decomposition:
    """Volume, shape and orientation of each covariance.

    Parameters
    ----------
    covariances : (K, d, d), or one alone, (d, d)
        Symmetric and positive definite.

    Returns
    -------
    Decomposition
        Of a single covariance with K = 1. An axis may as well point the other way, and where two
        lengths are equal the axes are not unique.

    Raises
    ------
    ValueError
        For another shape, or for a matrix that is not symmetric positive definite.

    Book: def-volume-shape-orientation.

    >>> parts = decompose([[[2, 0], [0, 8]], [[1, 0], [0, 1]]])
    >>> parts.volumes, parts.shapes[0]
    (array([4., 1.]), array([2. , 0.5]))
    """
    Sigma = _as_covariances(covariances)
    lengths, axes = np.linalg.eigh(Sigma)
    volumes = np.exp(np.log(lengths).mean(axis=1))
    shapes = lengths[:, ::-1] / volumes[:, np.newaxis]
    return Decomposition(volumes, shapes, np.ascontiguousarray(axes[:, :, ::-1]))


def misfit(counts: Any, covariances: Any, members: Any) -> float:
    """F = Σ_j α_j (log det Σ_j + tr Σ_j⁻¹S_j): what an M-step makes small.

    Parameters
    ----------
    counts : (K,)
        N_j; α_j are their shares.
    covariances : (K, d, d)
        S_j, each component's own.
    members : (K, d, d)
        Σ_j.

    Raises
    ------
    ValueError
        For counts that are not above 0, or for covariances that do not fit.

    Book: def-misfit.

    >>> misfit([1, 1], [[[1]], [[3]]], [[[2]], [[2]]])
    1.6931471805599454
    """
    S, Sigma = _as_covariances(covariances), _as_covariances(members)
    if S.shape != Sigma.shape:
        raise ValueError(
            f"covariances have shape {S.shape}, but members {Sigma.shape}. Pass one Σ_j per S_j."
        )
    alpha = _as_shares(counts, len(S))
    traces = np.trace(np.linalg.solve(Sigma, S), axis1=1, axis2=2)
    return float(alpha @ (np.linalg.slogdet(Sigma)[1] + traces))


def m_step_covariances(name: str, counts: Any, covariances: Any) -> FloatArray:
    """The family's covariances with the smallest misfit: its M-step.

    Parameters
    ----------
    name : str
        Three letters as in mclust, E or V on the line, or one of scikit-learn's four.
    counts : (K,)
        N_j; only their shares matter.
    covariances : (K, d, d)
        S_j, each component's own, around its new mean.

    Returns
    -------
    Sigma : (K, d, d)

    Raises
    ------
    ValueError
        For a name that there is not, or that is not for d columns, for counts that are not above
        0, and for matrices that are not symmetric positive definite.

    Notes
    -----
    For VEI, VEE and VEV the misfit is convex in the logarithms of the volumes, so this is the
    smallest. For EVE and VVE the axes are searched for: in the plane from 24 angles, with more
    columns from one place, until no step leads lower.

    Book: eq-vii, eq-eii, eq-vvi, eq-eei, eq-one-volume, eq-mean-lengths, eq-best-volumes,
    eq-best-shape, eq-common-axes.

    >>> S = [[[1, 0], [0, 1]], [[2, 0], [0, 8]]]
    >>> m_step_covariances("EII", [10, 10], S)[1]
    array([[3., 0.],
           [0., 3.]])
    >>> m_step_covariances("EVV", [10, 10], S).round(2).tolist()
    [[[2.5, 0.0], [0.0, 2.5]], [[1.25, 0.0], [0.0, 5.0]]]
    """
    S = _as_covariances(covariances)
    K, d, _ = S.shape
    family = _family(name, d)
    alpha = _as_shares(counts, K)
    own = np.diagonal(S, axis1=1, axis2=2) if family.diagonal else S
    found = family.estimate(alpha[np.newaxis], own[np.newaxis].copy(), np.ones(d))[0]
    found = np.broadcast_to(found, (K, *found.shape[1:]))
    if family.diagonal:
        variances = np.broadcast_to(found, (K, d))
        return np.asarray(variances[:, :, np.newaxis] * np.eye(d))
    return np.array(found)


def n_parameters(name: str, K: int, d: int) -> int:
    """Free numbers of the whole mixture: weights, means and covariances.

    Raises ``TypeError`` or ``ValueError`` for K or d below 1, or a name that there is not.

    Book: eq-count.

    >>> n_parameters("VEV", 2, 4)
    26
    >>> {name: n_parameters(name, 3, 2) for name in ("EII", "EEE", "VVV")}
    {'EII': 9, 'EEE': 11, 'VVV': 17}
    """
    K, d = _size(K, "K"), _size(d, "d")
    return K - 1 + K * d + _family(name, d).n_parameters(K, d)


def _family(name: str, d: int) -> Family:
    family = family_of(name)
    if family.one_column and d != 1:
        raise ValueError(
            f"the family {name!r} is for data with one column, and d is {d}. "
            f"Choose one of {', '.join(map(repr, MCLUST_TYPES))}."
        )
    return family


def _size(number: Any, name: str) -> int:
    if isinstance(number, (bool, np.bool_)) or not isinstance(number, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, not {number!r}. Pass an int such as 2.")
    if number < 1:
        raise ValueError(f"{name} is {number}. Pass at least 1.")
    return int(number)


def _as_covariances(covariances: Any) -> FloatArray:
    Sigma = as_floats(covariances, "covariances")
    if Sigma.ndim == 2:
        Sigma = Sigma[np.newaxis]
    if Sigma.ndim != 3 or Sigma.shape[1] != Sigma.shape[2] or Sigma.size == 0:
        raise ValueError(
            f"covariances have shape {np.shape(covariances)}. Pass one square matrix per "
            f"component, shape (K, d, d)."
        )
    return as_gaussians(np.zeros(Sigma.shape[:2]), Sigma)[1]


def _as_shares(counts: Any, K: int) -> FloatArray:
    N = as_floats(counts, "counts")
    if N.shape != (K,):
        raise ValueError(f"counts have shape {N.shape}. Pass one number per component, {(K,)}.")
    if not (N > 0).all():
        raise ValueError(
            f"counts are {N.tolist()}. Each must be above 0: leave out a component that holds no "
            f"observation."
        )
    return np.asarray(N / N.sum())
