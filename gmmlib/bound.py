"""What EM climbs: a lower bound on the log-likelihood that touches it after each E-step.

New since ``em``: the labels are taken as if they were known (``complete_data_log_likelihood``),
then averaged over any guess q at them. The guess, not only the posterior, is an argument.
"""

from typing import Any

import numpy as np
from scipy.special import rel_entr, xlogy

from gmmlib.mixture import Mixture
from gmmlib.validation import as_data, as_labels, as_responsibilities


def complete_data_log_likelihood(X: Any, labels: Any, mixture: Mixture) -> float:
    """log p(X, z; θ) = Σ_i log α_{z_i} + log g_{z_i}(x_i), for known labels.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    labels : (n,)
        z_i, whole numbers in 0..K-1.
    mixture : Mixture

    Raises
    ------
    TypeError, ValueError
        For bad data, or labels that are not n whole numbers in 0..K-1.

    Book: def-complete-data.
    """
    X = as_data(X, n_features=mixture.n_features)
    z = as_labels(labels, n=len(X), K=mixture.n_components)
    return float(mixture.log_joint(X)[np.arange(len(X)), z].sum())


def expected_complete_data_log_likelihood(X: Any, responsibilities: Any, mixture: Mixture) -> float:
    """Q = Σ_ij β_ij (log α_j + log g_j(x_i)): the complete-data log-likelihood, averaged.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    responsibilities : (n, K)
        Any probabilities over the labels, rows summing to 1.
    mixture : Mixture

    Raises
    ------
    TypeError, ValueError
        For bad data, or responsibilities that are not (n, K) probabilities.

    Book: def-expected-complete-data.
    """
    X = as_data(X, n_features=mixture.n_features)
    q = as_responsibilities(responsibilities, n=len(X), K=mixture.n_components)
    log_joint = mixture.log_joint(X)
    return float((q * np.where(q > 0, log_joint, 0)).sum())  # 0 · log 0 = 0


def entropy(responsibilities: Any) -> float:
    """H(q) = -Σ_ij q_ij log q_ij, in nats, with 0 log 0 = 0.

    Raises ``TypeError`` or ``ValueError`` unless ``responsibilities`` are (n, K) probabilities.

    Book: def-entropy.

    >>> round(entropy([[0.5, 0.5], [1.0, 0.0]]), 6)
    0.693147
    """
    q = as_responsibilities(responsibilities)
    return float(np.sum(-xlogy(q, q)))


def lower_bound(X: Any, responsibilities: Any, mixture: Mixture) -> float:
    """L(q, θ) = Q + H(q): never above the log-likelihood, equal to it when q is the posterior.

    Raises as :func:`expected_complete_data_log_likelihood`.

    Book: def-lower-bound, eq-bound-gap.
    """
    return expected_complete_data_log_likelihood(X, responsibilities, mixture) + entropy(
        responsibilities
    )


def kl_divergence(q: Any, p: Any) -> float:
    """KL(q ‖ p) = Σ_ij q_ij log(q_ij / p_ij), in nats: at least 0, and 0 only if q = p.

    Parameters
    ----------
    q, p : (n, K)
        Probabilities over the labels, rows summing to 1.

    Returns
    -------
    float
        Infinite where p is 0 and q is not.

    Raises
    ------
    TypeError, ValueError
        Unless both are (n, K) probabilities of the same shape.

    Book: def-kl.
    """
    q = as_responsibilities(q, name="q")
    p = as_responsibilities(p, n=q.shape[0], K=q.shape[1], name="p")
    return float(rel_entr(q, p).sum())
