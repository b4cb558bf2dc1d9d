"""What the user handed in, checked once and said plainly.

Every function here returns a float64 array of the stated shape, or raises. A message has
three parts: what is wrong, the value found, and what to try next. Nothing is repaired.
"""

import reprlib
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

FloatArray = npt.NDArray[np.float64]

_NOT_FINITE = ("NaN or infinite entry", "NaN or infinite entries")


def as_floats(values: Any, name: str) -> FloatArray:
    """``values`` as a float64 array of whatever shape they have.

    Raises ``TypeError`` for sparse, complex and non-numeric input, ``ValueError`` for masked
    entries, ragged nesting, and NaN or infinity.
    """
    if hasattr(values, "toarray"):
        raise TypeError(
            f"{name} is a sparse matrix ({type(values).__name__}, shape {values.shape}). "
            f"Pass {name}.toarray() if it fits in memory."
        )
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        masked = np.ma.getmaskarray(values)
        raise ValueError(
            f"{name} has {counted(int(masked.sum()), 'masked entry', 'masked entries')}, the "
            f"first{_where(_first(masked))}. Leave those rows out, or fill them, before the call."
        )
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} is not rectangular: {str(error).rstrip('.')}. "
            f"Give every row the same number of columns."
        ) from None
    if np.iscomplexobj(array):
        raise TypeError(
            f"{name} is complex ({array.dtype}). Pass real numbers, for example {name}.real."
        )
    if array.dtype.kind not in "biuf":
        _require_numbers(array, name)
    try:
        with np.errstate(over="ignore"):  # a long double may become infinite, and is then reported
            floats = array.astype(np.float64)
    except OverflowError:
        raise ValueError(
            f"{name} holds a whole number too large for a float. Change its units."
        ) from None
    bad = ~np.isfinite(floats)
    if bad.any():
        first = _first(bad)
        raise ValueError(
            f"{name} has {counted(int(bad.sum()), *_NOT_FINITE)}, the "
            f"first{_where(first)} ({array[first]}). "
            f"Leave those rows out, or fill them, before the call."
        )
    return floats


def counted(count: int, one: str, many: str) -> str:
    """A number with its noun: '1 column', '2 columns'."""
    return f"{count} {one if count == 1 else many}"


def _first(flags: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(flags)[0])


def _where(index: tuple[int, ...]) -> str:
    if not index:
        return ""
    return f" at index {index[0]}" if len(index) == 1 else f" at index {index}"


def _require_numbers(array: npt.NDArray[Any], name: str) -> None:
    if array.dtype.kind == "O":
        strangers = [value for value in array.flat if not _is_number(value, array.ndim)]
    else:
        strangers = list(array.flat[:1]) or [array]
    if strangers:
        hint = f"Convert the columns to numbers first, for example np.asarray({name}, dtype=float)."
        raise TypeError(
            f"{name} is not numeric (dtype {array.dtype}, for example "
            f"{reprlib.repr(strangers[0])}). "
            + (hint if array.ndim else "Pass a list or an array of numbers.")
        )


def _is_number(value: Any, ndim: int) -> bool:
    if value is None:
        return ndim > 0  # inside an array it is a missing number, and is reported as one
    if isinstance(value, (str, bytes, complex, np.complexfloating)):
        return False
    try:
        float(value)
    except OverflowError:
        return True
    except (TypeError, ValueError):
        return False
    return True


def as_data(X: Any, n_features: int | None = None, name: str = "X") -> FloatArray:
    """Observations as (n, d); a 1-D array of n numbers becomes (n, 1).

    Raises ``ValueError`` for empty data, more than two dimensions, or a number of columns
    other than ``n_features``; ``TypeError`` and ``ValueError`` as in :func:`as_floats`.
    """
    array = as_floats(X, name)
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{name} has {array.ndim} dimensions (shape {array.shape}). "
            f"Pass (n, d): one row per observation; (n,) is fine when d = 1."
        )
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.size == 0:
        raise ValueError(
            f"{name} is empty (shape {np.shape(X)}). Pass at least one row and one column."
        )
    if n_features is not None and array.shape[1] != n_features:
        raise ValueError(
            f"{name} has {counted(array.shape[1], 'column', 'columns')} (shape {np.shape(X)}), but "
            f"the mixture has {counted(n_features, 'dimension', 'dimensions')}. Pass one row of "
            f"{counted(n_features, 'number', 'numbers')} per observation, or build the mixture "
            f"for d = {array.shape[1]}."
        )
    return array


def as_n_components(n_components: Any, n: int) -> int:
    """K, an integer with 1 ≤ K ≤ n. Raises ``TypeError`` or ``ValueError``."""
    if isinstance(n_components, (bool, np.bool_)) or not isinstance(
        n_components, (int, np.integer)
    ):
        raise TypeError(
            f"n_components must be a whole number, not {n_components!r}. Pass an int such as 2."
        )
    if n_components < 1:
        raise ValueError(f"n_components is {n_components}. Ask for at least 1 component.")
    if n_components > n:
        raise ValueError(
            f"n_components is {n_components}, but the number of observations is only {n}. "
            f"Ask for at most {counted(n, 'component', 'components')}, or bring more data."
        )
    return int(n_components)


def _is_single(values: Any) -> bool:
    return getattr(values, "dtype", None) == np.float32


def _rounding(values: Any, K: int) -> float:
    """How far from 1 the sum of K such numbers may be."""
    return float(4 * np.sqrt(K) * np.finfo(np.float32).eps) if _is_single(values) else 1e-8


def as_weights(weights: Any) -> FloatArray:
    """Weights α as (K,), none negative, summing to 1 within rounding. Raises ``ValueError``."""
    alpha = as_floats(weights, "weights")
    if alpha.ndim != 1 or alpha.size == 0:
        raise ValueError(
            f"weights have shape {alpha.shape}. Pass one number per component, shape (K,)."
        )
    if (alpha < 0).any():
        j = int(np.argmax(alpha < 0))
        raise ValueError(
            f"weights must not be negative, but component {j} (counting from 0) has "
            f"{alpha[j]:g}. A weight is a probability: pass numbers between 0 and 1."
        )
    if abs(alpha.sum() - 1) > _rounding(weights, alpha.size):
        raise ValueError(
            f"weights must sum to 1, but they sum to {alpha.sum():.10g}. "
            f"Divide them by their sum, in double precision: weights / weights.sum()."
        )
    return alpha / alpha.sum() if _is_single(weights) else alpha


def as_gaussians(means: Any, covariances: Any) -> tuple[FloatArray, FloatArray]:
    """Means as (K, d) and covariances as (K, d, d).

    For d = 1 both may be (K,): the second holds variances. Raises ``ValueError`` for shapes that
    do not fit, and for a covariance that is not symmetric or not positive definite.
    """
    mu = as_floats(means, "means")
    Sigma = as_floats(covariances, "covariances")
    if mu.ndim == 1:
        mu = mu[:, np.newaxis]
    if mu.ndim != 2 or mu.size == 0:
        raise ValueError(
            f"means have shape {np.shape(means)}. Pass one row per component, shape (K, d)."
        )
    K, d = mu.shape
    if Sigma.ndim == 1 and d == 1:
        Sigma = Sigma[:, np.newaxis, np.newaxis]
    if Sigma.shape != (K, d, d):
        raise ValueError(
            f"covariances have shape {np.shape(covariances)}, but means of shape "
            f"{np.shape(means)} are {counted(K, 'mean', 'means')} in "
            f"{counted(d, 'dimension', 'dimensions')}, which need {(K, d, d)}"
            + (f" or, as variances, {(K,)}. " if d == 1 else ". ")
            + "Pass one d × d matrix per component, and means of shape (K, d)."
        )
    for j in range(K):
        _require_positive_definite(Sigma[j], f"the covariance of component {j} (counting from 0)")
    return mu, Sigma


def as_tied(means: Any, covariance: Any) -> tuple[FloatArray, FloatArray]:
    """Means (K, d) and the covariance (d, d) that all components share.

    Raises ``ValueError`` for shapes that do not fit, and for a covariance that is not symmetric or
    not positive definite.
    """
    mu, Sigma = as_floats(means, "means"), as_floats(covariance, "covariance")
    if mu.ndim != 2 or mu.size == 0 or Sigma.shape != (mu.shape[1], mu.shape[1]):
        raise ValueError(
            f"means have shape {np.shape(means)}, and the covariance {np.shape(covariance)}. "
            f"Pass one row per component, (K, d), and one covariance for all, (d, d)."
        )
    _require_positive_definite(Sigma, "the covariance of all components")
    return mu, Sigma


def as_variances(means: Any, variances: Any) -> tuple[FloatArray, FloatArray]:
    """Means and variances of diagonal covariances, both (K, d).

    Raises ``ValueError`` for shapes that do not fit, and for a variance that is not above 0.
    """
    mu, kept = as_floats(means, "means"), as_floats(variances, "variances")
    if mu.ndim != 2 or mu.size == 0 or kept.shape != mu.shape:
        raise ValueError(
            f"means have shape {np.shape(means)}, and variances {np.shape(variances)}. "
            f"Pass one row per component and one column per dimension for both, shape (K, d)."
        )
    bad = ~(kept > 0)
    if bad.any():
        j, c = _first(bad)
        raise ValueError(
            f"the variance of column {c} in component {j} (counting from 0) is {kept[j, c]:g}. "
            f"Every variance must be above 0."
        )
    return mu, kept


def _require_positive_definite(Sigma: FloatArray, which: str) -> None:
    scale = np.sqrt(np.abs(np.diag(Sigma)))  # each entry is judged in the units of its columns
    gap = np.abs(Sigma - Sigma.T)
    asymmetric = gap > 1e-10 * np.outer(scale, scale)
    if asymmetric.any():
        r, c = _first(asymmetric)
        raise ValueError(
            f"{which} is not symmetric: entry ({r}, {c}) is {Sigma[r, c]:g}, but entry "
            f"({c}, {r}) is {Sigma[c, r]:g}. Pass (Sigma + Sigma.T) / 2 if that is rounding."
        )
    if not is_positive_definite(Sigma):
        smallest = float(np.linalg.eigvalsh(Sigma)[0])
        raise ValueError(
            f"{which} is not positive definite: its smallest eigenvalue is {smallest:g}. "
            f"Every variance must be above 0, and no column a combination of the others."
        )


def is_positive_definite(Sigma: FloatArray) -> bool:
    """Whether a symmetric matrix has a Cholesky factor that is more than rounding."""
    try:
        L = scipy.linalg.cholesky(Sigma, lower=True)
    except np.linalg.LinAlgError:
        return False
    # L_cc² is what the columns before c leave undetermined of the variance Σ_cc.
    return bool((np.diag(L) ** 2 > 1e-14 * np.diag(Sigma)).all())


def as_labels(labels: Any, n: int, K: int) -> npt.NDArray[np.intp]:
    """Labels z as (n,) whole numbers in 0..K-1. Raises ``ValueError``."""
    z = as_floats(labels, "labels")
    if z.shape != (n,):
        raise ValueError(f"labels have shape {z.shape}. Pass one label per observation, {(n,)}.")
    bad = (z != np.round(z)) | (z < 0) | (z >= K)
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"labels must be whole numbers from 0 to {K - 1}, but label {i} is {z[i]:g}. "
            f"Count the components from 0."
        )
    return z.astype(np.intp)


def as_responsibilities(
    responsibilities: Any,
    n: int | None = None,
    K: int | None = None,
    name: str = "responsibilities",
) -> FloatArray:
    """Responsibilities β as (n, K), none negative, rows summing to 1 within rounding.

    Those in single precision come in double, divided by their sums. Raises ``ValueError``.
    """
    beta = as_floats(responsibilities, name)
    wanted = beta.ndim == 2 and beta.size > 0 and n in (None, len(beta))
    if not wanted or K not in (None, beta.shape[1]):
        raise ValueError(
            f"{name} must have the shape ({n or 'n'}, {K or 'K'}), "
            f"but it is {beta.shape}. Pass one row per observation, one column per component."
        )
    if (beta < 0).any():
        i = int(np.argwhere(beta < 0)[0, 0])
        raise ValueError(
            f"{name} must not be negative, but row {i} is {beta[i]}. "
            f"They are probabilities: take them from e_step, or from 0/1 labels."
        )
    off = np.abs(beta.sum(axis=1) - 1)
    if (off > _rounding(responsibilities, beta.shape[1])).any():
        i = int(np.argmax(off))
        raise ValueError(
            f"{name} must sum to 1 in each row, but row {i} sums to "
            f"{beta[i].sum():.10g}. Divide each row by its sum, in double precision."
        )
    return beta / beta.sum(axis=1, keepdims=True) if _is_single(responsibilities) else beta
