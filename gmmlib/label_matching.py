"""Which component is which: names are arbitrary, so two fits are matched before they are compared.

New since ``mixture``: a component's number has no meaning, and two runs of EM may number the same
components differently. Each function here finds, among all K! ways to name the components anew,
one that agrees best with a reference. The three differ in what they are given: labels,
responsibilities, or the mixtures themselves. The search is SciPy's ``linear_sum_assignment``.

An order, (K,), is read as :meth:`Mixture.reordered` reads it: ``order[j]`` is the component that
takes the place of the reference's component j, so ``responsibilities[:, order]`` are in the
reference's order too.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from gmmlib.guards import require_mixture
from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray, as_floats, as_responsibilities, counted

_APART = 1e-9  # an affinity below this is lost in a sum that has ones in it


def match_labels(labels: Any, reference: Any) -> npt.NDArray[np.intp]:
    """The same clusters with the reference's names: those that agree at most observations.

    Parameters
    ----------
    labels : (n,)
        The cluster of each observation: whole numbers, at least 0.
    reference : (n,)
        What they are compared with, of the same kind. It may have more names or fewer.

    Returns
    -------
    (n,)
        No two clusters get the same name. If there are more clusters than the reference has
        names, those that are left over get new ones, from its largest name plus 1 on, in the
        order of their numbers. If several namings agree equally well, one of them is returned,
        always the same.

    Raises
    ------
    TypeError, ValueError
        For labels that are not whole numbers from 0 on, or not as many as the reference has.

    Book: eq-best-naming.

    >>> match_labels([2, 2, 0, 0, 1], reference=[0, 0, 1, 1, 1])
    array([0, 0, 1, 1, 2])
    """
    found = _as_names(labels, "labels")
    wanted = _as_names(reference, "reference")
    if len(found) != len(wanted):
        raise ValueError(
            f"there are {counted(len(found), 'label', 'labels')}, but the reference has "
            f"{len(wanted)}. Pass one of each per observation, in the same order."
        )
    clusters, cluster = np.unique(found, return_inverse=True)
    names, name = np.unique(wanted, return_inverse=True)
    table = np.zeros((len(clusters), len(names)))
    np.add.at(table, (cluster, name), 1)  # def-contingency
    rows, columns = linear_sum_assignment(table, maximize=True)  # eq-best-naming
    renamed = np.full(len(clusters), -1)
    renamed[rows] = names[columns]
    left_over = renamed < 0
    renamed[left_over] = names[-1] + 1 + np.arange(left_over.sum())
    return renamed[cluster].astype(np.intp)


def match_responsibilities(responsibilities: Any, reference: Any) -> npt.NDArray[np.intp]:
    """The order of the columns that brings responsibilities nearest to others.

    Nearest is meant by least squares, which is the same as the largest expected number of
    agreements, if both labels of each observation are drawn from their shares.

    Parameters
    ----------
    responsibilities, reference : (n, K)
        Probabilities, each row summing to 1; 0/1 entries where labels are known.

    Returns
    -------
    order : (K,)
        ``responsibilities[:, order]`` is in the reference's order. If several orders are equally
        near, one of them is returned, always the same.

    Raises
    ------
    TypeError, ValueError
        Unless both are (n, K) probabilities of the same shape.

    Book: eq-nearest-shares.

    >>> match_responsibilities([[0.1, 0.9], [0.8, 0.2]], reference=[[1, 0], [0, 1]])
    array([1, 0])
    """
    gamma = as_responsibilities(reference, name="reference")
    beta = as_responsibilities(responsibilities, n=len(gamma))
    _require_as_many(beta.shape[1], gamma.shape[1])
    return _best_order(gamma.T @ beta)


def match_mixtures(mixture: Mixture, reference: Mixture) -> npt.NDArray[np.intp]:
    """The order in which a mixture's components are most like those of another mixture.

    Like is meant by the joint density of point and label: the order makes the Hellinger distance
    between α_j g_j(x) and the reference's smallest. It does not depend on the units of the data.
    Components that overlap with none that is left for them are matched among themselves, by the
    smallest sum of Bhattacharyya distances.

    Parameters
    ----------
    mixture, reference : Mixture
        With the same K and d.

    Returns
    -------
    order : (K,)
        For :meth:`Mixture.reordered`.

    Raises
    ------
    TypeError
        If one of them is not a ``Mixture``.
    ValueError
        If K or d differ.

    Book: eq-affinity, eq-hellinger.

    >>> reference = Mixture.univariate([0.4, 0.6], [55, 80], [36, 36])
    >>> mixture = Mixture.univariate([0.7, 0.3], [79, 54], [30, 40])
    >>> mixture.reordered(match_mixtures(mixture, reference))
    Mixture of 2 components in 1 dimension
      weight  mean  variance
         0.3    54        40
         0.7    79        30
    """
    require_mixture(mixture)
    require_mixture(reference)
    _require_as_many(mixture.n_components, reference.n_components)
    if mixture.n_features != reference.n_features:
        raise ValueError(
            f"the mixture has {counted(mixture.n_features, 'dimension', 'dimensions')}, but the "
            f"reference has {reference.n_features}. Compare mixtures of the same data."
        )
    away = bhattacharyya_distances(reference, mixture)
    affinity = np.sqrt(np.outer(reference.weights, mixture.weights)) * np.exp(-away)  # eq-affinity
    order = _best_order(affinity)  # eq-hellinger
    alone = np.flatnonzero(affinity[np.arange(len(order)), order] < _APART)
    if len(alone) > 1:
        among = order[alone]
        order[alone] = among[_best_order(-away[np.ix_(alone, among)])]
    return order


def bhattacharyya_distances(a: Mixture, b: Mixture) -> FloatArray:
    """-log ∫ √(g_j(x) h_k(x)) dx for the components g_j of one mixture and h_k of another.

    Returns an array, (K of a, K of b): 0 where two components are the same Gaussian, whatever
    their weights. Raises ``TypeError`` or ``ValueError`` unless both are mixtures of the same d.

    Book: eq-affinity.

    >>> a = Mixture.univariate([1], [0], [1])
    >>> bhattacharyya_distances(a, Mixture.univariate([0.5, 0.5], [0, 4], [1, 1]))
    array([[0., 2.]])
    """
    require_mixture(a)
    require_mixture(b)
    if a.n_features != b.n_features:
        raise ValueError(
            f"the mixtures have {a.n_features} and {b.n_features} dimensions. "
            f"Compare mixtures of the same data."
        )
    half_a, half_b = (np.linalg.slogdet(m.covariances)[1] / 4 for m in (a, b))
    between = (a.covariances[:, np.newaxis] + b.covariances) / 2  # (K, K', d, d)
    L = np.linalg.cholesky(between)
    gaps = (a.means[:, np.newaxis] - b.means)[..., np.newaxis]
    whitened = np.linalg.solve(L, gaps)[..., 0]
    half = np.log(np.diagonal(L, axis1=2, axis2=3)).sum(axis=2)
    away = (whitened**2).sum(axis=2) / 8 + half - half_a[:, np.newaxis] - half_b
    return np.asarray(np.maximum(away, 0))  # equal ones differ from 0 by rounding


def _best_order(gain: FloatArray) -> npt.NDArray[np.intp]:
    """order, with the largest Σ_j gain[j, order[j]]."""
    return np.asarray(linear_sum_assignment(gain, maximize=True)[1], dtype=np.intp)


def _as_names(labels: Any, name: str) -> npt.NDArray[np.intp]:
    if np.asarray(labels).dtype.kind in "OSU":
        raise TypeError(
            f"{name} must be whole numbers, but they are {np.asarray(labels).ravel()[:1].tolist()} "
            f"and so on. Turn names into numbers: np.unique({name}, return_inverse=True)[1]."
        )
    z = as_floats(labels, name)
    if z.ndim != 1 or z.size == 0:
        raise ValueError(f"{name} have shape {z.shape}. Pass one label per observation, (n,).")
    bad = (z != np.round(z)) | (z < 0)
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"{name} must be whole numbers from 0 on, but number {i} (counting from 0) is "
            f"{z[i]:g}. Mark what has no label with a number of its own, or leave it out."
        )
    return z.astype(np.intp)


def _require_as_many(K: int, K_reference: int) -> None:
    if K != K_reference:
        raise ValueError(
            f"there are {counted(K, 'component', 'components')}, but the reference has "
            f"{K_reference}. An order exists for equal numbers only; for different ones give the "
            f"labels to match_labels."
        )
