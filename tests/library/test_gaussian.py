"""log_gaussian: against SciPy, against exact arithmetic, and under a change of units."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from gmmlib import log_gaussian
from strategies import problems, random_affine, slopes, transformed


@given(problems())
def test_agrees_with_scipy(problem):
    X, mixture, _ = problem
    expected = [
        multivariate_normal(mu, Sigma).logpdf(X)
        for mu, Sigma in zip(mixture.means, mixture.covariances, strict=True)
    ]
    ours = log_gaussian(X, mixture.means, mixture.covariances)
    assert_allclose(ours, np.reshape(expected, (mixture.n_components, len(X))).T, rtol=1e-9)


def test_variances_on_the_line_are_not_standard_deviations():
    x = np.linspace(-3, 3, 7)
    assert_allclose(log_gaussian(x, [0.5], [4.0])[:, 0], norm(0.5, 2.0).logpdf(x), rtol=1e-14)


def test_shapes_on_the_line():
    flat = log_gaussian([0.0, 1.0, 2.0], [0.0, 1.0], [1.0, 2.0])
    tall = log_gaussian([[0.0], [1.0], [2.0]], [[0.0], [1.0]], [[[1.0]], [[2.0]]])
    assert flat.shape == (3, 2)
    np.testing.assert_array_equal(flat, tall)


@pytest.mark.parametrize("variance", [1e-6, 1.0, 1e6])
def test_integrates_to_one(variance):
    sigma = np.sqrt(variance)
    area, _ = quad(
        lambda x: np.exp(log_gaussian([x], [3.0], [variance])[0, 0]), 3 - 9 * sigma, 3 + 9 * sigma
    )
    assert area == pytest.approx(1, abs=1e-9)


def test_agrees_with_exact_arithmetic_where_the_covariance_is_ill_conditioned():
    Sigma = sp.Matrix(4, 4, lambda r, c: sp.Rational(1, r + c + 1))  # Hilbert's matrix
    x, mu = sp.Matrix([1, -1, sp.Rational(1, 2), 2]), sp.Matrix([0, 0, 1, 1])
    distance = ((x - mu).T * Sigma.inv() * (x - mu))[0]
    exact = float(sp.N(-(4 * sp.log(2 * sp.pi) + sp.log(Sigma.det()) + distance) / 2, 30))
    ours = log_gaussian(
        np.array(x.T, dtype=float), np.array(mu.T, dtype=float), [np.array(Sigma, dtype=float)]
    )
    assert ours[0, 0] == pytest.approx(exact, rel=1e-11)


@given(problems())
def test_a_change_of_units_shifts_by_log_det(problem):
    X, mixture, rng = problem
    A, b = random_affine(rng, X.shape[1])
    moved = transformed(mixture, A, b)
    before = log_gaussian(X, mixture.means, mixture.covariances)
    after = log_gaussian(X @ A.T + b, moved.means, moved.covariances)
    assert_allclose(after, before - np.linalg.slogdet(A)[1], rtol=1e-8, atol=1e-8)


@given(problems(n=st.just(1)))
def test_gradient_in_x(problem):
    X, mixture, _ = problem
    mu, Sigma = mixture.means[0], mixture.covariances[0]
    by_differences = slopes(lambda x: log_gaussian([x], [mu], [Sigma])[0, 0], X[0])
    assert_allclose(by_differences, -np.linalg.solve(Sigma, X[0] - mu), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("distance", [1e3, 1e6, 1e150])
def test_far_away_the_logarithm_is_still_exact(distance):
    expected = -0.5 * (np.log(2 * np.pi) + distance**2)
    assert log_gaussian([distance], [0.0], [1.0])[0, 0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("X", "means", "covariances"),
    [
        ([1e200], [0.0], [1.0]),
        ([1e308], [-1e308], [1.0]),  # x - μ itself overflows
        ([[1e300, 1e300]], [[0, 0]], [[[1e-20, 0.9e-20], [0.9e-20, 1e-20]]]),
        (
            [[1.7e308, 1.7e308]],
            [[-1.7e308, -1.7e308]],
            [[[1.0, 0.5], [0.5, 1.0]]],
        ),  # inf - inf on the way
    ],
)
def test_beyond_the_floats_it_is_minus_infinity_and_never_nan(X, means, covariances):
    assert log_gaussian(X, means, covariances)[0, 0] == -np.inf
