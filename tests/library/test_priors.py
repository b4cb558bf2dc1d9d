"""MAP: against SciPy's own densities, against an optimiser, and a climb that never falls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.stats import invwishart, multivariate_normal

from gmmlib import CollapseError, ConvergenceWarning, Mixture, datasets, e_step, m_step, priors
from gmmlib.bound import expected_complete_data_log_likelihood
from gmmlib.priors import Prior
from strategies import random_mixture, random_responsibilities

TWENTY = datasets.esl_mixture()


def some_prior(rng, d, shrinkage=0.7):
    A = rng.normal(size=(d, d))
    return Prior(rng.normal(size=d), shrinkage, A @ A.T + np.eye(d), d + 1.5)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_penalty_is_the_log_density_of_scipy_but_for_a_constant(d):
    rng = np.random.default_rng(d)
    prior = some_prior(rng, d)

    def by_scipy(mixture):
        return sum(
            invwishart(prior.dof, prior.scale).logpdf(Sigma)
            + multivariate_normal(prior.mean, Sigma / prior.shrinkage).logpdf(mu)
            for mu, Sigma in zip(mixture.means, mixture.covariances, strict=True)
        )

    gaps = [prior.penalty(m) - by_scipy(m) for m in (random_mixture(rng, 3, d) for _ in range(5))]
    assert_allclose(gaps, gaps[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("shrinkage", [0.0, 0.7])
def test_no_optimiser_finds_a_better_step(d, shrinkage):
    rng = np.random.default_rng(10 * d)
    X = rng.normal(size=(9, d))
    beta = random_responsibilities(rng, 9, 2)
    prior = some_prior(rng, d, shrinkage)
    best = priors.m_step(X, beta, prior)
    rows, columns = np.tril_indices(d)

    def mixture_of(p):
        means = p[: 2 * d].reshape(2, d)
        covariances = []
        for part in p[2 * d :].reshape(2, -1):
            L = np.zeros((d, d))
            L[rows, columns] = part
            L[np.diag_indices(d)] = np.exp(L[np.diag_indices(d)])
            covariances.append(L @ L.T)
        return Mixture(best.weights, means, covariances)

    def objective(p):
        mixture = mixture_of(p)
        return -expected_complete_data_log_likelihood(X, beta, mixture) - prior.penalty(mixture)

    found = minimize(objective, np.zeros(2 * d + d * (d + 1)), options={"gtol": 1e-8})
    reached = expected_complete_data_log_likelihood(X, beta, best) + prior.penalty(best)
    assert -found.fun <= reached + 1e-9
    assert_allclose(-found.fun, reached, rtol=1e-8)
    assert_allclose(mixture_of(found.x).means, best.means, atol=1e-4)
    assert_allclose(mixture_of(found.x).covariances, best.covariances, atol=1e-4)


@given(st.integers(0, 10**6), st.integers(1, 3))
def test_observations_at_the_prior_mean_are_what_the_shrinkage_is(seed, d):
    """κ = 2: as if each component had two observations more, both at m."""
    rng = np.random.default_rng(seed)
    X, beta = rng.normal(size=(8, d)), random_responsibilities(rng, 8, 2)
    prior = some_prior(rng, d, shrinkage=2.0)
    found = priors.m_step(X, beta, prior)
    for j in range(2):
        rows = np.vstack([X, prior.mean, prior.mean])
        w = np.r_[beta[:, j], 1, 1]
        assert_allclose(found.means[j], np.average(rows, axis=0, weights=w), atol=1e-12)
        away = rows - found.means[j]
        total = prior.scale + (w * away.T) @ away
        assert_allclose(found.covariances[j], total / (w.sum() - 2 + prior.dof + d + 2), atol=1e-12)


def test_a_weak_prior_is_no_prior():
    rng = np.random.default_rng(4)
    X, beta = rng.normal(size=(5000, 2)), random_responsibilities(rng, 5000, 2)
    weak, plain = priors.m_step(X, beta, Prior.default(X, 2)), m_step(X, beta)
    assert_allclose(weak.means, plain.means, atol=1e-4)
    assert_allclose(weak.covariances, plain.covariances, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("variance", [1.0, 1e-4, 1e-12])
def test_from_a_needle_it_climbs_and_ends_well_above_zero(variance):
    prior = Prior.default(TWENTY, 2)
    needle = Mixture.univariate([0.1, 0.9], [TWENTY[0], 3.0], [variance, 2.0])
    result = priors.fit(TWENTY, needle, prior)
    assert (np.diff(result.objectives) >= -1e-9).all()
    assert result.converged
    assert result.mixture.variances.min() > 0.01
    by_hand = e_step(TWENTY, result.mixture)[1]
    assert_allclose(result.log_likelihood, by_hand)
    assert_allclose(result.objectives[-1], by_hand + prior.penalty(result.mixture))
    again = priors.m_step(TWENTY, e_step(TWENTY, result.mixture)[0], prior)
    assert_allclose(again.means, result.mixture.means, atol=1e-3)  # it is at rest


def test_rows_fewer_than_columns_are_no_harm():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(6, 10))
    prior = Prior(X.mean(axis=0), 0.01, np.diag(X.var(axis=0)), 12)
    result = priors.fit(X, Mixture([0.5, 0.5], X[:2], [np.eye(10)] * 2), prior)
    assert np.linalg.eigvalsh(result.mixture.covariances).min() > 1e-3
    with pytest.raises(ValueError, match="only the diagonal"):
        Prior.default(X, 2)


def test_the_default_is_the_one_of_fraley_and_raftery():
    X = datasets.old_faithful()
    prior = Prior.default(X, 3)
    assert_allclose(prior.mean, X.mean(axis=0))
    assert_allclose(prior.scale, np.cov(X.T) / 3)  # K^(2/d) = 3
    assert (prior.shrinkage, prior.dof) == (0.01, 4)
    assert_allclose(Prior.default(TWENTY, 2).scale, [[TWENTY.var(ddof=1) / 4]])
    with pytest.raises(ValueError, match="read-only"):
        prior.scale[0, 0] = 1


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"scale": -1.0}, "not symmetric positive definite"),
        ({"scale": np.eye(2)}, r"scale \(2, 2\)"),
        ({"shrinkage": -0.1}, "shrinkage is -0.1"),
        ({"shrinkage": np.inf}, "shrinkage is inf"),
        ({"dof": 0}, "more than d - 1 = 0"),
        ({"dof": np.nan}, "dof is nan"),
        ({"dof": np.inf}, "dof is inf"),
        ({"mean": np.nan}, "mean"),
    ],
)
def test_a_prior_that_is_none_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        Prior(**{"mean": 0.0, "shrinkage": 0.01, "scale": 1.0, "dof": 3, **options})


def test_what_does_not_fit_is_refused():
    prior = Prior.default(TWENTY, 2)
    with pytest.raises(ValueError, match="for 1 columns, but X has 2"):
        priors.m_step([[0.0, 1.0], [1.0, 0.0]], [[1, 0], [0, 1]], prior)
    with pytest.raises(CollapseError, match="no observation"):
        priors.m_step([0.0, 1.0], [[1, 0], [1, 0]], prior)
    start = Mixture.univariate([0.5, 0.5], [1, 4], [1, 1])
    with pytest.warns(ConvergenceWarning, match="penalised log-likelihood"):
        stopped = priors.fit(TWENTY, start, prior, max_iter=2)
    assert not stopped.converged
    assert len(stopped.objectives) == 3
