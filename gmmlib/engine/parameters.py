"""The parameters of R mixtures at once, as a pass over the data needs them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from gmmlib.engine.available import KERNEL
from gmmlib.engine.frame import Frame
from gmmlib.mixture import Mixture, TiedMixture
from gmmlib.models import Family, family_of
from gmmlib.validation import FloatArray

_LARGE = 40  # dimensions from which LAPACK is faster than any loop here

_NAMES = ("weights", "means", "covariances", "W", "log_c")

Factors = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class Parameters:
    """R mixtures of K components, in the coordinates of a ``Frame``.

    Attributes
    ----------
    weights : (R, K)
    means : (R, K, d)
    covariances : (R, K, d, d), or the variances (R, K, d) of a diagonal family
        (R, 1, d, d) where all components of a mixture have the same.
    W : as ``covariances``
        L⁻¹ with Σ = L Lᵀ, or 1/σ. NaN where Σ is not positive definite.
    log_c : (R, K)
        The logarithm of α_j (2π)^(-d/2) det(Σ_j)^(-1/2).

    Book: def-mixture.
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    W: FloatArray
    log_c: FloatArray

    @classmethod
    def factored(
        cls,
        weights: FloatArray,
        means: FloatArray,
        covariances: FloatArray,
        factors: Factors | None = None,
    ) -> "Parameters":
        """With W and log_c computed from the rest, by ``factors`` or as fast as can be."""
        d = means.shape[-1]
        if covariances.ndim == 3:
            with np.errstate(invalid="ignore", divide="ignore"):
                W = 1 / np.sqrt(covariances)
                W[~np.isfinite(W)] = np.nan
                log_det = np.log(W).sum(axis=-1)
        else:
            W, log_det = (factors or fastest_factors)(covariances)
        with np.errstate(divide="ignore"):  # a weight of 0 is allowed: its logarithm is -inf
            log_c = np.log(weights) + log_det - 0.5 * d * np.log(2 * np.pi)
        return cls(weights, means, covariances, W, log_c)

    @classmethod
    def of(
        cls, mixtures: list[Mixture], family: str | Family, frame: Frame | None = None
    ) -> "Parameters":
        """Mixtures with as many components each, in the coordinates of ``frame``.

        Without a frame they stay in the units of the data.
        """
        frame = frame or Frame.of_data(mixtures[0].n_features)
        weights = np.array([m.weights for m in mixtures])
        means = frame.rows(np.array([m.means for m in mixtures]))
        diagonal = family_of(family).diagonal
        if diagonal:
            kept = [m.variances_by_column for m in mixtures]
        elif family_of(family).shared and all(isinstance(m, TiedMixture) for m in mixtures):
            kept = [m.covariances[:1] for m in mixtures]
        else:
            kept = [m.covariances for m in mixtures]
        covariances = frame.covariances(np.array(kept), diagonal)
        return cls.factored(weights, means, covariances)

    @classmethod
    def joined(cls, parts: Sequence["Parameters"]) -> "Parameters":
        """The mixtures of all parts, one after another.

        A covariance that is shared in one part, and not in another, is repeated.
        """
        C = max(p.covariances.shape[1] for p in parts)
        whole = [p.widened(C) for p in parts]
        return cls(*(np.concatenate([getattr(p, name) for p in whole]) for name in _NAMES))

    @property
    def diagonal(self) -> bool:
        """Whether only variances are kept."""
        return self.covariances.ndim == 3

    def runs(self, index: Any) -> "Parameters":
        """Some of the R mixtures."""
        return Parameters(*(getattr(self, name)[index] for name in _NAMES))

    def reordered(self, order: npt.NDArray[np.intp]) -> "Parameters":
        """The components (K,) of each mixture in another order."""
        arrays = (getattr(self, name) for name in _NAMES)
        return Parameters(*(a if a.shape[1] < len(order) else a[:, order] for a in arrays))

    def widened(self, C: int) -> "Parameters":
        """With so many covariances for each mixture, where one was shared."""
        if self.covariances.shape[1] == C:
            return self
        Sigma, W = (
            np.broadcast_to(array, (len(array), C, *array.shape[2:]))
            for array in (self.covariances, self.W)
        )
        return Parameters(self.weights, self.means, Sigma, W, self.log_c)

    def with_runs(self, index: Any, others: "Parameters") -> "Parameters":
        """With others in the place of some of the R mixtures."""
        arrays = []
        for name in _NAMES:
            array = getattr(self, name).copy()
            array[index] = getattr(others, name)
            arrays.append(array)
        return Parameters(*arrays)

    def mixture(self, run: int, frame: Frame) -> Mixture:
        """One of them, in the units of the data."""
        means = frame.rows_back(self.means[run])
        Sigma = frame.covariances_back(self.covariances[run], self.diagonal)
        if self.diagonal:
            return Mixture.diagonal(self.weights[run], means, Sigma)
        if len(Sigma) < len(means):
            return Mixture.tied(self.weights[run], means, Sigma[0])
        return Mixture(self.weights[run], means, Sigma)

    def reframed(self, old: Frame, new: Frame) -> "Parameters":
        """The same mixtures in the coordinates of another frame."""
        if old is new:
            return self
        means = new.rows(old.rows_back(self.means))
        Sigma = old.covariances_back(self.covariances, self.diagonal)
        return Parameters.factored(self.weights, means, new.covariances(Sigma, self.diagonal))

    def precisions(self) -> FloatArray:
        """The diagonals of the Σ_j⁻¹, (R, K, d)."""
        squares = self.W * self.W
        return squares if self.diagonal else np.asarray(squares.sum(axis=2))  # of WᵀW

    def cancellation(self, away: FloatArray | None = None) -> FloatArray:
        """How many times larger than their sum the terms of (x - μ)ᵀ Σ⁻¹ (x - μ) are, (R, K).

        ``away`` (R, K, d) is μ seen from where x is measured; without it the moments Σ + μ μᵀ
        about the origin are meant.

        Book: eq-cancellation.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            if away is not None:
                second = away * away
            elif self.diagonal:
                second = self.means**2 + self.covariances
            else:
                second = self.means**2 + self.covariances.diagonal(axis1=2, axis2=3)
            return np.asarray((self.precisions() * second).max(axis=2))


def compiled_factors(Sigma: FloatArray) -> tuple[FloatArray, FloatArray]:
    """W = L⁻¹ and log det W for matrices (..., d, d); NaN where one is not positive definite."""
    d = Sigma.shape[-1]
    if d >= _LARGE:
        return _large_factors(Sigma)
    W, log_det = np.zeros(Sigma.shape), np.empty(Sigma.shape[:-2])
    assert KERNEL is not None
    KERNEL.factor(Sigma.reshape(-1, d, d), W.reshape(-1, d, d), log_det.reshape(-1))
    return W, log_det


def numpy_factors(Sigma: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The same in NumPy."""
    d = Sigma.shape[-1]
    if d >= _LARGE:
        return _large_factors(Sigma)
    L = _cholesky(Sigma)
    W = np.zeros(Sigma.shape)
    diagonal = 1 / np.diagonal(L, axis1=-2, axis2=-1)
    every = np.arange(d)
    W[..., every, every] = diagonal
    for c in range(1, d):  # forward substitution of L W = I, all matrices at once
        row = L[..., c : c + 1, :c] @ W[..., :c, :c]
        W[..., c, :c] = -diagonal[..., c, np.newaxis] * row[..., 0, :]
    with np.errstate(divide="ignore"):  # columns in units too far apart: no such matrix
        log_det = np.log(diagonal).sum(axis=-1)
    log_det[~np.isfinite(log_det)] = np.nan
    return W, log_det


def _large_factors(Sigma: FloatArray) -> tuple[FloatArray, FloatArray]:
    W, log_det = np.full(Sigma.shape, np.nan), np.full(Sigma.shape[:-2], np.nan)
    for index in np.ndindex(log_det.shape):
        upper, failed = scipy.linalg.lapack.dpotrf(Sigma[index].T, lower=False)
        if not failed:
            W[index] = scipy.linalg.lapack.dtrtri(upper, lower=False)[0].T  # rows stay rows
            log_det[index] = np.log(W[index].diagonal()).sum()
    return W, log_det


fastest_factors: Factors = numpy_factors if KERNEL is None else compiled_factors


def _cholesky(Sigma: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.cholesky(Sigma))
    except np.linalg.LinAlgError:
        L = np.full(Sigma.shape, np.nan)
        for index in np.ndindex(Sigma.shape[:-2]):
            try:
                L[index] = np.linalg.cholesky(Sigma[index])
            except np.linalg.LinAlgError:
                continue
        return L
