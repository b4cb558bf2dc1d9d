"""The one judge of whether data spread in every direction, as a Gaussian needs it.

Spread is judged beside how finely floats tell the values apart: what is no more than rounding is
none. ``em``, the engine and the estimator ask here, each with its own remedy.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gmmlib.validation import FloatArray, counted

_NO_RIDGE = {
    "column": "Leave that column out: a Gaussian needs spread in every direction.",
    "rows": "Bring at least {least} observations, or leave columns out.",
    "dependent": "Leave out a column that the others determine.",
}
_RIDGE = {
    "column": "Leave that column out, or set reg_covar above 0: a Gaussian needs spread in every "
    "direction.",
    "rows": "Bring at least {least} observations, leave columns out, choose "
    "covariance_type='diag', or set reg_covar above 0.",
    "dependent": "Leave out a column that the others determine, choose covariance_type='diag', or "
    "set reg_covar above 0.",
}


@dataclass(frozen=True)
class Lacking:
    """Why a covariance has no inverse, and in which column if it is one."""

    what: str
    kind: str  # "column", "rows" or "dependent"
    least: int = 0  # observations that would be enough

    def said(self, ridge: bool) -> str:
        """With the remedy, which may be a ridge on the covariance or not."""
        remedy = (_RIDGE if ridge else _NO_RIDGE)[self.kind].format(least=self.least)
        return f"{self.what}. {remedy}"


def constant(variances: FloatArray, rounding: FloatArray) -> npt.NDArray[np.bool_]:
    """Which columns have one value in every row but for rounding, (d,)."""
    return np.asarray(np.sqrt(variances) <= 2 * rounding)


def lacking(
    covariance: FloatArray,
    rounding: FloatArray,
    values: FloatArray,
    n_rows: int | None,
) -> Lacking | None:
    """Why data with this covariance do not spread in every direction, or None.

    Parameters
    ----------
    covariance : (d, d), or the variances (d,) where no more is asked for
        Of all the data, in any units.
    rounding : (d,)
        How finely floats tell the values of each column apart, in the same units.
    values : (d,)
        A value of each column as the user knows it.
    n_rows : int or None
        None where something was added to the covariance, so that few rows are enough.
    """
    d = len(rounding)
    diagonal = covariance.ndim == 1
    variances = covariance if diagonal else np.diag(covariance)
    if not diagonal and n_rows is not None and n_rows <= d:
        return Lacking(
            f"X has {counted(n_rows, 'observation', 'observations')} and "
            f"{counted(d, 'column', 'columns')}: too few rows for a covariance",
            "rows",
            d + 1,
        )
    flat = constant(variances, rounding)
    if flat.any():
        c = int(np.argmax(flat))
        return Lacking(
            f"column {c} of X has the same value in every row, {values[c]:g} up to rounding",
            "column",
        )
    if diagonal:
        return None
    scale = np.sqrt(variances)
    correlation = covariance / np.outer(scale, scale)
    least = d * 1e-14 + 4 * float(np.max((rounding / scale) ** 2))
    if _is_above(2 * least, correlation):
        return None
    smallest = float(np.linalg.eigvalsh(correlation)[0])
    if smallest < least:
        return Lacking(
            f"the columns of X are linearly dependent (their correlation matrix has the "
            f"eigenvalue {smallest:.1e})",
            "dependent",
        )
    return None


def _is_above(least: float, correlation: FloatArray) -> bool:
    """Whether every eigenvalue is above ``least``; a factor costs a tenth of the eigenvalues.

    In WebAssembly NumPy gives NaN where it raises an error elsewhere.
    """
    shifted = correlation.copy()
    shifted[np.diag_indices_from(shifted)] -= least
    try:
        factor = np.linalg.cholesky(shifted)
    except np.linalg.LinAlgError:
        return False
    return bool(np.isfinite(factor).all())
