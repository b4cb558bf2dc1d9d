"""The face of the families, beside the derivation: each number by two roads."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import minimize

from gmmlib import families, log_gaussian
from gmmlib.models import MCLUST_TYPES
from strategies import random_mixture

K = 3


def problem(seed, d):
    """Counts (K,) and covariances (K, d, d)."""
    mixture = random_mixture(np.random.default_rng(seed), K, d)
    return 100 * mixture.weights, mixture.covariances


def member(letters, numbers, d):
    """Σ_j from as many free numbers as the letters call for: the longest axis need not be first."""
    numbers = iter(numbers)

    def parts(letter, size):
        if letter == "I":
            return [np.zeros(size)] * K
        drawn = [np.array([next(numbers) for _ in range(size)]) for _ in range(K)]
        return drawn if letter == "V" else [drawn[0]] * K

    logs = parts(letters[0], 1)
    flats = parts(letters[1], d - 1)
    turns = parts(letters[2], d * (d - 1) // 2)
    found = []
    for log, flat, turn in zip(logs, flats, turns, strict=True):
        skew = np.zeros((d, d))
        skew[np.triu_indices(d, 1)] = turn
        axes = expm(skew - skew.T)
        found.append(axes @ np.diag(np.exp(log + np.r_[flat, -flat.sum()])) @ axes.T)
    return np.array(found)


def size_of(d):
    """So many numbers that member never runs out of them."""
    return K * (1 + (d - 1) + d * (d - 1) // 2)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_a_decomposition_is_the_covariance(d):
    _, S = problem(1, d)
    parts = families.decompose(S)
    np.testing.assert_allclose(parts.composed(), S, rtol=1e-12)
    np.testing.assert_allclose(parts.volumes, np.linalg.det(S) ** (1 / d), rtol=1e-12)
    np.testing.assert_allclose(parts.shapes.prod(axis=1), 1, rtol=1e-12)
    assert (np.diff(parts.shapes, axis=1) <= 0).all()
    eye = parts.orientations.swapaxes(1, 2) @ parts.orientations
    np.testing.assert_allclose(eye, np.broadcast_to(np.eye(d), eye.shape), atol=1e-12)
    longest = S @ parts.orientations[:, :, :1]
    length = (parts.volumes * parts.shapes[:, 0])[:, np.newaxis, np.newaxis]
    np.testing.assert_allclose(longest, length * parts.orientations[:, :, :1], atol=1e-11)


def test_one_covariance_alone():
    parts = families.decompose([[3, 0], [0, 12]])
    np.testing.assert_allclose(parts.volumes, [6])
    np.testing.assert_allclose(parts.shapes, [[2, 0.5]])


def test_the_misfit_is_a_mean_log_density_but_for_constants():
    rng = np.random.default_rng(2)
    d, sizes = 3, (40, 70, 25)
    _, Sigma = problem(3, d)
    groups = [rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) for n in sizes]
    groups = [X - X.mean(axis=0) for X in groups]
    S = [X.T @ X / len(X) for X in groups]
    total = sum(
        log_gaussian(X, [np.zeros(d)], [Sigma_j]).sum()
        for X, Sigma_j in zip(groups, Sigma, strict=True)
    )
    by_density = -2 * total / sum(sizes) - d * np.log(2 * np.pi)
    assert families.misfit(sizes, S, Sigma) == pytest.approx(by_density, rel=1e-12)


@pytest.mark.parametrize("name", MCLUST_TYPES)
def test_no_member_fits_better_than_the_m_step(name):
    d = 2
    N, S = problem(4, d)
    found = families.m_step_covariances(name, N, S)
    ours = families.misfit(N, S, found)
    rng = np.random.default_rng(6)
    searches = [
        minimize(
            lambda flat: families.misfit(N, S, member(name, flat, d)),
            rng.normal(scale=0.5, size=size_of(d)),
            method="BFGS",
            options={"gtol": 1e-6},
        )
        for _ in range(3)
    ]
    assert min(search.fun for search in searches) == pytest.approx(ours, abs=1e-7)


@pytest.mark.parametrize("name", MCLUST_TYPES)
def test_a_member_is_its_own_m_step_and_the_share_is_all_that_counts(name):
    N, S = problem(5, 3)
    Sigma = families.m_step_covariances(name, N, S)
    np.testing.assert_allclose(families.m_step_covariances(name, 7 * N, S), Sigma, rtol=1e-12)
    again = families.m_step_covariances(name, N[::-1], Sigma)
    np.testing.assert_allclose(again, Sigma, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ["E", "V"])
def test_on_the_line(name):
    found = families.m_step_covariances(name, [1, 3], [[[2]], [[6]]])
    np.testing.assert_allclose(found.ravel(), {"E": [5, 5], "V": [2, 6]}[name])


COUNTED = [(name, d) for name in MCLUST_TYPES for d in (2, 3, 5)] + [("E", 1), ("V", 1)]


@pytest.mark.parametrize(("name", "d"), COUNTED)
def test_as_many_parameters_as_directions(name, d):
    """The rank of the derivative of all entries by all numbers, at a random place."""
    letters = name if d > 1 else f"{name}EE"
    at = np.random.default_rng(7).normal(scale=0.5, size=size_of(d))
    moves = 1e-5 * np.eye(len(at))
    columns = [
        (member(letters, at + move, d) - member(letters, at - move, d)).ravel() / 2e-5
        for move in moves
    ]
    rank = int(np.linalg.matrix_rank(np.array(columns), tol=1e-6))
    assert families.n_parameters(name, K, d) == (K - 1) + K * d + rank


def test_names():
    assert families.names(1) == ("E", "V")
    assert families.names() == families.names(np.int64(7)) == MCLUST_TYPES


ROUND = np.eye(2)[np.newaxis]
REFUSED = [
    (lambda: families.names(0), ValueError, r"d is 0\. Pass at least 1"),
    (lambda: families.names(2.0), TypeError, r"d must be a whole number, not 2\.0"),
    (lambda: families.n_parameters("EEE", True, 2), TypeError, "K must be a whole number"),
    (lambda: families.n_parameters("EXE", 2, 2), ValueError, "'EXE'.*Choose one of 'full'"),
    (lambda: families.n_parameters("V", 2, 2), ValueError, "'V' is for data with one column"),
    (lambda: families.decompose([[1, 2, 3]]), ValueError, r"shape \(1, 3\)\. Pass one square"),
    (lambda: families.decompose([[1, 2], [2, 1]]), ValueError, "not positive definite"),
    (lambda: families.misfit([1], ROUND, np.eye(3)), ValueError, r"members \(1, 3, 3\)"),
    (lambda: families.misfit([1, 1], ROUND, ROUND), ValueError, r"counts have shape \(2,\)"),
    (
        lambda: families.m_step_covariances("EEE", [0], ROUND),
        ValueError,
        r"counts are \[0\.0\]\. Each must be above 0",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
