"""The mixture: K Gaussians, each with a weight.

New since ``gaussian``: the parameters θ = (α, μ, Σ) travel together as one immutable record,
which knows its density and can draw a sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from gmmlib.gaussian import log_gaussian, log_gaussian_diagonal
from gmmlib.validation import (
    FloatArray,
    as_floats,
    as_gaussians,
    as_tied,
    as_variances,
    as_weights,
    counted,
)


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Mixture:
    """A Gaussian mixture, p(x) = Σ_j α_j N(x; μ_j, Σ_j).

    The arrays are checked and copied on the way in, and read-only afterwards.

    Parameters
    ----------
    weights : (K,)
        α_j: not negative, summing to 1.
    means : (K, d), or (K,) when d = 1
        μ_j, in the units of the data.
    covariances : (K, d, d), or the variances (K,) when d = 1
        Σ_j, in the units of the data squared. For variances alone see :meth:`diagonal`.

    Raises
    ------
    TypeError
        For complex, sparse or non-numeric parameters.
    ValueError
        For shapes that do not fit, NaN or infinity, weights that are negative or do not sum to
        1, or a covariance that is not symmetric positive definite.

    Book: def-mixture.

    >>> mixture = Mixture(weights=[0.5, 0.5], means=[1, 2], covariances=[2, 2])
    >>> mixture.n_components, mixture.n_features
    (2, 1)
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray

    def __init__(self, weights: Any, means: Any, covariances: Any) -> None:
        mu, Sigma = as_gaussians(means, covariances)
        self._keep(weights, mu, "covariances", Sigma)

    def _keep(self, weights: Any, mu: FloatArray, name: str, spread: FloatArray) -> None:
        alpha = as_weights(weights)
        if len(alpha) != len(mu):
            raise ValueError(
                f"the number of weights is {len(alpha)}, but the number of means is {len(mu)}. "
                f"Pass one of each per component."
            )
        for key, array in (("weights", alpha), ("means", mu), (name, spread)):
            array.flags.writeable = False
            object.__setattr__(self, key, array)

    @classmethod
    def univariate(cls, weights: Any, means: Any, variances: Any) -> "Mixture":
        """A mixture on the line, from three arrays of shape (K,).

        ``variances`` are σ², not σ. Raises as the class does.

        Book: def-mixture.

        >>> Mixture.univariate(weights=[0.5, 0.5], means=[1, 2], variances=[2, 2])
        Mixture of 2 components in 1 dimension
          weight  mean  variance
             0.5     1         2
             0.5     2         2
        """
        for name, values in (("means", means), ("variances", variances)):
            shape = as_floats(values, name).shape
            if len(shape) != 1:
                raise ValueError(f"{name} have shape {shape}. Pass one number per component, (K,).")
        return cls(weights, means, variances)

    @staticmethod
    def diagonal(weights: Any, means: Any, variances: Any) -> "DiagonalMixture":
        """A mixture whose covariances are diagonal, from the variances (K, d) alone.

        ``means`` are (K, d). No matrix is made before ``covariances`` is asked for. Raises as the
        class does.

        Book: def-mixture.

        >>> Mixture.diagonal([0.5, 0.5], [[1, 2], [3, 4]], [[1, 4], [9, 1]]).covariances[1]
        array([[9., 0.],
               [0., 1.]])
        """
        return DiagonalMixture(weights, means, variances)

    @staticmethod
    def tied(weights: Any, means: Any, covariance: Any) -> "TiedMixture":
        """A mixture whose components share one covariance, (d, d).

        ``means`` are (K, d). The covariance is kept once. Raises as the class does.

        Book: def-mixture.

        >>> Mixture.tied([0.5, 0.5], [[1, 2], [3, 4]], [[2, 1], [1, 2]]).covariances[1]
        array([[2., 1.],
               [1., 2.]])
        """
        return TiedMixture(weights, means, covariance)

    @property
    def variances_by_column(self) -> FloatArray:
        """The diagonals of the Σ_j, (K, d)."""
        return np.diagonal(self.covariances, axis1=1, axis2=2)

    @property
    def n_components(self) -> int:
        """K."""
        return len(self.weights)

    @property
    def n_features(self) -> int:
        """The dimension d."""
        return int(self.means.shape[1])

    @property
    def variances(self) -> FloatArray:
        """σ_j² as (K,). Raises ``ValueError`` unless d = 1."""
        if self.n_features != 1:
            raise ValueError(
                f"variances are for mixtures on the line; this one has {self.n_features} "
                f"dimensions. Use covariances."
            )
        return self.covariances[:, 0, 0]

    def log_joint(self, X: Any) -> FloatArray:
        """log p(x_i, z_i = j) = log α_j + log g_j(x_i), as (n, K). Raises as :func:`log_gaussian`.

        Book: def-joint.
        """
        with np.errstate(divide="ignore"):  # a weight of 0 is allowed: its logarithm is -inf
            log_weights = np.log(self.weights)
        return log_weights + log_gaussian(X, self.means, self.covariances)

    def log_density(self, X: Any) -> FloatArray:
        """log p(x_i), as (n,). Raises as :func:`gmmlib.gaussian.log_gaussian`.

        Book: def-mixture, eq-log-sum-exp.

        >>> Mixture.univariate([0.5, 0.5], [1, 2], [2, 2]).log_density([0.9, 1.8]).round(4)
        array([-1.4068, -1.3477])
        """
        return np.asarray(logsumexp(self.log_joint(X), axis=1))

    def log_likelihood(self, X: Any) -> float:
        """ℓ(θ) = Σ_i log p(x_i): a sum, not a mean. Raises as :meth:`log_density`.

        Book: def-log-likelihood.
        """
        return float(self.log_density(X).sum())

    def sample(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> tuple[FloatArray, npt.NDArray[np.intp]]:
        """Draw n points and the labels they came from: first z_i, then x_i given z_i.

        Parameters
        ----------
        n : int
            How many points, at least 1.
        random_state : int, Generator or None
            The same int gives the same points.

        Returns
        -------
        X : (n, d)
        labels : (n,)
            Of the type of an index, which has 32 bits on some platforms.

        Raises
        ------
        TypeError
            If n is not a whole number.
        ValueError
            If n < 1.

        Book: def-joint.
        """
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
            raise TypeError(f"n must be a whole number, not {n!r}. Pass an int such as 100.")
        if n < 1:
            raise ValueError(f"n is {n}. Ask for at least 1 point.")
        rng = np.random.default_rng(random_state)
        labels = rng.choice(self.n_components, size=n, p=self.weights / self.weights.sum())
        noise = rng.standard_normal((n, self.n_features))
        X = self.means[labels]
        for j in range(self.n_components):
            own = labels == j
            L = np.linalg.cholesky(self.covariances[j])
            X[own] += np.einsum("cd,nd->nc", L, noise[own])
        return X, labels.astype(np.intp)

    def reordered(self, order: Sequence[int]) -> "Mixture":
        """The same density with its components in another order.

        Raises ``ValueError`` unless ``order`` holds each of 0..K-1 once.

        >>> mixture = Mixture.univariate([0.3, 0.7], [5, 2], [1, 4])
        >>> mixture.reordered(np.argsort(mixture.means[:, 0]))
        Mixture of 2 components in 1 dimension
          weight  mean  variance
             0.7     2         4
             0.3     5         1
        """
        index = np.asarray(order)
        if not np.array_equal(np.sort(index, axis=None), np.arange(self.n_components)) or (
            index.ndim != 1
        ):
            raise ValueError(
                f"order is {index.tolist()}. Name each of the components 0 to "
                f"{self.n_components - 1} once, in one list."
            )
        index = index.astype(np.intp)
        return self._with_components(index)

    def _with_components(self, index: npt.NDArray[np.intp]) -> "Mixture":
        return Mixture(self.weights[index], self.means[index], self.covariances[index])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mixture):
            return NotImplemented
        return (
            np.array_equal(self.weights, other.weights)
            and np.array_equal(self.means, other.means)
            and np.array_equal(self.covariances, other.covariances)
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Mixture, (self.weights, self.means, self.covariances)

    def __repr__(self) -> str:
        K, d = self.n_components, self.n_features
        text = (
            f"Mixture of {counted(K, 'component', 'components')} in "
            f"{counted(d, 'dimension', 'dimensions')}"
        )
        third = "variance" if d == 1 else "standard deviations"
        rows = [("weight", "mean", third)]
        columns = self.variances_by_column
        for alpha, mu, variances in zip(self.weights, self.means, columns, strict=True):
            spread = variances if d == 1 else np.sqrt(variances)
            rows.append((f"{alpha:.6g}", _few(mu), _few(spread)))
        widths = [max(len(row[c]) for row in rows) for c in range(3)]
        for row in rows:
            text += "\n  " + "  ".join(f"{row[c]:>{widths[c]}}" for c in range(3))
        return text


class DiagonalMixture(Mixture):
    """A mixture whose covariances are diagonal; it keeps their variances, (K, d), and no matrix.

    See :meth:`Mixture.diagonal`.
    """

    _variances: FloatArray

    def __init__(self, weights: Any, means: Any, variances: Any) -> None:
        mu, kept = as_variances(means, variances)
        self._keep(weights, mu, "_variances", kept)

    @property
    def variances_by_column(self) -> FloatArray:
        """The variances, (K, d)."""
        return self._variances

    @property
    def covariances(self) -> FloatArray:
        """Σ_j, (K, d, d), made anew at each call."""
        Sigma = self.variances_by_column[:, :, np.newaxis] * np.eye(self.n_features)
        Sigma.flags.writeable = False
        return Sigma

    def log_joint(self, X: Any) -> FloatArray:
        """As :meth:`Mixture.log_joint`.

        Book: def-joint.
        """
        with np.errstate(divide="ignore"):
            log_weights = np.log(self.weights)
        return log_weights + log_gaussian_diagonal(X, self.means, self.variances_by_column)

    def sample(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> tuple[FloatArray, npt.NDArray[np.intp]]:
        """As :meth:`Mixture.sample`, and the same points.

        Book: def-joint.
        """
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            return super().sample(n, random_state)  # raises
        rng = np.random.default_rng(random_state)
        labels = rng.choice(self.n_components, size=n, p=self.weights / self.weights.sum())
        noise = rng.standard_normal((n, self.n_features))
        X = self.means[labels] + np.sqrt(self._variances)[labels] * noise
        return X, labels.astype(np.intp)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DiagonalMixture):
            return super().__eq__(other)
        return all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("weights", "means", "_variances")
        )

    __hash__ = None

    def _with_components(self, index: npt.NDArray[np.intp]) -> Mixture:
        return DiagonalMixture(self.weights[index], self.means[index], self._variances[index])

    def __reduce__(self) -> tuple[Any, ...]:
        return DiagonalMixture, (self.weights, self.means, self._variances)


class TiedMixture(Mixture):
    """A mixture whose components share one covariance; it keeps it once, (d, d).

    See :meth:`Mixture.tied`.
    """

    _covariance: FloatArray

    def __init__(self, weights: Any, means: Any, covariance: Any) -> None:
        mu, kept = as_tied(means, covariance)
        self._keep(weights, mu, "_covariance", kept)

    @property
    def covariances(self) -> FloatArray:
        """Σ_j, (K, d, d): a view of the one."""
        return np.broadcast_to(self._covariance, (self.n_components, *self._covariance.shape))

    def _with_components(self, index: npt.NDArray[np.intp]) -> Mixture:
        return TiedMixture(self.weights[index], self.means[index], self._covariance)

    def __reduce__(self) -> tuple[Any, ...]:
        return TiedMixture, (self.weights, self.means, self._covariance)


def _few(values: FloatArray) -> str:
    shown = ", ".join(f"{value:.6g}" for value in values[:4])
    return shown + (", …" if len(values) > 4 else "")
