"""The hills of a mixture's density: where its modes are, and which of them a point climbs to.

New since ``mixture``: the point moves and the parameters stay. One step of ``mode_step`` is one EM
step for the place of a point, so the density never falls on the way up.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg
from scipy.special import expit, logsumexp, softmax

from gmmlib.guards import require_finite, require_mixture
from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray, as_data

STEPS = 500  # of the climb, before Newton's method takes over near the top
STILL = 1e-9  # a step so short, in standard deviations of the place, is the end of a climb
NEWTON_STEPS = 100
NEAR = 1e-3  # ends of climbs nearer than this, in the same unit, are one end
CLOSE = 0.5  # summits nearer than this are one, unless the density falls between them
DIP = 1e-14  # a fall of log p by less is rounding
STRETCHES = 2.0 ** np.arange(12)  # of a step near the top, of which the best is taken
SADDLE = 1e-6  # a bend upwards by more, relative to the bend of the components, is not rounding
PUSHES = 8  # off a saddle, each twice as far as the one before
ON_A_RIDGE = expit(np.linspace(-10, 10, 201))  # where the density on a ridgeline is looked at
ALL_OVER = 200  # places on the ridgeline surface of three or more components, drawn by a seed


@dataclass(frozen=True, eq=False)
class Modes:
    """The modes of a mixture's density, the highest first.

    Attributes
    ----------
    locations : (M, d)
        Where they are, in the units of the data.
    log_densities : (M,)
        log p there.
    hessians : (M, d, d)
        The second derivatives of log p there. No eigenvalue is above 0 by more than rounding.
    """

    locations: FloatArray
    log_densities: FloatArray
    hessians: FloatArray

    def __len__(self) -> int:
        return len(self.locations)


def mode_step(X: Any, mixture: Mixture) -> FloatArray:
    """One step uphill from each point: M(x) = (Σ_j β_j Σ_j⁻¹)⁻¹ Σ_j β_j Σ_j⁻¹ μ_j, β_j at x.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
        Where the points stand.
    mixture : Mixture

    Returns
    -------
    (n, d)
        Where they stand after the step. The density is nowhere lower than before.

    Raises
    ------
    TypeError, ValueError
        As :func:`gmmlib.gaussian.log_gaussian`; also for a point too far away.

    Book: def-mode-step, eq-mode-step, eq-mode-ascent.

    >>> mixture = Mixture.univariate(weights=[0.5, 0.5], means=[0, 4], variances=[1, 1])
    >>> mode_step([1.0, 2.0], mixture).round(4)
    array([[0.0719],
           [2.    ]])
    """
    require_mixture(mixture)
    x = as_data(X, n_features=mixture.n_features)
    return _step(x, mixture, _precisions(mixture))[0]


def modes(mixture: Mixture, starts: Any = None) -> Modes:
    """The modes of a mixture's density that can be reached from many starts.

    It climbs from the K means, and from the highest places of the density on the ridgeline of each
    pair of components. For K > 2 it also climbs from 201 places on the ridgeline surface, on which
    every mode lies. From a saddle it is pushed off and climbs on. For K = 2 all modes lie on the
    one ridgeline, and a mode can be missed only between two of the 201 places that are looked at.
    For K > 2 there is no such promise: give more starts, such as the data.

    Parameters
    ----------
    mixture : Mixture
    starts : (m, d), or (m,) when d = 1, optional
        Further places to climb from.

    Returns
    -------
    Modes
        The highest first.

    Raises
    ------
    TypeError, ValueError
        As :func:`mode_step`.

    Book: def-mode-step, eq-density-bend, def-ridgeline.

    >>> near = Mixture.univariate(weights=[0.5, 0.5], means=[0, 1.9], variances=[1, 1])
    >>> far = Mixture.univariate(weights=[0.5, 0.5], means=[0, 2.1], variances=[1, 1])
    >>> len(modes(near)), len(modes(far))
    (1, 2)
    """
    require_mixture(mixture)
    own = [_starts(mixture)]
    if starts is not None:
        own.append(as_data(starts, n_features=mixture.n_features, name="starts"))
    return _summits(_climb(np.concatenate(own), mixture), mixture)[0]


def basins(X: Any, mixture: Mixture) -> tuple[npt.NDArray[np.intp], Modes]:
    """Which mode each observation climbs to: clusters as hills of the density.

    An observation belongs to the mode that its steps lead to. No step goes down, but a step may be
    so long that it crosses a valley, where components of different spread meet.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    mixture : Mixture

    Returns
    -------
    labels : (n,)
        The number of the mode, from 0, in the order of ``found``. An observation that stands
        exactly on a watershed goes to one of its sides.
    found : Modes
        As :func:`modes` finds them with the observations among its starts.

    Raises
    ------
    TypeError, ValueError
        As :func:`mode_step`.

    Book: def-mode-step.

    >>> mixture = Mixture.univariate(weights=[0.5, 0.5], means=[0, 4], variances=[1, 1])
    >>> basins([-1.0, 1.9, 2.1, 9.0], mixture)[0]
    array([0, 0, 1, 1])
    """
    require_mixture(mixture)
    x = as_data(X, n_features=mixture.n_features)
    found, labels = _summits(_climb(np.concatenate([x, _starts(mixture)]), mixture), mixture)
    return labels[: len(x)], found


def _precisions(mixture: Mixture) -> FloatArray:
    """Σ_j⁻¹, (K, d, d)."""
    unit = np.eye(mixture.n_features)
    return np.array(
        [
            scipy.linalg.cho_solve((scipy.linalg.cholesky(Sigma, lower=True), True), unit)
            for Sigma in mixture.covariances
        ]
    )


def _step(
    x: FloatArray, mixture: Mixture, precisions: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """M(x), (n, d); the averaged precision, (n, d, d); log p, (n,); the shares, (n, K)."""
    log_joint = mixture.log_joint(x)
    log_density = np.asarray(logsumexp(log_joint, axis=1))
    require_finite(log_density)
    beta = softmax(log_joint, axis=1)
    A = np.einsum("nk,kab->nab", beta, precisions)
    return _on_the_surface(beta, mixture, precisions), A, log_density, beta


def _lengths(steps: FloatArray, A: FloatArray) -> FloatArray:
    """How long the steps are in the standard deviations of their places, (n,)."""
    return np.asarray(np.sqrt(np.einsum("na,nab,nb->n", steps, A, steps)))


def _climb(x: FloatArray, mixture: Mixture) -> FloatArray:
    """Where the points stand after so many steps, or when they stand still."""
    precisions, x = _precisions(mixture), x.copy()
    moving = np.arange(len(x))
    for _ in range(STEPS):
        to, A, _, _ = _step(x[moving], mixture, precisions)
        length = _lengths(to - x[moving], A)
        x[moving] = to
        moving = moving[length > STILL]
        if not len(moving):
            break
    return x


def _bend(
    x: FloatArray, mixture: Mixture, precisions: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of log p at one place (d,): the gradient, the Hessian; and the averaged precision."""
    _, A, _, beta = _step(x[np.newaxis], mixture, precisions)
    forces = np.einsum("kab,kb->ka", precisions, mixture.means - x)  # Σ_j⁻¹(μ_j - x)
    slope = beta[0] @ forces
    H = np.einsum("k,ka,kb->ab", beta[0], forces, forces) - A[0] - np.outer(slope, slope)
    return slope, (H + H.T) / 2, A[0]  # eq-density-bend


def _to_the_top(x: FloatArray, mixture: Mixture, precisions: FloatArray) -> FloatArray:
    """From a place (d,) near a summit to the summit: by stretched steps, or Newton's if higher."""
    for _ in range(NEWTON_STEPS):
        to, A, _, _ = _step(x[np.newaxis], mixture, precisions)
        slope, H, _ = _bend(x, mixture, precisions)
        places = [*(x + STRETCHES[:, np.newaxis] * (to - x))]
        if np.linalg.eigvalsh(H)[-1] < 0:
            places.append(x - np.linalg.solve(H, slope))
        heights = mixture.log_density(np.array(places))
        best = places[int(np.argmax(heights))]
        length = _lengths((best - x)[np.newaxis], A)[0]
        x = best
        if length <= STILL:
            break
    return x


def _summits(ends: FloatArray, mixture: Mixture) -> tuple[Modes, npt.NDArray[np.intp]]:
    """The summits above the ends of climbs, the highest first, and which belongs to which end."""
    precisions = _precisions(mixture)
    seen: list[tuple[FloatArray, FloatArray, int]] = []  # an end, A there, and its summit
    tops: list[tuple[FloatArray, FloatArray, FloatArray]] = []  # a summit, H and A there
    of_end = np.empty(len(ends), dtype=np.intp)
    for i, end in enumerate(ends):
        known = next((k for place, A, k in seen if _apart(end, place, A) < NEAR), None)
        if known is None:
            top, H, A = _settled(end, mixture, precisions)
            known = next(
                (k for k, t in enumerate(tops) if _one_hill(top, t[0], t[2], mixture)), None
            )
            if known is None:
                known = len(tops)
                tops.append((top, H, A))
            seen.append((end, A, known))
        of_end[i] = known
    places = np.array([top for top, _, _ in tops])
    heights = mixture.log_density(places)
    order = np.argsort(-heights, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    hessians = np.array([H for _, H, _ in tops])
    return Modes(places[order], heights[order], hessians[order]), rank[of_end].astype(np.intp)


def _apart(x: FloatArray, y: FloatArray, A: FloatArray) -> float:
    return float(np.sqrt((x - y) @ A @ (x - y)))


def _one_hill(x: FloatArray, y: FloatArray, A: FloatArray, mixture: Mixture) -> bool:
    """Whether two summits lie close together, with no dip of the density between them."""
    if _apart(x, y, A) >= CLOSE:
        return False
    between = x + np.linspace(0, 1, 11)[:, np.newaxis] * (y - x)
    heights = mixture.log_density(between)
    return bool(heights.min() > min(heights[0], heights[-1]) - DIP)


def _settled(
    x: FloatArray, mixture: Mixture, precisions: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The summit above a place, with H and A there; from a saddle the climb goes on, pushed off."""
    for push in range(PUSHES):
        x = _to_the_top(x, mixture, precisions)
        _, H, A = _bend(x, mixture, precisions)
        bends, directions = scipy.linalg.eigh(H, A)
        if bends[-1] <= SADDLE:
            break
        aside = 1e-2 * 2**push * directions[:, -1]
        x = _climb((x + aside)[np.newaxis], mixture)[0]
    return x, H, A


def _starts(mixture: Mixture) -> FloatArray:
    """The means; the tops of all pairs' ridgelines; and places all over the ridgeline surface."""
    precisions, K = _precisions(mixture), mixture.n_components
    t = ON_A_RIDGE
    starts = [mixture.means]
    for j in range(K):
        for k in range(j):
            shares = np.zeros((len(t), K))
            shares[:, j], shares[:, k] = 1 - t, t
            ridge = _on_the_surface(shares, mixture, precisions)  # def-ridgeline
            height = mixture.log_density(ridge)
            inside = (height[1:-1] >= height[:-2]) & (height[1:-1] > height[2:])
            starts.append(ridge[1:-1][inside])
    if K > 2:
        drawn = np.random.default_rng(0).dirichlet(np.ones(K), size=ALL_OVER)
        middle = np.full((1, K), 1 / K)
        starts.append(_on_the_surface(np.concatenate([middle, drawn]), mixture, precisions))
    return np.concatenate(starts)


def _on_the_surface(shares: FloatArray, mixture: Mixture, precisions: FloatArray) -> FloatArray:
    """Where the shares c lead: (Σ_j c_j Σ_j⁻¹)⁻¹ Σ_j c_j Σ_j⁻¹ μ_j. Every mode is such a place."""
    A = np.einsum("mk,kab->mab", shares, precisions)
    pull = np.einsum("mk,kab,kb->ma", shares, precisions, mixture.means)
    return np.asarray(np.linalg.solve(A, pull[..., np.newaxis])[..., 0])
