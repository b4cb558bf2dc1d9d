"""The lower bound: L = Q + H, never above the log-likelihood, equal to it at the posterior."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import entropy as scipy_entropy
from scipy.stats import multivariate_normal

from gmmlib import Mixture, e_step
from gmmlib.bound import (
    complete_data_log_likelihood,
    entropy,
    expected_complete_data_log_likelihood,
    kl_divergence,
    lower_bound,
)
from strategies import problems, random_mixture, random_responsibilities, slopes


@given(problems())
def test_complete_data_log_likelihood_is_a_sum_over_known_labels(problem):
    X, mixture, rng = problem
    labels = rng.integers(mixture.n_components, size=len(X))
    by_scipy = sum(
        np.log(mixture.weights[j])
        + multivariate_normal(mixture.means[j], mixture.covariances[j]).logpdf(x)
        for x, j in zip(X, labels, strict=True)
    )
    value = complete_data_log_likelihood(X, labels, mixture)
    assert value == pytest.approx(by_scipy, rel=1e-9)
    # Known labels are responsibilities of 0 and 1, and have no entropy.
    hard = np.eye(mixture.n_components)[labels]
    assert expected_complete_data_log_likelihood(X, hard, mixture) == pytest.approx(value)
    assert entropy(hard) == 0
    assert lower_bound(X, hard, mixture) == pytest.approx(value)


@given(problems(d=st.sampled_from([1, 2]), K=st.integers(1, 3), n=st.integers(1, 6)))
def test_enumeration_of_all_labelings(problem):
    """Q, H and KL as sums over all K^n labelings, each with its probability under q."""
    X, mixture, rng = problem
    n, K = len(X), mixture.n_components
    q = random_responsibilities(rng, n, K)
    p, log_likelihood = e_step(X, mixture)
    evidence = Q = H = KL = 0.0
    for labels in itertools.product(range(K), repeat=n):
        complete = complete_data_log_likelihood(X, labels, mixture)
        evidence += np.exp(complete)
        chance = q[np.arange(n), labels].prod()
        if chance > 0:
            Q += chance * complete
            H -= chance * np.log(chance)
            KL += chance * (np.log(chance) - (complete - log_likelihood))
    assert np.log(evidence) == pytest.approx(log_likelihood, rel=1e-10, abs=1e-10)
    assert expected_complete_data_log_likelihood(X, q, mixture) == pytest.approx(Q, rel=1e-9)
    assert entropy(q) == pytest.approx(H, rel=1e-9, abs=1e-12)
    assert kl_divergence(q, p) == pytest.approx(KL, rel=1e-8, abs=1e-10)


@given(problems())
def test_the_gap_is_the_divergence(problem):
    X, mixture, rng = problem
    q = random_responsibilities(rng, len(X), mixture.n_components)
    posterior, log_likelihood = e_step(X, mixture)
    bound, gap = lower_bound(X, q, mixture), kl_divergence(q, posterior)
    Q, H = expected_complete_data_log_likelihood(X, q, mixture), entropy(q)
    assert bound == pytest.approx(Q + H, rel=1e-14)
    assert log_likelihood == pytest.approx(bound + gap, rel=1e-9, abs=1e-9)
    assert gap >= -1e-12
    assert bound <= log_likelihood + 1e-9 * abs(log_likelihood)
    if mixture.n_components > 1:
        assert bound < log_likelihood  # a random q is not the posterior


@given(problems())
def test_the_bound_touches_at_the_posterior(problem):
    X, mixture, _ = problem
    posterior, log_likelihood = e_step(X, mixture)
    assert lower_bound(X, posterior, mixture) == pytest.approx(log_likelihood, rel=1e-12, abs=1e-12)
    assert kl_divergence(posterior, posterior) == 0


@given(problems(n=st.integers(2, 15)))
def test_at_the_posterior_the_slopes_of_bound_and_log_likelihood_agree(problem):
    """Fisher's identity, by differences in the means; and the formula of the gradient."""
    X, mixture, _ = problem
    beta, _ = e_step(X, mixture)

    def moved(means):
        return Mixture(mixture.weights, means, mixture.covariances)

    of_likelihood = slopes(lambda mu: moved(mu).log_likelihood(X), mixture.means)
    of_bound = slopes(lambda mu: lower_bound(X, beta, moved(mu)), mixture.means)
    by_formula = [
        np.linalg.solve(Sigma, beta[:, j] @ (X - mu))
        for j, (mu, Sigma) in enumerate(zip(mixture.means, mixture.covariances, strict=True))
    ]
    size = 1 + np.abs(by_formula).max()
    assert_allclose(of_likelihood, by_formula, atol=1e-5 * size)
    assert_allclose(of_bound, by_formula, atol=1e-5 * size)


@given(problems(n=st.integers(1, 15)))
def test_gradients_of_the_log_likelihood_in_weights_and_covariances(problem):
    X, mixture, _ = problem
    beta, _ = e_step(X, mixture)
    K, d = mixture.means.shape

    def by_logits(steps):
        weights = mixture.weights * np.exp(steps)
        moved = Mixture(weights / weights.sum(), mixture.means, mixture.covariances)
        return moved.log_likelihood(X)

    def by_covariances(steps):
        symmetric = (steps + steps.transpose(0, 2, 1)) / 2
        return Mixture(
            mixture.weights, mixture.means, mixture.covariances + symmetric
        ).log_likelihood(X)

    in_logits = beta.sum(axis=0) - len(X) * mixture.weights
    assert_allclose(slopes(by_logits, np.zeros(K)), in_logits, atol=1e-5 * len(X))
    expected = np.empty((K, d, d))
    for j in range(K):
        precision = np.linalg.inv(mixture.covariances[j])
        away = X - mixture.means[j]
        scatter = (beta[:, j] * away.T) @ away
        expected[j] = (precision @ scatter @ precision - beta[:, j].sum() * precision) / 2
    size = 1 + np.abs(expected).max()
    by_differences = slopes(by_covariances, np.zeros((K, d, d)))
    assert_allclose(by_differences, expected, atol=1e-4 * size)


def test_entropy_and_divergence_against_scipy():
    rng = np.random.default_rng(0)
    q, p = rng.dirichlet(np.ones(4), size=6), rng.dirichlet(np.ones(4), size=6)
    assert entropy(q) == pytest.approx(scipy_entropy(q, axis=1).sum(), rel=1e-13)
    assert kl_divergence(q, p) == pytest.approx(scipy_entropy(q, p, axis=1).sum(), rel=1e-13)
    assert entropy(np.full((5, 4), 0.25)) == pytest.approx(5 * np.log(4))


def test_divergence_is_infinite_where_p_excludes_what_q_allows():
    assert kl_divergence([[0.5, 0.5]], [[1.0, 0.0]]) == np.inf
    assert kl_divergence([[1.0, 0.0]], [[0.5, 0.5]]) == pytest.approx(np.log(2))


def test_a_weight_of_zero_gives_no_nan():
    mixture = Mixture.univariate([0.0, 1.0], [0.0, 2.0], [1.0, 4.0])
    x = [0.0, 3.0]
    posterior, log_likelihood = e_step(x, mixture)
    assert lower_bound(x, posterior, mixture) == pytest.approx(log_likelihood)
    assert lower_bound(x, [[0.5, 0.5], [0.0, 1.0]], mixture) == -np.inf


def test_the_bound_climbs_in_each_half_step():
    rng = np.random.default_rng(3)
    mixture = random_mixture(rng, 3, 2)
    X, _ = mixture.sample(50, rng)
    q = random_responsibilities(rng, 50, 3)
    posterior, _ = e_step(X, mixture)
    assert lower_bound(X, posterior, mixture) > lower_bound(X, q, mixture)
