"""EM as two matrix products, in blocks, for many mixtures at once.

log α_j g_j(x) is linear in T(x) = (1, x, the products x_a x_b), so the E-step of K components on a
block of observations is the product Θ T, and the M-step reads its parameters off the product B Tᵀ.
Restarts are more rows of Θ. Where that form would cancel, distances are measured from each
component's mean instead. With Numba installed, compiled loops (``kernel``) do that everywhere.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from types import TracebackType
from typing import Any, Literal

import joblib
import numpy as np
import numpy.typing as npt

from gmmlib.blocks import Blocks, block_size
from gmmlib.mixture import Mixture
from gmmlib.threads import in_order, one_blas_thread
from gmmlib.validation import FloatArray, counted

try:
    from gmmlib import kernel
except ImportError:  # Numba is not installed
    kernel = None  # type: ignore[assignment]

CovarianceType = Literal["full", "tied", "diag", "spherical"]
COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")

CANCELLING = 100.0  # terms may be this many times their sum: two digits of sixteen are lost
_FLATTEST_PIVOT = 5e13  # an inverse, half of what validation.is_positive_definite takes
_NO_WEIGHT = np.finfo(float).tiny / np.finfo(float).eps
_KEPT = 2**20  # numbers up to which standardised data are kept between passes: 8 MiB
_TERMS = 2**19  # numbers of T and L in a block of the matrix products: 4 MiB
_LARGEST_T = 2**20  # numbers of T in the smallest block; above it T is not formed
_ONE_THREAD = 5e5  # multiplications in a pass below which a second thread does not pay


# --- the exponential family -----------------------------------------------------------------------


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
    return _theta(Parameters.of([mixture], "full"))


def _theta(p: "Parameters") -> FloatArray:
    R, K, d = p.means.shape
    mu, W = p.means.reshape(R * K, d), p.W.reshape(R * K, *p.W.shape[2:])
    if p.diagonal:
        Lambda = W**2
        b = Lambda * mu
        second = -0.5 * Lambda
    else:
        full = W.swapaxes(1, 2) @ W  # Σ⁻¹
        b = np.einsum("jab,jb->ja", full, mu)
        rows, columns, factor = _pairs(d)
        second = factor * full[:, rows, columns]
    constant = p.log_c.reshape(-1) - 0.5 * (b * mu).sum(axis=1)
    return np.concatenate([constant[:, np.newaxis], b, second], axis=1)


# --- parameters and moments of R mixtures ---------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Parameters:
    """R mixtures of K components, in the coordinates of some ``Blocks``.

    Attributes
    ----------
    weights : (R, K)
    means : (R, K, d)
    covariances : (R, K, d, d), or the variances (R, K, d) for 'diag' and 'spherical'
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
        cls, weights: FloatArray, means: FloatArray, covariances: FloatArray
    ) -> "Parameters":
        """With W and log_c computed from the rest."""
        d = means.shape[-1]
        if covariances.ndim == 3:
            with np.errstate(invalid="ignore", divide="ignore"):
                W = 1 / np.sqrt(covariances)
                W[~np.isfinite(W)] = np.nan
                log_det = np.log(W).sum(axis=-1)
        else:
            W, log_det = _factors(covariances)
        with np.errstate(divide="ignore"):  # a weight of 0 is allowed: its logarithm is -inf
            log_c = np.log(weights) + log_det - 0.5 * d * np.log(2 * np.pi)
        return cls(weights, means, covariances, W, log_c)

    @classmethod
    def of(
        cls,
        mixtures: list[Mixture],
        covariance_type: CovarianceType,
        centre: FloatArray | float = 0.0,
        scale: FloatArray | float = 1.0,
    ) -> "Parameters":
        """Mixtures with as many components each, from ``centre`` and in units of ``scale``."""
        weights = np.array([m.weights for m in mixtures])
        means = (np.array([m.means for m in mixtures]) - centre) / scale
        covariances = np.array([m.covariances for m in mixtures]) / np.outer(
            *2 * (np.broadcast_to(scale, means.shape[-1:]),)
        )
        if covariance_type in ("diag", "spherical"):
            covariances = np.diagonal(covariances, axis1=2, axis2=3).copy()
        return cls.factored(weights, means, covariances)

    @property
    def diagonal(self) -> bool:
        """Whether only variances are kept."""
        return self.covariances.ndim == 3

    def runs(self, index: Any) -> "Parameters":
        """Some of the R mixtures."""
        return Parameters(
            self.weights[index],
            self.means[index],
            self.covariances[index],
            self.W[index],
            self.log_c[index],
        )

    def mixture(self, run: int, centre: FloatArray, scale: FloatArray) -> Mixture:
        """One of them, in the units of the data."""
        Sigma = self.covariances[run]
        if self.diagonal:
            Sigma = Sigma[:, :, np.newaxis] * np.eye(len(centre))
        means = centre + scale * self.means[run]
        return Mixture(self.weights[run], means, Sigma * np.outer(scale, scale))

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


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the observations, weighted by the responsibilities, for R mixtures.

    Attributes
    ----------
    N : (R, K)
        Σ_i β_ij.
    S1 : (R, K, d)
        Σ_i β_ij (x_i - a_j).
    S2 : (R, K, d, d), or (R, K, d) for 'diag' and 'spherical'
        Σ_i β_ij (x_i - a_j)(x_i - a_j)ᵀ.
    about : (R, K, d)
        The points a_j.
    log_likelihood : (R,)
        ℓ of the parameters that the responsibilities are from.

    Book: def-moments.
    """

    N: FloatArray
    S1: FloatArray
    S2: FloatArray
    about: FloatArray
    log_likelihood: FloatArray


def _factors(Sigma: FloatArray) -> tuple[FloatArray, FloatArray]:
    """W = L⁻¹ and log det W for matrices (..., d, d); NaN where one is not positive definite."""
    d = Sigma.shape[-1]
    if kernel is not None:
        W, log_det = np.zeros(Sigma.shape), np.empty(Sigma.shape[:-2])
        kernel.factor(Sigma.reshape(-1, d, d), W.reshape(-1, d, d), log_det.reshape(-1))
        return W, log_det
    L = _cholesky(Sigma)
    W = np.zeros(Sigma.shape)
    diagonal = 1 / np.diagonal(L, axis1=-2, axis2=-1)
    every = np.arange(d)
    W[..., every, every] = diagonal
    for c in range(1, d):  # forward substitution of L W = I, all matrices at once
        row = L[..., c : c + 1, :c] @ W[..., :c, :c]
        W[..., c, :c] = -diagonal[..., c, np.newaxis] * row[..., 0, :]
    return W, np.log(diagonal).sum(axis=-1)


@lru_cache(maxsize=16)
def _pairs(d: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]:
    """The pairs a ≤ b, and -½ or -1: x_a x_b stands for x_b x_a too."""
    rows, columns = np.triu_indices(d)
    return rows, columns, np.where(rows == columns, -0.5, -1.0)


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


# --- the engine -----------------------------------------------------------------------------------


class Engine:
    """Passes over some data: E-step and M-step of R mixtures at once. Use it in ``with``.

    Parameters
    ----------
    blocks : Blocks
    covariance_type : 'full', 'tied', 'diag' or 'spherical'
    reg_covar : float or (d,)
        Added to every variance, or to each column's, in the units of the data squared.
    n_threads : int or None
        None takes the processors that this process may use. The result is the same for any
        number, bit for bit: sums are over blocks of fixed length, added in order.

    Raises
    ------
    ValueError
        If the data do not spread in every direction and ``reg_covar`` is 0.

    Book: alg-engine.
    """

    def __init__(
        self,
        blocks: Blocks,
        covariance_type: CovarianceType,
        reg_covar: float | FloatArray = 0.0,
        n_threads: int | None = None,
    ) -> None:
        self.blocks = blocks
        self.covariance_type = covariance_type
        self.n_threads = n_threads or joblib.cpu_count()
        self.diagonal = covariance_type in ("diag", "spherical")
        self._added = np.asarray(reg_covar / blocks.scale**2)
        total = blocks.covariance + np.diag(self._added)
        lacking = no_spread(blocks, total, covariance_type)
        if lacking:
            raise ValueError(lacking)
        self._origin = (blocks.mean - blocks.centre) / blocks.scale
        self._twice_rounding = 2 * blocks.rounding
        self._log_volume = blocks.total_weight * float(np.log(blocks.scale).sum())
        self.progress: Callable[[int], None] | None = None
        self._exit = ExitStack()
        self._pool: ThreadPoolExecutor | None = None
        self._kept: list[tuple[FloatArray, FloatArray]] | None = None

    def __enter__(self) -> "Engine":
        self._exit.enter_context(one_blas_thread())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exit.close()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def em_step(self, p: Parameters) -> tuple[Parameters, FloatArray]:
        """The mixtures after one EM step, and ℓ (R,) before it.

        A mixture that collapses comes back with NaN in ``log_c``.

        Book: eq-moment-matching.
        """
        moments = self.moments(p)
        new = self.maximised(moments)
        away = new.means - moments.about
        again = ~(new.cancellation(away) <= CANCELLING).all(axis=1)
        if again.any():  # the sums were taken far from the new means: once more, about them
            runs = np.flatnonzero(again)
            about = np.where(np.isfinite(new.means[runs]), new.means[runs], p.means[runs])
            better = self.maximised(self.moments(p.runs(runs), about))
            new = _with_runs(new, runs, better)
        new.log_c[self.collapsed(new)] = np.nan
        return new, moments.log_likelihood

    def moments(self, p: Parameters, about: FloatArray | None = None) -> Moments:
        """One pass over the data: the E-step of every mixture, summed up for the M-step.

        ``about`` (R, K, d) is where to measure from: by default what costs least without
        cancelling.

        Book: eq-additivity, def-moments.
        """
        R, K, d = p.means.shape
        if kernel is not None:
            step: Any = _compiled_step(p, about)
        else:
            step = _matrix_step(p, about, self._origin)
        N, S1 = np.zeros((R, K)), np.zeros((R, K, d))
        S2 = np.zeros((R, K, d) if p.diagonal else (R, K, d, d))
        log_likelihood = _Sum()
        work = 2.0 * R * K * self.blocks.n_rows * (d if p.diagonal else d * (d + 3) / 2)
        done = 0
        for part in self._each_block(lambda block: step.on_block(*block()), work):
            if self.progress is not None:
                done += block_size(d)
                self.progress(min(done, self.blocks.n_rows))
            N += part[0]
            S1 += part[1]
            S2 += part[2]
            log_likelihood.add(part[3])
        if not np.isfinite(log_likelihood.value).all():
            raise ValueError(
                "an observation is so far from every mean that its squared distance overflows. "
                "Check its units, or centre and scale the data."
            )
        return Moments(N, S1, S2, step.about, log_likelihood.value - self._log_volume)

    def maximised(self, m: Moments) -> Parameters:
        """The M-step: match the moments.

        Book: eq-moment-matching, eq-m-step-tied.
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            counts = m.N[:, :, np.newaxis]
            away = m.S1 / counts
            if self.diagonal:
                Sigma = m.S2 / counts - away**2
            else:
                Sigma = m.S2 / counts[..., np.newaxis] - away[..., np.newaxis] * away[:, :, None]
            weights = m.N / m.N.sum(axis=1, keepdims=True)
            if self.covariance_type == "tied":
                Sigma[:] = np.einsum("rk,rkab->rab", weights, Sigma)[:, np.newaxis]
            if self._added.any():
                Sigma = Sigma + (self._added if self.diagonal else np.diag(self._added))
            p = Parameters.factored(weights, m.about + away, Sigma)
            return self.spherical(p) if self.covariance_type == "spherical" else p

    def projected(self, p: Parameters) -> Parameters:
        """With covariances of this engine's type, where they came from elsewhere."""
        if self.covariance_type == "tied":
            Sigma = np.einsum("rk,rkab->rab", p.weights, p.covariances)[:, np.newaxis]
            return Parameters.factored(
                p.weights, p.means, np.broadcast_to(Sigma, p.covariances.shape).copy()
            )
        return self.spherical(p) if self.covariance_type == "spherical" else p

    def spherical(self, p: Parameters) -> Parameters:
        """With one variance in every direction of each component, in the units of the data."""
        squared = self.blocks.scale**2
        with np.errstate(over="ignore"):  # columns in units too far apart: no such component
            variances = (p.covariances * squared).mean(axis=2, keepdims=True) / squared
        return Parameters.factored(p.weights, p.means, variances)

    def collapsed(self, p: Parameters) -> npt.NDArray[np.bool_]:
        """Which components have no observations or no spread left, (R, K).

        A component is flat if it has less spread than twice the rounding of the data, or if one
        column nearly determines another: no ``Mixture`` holds that.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            sound = p.precisions() @ self._twice_rounding**2 < 1
            if not self.diagonal:
                own = p.W.diagonal(axis1=2, axis2=3)
                pivots = own * own * p.covariances.diagonal(axis1=2, axis2=3)
                sound &= (pivots < _FLATTEST_PIVOT).all(axis=2)
        return np.asarray(~(sound & np.isfinite(p.log_c) & (p.weights > _NO_WEIGHT)))

    def why_collapsed(self, p: Parameters, run: int = 0) -> tuple[int, str]:
        """The first component of a run that collapsed, and the reason."""
        j = int(np.argmax(self.collapsed(p)[run]))
        N = p.weights[run, j] * self.blocks.total_weight
        if not p.weights[run, j] > _NO_WEIGHT:
            return j, f"no observation is left in it (N = {N:.1e})"
        mean = self.blocks.centre + self.blocks.scale * p.means[run, j]
        noun = "variance" if len(mean) == 1 else "covariance"
        if self.covariance_type == "tied":
            return j, f"the {noun} that all components share fell to nothing"
        where = ", ".join(f"{value:.6g}" for value in mean[:6]) + (", …" if len(mean) > 6 else "")
        return j, (
            f"its {noun} fell to nothing around {where} (N = {N:.3g}), where the likelihood "
            f"grows without bound unless all components share one {noun} "
            f"(covariance_type='tied') or reg_covar is above 0"
        )

    def _each_block(self, function: Callable[..., Any], work: float) -> Iterator[Any]:
        """``function`` of every block, on all threads, the results in order."""
        threads = self.n_threads if work > _ONE_THREAD else 1
        if threads == 1:
            for block in self._loaded():
                yield function(block)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="gmmlib")
        yield from in_order(function, self._loaded(), threads, self._pool)

    def _loaded(self) -> Iterator[Callable[[], tuple[FloatArray, FloatArray]]]:
        """For each block, a function that reads and standardises it."""
        if self._kept is None and self.blocks.n_rows * self.blocks.n_features <= _KEPT:
            self._kept = [self._load(rows, w) for rows, w in self.blocks]
        if self._kept is not None:
            for kept in self._kept:
                yield partial(tuple[FloatArray, FloatArray], kept)
            return
        for rows, w in self.blocks:
            yield partial(self._load, rows, w)

    def _load(self, rows: Any, w: FloatArray | None) -> tuple[FloatArray, FloatArray]:
        return load(rows, self.blocks.centre, self.blocks.scale), _NO_WEIGHTS if w is None else w


_NO_WEIGHTS = np.empty(0)


def load(rows: Any, centre: FloatArray, scale: FloatArray) -> FloatArray:
    """Rows (m, d) as (d, m) in double precision: from ``centre``, in units of ``scale``."""
    block = np.empty((rows.shape[1], len(rows)))
    if kernel is not None:
        kernel.load(rows, centre, 1 / scale, block)
        return block
    np.subtract(rows.T, centre[:, np.newaxis], out=block)
    block /= scale[:, np.newaxis]
    return block


def log_joints(x: FloatArray, p: Parameters) -> FloatArray:
    """log α_j + log g_j(x_i) of one mixture on a block (d, m), as (K, m).

    Book: def-joint.
    """
    L = np.empty((p.means.shape[1], x.shape[1]))
    if kernel is not None:
        function = kernel.log_joint_diagonal if p.diagonal else kernel.log_joint
        function(x, p.log_c[0], p.means[0], _padded(p.W)[0], L)
        return L
    for start in range(0, x.shape[1], 1024):
        part = slice(start, start + 1024)
        L[:, part] = p.log_c[0][:, np.newaxis] - 0.5 * _squared_distances(
            x[:, part], p.means[0], p.W[0]
        )
    return L


# --- one block: the compiled road, and the road of two matrix products ----------------------------


class _compiled_step:  # noqa: N801
    def __init__(self, p: Parameters, about: FloatArray | None) -> None:
        self.p = p
        self.W = _padded(p.W)
        self.about = p.means if about is None else about

    def on_block(self, x: FloatArray, w: FloatArray) -> tuple[FloatArray, ...]:
        R, K, d = self.p.means.shape
        N, S1, S2 = np.zeros((R, K)), np.zeros((R, K, d)), np.zeros(self.W.shape)
        log_likelihood = np.zeros(R)
        function = kernel.accumulate_diagonal if self.p.diagonal else kernel.accumulate
        function(x, w, self.p.log_c, self.p.means, self.W, self.about, N, S1, S2, log_likelihood)
        return N, S1, S2 if self.p.diagonal else S2[:, :, :d, :d], log_likelihood


class _matrix_step:  # noqa: N801
    """Θ T, a softmax, B Tᵀ; row by row about a component's mean where that would cancel.

    T is taken from ``origin`` (d,), the mean of the data.
    """

    def __init__(self, p: Parameters, about: FloatArray | None, origin: FloatArray) -> None:
        R, K, d = p.means.shape
        self.p = p
        self.origin = origin
        seen = replace(p, means=p.means - origin)
        features = 1 + d + (d if p.diagonal else d * (d + 1) // 2)
        self.centred = seen.cancellation() > CANCELLING  # (R, K)
        if about is not None or features * 64 > _LARGEST_T:
            self.centred[:] = True
        own = self.centred[..., np.newaxis]
        self.about = np.where(own, p.means if about is None else about, origin)
        with np.errstate(over="ignore", invalid="ignore"):  # rows of the centred are not used
            self.theta = None if self.centred.all() else _theta(seen)
        held = (0 if self.theta is None else features) + 2 * R * K + 3 * d * self.centred.sum()
        columns = int(_TERMS // held)
        self.columns = max(64, min(4096, columns - columns % 64))

    def on_block(self, x: FloatArray, w: FloatArray) -> tuple[FloatArray, ...]:
        sums: list[FloatArray] = []
        for start in range(0, x.shape[1], self.columns):
            part = slice(start, start + self.columns)
            with np.errstate(over="ignore", invalid="ignore"):  # NaN in ℓ is reported
                found = self._on_columns(np.ascontiguousarray(x[:, part]), w[part])
            sums = [total + new for total, new in zip(sums, found, strict=True)] if sums else found
        return tuple(sums)

    def _on_columns(self, x: FloatArray, w: FloatArray) -> list[FloatArray]:
        p = self.p
        R, K, d = p.means.shape
        if self.theta is None:
            L = np.empty((R * K, x.shape[1]))
        else:
            T = sufficient_statistics(x - self.origin[:, np.newaxis], p.diagonal)
            L = self.theta @ T
        L = L.reshape(R, K, -1)
        if self.centred.any():
            L[self.centred] = p.log_c[self.centred][:, np.newaxis] - 0.5 * _squared_distances(
                x, p.means[self.centred], p.W[self.centred]
            )
        top = L.max(axis=1)
        L -= top[:, np.newaxis]
        np.exp(L, out=L)
        total = L.sum(axis=1)
        log_density = top + np.log(total)
        log_likelihood = log_density @ w if w.size else log_density.sum(axis=1)
        L *= ((w if w.size else 1.0) / total)[:, np.newaxis]  # β, times w

        S1 = np.zeros((R, K, d))
        S2 = np.zeros((R, K, d) if p.diagonal else (R, K, d, d))
        if self.theta is not None:
            S = (L.reshape(R * K, -1) @ T.T).reshape(R, K, -1)
            S1[:] = S[:, :, 1 : 1 + d]
            if p.diagonal:
                S2[:] = S[:, :, 1 + d :]
            else:
                rows, columns, _ = _pairs(d)
                S2[:, :, rows, columns] = S2[:, :, columns, rows] = S[:, :, 1 + d :]
        if self.centred.any():
            z = x - self.about[self.centred][:, :, np.newaxis]
            weighted = L[self.centred][:, np.newaxis] * z
            S1[self.centred] = weighted.sum(axis=2)
            S2[self.centred] = (
                (weighted * z).sum(axis=2) if p.diagonal else weighted @ z.swapaxes(1, 2)
            )
        return [L.sum(axis=2), S1, S2, log_likelihood]


def _squared_distances(x: FloatArray, mu: FloatArray, W: FloatArray) -> FloatArray:
    """(x - μ)ᵀ Σ⁻¹ (x - μ) for x (d, m) and J Gaussians, (J, m): Σ_c (W (x - μ))_c²."""
    z = x - mu[:, :, np.newaxis]
    y = W[:, :, np.newaxis] * z if W.ndim == 2 else W @ z
    return np.asarray(np.einsum("jcm,jcm->jm", y, y))


def _padded(W: FloatArray) -> FloatArray:
    """W as the compiled loops want it: a whole number of tiles."""
    d = W.shape[-1]
    if W.ndim == 3 or d < kernel.TILED or d % kernel.TILED == 0:
        return W
    more = -d % kernel.TILED
    return np.pad(W, [(0, 0), (0, 0), (0, more), (0, more)])


# --- small parts ----------------------------------------------------------------------------------


class _Sum:
    """A sum of arrays that keeps what rounding loses (Neumaier 1974)."""

    def __init__(self) -> None:
        self._sum: FloatArray | None = None
        self._lost: FloatArray | float = 0.0

    def add(self, term: FloatArray) -> None:
        if self._sum is None:
            self._sum = term
            return
        with np.errstate(invalid="ignore"):
            new = self._sum + term
            larger = np.abs(self._sum) >= np.abs(term)
            self._lost += np.where(larger, (self._sum - new) + term, (term - new) + self._sum)
        self._sum = new

    @property
    def value(self) -> FloatArray:
        return np.asarray(self._sum) + self._lost


def _with_runs(p: Parameters, runs: Any, better: Parameters) -> Parameters:
    arrays = []
    for name in ("weights", "means", "covariances", "W", "log_c"):
        array = getattr(p, name).copy()
        array[runs] = getattr(better, name)
        arrays.append(array)
    return Parameters(*arrays)


def no_spread(blocks: Blocks, total: FloatArray, covariance_type: CovarianceType) -> str | None:
    """Why the covariance ``total`` of the data, in units of ``scale``, has no inverse; or None."""
    d = blocks.n_features
    rounding = blocks.rounding
    scale = np.sqrt(np.diag(total))
    for c in range(d):
        if scale[c] <= 2 * rounding[c]:
            return (
                f"column {c} of X has the same value in every row, {blocks.centre[c]:g} up to "
                f"rounding. Leave that column out, or set reg_covar above 0: a Gaussian needs "
                f"spread in every direction."
            )
    if covariance_type in ("diag", "spherical"):
        return None
    if blocks.n_rows <= d and np.array_equal(total, blocks.covariance):
        return (
            f"X has {counted(blocks.n_rows, 'observation', 'observations')} and "
            f"{counted(d, 'column', 'columns')}: too few rows for a covariance. Bring at least "
            f"{d + 1} observations, leave columns out, choose covariance_type='diag', or set "
            f"reg_covar above 0."
        )
    smallest = float(np.linalg.eigvalsh(total / np.outer(scale, scale))[0])
    if smallest < d * 1e-14 + 4 * float(np.max((rounding / scale) ** 2)):
        return (
            f"the columns of X are linearly dependent (their correlation matrix has the "
            f"eigenvalue {smallest:.1e}). Leave out a column that the others determine, choose "
            f"covariance_type='diag', or set reg_covar above 0."
        )
    return None
