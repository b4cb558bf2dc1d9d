"""Every message: what is wrong, the value found, what to try next. And what is accepted."""

import pickle
import re
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse

from bad_data import DATA, I2, X, case
from gmmlib import (
    CollapseError,
    ConvergenceWarning,
    Mixture,
    datasets,
    e_step,
    fit,
    log_gaussian,
    m_step,
)
from gmmlib.bound import (
    complete_data_log_likelihood,
    entropy,
    expected_complete_data_log_likelihood,
    kl_divergence,
    lower_bound,
)
from gmmlib.initialization import k_means_plus_plus, random_points

LINE = Mixture.univariate([0.5, 0.5], [0, 10], [1, 4])
PLANE = Mixture([1.0], [[0.0, 0.0]], [np.eye(2)])
HARD = [[1, 0], [1, 0], [0, 1], [0, 1]]
RNG = np.random.default_rng(0)
WAITING = datasets.old_faithful()[:, 1]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "use",
    [
        lambda x: log_gaussian(x, [0.0], [1.0]),
        LINE.log_density,
        LINE.log_likelihood,
        lambda x: e_step(x, LINE),
        lambda x: fit(x, LINE),
        lambda x: complete_data_log_likelihood(x, [0], LINE),
        lambda x: expected_complete_data_log_likelihood(x, [[1, 0]], LINE),
        lambda x: lower_bound(x, [[1, 0]], LINE),
    ],
)
@pytest.mark.parametrize(("data", "kind", "fragments"), DATA)
def test_bad_data(use, data, kind, fragments):
    assert_raises(lambda: use(data), kind, fragments)


@pytest.mark.parametrize(
    "use",
    [
        lambda x: m_step(x, [[1.0]]),
        lambda x: random_points(x, 1),
        lambda x: k_means_plus_plus(x, 1),
    ],
)
@pytest.mark.parametrize(
    ("data", "kind", "fragments"), [case for case in DATA if case.id != "columns"]
)
def test_bad_data_where_no_dimension_is_expected(use, data, kind, fragments):
    assert_raises(lambda: use(data), kind, fragments)


def assert_raises(call, kind, fragments):
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    message = str(caught.value)
    for fragment in fragments:
        assert fragment in message
    assert message.endswith(".")
    assert not message.endswith("..")
    assert "\n" not in message
    assert len(message) < 420


def mixture(weights=(0.5, 0.5), means=(0.0, 1.0), covariances=(1.0, 1.0)):
    return lambda: Mixture(weights, means, covariances)


def one(Sigma):
    return lambda: Mixture([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [I2, Sigma])


COMPONENT_1 = "the covariance of component 1 (counting from 0) is not "
SINGULAR = np.outer([0.1, 0.7, 0.3], [0.1, 0.7, 0.3]) + np.outer([0.2, 0.3, 1.1], [0.2, 0.3, 1.1])

PARAMETERS = [
    case(
        "negative-weight",
        mixture(weights=[1.5, -0.5]),
        ValueError,
        "component 1 (counting from 0) has -0.5",
        "pass numbers between 0 and 1",
    ),
    case(
        "weights-sum",
        mixture(weights=[0.5, 0.6]),
        ValueError,
        "weights must sum to 1, but they sum to 1.1.",
        "weights / weights.sum()",
    ),
    case(
        "weights-sum-in-single-precision",
        mixture(weights=np.full(10, 0.10001, np.float32)),
        ValueError,
        "they sum to 1.0001",
        "in double precision",
    ),
    case("weights-shape", mixture(weights=[[0.5, 0.5]]), ValueError, "weights have shape (1, 2)"),
    case("no-weights", mixture(weights=[]), ValueError, "weights have shape (0,)", "shape (K,)"),
    case("weights-nan", mixture(weights=[0.5, np.nan]), ValueError, "weights has 1 NaN", "index 1"),
    case("weights-text", mixture(weights=["a"]), TypeError, "weights is not numeric"),
    case(
        "counts-differ",
        mixture(weights=[0.2, 0.3, 0.5]),
        ValueError,
        "the number of weights is 3, but the number of means is 2.",
        "Pass one of each per component",
    ),
    case(
        "means-shape", mixture(means=np.zeros((2, 1, 1))), ValueError, "means have shape (2, 1, 1)"
    ),
    case("no-means", mixture(means=[]), ValueError, "means have shape (0,)", "shape (K, d)"),
    case("means-a-nan", mixture(means=np.nan), ValueError, "means has 1 NaN", "the first (nan)."),
    case("means-infinite", mixture(means=[0.0, np.inf]), ValueError, "means has 1 NaN or infinite"),
    case("means-complex", mixture(means=[0.0, 1j]), TypeError, "means is complex (complex128)"),
    case(
        "variances-shape",
        mixture(covariances=[1.0, 1.0, 1.0]),
        ValueError,
        "covariances have shape (3,), but means of shape (2,) are 2 means in 1 dimension",
        "which need (2, 1, 1) or, as variances, (2,).",
    ),
    case(
        "covariances-shape",
        lambda: Mixture([1.0], [[0.0, 0.0]], [1.0, 1.0]),
        ValueError,
        "covariances have shape (2,), but means of shape (1, 2) are 1 mean in 2 dimensions",
        "which need (1, 2, 2). Pass one d × d matrix per component",
    ),
    case(
        "one-mean-taken-for-two",
        lambda: Mixture([1.0], [0.0, 0.0], [I2]),
        ValueError,
        "means of shape (2,) are 2 means in 1 dimension",
        "means of shape (K, d)",
    ),
    case("covariances-nan", one([[np.nan, 0], [0, 1]]), ValueError, "covariances has 1 NaN"),
    case(
        "not-symmetric",
        one([[2.0, 0.5], [0.4, 1.0]]),
        ValueError,
        COMPONENT_1 + "symmetric: entry (0, 1) is 0.5, but entry (1, 0) is 0.4.",
        "Pass (Sigma + Sigma.T) / 2 if that is rounding",
    ),
    case(
        "not-symmetric-in-the-small-column",
        one([[1e20, 1e9], [-1e9, 1.0]]),
        ValueError,
        COMPONENT_1 + "symmetric: entry (0, 1) is 1e+09, but entry (1, 0) is -1e+09.",
    ),
    case(
        "not-definite",
        one([[1.0, 2.0], [2.0, 1.0]]),
        ValueError,
        COMPONENT_1 + "positive definite: its smallest eigenvalue is -1.",
        "no column a combination of the others",
    ),
    case("no-variance", one(np.diag([1.0, 0.0])), ValueError, COMPONENT_1 + "positive definite"),
    case(
        "singular-but-for-rounding",
        lambda: Mixture([0.5, 0.5], np.zeros((2, 3)), [np.eye(3), SINGULAR]),
        ValueError,
        COMPONENT_1 + "positive definite: its smallest eigenvalue is ",
    ),
    case(
        "negative-variance",
        mixture(covariances=[1.0, -2.0]),
        ValueError,
        COMPONENT_1 + "positive definite: its smallest eigenvalue is -2.",
        "Every variance must be above 0",
    ),
    case(
        "univariate-means",
        lambda: Mixture.univariate([1.0], [[0.0]], [1.0]),
        ValueError,
        "means have shape (1, 1). Pass one number per component, (K,).",
    ),
    case(
        "univariate-variances",
        lambda: Mixture.univariate([1.0], [0.0], 1.0),
        ValueError,
        "variances have shape (). Pass one number per component, (K,).",
    ),
    case(
        "variances-of-a-plane",
        lambda: PLANE.variances,
        ValueError,
        "this one has 2 dimensions. Use covariances.",
    ),
    case(
        "order-repeats",
        lambda: LINE.reordered([0, 0]),
        ValueError,
        "order is [0, 0]. Name each of the components 0 to 1 once",
    ),
    case("order-short", lambda: LINE.reordered([0]), ValueError, "order is [0]."),
    case("order-fractions", lambda: LINE.reordered([0.9, 1.2]), ValueError, "order is [0.9, 1.2]."),
    case("order-a-table", lambda: LINE.reordered([[0], [1]]), ValueError, "order is [[0], [1]]."),
    case("sample-none", lambda: LINE.sample(0), ValueError, "n is 0. Ask for at least 1 point."),
    case("sample-minus", lambda: LINE.sample(-3), ValueError, "n is -3."),
    case(
        "sample-half", lambda: LINE.sample(2.5), TypeError, "whole number, not 2.5", "such as 100"
    ),
    case("sample-true", lambda: LINE.sample(True), TypeError, "whole number, not True"),
]

COLUMNS = np.c_[np.arange(6.0), [5, 3, 4, 1, 2, 0]]
ONES = np.ones((6, 1))

STEPS = [
    case(
        "beyond-floats",
        lambda: e_step([0.0, 1e200], LINE),
        ValueError,
        "observation 1 is so far from every mean that its squared distance overflows.",
        "Check its units, or centre and scale the data",
    ),
    case(
        "no-mixture",
        lambda: e_step(X, [0.5, 0.5]),
        TypeError,
        "a Mixture is needed here, not [0.5, 0.5].",
        "k_means_plus_plus(X, n_components)",
    ),
    case("k-for-a-start", lambda: fit(X, 2), TypeError, "a Mixture is needed here, not 2."),
    case("swapped", lambda: e_step(LINE, X), TypeError, "a Mixture is needed here, not [0.0, 1.0"),
    case(
        "responsibilities-rows",
        lambda: m_step(X, HARD[:3]),
        ValueError,
        "responsibilities must have the shape (4, K), but it is (3, 2).",
        "one row per observation, one column per component",
    ),
    case("responsibilities-1d", lambda: m_step(X, [1, 1, 1, 1]), ValueError, "but it is (4,)."),
    case(
        "responsibilities-columns",
        lambda: lower_bound(X, np.ones((4, 1)), LINE),
        ValueError,
        "must have the shape (4, 2), but it is (4, 1).",
    ),
    case(
        "responsibilities-negative",
        lambda: m_step(X, [[1, 0], [1.5, -0.5], [0, 1], [0, 1]]),
        ValueError,
        "responsibilities must not be negative, but row 1 is [ 1.5 -0.5].",
        "take them from e_step, or from 0/1 labels",
    ),
    case(
        "responsibilities-sum",
        lambda: m_step(X, [[1, 0], [1, 0], [0, 0.9], [0, 1]]),
        ValueError,
        "must sum to 1 in each row, but row 2 sums to 0.9.",
        "Divide each row by its sum",
    ),
    case(
        "responsibilities-nan",
        lambda: m_step(X, [[1, 0], [np.nan, 0], [0, 1], [0, 1]]),
        ValueError,
        "responsibilities has 1 NaN or infinite entry, the first at index (1, 0)",
    ),
    case("entropy-of-a-number", lambda: entropy(0.5), ValueError, "shape (n, K), but it is ()."),
    case("entropy-of-nothing", lambda: entropy([]), ValueError, "shape (n, K), but it is (0,)."),
    case("entropy-of-text", lambda: entropy("ab"), TypeError, "responsibilities is not numeric"),
    case("entropy-sparse", lambda: entropy(scipy.sparse.eye(2)), TypeError, "sparse matrix"),
    case(
        "divergence-shapes",
        lambda: kl_divergence([[0.5, 0.5]], [[0.2, 0.3, 0.5]]),
        ValueError,
        "p must have the shape (1, 2), but it is (1, 3).",
    ),
    case(
        "divergence-sum",
        lambda: kl_divergence([[0.5, 0.4]], [[0.5, 0.5]]),
        ValueError,
        "q must sum to 1 in each row, but row 0 sums to 0.9.",
    ),
    case(
        "labels-shape",
        lambda: complete_data_log_likelihood(X, [0, 1], LINE),
        ValueError,
        "labels have shape (2,). Pass one label per observation, (4,).",
    ),
    case(
        "labels-from-one",
        lambda: complete_data_log_likelihood(X, [1, 1, 2, 2], LINE),
        ValueError,
        "labels must be whole numbers from 0 to 1, but label 2 is 2.",
        "Count the components from 0",
    ),
    case(
        "labels-fractions",
        lambda: complete_data_log_likelihood(X, [0, 0.5, 1, 1], LINE),
        ValueError,
        "but label 1 is 0.5.",
    ),
    case(
        "labels-negative",
        lambda: complete_data_log_likelihood(X, [0, 1, 1, -1], LINE),
        ValueError,
        "but label 3 is -1.",
    ),
    case(
        "constant",
        lambda: m_step([0.1] * 10, np.ones((10, 1))),
        ValueError,
        "column 0 of X has the same value in every row, 0.1 up to rounding.",
        "Leave that column out",
    ),
    case(
        "constant-column",
        lambda: m_step(np.c_[np.arange(6.0), [1 / 3] * 6], ONES),
        ValueError,
        "column 1 of X has the same value in every row, 0.333333 up to rounding.",
    ),
    case(
        "constant-but-for-the-last-digit",
        lambda: m_step([1e9, np.nextafter(1e9, 2e9), 1e9], ONES[:3]),
        ValueError,
        "column 0 of X has the same value in every row, 1e+09",
    ),
    case(
        "constant-in-fit",
        lambda: fit([2.0, 2.0, 2.0], LINE),
        ValueError,
        "column 0 of X has the same value in every row, 2 ",
    ),
    case(
        "constant-in-a-start",
        lambda: k_means_plus_plus(np.c_[np.arange(6.0), np.ones(6)], 2, 0),
        ValueError,
        "column 1 of X has the same value in every row, 1 ",
    ),
    case(
        "dependent",
        lambda: m_step(np.c_[COLUMNS, COLUMNS.sum(axis=1)], ONES),
        ValueError,
        "the columns of X are linearly dependent (their correlation matrix has the eigenvalue",
        "Leave out a column that the others determine",
    ),
    case(
        "dependent-far-from-the-origin",
        lambda: m_step(np.c_[COLUMNS[:, 0], COLUMNS[:, 0] / 3 + 1e11], ONES),
        ValueError,
        "the columns of X are linearly dependent",
    ),
    case(
        "repeated-column",
        lambda: random_points(COLUMNS[:, [0, 0]], 2, 0),
        ValueError,
        "the columns of X are linearly dependent",
    ),
    case(
        "too-few-rows",
        lambda: m_step(RNG.normal(size=(3, 5)), ONES[:3]),
        ValueError,
        "X has 3 observations and 5 columns: too few rows for a covariance.",
        "Bring at least 6 observations, or leave columns out",
    ),
    case(
        "one-observation",
        lambda: m_step([3.0], [[1.0]]),
        ValueError,
        "X has 1 observation and 1 column: too few rows",
        "at least 2 observations",
    ),
    case(
        "huge-units",
        lambda: m_step([1e160, 3e160], ONES[:2]),
        ValueError,
        "column 0 of X spans 2.0e+160, and the square of that is out of the range of floats.",
        "Change the column's units",
    ),
    case("infinite-span", lambda: m_step([-1e308, 1e308], ONES[:2]), ValueError, "X spans inf"),
    case("tiny-units", lambda: m_step([1e-170, 3e-170], ONES[:2]), ValueError, "spans 2.0e-170"),
    case(
        "no-components",
        lambda: random_points(X, 0),
        ValueError,
        "n_components is 0. Ask for at least 1 component.",
    ),
    case("minus-components", lambda: k_means_plus_plus(X, -2), ValueError, "n_components is -2."),
    case(
        "more-components-than-observations",
        lambda: k_means_plus_plus(X, 5),
        ValueError,
        "n_components is 5, but the number of observations is only 4.",
        "Ask for at most 4 components, or bring more data",
    ),
    case("k-above-n-in-fit", lambda: fit([1.0], LINE), ValueError, "is only 1. Ask for at most 1 "),
    case("k-half", lambda: random_points(X, 1.5), TypeError, "must be a whole number, not 1.5."),
    case("k-true", lambda: random_points(X, True), TypeError, "not True. Pass an int such as 2."),
    case("k-text", lambda: random_points(X, "2"), TypeError, "not '2'."),
    case(
        "k-above-different-rows",
        lambda: random_points([1.0, 1.0, 2.0], 3),
        ValueError,
        "n_components is 3, but X has only 2 different rows.",
        "two equal means never part under EM",
    ),
    case(
        "covariance-type",
        lambda: fit(X, LINE, covariance_type="diag"),
        ValueError,
        "covariance_type is 'diag'. Choose 'full' or 'tied'.",
    ),
    case("covariance-type-m-step", lambda: m_step(X, HARD, None), ValueError, "is None. Choose"),
    case("tol-negative", lambda: fit(X, LINE, tol=-1), ValueError, "tol is -1.", "or None"),
    case("tol-nan", lambda: fit(X, LINE, tol=np.nan), ValueError, "tol is nan.", "from 0 up"),
    case("tol-text", lambda: fit(X, LINE, tol="small"), ValueError, "tol is 'small'."),
    case("tol-true", lambda: fit(X, LINE, tol=True), ValueError, "tol is True."),
    case("max-iter-minus", lambda: fit(X, LINE, max_iter=-1), ValueError, "max_iter is -1."),
    case("max-iter-half", lambda: fit(X, LINE, max_iter=1.5), ValueError, "max_iter is 1.5."),
    case("max-iter-true", lambda: fit(X, LINE, max_iter=True), ValueError, "max_iter is True."),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("call", "kind", "fragments"), PARAMETERS + STEPS)
def test_bad_parameters_and_options(call, kind, fragments):
    assert_raises(call, kind, fragments)


# --- a component that collapses ----------------------------------------------------------------


def collapsed(call):
    with pytest.raises(CollapseError) as caught:
        call()
    error = caught.value
    assert str(error).startswith(f"component {error.component} (counting from 0) collapsed")
    assert error.reason in str(error)
    assert str(error).endswith(
        "Start from other means or wider covariances, or ask for fewer components."
    )
    return error


@pytest.mark.parametrize("offset", [0.0, 1.0, 2000.0, 1e6, 1e9])
def test_a_component_on_one_point_collapses_wherever_the_origin_is(offset):
    data = np.r_[RNG.normal(size=30), 7.0] + offset
    start = Mixture.univariate([0.9, 0.1], [offset, 7 + offset], [1, 1])
    error = collapsed(lambda: fit(data, start))
    assert error.component == 1
    assert "its variance fell to nothing around " in error.reason
    assert "N = 1)" in error.reason
    assert "unless all components share one variance (covariance_type='tied')" in error.reason
    assert fit(data, start, covariance_type="tied").converged  # as the message advises


def test_the_error_keeps_the_run_up_to_the_last_sound_mixture():
    data = np.r_[WAITING, 200.0]
    start = Mixture.univariate([0.5, 0.4, 0.1], [55, 80, 150], [36, 36, 900])
    error = collapsed(lambda: fit(data, start))
    assert error.component == 2
    assert error.step > 1
    assert f"collapsed at iteration {error.step}: its variance" in str(error)
    run = error.fit
    assert run.n_iter == error.step - 1
    assert not run.converged
    assert run.reason.startswith(f"stopped at iteration {error.step}: component 2")
    assert run.log_likelihood == run.mixture.log_likelihood(data)
    same = fit(data, start, tol=None, max_iter=run.n_iter)
    assert run.mixture == same.mixture
    np.testing.assert_array_equal(run.log_likelihoods, same.log_likelihoods)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e8])
def test_a_component_on_a_line_in_the_plane_collapses(offset):
    t = np.linspace(5, 6, 20)
    data = np.r_[RNG.normal(size=(40, 2)), np.c_[t, 2 * t]] + offset
    start = Mixture([0.5, 0.5], np.array([[0, 0], [5.5, 11]]) + offset, [I2, I2])
    error = collapsed(lambda: fit(data, start))
    assert error.component == 1
    assert "its covariance fell to nothing around" in error.reason
    assert "share of the data's variance -" not in error.reason


def test_spread_that_is_only_rounding_is_no_spread():
    """The mean of equal numbers may be off in its last digit, which then looks like a variance."""
    t = np.linspace(-1, 1, 20)
    data = np.r_[t, np.full(5, 0.1)] + 1e9
    rng = np.random.default_rng(0)
    for _ in range(1000):  # which shares show it depends on the processor's order of summing
        shares = rng.uniform(0.1, 0.9, size=5)
        beta = np.r_[np.tile([1.0, 0.0], (20, 1)), np.c_[1 - shares, shares]]
        mean = (beta.T @ data / beta.sum(axis=0))[1]
        if mean != data[20]:
            break
    assert 1e-16 < (mean - data[20]) ** 2 < 1e-12
    assert collapsed(lambda: m_step(data, beta)).component == 1


def test_a_component_that_is_flat_along_an_axis_collapses():
    t = np.linspace(-1, 1, 40)
    s = np.tile([1.0, -1.0], 20)
    data = np.r_[np.c_[t, t**2 - (t**2).mean()], np.c_[3 + t, 1e-9 * s]]
    error = collapsed(lambda: m_step(data, np.repeat(np.eye(2), 40, axis=0)))
    assert error.component == 1


def test_a_component_without_observations():
    error = collapsed(lambda: m_step(X, [[1, 0]] * 4))
    assert (error.component, error.step, error.fit) == (1, None, None)
    assert error.reason == "no observation is left in it (N = 0.0e+00)"
    assert "collapsed: no observation" in str(error)
    start = Mixture.univariate([0.5, 0.5], [0, 1e6], [100, 1])
    assert collapsed(lambda: fit(X, start)).step == 1


def test_the_covariance_that_all_share_collapses():
    error = collapsed(lambda: m_step([0.0, 0.0, 1.0, 1.0], HARD, "tied"))
    assert "the variance that all components share fell to nothing" in error.reason
    assert "covariance_type" not in str(error)  # it is tied already


def test_a_collapse_that_only_the_component_itself_shows():
    """Its covariance is singular to rounding, though not beside that of all the data."""
    t = np.linspace(-1, 1, 40)
    s = np.tile([1.0, -1.0], 20)
    wide = np.c_[t, t + 1e-6 * s]
    thin = np.c_[3 + t, 3 + t + 1e-12 * s]
    beta = np.repeat(np.eye(2), 40, axis=0)
    error = collapsed(lambda: m_step(np.r_[wide, thin], beta))
    assert error.component == 1


def test_a_collapse_can_be_pickled():
    data = np.r_[WAITING, 200.0]
    start = Mixture.univariate([0.9, 0.1], [70, 200], [200, 1])
    error = collapsed(lambda: fit(data, start))
    twin = pickle.loads(pickle.dumps(error))
    assert str(twin) == str(error)
    assert (twin.component, twin.step, twin.reason) == (error.component, error.step, error.reason)
    assert twin.fit.mixture == error.fit.mixture


# --- a run that does not converge --------------------------------------------------------------

START = Mixture.univariate([0.5, 0.5], [50, 80], [50, 50])


@pytest.mark.parametrize(
    ("max_iter", "message"),
    [
        (
            3,
            r"did not converge in 3 iterations: the last one still raised the log-likelihood by "
            r"\S+e\S+, more than tol \* n = 2\.7e-07\. Raise max_iter, or go on from the mixture",
        ),
        (1, r"did not converge in 1 iteration: "),
        (0, r"took no iteration, because max_iter is 0\. Raise max_iter"),
    ],
)
def test_a_run_that_did_not_converge_says_so(max_iter, message):
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        run = fit(WAITING, START, max_iter=max_iter)
    assert len(caught) == 1
    assert caught[0].filename == __file__  # the warning points at the caller
    assert not run.converged
    assert re.match(message, run.reason)
    assert run.reason in repr(run)


@pytest.mark.filterwarnings("error")
def test_a_run_of_fixed_length_does_not_warn():
    assert not fit(WAITING, START, tol=None, max_iter=2).converged


# --- what is accepted --------------------------------------------------------------------------


class Table:
    """As a data frame hands its numbers over."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


WHOLE = np.array([[0, 1], [1, 0], [2, 2], [9, 8], [8, 9], [7, 7], [9, 9]])
PAIR = Mixture([0.5, 0.5], [[0, 0], [8, 8]], [4 * I2, 4 * I2])


def memmap(tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, WHOLE.astype(float))
    return np.load(path, mmap_mode="r")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "convert",
    [
        pytest.param(lambda a, _: a, id="int64"),
        pytest.param(lambda a, _: a.astype(np.uint8), id="uint8"),
        pytest.param(lambda a, _: a.astype(np.float16), id="float16"),
        pytest.param(lambda a, _: a.astype(np.float32), id="float32"),
        pytest.param(lambda a, _: a.astype(np.longdouble), id="longdouble"),
        pytest.param(lambda a, _: a.astype(">f8"), id="big-endian"),
        pytest.param(lambda a, _: np.asfortranarray(a.astype(float)), id="fortran"),
        pytest.param(lambda a, _: np.repeat(a, 2, axis=0)[::2], id="strided"),
        pytest.param(lambda a, _: a[::-1][::-1], id="negative-strides"),
        pytest.param(lambda a, _: a.tolist(), id="lists"),
        pytest.param(lambda a, _: tuple(map(tuple, a.tolist())), id="tuples"),
        pytest.param(lambda a, _: a.astype(object), id="objects"),
        pytest.param(lambda a, _: [[Decimal(int(v)) for v in row] for row in a], id="decimals"),
        pytest.param(lambda a, _: [[Fraction(int(v)) for v in row] for row in a], id="fractions"),
        pytest.param(lambda a, _: np.ma.array(a), id="masked-without-masks"),
        pytest.param(lambda a, _: Table(a), id="frame"),
        pytest.param(lambda a, tmp_path: memmap(tmp_path), id="memmap"),
    ],
)
def test_the_same_numbers_give_the_same_fit(convert, tmp_path):
    expected = fit(WHOLE.astype(float), PAIR)
    run = fit(convert(WHOLE, tmp_path), PAIR)
    assert run.mixture == expected.mixture
    np.testing.assert_array_equal(run.log_likelihoods, expected.log_likelihoods)
    assert run.mixture.means.dtype == np.float64


def test_booleans_are_zeros_and_ones():
    start = Mixture.univariate([1.0], [0.0], [1.0])
    assert fit([True, False, True], start).mixture == fit([1.0, 0.0, 1.0], start).mixture


def test_rows_are_flat_or_columns():
    column = np.reshape(WAITING, (-1, 1))
    assert fit(column, START).mixture == fit(WAITING, START).mixture


def test_parameters_may_be_whole_numbers_and_lists():
    assert Mixture([1], [[0, 1]], [[[2, 1], [1, 2]]]).means.dtype == np.float64


@pytest.mark.parametrize("order", ["C", "F"])
def test_inputs_are_never_changed(order):
    data = np.array(datasets.old_faithful(), order=order)
    beta = np.array(e_step(data, k_means_plus_plus(data, 2, 0))[0], order=order)
    labels = beta.argmax(axis=1)
    kept = data.copy(), beta.copy(), labels.copy()
    for array in (data, beta, labels):
        array.flags.writeable = False  # a function that writes fails here
    start = k_means_plus_plus(data, 2, 0)
    random_points(data, 2, 0)
    fit(data, start)
    m_step(data, beta, "tied")
    lower_bound(data, beta, start)
    kl_divergence(beta, beta.copy())
    complete_data_log_likelihood(data, labels, start)
    data.flags.writeable = beta.flags.writeable = True  # and one that writes if it can, here
    fit(data, start)
    m_step(data, beta)
    lower_bound(data, beta, start)
    for array, before in zip((data, beta, labels), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_no_warning_on_the_way_through_ordinary_and_far_data():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mixture = Mixture.univariate([0.0, 1.0], [0, 1], [1e-300, 1e300])
        e_step([0.0, 1e10, -1e100], mixture)
        mixture.log_density([1e308, -1e308])
