"""The E-step, the M-step and the loop: properties, independent roads, and known numbers."""

import copy
import itertools
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.mixture import GaussianMixture

from gmmlib import CollapseError, ConvergenceWarning, Fit, Mixture, datasets, e_step, fit, m_step
from gmmlib.bound import expected_complete_data_log_likelihood
from gmmlib.checks import never_decreases
from gmmlib.initialization import k_means_plus_plus, random_points
from strategies import (
    assert_same,
    problems,
    random_affine,
    random_mixture,
    random_responsibilities,
    slopes,
    transformed,
)

TYPES = ["full", "tied"]
enough_points = st.integers(30, 60)
NOTE = Mixture.univariate([0.5, 0.5], [1, 2], [2, 2])


# --- the E-step ------------------------------------------------------------------------------


@given(problems())
def test_responsibilities_are_bayes_rule(problem):
    X, mixture, _ = problem
    beta, log_likelihood = e_step(X, mixture)
    joint = np.exp(mixture.log_joint(X))
    assert_allclose(beta, joint / joint.sum(axis=1, keepdims=True), rtol=1e-9, atol=1e-300)
    assert log_likelihood == pytest.approx(np.log(joint.sum(axis=1)).sum(), rel=1e-9)
    assert log_likelihood == mixture.log_likelihood(X)


@given(problems(), st.sampled_from([1.0, 1e3, 1e6, 1e9, 1e100]))
def test_responsibilities_sum_to_one_however_far(problem, distance):
    X, mixture, _ = problem
    beta, log_likelihood = e_step(distance * (1 + X), mixture)
    assert (beta >= 0).all()
    assert_allclose(beta.sum(axis=1), 1, rtol=1e-14)
    assert np.isfinite(log_likelihood)


@pytest.mark.parametrize("sigmas", [1e3, 1e6])
def test_far_away_the_nearer_component_takes_all_unless_it_is_a_tie(sigmas):
    mixture = Mixture.univariate([0.5, 0.5], [-1, 1], [1, 1])
    beta, _ = e_step([-sigmas, 0, sigmas], mixture)
    assert_array_equal(beta, [[1, 0], [0.5, 0.5], [0, 1]])


def test_far_away_the_wider_component_wins_whatever_the_means():
    mixture = Mixture.univariate([0.999, 0.001], [5, 0], [1, 4])
    assert_array_equal(e_step([1e3, -1e6], mixture)[0], [[0, 1], [0, 1]])


@given(problems())
def test_e_step_under_relabelling(problem):
    X, mixture, rng = problem
    order = rng.permutation(mixture.n_components)
    beta, log_likelihood = e_step(X, mixture)
    moved, same = e_step(X, mixture.reordered(order))
    assert_allclose(moved, beta[:, order], rtol=1e-12)
    assert same == pytest.approx(log_likelihood, rel=1e-12)


@given(problems(), st.booleans())
def test_e_step_under_translation_and_affine_maps(problem, translation_only):
    X, mixture, rng = problem
    A, b = random_affine(rng, X.shape[1])
    A = np.eye(X.shape[1]) if translation_only else A
    beta, log_likelihood = e_step(X, mixture)
    moved, shifted = e_step(X @ A.T + b, transformed(mixture, A, b))
    assert_allclose(moved, beta, rtol=1e-7, atol=1e-12)
    expected = log_likelihood - len(X) * np.linalg.slogdet(A)[1]
    assert shifted == pytest.approx(expected, rel=1e-9, abs=1e-8)


@given(problems(d=st.sampled_from([1, 2]), K=st.integers(1, 3), n=st.integers(1, 6)))
def test_enumeration_of_all_labelings(problem):
    """p(x) and p(z_i = j | x) as sums over all K^n labelings, without an E-step."""
    X, mixture, _ = problem
    n, K = len(X), mixture.n_components
    log_joint = mixture.log_joint(X)
    evidence, marginals = 0.0, np.zeros((n, K))
    for labels in itertools.product(range(K), repeat=n):
        probability = np.exp(log_joint[np.arange(n), labels].sum())
        evidence += probability
        marginals[np.arange(n), labels] += probability
    beta, log_likelihood = e_step(X, mixture)
    assert log_likelihood == pytest.approx(np.log(evidence), rel=1e-10, abs=1e-10)
    assert_allclose(beta, marginals / evidence, rtol=1e-9, atol=1e-12)


# --- the M-step ------------------------------------------------------------------------------


@given(problems(n=enough_points))
def test_m_step_is_the_weighted_moments(problem):
    X, mixture, rng = problem
    beta = random_responsibilities(rng, len(X), mixture.n_components)
    updated = m_step(X, beta)
    assert_allclose(updated.weights, beta.mean(axis=0), rtol=1e-12)
    for j in range(mixture.n_components):
        assert_allclose(updated.means[j], np.average(X, axis=0, weights=beta[:, j]), rtol=1e-9)
        expected = np.cov(X.T, aweights=beta[:, j], ddof=0)
        assert_allclose(updated.covariances[j], np.reshape(expected, (X.shape[1],) * 2), atol=1e-9)
    tied = m_step(X, beta, "tied")
    pooled = np.einsum("j,jcd->cd", updated.weights, updated.covariances)
    for j in range(mixture.n_components):
        assert_allclose(tied.covariances[j], pooled, rtol=1e-9, atol=1e-12)


@given(problems(d=st.sampled_from([1, 2, 3]), n=enough_points), st.sampled_from(TYPES))
def test_q_has_no_slope_at_the_m_step(problem, covariance_type):
    X, start, _ = problem
    beta, _ = e_step(X, start)
    best = m_step(X, beta, covariance_type)
    K, d = best.means.shape
    size = len(X) * np.sqrt(1 / np.linalg.eigvalsh(best.covariances).min())

    def q(weights=best.weights, means=best.means, covariances=best.covariances):
        moved = Mixture(weights, means, covariances)
        return expected_complete_data_log_likelihood(X, beta, moved)

    def along(steps):  # weights on the simplex, by a softmax
        logits = np.log(best.weights) + steps
        return q(weights=np.exp(logits) / np.exp(logits).sum())

    def spread(steps):  # Σ moves along E Σ + Σ Eᵀ, so that it stays symmetric
        E = np.broadcast_to(steps, (K, d, d))
        moved = (np.eye(d) + E) @ best.covariances @ (np.eye(d) + E).transpose(0, 2, 1)
        return q(covariances=(moved + moved.transpose(0, 2, 1)) / 2)

    shape = (K, d, d) if covariance_type == "full" else (1, d, d)
    assert_allclose(slopes(lambda mu: q(means=mu), best.means), 0, atol=1e-5 * size)
    assert_allclose(slopes(along, np.zeros(K)), 0, atol=1e-5 * size)
    assert_allclose(slopes(spread, np.zeros(shape)), 0, atol=1e-5 * size)


@given(problems(n=enough_points), st.sampled_from(TYPES))
def test_no_other_mixture_has_a_higher_q(problem, covariance_type):
    X, start, rng = problem
    beta, _ = e_step(X, start)
    best = m_step(X, beta, covariance_type)
    top = expected_complete_data_log_likelihood(X, beta, best)
    others = [random_mixture(rng, start.n_components, X.shape[1])]
    for size in (1e-3, 1e-1):
        factor = np.eye(X.shape[1]) + size * rng.normal(size=(X.shape[1],) * 2)
        others.append(transformed(best, factor, np.zeros(X.shape[1])))
        weights = best.weights * np.exp(size * rng.normal(size=len(best.weights)))
        means = best.means + size * rng.normal(size=best.means.shape)
        others.append(Mixture(weights / weights.sum(), means, best.covariances))
    if covariance_type == "tied":  # compare with its like only
        others[0] = Mixture(
            others[0].weights,
            others[0].means,
            np.repeat(others[0].covariances[:1], start.n_components, axis=0),
        )
    for other in others:
        assert expected_complete_data_log_likelihood(X, beta, other) < top


@given(problems(n=enough_points), st.sampled_from(TYPES))
def test_m_step_under_relabelling_and_affine_maps(problem, covariance_type):
    X, start, rng = problem
    beta = random_responsibilities(rng, len(X), start.n_components)
    A, b = random_affine(rng, X.shape[1])
    order = rng.permutation(start.n_components)
    before = m_step(X, beta, covariance_type)
    after = m_step(X @ A.T + b, beta[:, order], covariance_type)
    assert_same(after, transformed(before, A, b).reordered(order), rtol=1e-8, atol=1e-8)


def test_known_labels_give_the_moments_of_each_class():
    X, labels = datasets.three_blobs(200)
    updated = m_step(X, np.eye(3)[labels])
    for j in range(3):
        assert_allclose(updated.means[j], X[labels == j].mean(axis=0))
        assert_allclose(updated.covariances[j], np.cov(X[labels == j].T, ddof=0))


def test_far_from_the_origin_nothing_is_lost():
    X, labels = datasets.three_blobs(200)
    near, far = m_step(X, np.eye(3)[labels]), m_step(X + 1e8, np.eye(3)[labels])
    assert_allclose(far.covariances, near.covariances, rtol=1e-6)


# --- the loop --------------------------------------------------------------------------------


@given(
    problems(d=st.sampled_from([1, 2, 5]), K=st.integers(2, 4), n=st.integers(60, 90)),
    st.sampled_from(TYPES),
)
def test_every_step_climbs(problem, covariance_type):
    X, start, _ = problem
    history = sound_run(X, start, covariance_type, 40).log_likelihoods
    # The start's covariances differ, so the first step of a tied fit need not climb.
    never_decreases("eq-ascent", history if covariance_type == "full" else history[1:])


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("K", [2, 3, 4])
def test_every_step_climbs_on_old_faithful(K, seed, covariance_type):
    X = datasets.old_faithful()
    for start in (random_points(X, K, seed), k_means_plus_plus(X, K, seed)):
        run = fit(X, start, covariance_type=covariance_type, tol=None, max_iter=60)
        never_decreases("eq-ascent", run.log_likelihoods)


def sound_run(X, start, covariance_type, max_iter):
    """A run of fixed length; where a component collapses, the run up to there."""
    try:
        return fit(X, start, covariance_type=covariance_type, tol=None, max_iter=max_iter)
    except CollapseError as error:
        return error.fit


@settings(max_examples=20)
@given(problems(K=st.integers(1, 3), n=st.integers(60, 90)), st.sampled_from(TYPES))
def test_whole_fits_under_relabelling_and_affine_maps(problem, covariance_type):
    X, start, rng = problem
    A, b = random_affine(rng, X.shape[1])
    order = rng.permutation(start.n_components)
    before = sound_run(X, start, covariance_type, 15)
    moved_start = transformed(start, A, b).reordered(order)
    after = sound_run(X @ A.T + b, moved_start, covariance_type, 15)
    moved = transformed(before.mixture, A, b).reordered(order)
    assert_same(after.mixture, moved, rtol=1e-6, atol=1e-6)
    shift = len(X) * np.linalg.slogdet(A)[1]
    assert_allclose(after.log_likelihoods, before.log_likelihoods - shift, rtol=1e-8, atol=1e-6)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_whole_path_agrees_with_scikit_learn(d, covariance_type):
    rng = np.random.default_rng(d)
    X, _ = random_mixture(rng, 3, d).sample(400, rng)
    start = k_means_plus_plus(X, 3, random_state=0)
    precisions = np.linalg.inv(start.covariances)
    theirs = GaussianMixture(
        3,
        covariance_type=covariance_type,
        tol=0,
        reg_covar=0,
        max_iter=50,
        init_params="random_from_data",  # overwritten by the next three
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=precisions if covariance_type == "full" else precisions[0],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(X)
    ours = fit(X, start, covariance_type=covariance_type, tol=None, max_iter=50)
    tied = np.repeat(np.reshape(theirs.covariances_, (-1, d, d)), 3, axis=0)
    covariances = theirs.covariances_ if covariance_type == "full" else tied
    assert theirs.n_iter_ == ours.n_iter == 50
    assert_same(
        ours.mixture, Mixture(theirs.weights_, theirs.means_, covariances), rtol=0, atol=1e-8
    )
    assert abs(ours.mixture.means - start.means).max() > 0.1  # the path led somewhere
    # Its lower_bound_ is a mean, of the mixture one step before the one it returns.
    assert ours.log_likelihoods[-1] == pytest.approx(len(X) * theirs.score(X), abs=1e-8)
    assert ours.log_likelihoods[-2] == pytest.approx(len(X) * theirs.lower_bound_, abs=1e-8)


# --- known numbers ---------------------------------------------------------------------------


def test_the_worked_example_after_one_epoch():
    run = fit(datasets.worked_example(), NOTE, tol=None, max_iter=1)
    mixture = run.mixture
    assert_allclose(
        mixture.means[:, 0], [1.306575372570062739265, 1.498214921889232322479], rtol=1e-14
    )
    assert_allclose(
        mixture.variances, [0.351014287951114206689, 0.408060269961258953911], rtol=1e-12
    )
    assert_allclose(mixture.weights, [0.512498188594977799845, 0.487501811405022200155], rtol=1e-14)


def test_the_worked_example_lingers_then_converges():
    run = fit(datasets.worked_example(), NOTE, tol=1e-13)
    assert_allclose(run.log_likelihoods[:4], [-7.0758, -4.7174, -4.7128, -4.7064], atol=5e-5)
    assert run.converged
    assert run.log_likelihood == pytest.approx(-3.29019, abs=5e-6)
    assert_allclose(run.mixture.means[:, 0], [0.93202, 2.09263], atol=5e-6)
    assert_allclose(run.mixture.variances, [0.042176, 0.095965], atol=5e-7)
    assert_allclose(run.mixture.weights, [0.59678, 0.40322], atol=5e-6)
    one = fit(datasets.worked_example(), Mixture.univariate([1], [0], [1]))
    assert one.log_likelihood == pytest.approx(-4.7278, abs=5e-5)


def test_old_faithful_waiting_with_a_common_variance_is_the_published_fit():
    X = datasets.old_faithful()[:, 1]
    run = fit(X, k_means_plus_plus(X, 2, 0), covariance_type="tied", tol=1e-13)
    mixture = run.mixture.reordered(np.argsort(run.mixture.means[:, 0]))
    assert run.converged
    assert run.log_likelihood == pytest.approx(-1034.002, abs=5e-4)
    # The published run stopped a little earlier, hence two units of the last digit.
    assert_allclose(mixture.weights, [0.36085, 0.63915], atol=2e-5)
    assert_allclose(mixture.means[:, 0], [54.61364, 80.09031], atol=2e-4)
    assert_allclose(np.sqrt(mixture.variances), 5.86909, atol=2e-4)


def test_old_faithful_with_a_common_covariance_is_the_published_fit():
    X = datasets.old_faithful()
    runs = [fit(X, k_means_plus_plus(X, 3, s), covariance_type="tied") for s in range(4)]
    best = max(runs, key=lambda run: run.log_likelihood)
    assert best.log_likelihood == pytest.approx(-1126.316, abs=5e-4)
    assert (best.log_likelihoods < -1126.326).any()  # mclust stopped on the way here


def test_esl_table_8_1_is_the_maximum_of_the_printed_values():
    X = datasets.esl_mixture()
    run = fit(X, Mixture.univariate([0.5, 0.5], [4, 1], [1, 1]), tol=1e-13)
    assert run.log_likelihood == pytest.approx(-38.9134, abs=5e-5)
    assert_allclose(run.mixture.means[:, 0], [4.6559, 1.0832], atol=6e-5)
    assert_allclose(run.mixture.variances, [0.8188, 0.8114], atol=6e-5)
    assert_allclose(run.mixture.weights[1], 0.5546, atol=6e-5)


# --- the record of a run ---------------------------------------------------------------------

WAITING = datasets.old_faithful()[:, 1]
START = Mixture.univariate([0.5, 0.5], [50, 80], [50, 50])


@pytest.mark.parametrize("max_iter", [0, 1, 7])
def test_the_last_log_likelihood_belongs_to_the_mixture(max_iter):
    run = fit(WAITING, START, tol=None, max_iter=max_iter)
    assert run.n_iter == max_iter
    assert len(run.log_likelihoods) == max_iter + 1
    assert run.log_likelihood == run.mixture.log_likelihood(WAITING) == run.log_likelihoods[-1]
    assert run.log_likelihoods[0] == START.log_likelihood(WAITING)
    assert not run.converged
    asked = f"{max_iter} iteration{'s' * (max_iter != 1)} asked for"
    assert run.reason == f"took the {asked}, without a test of convergence"


def test_fit_is_its_steps_in_turn():
    mixture = START
    for _ in range(3):
        beta, _ = e_step(WAITING, mixture)
        mixture = m_step(WAITING, beta)
    assert fit(WAITING, START, tol=None, max_iter=3).mixture == mixture


@pytest.mark.filterwarnings("error")
def test_a_converged_run_says_so():
    run = fit(WAITING, START)
    assert run.converged
    assert run.reason.startswith(f"converged in {run.n_iter} iterations: the last one changed")
    assert "within tol * n = 2.7e-07" in run.reason
    gains = np.diff(run.log_likelihoods)
    assert gains[-1] <= 1e-9 * 272 < gains[-2]
    assert run.log_likelihood == run.mixture.log_likelihood(WAITING)
    assert f"log-likelihood {run.log_likelihood:.6f}; converged in" in repr(run)
    assert repr(run).startswith("Mixture of 2 components")


@pytest.mark.filterwarnings("error")
def test_a_tolerance_of_zero_runs_down_to_rounding():
    for seed in range(3):
        run = fit(WAITING, random_points(WAITING, 2, seed), tol=0)
        assert run.converged
        assert abs(np.diff(run.log_likelihoods)[-1]) < 1e-11


@pytest.mark.filterwarnings("error")
def test_a_start_at_the_answer_converges_at_once():
    answer = fit(WAITING, START, tol=0).mixture
    assert fit(WAITING, answer).n_iter == 1


def test_a_run_can_be_continued():
    first = fit(WAITING, START, tol=None, max_iter=4)
    rest = fit(WAITING, first.mixture, tol=None, max_iter=3)
    whole = fit(WAITING, START, tol=None, max_iter=7)
    assert rest.mixture == whole.mixture
    assert_array_equal(rest.log_likelihoods, whole.log_likelihoods[4:])


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))]
)
def test_a_run_stays_as_it_was(duplicate):
    run = duplicate(fit(WAITING, START, tol=None, max_iter=2))
    assert run.mixture == fit(WAITING, START, tol=None, max_iter=2).mixture
    with pytest.raises(ValueError, match="read-only"):
        run.log_likelihoods[0] = 0
    with pytest.raises(AttributeError):
        run.converged = True


def test_a_record_does_not_touch_the_array_it_is_given():
    history = np.array([-2.0, -1.0])
    run = Fit(START, history, True, "for a test")
    history[0] = -3.0
    assert_array_equal(run.log_likelihoods, [-2.0, -1.0])


def test_one_component_is_the_sample_mean_and_covariance():
    X = datasets.old_faithful()
    run = fit(X, Mixture([1], [[0, 0]], [np.eye(2)]))
    assert run.converged
    assert_allclose(run.mixture.means[0], X.mean(axis=0))
    assert_allclose(run.mixture.covariances[0], np.cov(X.T, ddof=0))


def test_equal_components_never_part():
    start = Mixture.univariate([0.3, 0.7], [60, 60], [80, 80])
    run = fit(WAITING, start)
    assert run.mixture.means[0] == pytest.approx(run.mixture.means[1], rel=1e-12)
    assert_allclose(run.mixture.weights, [0.3, 0.7])


def test_far_from_the_origin_the_fit_is_the_same_or_says_that_digits_are_missing():
    near = fit(WAITING, START)
    far = fit(WAITING + 1e9, Mixture(START.weights, START.means + 1e9, START.covariances))
    assert far.log_likelihood == pytest.approx(near.log_likelihood, rel=1e-8)
    with pytest.warns(ConvergenceWarning, match=r"fell by .* centre and scale"):
        run = fit(
            WAITING + 1e12,
            Mixture(START.weights, START.means + 1e12, START.covariances),
            tol=1e-14,
        )
    assert not run.converged


def test_units_do_not_matter():
    X = datasets.old_faithful()
    plain = fit(X, k_means_plus_plus(X, 2, 0))
    units = np.array([1e60, 1e-60])
    moved = fit(X * units, k_means_plus_plus(X * units, 2, 0))
    assert moved.n_iter == plain.n_iter
    assert_allclose(moved.mixture.means / units, plain.mixture.means, rtol=1e-9)
