"""Starts for ``fit`` of the book.

Equal weights, K different observations as means, and the covariance of all the data for every
component.
"""

from typing import Any

import numpy as np

from gmmlib.em import m_step
from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray, as_data, as_n_components


def random_points(
    X: Any, n_components: int, random_state: int | np.random.Generator | None = None
) -> Mixture:
    """A start whose means are K different observations, each choice equally likely.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    n_components : int
        K, from 1 to the number of different observations.
    random_state : int, Generator or None
        The same int gives the same start.

    Returns
    -------
    Mixture

    Raises
    ------
    TypeError, ValueError
        For bad data, or K out of range.

    Book: def-start.
    """
    X = as_data(X)
    points = _different_rows(X, n_components)
    rng = np.random.default_rng(random_state)
    return _around(X, points[rng.choice(len(points), size=n_components, replace=False)])


def k_means_plus_plus(
    X: Any, n_components: int, random_state: int | np.random.Generator | None = None
) -> Mixture:
    """A start whose means are spread out: each next one is drawn with probability ∝ D(x)².

    D(x) is the distance to the nearest mean so far (Arthur and Vassilvitskii 2007), in units of
    each column's standard deviation. The drawing is scikit-learn's ``kmeans_plusplus``.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    n_components : int
        K, from 1 to the number of different observations.
    random_state : int, Generator or None
        The same int gives the same start.

    Returns
    -------
    Mixture

    Raises
    ------
    TypeError, ValueError
        For bad data, or K out of range.

    Book: def-start.
    """
    from sklearn.cluster import kmeans_plusplus  # takes most of a second to load

    X = as_data(X)
    _different_rows(X, n_components)
    seed = int(np.random.default_rng(random_state).integers(2**31))
    everything = _all_as_one(X)
    standardised = (X - everything.means[0]) / np.sqrt(np.diag(everything.covariances[0]))
    _, index = kmeans_plusplus(standardised, n_components, random_state=seed)
    return _around(X, X[index])


def _different_rows(X: FloatArray, n_components: int) -> FloatArray:
    K = as_n_components(n_components, n=len(X))
    rows = np.unique(X, axis=0)
    if K > len(rows):
        raise ValueError(
            f"n_components is {K}, but X has only {len(rows)} different rows. "
            f"Ask for at most {len(rows)} components: two equal means never part under EM."
        )
    return rows


def _around(X: FloatArray, means: FloatArray) -> Mixture:
    K = len(means)
    return Mixture(np.full(K, 1 / K), means, np.repeat(_all_as_one(X).covariances, K, axis=0))


def _all_as_one(X: FloatArray) -> Mixture:
    return m_step(X, np.ones((len(X), 1)))
