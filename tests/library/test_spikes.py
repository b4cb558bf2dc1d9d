"""The rule for spikes: against directions tried one by one, and against the engine's own road."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import eigh

from gmmlib import Mixture, datasets, e_step, fitting
from gmmlib.engine import Blocks, Engine, Parameters
from gmmlib.spikes import FEW, NARROW, WIDE, judged, spikes
from strategies import random_mixture

FAITHFUL = datasets.old_faithful()


def pooled(mixture):
    return np.tensordot(mixture.weights, mixture.covariances, axes=1)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_smallest_share_is_the_smallest_quotient_of_two_variances(d):
    rng = np.random.default_rng(d)
    mixture = random_mixture(rng, 3, d)
    X, _ = mixture.sample(60, rng)
    found = spikes(mixture, X)
    together = pooled(mixture)
    directions = rng.normal(size=(4000, d))
    for j, Sigma in enumerate(mixture.covariances):
        assert_allclose(found.shares[j], eigh(Sigma, together, eigvals_only=True)[0], rtol=1e-9)
        tried = [(u @ Sigma @ u) / (u @ together @ u) for u in directions]
        assert found.shares[j] <= min(tried) * (1 + 1e-9)
        assert min(tried) < found.shares[j] * (1 + 1e-9 if d == 1 else 2)
    assert_allclose(found.counts, e_step(X, mixture)[0].sum(axis=0))


def shaped(variances, weight, diagonal=False):
    """A component with these shares of a pooled covariance that is close to the identity."""
    d = len(variances)
    small = np.array(variances, dtype=float)
    rest = (np.ones(d) - weight * small) / (1 - weight)
    make = Mixture.diagonal if diagonal else Mixture
    spread = [small, rest] if diagonal else [np.diag(small), np.diag(rest)]
    return make([weight, 1 - weight], np.zeros((2, d)), spread)


CASES = [  # variances, diagonal, needed
    ([1e-5], False, 20),
    ([1e-5, 1e-5], False, 20),  # a speck
    ([1e-5, 1.0], False, 30),  # a needle in the plane
    ([1e-5, 0.9 * WIDE], False, 20),
    ([1e-5, 1.1 * WIDE], False, 30),
    ([1e-5, 1.0, 1.0], False, 40),
    ([1e-5, 1e-5, 1.0], False, 30),
    ([1e-5, 1.0, 1.0], True, 20),  # for variances alone always twenty
]


@pytest.mark.parametrize(("variances", "diagonal", "needed"), CASES)
def test_how_many_observations_a_shape_needs(variances, diagonal, needed):
    mixture = shaped(variances, 0.01, diagonal)
    found = spikes(mixture, np.zeros((1, len(variances))))
    assert found.needed[0] == needed
    for held, expected in ((needed - 0.01, True), (needed, False)):
        counts = np.array([[held, 1000.0]])
        spread = np.array([mixture.covariances])
        W = np.linalg.inv(np.linalg.cholesky(spread))
        if diagonal:
            spread = np.array([mixture.variances_by_column])
            W = 1 / np.sqrt(spread)
        verdicts = judged(mixture.weights[np.newaxis], spread, W, counts)[2]
        assert verdicts.tolist() == [[expected, False]]


@pytest.mark.parametrize(
    ("share", "expected"), [(0.9 * NARROW, True), (1.1 * NARROW, False), (1.0, False)]
)
def test_how_narrow_a_spike_is(share, expected):
    x = np.concatenate([np.zeros(5), np.linspace(-30, 30, 95)])
    found = spikes(shaped([share], 0.05), x)
    assert_allclose(found.shares[0], share)
    assert found.verdicts.tolist() == [expected, False]
    assert found.any() == expected


@pytest.mark.parametrize("diagonal", [False, True])
def test_units_change_nothing(diagonal):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 2))
    mixture = shaped([1e-5, 0.5], 0.02, diagonal)
    unit = np.array([1e6, 1e-3])
    make = Mixture.diagonal if diagonal else Mixture
    spread = mixture.variances_by_column * unit**2
    if not diagonal:
        spread = mixture.covariances * np.outer(unit, unit)
    scaled = make(mixture.weights, mixture.means * unit, spread)
    here, there = spikes(mixture, X), spikes(scaled, X * unit)
    assert_allclose(there.shares, here.shares, rtol=1e-9)
    assert_allclose(there.counts, here.counts, rtol=1e-9)
    assert (there.verdicts == here.verdicts).all()


def eight_in_line():
    """Chapter 11's spike on eight eruptions."""
    means = [[4.734, 80.0], [2.04, 54.5], [4.29, 80.0]]
    needle = [[0.0388, 1.16], [1.16, 34.85]]
    clouds = [[0.07, 0.44], [0.44, 33.7]], [[0.17, 0.94], [0.94, 36]]
    return Mixture([0.03, 0.35, 0.62], means, [needle, *clouds])


def test_the_engine_and_the_mixture_come_to_the_same_verdict():
    blocks = Blocks.of(FAITHFUL)
    with Engine(blocks, "full") as engine:
        start = Parameters.of([eight_in_line()], "full", blocks.frame)
        run = fitting.converge(engine, start, tol=1e-6, max_iter=500)
        by_engine = fitting.is_spike(engine, run.parameters)[0]
        mixture = run.parameters.mixture(0, blocks.frame)
    found = spikes(mixture, FAITHFUL)
    assert found.verdicts.tolist() == by_engine.tolist() == [True, False, False]
    assert_allclose(found.counts, len(FAITHFUL) * mixture.weights, rtol=1e-4)
    assert 1e-10 < found.shares[0] < 1e-5


def test_one_covariance_for_all_makes_no_spike():
    mixture = Mixture.tied([0.01, 0.99], [[0, 0], [5, 5]], 1e-8 * np.eye(2))
    found = spikes(mixture, [[0, 0], [5, 5]])
    assert_allclose(found.shares, 1)
    assert not found.any()


def test_the_table_says_spike_or_narrow():
    few = repr(spikes(shaped([1e-5], 0.05), np.concatenate([np.zeros(5), np.linspace(-30, 30)])))
    many = np.concatenate([np.zeros(500), np.linspace(-30, 30, 500)])
    lines = repr(spikes(shaped([1e-5], 0.5), many)).splitlines()
    assert "spike" in few
    assert lines[0].split() == ["component", "smallest", "share", "observations", "needed",
                                "verdict"]  # fmt: skip
    assert lines[1].split()[-1] == "narrow"
    assert lines[2].split()[-1] == "-"
    assert FEW == 10


@pytest.mark.parametrize(
    ("X", "error", "match"),
    [
        ([[1.0, np.nan]], ValueError, "finite|NaN"),
        ([[1.0, 2.0, 3.0]], ValueError, "column"),
        ("words", TypeError, "words|numbers"),
    ],
)
def test_bad_data_are_refused(X, error, match):
    with pytest.raises(error, match=match):
        spikes(shaped([1e-5, 1.0], 0.05), X)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_no_share_exceeds_one_over_the_weight():
    """Where rounding has left nothing of a direction of L⁻¹."""
    narrow, other = np.diag([1e-26, 1.0]), np.diag([5.0, 1e-26])
    spread = np.array([[narrow, other]])
    W = np.array([[np.diag([1e13, 1.0]), np.diag([0.0, 1e13])]])
    weights = np.array([[1 - 1e-28, 1e-28]])
    shares, _, verdicts = judged(weights, spread, W, np.array([[12.0, 1.0]]))
    assert np.isfinite(shares).all()
    assert verdicts.tolist() == [[False, True]]
