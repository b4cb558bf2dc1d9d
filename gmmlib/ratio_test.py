"""Are there more components than K0? The likelihood ratio, held against its own simulation.

The statistic has no χ² distribution here (see the chapter), so data are drawn from the smaller
mixture, and both numbers of components are fitted to them again (McLachlan 1987).
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from gmmlib.estimators import GaussianMixture
from gmmlib.mixture import Mixture
from gmmlib.select import Cell, select
from gmmlib.validation import FloatArray, as_data, as_n_components, counted


@dataclass(frozen=True, eq=False)
class RatioTest:
    """What :func:`likelihood_ratio_test` returns. ``print`` shows it in one line.

    Attributes
    ----------
    covariance_type : str
    n_components : (int, int)
        K0, and the larger K1.
    statistic : float
        2 (ℓ1 - ℓ0), in nats; at least 0.
    replicates : (n_bootstrap - failed,)
        The same of the data that were drawn from ``smaller``, in the order of drawing.
    p_value : float
        (1 + how many replicates reach the statistic) / (1 + how many replicates there are).
    failed : int
        Data drawn for which a fit failed or warned; they have no replicate.
    smaller, larger : Mixture
        The fits with K0 and K1 components. Where no start led higher than K0's fit, ``larger`` is
        that fit with one component in two or more equal parts.
    """

    covariance_type: str
    n_components: tuple[int, int]
    statistic: float
    replicates: FloatArray
    p_value: float
    failed: int
    smaller: Mixture
    larger: Mixture

    def __str__(self) -> str:
        K0, K1 = self.n_components
        drawn = counted(len(self.replicates), "replicate", "replicates")
        text = (
            f"{self.covariance_type}, {K0} against {K1} components: 2 (l1 - l0) = "
            f"{self.statistic:.3f}, p = {self.p_value:.3f} from {drawn}"
        )
        return text + (f", {self.failed} failed" if self.failed else "")


def likelihood_ratio_test(
    X: Any,
    n_components: int,
    n_larger: int | None = None,
    *,
    covariance_type: str = "full",
    n_bootstrap: int = 99,
    random_state: int = 0,
    n_jobs: int | None = None,
    **options: Any,
) -> RatioTest:
    """Is the larger number of components needed? A test by the parametric bootstrap.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    n_components : int
        K0, the number that is tested.
    n_larger : int or None
        K1; None takes K0 + 1.
    covariance_type : str
        One family for both.
    n_bootstrap : int
        How many data sets are drawn from the fit with K0 components; 19 is the least for which a
        p-value can be 0.05.
    random_state : int
        The same int gives the same result, for any ``n_jobs``, up to rounding.
    n_jobs : int or None
        How many processes, as in joblib.
    options
        Further parameters of :class:`gmmlib.GaussianMixture`, such as ``n_init``; for the data and
        for what is drawn alike.

    Returns
    -------
    RatioTest
        K1 components are started as in :func:`gmmlib.select.select`, and once more from K0's fit
        with its heaviest component split. K0's fit is also a mixture of K1 components, two or more
        of them equal, so where nothing is higher the statistic is 0.

    Raises
    ------
    TypeError, ValueError
        As :func:`gmmlib.select.select`; if K1 is not more than K0, if ``n_bootstrap`` < 1, if a
        fit to X fails or warns, or if all replicates fail.

    Book: def-likelihood-ratio.

    >>> from gmmlib import datasets
    >>> test = likelihood_ratio_test(
    ...     datasets.acidity(), 1, covariance_type="E", n_bootstrap=19, n_init=2)
    >>> round(test.statistic, 3), test.p_value
    (79.672, 0.05)
    """
    data = as_data(X)
    n = len(data)
    K0 = as_n_components(n_components, n)
    K1 = as_n_components(K0 + 1 if n_larger is None else n_larger, n)
    if K1 <= K0:
        raise ValueError(
            f"n_larger is {K1}, and n_components is {K0}. Name a larger number after the smaller."
        )
    if isinstance(n_bootstrap, bool) or not isinstance(n_bootstrap, (int, np.integer)):
        raise TypeError(f"n_bootstrap must be a whole number, not {n_bootstrap!r}. Pass 99.")
    if n_bootstrap < 1:
        raise ValueError(f"n_bootstrap is {n_bootstrap}. Draw at least 1 data set; 99 is usual.")
    call = (covariance_type, K0, K1, random_state, options)
    smaller, larger, statistic, note = _compared(data, *call)
    if smaller is None or larger is None or note:
        raise ValueError(
            f"a fit to X is not sound, and nothing can be tested with it: {note} "
            f"Ask for fewer components, a simpler covariance_type, or more starts (n_init)."
        )
    drawn = Parallel(n_jobs)(
        delayed(_replicate)(smaller, n, number, *call) for number in range(n_bootstrap)
    )
    replicates = np.array([value for value in drawn if not np.isnan(value)])
    if not len(replicates):
        raise ValueError(
            f"all of {n_bootstrap} replicates failed. Ask for a simpler covariance_type, or more "
            f"starts (n_init)."
        )
    reach = int((replicates >= statistic).sum())
    return RatioTest(
        covariance_type,
        (K0, K1),
        statistic,
        replicates,
        (1 + reach) / (1 + len(replicates)),
        n_bootstrap - len(replicates),
        smaller,
        larger,
    )


def _replicate(
    smaller: Mixture,
    n: int,
    number: int,
    kind: str,
    K0: int,
    K1: int,
    seed: int,
    options: dict[str, Any],
) -> float:
    """The statistic of data drawn from ``smaller``; NaN if a fit is not sound."""
    X, _ = smaller.sample(n, np.random.default_rng([seed, number]))
    own = int(np.random.SeedSequence([seed, number, 1]).generate_state(1)[0])
    _, _, statistic, note = _compared(X, kind, K0, K1, own, options)
    return float("nan") if note else statistic


def _compared(
    X: FloatArray, kind: str, K0: int, K1: int, seed: int, options: dict[str, Any]
) -> tuple[Mixture | None, Mixture | None, float, str]:
    """Both fits, 2 (ℓ1 - ℓ0), and why they are not sound."""
    cells = select(X, [K0, K1], [kind], random_state=seed, **options)
    small, large = cells[kind, K0], cells[kind, K1]
    if small.mixture is None or small.note:
        return small.mixture, large.mixture, float("nan"), small.note
    parted = _from_parts(X, small.mixture, kind, K1, options)
    sound = [large] if large.mixture is not None and not large.note else []
    fits = [(cell.log_likelihood, cell.mixture) for cell in sound] + parted
    if not fits:
        return small.mixture, large.mixture, float("nan"), _why(large, K1)
    height, mixture = max(fits, key=lambda fit: fit[0])
    if height < small.log_likelihood:
        height, mixture = small.log_likelihood, _in_parts(small.mixture, K1, 0.0)
    return small.mixture, mixture, 2 * (height - small.log_likelihood), ""


def _from_parts(
    X: FloatArray, smaller: Mixture, kind: Any, K1: int, options: dict[str, Any]
) -> list[tuple[float, Mixture]]:
    """EM from K0's fit with a component split: its end, if it is sound."""
    model = GaussianMixture.from_mixture(
        _in_parts(smaller, K1, 0.5), kind, warm_start=True, **options
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model.fit(X)
        except (ValueError, Warning):  # collapsed, or a fit that warns
            return []
    return [(float(model.log_likelihoods_[-1]), model.mixture_)]


def _in_parts(smaller: Mixture, K1: int, apart: float) -> Mixture:
    """The heaviest component in equal parts, along its longest axis, ``apart`` in σ's."""
    parts = K1 - smaller.n_components + 1
    j = int(np.argmax(smaller.weights))
    values, vectors = np.linalg.eigh(smaller.covariances[j])
    steps = apart * np.sqrt(values[-1]) * np.linspace(-1, 1, parts)
    keep = np.r_[np.arange(smaller.n_components), np.full(parts - 1, j)]
    own = np.flatnonzero(keep == j)
    weights, means = smaller.weights[keep].copy(), smaller.means[keep].copy()
    weights[own] /= parts
    means[own] += steps[:, np.newaxis] * vectors[:, -1]
    return Mixture(weights, means, smaller.covariances[keep])


def _why(large: Cell, K1: int) -> str:
    return large.note or f"no fit with {K1} components is sound."
