"""Matching names: against every one of the K! orders, and against integrals by quadrature."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from sklearn.metrics import adjusted_rand_score

from gmmlib import Mixture, e_step
from gmmlib.label_matching import (
    bhattacharyya_distances,
    match_labels,
    match_mixtures,
    match_responsibilities,
)
from strategies import (
    problems,
    random_affine,
    random_mixture,
    random_responsibilities,
    seeds,
    transformed,
)


def best_by_hand(labels, reference, n_names):
    """The most agreements over all ways to give the clusters different names."""
    clusters = np.unique(labels)
    most = 0
    for names in itertools.permutations(range(n_names), len(clusters)):
        renamed = np.array(names)[np.searchsorted(clusters, labels)]
        most = max(most, int((renamed == reference).sum()))
    return most


@given(seeds, st.integers(1, 4), st.integers(1, 4), st.integers(1, 25))
def test_labels_against_all_namings(seed, n_clusters, n_names, n):
    rng = np.random.default_rng(seed)
    labels = 3 * rng.integers(n_clusters, size=n)  # numbers may have gaps
    reference = rng.integers(n_names, size=n)
    renamed = match_labels(labels, reference)
    agree = int((renamed == reference).sum())
    assert agree == best_by_hand(labels, reference, n_clusters + n_names)
    assert adjusted_rand_score(labels, renamed) == 1  # the same clusters as before
    known = set(reference.tolist())
    new = sorted(set(renamed.tolist()) - known)
    assert new == list(range(max(known) + 1, max(known) + 1 + len(new)))
    assert len(new) == max(0, len(set(labels.tolist())) - len(known))


@pytest.mark.parametrize(
    ("labels", "reference", "renamed"),
    [
        ([1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]),
        ([0, 0, 1, 1], [7, 7, 3, 3], [7, 7, 3, 3]),  # names need not begin at 0
        ([5, 5, 2, 2, 9], [1, 1, 4, 4, 4], [1, 1, 4, 4, 5]),  # a cluster too many: a new name
        ([0, 0, 0, 0], [0, 0, 1, 2], [0, 0, 0, 0]),  # a cluster too few
        ([4, 2, 0], [0, 0, 0], [0, 1, 2]),  # all agree equally well, and so does this
        ([3.0, 3.0], np.array([1, 1], dtype=np.int8), [1, 1]),
    ],
)
def test_labels_by_hand(labels, reference, renamed):
    found = match_labels(labels, reference)
    assert found.dtype == np.intp
    agree = int((found == np.array(reference)).sum())
    assert agree == int((np.array(renamed) == np.array(reference)).sum())
    if (labels, reference) != ([4, 2, 0], [0, 0, 0]):
        assert_array_equal(found, renamed)


def test_labels_are_left_as_they_were():
    labels = np.array([1, 0, 1])
    match_labels(labels, [0, 1, 0])
    assert_array_equal(labels, [1, 0, 1])


@given(seeds, st.integers(1, 5), st.integers(1, 20))
def test_responsibilities_against_all_orders(seed, K, n):
    rng = np.random.default_rng(seed)
    beta, reference = random_responsibilities(rng, n, K), random_responsibilities(rng, n, K)
    order = match_responsibilities(beta, reference)
    squares = {
        pi: ((beta[:, pi] - reference) ** 2).sum() for pi in itertools.permutations(range(K))
    }
    assert_allclose(squares[tuple(order.tolist())], min(squares.values()), atol=1e-12)


@given(problems(K=st.integers(1, 5)))
def test_a_new_order_is_undone(problem):
    X, mixture, rng = problem
    new_order = rng.permutation(mixture.n_components)
    shuffled = mixture.reordered(new_order)
    assert mixture == shuffled.reordered(match_mixtures(shuffled, mixture))
    beta = e_step(X, mixture)[0]
    undone = match_responsibilities(beta[:, new_order], beta)
    assert_allclose(beta[:, new_order][:, undone], beta, atol=1e-7)


@given(seeds, st.integers(2, 4), st.integers(1, 3))
def test_mixtures_against_all_orders(seed, K, d):
    rng = np.random.default_rng(seed)
    mixture, reference = random_mixture(rng, K, d), random_mixture(rng, K, d)
    affinity = np.empty((K, K))
    for j, k in itertools.product(range(K), repeat=2):  # by eigenvalues and inverse, no Cholesky
        Sigma, Lambda = reference.covariances[j], mixture.covariances[k]
        middle, gap = (Sigma + Lambda) / 2, reference.means[j] - mixture.means[k]
        shape = np.linalg.det(Sigma) ** 0.25 * np.linalg.det(Lambda) ** 0.25
        overlap = shape / np.sqrt(np.linalg.det(middle))
        overlap *= np.exp(-gap @ np.linalg.inv(middle) @ gap / 8)
        affinity[j, k] = np.sqrt(reference.weights[j] * mixture.weights[k]) * overlap
    sums = {pi: affinity[range(K), pi].sum() for pi in itertools.permutations(range(K))}
    order = match_mixtures(mixture, reference)
    assert_allclose(sums[tuple(order.tolist())], max(sums.values()), rtol=1e-10)
    # and in other units it is the same order
    A, b = random_affine(rng, d)
    elsewhere = match_mixtures(transformed(mixture, A, b), transformed(reference, A, b))
    assert_allclose(sums[tuple(elsewhere.tolist())], max(sums.values()), rtol=1e-8)


@pytest.mark.parametrize("K", [1, 3])
def test_distances_are_integrals(K):
    rng = np.random.default_rng(K)
    a, b = random_mixture(rng, K, 1), random_mixture(rng, 2, 1)

    def root(x, j, k):
        one = Mixture([1], a.means[j], a.covariances[j, 0])
        other = Mixture([1], b.means[k], b.covariances[k, 0])
        return np.exp((one.log_density([x])[0] + other.log_density([x])[0]) / 2)

    found = bhattacharyya_distances(a, b)
    assert found.shape == (K, 2)
    for j, k in itertools.product(range(K), range(2)):
        overlap = quad(root, -40, 40, args=(j, k), limit=200)[0]
        assert found[j, k] == pytest.approx(-np.log(overlap), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("means", "reference", "order"),
    [
        # Far from all: no overlap that a number can hold, and yet the nearest is taken.
        ([1e5, 2e5, 0], [0, 0.9e5, 1.8e5], [2, 0, 1]),
        # One has run away. The others keep their partners; the sum of distances would shift all.
        ([0, 10, 20], [-5, 0, 10], [2, 0, 1]),
        # Two that have run away, and one at home.
        ([400, 0, 300], [500, 900, 0], [2, 0, 1]),
    ],
)
def test_components_far_away(means, reference, order):
    mixture = Mixture.univariate(np.full(3, 1 / 3), means, np.ones(3))
    wanted = Mixture.univariate(np.full(3, 1 / 3), reference, np.ones(3))
    assert match_mixtures(mixture, wanted).tolist() == order


def test_weights_decide_between_equal_gaussians():
    mixture = Mixture.univariate([0.1, 0.9], [0, 0], [1, 1])
    reference = Mixture.univariate([0.8, 0.2], [0, 0], [1, 1])
    assert match_mixtures(mixture, reference).tolist() == [1, 0]


def test_a_weight_of_zero_and_other_kinds_of_mixture():
    mixture = Mixture.diagonal([0, 1], [[0, 0], [5, 5]], [[1, 1], [1, 4]])
    reference = Mixture.tied([0.5, 0.5], [[5, 5], [0, 0]], np.eye(2))
    assert match_mixtures(mixture, reference).tolist() == [1, 0]


LINE = Mixture.univariate([0.5, 0.5], [0, 1], [1, 1])
ONE = Mixture.univariate([1], [0], [1])
PLANE = Mixture([0.5, 0.5], np.zeros((2, 2)), [np.eye(2)] * 2)
ERRORS = [
    (match_labels, [0, 1], [0], ValueError, r"2 labels, but the reference has 1\. Pass one"),
    (match_labels, [0.5, 1], [0, 1], ValueError, r"labels must be whole .* is 0\.5\. Mark"),
    (match_labels, [0, 1], [0, -1], ValueError, r"reference must be whole .* is -1\. Mark"),
    (match_labels, [0, np.nan], [0, 1], ValueError, "labels has 1 NaN or infinite entry"),
    (match_labels, [0, 1], ["a", "b"], TypeError, r"\['a'\] and so on\. .*return_inverse"),
    (match_labels, [0, 1], [0, None], TypeError, r"reference must be whole numbers"),
    (match_labels, [[0, 1]], [0, 1], ValueError, r"labels have shape \(1, 2\)\. Pass one label"),
    (match_labels, [], [], ValueError, r"labels have shape \(0,\)"),
    (match_responsibilities, [[1.0]], [[0.5, 0.5]], ValueError, "1 component, but .* has 2"),
    (match_responsibilities, [[1.0]], [[1], [1]], ValueError, r"must have the shape \(2, K\)"),
    (match_responsibilities, [[0.7]], [[1]], ValueError, r"row 0 sums to 0\.7"),
    (match_responsibilities, [[1]], [[np.nan]], ValueError, "reference has 1 NaN"),
    (match_mixtures, LINE, ONE, ValueError, "2 components, but .* 1. An order exists for equal"),
    (match_mixtures, LINE, PLANE, ValueError, "1 dimension, but the reference has 2. Compare"),
    (match_mixtures, LINE, [0, 1], TypeError, "a Mixture is needed here"),
    (match_mixtures, [0, 1], LINE, TypeError, "a Mixture is needed here"),
    (bhattacharyya_distances, LINE, PLANE, ValueError, "have 1 and 2 dimensions"),
    (bhattacharyya_distances, LINE, None, TypeError, "a Mixture is needed here"),
]


@pytest.mark.parametrize(("function", "first", "second", "error", "message"), ERRORS)
def test_errors(function, first, second, error, message):
    with pytest.raises(error, match=message):
        function(first, second)
