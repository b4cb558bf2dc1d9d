"""Spikes: components that are narrow in some direction, and on a few observations only.

New since ``mixture``: each component is held against all of them together, the pooled covariance.
Here is the one rule; the starts, the race and the moves of ``fitting`` judge by it too.

In this module::

    R      mixtures judged at once
    share  a variance of component j over the pooled variance in the same direction; no units
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gmmlib.em import e_step
from gmmlib.mixture import DiagonalMixture, Mixture
from gmmlib.validation import FloatArray

FEW = 10  # observations for each point that fixes a component; with fewer, its width is chance
NARROW = 1e-4  # a share of the pooled variance; with few observations it is a spike on some of them
WIDE = 1e-2  # the same; where a component lies in a direction in which it is wide, no point fixes


@dataclass(frozen=True, eq=False, repr=False)
class Spikes:
    """What :func:`spikes` returns.

    Attributes
    ----------
    shares : (K,)
        The smallest variance of each component in any direction, as a share of the pooled
        variance in that direction.
    counts : (K,)
        N_j, the observations that it holds.
    needed : (K,)
        How many a component of its shape needs, so that being narrow is taken as real.
    verdicts : (K,)
        Whether it is a spike: ``shares < NARROW`` and ``counts < needed``.

    Book: def-spike-share.
    """

    shares: FloatArray
    counts: FloatArray
    needed: npt.NDArray[np.intp]
    verdicts: npt.NDArray[np.bool_]

    def any(self) -> bool:
        """Whether there is a spike among them."""
        return bool(self.verdicts.any())

    def __repr__(self) -> str:
        rows = [("component", "smallest share", "observations", "needed", "verdict")]
        for j, share in enumerate(self.shares):
            verdict = "spike" if self.verdicts[j] else "narrow" if share < NARROW else "-"
            held = f"{self.counts[j]:.1f}"
            rows.append((str(j), f"{share:.2e}", held, str(self.needed[j]), verdict))
        widths = [max(len(row[c]) for row in rows) for c in range(5)]
        lines = ["  ".join(f"{row[c]:>{widths[c]}}" for c in range(5)) for row in rows]
        return "\n".join(lines)


def spikes(mixture: Mixture, X: Any) -> Spikes:
    """Which components of a mixture are spikes on a few of the observations.

    A component is a spike if in some direction it has less than ``NARROW`` (a ten-thousandth) of
    the pooled variance, and holds fewer than ``FEW`` (ten) observations for each of the points
    that fix where it lies: one, and one more for each direction in which it is ``WIDE`` (has a
    hundredth of the pooled variance; for variances alone, one in all); and one for its width.

    Parameters
    ----------
    mixture : Mixture
        As a fit returns it.
    X : (n, d), or (n,) when d = 1
        The observations that it was fitted to.

    Returns
    -------
    Spikes
        For each component the smallest share, the observations held, those needed, the verdict.

    Raises
    ------
    TypeError, ValueError
        As :func:`gmmlib.em.e_step`.

    Book: def-spike-share, sec-spikes.

    >>> import numpy as np
    >>> from gmmlib import datasets
    >>> x = datasets.esl_mixture()
    >>> needle = Mixture.univariate([0.05, 0.95], [x[0], x.mean()], [1e-6, x.var()])
    >>> spikes(needle, x)
    component  smallest share  observations  needed  verdict
            0        2.65e-07           1.0      20    spike
            1        1.05e+00          19.0      30        -
    """
    counts = e_step(X, mixture)[0].sum(axis=0)  # def-counts
    if isinstance(mixture, DiagonalMixture):
        spread = mixture.variances_by_column
        W = 1 / np.sqrt(spread)
    else:
        spread = mixture.covariances
        W = np.linalg.inv(np.linalg.cholesky(spread))
    one = np.newaxis
    found = judged(mixture.weights[one], spread[one], W[one], counts[one])
    shares, needed, verdicts = (part[0] for part in found)
    return Spikes(shares, counts, needed, verdicts)


def judged(
    weights: FloatArray, covariances: FloatArray, W: FloatArray, counts: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """The rule of :func:`spikes`, for R mixtures at once.

    Parameters
    ----------
    weights : (R, K)
    covariances : (R, K, d, d), or the variances (R, K, d)
    W : as ``covariances``
        L⁻¹ with Σ = L Lᵀ, or 1/σ.
    counts : (R, K)
        The observations that each component holds.

    Returns
    -------
    shares, needed, verdicts : (R, K) each
        As in :class:`Spikes`.

    Book: def-spike-share.
    """
    if covariances.ndim == 3:
        pooled = np.einsum("rk,rka->ra", weights, covariances)
        shares = 1 / (W**2 * pooled[:, np.newaxis]).max(axis=2)
        points = np.ones(shares.shape, dtype=np.intp)
    else:
        pooled = np.einsum("rk,rkab->rab", weights, covariances)
        whitened = W @ np.linalg.cholesky(pooled)[:, np.newaxis]
        # rounding may leave nothing of a wide direction beside one that is narrow by 1e15: but no
        # share exceeds 1/α (Book: eq-share-bound)
        least = np.maximum(weights, np.finfo(float).tiny)[:, :, np.newaxis]
        by_direction = 1 / np.maximum(np.linalg.svd(whitened, compute_uv=False) ** 2, least)
        shares = by_direction.min(axis=2)
        points = 1 + (by_direction > WIDE).sum(axis=2)
    needed = FEW * (points + 1)
    return shares, needed, np.asarray((counts < needed) & (shares < NARROW))
