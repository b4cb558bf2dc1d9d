"""The EM algorithm for a Gaussian mixture, as the book derives it.

New since ``mixture``: ``e_step`` asks whose each point is, ``m_step`` re-estimates the
parameters from the answers, and ``fit`` takes turns until the log-likelihood stops rising.
"""

import numbers
import reprlib
import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import logsumexp, softmax

from gmmlib.mixture import Mixture
from gmmlib.validation import (
    FloatArray,
    as_data,
    as_n_components,
    as_responsibilities,
    counted,
    is_positive_definite,
)

CovarianceType = Literal["full", "tied"]


def e_step(X: Any, mixture: Mixture) -> tuple[FloatArray, float]:
    """Responsibilities β_ij = p(z_i = j | x_i) and the log-likelihood, both under ``mixture``.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    mixture : Mixture

    Returns
    -------
    responsibilities : (n, K)
        Each row sums to 1, however far the point is from every mean.
    log_likelihood : float
        ℓ(θ), the sum over observations.

    Raises
    ------
    TypeError, ValueError
        As :func:`gmmlib.gaussian.log_gaussian`; also for a point so far away that its squared
        distance overflows.

    Book: eq-responsibilities, eq-log-sum-exp, def-log-likelihood.

    >>> mixture = Mixture.univariate(weights=[0.5, 0.5], means=[1, 2], variances=[2, 2])
    >>> responsibilities, log_likelihood = e_step([0.9, 2.4], mixture)
    >>> responsibilities.round(3)
    array([[0.574, 0.426],
           [0.389, 0.611]])
    """
    _require_mixture(mixture)
    log_joint = mixture.log_joint(X)  # (n, K)  def-joint
    log_density = logsumexp(log_joint, axis=1)  # (n,)  eq-log-sum-exp
    _require_finite_density(log_density)
    responsibilities = softmax(log_joint, axis=1)  # (n, K)  eq-responsibilities
    return responsibilities, float(log_density.sum())


def m_step(X: Any, responsibilities: Any, covariance_type: CovarianceType = "full") -> Mixture:
    """The mixture that maximises the expected complete-data log-likelihood.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    responsibilities : (n, K)
        β_ij, rows summing to 1; 0/1 entries where the labels are known.
    covariance_type : 'full' or 'tied'
        One covariance for each component, or one that all share.

    Returns
    -------
    Mixture

    Raises
    ------
    CollapseError
        If a component has no observations left, or no spread.
    TypeError, ValueError
        For bad data, responsibilities that are not (n, K) probabilities, an unknown
        ``covariance_type``, or data that do not span d dimensions (too few rows, a constant
        column, columns that determine one another).

    Book: eq-m-step-weights, eq-m-step-means, eq-m-step-covariances, eq-m-step-tied.

    >>> m_step([0.0, 2.0, 10.0, 14.0], [[1, 0], [1, 0], [0, 1], [0, 1]])
    Mixture of 2 components in 1 dimension
      weight  mean  variance
         0.5     1         1
         0.5    12         4
    """
    X = as_data(X)
    beta = as_responsibilities(responsibilities, n=len(X))
    _require_covariance_type(covariance_type)
    _require_columns(X)
    counts = beta.sum(axis=0)  # (K,)  def-counts
    _require_observations(counts)
    weights = counts / len(X)  # eq-m-step-weights
    means = beta.T @ X / counts[:, np.newaxis]  # eq-m-step-means
    covariances = np.empty((len(counts), X.shape[1], X.shape[1]))
    for j in range(len(counts)):
        centered = X - means[j]
        covariances[j] = (beta[:, j] * centered.T) @ centered / counts[j]  # eq-m-step-covariances
    if covariance_type == "tied":
        covariances[:] = np.tensordot(weights, covariances, axes=1)  # eq-m-step-tied
    _require_spread(X, counts, means, covariances, covariance_type)
    return Mixture(weights, means, covariances)


def fit(
    X: Any,
    start: Mixture,
    *,
    covariance_type: CovarianceType = "full",
    tol: float | None = 1e-9,
    max_iter: int = 5000,
) -> "Fit":
    """EM from ``start``: E-step and M-step in turn until the log-likelihood stops rising.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    start : Mixture
        The first mixture visited; K and d are read from it.
    covariance_type : 'full' or 'tied'
    tol : float or None
        Stop when one iteration raises the log-likelihood by at most ``tol`` per observation
        (nats). ``None`` takes exactly ``max_iter`` iterations.
    max_iter : int
        At most this many iterations, at least 0.

    Returns
    -------
    Fit

    Warns
    -----
    ConvergenceWarning
        If ``max_iter`` iterations were not enough for ``tol``.

    Raises
    ------
    CollapseError
        If a component collapses; its ``fit`` holds the run up to the last sound mixture.
    TypeError, ValueError
        For bad data, more components than observations, or options out of range.

    Book: alg-em, eq-ascent.

    >>> start = Mixture.univariate(weights=[0.5, 0.5], means=[1, 2], variances=[2, 2])
    >>> result = fit([0.9, 0.7, 1.2, 2.4, 1.8], start)
    >>> result.converged, round(result.log_likelihood, 5)
    (True, -3.29019)
    """
    _require_mixture(start)
    X = as_data(X, n_features=start.n_features)
    as_n_components(start.n_components, n=len(X))
    _require_options(covariance_type, tol, max_iter)

    mixture = start
    responsibilities, log_likelihood = e_step(X, mixture)
    history = [log_likelihood]
    for step in range(1, max_iter + 1):
        try:
            mixture = m_step(X, responsibilities, covariance_type)
        except CollapseError as error:
            so_far = Fit(mixture, np.array(history), False, f"stopped at iteration {step}: {error}")
            raise CollapseError(error.component, error.reason, step, so_far) from None
        responsibilities, log_likelihood = e_step(X, mixture)
        history.append(log_likelihood)
        if tol is not None and history[-1] - history[-2] <= tol * len(X):
            break
    converged, reason = _verdict(history, len(X), tol, max_iter)
    if tol is not None and not converged:
        warnings.warn(reason, ConvergenceWarning, stacklevel=2)
    return Fit(mixture, np.array(history), converged, reason)


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """What :func:`fit` returns.

    Attributes
    ----------
    mixture : Mixture
        The last mixture visited.
    log_likelihoods : (n_iter + 1,)
        ℓ of every mixture visited, from the start to ``mixture`` itself.
    converged : bool
    reason : str
        Why the run stopped, with the numbers.

    Book: alg-em.
    """

    mixture: Mixture
    log_likelihoods: FloatArray
    converged: bool
    reason: str

    def __post_init__(self) -> None:
        history = np.array(self.log_likelihoods, dtype=np.float64)
        history.flags.writeable = False
        object.__setattr__(self, "log_likelihoods", history)

    def __reduce__(self) -> tuple[Any, ...]:
        return Fit, (self.mixture, self.log_likelihoods, self.converged, self.reason)

    @property
    def log_likelihood(self) -> float:
        """ℓ of ``mixture``, a sum over observations."""
        return float(self.log_likelihoods[-1])

    @property
    def n_iter(self) -> int:
        """How many times both steps were taken."""
        return len(self.log_likelihoods) - 1

    def __repr__(self) -> str:
        return f"{self.mixture!r}\nlog-likelihood {self.log_likelihood:.6f}; {self.reason}"


class ConvergenceWarning(UserWarning):
    """The run ended before the log-likelihood stopped rising."""


class CollapseError(ValueError):
    """A component lost its observations or its spread, so the next step does not exist.

    Attributes
    ----------
    component : int
        Which, counting from 0.
    reason : str
    step : int or None
        The iteration of :func:`fit` in which it happened, counting from 1.
    fit : Fit or None
        The run up to the last sound mixture.
    """

    def __init__(
        self, component: int, reason: str, step: int | None = None, fit: "Fit | None" = None
    ) -> None:
        super().__init__(component, reason, step, fit)
        self.component = component
        self.reason = reason
        self.step = step
        self.fit = fit

    def __str__(self) -> str:
        when = "" if self.step is None else f" at iteration {self.step}"
        return (
            f"component {self.component} (counting from 0) collapsed{when}: {self.reason}. "
            f"Start from other means or wider covariances, or ask for fewer components."
        )


def _verdict(history: list[float], n: int, tol: float | None, max_iter: int) -> tuple[bool, str]:
    n_iter = len(history) - 1
    if tol is None:
        asked = counted(n_iter, "iteration", "iterations")
        return False, f"took the {asked} asked for, without a test of convergence"
    if n_iter == 0:
        return False, "took no iteration, because max_iter is 0. Raise max_iter"
    gain, enough = history[-1] - history[-2], tol * n
    rounding = 16 * np.finfo(float).eps * max(abs(history[-1]), n)
    if abs(gain) <= enough or -rounding <= gain <= 0:
        within = f"tol * n = {enough:.1e}" if abs(gain) <= enough else f"rounding, {rounding:.1e}"
        return True, (
            f"converged in {counted(n_iter, 'iteration', 'iterations')}: the last one changed the "
            f"log-likelihood by {gain:.1e}, within {within}"
        )
    if gain < 0:
        return False, (
            f"stopped at iteration {n_iter}: the log-likelihood fell by {-gain:.1e}, which EM in "
            f"exact arithmetic never does. The data leave too few digits: centre and scale them"
        )
    return False, (
        f"did not converge in {counted(n_iter, 'iteration', 'iterations')}: the last one still "
        f"raised the log-likelihood by {gain:.1e}, more than tol * n = {enough:.1e}. "
        f"Raise max_iter, or go on from the mixture of this fit"
    )


def _require_options(covariance_type: str, tol: float | None, max_iter: int) -> None:
    _require_covariance_type(covariance_type)
    if tol is not None and (
        isinstance(tol, bool) or not isinstance(tol, numbers.Real) or not tol >= 0
    ):
        raise ValueError(f"tol is {tol!r}. Pass a number from 0 up, or None for a fixed length.")
    if isinstance(max_iter, bool) or not isinstance(max_iter, (int, np.integer)) or max_iter < 0:
        raise ValueError(f"max_iter is {max_iter!r}. Pass a whole number from 0 up.")


def _require_mixture(mixture: object) -> None:
    if not isinstance(mixture, Mixture):
        raise TypeError(
            f"a Mixture is needed here, not {reprlib.repr(mixture)}. Build one, or choose a start "
            f"with gmmlib.initialization.k_means_plus_plus(X, n_components)."
        )


def _require_covariance_type(covariance_type: str) -> None:
    if covariance_type not in ("full", "tied"):
        raise ValueError(f"covariance_type is {covariance_type!r}. Choose 'full' or 'tied'.")


def _require_finite_density(log_density: FloatArray) -> None:
    bad = ~np.isfinite(log_density)
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"observation {i} is so far from every mean that its squared distance overflows. "
            f"Check its units, or centre and scale the data."
        )


def _require_observations(counts: FloatArray) -> None:
    for j, count in enumerate(counts):
        if count < np.finfo(float).tiny / np.finfo(float).eps:
            raise CollapseError(j, f"no observation is left in it (N = {count:.1e})")


def _require_columns(X: FloatArray) -> None:
    n, d = X.shape
    if n <= d:
        raise ValueError(
            f"X has {counted(n, 'observation', 'observations')} and "
            f"{counted(d, 'column', 'columns')}: too few rows for a covariance. "
            f"Bring at least {d + 1} observations, or leave columns out."
        )
    with np.errstate(over="ignore"):
        widths = X.max(axis=0) - X.min(axis=0)
    for column, (width, rounding) in enumerate(zip(widths, _rounding(X), strict=True)):
        if width <= 4 * rounding:
            raise ValueError(
                f"column {column} of X has the same value in every row, {X[0, column]:g} up to "
                f"rounding. Leave that column out: a Gaussian needs spread in every direction."
            )
        if not 1e-140 < width < 1e150:
            raise ValueError(
                f"column {column} of X spans {width:.1e}, and the square of that is out of the "
                f"range of floats. Change the column's units."
            )


def _rounding(X: FloatArray) -> FloatArray:
    """How finely floats can tell the values of each column apart, as (d,)."""
    return np.asarray(np.finfo(float).eps * np.abs(X).max(axis=0))


def _require_spread(
    X: FloatArray,
    counts: FloatArray,
    means: FloatArray,
    covariances: FloatArray,
    covariance_type: CovarianceType,
) -> None:
    """Each covariance against the spread of all the data, so that units do not matter."""
    d = X.shape[1]
    weights = counts / counts.sum()
    away = means - weights @ means
    total = np.tensordot(weights, covariances, axes=1) + (weights * away.T) @ away
    scale = np.sqrt(np.diag(total))
    rounding = _rounding(X)
    smallest = float(np.linalg.eigvalsh(total / np.outer(scale, scale))[0])
    if smallest < d * 1e-14 + 4 * float(np.max((rounding / scale) ** 2)):
        raise ValueError(
            f"the columns of X are linearly dependent (their correlation matrix has the "
            f"eigenvalue {smallest:.1e}). Leave out a column that the others determine."
        )
    whiten = np.linalg.inv(np.linalg.cholesky(total))
    floor = 4 * float(np.linalg.norm(whiten * rounding, 2)) ** 2
    for j in range(len(counts)):
        spread = np.linalg.eigvalsh(whiten @ covariances[j] @ whiten.T)
        flat = spread[0] < max(floor, 1e-14 * spread[-1])
        if flat or not is_positive_definite(covariances[j]):
            raise CollapseError(
                j, _lost_spread(max(spread[0], 0.0), counts[j], means[j], covariance_type)
            )


def _lost_spread(
    share: float, count: float, mean: FloatArray, covariance_type: CovarianceType
) -> str:
    noun = "variance" if len(mean) == 1 else "covariance"
    where = ", ".join(f"{value:.6g}" for value in mean)
    if covariance_type == "tied":
        return (
            f"the {noun} that all components share fell to nothing (smallest share of the data's "
            f"variance {share:.1e}), where the likelihood grows without bound"
        )
    return (
        f"its {noun} fell to nothing around {where} (smallest share of the data's variance "
        f"{share:.1e}, N = {count:.3g}), where the likelihood grows without bound unless all "
        f"components share one {noun} (covariance_type='tied')"
    )
