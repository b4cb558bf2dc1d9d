"""Passes over the data: E-step and M-step of R mixtures at once."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from gmmlib.engine import threads
from gmmlib.engine.backends import Backend, Compiled, Step, current
from gmmlib.engine.blocks import Load, Observations, Piece, block_size
from gmmlib.engine.frame import FloatRows, Frame
from gmmlib.engine.moments import Moments
from gmmlib.engine.pairwise import PairwiseSum
from gmmlib.engine.parameters import Parameters
from gmmlib.engine.small import Small
from gmmlib.engine.threads import Executor, one_blas_thread
from gmmlib.models import Family, family_of
from gmmlib.validation import FloatArray

Indices = npt.NDArray[np.intp]

_FLATTEST_PIVOT = 5e13  # an inverse, half of what validation.is_positive_definite takes
_NO_WEIGHT = np.finfo(float).tiny / np.finfo(float).eps
_KEPT = 2**22  # numbers up to which standardised data are kept between passes: 32 MiB
_AT_ONCE = 2**19  # numbers in the covariances of the mixtures that share a pass: 4 MiB


class Engine:
    """Passes over some data: E-step and M-step of R mixtures at once. Use it in ``with``.

    Parameters
    ----------
    blocks : Observations
        Such as ``Blocks``.
    family : Family, or its name
        Such as 'full', 'tied' or 'VEV'.
    reg_covar : float or (d,)
        Added to every variance, or to each column's, in the units of the data squared.
    n_threads : int or None
        None takes the processors that this process may use. The result is the same for any
        number, bit for bit: sums are over blocks of fixed length, added in one tree.
    backend : Backend or None
        Who computes the steps on a block; None is :func:`gmmlib.engine.backends.current`.
    executor : Executor or None
        Where the blocks are computed; None is where the data are: here, ``n_threads`` threads.

    Raises
    ------
    ValueError
        If the data do not spread in every direction and ``reg_covar`` is 0.

    Book: alg-engine.
    """

    def __init__(
        self,
        blocks: Observations,
        family: str | Family,
        reg_covar: float | FloatArray = 0.0,
        n_threads: int | None = None,
        backend: Backend | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.blocks = blocks
        self.family = family_of(family)
        self.backend = backend or current()
        self.executor = executor or blocks.executor(n_threads)
        self._added = np.asarray(reg_covar / blocks.scale**2)
        no_spread = blocks.lacking(self.family.diagonal, self._added)
        if no_spread:
            raise ValueError(no_spread.said(ridge=True))
        self._origin = blocks.frame.rows(blocks.mean)
        self._twice_rounding = 2 * blocks.rounding
        self._log_volume = blocks.total_weight * blocks.frame.log_volume
        self.n_passes = 0  # of single mixtures
        self.progress: Callable[[int], None] | None = None
        self._exit = ExitStack()
        self._kept: list[_Loaded] | None = None

    def __enter__(self) -> "Engine":
        self._exit.enter_context(one_blas_thread())
        self._exit.callback(self.executor.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exit.close()

    def factored(
        self, weights: FloatArray, means: FloatArray, covariances: FloatArray
    ) -> Parameters:
        """Parameters with what a pass needs of them, computed by this engine's backend."""
        return Parameters.factored(weights, means, covariances, self.backend.factors)

    def em_steps(self, p: Parameters) -> tuple[Parameters, FloatArray]:
        """:meth:`em_step` of any number of mixtures, in groups that bound the memory."""
        at_once = max(1, _AT_ONCE // p.covariances[0].size)
        firsts = range(0, len(p.weights), at_once)
        if len(firsts) < 2:
            return self.em_step(p)
        groups = [self.em_step(p.runs(slice(first, first + at_once))) for first in firsts]
        return Parameters.joined([q for q, _ in groups]), np.concatenate([ell for _, ell in groups])

    def em_step(self, p: Parameters) -> tuple[Parameters, FloatArray]:
        """The mixtures after one EM step, and ℓ (R,) before it.

        A mixture that collapses comes back with NaN in ``log_c``.

        Book: eq-moment-matching.
        """
        moments = self.moments(p)
        new = self.maximised(moments, p)
        away = new.means - moments.about
        again = ~(new.cancellation(away) <= self.backend.cancelling).all(axis=1)
        if again.any():  # the sums were taken far from the new means: once more, about them
            runs = np.flatnonzero(again)
            those = p.runs(runs)
            about = np.where(np.isfinite(new.means[runs]), new.means[runs], those.means)
            new = new.with_runs(runs, self.maximised(self.moments(those, about), those))
        new.log_c[self.collapsed(new)] = np.nan
        return new, moments.log_likelihood

    def em_run(
        self, p: Parameters, steps: int | Indices, still: float = -1.0
    ) -> tuple[Parameters, FloatArray, Indices, npt.NDArray[np.bool_]]:
        """At most so many EM steps of each of R mixtures.

        A mixture stops where a step changes ℓ by no more than ``still`` of it, and before a step
        in which a component collapses.

        Parameters
        ----------
        p : Parameters
        steps : int or (R,)
        still : float

        Returns
        -------
        after : Parameters
        log_likelihood : (R,)
            Before the last step; NaN where none was taken.
        taken : (R,)
            How many steps.
        gone : (R, K)
            Which components collapsed in the last step, which is not in ``after``.
        """
        R, K = p.weights.shape
        most = np.array(np.broadcast_to(steps, R), np.intp)
        found, taken = np.full(R, np.nan), np.zeros(R, np.intp)
        gone = np.zeros((R, K), np.bool_)
        going = np.flatnonzero(most > 0)
        while len(going):
            before = p if len(going) == R else p.runs(going)
            after, log_likelihood = self.em_steps(before)
            lost = ~np.isfinite(after.log_c)
            sound = ~lost.any(axis=1)
            gone[going] = lost
            if sound.all() and len(going) == R:
                p = after
            else:
                p = p.widened(after.covariances.shape[1]).with_runs(going[sound], after.runs(sound))
            with np.errstate(invalid="ignore"):
                moves = ~(np.abs(log_likelihood - found[going]) <= still * np.abs(log_likelihood))
            found[going] = log_likelihood
            taken[going] += 1
            going = going[sound & moves & (taken[going] < most[going])]
        return p, found, taken, gone

    def small_for(self, p: Parameters) -> Small | None:
        """What runs whole in one compiled call, where a pass of one mixture is that short."""
        is_compiled = Compiled is not None and isinstance(self.backend, Compiled)
        is_short = self._work(1, *p.means.shape[1:]) <= threads.ONE_THREAD
        is_member = not self.family.shared or p.covariances.shape[1] == 1
        return self._small if is_compiled and is_short and is_member else None

    def passed(self, count: int) -> None:
        """So many passes, each of one mixture, have been made by ``small_for``.

        Raises ``ValueError`` where the number is negative: ℓ overflowed.
        """
        if count < 0:
            self.log_likelihoods(np.array([np.nan]))
        self.n_passes += count
        if self.progress is not None:
            self.progress(self.blocks.n_rows)

    @cached_property
    def _small(self) -> Small | None:
        if not Small.takes(self.family):
            return None
        function = partial(_loaded, partial(_load, self.backend, self.blocks.frame))
        found = self.executor.map(function, self._pieces(), 0.0)  # from elsewhere they come here
        parts = [block for blocks in found for block in blocks]
        x = np.ascontiguousarray(np.concatenate([block for _, block, _ in parts], axis=1))
        w = np.concatenate([weights for _, _, weights in parts])
        about = (self.blocks.scale, self._added, self._twice_rounding)
        return Small(x, w, self.family, *about, (_FLATTEST_PIVOT, _NO_WEIGHT))

    def _work(self, R: int, K: int, d: int) -> float:
        """Multiplications in a pass."""
        return 2.0 * R * K * self.blocks.n_rows * (d if self.family.diagonal else d * (d + 3) / 2)

    def log_likelihoods(self, summed: FloatArray) -> FloatArray:
        """ℓ in the units of the data, from sums in those of the frame."""
        if not np.isfinite(summed).all():
            raise ValueError(
                "an observation is so far from every mean that its squared distance overflows. "
                "Check its units, or centre and scale the data."
            )
        return summed - self._log_volume

    def moments(self, p: Parameters, about: FloatArray | None = None) -> Moments:
        """One pass over the data: the E-step of every mixture, summed up for the M-step.

        ``about`` (R, K, d) is where to measure from: by default what costs least without
        cancelling.

        Book: eq-additivity, def-moments.
        """
        R, K, d = p.means.shape
        self.n_passes += R
        step = self.backend.step(p, about, self._origin, self.family.shared)
        work = self._work(R, K, d)
        function = partial(_on_piece, step, partial(_load, self.backend, self.blocks.frame))
        parts, done = PairwiseSum[Moments](), 0
        for part in self.executor.sums(function, self._pieces(), work):
            if self.progress is not None:
                done += len(part) * block_size(d)
                self.progress(min(done, self.blocks.n_rows))
            parts.join(part)
        total = parts.total()
        assert total is not None  # Blocks has checked that there are rows
        S2 = total.S2 if step.whole else np.broadcast_to(self._scatter, (R, 1, d, d))
        log_likelihood = self.log_likelihoods(total.log_likelihood + total.lost)
        return Moments(total.N, total.S1, S2, total.about, log_likelihood)

    @cached_property
    def _scatter(self) -> FloatArray:
        """Σ_i w_i x_i x_iᵀ, about the centre of the frame, (d, d)."""
        mean = np.outer(self._origin, self._origin)
        return self.blocks.total_weight * (self.blocks.covariance + mean)

    def maximised(self, m: Moments, before: Parameters | None = None) -> Parameters:
        """The M-step: match the moments, as far as the family allows.

        ``before`` are the parameters that the moments are from: a family whose M-step is itself a
        search goes on from there.

        Book: eq-moment-matching, eq-m-step-tied.
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            counts = m.N[:, :, np.newaxis]
            away = m.S1 / counts
            if self.family.diagonal:
                Sigma = m.S2 / counts - away**2
            elif self.family.shared:
                between = (counts * away).swapaxes(1, 2) @ away
                between = (between + between.swapaxes(1, 2)) / 2
                total = m.N.sum(axis=1)[:, np.newaxis, np.newaxis]
                Sigma = ((m.S2[:, 0] - between) / total)[:, np.newaxis]
            else:
                Sigma = m.S2 / counts[..., np.newaxis] - away[..., np.newaxis] * away[:, :, None]
            weights = m.N / m.N.sum(axis=1, keepdims=True)
            if self._added.any():
                Sigma = Sigma + (self._added if self.family.diagonal else np.diag(self._added))
            known = None if before is None else before.covariances
            Sigma = self.family.estimate(weights, Sigma, self.blocks.scale, known)
            return self.factored(weights, m.about + away, Sigma)

    def of_all(self) -> Parameters:
        """One Gaussian with the mean and the covariance of all data, as the family allows."""
        diagonal = self.family.diagonal
        Sigma = self.blocks.variances if diagonal else self.blocks.covariance
        Sigma = Sigma + (self._added if diagonal else np.diag(self._added))
        one = np.ones((1, 1))
        Sigma = self.family.estimate(one, Sigma[np.newaxis, np.newaxis], self.blocks.scale)
        return self.factored(one, self._origin[np.newaxis, np.newaxis], Sigma)

    def projected(self, p: Parameters) -> Parameters:
        """With covariances of this engine's family, where they came from elsewhere."""
        Sigma = self.family.estimate(p.weights, p.covariances, self.blocks.scale)
        return p if Sigma is p.covariances else self.factored(p.weights, p.means, Sigma)

    def extrapolated(
        self, weights: FloatArray, means: FloatArray, covariances: FloatArray
    ) -> Parameters:
        """Parameters from a line through members of the family, which may leave it."""
        if not self.family.linear:
            about = (weights, covariances, self.blocks.scale)
            covariances = self.family.estimate(*about, before=covariances)
        return self.factored(weights, means, covariances)

    def collapsed(self, p: Parameters) -> npt.NDArray[np.bool_]:
        """Which components have no observations or no spread left, (R, K).

        A component is flat if it has less spread than twice the rounding of the data, or if one
        column nearly determines another: no ``Mixture`` holds that.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            sound = p.precisions() @ self._twice_rounding**2 < 1
            if not self.family.diagonal:
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
        mean = self.blocks.frame.rows_back(p.means[run, j])
        noun = "variance" if len(mean) == 1 else "covariance"
        if self.family.shared:
            return j, f"the {noun} that all components share fell to nothing"
        where = ", ".join(f"{value:.6g}" for value in mean[:6]) + (", …" if len(mean) > 6 else "")
        return j, (
            f"its {noun} fell to nothing around {where} (N = {N:.3g}), where the likelihood "
            f"grows without bound unless all components share one {noun} "
            f"(covariance_type='tied') or reg_covar is above 0"
        )

    def _pieces(self) -> Iterable[Any]:
        """Those of the data; where these are small and here, as the backend has loaded them."""
        if self._kept is not None:
            return self._kept
        pieces = self.blocks.pieces()
        if not (self.blocks.is_local and self.blocks.n_rows * self.blocks.n_features <= _KEPT):
            return pieces
        load = partial(_load, self.backend, self.blocks.frame)
        self._kept = [_Loaded(*block) for piece in pieces for block in piece.loaded(load)]
        return self._kept


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A block that the backend has loaded, with its number and its weights."""

    number: int
    x: FloatArray
    w: FloatArray

    def loaded(self, load: Load) -> Iterator[tuple[int, FloatArray, FloatArray]]:
        """Itself."""
        yield self.number, self.x, self.w


def _load(backend: Backend, frame: Frame, rows: FloatRows) -> FloatArray:
    return backend.load(rows, frame)


def _loaded(load: Load, piece: Piece | _Loaded) -> list[tuple[int, FloatArray, FloatArray]]:
    return list(piece.loaded(load))


def _on_piece(step: Step, load: Load, piece: Piece | _Loaded) -> PairwiseSum[Moments]:
    """The moments of its blocks."""
    total = PairwiseSum[Moments]()
    for number, x, w in piece.loaded(load):
        total.add(number, step.on_block(x, w) if x.shape[1] else None)
    return total
