"""Starts: K different observations, equal weights, the covariance of all the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmlib import datasets
from gmmlib.initialization import k_means_plus_plus, random_points
from strategies import problems

BOTH = [random_points, k_means_plus_plus]


@pytest.mark.parametrize("choose", BOTH)
@given(problems(n=st.integers(10, 30)), st.integers(1, 6))
def test_a_start_is_k_different_observations(choose, problem, K):
    X, _, rng = problem
    X = np.vstack([X, X[:4]])  # some observations occur twice
    start = choose(X, K, int(rng.integers(100)))
    assert_array_equal(start.weights, np.full(K, 1 / K))
    rows = {tuple(row) for row in X}
    means = {tuple(mean) for mean in start.means}
    assert len(means) == K
    assert means <= rows
    for Sigma in start.covariances:
        assert_allclose(Sigma, np.reshape(np.cov(X.T, ddof=0), Sigma.shape), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("choose", BOTH)
def test_the_same_seed_chooses_the_same_start(choose):
    X = datasets.old_faithful()
    assert choose(X, 4, 1) == choose(X, 4, 1) == choose(X, 4, np.random.default_rng(1))
    assert len({choose(X, 4, seed).means.tobytes() for seed in range(10)}) > 1
    assert choose(X, 4).n_components == 4


@pytest.mark.parametrize("choose", BOTH)
def test_every_different_observation_can_be_asked_for(choose):
    X = [3.0, 1.0, 1.0, 2.0]
    assert sorted(choose(X, 3, 0).means[:, 0]) == [1, 2, 3]
    with pytest.raises(ValueError, match=r"n_components is 4, but X has only 3 different rows\."):
        choose(X, 4, 0)


def test_random_points_gives_each_value_the_same_chance():
    X = np.r_[np.zeros(50), 1.0, 2.0]  # how often a value occurs does not count
    first = [random_points(X, 1, seed).means[0, 0] for seed in range(600)]
    assert all(150 < first.count(value) < 250 for value in (0, 1, 2))


def test_k_means_plus_plus_spreads_its_means():
    X, labels = datasets.three_blobs(300)
    X = 5 * X + 40 * np.eye(3)[labels, :2]

    def found(choose):
        hits = 0
        for seed in range(40):
            means = choose(X, 3, seed).means
            hits += len({labels[np.argmin(((X - mu) ** 2).sum(axis=1))] for mu in means}) == 3
        return hits

    assert found(k_means_plus_plus) > found(random_points) + 5


@pytest.mark.parametrize(
    ("scale", "offset"),
    [(1e-3, 1e9), (1e100, 0), (1e-100, 0), (1, -1e6), (np.array([1, 1e6]), np.array([0, 5]))],
)
def test_k_means_plus_plus_does_not_depend_on_units_or_origin(scale, offset):
    X = np.random.default_rng(0).normal(size=(50, 2))
    plain = k_means_plus_plus(X, 5, 3)
    moved = k_means_plus_plus(scale * X + offset, 5, 3)
    assert len(np.unique(moved.means, axis=0)) == 5
    assert_allclose((moved.means - offset) / scale, plain.means, atol=1e-3)
