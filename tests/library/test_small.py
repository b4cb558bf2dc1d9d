"""Small data in compiled calls: the same as step by step, to the last digits."""

import numpy as np
import pytest

from gmmlib import GaussianMixture, Mixture, datasets
from gmmlib.engine import Blocks, Compiled, Engine, Matrices, Parameters, using
from gmmlib.fitting import converge, heats, moves, race, starting_points
from gmmlib.fitting.fixed_point import Run
from gmmlib.initialization import clusters
from gmmlib.models import COVARIANCE_TYPES, FAMILIES, family_of
from roads import COMPILED
from strategies import random_mixture

pytestmark = pytest.mark.skipif(not COMPILED, reason="Numba is not installed")

SIZES = [(272, 2, 3), (40, 1, 2), (150, 4, 3), (300, 5, 2), (2500, 2, 4)]  # n, d, K


def data(n, d, K, seed=0, weighted=False):
    rng = np.random.default_rng([seed, n, d])
    X, _ = random_mixture(rng, K, d).sample(n, rng)
    return Blocks.of(X, rng.integers(1, 4, n).astype(float) if weighted else None)


def starts(blocks, kind, K, n_starts=6):
    rows, w = blocks.picked(10**6, np.random.default_rng(0))
    x = blocks.frame.rows(rows)
    covariance = blocks.variances if family_of(kind).diagonal else blocks.covariance
    return starting_points(x, w, covariance, K, n_starts, np.random.default_rng(1)), x, w


def both_ways(function, monkeypatch):
    """What it gives in compiled calls, and step by step."""
    found = [function()]
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "small_for", lambda self, p: None)
        found.append(function())
    return found


def assert_same(one, other, rtol=1e-9):
    for name in ("weights", "means", "covariances", "W", "log_c"):
        a, b = np.broadcast_arrays(getattr(one, name), getattr(other, name))
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol, err_msg=name)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("accelerate", [False, True])
@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize(("n", "d", "K"), SIZES)
def test_a_run_is_the_same(n, d, K, kind, accelerate, weighted, monkeypatch):
    blocks = data(n, d, K, weighted=weighted)
    with Engine(blocks, kind) as machine:
        p = machine.projected(starts(blocks, kind, K, 1)[0])
        assert machine.small_for(p) is not None
        about = (p, 1e-7, 40, accelerate)
        one, other = both_ways(lambda: converge(machine, *about), monkeypatch)
    assert isinstance(one, Run)
    np.testing.assert_allclose(one.log_likelihoods, other.log_likelihoods, rtol=1e-11)
    assert (one.n_iter, one.converged) == (other.n_iter, other.converged)
    assert one.distance == pytest.approx(other.distance, rel=1e-2, abs=1e-9)
    assert_same(one.parameters, other.parameters, 1e-7)


@pytest.mark.parametrize("max_iter", [0, 1, 2, 5])
def test_a_run_that_is_cut_off_is_the_same(max_iter, monkeypatch):
    blocks = data(272, 2, 3)
    seen = []
    with Engine(blocks, "full") as machine:
        p = starts(blocks, "full", 3, 1)[0]

        def run():
            seen.append([])
            return converge(machine, p, 1e-7, max_iter, report=lambda *what: seen[-1].append(what))

        one, other = both_ways(run, monkeypatch)
    assert one.n_iter == other.n_iter == max_iter
    assert not one.converged
    assert len(one.log_likelihoods) == len(other.log_likelihoods)
    np.testing.assert_allclose(seen[0], seen[1], rtol=1e-6)
    assert_same(one.parameters, other.parameters)


def test_a_run_that_collapses_is_the_same(monkeypatch):
    blocks = Blocks.of(np.array([[-2.0], [0.0], [1.0], [7.0], [3.0]]))
    narrow = Mixture.univariate([0.5, 0.5], [0.0, 7.0], [4.0, 0.05])
    with Engine(blocks, "full") as machine:
        p = Parameters.of([narrow], "full", blocks.frame)
        one, other = both_ways(lambda: converge(machine, p, 1e-6, 100), monkeypatch)
        assert one.n_iter == other.n_iter
        assert one.collapsed is not None
        collapsed = machine.collapsed(one.collapsed)
        np.testing.assert_array_equal(collapsed, machine.collapsed(other.collapsed))
        assert machine.why_collapsed(one.collapsed) == machine.why_collapsed(other.collapsed)
    assert_same(one.parameters, other.parameters)


def test_a_mean_that_moves_far_cancels_nothing(monkeypatch):
    """The first step leads ten thousand standard deviations away: its sums are taken once more."""
    X = np.random.default_rng(0).normal(size=(200, 2)) * [1.0, 1e-4] + [0, 3.0]
    blocks = Blocks.of(X)
    with Engine(blocks, "full") as machine:
        away = blocks.frame.rows(np.array([[[0.0, 2.0]]]))
        p = machine.factored(np.ones((1, 1)), away, np.eye(2)[np.newaxis, np.newaxis] * 100)
        one, other = both_ways(lambda: converge(machine, p, 1e-7, 1), monkeypatch)
        exact = machine.of_all()
    assert_same(one.parameters, other.parameters, 1e-12)
    assert_same(one.parameters, exact, 1e-12)


def test_an_observation_that_is_too_far_is_said():
    X = np.r_[np.zeros((50, 1)), np.ones((50, 1)), [[1e149]]]
    with Engine(Blocks.of(X), "full", reg_covar=1.0) as machine:
        near = machine.blocks.frame.rows(np.array([[[0.0], [1.0]]]))
        p = machine.factored(np.full((1, 2), 0.5), near, np.full((1, 2, 1, 1), 1e-307))
        for function in (
            lambda: converge(machine, p, 1e-7, 5),
            lambda: race(machine, p),
            lambda: moves._after(machine, p),
            lambda: moves._summits(machine, p, 2, 1e-6),
        ):
            with pytest.raises(ValueError, match="so far from every mean"):
                function()


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize(("n", "d", "K"), SIZES[:4])
def test_a_race_is_the_same(n, d, K, kind, monkeypatch):
    blocks = data(n, d, K, weighted=True)
    with Engine(blocks, kind) as machine:
        p = machine.projected(starts(blocks, kind, K, 12)[0])
        (one, found), (other, wanted) = both_ways(
            lambda: heats._raced(machine, p, None), monkeypatch
        )
    np.testing.assert_allclose(found, wanted, rtol=1e-11)
    assert_same(one, other, 1e-7)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize(("n", "d", "K"), SIZES[:4])
def test_the_parts_of_a_move_are_the_same(n, d, K, kind, weighted, monkeypatch):
    blocks = data(n, d, K, weighted=weighted)
    start = starts(blocks, kind, K, 5)[0]
    rows, w = blocks.picked(10**6, np.random.default_rng(0))
    blocks = Blocks.of(rows, w if weighted else None)
    x = blocks.frame.rows(rows)
    with Engine(blocks, kind) as machine:
        p = machine.projected(start)
        best = moves._summits(machine, p, 1, 1e-6)[0].parameters
        pooled = np.einsum("k,k...->...", best.weights[0], best.covariances[0])
        places = moves._Places.of(x, w, pooled, np.random.default_rng(2))
        for part in (
            lambda: moves._grown(machine, x, w, places, best, 24),
            lambda: moves._without_one(
                machine, x, w, moves._grown(machine, x, w, places, best, 6), 12
            ),
            lambda: moves._after(machine, p),
            lambda: moves._summits(machine, p, 2, 1e-6)[0].parameters,
        ):
            one, other = both_ways(part, monkeypatch)
            assert len(one.weights) == len(other.weights)
            assert_same(one, other, 1e-5)


def test_behind_a_spike_every_start_is_followed_and_the_highest_summit_kept(calls):
    """Eight eruptions on a line come first, then a lower summit, then the highest."""
    X = datasets.old_faithful()
    blocks = Blocks.of(X)
    needle = [[0.0388, 1.16], [1.16, 34.85]]
    clouds = [[0.07, 0.44], [0.44, 33.7]], [[0.17, 0.94], [0.94, 36]]
    means = [[4.734, 80.0], [2.04, 54.5], [4.29, 80.0]]
    lucky = Mixture([0.03, 0.35, 0.62], means, [needle, *clouds])
    p = starts(blocks, "full", 3, 12)[0]
    with Engine(blocks, "full") as machine:
        p = p.widened(3)
        height = [converge(machine, p.runs([r]), 1e-6, 500).log_likelihoods[-1] for r in range(12)]
        low, high = int(np.argmin(height)), int(np.argmax(height))
        assert height[high] - height[low] > 1
        spike = Parameters.of([lucky], "full", blocks.frame)
        both = Parameters.joined([spike, p.runs([low, high])])
        found = moves._summits(machine, both, 1, 1e-6)
        without = moves._summits(machine, p.runs([low, high]), 1, 1e-6)
    assert [s.log_likelihood for s in found] == pytest.approx([height[high]], abs=1e-3)
    assert [s.log_likelihood for s in without] == pytest.approx([height[low]], abs=1e-3)


def test_the_nearest_are_the_same():
    z = np.random.default_rng(0).normal(size=(150, 3))
    at = np.arange(0, 150, 7)
    rows, radius = heats.SHORT.nearest(z, at, 20)
    others, wanted = moves._nearest(z, at, 20)
    np.testing.assert_array_equal(np.sort(rows), np.sort(others))
    np.testing.assert_allclose(radius, wanted, rtol=1e-12)


@pytest.mark.parametrize("narrow", [1e-3, 3e-5, 1e-7])
@pytest.mark.parametrize("weight", [0.01, 0.05, 0.11, 0.15, 0.3])
@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_what_is_a_spike_is_the_same(d, kind, weight, narrow):
    """``heats.is_spike`` looks at few, the compiled rule at one after another: both as the rule."""
    rng = np.random.default_rng(d)
    X = rng.normal(size=(300, d))
    Q, _ = np.linalg.qr(rng.normal(size=(d, d)))
    needle = Q @ np.diag([narrow, *np.ones(d - 1)]) @ Q.T
    needle = (needle + needle.T) / 2
    if family_of(kind).diagonal:
        needle = np.diag([narrow, *np.full(d - 1, narrow if kind == "spherical" else 1.0)])
    mixture = Mixture([weight, 1 - weight], rng.normal(size=(2, d)), [needle, np.eye(d)])
    blocks = Blocks.of(X)
    with Engine(blocks, kind) as machine:
        p = machine.projected(Parameters.of([mixture], kind, blocks.frame))
        expected = heats.is_spike(machine, p)
        small = machine.small_for(p)
        total = blocks.total_weight
        assert (
            heats.SHORT.is_spike(small.kind, small.first(p), total, heats.SPIKE) == expected.any()
        )
        if kind != "tied":
            counts = p.weights * total
            rule = heats.judged(p.weights, p.covariances, p.W, counts)[2]
            np.testing.assert_array_equal(expected, rule)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize(("spread_out", "rounds"), [(True, 0), (True, 20), (False, 3)])
def test_the_starts_are_the_same_without_loops(spread_out, rounds, diagonal, own, monkeypatch):
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(200, 3)), rng.integers(1, 4, 200).astype(float)
    covariance = x.var(axis=0) if diagonal else np.cov(x.T)
    about = (x, w, covariance, 4, 8)
    options = {"spread_out": spread_out, "rounds": rounds, "own": own}
    one = starting_points(*about, np.random.default_rng(0), **options)
    monkeypatch.setattr(clusters, "LOOPS", None)
    other = starting_points(*about, np.random.default_rng(0), **options)
    assert_same(one, other, 1e-12)


def test_the_starts_of_equal_rows_are_no_empty_clusters():
    """More components than places: every observation keeps itself."""
    x = np.repeat([[0.0, 0.0], [1.0, 1.0]], 4, axis=0)
    p = starting_points(x, np.ones(8), np.eye(2), 5, 3, np.random.default_rng(0))
    assert (p.weights > 0).all()
    assert np.isfinite(p.means).all()


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({}, True),
        ({"kind": "VVE"}, False),
        ({"kind": "E", "d": 1}, True),
        ({"n": 60_000}, False),
        ({"backend": "matrices"}, False),
        ({"function": True}, True),
    ],
)
def test_what_runs_in_compiled_calls(what, expected):
    n, d, kind = what.get("n", 100), what.get("d", 2), what.get("kind", "full")
    X = np.random.default_rng(0).normal(size=(n, d))
    source = (lambda: iter([X])) if "function" in what else X
    with using(Matrices() if "backend" in what else Compiled()):
        blocks = Blocks.of(source)
        with Engine(blocks, FAMILIES[kind]) as machine:
            p = machine.projected(starts(blocks, kind, 3, 1)[0])
            assert (machine.small_for(p) is not None) == expected


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("reg_covar", [None, 0.3])
def test_one_component_is_in_closed_form(kind, reg_covar):
    X = datasets.old_faithful()
    options = {"covariance_type": kind, "reg_covar": reg_covar}
    exact = GaussianMixture(1, **options).fit(X)
    steps = GaussianMixture(1, means_init=X[:1] + 0.1, **options).fit(X)
    assert exact.n_iter_ == 1
    assert exact.converged_
    np.testing.assert_allclose(exact.means_, steps.means_, rtol=1e-12)
    np.testing.assert_allclose(exact.covariances_, steps.covariances_, rtol=1e-10)
    assert exact.lower_bound_ == pytest.approx(steps.lower_bound_, rel=1e-13)
