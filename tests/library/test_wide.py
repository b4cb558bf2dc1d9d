"""Wide data: nothing grows with d² that need not, and what components share is there once.

Bounds are of the peak that Python and NumPy asked for, in numbers of 8 bytes. They are counted in
blocks and in the family's parameters, with room for a few temporaries of each.
"""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from gmmlib import GaussianMixture, Mixture
from gmmlib.engine import Blocks, Engine, Parameters, current
from gmmlib.engine.blocks import block_size
from gmmlib.engine.parameters import compiled_factors, numpy_factors
from gmmlib.estimators.attributes import NAMES
from gmmlib.initialization.clusters import random_responsibilities, starting_points
from gmmlib.models import COVARIANCE_TYPES
from roads import COMPILED, em_step, of_type, plain_em_step
from strategies import assert_same, random_mixture

FEW, TEMPORARIES = 60, 12


def clusters(n, d, K, seed=0):
    rng = np.random.default_rng(seed)
    means = 2 * rng.standard_normal((K, d))
    return means[np.arange(n) % K] + rng.standard_normal((n, d))


def peak(function):
    """The most numbers of 8 bytes that were held at once, beyond those held before."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / 8
    finally:
        tracemalloc.stop()


def fitted(X, K, covariance_type, **options):
    options = {"n_init": 1, "random_state": 0, **options}
    return GaussianMixture(K, covariance_type=covariance_type, **options).fit(X)


# --- diagonal families ----------------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", ["diag", "spherical"])
def test_a_diagonal_fit_makes_no_matrix(road, covariance_type):
    n, d, K = FEW, 1500, 3
    X = clusters(n, d, K)
    fitted(X, K, covariance_type).predict(X[:1])  # what the first call alone takes
    room = TEMPORARIES * (n * d + 2 * K * d)
    assert room < d * d  # so that a single matrix is seen
    model = None

    def fit():
        nonlocal model
        model = fitted(X, K, covariance_type)

    assert peak(fit) < room
    assert peak(lambda: model.predict(X[:1])) < TEMPORARIES * K * d
    assert peak(lambda: model.sample(5)) < TEMPORARIES * K * d
    mixture = model.mixture_
    assert isinstance(mixture, type(Mixture.diagonal([1.0], [[0.0]], [[1.0]])))
    back = lambda: GaussianMixture.from_mixture(mixture, covariance_type)  # noqa: E731
    assert peak(back) < TEMPORARIES * 2 * K * d
    assert len(pickle.dumps(model)) / 8 < 8 * K * d


def test_what_is_measured_of_wide_data_takes_a_few_blocks():
    d = 2000
    X = clusters(8 * block_size(d), d, 2)
    assert peak(lambda: Blocks.of(X).has_distinct_rows(2)) < TEMPORARIES * block_size(d) * d


def test_the_variances_are_the_diagonal_of_the_covariance():
    rng = np.random.default_rng(1)
    w = rng.integers(0, 4, size=300).astype(float)
    data = Blocks.of(rng.normal(size=(300, 5)) * [1, 1e6, 1e-6, 3, 1] + 7, w)
    np.testing.assert_allclose(data.variances, np.diag(data.covariance), rtol=1e-12)


def test_responsibilities_of_nothing_leave_the_moments_as_they_are(road):
    """Clusters so far apart that nearly all responsibilities are below the normal doubles."""
    X = clusters(90, 700, 3)
    model = fitted(X, 3, "diag")
    order = np.argsort([X[:3] @ mean for mean in model.means_])[:, -1]
    for j, k in enumerate(order):
        np.testing.assert_allclose(model.means_[j], X[k::3].mean(axis=0), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(model.covariances_[j], X[k::3].var(axis=0), rtol=1e-9)


@pytest.mark.parametrize("distance", [0.0, 0.1, 1.0, 5.0])
def test_a_step_in_wide_data_counts_every_share(road, distance):
    n, d, K = 300, 70, 3
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, d)) + distance * rng.integers(K, size=(n, 1))
    means = distance * np.arange(K)[:, np.newaxis] + 0.1 * rng.normal(size=(K, d))
    mixture = Mixture.diagonal(np.full(K, 1 / K), means, rng.uniform(0.9, 1.1, size=(K, d)))
    beta = softmax(mixture.log_joint(X), axis=1)
    with Engine(Blocks.of(X), "diag") as machine:
        frame = machine.blocks.frame
        new = machine.em_step(Parameters.of([mixture], "diag", frame))[0].mixture(0, frame)
    np.testing.assert_allclose(new.weights, beta.mean(axis=0), rtol=1e-11)
    for j in range(K):
        own = np.average(X, axis=0, weights=beta[:, j])
        np.testing.assert_allclose(new.means[j], own, rtol=1e-11, atol=1e-12)
        own = np.average((X - own) ** 2, axis=0, weights=beta[:, j])
        np.testing.assert_allclose(new.variances_by_column[j], own, rtol=1e-10)


# --- different rows -------------------------------------------------------------------------------


def different_rows():
    rng = np.random.default_rng(2)
    signs = np.where(rng.random((400, 3)) < 0.5, -1.0, 1.0)
    yield "zeros of both signs", rng.integers(-1, 2, size=(400, 3)) * signs
    yield "any exponent", rng.normal(size=(400, 2)) * 10.0 ** rng.integers(-300, 140, size=(400, 2))
    yield "least of all", rng.integers(-3, 4, size=(400, 2)) * 5e-324
    yield "ties in all columns but the last", np.c_[np.ones((400, 50)), rng.integers(9, size=400)]
    yield "in Fortran's order", np.asfortranarray(rng.integers(-2, 3, size=(400, 3)) * 0.5)


@pytest.mark.parametrize("order", ["as it is", "turned"])
@pytest.mark.parametrize("rows", [pytest.param(rows, id=name) for name, rows in different_rows()])
def test_different_rows_are_numpys_and_so_are_their_counts(small_blocks, rows, order):
    expected, counts = np.unique(rows, axis=0, return_counts=True)
    rows = rows if order == "as it is" else rows[::-1]
    rng = np.random.default_rng(0)
    try:
        data = Blocks.of(rows)
    except ValueError:  # the range of a column is too small for a square
        data = Blocks.of(rows / 5e-324)
        expected = expected / 5e-324
    found, weights = data.picked(1000, rng)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(weights, counts)
    assert data.has_distinct_rows(len(expected))
    assert not data.has_distinct_rows(len(expected) + 1)


# --- one covariance for all -----------------------------------------------------------------------


def tied(seed=0, K=4, d=6):
    rng = np.random.default_rng(seed)
    mixture = random_mixture(rng, K, d)
    return Mixture.tied(mixture.weights, mixture.means, mixture.covariances[0])


def test_a_tied_fit_has_no_covariance_for_each_component():
    n, d, K, n_init = 150, 100, 20, 5
    X = clusters(n, d, K)
    fitted(X[:, :10], 2, "tied")  # what the first call alone takes
    options = {"n_init": n_init, "init_params": "k-means++"}
    assert peak(lambda: fitted(X, K, "tied", **options)) < n_init * K * d * d


def test_tied_parameters_are_there_once():
    X, mixture = clusters(300, 6, 4), tied()
    data = Blocks.of(X)
    with Engine(data, "tied") as machine:
        start = Parameters.of([mixture], "tied", data.frame)
        assert machine.projected(start) is start
        new, _ = machine.em_step(start)
        assert machine.moments(start).S2.shape == (1, 1, 6, 6)
    for p in (start, new):
        assert p.covariances.shape == p.W.shape == (1, 1, 6, 6)
    apart = Mixture(mixture.weights, mixture.means, mixture.covariances)
    with Engine(data, "tied") as machine:  # the same from K copies
        copies = Parameters.of([apart], "tied", data.frame)
        same, _ = machine.em_step(copies)
        assert machine.projected(copies).W.shape == (1, 1, 6, 6)
    np.testing.assert_allclose(new.covariances, same.covariances, rtol=1e-12, atol=1e-14)
    assert (new.covariances == new.covariances.swapaxes(2, 3)).all()


def test_starts_have_one_covariance_and_one_factor():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(40, 5)), np.ones(40)
    for start in (starting_points, random_responsibilities):
        p = start(x, w, np.cov(x.T), 3, 7, rng)
        assert p.covariances.shape == p.W.shape == (7, 1, 5, 5)
        assert p.log_c.shape == (7, 3)


def test_a_tied_mixture_is_the_mixture_with_that_covariance_for_each():
    one = tied()
    all_of_them = Mixture(one.weights, one.means, one.covariances)
    assert one == all_of_them
    assert all_of_them == one
    assert repr(one) == repr(all_of_them)
    assert one.reordered([3, 1, 0, 2]) == all_of_them.reordered([3, 1, 0, 2])
    assert type(one.reordered([3, 1, 0, 2])) is type(one)
    for twin in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert twin == one
        assert type(twin) is type(one)
    X, labels = one.sample(50, 0)
    same, its_labels = all_of_them.sample(50, 0)
    np.testing.assert_array_equal(X, same)
    np.testing.assert_array_equal(labels, its_labels)
    np.testing.assert_array_equal(one.log_density(X), all_of_them.log_density(X))
    with pytest.raises(ValueError, match="read-only"):
        one.covariances[0, 0, 0] = 1.0
    many = Mixture.tied(np.full(50, 1 / 50), np.zeros((50, 40)), np.eye(40))
    assert len(pickle.dumps(many)) < 8 * (50 + 50 * 40 + 2 * 40 * 40)


@pytest.mark.parametrize(
    ("means", "covariance", "message"),
    [
        ([1.0, 2.0], [[1.0]], r"means have shape \(2,\), and the covariance \(1, 1\)\. Pass one"),
        ([[1.0], [2.0]], [[[1.0]]], r"and the covariance \(1, 1, 1\)\. Pass one row per component"),
        ([[1.0], [2.0]], [[-1.0]], r"the covariance of all components is not positive definite"),
        ([[1.0, 2.0]] * 2, [[1.0, 0.5], [0.0, 1.0]], r"of all components is not symmetric: entry"),
    ],
)
def test_what_is_no_tied_mixture(means, covariance, message):
    with pytest.raises(ValueError, match=message):
        Mixture.tied([0.5, 0.5], means, covariance)


# --- factors --------------------------------------------------------------------------------------

FACTORS = [numpy_factors, compiled_factors] if COMPILED else [numpy_factors]


@pytest.mark.parametrize("factors", FACTORS)
@pytest.mark.parametrize("d", [39, 40, 90])  # on both sides of where LAPACK takes over
def test_factors_of_large_matrices(factors, d):
    rng = np.random.default_rng(d)
    A = rng.normal(size=(2, 3, d, 2 * d))
    Sigma = A @ A.swapaxes(2, 3)
    Sigma[1, 1] = -Sigma[1, 1]
    Sigma[0, 2, 5, 5] = np.nan
    W, log_det = factors(Sigma)
    bad = np.zeros((2, 3), dtype=bool)
    bad[1, 1] = bad[0, 2] = True
    np.testing.assert_array_equal(np.isnan(log_det), bad)
    sound = W[~bad]
    assert (sound == np.tril(sound)).all()
    np.testing.assert_allclose(
        sound @ Sigma[~bad] @ sound.swapaxes(1, 2),
        np.broadcast_to(np.eye(d), (4, d, d)),
        atol=1e-12,
    )
    np.testing.assert_allclose(log_det[~bad], -0.5 * np.linalg.slogdet(Sigma[~bad])[1], rtol=1e-12)


# --- samples --------------------------------------------------------------------------------------


def test_a_sample_takes_a_few_times_itself():
    n, d = 2000, 50
    mixture = random_mixture(np.random.default_rng(0), 3, d)
    assert peak(lambda: mixture.sample(n, 0)) < 4 * n * d  # and not n d²
    X, labels = mixture.sample(n, 0)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(labels, rng.choice(3, size=n, p=mixture.weights))
    noise = rng.standard_normal((n, d))
    L = np.linalg.cholesky(mixture.covariances)
    np.testing.assert_allclose(
        X, mixture.means[labels] + np.einsum("ncd,nd->nc", L[labels], noise), rtol=1e-12, atol=1e-12
    )


# --- files, and one row at a time -----------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_a_pickle_holds_each_number_once(covariance_type):
    X = clusters(300, 30, 4)
    model = fitted(X, 4, covariance_type)
    model.predict(X[:1])
    arrays = sum(getattr(model, name).nbytes for name in NAMES)
    file = pickle.dumps(model)
    assert len(file) < 2 * arrays + 5000  # the attributes, and the mixture
    twin = pickle.loads(file)
    assert twin.mixture_ == model.mixture_
    np.testing.assert_array_equal(twin.score_samples(X), model.score_samples(X))
    twin.means_[0] += 1  # the twin has attributes of its own, which are its model
    assert twin.mixture_ != model.mixture_
    again = pickle.loads(pickle.dumps(twin))
    assert again.mixture_ == twin.mixture_
    np.testing.assert_array_equal(again.predict_proba(X), twin.predict_proba(X))
    assert pickle.loads(pickle.dumps(GaussianMixture(3))).n_components == 3


def test_a_second_row_needs_no_second_factor():
    K, d = 5, 80
    model = fitted(clusters(1000, d, K), K, "full", max_iter=2, tol=0)
    row = model.means_[:1]
    assert peak(lambda: model.predict(row)) > 2 * K * d * d  # in the coordinates, and factors
    assert peak(lambda: model.predict(row)) < K * d * d
    before = model.score_samples(row)
    model.covariances_[:] *= 4  # precisions_ are to agree, or not to be there
    del model.precisions_, model.precisions_cholesky_
    assert abs(before - model.score_samples(row) - d * np.log(2)) < 1e-6


# --- steps where a component costs d operations, or d² --------------------------------------------

# rows, columns, components: odd and even numbers of each, around tiles of 4 and parts of 392, 1024;
# and by how many standard deviations neighbours are apart: at 12 some sums would cancel, at 60
# nearly all responsibilities are 0
STEPS = [
    (900, 4, 1, 1.0),
    (1040, 6, 4, 1.0),
    (1030, 7, 5, 12.0),
    (800, 9, 3, 60.0),
    (420, 64, 2, 0.1),
    (420, 66, 3, 2.0),
    (430, 67, 5, 60.0),
    (140, 129, 1, 1.0),
]


def spread(n, d, K, apart, offset):
    """Data, and a mixture from which a step begins."""
    rng = np.random.default_rng(d)
    direction = rng.choice([-1.0, 1.0], size=d) / np.sqrt(d)
    centres = offset + apart * (np.arange(K) - K // 2)[:, np.newaxis] * direction
    X = centres[np.arange(n) % K] + rng.normal(size=(n, d)) * rng.uniform(0.5, 2, size=d)
    means = centres + 0.1 * rng.normal(size=(K, d))
    covariances = np.empty((K, d, d))
    for j in range(K):
        A = rng.normal(size=(d, d)) / np.sqrt(d)
        covariances[j] = 1.5 * np.eye(d) + 0.2 * (A + A.T)
    return X, Mixture(rng.dirichlet(np.full(K, 5.0)), means, covariances), rng


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(("weighted", "offset"), [(False, 0.0), (True, 3.0), (False, 1e5)])
@pytest.mark.parametrize(("n", "d", "K", "apart"), STEPS)
def test_a_step_is_that_of_the_formulas(road, n, d, K, apart, weighted, offset, covariance_type):
    X, mixture, rng = spread(n, d, K, apart, offset)
    mixture = of_type(mixture, covariance_type)
    w = rng.integers(0, 3, size=n).astype(float) if weighted else None
    options = {"reg_covar": 0.1} if n < K * (d + 20) * (2 if weighted else 1) else {}
    new, before = em_step(X, mixture, covariance_type, w, **options)
    wanted, log_likelihood = plain_em_step(X, mixture, covariance_type, w, **options)
    assert before == pytest.approx(log_likelihood, rel=1e-11)
    assert_same(new, wanted, rtol=1e-9, atol=1e-9)
    rows, given = X.astype(np.float32), None if w is None else w.astype(np.float32)
    single, _ = em_step(rows, mixture, covariance_type, given, **options)
    double, _ = em_step(rows.astype(float), mixture, covariance_type, w, **options)
    assert_same(single, double, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(("n", "d", "K", "apart"), STEPS)
def test_log_densities_are_those_of_the_mixture(road, n, d, K, apart, covariance_type):
    X, mixture, _ = spread(n, d, K, apart, 3.0)
    model = GaussianMixture.from_mixture(of_type(mixture, covariance_type), covariance_type)
    joint = model.mixture_.log_joint(X)
    np.testing.assert_allclose(model.predict_proba(X), softmax(joint, axis=1), atol=1e-10)
    np.testing.assert_allclose(model.score_samples(X), logsumexp(joint, axis=1), rtol=1e-11)
    np.testing.assert_array_equal(model.predict(X), joint.argmax(axis=1))


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_no_digit_is_lost_far_from_the_origin(road, covariance_type):
    X, mixture, _ = spread(60, 6, 2, 1e8, 0.0)
    mixture = of_type(mixture, covariance_type)
    found = current().log_joints(X.T.copy(), Parameters.of([mixture], covariance_type))
    np.testing.assert_allclose(found.T, mixture.log_joint(X), rtol=1e-12)


@pytest.mark.skipif(not COMPILED, reason="the other road has one way for all")
@pytest.mark.parametrize(("apart", "whole"), [(0.5, False), (1.0, False), (40.0, True)])
def test_the_scatter_of_all_data_serves_where_nothing_cancels(apart, whole):
    """One pass each: nothing is summed twice."""
    X, mixture, _ = spread(600, 8, 3, apart, 0.0)
    data = Blocks.of(X)
    with Engine(data, "tied") as machine:
        p = Parameters.of([of_type(mixture, "tied")], "tied", data.frame)
        p = machine.projected(p)
        assert machine.backend.step(p, None, machine._origin, True).whole == whole
        machine.em_step(p)
        assert machine.n_passes == 1


@pytest.mark.parametrize("apart", [0.5, 40.0])
def test_components_far_from_the_origin_are_summed_about_their_means_at_once(road, apart):
    X, mixture, _ = spread(600, 8, 3, apart, 0.0)
    data = Blocks.of(X)
    with Engine(data, "diag") as machine:
        machine.em_step(Parameters.of([of_type(mixture, "diag")], "diag", data.frame))
        assert machine.n_passes == 1


@pytest.mark.parametrize("covariance_type", ["tied", "diag"])
def test_sums_that_turn_out_to_cancel_are_taken_again(road, covariance_type):
    """A start so wide that nothing seems to cancel, beside clusters that are far narrower."""
    means = 1e5 * (np.arange(3.0) - 1)[:, np.newaxis] * np.ones(6)
    X = clusters(300, 6, 1) + means[np.arange(300) % 3]
    start = Mixture.tied(np.full(3, 1 / 3), means, (1e5 / 5) ** 2 * np.eye(6))
    new, before = em_step(X, start, covariance_type)
    wanted, log_likelihood = plain_em_step(X, start, covariance_type)
    assert before == pytest.approx(log_likelihood, rel=1e-12)
    assert_same(new, wanted, rtol=1e-9, atol=1e-9)


# --- a start that is given whole ------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_start_that_is_given_whole_is_the_start(road, covariance_type):
    X, mixture, _ = spread(200, 5, 3, 2.0, 1.0)
    whole = GaussianMixture.from_mixture(of_type(mixture, covariance_type), covariance_type)
    given = {name: getattr(whole, f"{name[:-5]}_") for name in ("weights_init", "means_init")}
    given["precisions_init"] = whole.precisions_
    model = fitted(X, 3, covariance_type, max_iter=0, **given)
    assert_same(model.mixture_, whole.mixture_, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_equal_rows_are_seen_whatever_their_zeros(zero):
    rows = np.array([[0.0, 1.0], [zero, 1.0], [2.0, 1.0]])
    assert Blocks.of(rows).has_distinct_rows(2)
    assert not Blocks.of(rows).has_distinct_rows(3)
    with pytest.raises(ValueError, match=r"the same values in the rows 0 and 1"):
        GaussianMixture(3, means_init=rows).fit(np.arange(40.0).reshape(20, 2))
