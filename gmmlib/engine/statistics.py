"""The exponential family: log α_j g_j(x) is linear in the statistics T(x)."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gmmlib.engine.parameters import Parameters
from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray


def sufficient_statistics(X: FloatArray, diagonal: bool = False) -> FloatArray:
    """T(x) = (1, x, x_a x_b for a ≤ b), a column for each observation: (d, m) to (P, m).

    P = 1 + d + d(d + 1)/2, with the products in the order of ``numpy.triu_indices``; ``diagonal``
    leaves only the squares, P = 1 + 2d.

    Book: def-sufficient-statistics.

    >>> sufficient_statistics(np.array([[2.0], [3.0]])).ravel()
    array([1., 2., 3., 4., 6., 9.])
    """
    d, m = X.shape
    T = np.empty((1 + d + (d if diagonal else d * (d + 1) // 2), m))
    T[0] = 1
    T[1 : 1 + d] = X
    if diagonal:
        np.square(X, out=T[1 + d :])
        return T
    row = 1 + d
    for a in range(d):
        np.multiply(X[a], X[a:], out=T[row : row + d - a])
        row += d - a
    return T


def natural_parameters(mixture: Mixture) -> FloatArray:
    """Θ, a row for each component: log α_j g_j(x) = Θ_j T(x), so (K, P).

    Book: eq-natural-parameters.

    >>> mixture = Mixture.univariate([0.5, 0.5], [1, 2], [2, 2])
    >>> log_joint = natural_parameters(mixture) @ sufficient_statistics(np.array([[0.9, 2.4]]))
    >>> np.allclose(log_joint.T, mixture.log_joint([0.9, 2.4]), rtol=1e-14)
    True
    """
    return theta_of(Parameters.of([mixture], "full"))


def theta_of(p: Parameters) -> FloatArray:
    """Θ of R mixtures, (R K, P)."""
    R, K, d = p.means.shape
    if p.diagonal:
        Lambda = p.W**2
        b = Lambda * p.means
        second = -0.5 * Lambda
    else:
        full = p.W.swapaxes(2, 3) @ p.W  # Σ⁻¹
        b = (full @ p.means[..., np.newaxis])[..., 0]
        rows, columns, factor = pairs(d)
        second = factor * full[:, :, rows, columns]
    Theta = np.empty((R, K, 1 + d + second.shape[2]))
    Theta[..., 0] = p.log_c - 0.5 * (b * p.means).sum(axis=2)
    Theta[..., 1 : 1 + d] = b
    Theta[..., 1 + d :] = second
    return Theta.reshape(R * K, -1)


@lru_cache(maxsize=16)
def pairs(d: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]:
    """The pairs a ≤ b, and -½ or -1: x_a x_b stands for x_b x_a too."""
    rows, columns = np.triu_indices(d)
    return rows, columns, np.where(rows == columns, -0.5, -1.0)
