"""Gaussian mixture models and the EM algorithm, readable beside their derivation.

The modules are in the order of the book:

========================  ==========================================================
``gaussian``              ``log_gaussian``: one Gaussian, or K of them, at every point
``mixture``               ``Mixture``: the weighted sum; its density; sampling from it
``em``                    ``e_step``, ``m_step``, ``fit``: the textbook algorithm
``bound``                 what EM climbs: lower bound, entropy, KL divergence
``initialization``        where EM starts: random points, k-means++, clusters
``label_matching``        which component of one fit is which of another
``spikes``                components that are narrow, and on a few observations only
``priors``                EM with a prior for every component
``families``              shapes of clusters: the fourteen families beside their derivation
``modes``                 the hills of the density, and which one a point climbs to
``merge``                 components merged into clusters, by the entropy of their labels
``uncertainty``           standard errors, profiles, the bootstrap
``models``                families of covariances, as the engine needs them
``engine``                EM for many mixtures at once, in blocks: data of any size
``fitting``               many short runs, the best carried to convergence
``estimators``            ``GaussianMixture``: all this behind scikit-learn's interface
``select``                which family, how many components: every pair fitted and compared
``ratio_test``            more components or not: a test by simulation
``datasets``              small real data with their provenance; seeded toys
``checks``                the ledger: checks that print one line (needs SymPy)
``plots``                 figures: ax in, ax out (needs matplotlib)
``reading``               ``show``: a function's own source, for a chapter
``validation``            what the user handed in, checked once and said plainly
``spread``                the judge of whether data spread in every direction
``guards``, ``stopping``  what ``em`` refuses, and when it ends
``errors``                what a fit may end with
========================  ==========================================================

Shapes and names are the same everywhere::

    X                 (n, d)      observations x_i; a 1-D array of n numbers is read as (n, 1)
    labels            (n,)        z_i, integers 0..K-1
    weights           (K,)        α_j, at least 0, summing to 1
    means             (K, d)      μ_j
    covariances       (K, d, d)   Σ_j; variances (K,) when d = 1
    responsibilities  (n, K)      β_ij, each row summing to 1
    counts            (K,)        N_j = Σ_i β_ij
    log_likelihood    scalar      ℓ(θ), a sum over observations, in nats

Components are counted from 0 in code and from 1 in the mathematics.
"""

from typing import TYPE_CHECKING, Any

from gmmlib.em import e_step, fit, m_step
from gmmlib.errors import CollapseError, ConvergenceWarning
from gmmlib.gaussian import log_gaussian
from gmmlib.mixture import Mixture
from gmmlib.stopping import Fit

if TYPE_CHECKING:
    from gmmlib.estimators import GaussianMixture

__version__ = "0.1.0"

__all__ = [
    "CollapseError",
    "ConvergenceWarning",
    "Fit",
    "GaussianMixture",
    "Mixture",
    "e_step",
    "fit",
    "log_gaussian",
    "m_step",
]


def __getattr__(name: str) -> Any:
    if name == "GaussianMixture":  # loaded when asked for: scikit-learn and Numba take a second
        from gmmlib.estimators import GaussianMixture

        return GaussianMixture
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
