"""Mixture: a record that stays as it was made, its density, and samples from it."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from gmmlib import Mixture, datasets, e_step
from gmmlib.mixture import DiagonalMixture
from strategies import problems, random_mixture, slopes

TWO = Mixture.univariate([0.25, 0.75], [-1, 2], [0.5, 4])


@given(problems())
def test_density_is_the_weighted_sum(problem):
    X, mixture, _ = problem
    density = sum(
        alpha * multivariate_normal(mu, Sigma).pdf(X)
        for alpha, mu, Sigma in zip(
            mixture.weights, mixture.means, mixture.covariances, strict=True
        )
    )
    assert_allclose(np.exp(mixture.log_density(X)), np.ravel(density), rtol=1e-9)
    assert mixture.log_likelihood(X) == pytest.approx(np.log(density).sum(), rel=1e-9)


@given(problems())
def test_log_density_is_the_log_sum_exp_of_log_joint(problem):
    X, mixture, _ = problem
    log_joint = mixture.log_joint(X)
    assert log_joint.shape == (len(X), mixture.n_components)
    assert_allclose(mixture.log_density(X), logsumexp(log_joint, axis=1), rtol=1e-13)


def test_log_sum_exp_where_the_naive_sum_is_zero():
    x = np.array([1e4])
    with np.errstate(divide="ignore"):
        naive = np.log(np.exp(TWO.log_joint(x)).sum(axis=1))
    assert naive[0] == -np.inf
    nearest = np.log(0.75) - 0.5 * (np.log(2 * np.pi * 4) + (1e4 - 2) ** 2 / 4)
    assert TWO.log_density(x)[0] == pytest.approx(nearest, rel=1e-14)


@given(problems(n=st.just(1)))
def test_gradient_in_x_is_pulled_by_the_responsibilities(problem):
    X, mixture, _ = problem
    beta, _ = e_step(X, mixture)
    pulls = [
        np.linalg.solve(Sigma, mu - X[0])
        for mu, Sigma in zip(mixture.means, mixture.covariances, strict=True)
    ]
    by_differences = slopes(lambda x: mixture.log_density([x])[0], X[0])
    assert_allclose(by_differences, beta[0] @ pulls, rtol=1e-5, atol=1e-5)


@given(problems())
def test_relabelling_leaves_the_density(problem):
    X, mixture, rng = problem
    order = rng.permutation(mixture.n_components)
    moved = mixture.reordered(order)
    assert_array_equal(moved.means, mixture.means[order])
    assert_array_equal(moved.weights, mixture.weights[order])
    assert_array_equal(moved.covariances, mixture.covariances[order])
    assert_allclose(moved.log_density(X), mixture.log_density(X), rtol=1e-12)
    assert moved.reordered(np.argsort(order)) == mixture


def test_a_weight_of_zero_is_allowed_and_counts_nothing():
    alone = Mixture.univariate([1.0], [2.0], [4.0])
    padded = Mixture.univariate([0.0, 1.0], [0.0, 2.0], [1.0, 4.0])
    x = [0.0, 3.0]
    assert_allclose(padded.log_density(x), alone.log_density(x), rtol=1e-15)
    assert_array_equal(e_step(x, padded)[0], [[0, 1], [0, 1]])
    assert set(padded.sample(50, 0)[1]) == {1}


def test_univariate_is_the_same_as_the_long_form():
    long = Mixture([0.25, 0.75], [[-1], [2]], [[[0.5]], [[4]]])
    assert long == TWO
    assert_array_equal(TWO.variances, [0.5, 4])
    assert (TWO.n_components, TWO.n_features) == (2, 1)


@pytest.mark.parametrize("name", ["weights", "means", "covariances", "variances"])
def test_the_arrays_are_read_only(name):
    array = getattr(TWO, name)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 0.5
    with pytest.raises(AttributeError):
        setattr(TWO, name, array)


def test_the_arrays_are_copies():
    weights, means, variances = np.array([0.5, 0.5]), np.array([0.0, 1.0]), np.array([1.0, 2.0])
    mixture = Mixture(weights, means, variances)
    for array in (weights, means, variances):
        array[:] = 99  # still writable, and no longer the mixture's
    assert mixture == Mixture([0.5, 0.5], [0, 1], [1, 2])


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies_are_equal_and_read_only(duplicate):
    mixture = random_mixture(np.random.default_rng(0), K=3, d=2)
    twin = duplicate(mixture)
    assert twin == mixture
    for name in ("weights", "means", "covariances"):
        assert not getattr(twin, name).flags.writeable


@pytest.mark.parametrize(
    "other",
    [
        Mixture.univariate([0.3, 0.7], [-1, 2], [0.5, 4]),
        Mixture.univariate([0.25, 0.75], [-1, 2.5], [0.5, 4]),
        Mixture.univariate([0.25, 0.75], [-1, 2], [0.5, 4.5]),
        TWO.reordered([1, 0]),
        Mixture.univariate([1], [2], [4]),
        "a mixture",
    ],
)
def test_inequality(other):
    assert other != TWO


def test_it_has_no_hash():
    with pytest.raises(TypeError, match="unhashable"):
        hash(TWO)


def test_repr_in_one_dimension():
    assert repr(Mixture.univariate([1], [2], [4])) == (
        "Mixture of 1 component in 1 dimension\n  weight  mean  variance\n       1     2         4"
    )


def test_repr_in_several_dimensions_shows_standard_deviations_and_four_columns():
    text = repr(Mixture([0.5, 0.5], [[0] * 5, [1.25] * 5], [4 * np.eye(5)] * 2))
    first, head, _, last = text.splitlines()
    assert first == "Mixture of 2 components in 5 dimensions"
    assert head.split() == ["weight", "mean", "standard", "deviations"]
    assert last.split("  ")[-1].strip() == "2, 2, 2, 2, …"
    assert "1.25, 1.25, 1.25, 1.25, … " in last


def test_the_same_seed_draws_the_same_points():
    mixture = random_mixture(np.random.default_rng(0), K=3, d=2)
    X, labels = mixture.sample(40, 7)
    again, labels_again = mixture.sample(40, np.random.default_rng(7))
    assert_array_equal(X, again)
    assert_array_equal(labels, labels_again)
    assert not np.array_equal(X, mixture.sample(40, 8)[0])
    assert X.shape == (40, 2)
    assert labels.shape == (40,)
    assert not np.array_equal(mixture.sample(3)[0], mixture.sample(3)[0])


class OtherIntegers(np.random.Generator):
    """Draws whole numbers of another size than an index has, as on a platform of 32 bits."""

    def choice(self, *arguments, **options):
        return super().choice(*arguments, **options).astype(np.int16)


@pytest.mark.parametrize(
    "draw", [TWO.sample, Mixture.diagonal([1.0], [[0, 0]], [[1, 1]]).sample, datasets.three_blobs]
)
def test_labels_are_indices_on_every_platform(draw):
    assert draw(9, OtherIntegers(np.random.PCG64(0)))[1].dtype == np.intp


def test_moments_of_a_sample():
    n = 100_000
    mixture = random_mixture(np.random.default_rng(1), K=3, d=2)
    X, labels = mixture.sample(np.int64(n), 2)
    for j in range(3):
        mine = X[labels == j]
        share, L = len(mine) / n, np.linalg.cholesky(mixture.covariances[j])
        # Six standard errors: a right sampler fails for about one seed in a hundred million.
        assert abs(share - mixture.weights[j]) < 6 * np.sqrt(0.25 / n)
        standard = np.linalg.solve(L, (mine - mixture.means[j]).T)
        assert (abs(standard.mean(axis=1)) < 6 / np.sqrt(len(mine))).all()
        assert (abs(np.cov(standard) - np.eye(2)) < 6 * np.sqrt(2 / len(mine))).all()


@given(problems())
def test_variances_alone_are_the_diagonal_mixture(problem):
    X, mixture, rng = problem
    variances = mixture.variances_by_column
    alone = Mixture.diagonal(mixture.weights, mixture.means, variances)
    K, d = variances.shape
    full = Mixture(mixture.weights, mixture.means, variances[:, :, np.newaxis] * np.eye(d))
    assert isinstance(alone, DiagonalMixture)
    assert alone == full == alone
    assert_allclose(alone.log_joint(X), full.log_joint(X), rtol=1e-12)
    seed = int(rng.integers(1000))
    for ours, theirs in zip(alone.sample(20, seed), full.sample(20, seed), strict=True):
        assert_allclose(ours, theirs, rtol=1e-14)
    order = rng.permutation(K)
    assert isinstance(alone.reordered(order), DiagonalMixture)
    assert alone.reordered(order) == full.reordered(order)
    assert isinstance(pickle.loads(pickle.dumps(alone)), DiagonalMixture)
    assert pickle.loads(pickle.dumps(alone)) == alone
    assert (alone == mixture) == (d == 1)
    assert repr(alone) == repr(full)


def test_a_mixture_of_variances_makes_no_matrix():
    """784 columns: the matrices of ten components would take 49 MB."""
    rng = np.random.default_rng(0)
    variances = rng.uniform(1, 2, size=(10, 784))
    tracemalloc.start()
    wide = Mixture.diagonal(np.full(10, 0.1), rng.normal(size=(10, 784)), variances)
    wide.log_density(rng.normal(size=(20, 784)))
    wide.sample(20, 0)
    repr(wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6


@pytest.mark.parametrize(
    ("means", "variances", "words"),
    [
        ([[0, 1]], [[1, 0]], r"the variance of column 1 in component 0 \(counting from 0\) is 0"),
        ([[0, 1]], [[1, -2]], "column 1 in component 0"),
        ([[0, 1]], [1, 2], r"means have shape \(1, 2\), and variances \(2,\)"),
        ([0, 1], [1, 2], r"means have shape \(2,\)"),
    ],
)
def test_bad_variances(means, variances, words):
    with pytest.raises(ValueError, match=words):
        Mixture.diagonal([1.0], means, variances)


@pytest.mark.parametrize(("n", "kind"), [(0, ValueError), (2.5, TypeError), (True, TypeError)])
def test_no_number_of_points(n, kind):
    for mixture in (TWO, Mixture.diagonal([1.0], [[0.0, 0.0]], [[1.0, 1.0]])):
        with pytest.raises(kind, match="n "):
            mixture.sample(n)
