"""The engine against the readable algorithm of the book, on both roads."""

import importlib
import math
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmmlib import Mixture, datasets, e_step, fit, m_step
from gmmlib.engine import (
    CANCELLING,
    Blocks,
    Engine,
    Frame,
    Matrices,
    Moments,
    Parameters,
    current,
    natural_parameters,
    sufficient_statistics,
)
from gmmlib.engine.statistics import theta_of
from gmmlib.engine.threads import Executor
from gmmlib.fitting import converge
from gmmlib.models import COVARIANCE_TYPES
from roads import COMPILED, em_step, of_type, plain_em_step
from strategies import assert_same, problems, random_mixture, seeds

# Lengths around those of the compiled loops (192, 1024), dimensions around their tiles of 4.
SHAPES = [(191, 4), (193, 5), (385, 8), (1023, 3), (1025, 2), (2050, 1), (300, 7), (250, 13)]


def problem(seed, n, d, K):
    rng = np.random.default_rng(seed)
    X, _ = random_mixture(rng, K, d).sample(n, rng)
    return X, random_mixture(rng, K, d), rng


# --- one step -------------------------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_a_step_is_that_of_the_book(road, n, d, covariance_type):
    X, mixture, _ = problem(n, n, d, 3)
    responsibilities, log_likelihood = e_step(X, mixture)
    new, before = em_step(X, mixture, covariance_type)
    assert before == pytest.approx(log_likelihood, rel=1e-13)
    assert_same(new, m_step(X, responsibilities, covariance_type), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_a_step_is_that_of_the_formulas(road, n, d, covariance_type, weighted):
    X, mixture, rng = problem(n, n, d, 2)
    mixture = of_type(mixture, covariance_type)
    w = rng.uniform(0.1, 3, size=n) if weighted else None
    new, before = em_step(X, mixture, covariance_type, w)
    wanted, log_likelihood = plain_em_step(X, mixture, covariance_type, w)
    assert before == pytest.approx(log_likelihood, rel=1e-13)
    assert_same(new, wanted, rtol=1e-12, atol=1e-12)


@given(problem=problems(n=st.integers(20, 60)), kind=st.sampled_from(COVARIANCE_TYPES))
def test_a_step_on_any_problem(problem, kind):
    X, mixture, rng = problem
    mixture = of_type(mixture, kind)
    w = rng.uniform(0.5, 2, size=len(X))
    wanted, log_likelihood = plain_em_step(X, mixture, kind, w)
    for backend in (None, Matrices()):
        new, before = em_step(X, mixture, kind, w, backend=backend)
        assert before == pytest.approx(log_likelihood, rel=1e-12)
        assert_same(new, wanted, rtol=1e-9, atol=1e-11)


def test_what_is_added_to_the_variances(road):
    X, mixture, _ = problem(3, 200, 3, 2)
    for kind in COVARIANCE_TYPES:
        start = of_type(mixture, kind)
        new, _ = em_step(X, start, kind, reg_covar=0.25)
        assert_same(new, plain_em_step(X, start, kind, reg_covar=0.25)[0], rtol=1e-12)


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_a_run_is_that_of_the_book(road, covariance_type):
    X = datasets.old_faithful()
    start = Mixture(
        [0.2, 0.3, 0.5], [[2.0, 50.0], [4.0, 70.0], [4.5, 85.0]], [np.diag([0.5, 60.0])] * 3
    )
    book = fit(X, start, covariance_type=covariance_type, tol=None, max_iter=25)
    data = Blocks.of(X)
    with Engine(data, covariance_type) as machine:
        p = Parameters.of([start], covariance_type, data.frame)
        run = converge(machine, p, tol=0.0, max_iter=25, accelerate=False)
    assert run.n_iter == 25
    np.testing.assert_allclose(run.log_likelihoods, book.log_likelihoods, rtol=1e-13)
    assert_same(run.parameters.mixture(0, data.frame), book.mixture, rtol=1e-11)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_many_mixtures_at_once_are_each_as_alone(road, covariance_type):
    rng = np.random.default_rng(5)
    X, _ = random_mixture(rng, 3, 5).sample(700, rng)
    mixtures = [of_type(random_mixture(rng, 3, 5), covariance_type) for _ in range(7)]
    data = Blocks.of(X)
    with Engine(data, covariance_type) as machine:
        p = Parameters.of(mixtures, covariance_type, data.frame)
        together, log_likelihood = machine.em_step(p)
        for r in range(7):
            alone, one = machine.em_step(p.runs([r]))
            assert one[0] == pytest.approx(log_likelihood[r], rel=1e-14)
            assert_same(
                together.mixture(r, data.frame),
                alone.mixture(0, data.frame),
                rtol=1e-12,
            )


def test_the_statistics_times_the_parameters_are_the_log_joint():
    X, mixture, _ = problem(8, 50, 4, 3)
    joint = natural_parameters(mixture) @ sufficient_statistics(X.T.copy())
    np.testing.assert_allclose(joint.T, mixture.log_joint(X), rtol=1e-12)
    diagonal = of_type(mixture, "diag")
    theta = theta_of(Parameters.of([diagonal], "diag"))
    joint = theta @ sufficient_statistics(X.T.copy(), diagonal=True)
    np.testing.assert_allclose(joint.T, diagonal.log_joint(X), rtol=1e-12)


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_log_joints(road, n, d, covariance_type):
    X, mixture, _ = problem(n, n, d, 3)
    mixture = of_type(mixture, covariance_type)
    L = current().log_joints(X.T.copy(), Parameters.of([mixture], covariance_type))
    np.testing.assert_allclose(L.T, mixture.log_joint(X), rtol=1e-12)


# --- the same whatever the threads and the blocks -------------------------------------------------


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.usefixtures("small_blocks")
def test_the_same_bits_for_any_number_of_threads(road, covariance_type):
    X, mixture, rng = problem(1, 3000, 5, 3)
    mixture = of_type(mixture, covariance_type)
    w = rng.integers(0, 3, size=3000)
    for weights in (None, w):
        first = em_step(X, mixture, covariance_type, weights, n_threads=1)
        for threads in (2, 3, 5):
            assert em_step(X, mixture, covariance_type, weights, n_threads=threads) == first


def test_the_same_bits_with_blocks_of_full_length(road):
    X, mixture, _ = problem(2, 30_000, 24, 2)
    first = em_step(X, mixture, n_threads=1)
    assert em_step(X, mixture, n_threads=3) == first


@pytest.mark.usefixtures("small_blocks")
def test_many_blocks_add_up_to_one(road, monkeypatch):
    X, mixture, _ = problem(4, 1500, 3, 3)
    in_many, before = em_step(X, mixture)
    monkeypatch.undo()
    in_one, same = em_step(X, mixture)
    assert before == pytest.approx(same, rel=1e-14)
    assert_same(in_many, in_one, rtol=1e-12)


@pytest.mark.usefixtures("small_blocks")
def test_a_function_that_yields_blocks_gives_the_same_bits(road):
    X, mixture, rng = problem(6, 1000, 3, 2)
    w = rng.uniform(0, 2, size=1000)
    cuts = np.sort(rng.choice(1000, size=9, replace=False))
    one = em_step(X, mixture, sample_weight=w)
    pairs = list(zip(np.split(X, cuts), np.split(w, cuts), strict=True))
    assert em_step(lambda: pairs, mixture) == one


class Elsewhere(Executor):
    """An executor as another process or machine would be: all that it is given travels."""

    def __init__(self):
        self.works, self.closed = [], 0

    def map(self, function, items, work):
        self.works.append(work)
        for item in items:
            there = pickle.loads(pickle.dumps((function, item)))
            yield pickle.loads(pickle.dumps(there[0](there[1])))

    def close(self):
        self.closed += 1


def test_blocks_may_be_computed_elsewhere(road):
    X, mixture, _ = problem(7, 30_000, 12, 3)
    executor = Elsewhere()
    assert em_step(X, mixture, executor=executor) == em_step(X, mixture, n_threads=1)
    assert executor.works[0] > 0
    assert executor.closed == 1


@pytest.mark.usefixtures("small_blocks")
def test_several_threads_may_use_engines_at_once(road):
    X, mixture, _ = problem(7, 2000, 4, 3)
    alone = em_step(X, mixture, n_threads=2)
    with ThreadPoolExecutor(4) as pool:
        options = {"n_threads": 2, "backend": current()}  # a new thread has no `using`
        found = [pool.submit(em_step, X, mixture, **options) for _ in range(12)]
        assert all(one.result() == alone for one in found)


def test_a_pass_reports_how_far_it_is(road, small_blocks):
    X, mixture, _ = problem(9, 300, 2, 2)
    data = Blocks.of(X)
    seen = []
    with Engine(data, "full") as machine:
        machine.progress = seen.append
        machine.moments(Parameters.of([mixture], "full", data.frame))
    assert seen == [64, 128, 192, 256, 300]


@pytest.mark.usefixtures("small_blocks")
def test_an_error_in_a_block_reaches_the_caller_and_the_engine_goes_on(road):
    X, mixture, _ = problem(10, 1000, 2, 2)
    is_broken = False

    def yielding():
        yield X[:500]
        if is_broken:
            raise OSError("the disk is gone")
        yield X[500:]

    data = Blocks.of(yielding)
    with Engine(data, "full", n_threads=3) as machine:
        p = Parameters.of([mixture], "full", data.frame)
        is_broken = True
        with pytest.raises(OSError, match="the disk is gone"):
            machine.em_step(p)
        is_broken = False
        new, _ = machine.em_step(p)
    assert_same(new.mixture(0, data.frame), em_step(X, mixture)[0], rtol=1e-13)


def moments(log_likelihood, about=0.0, n=1.0):
    """Of one component on the line."""
    S = np.full((1, 1, 1), n)
    return Moments(S[0], S, S, np.full((1, 1, 1), about), np.array([log_likelihood]))


def test_moments_add_and_keep_what_rounding_loses():
    total = sum((moments(term) for term in (1e100, 1.0, -1e100)), start=moments(1.0))
    assert (total.log_likelihood + total.lost).tolist() == [2.0]
    assert total.N.item() == total.S1.item() == total.S2.item() == 4.0
    two = (moments(1.0) + moments(1e100)) + (moments(1.0) + moments(-1e100))
    assert (two.log_likelihood + two.lost).tolist() == [2.0]


def test_moments_about_different_points_do_not_add():
    with pytest.raises(ValueError, match="about different points"):
        moments(1.0) + moments(1.0, about=2.0)


# --- where the moments would cancel ---------------------------------------------------------------


def mp_step(X, mixture):
    """One EM step with 50 digits: weights, means, covariances."""
    with mpmath.workdps(50):
        n, d = X.shape
        K = mixture.n_components
        rows = [mpmath.matrix(x.tolist()) for x in X]
        mu = [mpmath.matrix(m.tolist()) for m in mixture.means]
        joints = []
        for j in range(K):
            Sigma = mpmath.matrix(mixture.covariances[j].tolist())
            precision = Sigma**-1
            volume = d * mpmath.log(2 * mpmath.pi) + mpmath.log(mpmath.det(Sigma))
            log_alpha = mpmath.log(mpmath.mpf(mixture.weights[j]))
            joints.append(
                [
                    log_alpha - (((x - mu[j]).T * precision * (x - mu[j]))[0] + volume) / 2
                    for x in rows
                ]
            )
        beta = [[mpmath.mpf(0)] * n for _ in range(K)]
        for i in range(n):
            top = max(joints[j][i] for j in range(K))
            terms = [mpmath.exp(joints[j][i] - top) for j in range(K)]
            for j in range(K):
                beta[j][i] = terms[j] / mpmath.fsum(terms)
        found = []
        for j in range(K):
            N = mpmath.fsum(beta[j])
            mean = mpmath.matrix(d, 1)
            Sigma = mpmath.matrix(d, d)
            for b, x in zip(beta[j], rows, strict=True):
                mean += b * x / N
            for b, x in zip(beta[j], rows, strict=True):
                Sigma += b * (x - mean) * (x - mean).T / N
            found.append((N / n, mean, Sigma))
        return found


def errors(new, exact):
    """The largest errors: of the weights, of the means in σ, of Σ as seen from L⁻¹."""
    weights = means = covariances = 0.0
    with mpmath.workdps(50):
        for j, (alpha, mu, Sigma) in enumerate(exact):
            weights = max(weights, abs(float((mpmath.mpf(new.weights[j]) - alpha) / alpha)))
            W = mpmath.cholesky(Sigma) ** -1
            away = W * (mpmath.matrix(new.means[j].tolist()) - mu)
            means = max(means, float(mpmath.norm(away)))
            gap = W * (mpmath.matrix(new.covariances[j].tolist()) - Sigma) * W.T
            covariances = max(covariances, float(mpmath.norm(gap)))
    return np.array([weights, means, covariances])


def adversarial(offset=0.0, scales=1.0, condition=1.0, apart=3.0):
    """Two clusters: far from the origin, of different sizes, flat, or far from each other."""
    rng = np.random.default_rng(11)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    shape = turn @ np.diag([1, 1, condition**-0.5])
    X = rng.normal(size=(80, 3)) @ shape.T
    X[50:] *= scales
    X[50:] += apart * np.array([1.0, 0.5, -0.5])
    X += offset
    covariances = [cov @ cov.T for cov in (1.2 * shape, 0.9 * scales * shape)]
    means = [X[:50].mean(axis=0), X[50:].mean(axis=0)]
    covariances = [(cov + cov.T) / 2 for cov in covariances]
    return X, Mixture([0.5, 0.5], means, covariances)


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"offset": 1e4},
        {"offset": 1e8},
        {"scales": 1e-6, "apart": 1.0},
        {"condition": 1e10},
        {"apart": 1e6},
        {"offset": 1e6, "scales": 1e-3, "condition": 1e4},
        {"scales": 1e-6, "apart": 1e3},
    ],
    ids=str,
)
def test_as_accurate_as_centred_sums(road, setting):
    X, mixture = adversarial(**setting)
    exact = mp_step(X, mixture)
    ours = errors(em_step(X, mixture)[0], exact)
    centred = errors(m_step(X, e_step(X, mixture)[0]), exact)
    assert (ours <= 4 * centred + 1e-14).all(), (ours, centred)


def test_components_that_would_cancel_are_measured_from_their_means():
    X, mixture = adversarial(scales=1e-2, apart=5.0)
    data = Blocks.of(X)
    p = Parameters.of([mixture], "full", data.frame)
    assert (p.cancellation() > CANCELLING).tolist() == [[False, True]]
    origin = data.frame.rows(data.mean)
    step = Matrices().step(p, None, origin)
    assert step.centred.tolist() == [[False, True]]
    assert (step.about[0, 0] == origin).all()
    assert (step.about[0, 1] == p.means[0, 1]).all()


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_without_the_matrix_of_statistics_where_it_is_too_large(covariance_type):
    X, mixture, _ = problem(12, 500, 4, 3)
    mixture = of_type(mixture, covariance_type)
    with_it = em_step(X, mixture, covariance_type, backend=Matrices())
    without, before = em_step(X, mixture, covariance_type, backend=Matrices(largest=0))
    assert before == pytest.approx(with_it[1], rel=1e-13)
    assert_same(without, with_it[0], rtol=1e-11)


def test_moments_about_any_point(road):
    X, mixture, rng = problem(13, 400, 3, 2)
    data = Blocks.of(X)
    p = Parameters.of([mixture], "full", data.frame)
    about = rng.normal(size=(1, 2, 3))
    beta = e_step(X, mixture)[0]
    with Engine(data, "full") as machine:
        found = machine.moments(p, about)
    z = (X - data.centre) / data.scale - about[0][:, np.newaxis]
    np.testing.assert_allclose(found.N[0], beta.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.S1[0], np.einsum("nk,knd->kd", beta, z), rtol=1e-11)
    np.testing.assert_allclose(found.S2[0], np.einsum("nk,knc,knd->kcd", beta, z, z), rtol=1e-11)


def test_sums_taken_far_from_the_new_mean_are_taken_again(road):
    rng = np.random.default_rng(14)
    X = np.r_[rng.normal(size=(100, 2)), 1e6 + rng.normal(size=(100, 2))]
    start = Mixture([0.5, 0.5], [[0.0, 0.0], [5e5, 6e5]], [np.eye(2) * 1e10] * 2)
    exact = mp_step(X, start)
    assert (errors(em_step(X, start)[0], exact) < 1e-9).all()


# --- what cannot go on ----------------------------------------------------------------------------


def collapse(X, mixture, covariance_type="full", **options):
    data = Blocks.of(X)
    with Engine(data, covariance_type, **options) as machine:
        p = Parameters.of([mixture], covariance_type, data.frame)
        new, _ = machine.em_step(p)
        assert np.isnan(new.log_c).any()
        return machine.collapsed(new)[0].tolist(), machine.why_collapsed(new)


NARROW = Mixture.univariate([0.5, 0.5], [0.0, 7.0], [4.0, 1e-6])
LINE = np.array([[-2.0], [0.0], [1.0], [7.0], [3.0]])


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
def test_a_component_on_one_point_is_told(road, covariance_type):
    which, (component, reason) = collapse(LINE, NARROW, covariance_type)
    assert which == [False, True]
    assert component == 1
    assert reason.startswith("its variance fell to nothing around 7 (N = 1), where the likelihood")
    assert "covariance_type='tied'" in reason


def test_a_component_without_observations_is_told(road):
    far = Mixture.univariate([0.5, 0.5], [0.0, 1e9], [4.0, 1.0])
    which, (component, reason) = collapse(LINE, far)
    assert which == [False, True]
    assert component == 1
    assert reason.startswith("no observation is left in it (N = ")


def test_a_shared_covariance_that_falls_to_nothing_is_told(road):
    X = np.repeat([[0.0], [1.0]], 5, axis=0)
    start = Mixture.univariate([0.5, 0.5], [0.0, 1.0], [1e-3, 1e-3])
    which, (_, reason) = collapse(X, start, "tied")
    assert which == [True, True]
    assert reason == "the variance that all components share fell to nothing"


def test_a_long_mean_is_cut_in_the_message(road):
    rng = np.random.default_rng(15)
    X = np.r_[rng.normal(size=(60, 7)), np.full((3, 7), 50.0)]
    start = Mixture([0.5, 0.5], [np.zeros(7), np.full(7, 50.0)], [np.eye(7)] * 2)
    _, (component, reason) = collapse(X, start)
    assert component == 1
    assert "its covariance fell to nothing around 50, 50, 50, 50, 50, 50, … (N = 3)" in reason


def test_a_run_that_collapses_leaves_the_others_as_they_are(road):
    sound = Mixture.univariate([0.5, 0.5], [0.0, 5.0], [4.0, 4.0])
    data = Blocks.of(LINE)
    with Engine(data, "full") as machine:
        p = Parameters.of([NARROW, sound], "full", data.frame)
        new, _ = machine.em_step(p)
    assert np.isnan(new.log_c).any(axis=1).tolist() == [True, False]
    assert_same(new.mixture(1, data.frame), em_step(LINE, sound)[0], rtol=1e-13)


def test_a_step_gives_a_mixture_or_a_collapse(road):
    """A column that the others nearly determine in one component: no record may hold that."""
    rng = np.random.default_rng(16)
    outcomes = set()
    for exponent in np.linspace(-8.0, -5.5, 26):
        X = rng.normal(size=(300, 2))
        X[:40, 1] = X[:40, 0] + 10**exponent * rng.normal(size=40)
        X[:40] *= 10
        thin = np.array([[100.0, 100.0], [100.0, 100.0 + 1e-9]])
        start = Mixture([0.2, 0.8], [[0.0, 0.0], [0.0, 0.0]], [thin, np.eye(2)])
        data = Blocks.of(X)
        with Engine(data, "full") as machine:
            new, _ = machine.em_step(Parameters.of([start], "full", data.frame))
        sound = bool(np.isfinite(new.log_c).all())
        outcomes.add(sound)
        if sound:
            new.mixture(0, data.frame)
    assert outcomes == {True, False}


def test_matrices_that_have_no_factor_among_others_that_have(road):
    good, bad = np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([[1.0, 2.0], [2.0, 1.0]])
    p = Parameters.factored(
        np.full((1, 3), 1 / 3), np.zeros((1, 3, 2)), np.array([[good, bad, good]])
    )
    assert np.isnan(p.log_c).tolist() == [[False, True, False]]
    np.testing.assert_allclose(p.W[0, 2] @ good @ p.W[0, 2].T, np.eye(2), atol=1e-15)


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_an_observation_beyond_every_mean(road, covariance_type):
    far = Mixture.univariate([0.5, 0.5], [1e200, 2e200], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"^an observation is so far from every mean that its"):
        em_step(LINE, far, covariance_type)


TWO = np.c_[np.arange(6.0), [5, 3, 4, 1, 2, 0]]


@pytest.mark.parametrize(
    ("X", "covariance_type", "message"),
    [
        (
            np.c_[TWO, np.full(6, 3.0)],
            "full",
            "column 2 of X has the same value in every row, 3 up",
        ),
        (
            np.c_[TWO, np.full(6, 3.0)],
            "diag",
            "column 2 of X has the same value in every row, 3 up",
        ),
        (TWO[:2], "full", "X has 2 observations and 2 columns: too few rows for a covariance. "),
        (np.c_[TWO, TWO @ [1, 2]], "tied", "the columns of X are linearly dependent (their corre"),
    ],
)
def test_data_without_spread_in_some_direction(X, covariance_type, message):
    data = Blocks.of(X)
    with pytest.raises(ValueError) as caught:
        Engine(data, covariance_type)
    assert str(caught.value).startswith(message)
    assert "reg_covar above 0" in str(caught.value)
    Engine(data, covariance_type, reg_covar=0.1)


def test_dependent_columns_do_not_matter_where_only_variances_count(road):
    X = np.c_[TWO, TWO @ [1, 2]]
    start = Mixture([1.0], [[0.0, 0.0, 0.0]], [np.eye(3)])
    assert_same(em_step(X, start, "diag")[0], plain_em_step(X, start, "diag")[0])


# --- with Numba and without -----------------------------------------------------------------------


def test_without_numba_the_engine_takes_the_other_road(monkeypatch):
    loaded = {name for name in sys.modules if name.startswith("gmmlib")}
    for name in loaded:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    there = importlib.import_module("gmmlib.engine")
    assert there.Compiled is None
    assert there.current() == there.Matrices()
    data = there.Blocks.of(TWO)
    with there.Engine(data, "full") as machine:
        new, _ = machine.em_step(there.Parameters.of([mixture_of_one()], "full"))
    np.testing.assert_allclose(data.frame.rows_back(new.means[0, 0]), TWO.mean(axis=0))
    for name in [name for name in sys.modules if name.startswith("gmmlib")]:
        monkeypatch.delitem(sys.modules, name)


def mixture_of_one():
    return importlib.import_module("gmmlib").Mixture([1.0], [[0.0, 0.0]], [np.eye(2)])


@pytest.mark.skipif(not COMPILED, reason="Numba is not installed")
@given(seed=seeds)
def test_the_compiled_exponential(seed):
    from gmmlib.engine import kernel

    x = -np.random.default_rng(seed).exponential([0.1, 1.0, 20.0, 100.0], size=(30, 4)).ravel()
    for value in [0.0, -0.0, -708.0, *x[x > -708]]:
        assert kernel._exp(value) == pytest.approx(math.exp(value), rel=5e-16)
    assert kernel._exp(-1e9) < 1e-300


@pytest.mark.skipif(not COMPILED, reason="Numba is not installed")
def test_no_responsibility_is_so_small_that_its_products_have_fewer_digits():
    """A processor takes a hundred times as long for such numbers."""
    from gmmlib.engine import kernel

    joints = np.array([[0.0] * 5, [-1.0, -600.0, -659.0, -661.0, -1e9]])
    kernel._normalise(joints, np.empty(0), 2, 5, np.empty(5), np.empty(5))
    assert (joints[1, :3] > 1e-287).all()
    assert (joints[1, 3:] == 0).all()


@pytest.mark.skipif(not COMPILED, reason="Numba is not installed")
@pytest.mark.parametrize("layout", ["C", "F", "sliced", "reversed", "unaligned", "read-only"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_of_any_layout_are_loaded_alike(layout, dtype):
    rows = np.random.default_rng(17).normal(size=(10, 3)).astype(dtype)
    if layout == "unaligned":
        raw = np.frombuffer(b"x" + rows.tobytes(), dtype=dtype, offset=1).reshape(10, 3)
    else:
        wide = np.repeat(rows, 2, axis=1)
        raw = {
            "C": rows,
            "F": np.asfortranarray(rows),
            "sliced": wide[:, ::2],
            "reversed": rows[::-1].copy()[::-1],
            "read-only": rows.copy(),
        }[layout]
        raw.flags.writeable = layout != "read-only"
    centre, scale = np.array([1.0, -2.0, 0.5]), np.array([0.5, 2.0, 1.0])
    loaded = current().load(raw, Frame(centre, scale))
    np.testing.assert_array_equal(loaded, ((rows.astype(float) - centre) / scale).T)
