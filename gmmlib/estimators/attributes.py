"""The fitted attributes of the estimator: made from a mixture, and the mixture that they are.

Programs for scikit-learn set them, to sort components, to change one, or to load them from a file.
So the attributes are the model. While nobody has touched them, it is the mixture that was fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from gmmlib.engine import Frame, Parameters
from gmmlib.engine.parameters import numpy_factors
from gmmlib.mixture import Mixture
from gmmlib.models import CovarianceType, Family
from gmmlib.validation import FloatArray, as_floats, is_positive_definite

SPREADS = ("precisions_cholesky_", "precisions_", "covariances_")  # any one gives the others
NAMES = ("weights_", "means_", *SPREADS)

_NO_PRECISION = (
    "{}: the precision of component {} (counting from 0) is not positive definite. "
    "Set the inverse of a covariance, or a factor F of it with F @ F.T."
)
AGREE = {4: 1e-3, 8: 1e-7}  # relative, by bytes of a number: so near are covariances that agree


@dataclass(eq=False)
class Known:
    """A mixture that was fitted, and what need not be computed again while it is the same.

    Attributes
    ----------
    mixture : Mixture
    before : name -> array
        The attributes as they were made from it.
    """

    mixture: Mixture
    before: dict[str, FloatArray]
    _prepared: tuple[CovarianceType, Frame, Parameters] | None = None

    def prepared(
        self, mixture: Mixture, covariance_type: CovarianceType
    ) -> tuple[Frame, Parameters]:
        """What densities need: :func:`prepared`, kept if ``mixture`` is the one that was fitted."""
        if mixture is not self.mixture:
            return prepared(mixture, covariance_type)
        kept = self._prepared
        if kept is None or kept[0] != covariance_type:
            kept = self._prepared = covariance_type, *prepared(mixture, covariance_type)
        return kept[1:]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_prepared": None}


def prepared(mixture: Mixture, covariance_type: CovarianceType) -> tuple[Frame, Parameters]:
    """A frame around the mixture, and its parameters there."""
    frame = Frame.around(mixture)
    return frame, Parameters.of([mixture], covariance_type, frame)


def attributes_of(mixture: Mixture, family: Family, dtype: Any = np.float64) -> dict[str, Any]:
    """Name -> array, in the shapes of ``family``."""
    if family.diagonal:
        Sigma = mixture.variances_by_column
        factor = 1 / np.sqrt(Sigma)
        precision = factor * factor
    else:
        Sigma = mixture.covariances[:1] if family.shared else mixture.covariances
        W, _ = numpy_factors(Sigma)
        factor = np.triu(W.swapaxes(1, 2))
        precision = factor @ factor.swapaxes(1, 2)
    spreads = (family.stored(array) for array in (factor, precision, Sigma))
    arrays = (mixture.weights, mixture.means, *spreads)
    return {name: np.array(array, dtype) for name, array in zip(NAMES, arrays, strict=True)}


def mixture_of(now: Mapping[str, Any], known: Known | None, family: Family) -> Mixture:
    """The mixture that the attributes ``now`` are.

    Parameters
    ----------
    now : name -> array
        Those that are set.
    known : Known or None
        Of the last fit.
    family : Family

    Raises
    ------
    NotFittedError
        If one that is needed is not set.
    ValueError
        If they are no mixture, or if covariances and precisions were set that do not agree, or are
        not of the family.
    """
    new = changed(now, known)
    fitted = known.mixture if known is not None else None
    if fitted is not None and not new:
        return fitted
    for name in ("weights_", "means_"):
        if name not in now:
            raise NotFittedError(f"{name} is not set. Call fit first, or set it.")
    means = _numbers(now, "means_")
    if means.ndim != 2:
        raise ValueError(f"means_ has shape {means.shape}. Set one row per component, (K, d).")
    K, d = means.shape
    spreads = [name for name in SPREADS if name in new]
    if not spreads and fitted is not None and fitted.means.shape == (K, d):
        Sigma = fitted.variances_by_column if family.diagonal else fitted.covariances
    else:
        spreads = spreads or [name for name in SPREADS if name in now]
        if not spreads:
            raise NotFittedError("covariances_ is not set. Call fit first, or set it.")
        found = {name: _covariances(name, now, family, K, d) for name in spreads}
        Sigma = found[spreads[0]]
        for name in spreads[1:]:
            _require_agreement(spreads[0], Sigma, name, found[name], now)
    weights = np.asarray(now["weights_"])
    if family.shared:
        return Mixture.tied(weights, means, Sigma[0])
    mixture = (Mixture.diagonal if family.diagonal else Mixture)(weights, means, Sigma)
    if spreads and not family.linear:
        _require_member(spreads[0], mixture, family, now)
    return mixture


def changed(now: Mapping[str, Any], known: Known | None) -> list[str]:
    """The names of those that are set and are not as they were made."""
    before = known.before if known is not None else {}
    set_ = [name for name in NAMES if name in now]
    return [
        name for name in set_ if not (name in before and np.array_equal(now[name], before[name]))
    ]


def _numbers(now: Mapping[str, Any], name: str) -> FloatArray:
    return as_floats(now[name], name)


def _covariances(name: str, now: Mapping[str, Any], family: Family, K: int, d: int) -> FloatArray:
    """The covariances that one of the three attributes gives, as the family keeps them."""
    given = _numbers(now, name)
    if given.shape != family.shape(K, d):
        raise ValueError(
            f"{name} has shape {given.shape}, but {family.shape(K, d)} is needed for "
            f"covariance_type={family.name!r} and means_ of shape {(K, d)}."
        )
    kept = family.kept(given, K, d)
    if name == "covariances_":
        single = getattr(now[name], "dtype", None) == np.float32  # symmetric but for rounding
        return (kept + kept.swapaxes(1, 2)) / 2 if single and kept.ndim == 3 else kept
    if family.diagonal:
        with np.errstate(divide="ignore"):
            return np.asarray(1 / kept if name == "precisions_" else 1 / kept**2)
    Sigma = np.empty_like(kept)
    for j, matrix in enumerate(kept):
        if name == "precisions_" and not is_positive_definite(matrix):
            raise ValueError(_NO_PRECISION.format(name, j))
        try:
            back = np.linalg.inv(matrix)
        except np.linalg.LinAlgError:
            raise ValueError(_NO_PRECISION.format(name, j)) from None
        if np.isnan(back).any():  # in WebAssembly NumPy raises no error
            raise ValueError(_NO_PRECISION.format(name, j))
        Sigma[j] = back if name == "precisions_" else back.T @ back
    return (Sigma + Sigma.swapaxes(1, 2)) / 2


def _require_member(name: str, mixture: Mixture, family: Family, now: Mapping[str, Any]) -> None:
    kept = mixture.variances_by_column if family.diagonal else mixture.covariances
    off = family.away(mixture.weights, kept)
    if not (off <= AGREE.get(np.asarray(now[name]).dtype.itemsize, AGREE[8])).all():
        raise ValueError(
            f"{name} was set, and is not of the type {family.name!r}: component "
            f"{int(np.argmax(off))} (counting from 0) has not what all should have in common. "
            f"Choose another covariance_type; 'full' is right for every mixture."
        )


def _require_agreement(
    one: str, Sigma: FloatArray, other: str, also: FloatArray, now: Mapping[str, Any]
) -> None:
    size = min(np.asarray(now[name]).dtype.itemsize for name in (one, other))
    unit = np.sqrt(np.abs(Sigma) if Sigma.ndim == 2 else Sigma.diagonal(axis1=1, axis2=2))
    outer = unit**2 if Sigma.ndim == 2 else unit[:, :, np.newaxis] * unit[:, np.newaxis]
    off = np.abs(Sigma - also) / outer
    if not (off <= AGREE.get(size, AGREE[8])).all():
        j = int(np.argwhere(~(off <= AGREE.get(size, AGREE[8])))[0, 0])
        raise ValueError(
            f"{one} and {other} were both set and do not agree: component {j} (counting from 0) "
            f"has another covariance in each. Set one of them, or build the estimator with "
            f"GaussianMixture.from_mixture."
        )
