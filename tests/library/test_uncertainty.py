"""Standard errors: formulas against differences, enumeration, EM itself and searches."""

import itertools
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from gmmlib import ConvergenceWarning, Mixture, datasets, e_step, fit, m_step
from gmmlib.bound import complete_data_log_likelihood
from gmmlib.coordinates import _Decomposed, coordinates
from gmmlib.engine import Blocks, Engine, Parameters
from gmmlib.families import m_step_covariances
from gmmlib.fitting import converge
from gmmlib.label_matching import match_mixtures
from gmmlib.models import COVARIANCE_TYPES, MCLUST_TYPES, family_of
from gmmlib.uncertainty import (
    bootstrap,
    free_parameters,
    information,
    profile,
    profile_interval,
    scores,
    standard_errors,
)
from strategies import random_mixture, slopes

WAITS = datasets.old_faithful()[:, 1]
SIZES = [(1, 1), (2, 1), (3, 2), (2, 3)]
each_size = pytest.mark.parametrize(("K", "d"), SIZES)
each_type = pytest.mark.parametrize("kind", COVARIANCE_TYPES)
TEN = [name for name in MCLUST_TYPES if family_of(name).name == name]
SAME = {"EEE": "tied", "VVV": "full", "VVI": "diag", "VII": "spherical", "E": "tied", "V": "full"}


def some(K, d, kind, n=30, seed=0):
    """Data, and a mixture of the type that they were not drawn from."""
    rng = np.random.default_rng([seed, K, d])
    full = random_mixture(rng, K, d)
    X = 1.5 * rng.normal(size=(n, d))
    return X, of_type(full, kind)


def of_type(mixture, kind):
    Sigma = np.array(mixture.covariances)
    if kind == "tied":
        Sigma[:] = Sigma[0]
    elif kind == "diag":
        Sigma *= np.eye(mixture.n_features)
    elif kind == "spherical":
        Sigma = Sigma[:, :1, :1] * np.eye(mixture.n_features)
    elif kind in TEN:
        Sigma = m_step_covariances(kind, mixture.weights, Sigma)
    return Mixture(mixture.weights, mixture.means, Sigma)


def _mixture_of(values, mixture, kind):
    return coordinates(mixture, kind).at(values)


def waits_fit(kind="full"):
    start = Mixture.univariate([0.4, 0.6], [55, 80], [35, 35])
    return fit(WAITS, start, covariance_type=kind, tol=1e-13).mixture


def turned(function, point, step=1e-5):
    """The Jacobian of a function with values in rows, by central differences."""
    moves = step * np.eye(len(point))
    rows = [(function(point + h) - function(point - h)) / (2 * step) for h in moves]
    return np.array(rows).T


@each_type
@each_size
def test_free_parameters_give_the_mixture_back(K, d, kind):
    _, mixture = some(K, d, kind)
    names, values = free_parameters(mixture, kind)
    size = {"full": K * d * (d + 1) // 2, "tied": d * (d + 1) // 2, "diag": K * d, "spherical": K}
    assert len(set(names)) == len(names) == len(values) == K - 1 + K * d + size[kind]
    again = _mixture_of(values, mixture, kind)
    assert_allclose(again.weights, mixture.weights, rtol=1e-14)
    assert_allclose(again.means, mixture.means, rtol=1e-14)
    assert_allclose(again.covariances, mixture.covariances, rtol=1e-14)
    for name, value in zip(names, values, strict=True):  # the names are code
        if name.startswith(("weights", "means", "covariances[")) and d > 1:
            assert eval(f"m.{name}", {"m": mixture}) == value


@each_type
@each_size
def test_scores_and_information_against_differences(K, d, kind):
    X, mixture = some(K, d, kind)
    _, values = free_parameters(mixture, kind)

    def height(at):
        return _mixture_of(at, mixture, kind).log_likelihood(X)

    def slope(at):
        return scores(X, _mixture_of(at, mixture, kind), kind).sum(axis=0)

    score = slope(values)
    assert_allclose(slopes(height, values), score, atol=1e-6 * np.abs(score).max())
    observed = information(X, mixture, kind).observed
    assert_allclose(-turned(slope, values), observed, atol=1e-6 * np.abs(observed).max())


@pytest.mark.parametrize(("K", "d"), [(2, 2), (3, 2), (2, 3)])
@pytest.mark.parametrize("kind", TEN)
def test_the_ten_families_against_differences(K, d, kind):
    """Names, values, both derivatives: away from a maximum, where the bend of the family counts."""
    X, mixture = some(K, d, kind)
    chart = coordinates(mixture, kind)
    P = K - 1 + K * d + family_of(kind).n_parameters(K, d)
    assert len(set(chart.names)) == len(chart.names) == len(chart.values) == P
    again = chart.at(chart.values)
    assert_allclose(again.covariances, mixture.covariances, rtol=1e-12, atol=1e-13)
    near = chart.values + np.random.default_rng(1).normal(scale=0.01, size=P)
    assert_allclose(chart.of(chart.at(near)), near, atol=1e-9)
    assert family_of(kind).away(*_kept(chart.at(near), kind)).max() < 1e-9

    def height(at):
        return chart.at(at).log_likelihood(X)

    score = scores(X, mixture, kind).sum(axis=0)
    assert_allclose(slopes(height, chart.values), score, atol=1e-6 * np.abs(score).max())
    observed = information(X, mixture, kind).observed
    step = 1e-4 * np.eye(P)
    bent = np.empty((P, P))
    for a, b in itertools.combinations_with_replacement(range(P), 2):
        corners = [
            sign * height(chart.values + s * step[a] + t * step[b])
            for s, t, sign in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
        ]
        bent[a, b] = bent[b, a] = sum(corners) / 4e-8
    assert_allclose(-bent, observed, atol=1e-5 * np.abs(observed).max())


@pytest.mark.parametrize("kind", ["EVV", "VVE", "VEV"])
def test_axes_keep_their_names_wherever_they_turn(kind):
    """Signs and order of eigenvectors are the program's choice; those nearest are the same axes."""
    for degrees in range(0, 360, 15):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        V = np.array([[c, -s], [s, c]])
        Sigma = [V @ np.diag([1.1, 0.9]) @ V.T, V @ np.diag([3.0, 0.5]) @ V.T]
        mixture = of_type(Mixture([0.4, 0.6], [[0, 0], [4, 1]], Sigma), kind)
        chart = coordinates(mixture, kind)
        moved = chart.values.copy()
        for k, name in enumerate(chart.names):
            if name.startswith("angle"):
                moved[k] += 0.3
            if name.startswith("log_shapes[0"):
                moved[k] *= -1  # the longer axis becomes the shorter one
        assert_allclose(chart.of(chart.at(moved)), moved, atol=1e-9)


def _kept(mixture, kind):
    diagonal = family_of(kind).diagonal
    return mixture.weights, mixture.variances_by_column if diagonal else mixture.covariances


@pytest.mark.parametrize("kind", SAME)
def test_a_name_of_mclust_is_that_of_scikit_learn(kind):
    d = 1 if len(kind) == 1 else 2
    X, mixture = some(2, d, SAME[kind])
    assert free_parameters(mixture, kind)[0] == free_parameters(mixture, SAME[kind])[0]
    ours, theirs = (information(X, mixture, name).observed for name in (kind, SAME[kind]))
    assert_allclose(ours, theirs, rtol=1e-14)


@pytest.mark.parametrize("kind", ["EEE", "VVI", "VII", "VVV"])
def test_volumes_shapes_and_angles_are_as_sure_as_the_entries(kind):
    """Two parametrisations of one family, at its maximum: the same variance of every function."""
    X = datasets.old_faithful()
    start = Mixture([0.4, 0.6], [[2, 55], [4.3, 80]], [[[0.1, 0.5], [0.5, 30]]] * 2)
    top = fit_family(X, of_type(start, SAME[kind]), SAME[kind])
    linear = standard_errors(X, top, kind)
    chart = _Decomposed(top, kind)
    assert len(chart.names) == len(linear.names)
    free = chart.jacobian()
    full = information(X, top, "full")
    entries = coordinates(top, "full")
    # the observed information of the entries, and its bend along the family
    pull = scores(X, top, "full").sum(axis=0)
    onto = np.linalg.pinv(entries.jacobian()) @ free
    weights = np.linalg.pinv(entries.jacobian()).T @ pull
    observed = onto.T @ full.observed @ onto - chart.curvature(weights)
    covariance = np.linalg.inv(observed)
    for function in (
        lambda m: m.weights[0],
        lambda m: m.means[1, 1],
        lambda m: m.covariances[0, 0, 0],
        lambda m: m.covariances[1, 1, 1],
        lambda m: np.log(np.linalg.det(m.covariances[1])),
    ):
        slope = slopes(lambda at, f=function: f(chart.at(at)), chart.values)
        assert np.sqrt(slope @ covariance @ slope) == pytest.approx(
            linear.of(function).standard_error, rel=1e-5
        )


def test_how_sure_a_shape_and_an_angle_are():
    """VEV: the normal theory and the bootstrap agree, and so do delta method and coordinates."""
    truth = Mixture(
        [0.4, 0.6], [[0, 0], [6, 0]], [[[2.0, 0.5], [0.5, 1.0]], [[1.0, -0.5], [-0.5, 2.0]]]
    )
    truth = of_type(truth, "VEV")
    X, _ = truth.sample(500, random_state=1)
    top = fit_family(X, truth, "VEV")
    found = standard_errors(X, top, "VEV")
    assert found.names[-5:] == (
        "log_volumes[0]", "log_volumes[1]", "log_shape[0]", "angles[0, 0, 1]", "angles[1, 0, 1]"
    )  # fmt: skip
    volume = found.of(lambda m: 0.5 * np.log(np.linalg.det(m.covariances[0])))
    assert volume.value == pytest.approx(found.values[-5])
    assert volume.standard_error == pytest.approx(found.standard_errors[-5], rel=1e-6)
    again = bootstrap(
        X, top, 60, method="parametric", covariance_type="VEV", random_state=0, tol=1e-5
    )
    assert again.names == found.names
    assert again.collapsed == 0
    assert_allclose(again.standard_errors, found.standard_errors, rtol=0.35)
    assert_allclose(again.values.mean(axis=0), found.values, atol=0.6)


def fit_family(X, start, kind):
    data = Blocks.of(X)
    with Engine(data, kind, n_threads=1) as engine:
        begin = Parameters.of([start], kind, data.frame)
        run = converge(engine, begin, tol=1e-10, max_iter=5000)
    return run.parameters.mixture(0, data.frame)


def test_what_is_not_of_the_family_is_refused():
    _, mixture = some(2, 2, "full")
    for kind in TEN:
        with pytest.raises(ValueError, match=f"not of the type '{kind}': component"):
            free_parameters(mixture, kind)
    with pytest.raises(ValueError, match="is for one column"):
        free_parameters(mixture, "E")


@pytest.mark.parametrize(("K", "d"), [(2, 1), (3, 1), (2, 2)])
def test_the_two_parts_against_all_labelings(K, d):
    """E[-∇² log p(X, z)] and Var[∇ log p(X, z)], each labeling with its probability."""
    X, mixture = some(K, d, "full", n=2)
    _, values = free_parameters(mixture)
    beta, _ = e_step(X, mixture)
    P = len(values)
    complete, mean, square = np.zeros((P, P)), np.zeros(P), np.zeros((P, P))
    for labels in itertools.product(range(K), repeat=len(X)):

        def height(at, labels=labels):
            return complete_data_log_likelihood(X, labels, _mixture_of(at, mixture, "full"))

        chance = beta[np.arange(len(X)), labels].prod()
        slope = slopes(height, values)
        complete -= chance * turned(lambda at: slopes(height, at, 1e-4), values, 1e-4)
        mean += chance * slope
        square += chance * np.outer(slope, slope)
    found = information(X, mixture)
    assert_allclose(found.complete, complete, atol=1e-5 * np.abs(complete).max())
    missing = square - np.outer(mean, mean)
    assert_allclose(found.missing, missing, atol=1e-6 * np.abs(missing).max())


@pytest.mark.parametrize("kind", ["full", "tied"])
def test_the_rates_are_those_of_em(kind):
    top = waits_fit(kind)
    _, values = free_parameters(top, kind)

    def after(at):
        now = _mixture_of(at, top, kind)
        return free_parameters(m_step(WAITS, e_step(WAITS, now)[0], kind), kind)[1]

    of_em = np.linalg.eigvals(turned(after, values, 1e-5)).real
    rates = information(WAITS, top, kind).rates
    assert_allclose(rates, np.sort(of_em)[::-1], atol=1e-6)
    assert 0.25 < rates[0] < 0.75
    assert (np.diff(rates) <= 0).all()


def test_one_gaussian_has_the_textbook_s_errors():
    x = WAITS
    n, s2 = len(x), x.var()
    one = Mixture.univariate([1], [x.mean()], [s2])
    found = standard_errors(x, one)
    assert_allclose(found.standard_errors, [np.sqrt(s2 / n), s2 * np.sqrt(2 / n)], rtol=1e-12)
    fourth = ((x - x.mean()) ** 4).mean()
    robust = standard_errors(x, one, method="robust").standard_errors
    assert_allclose(robust, [np.sqrt(s2 / n), np.sqrt((fourth - s2**2) / n)], rtol=1e-10)
    third = ((x - x.mean()) ** 3).mean()
    J = n * np.array(
        [[1 / s2, third / (2 * s2**3)], [third / (2 * s2**3), (fourth - s2**2) / (4 * s2**4)]]
    )
    empirical = standard_errors(x, one, method="empirical").covariance
    assert_allclose(empirical, np.linalg.inv(J), rtol=1e-10)


def test_one_gaussian_in_the_plane_has_wishart_s_errors():
    X = datasets.old_faithful()
    n, S = len(X), np.cov(X.T, bias=True)
    covariance = standard_errors(X, Mixture([1], [X.mean(axis=0)], [S])).covariance
    assert_allclose(covariance[:2, :2], S / n, rtol=1e-9)
    pairs = [(0, 0), (1, 0), (1, 1)]
    wishart = [[S[a, c] * S[b, e] + S[a, e] * S[b, c] for c, e in pairs] for a, b in pairs]
    assert_allclose(covariance[2:, 2:], np.array(wishart) / n, rtol=1e-9)


@pytest.mark.parametrize("method", ["observed", "empirical", "robust"])
def test_units_and_order_do_not_matter(method):
    top = waits_fit()
    errors = standard_errors(WAITS, top, method=method).standard_errors
    scaled = Mixture(top.weights, 60 * top.means - 7, 3600 * top.covariances)
    seconds = standard_errors(60 * WAITS - 7, scaled, method=method).standard_errors
    assert_allclose(seconds, errors * [1, 60, 60, 3600, 3600], rtol=1e-8)
    swapped = standard_errors(WAITS, top.reordered([1, 0]), method=method).standard_errors
    assert_allclose(swapped, errors[[0, 2, 1, 4, 3]], rtol=1e-8)


FUNCTIONS = {
    "a difference": (lambda m: m.means[1, 0] - m.means[0, 0], [0, -1, 1, 0, 0]),
    "the last weight": (lambda m: m.weights[1], [-1, 0, 0, 0, 0]),
    "a standard deviation": (
        lambda m: np.sqrt(m.variances[1]),
        lambda v: [0, 0, 0, 0, 0.5 / np.sqrt(v[4])],
    ),
    "log odds": (
        lambda m: np.log(m.weights[0] / m.weights[1]),
        lambda v: [1 / v[0] + 1 / (1 - v[0]), 0, 0, 0, 0],
    ),
    "the mean of all": (
        lambda m: m.weights @ m.means[:, 0],
        lambda v: [v[1] - v[2], v[0], 1 - v[0], 0, 0],
    ),
}


@pytest.mark.parametrize("case", FUNCTIONS)
def test_the_delta_method_against_gradients_by_hand(case):
    function, gradient = FUNCTIONS[case]
    found = standard_errors(WAITS, waits_fit())
    slope = np.array(gradient(found.values) if callable(gradient) else gradient)
    estimate = found.of(function)
    assert estimate.value == function(found.mixture)
    by_hand = np.sqrt(slope @ found.covariance @ slope)
    assert estimate.standard_error == pytest.approx(by_hand, rel=1e-6)
    low, high = estimate.interval(0.9)
    assert (high - low) / 2 == pytest.approx(1.6448536 * by_hand, rel=1e-6)
    assert (low + high) / 2 == pytest.approx(estimate.value)


HELD = [
    ("full", 0, 0.3),
    ("full", 1, 53.0),
    ("full", 2, 81.5),
    ("full", 3, 50.0),
    ("full", 4, 27.0),
]
HELD += [("tied", 0, 0.45), ("tied", 2, 79.0), ("tied", 3, 28.0)]


@pytest.mark.parametrize(("kind", "k", "value"), HELD)
def test_a_profile_against_a_search(kind, k, value):
    top = waits_fit(kind)
    names, values = free_parameters(top, kind)
    others = np.arange(len(values)) != k
    units = standard_errors(WAITS, top, kind).standard_errors

    def at(free):
        place = values.copy()
        place[k] = value
        place[others] += units[others] * free
        return _mixture_of(place, top, kind)

    def slope(free):
        return -(scores(WAITS, at(free), kind).sum(axis=0) * units)[others]

    def depth(free):
        return -at(free).log_likelihood(WAITS)

    nothing = np.zeros(others.sum())
    bounds = [(-4, 4)] * len(nothing)
    searched = minimize(depth, nothing, jac=slope, bounds=bounds, options={"ftol": 1e-14})
    found = profile(WAITS, top, names[k], value, kind)
    assert found[0] == pytest.approx(-searched.fun, abs=1e-6)
    at_the_fit = profile(WAITS, top, names[k], [value, values[k]], kind)
    assert at_the_fit[0] == pytest.approx(found[0], abs=1e-9)
    assert at_the_fit[1] == pytest.approx(top.log_likelihood(WAITS), abs=1e-8)


@pytest.mark.parametrize("k", range(5))
def test_a_profile_bends_as_the_standard_error_says(k):
    """Its curvature at the top is one over the variance: a Schur complement."""
    top = waits_fit()
    found = standard_errors(WAITS, top)
    h = 0.05 * found.standard_errors[k]
    heights = profile(WAITS, top, found.names[k], found.values[k] + [-h, 0, h], tol=1e-12)
    bend = -(heights[0] - 2 * heights[1] + heights[2]) / h**2
    assert bend == pytest.approx(1 / found.covariance[k, k], rel=2e-3)


@pytest.mark.parametrize(
    ("k", "level", "fall"), [(0, 0.95, 1.9207), (1, 0.9, 1.3528), (3, 0.95, 1.9207)]
)
def test_the_ends_of_a_profile_interval_lie_at_the_level(k, level, fall):
    top = waits_fit()
    name = free_parameters(top)[0][k]
    ends = profile_interval(WAITS, top, name, level=level)
    heights = profile(WAITS, top, name, ends)
    assert_allclose(top.log_likelihood(WAITS) - heights, fall, atol=1e-3)
    assert ends[0] < free_parameters(top)[1][k] < ends[1]


@pytest.mark.parametrize("method", ["nonparametric", "parametric"])
def test_bootstrap_of_one_gaussian_is_that_of_mean_and_variance(method):
    one = Mixture.univariate([1], [WAITS.mean()], [WAITS.var()])
    found = bootstrap(WAITS, one, 20, method=method, random_state=3)
    rng = np.random.default_rng(3)
    for row in found.values:
        if method == "parametric":
            x = one.sample(len(WAITS), rng)[0]
        else:
            x = WAITS[rng.integers(len(WAITS), size=len(WAITS))]
        assert_allclose(row, [x.mean(), x.var()], rtol=1e-10)
    assert (found.collapsed, found.unfinished, found.relabelled) == (0, 0, 0)


@pytest.mark.parametrize("kind", ["full", "tied"])
def test_bootstrap_against_the_textbook_s_em(kind):
    top = waits_fit(kind)
    found = bootstrap(WAITS, top, 4, covariance_type=kind, random_state=5)
    rng = np.random.default_rng(5)
    for row, mixture in zip(found.values, found.mixtures, strict=True):
        x = WAITS[rng.integers(len(WAITS), size=len(WAITS))]
        by_em = fit(x, top, covariance_type=kind, tol=1e-13)
        assert_allclose(row, free_parameters(by_em.mixture, kind)[1], rtol=1e-5)
        assert_allclose(free_parameters(mixture, kind)[1], row)
    gaps = found.of(lambda m: m.means[1, 0] - m.means[0, 0])
    assert_allclose(gaps, found.values[:, 2] - found.values[:, 1])
    assert_allclose(found.standard_errors, np.std(found.values, axis=0) * np.sqrt(4 / 3))
    assert_allclose(found.interval(0.5)[0], np.quantile(found.values[:, 0], [0.25, 0.75]))


@pytest.mark.parametrize("kind", ["diag", "spherical"])
def test_bootstrap_of_the_other_families_has_their_parameters(kind):
    X, _ = datasets.three_blobs(150)
    start = of_type(datasets_truth(), kind)
    found = bootstrap(X, start, 3, covariance_type=kind, random_state=0)
    assert found.values.shape == (3, len(free_parameters(start, kind)[0]))
    assert found.unfinished == 0


def datasets_truth():
    means = [[0.0, 0.0], [4.0, 3.0], [-3.0, 4.0]]
    return Mixture([0.5, 0.3, 0.2], means, [np.eye(2)] * 3)


def test_labels_that_were_exchanged_are_put_back_and_counted():
    """A start with the labels of the other peak: EM keeps them, and the match undoes it."""
    top = waits_fit()
    swapped = Mixture(top.weights, top.means[::-1], top.covariances)  # EM will move the means home
    found = bootstrap(WAITS, swapped, 6, random_state=2)
    means = found.values[:, 1:3]
    assert (means[:, 0] > 70).all()
    assert (means[:, 1] < 65).all()


def test_collapsed_replicates_are_counted_and_not_hidden():
    x = np.concatenate((np.linspace(-1, 1, 40), [9.0, 9.4, 9.9]))
    top = fit(x, Mixture.univariate([0.9, 0.1], [0, 9.4], [0.3, 0.2]), tol=1e-13).mixture
    found = bootstrap(x, top, 40, random_state=1)
    assert found.collapsed > 3
    assert len(found.values) == len(found.mixtures) == 40 - found.collapsed
    variances = found.values[:, -1]
    assert variances.min() > 1e-9 * x.var()


def test_a_mixture_that_is_no_maximum():
    start = Mixture.univariate([0.4, 0.6], [55, 80], [35, 35])
    with pytest.warns(ConvergenceWarning, match="standard errors away"):
        standard_errors(WAITS, start)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        standard_errors(WAITS, waits_fit())
    saddle = Mixture.univariate([0.5, 0.5], [WAITS.mean()] * 2, [WAITS.var()] * 2)
    with pytest.raises(ValueError, match="not positive definite"):
        standard_errors(WAITS, saddle)


PLANE = Mixture([0.5, 0.5], np.eye(2), [np.eye(2), [[2, 0.5], [0.5, 1]]])
REFUSED = {
    "no mixture": (lambda: scores(WAITS, 3), TypeError, "Mixture"),
    "a type": (lambda: scores(WAITS, waits_fit(), "round"), ValueError, "Choose one of"),
    "not tied": (lambda: information(WAITS, waits_fit(), "tied"), ValueError, "type 'tied'"),
    "not diagonal": (lambda: free_parameters(PLANE, "diag"), ValueError, "not of the type 'diag'"),
    "not spherical": (lambda: free_parameters(PLANE, "spherical"), ValueError, "'spherical'"),
    "columns": (lambda: scores(WAITS, PLANE), ValueError, "1 column"),
    "weight 0": (
        lambda: scores(WAITS, Mixture.univariate([1, 0], [50, 80], [9, 9])),
        ValueError,
        "weight 0",
    ),
    "a method": (lambda: standard_errors(WAITS, waits_fit(), method="hope"), ValueError, "hope"),
    "a level": (
        lambda: standard_errors(WAITS, waits_fit()).interval(95),
        ValueError,
        "level is 95",
    ),
    "two numbers": (
        lambda: standard_errors(WAITS, waits_fit()).of(lambda m: m.means),
        ValueError,
        "one finite number",
    ),
    "a name": (lambda: profile(WAITS, waits_fit(), "means[2]", 50), ValueError, "Choose one of"),
    "the plane": (lambda: profile(WAITS, PLANE, "means[0, 0]", 50), ValueError, "for the line"),
    "a weight": (lambda: profile(WAITS, waits_fit(), "weights[0]", 1.2), ValueError, "between 0"),
    "a variance": (lambda: profile(WAITS, waits_fit(), "variances[1]", 0), ValueError, "above 0"),
    "steps": (
        lambda: profile(WAITS, waits_fit(), "means[0]", 50, max_iter=3),
        ValueError,
        "Raise max_iter",
    ),
    "a bootstrap": (lambda: bootstrap(WAITS, waits_fit(), method="x"), ValueError, "parametric"),
    "replicates": (lambda: bootstrap(WAITS, waits_fit(), 1), ValueError, "from 2 up"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_and_in_what_words(case):
    call, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        call()


def test_where_components_overlap_labels_are_exchanged_and_matched():
    close = Mixture.univariate([0.5, 0.5], [0, 0.3], [1, 1.5])
    found = bootstrap(WAITS[:60], close, 30, method="parametric", random_state=4)
    assert found.relabelled > 0
    assert all(match_mixtures(mixture, close).tolist() == [0, 1] for mixture in found.mixtures)
