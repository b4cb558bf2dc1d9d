"""Modes: steps against least squares, and modes against the density on a grid."""

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose

from gmmlib import Mixture
from gmmlib.modes import basins, mode_step, modes
from strategies import problems


def triangle(radius):
    """Three round Gaussians of variance 1, at the corners of a triangle with equal sides."""
    angles = np.arange(3) * 2 * np.pi / 3
    means = radius * np.c_[np.cos(angles), np.sin(angles)]
    return Mixture(np.ones(3) / 3, means, [np.eye(2)] * 3)


def line(means, weights=None, variances=None):
    K = len(means)
    alpha = np.ones(K) / K if weights is None else weights
    return Mixture.univariate(alpha, means, np.ones(K) if variances is None else variances)


THREE_OF_TWO = Mixture([0.5, 0.5], [[0, 0], [1, 1]], [np.diag([1, 0.05]), np.diag([0.05, 1])])
CROSS = Mixture([0.5, 0.5], [[0, 0], [0, 0]], [np.diag([1, 0.1]), np.diag([0.1, 1])])

COUNTS = {
    "one Gaussian": (Mixture([1.0], [[2.0, 3.0]], [np.eye(2)]), 1),
    "two that are the same": (line([1, 1]), 1),
    "the border: a gap of two standard deviations": (line([0, 2]), 1),
    "a little less": (line([0, 1.9999]), 1),
    "a little more": (line([0, 2.0001]), 2),
    "a weight of 0": (line([0, 9], weights=[1, 0]), 1),
    "a mean in the valley between two hills": (
        line([-2.5, 0, 2.5], weights=[0.49, 0.02, 0.49]),
        2,
    ),
    "a cross": (CROSS, 1),
    "three modes of two components": (THREE_OF_TWO, 3),
    "a near triangle": (triangle(1.3), 1),
    "four modes of three round components": (triangle(1.37), 4),
    "a wide triangle": (triangle(1.45), 3),
}


@given(problems())
def test_a_step_goes_to_the_weighted_least_squares_solution(problem):
    X, mixture, _ = problem
    joint = np.exp(mixture.log_joint(X) - mixture.log_density(X)[:, np.newaxis])
    for x, beta, to in zip(X, joint, mode_step(X, mixture), strict=True):
        roots = [np.linalg.inv(np.linalg.cholesky(S)) for S in mixture.covariances]
        A = np.concatenate([np.sqrt(b) * R for b, R in zip(beta, roots, strict=True)])
        rows = zip(beta, roots, mixture.means, strict=True)
        b = np.concatenate([np.sqrt(b) * R @ mu for b, R, mu in rows])
        expected = np.linalg.lstsq(A, b, rcond=None)[0]
        assert_allclose(to, expected, rtol=1e-6, atol=1e-6 * (1 + np.abs(x).max()))


@given(problems())
def test_no_step_goes_down(problem):
    X, mixture, _ = problem
    before = mixture.log_density(X)
    after = mixture.log_density(mode_step(X, mixture))
    assert (after >= before - 1e-9 * (1 + np.abs(before))).all()


@pytest.mark.parametrize(("mixture", "count"), COUNTS.values(), ids=COUNTS)
def test_counts_that_are_known(mixture, count):
    assert len(modes(mixture)) == count


@pytest.mark.parametrize("seed", range(12))
def test_on_the_line_against_a_fine_grid(seed):
    rng = np.random.default_rng(seed)
    K = int(rng.integers(2, 6))
    variances = rng.uniform(0.2, 2, size=K)
    mixture = line(rng.uniform(0, 9, size=K), rng.dirichlet(np.full(K, 3.0)), variances)
    grid = np.linspace(-6, 15, 42001)
    p = np.exp(mixture.log_density(grid))
    tops = grid[1:-1][(p[1:-1] > p[:-2]) & (p[1:-1] >= p[2:])]
    assert_allclose(np.sort(modes(mixture).locations.ravel()), tops, atol=6e-4)


@pytest.mark.parametrize("seed", range(12))
def test_basins_on_the_line_end_at_the_lowest_places(seed):
    """For equal variances a step grows with the place, so that no step crosses a valley."""
    rng = np.random.default_rng(seed)
    K = int(rng.integers(2, 6))
    mixture = line(rng.uniform(0, 9, size=K), rng.dirichlet(np.full(K, 3.0)), np.full(K, 0.4))
    grid = np.linspace(-6, 15, 42001)
    p = np.exp(mixture.log_density(grid))
    tops = grid[1:-1][(p[1:-1] > p[:-2]) & (p[1:-1] >= p[2:])]
    lows = grid[1:-1][(p[1:-1] < p[:-2]) & (p[1:-1] <= p[2:])]
    x = rng.uniform(-2, 11, size=40)
    x = x[np.abs(x[:, np.newaxis] - lows).min(axis=1, initial=9) > 1e-2]
    labels, found = basins(x, mixture)
    own = tops[np.searchsorted(lows, x)]
    assert_allclose(found.locations[labels].ravel(), own, atol=6e-4)


@pytest.mark.parametrize("mixture", [THREE_OF_TWO, CROSS, triangle(1.37), triangle(1.45)])
def test_in_the_plane_against_a_fine_grid(mixture):
    side = np.arange(-2, 2.0001, 0.01) + 0.0037
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1)
    p = mixture.log_density(grid.reshape(-1, 2)).reshape(len(side), -1)
    middle = p[1:-1, 1:-1]
    around = [
        p[1 + a : len(side) - 1 + a, 1 + b : len(side) - 1 + b]
        for a in (-1, 0, 1)
        for b in (-1, 0, 1)
        if (a, b) != (0, 0)
    ]
    tops = grid[1:-1, 1:-1][(middle > np.max(around, axis=0))]
    found = modes(mixture).locations
    assert len(found) == len(tops)
    for top in tops:
        assert np.abs(found - top).max(axis=1).min() < 0.02


@pytest.mark.parametrize("mixture", [THREE_OF_TWO, triangle(1.37), line([0, 2.5, 9])])
def test_slope_and_bend_at_a_mode_against_differences(mixture):
    found = modes(mixture)
    d, h = mixture.n_features, 1e-4
    steps = h * np.eye(d)
    assert (np.diff(found.log_densities) <= 0).all()
    for x, height, H in zip(found.locations, found.log_densities, found.hessians, strict=True):
        assert height == pytest.approx(mixture.log_density(x[np.newaxis])[0])
        p = [[mixture.log_density((x + s * u)[np.newaxis])[0] for s in (-1, 1)] for u in steps]
        assert np.abs(np.diff(p, axis=1) / (2 * h)).max() < 1e-6
        bend = [
            [
                sum(
                    s * t * mixture.log_density((x + s * u + t * v)[np.newaxis])[0]
                    for s in (-1, 1)
                    for t in (-1, 1)
                )
                / (4 * h**2)
                for v in steps
            ]
            for u in steps
        ]
        assert_allclose(H, bend, rtol=1e-4, atol=1e-4)
        assert np.linalg.eigvalsh(H).max() < 0


def test_further_starts_find_the_same_modes_in_the_same_order():
    means = [[0, 0], *(3 * np.array([np.cos(a), np.sin(a)]) for a in range(6))]
    mixture = Mixture(np.ones(7) / 7, means, [np.eye(2)] + [0.05 * np.eye(2)] * 6)
    alone = modes(mixture)
    more = modes(mixture, starts=np.random.default_rng(1).normal(scale=3, size=(40, 2)))
    assert_allclose(more.locations, alone.locations, atol=1e-6)


def test_basins_of_a_cross_and_of_three_modes():
    labels, found = basins([[3.0, 0.1], [-3.0, 0.0], [0.1, 3.0], [0.0, -3.0]], CROSS)
    assert labels.tolist() == [0, 0, 0, 0]
    assert_allclose(found.locations, [[0, 0]], atol=1e-8)
    labels, found = basins([[-1.0, 0.0], [1.0, 0.0], [1.0, 2.0]], THREE_OF_TWO)
    assert len(found) == 3
    assert labels[1] == 0  # the highest
    assert sorted(labels) == [0, 1, 2]


REFUSED = {
    "no mixture": (lambda: modes([1, 2]), TypeError, "a Mixture is needed"),
    "no mixture for a step": (lambda: mode_step([1.0], None), TypeError, "a Mixture is needed"),
    "no mixture for basins": (lambda: basins([1.0], 3), TypeError, "a Mixture is needed"),
    "two columns for the line": (
        lambda: mode_step([[1.0, 2.0]], line([0, 1])),
        ValueError,
        "1 dimension",
    ),
    "starts of another width": (
        lambda: modes(CROSS, starts=[[1.0, 2.0, 3.0]]),
        ValueError,
        "starts has 3 columns",
    ),
    "NaN": (lambda: basins([np.nan], line([0, 1])), ValueError, "NaN"),
    "too far away": (lambda: mode_step([1e200], line([0, 1])), ValueError, "so far"),
}


@pytest.mark.parametrize(("call", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
