"""Many short runs, of which the better ones go on; and what a run must not end in."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from gmmlib.engine import Engine, Parameters
from gmmlib.engine.available import KERNEL
from gmmlib.engine.small import Small
from gmmlib.spikes import FEW, NARROW, WIDE, judged
from gmmlib.validation import FloatArray

SHORT: Any = None if KERNEL is None else import_module("gmmlib.fitting.short")
SPIKE = (FEW, NARROW, WIDE)

_LIVES = 3  # how often components of one run may start anew
_LEFT = 3  # runs that go on at least
_ROUNDING = 1e-11  # of ℓ: a run that changes by less has arrived

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Anew:
    """Draws observations, by weight, on which a component that collapsed starts anew.

    Attributes
    ----------
    x : (m, d)
        In the coordinates of the engine.
    w : (m,)
    rng : Generator
    """

    x: FloatArray
    w: FloatArray
    rng: np.random.Generator

    @property
    def chances(self) -> FloatArray:
        """The weights added up, (m,)."""
        return np.cumsum(self.w)

    def __call__(self, count: int) -> FloatArray:
        """So many means (count, d)."""
        chances = self.chances
        drawn = np.searchsorted(chances, self.rng.random(count) * chances[-1], side="right")
        return np.asarray(self.x[np.minimum(drawn, len(chances) - 1)])


_HEATS = ((3, 0.5), (5, 0.5), (8, 0.0))  # EM steps, and the share that goes on


def race(engine: Engine, p: Parameters, anew: Anew | None = None) -> Parameters:
    """Short runs of all starts in one pass; the better ones go on; the best come back first.

    Those that were overtaken come after them, as they were then: the best may all end in a spike.

    Parameters
    ----------
    engine : Engine
    p : Parameters
        R mixtures.
    anew : Anew or None
        Where components that collapse in the first two heats start anew, with the pooled
        covariance. Without it a run whose component collapses drops out.

    Returns
    -------
    raced : Parameters
        Nothing may come back.

    Book: sec-many-starts.
    """
    return _raced(engine, p, anew)[0]


def _raced(engine: Engine, p: Parameters, anew: Anew | None) -> tuple[Parameters, FloatArray]:
    """What comes back from a :func:`race`, and ℓ before the last step of each."""
    small = engine.small_for(p)
    if small is not None:
        return _race_in_one_call(engine, small, p, anew)
    lives = np.full(len(p.weights), 0 if anew is None else _LIVES)
    overtaken: list[tuple[Parameters, FloatArray]] = []
    log_likelihood = np.empty(0)
    for steps, share in _HEATS:
        p, log_likelihood, lives = _heat(engine, p, steps, lives, anew if share > 0 else None)
        if not len(p.weights):
            break
        keep = max(_LEFT, int(np.ceil(share * len(log_likelihood))))
        best = np.argsort(-log_likelihood, kind="stable")
        overtaken.append((p.runs(best[keep:]), log_likelihood[best[keep:]]))
        best = best[:keep]
        p, log_likelihood, lives = p.runs(best), log_likelihood[best], lives[best]
    parts = [(p, log_likelihood), *overtaken[::-1]]
    p = Parameters.joined([part for part, _ in parts])
    log_likelihood = np.concatenate([found for _, found in parts])
    order = np.argsort(is_spike(engine, p).any(axis=1), kind="stable")
    return p.runs(order), log_likelihood[order]


def _heat(
    engine: Engine, p: Parameters, steps: int, lives: Indices, anew: Anew | None
) -> tuple[Parameters, FloatArray, Indices]:
    """The mixtures that are left after so many steps, their ℓ and their lives."""
    left = np.full(len(p.weights), steps, np.intp)
    log_likelihood = np.full(len(p.weights), np.nan)
    while left.any():
        p, found, taken, gone = engine.em_run(p, left, _ROUNDING)
        log_likelihood = np.where(taken > 0, found, log_likelihood)
        lost = np.asarray(gone.any(axis=1))
        if not lost.any():
            break
        left = np.where(lost, left - taken, 0)
        again = np.flatnonzero(lost & ~gone.all(axis=1) & (lives > 0))
        if anew is not None and len(again):
            lives = lives.copy()
            lives[again] -= 1
            p = p.with_runs(again, _revived(engine, p.runs(again), gone[again], anew))
            lost[again] = False
        sound = ~lost
        p, log_likelihood = p.runs(sound), log_likelihood[sound]
        left, lives = left[sound], lives[sound]
    return p, log_likelihood, lives


def races(engine: Engine, parts: Sequence[Parameters], anew: Anew | None = None) -> Parameters:
    """A :func:`race` of the starts of each kind; of all that come back, the best first.

    Spikes come last, however high they are.

    Book: sec-many-starts.
    """
    raced = [_raced(engine, part, anew) for part in parts]
    if len(raced) == 1:
        return raced[0][0]
    p = Parameters.joined([part for part, _ in raced])
    log_likelihood = np.concatenate([found for _, found in raced])
    order = np.lexsort((-log_likelihood, is_spike(engine, p).any(axis=1)))
    return p.runs(order)


def _race_in_one_call(
    engine: Engine, small: Small, p: Parameters, anew: Anew | None
) -> tuple[Parameters, FloatArray]:
    mixtures = small.arrays(p)
    R, K = p.weights.shape
    chances, uniform, lives = np.zeros(1), np.zeros(K), 0
    if anew is not None:
        chances, uniform, lives = anew.chances, anew.rng.random(_LIVES * K * R), _LIVES
    rules = (np.array(_HEATS), _ROUNDING, lives, _LEFT, chances, uniform, SPIKE)
    order, found, n_passes = SHORT.race(small.problem, small.kind, mixtures, *rules)
    engine.passed(n_passes)
    return small.parameters(mixtures, order), engine.log_likelihoods(found[order])


def _revived(engine: Engine, p: Parameters, gone: npt.NDArray[np.bool_], anew: Anew) -> Parameters:
    """The mixtures with other components in place of those that are about to go, (R, K)."""
    weights, means, covariances = p.weights.copy(), p.means.copy(), p.covariances.copy()
    weights[gone] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    if covariances.shape[1] > 1:
        pooled = np.einsum("rk,rk...->r...", weights, covariances)
        covariances[gone] = pooled[np.nonzero(gone)[0]]
    weights[gone] = 1 / weights.shape[1]
    weights /= weights.sum(axis=1, keepdims=True)
    means[gone] = anew(int(gone.sum()))
    return engine.factored(weights, means, covariances)


def is_spike(engine: Engine, p: Parameters) -> npt.NDArray[np.bool_]:
    """Which components are spikes, (R, K): narrow, and on a few observations only.

    The likelihood has no upper bound, and near each of its singularities it may have a high local
    maximum whose narrow component holds a few points that happen to lie nearly on a line. The rule
    is that of :func:`gmmlib.spikes.spikes`. With one covariance for all there are none.

    Book: sec-many-starts, sec-spikes.
    """
    if engine.family.shared:
        return np.zeros(p.weights.shape, dtype=bool)
    counts = p.weights * engine.blocks.total_weight
    d = p.means.shape[2]
    few = counts < FEW * (2 if p.diagonal else d + 2)
    if few.any() and not p.diagonal:  # the norm is no smaller than the largest singular value
        pooled = np.einsum("rk,rkab->rab", p.weights, p.covariances)
        whitened = p.W @ np.linalg.cholesky(pooled)[:, np.newaxis]
        few &= (whitened * whitened).sum(axis=(2, 3)) > 1 / NARROW
    if not few.any():
        return few
    return judged(p.weights, p.covariances, p.W, counts)[2]
