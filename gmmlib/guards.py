"""What the textbook algorithm refuses, before it computes with it or hands it on.

``em`` is read aloud in the chapters; what would interrupt the reading is here.
"""

import numbers
import reprlib
from typing import Any

import numpy as np

from gmmlib.errors import CollapseError
from gmmlib.mixture import DiagonalMixture, Mixture
from gmmlib.models import Family
from gmmlib.spread import lacking
from gmmlib.validation import (
    FloatArray,
    as_data,
    as_n_components,
    as_responsibilities,
    is_positive_definite,
)

_EXACT, _SEARCHED = 1e-9, 1e-7  # so near, as a share of the variances, is a member to its family
_NOBODY = np.finfo(float).tiny / np.finfo(float).eps  # a count by which nothing can be divided


def require_mixture(mixture: object) -> None:
    """Raise ``TypeError`` for what is no ``Mixture``."""
    if not isinstance(mixture, Mixture):
        raise TypeError(
            f"a Mixture is needed here, not {reprlib.repr(mixture)}. Build one, or choose a start "
            f"with gmmlib.initialization.k_means_plus_plus(X, n_components)."
        )


def require_member(mixture: Mixture, family: Family) -> None:
    """Raise ``ValueError`` where a mixture's covariances are not of this family."""
    kept = mixture.variances_by_column if family.diagonal else mixture.covariances
    away = family.away(mixture.weights, kept)
    if family.diagonal and not isinstance(mixture, DiagonalMixture):
        unit = np.sqrt(kept)
        off_diagonal = mixture.covariances * ~np.eye(mixture.n_features, dtype=bool)
        off_diagonal /= unit[:, :, np.newaxis] * unit[:, np.newaxis]
        away = np.maximum(away, np.abs(off_diagonal).max(axis=(1, 2)))
    if not (away <= (_EXACT if family.linear else _SEARCHED)).all():
        j = int(np.argmax(away))
        raise ValueError(
            f"the covariances of this mixture are not of the type {family.name!r}: component {j} "
            f"(counting from 0) is {away[j]:.2g} away, relative to its variances. Choose the "
            f"covariance_type that it was fitted with; 'full' is right for every mixture."
        )


def require_finite(log_density: FloatArray) -> None:
    """Raise ``ValueError`` where an observation is too far from every mean."""
    bad = ~np.isfinite(log_density)
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"observation {i} is so far from every mean that its squared distance overflows. "
            f"Check its units, or centre and scale the data."
        )


def weighted_data(
    X: Any, responsibilities: Any, covariance_type: str
) -> tuple[FloatArray, FloatArray]:
    """X as (n, d) and β as (n, K), where every component has observations.

    Raises ``CollapseError`` for a component that has none, and ``TypeError`` or ``ValueError`` for
    what cannot be computed with.
    """
    X = as_data(X)
    beta = as_responsibilities(responsibilities, n=len(X))
    _require_covariance_type(covariance_type)
    _require_range(X)
    for j, count in enumerate(beta.sum(axis=0)):
        if count < _NOBODY:
            raise CollapseError(j, f"no observation is left in it (N = {count:.1e})")
    return X, beta


def data_for(
    start: Mixture, X: Any, covariance_type: str, tol: float | None, max_iter: int
) -> FloatArray:
    """X as (n, d), for a fit from ``start`` with these options.

    Raises ``TypeError`` or ``ValueError`` for bad data, or options out of range.
    """
    require_mixture(start)
    rows = as_data(X, n_features=start.n_features)
    as_n_components(start.n_components, n=len(rows))
    _require_covariance_type(covariance_type)
    if tol is not None and (
        isinstance(tol, bool) or not isinstance(tol, numbers.Real) or not tol >= 0
    ):
        raise ValueError(f"tol is {tol!r}. Pass a number from 0 up, or None for a fixed length.")
    if isinstance(max_iter, bool) or not isinstance(max_iter, (int, np.integer)) or max_iter < 0:
        raise ValueError(f"max_iter is {max_iter!r}. Pass a whole number from 0 up.")
    return rows


def require_spread(
    X: FloatArray,
    counts: FloatArray,
    means: FloatArray,
    covariances: FloatArray,
    covariance_type: str,
) -> None:
    """Raise where the data, or a component beside all the data, do not spread in every direction.

    The data: ``ValueError``. A component: ``CollapseError``. Units do not matter.
    """
    weights = counts / counts.sum()
    away = means - weights @ means
    total = np.tensordot(weights, covariances, axes=1) + (weights * away.T) @ away
    rounding = np.finfo(float).eps * np.abs(X).max(axis=0)
    no_spread = lacking(total, rounding, X[0], len(X))
    if no_spread:
        raise ValueError(no_spread.said(ridge=False))
    whiten = np.linalg.inv(np.linalg.cholesky(total))
    floor = 4 * float(np.linalg.norm(whiten * rounding, 2)) ** 2
    for j in range(len(counts)):
        spread = np.linalg.eigvalsh(whiten @ covariances[j] @ whiten.T)
        flat = spread[0] < max(floor, 1e-14 * spread[-1])
        if flat or not is_positive_definite(covariances[j]):
            raise CollapseError(
                j, _lost_spread(max(spread[0], 0.0), counts[j], means[j], covariance_type)
            )


def _lost_spread(share: float, count: float, mean: FloatArray, covariance_type: str) -> str:
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


def _require_covariance_type(covariance_type: str) -> None:
    if covariance_type not in ("full", "tied"):
        raise ValueError(f"covariance_type is {covariance_type!r}. Choose 'full' or 'tied'.")


def _require_range(X: FloatArray) -> None:
    with np.errstate(over="ignore"):
        widths = X.max(axis=0) - X.min(axis=0)
    for column, width in enumerate(widths):
        if not (width == 0 or 1e-140 < width < 1e150):
            raise ValueError(
                f"column {column} of X spans {width:.1e}, and the square of that is out of the "
                f"range of floats. Change the column's units."
            )
