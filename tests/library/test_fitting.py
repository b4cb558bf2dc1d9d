"""Where the runs start, which go on, which are left, and how the best one ends."""

import subprocess
import sys

import numpy as np
import pytest

from gmmlib import GaussianMixture, Mixture, datasets, fit, spikes
from gmmlib.engine import Blocks, Engine, Parameters
from gmmlib.fitting import (
    converge,
    distance,
    fixed_point,
    heats,
    is_spike,
    moves,
    race,
    starting_points,
)
from gmmlib.models import COVARIANCE_TYPES
from roads import of_type
from strategies import random_mixture

RNG = np.random.default_rng(0)
FAITHFUL = datasets.old_faithful()


def starts(x, n_components, n_starts=20, seed=0, w=None, diagonal=False, **options):
    w = np.ones(len(x)) if w is None else w
    covariance = np.cov(x.T, aweights=w, bias=True).reshape(x.shape[1], x.shape[1])
    if diagonal:
        covariance = np.diag(covariance).copy()
    rng = np.random.default_rng(seed)
    return starting_points(x, w, covariance, n_components, n_starts, rng, **options), covariance


def single(mixture, data, covariance_type="full"):
    return Parameters.of([mixture], covariance_type, data.frame)


# --- starts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("spread_out", [True, False])
@pytest.mark.parametrize("diagonal", [True, False])
def test_a_start_is_a_partition_with_what_is_left_of_the_covariance(diagonal, spread_out):
    x = RNG.normal(size=(60, 2)) + RNG.integers(0, 3, size=(60, 1)) * 6
    w = RNG.uniform(0.5, 2, size=60)
    p, total = starts(x, 4, w=w, diagonal=diagonal, spread_out=spread_out)
    assert p.diagonal == diagonal
    np.testing.assert_allclose(p.weights.sum(axis=1), 1)
    assert (p.weights > 0).all()
    assert np.isfinite(p.log_c).all()
    centre = np.average(x, axis=0, weights=w)
    for r in range(20):
        np.testing.assert_allclose(p.weights[r] @ p.means[r], centre)
        away = p.means[r] - centre
        between = (p.weights[r] * away.T) @ away
        if diagonal:
            between = np.diag(between)
        for Sigma in p.covariances[r]:
            np.testing.assert_allclose(Sigma + between, 1.01 * total)


def test_spread_out_centres_find_clusters_that_are_far_apart():
    x = RNG.normal(size=(300, 2)) + np.repeat([[0, 0], [100, 0], [0, 100]], 100, axis=0)
    for spread_out, least, most in ((True, 30, 30), (False, 1, 25)):
        p, _ = starts(x, 3, n_starts=30, spread_out=spread_out)
        found = sum(np.allclose(sorted(weights), 1 / 3, atol=0.01) for weights in p.weights)
        assert least <= found <= most


def test_starts_of_another_seed_are_others():
    x = RNG.normal(size=(200, 2))
    one, same, other = (starts(x, 3, seed=seed)[0].means for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("spread_out", [True, False])
def test_no_cluster_is_empty_where_points_differ_by_less_than_rounding(spread_out):
    x = 3 + 1e-9 * np.arange(5.0)[:, np.newaxis]
    rng = np.random.default_rng(1)
    p = starting_points(x, np.ones(5), np.eye(1), 5, 10, rng, spread_out=spread_out)
    assert (np.sort(p.means[:, :, 0], axis=1) == x[:, 0]).all()


def test_labels_from_elsewhere():
    x = np.arange(6.0)[:, np.newaxis]
    p, _ = starts(x, 2, n_starts=2, labels=lambda r: np.array([0, 0, 0, 1, 1, 1]) ^ r)
    assert p.means[:, :, 0].tolist() == [[1, 4], [4, 1]]


def test_labels_that_leave_a_cluster_empty_are_not_taken():
    x = np.arange(6.0)[:, np.newaxis]
    p, _ = starts(x, 2, n_starts=2, labels=lambda _: np.zeros(6, dtype=np.intp))
    assert (p.weights > 0).all()


@pytest.mark.parametrize("diagonal", [True, False])
def test_rounds_of_k_means_lead_nearer_to_the_means(diagonal):
    x = RNG.normal(size=(300, 2)) + RNG.integers(0, 3, size=(300, 1), dtype=np.intp) * 4
    w = RNG.uniform(0.5, 2, size=300)
    unit = np.sqrt(np.cov(x.T, aweights=w, bias=True).diagonal())

    def cost(rounds):
        p, _ = starts(x, 4, w=w, diagonal=diagonal, rounds=rounds, n_starts=5)
        away = (x - p.means[:, :, np.newaxis]) / unit
        return (away**2).sum(axis=3).min(axis=1) @ w

    assert (cost(3) < cost(0)).all()
    assert (cost(50) <= cost(3)).all()
    np.testing.assert_array_equal(cost(50), cost(60))  # nothing moves any more


@pytest.mark.parametrize("diagonal", [True, False])
def test_each_cluster_may_have_the_covariance_of_its_own_points(diagonal):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 2))
    x[:200] *= 0.01
    x[200:, 0] += 50
    own, _ = starts(x, 2, diagonal=diagonal, n_starts=3, own=True)
    shared, _ = starts(x, 2, diagonal=diagonal, n_starts=3)
    for p, ratio in ((own, 1e-1), (shared, 1)):
        first = p.covariances if diagonal else p.covariances.diagonal(axis1=2, axis2=3)
        assert first[:, :, 1].min() <= ratio * first[:, :, 1].max()
        assert (first[:, :, 1].min() < 0.1) == (p is own)


# --- the race -------------------------------------------------------------------------------------


def test_the_best_come_back_first(road):
    data = Blocks.of(FAITHFUL)
    x = (FAITHFUL - data.centre) / data.scale
    p, _ = starts(x, 3, n_starts=12)
    with Engine(data, "full") as machine:
        best = race(machine, p)
        _, after = machine.em_step(best)
        _, before = machine.em_step(p)
        spikes = is_spike(machine, best).any(axis=1)
    assert len(best.weights) <= 12
    assert (np.diff(spikes.astype(int)) >= 0).all()  # they come last
    sound = after[~spikes]
    assert sound[0] > before.max()
    assert sound[:2].min() >= sound[3:].max()  # those that ran to the end come first


def test_runs_that_collapse_drop_out_of_the_race(road):
    """Twelve points; some starts have a component on one of them."""
    x = np.random.default_rng(7).normal(size=(12, 1))
    data = Blocks.of(x)
    narrow = Mixture.univariate([0.5, 0.5], [0.0, x[3, 0]], [1.0, 1e-9])
    wide = Mixture.univariate([0.5, 0.5], [-0.5, 0.5], [1.0, 2.0])
    with Engine(data, "full") as machine:
        both = Parameters.of([narrow, wide], "full", data.frame)
        assert len(race(machine, both).weights) == 1
        assert len(race(machine, both.runs([0])).weights) == 0


def spike_and_sound():
    """A mixture with a needle on three points nearly on a line, and one without."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(150, 2))
    X[:3] = [[0, 0], [1, 1.0 + 1e-4], [2, 2.0]]
    needle = np.cov(X[:3].T, bias=True) + 1e-10 * np.eye(2)
    everything = np.cov(X.T, bias=True)
    spike = Mixture([0.02, 0.98], [X[:3].mean(axis=0), X.mean(axis=0)], [needle, everything])
    sound = Mixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], [np.eye(2)] * 2)
    return X, spike, sound


def test_a_needle_on_few_points_is_a_spike():
    X, spike, sound = spike_and_sound()
    data = Blocks.of(X)
    with Engine(data, "full") as machine:
        both = Parameters.of([sound, spike], "full", data.frame)
        assert is_spike(machine, both).tolist() == [[False, False], [True, False]]
        in_front = race(machine, both.runs([1, 0]))
        assert not is_spike(machine, in_front.runs([0])).any()
    many = Blocks.of(np.repeat(X, 10, axis=0))  # a needle of thirty points is no chance
    with Engine(many, "full") as machine:
        both = Parameters.of([sound, spike], "full", many.frame)
        assert not is_spike(machine, both).any()


@pytest.mark.parametrize("covariance_type", ["diag", "spherical"])
def test_spikes_of_variances_alone(covariance_type):
    X = np.random.default_rng(9).normal(size=(100, 2))
    data = Blocks.of(X)
    for variance, spike in ((1e-2, False), (1e-5, True)):
        mixture = Mixture([0.05, 0.95], np.zeros((2, 2)), [variance * np.eye(2), np.eye(2)])
        with Engine(data, covariance_type) as machine:
            found = is_spike(machine, single(mixture, data, covariance_type))
        assert found.tolist() == [[spike, False]]


def test_units_do_not_make_a_spike():
    X, spike, sound = spike_and_sound()
    unit = np.array([1e6, 1e-3])
    data = Blocks.of(X * unit)
    with Engine(data, "full") as machine:
        for mixture, wanted in ((spike, [[True, False]]), (sound, [[False, False]])):
            scaled = Mixture(
                mixture.weights, mixture.means * unit, mixture.covariances * np.outer(unit, unit)
            )
            assert is_spike(machine, single(scaled, data)).tolist() == wanted


def test_a_search_that_nobody_guards_ends_in_a_spike(road, monkeypatch):
    """The needle is the higher maximum; the default leaves it, and finds the sound one."""
    rng = np.random.default_rng(10)
    X = np.r_[rng.normal(size=(60, 2)), rng.normal(size=(60, 2), loc=[6, 0])]
    t = np.arange(6.0)[:, np.newaxis]
    X = np.r_[X, [3, 4] + t * [0.5, 0.3] + 1e-4 * rng.normal(size=(6, 2))]

    def needles(model):
        return np.linalg.eigvalsh(model.covariances_)[:, 0].min()

    guarded = GaussianMixture(3, random_state=0).fit(X)
    assert needles(guarded) > 1e-2
    for module, name, none in ((spikes, "NARROW", 0.0), (heats, "NARROW", 1e-300)):
        monkeypatch.setattr(module, name, none)
    for module in (heats, moves):
        monkeypatch.setattr(module, "SPIKE", (spikes.FEW, 0.0, spikes.WIDE))
    free = GaussianMixture(3, random_state=0).fit(X)
    assert needles(free) < 1e-6
    assert free.lower_bound_ > guarded.lower_bound_


# --- to the fixed point ---------------------------------------------------------------------------


def problem(seed, covariance_type="full"):
    rng = np.random.default_rng(seed)
    X, _ = random_mixture(rng, 3, 2).sample(300, rng)
    data = Blocks.of(X)
    x = (X - data.centre) / data.scale
    p, _ = starts(x, 3, n_starts=1, seed=seed, diagonal=covariance_type in ("diag", "spherical"))
    return X, data, p


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_fixed_point_of_em_in_fewer_passes(road, covariance_type):
    _, data, p = problem(3, covariance_type)
    with Engine(data, covariance_type) as machine:
        p = machine.projected(p)
        fast = converge(machine, p, tol=1e-9, max_iter=3000)
        slow = converge(machine, p, tol=1e-9, max_iter=30_000, accelerate=False)
        assert fast.converged
        assert slow.converged
        assert fast.n_iter < slow.n_iter
        if abs(fast.log_likelihoods[-1] - slow.log_likelihoods[-1]) < 1e-6:
            assert distance(fast.parameters, slow.parameters) < 1e-5
        after, _ = machine.em_step(fast.parameters)
        assert distance(fast.parameters, after) < 1e-8
        for run in (fast, slow):
            assert np.diff(run.log_likelihoods).min() > -1e-11
            _, last = machine.em_step(run.parameters)
            assert last[0] == pytest.approx(run.log_likelihoods[-1], rel=1e-14)


def test_the_same_fixed_point_as_the_book(road):
    start = Mixture(
        [0.4, 0.6], [[2.0, 55.0], [4.2, 80.0]], [np.diag([0.3, 40.0]), np.diag([0.3, 40.0])]
    )
    data = Blocks.of(FAITHFUL)
    with Engine(data, "full") as machine:
        run = converge(machine, single(start, data), tol=1e-10, max_iter=500)
    book = fit(FAITHFUL, start, tol=None, max_iter=200)
    assert run.log_likelihoods[-1] == pytest.approx(book.log_likelihood, rel=1e-14)
    found = run.parameters.mixture(0, data.frame)
    np.testing.assert_allclose(found.means, book.mixture.means, rtol=1e-9)
    np.testing.assert_allclose(found.covariances, book.mixture.covariances, rtol=1e-8)


def test_the_estimate_of_the_distance_is_about_right(road):
    _, data, p = problem(5)
    with Engine(data, "full") as machine:
        there = converge(machine, p, tol=1e-11, max_iter=5000)
        assert there.converged
        for tol in (1e-3, 1e-5, 1e-7):
            run = converge(machine, p, tol=tol, max_iter=5000)
            assert run.converged
            assert run.distance <= tol
            assert distance(there.parameters, run.parameters) < 5 * tol


@pytest.mark.parametrize("max_iter", [1, 2, 3, 7])
def test_a_run_ends_when_its_passes_are_used_up(road, max_iter):
    _, data, p = problem(6)
    with Engine(data, "full") as machine:
        run = converge(machine, p, tol=0.0, max_iter=max_iter)
        assert run.n_iter == max_iter
        assert not run.converged
        _, last = machine.em_step(run.parameters)
        assert last[0] == pytest.approx(run.log_likelihoods[-1], rel=1e-14)


def test_a_run_reports_its_steps(road):
    _, data, p = problem(6)
    seen = []
    with Engine(data, "full") as machine:
        run = converge(machine, p, 0.0, 9, report=lambda *what: seen.append(what))
    assert [log_likelihood for _, log_likelihood, _ in seen] == run.log_likelihoods
    assert seen[0][0] == 0
    assert seen[0][2] == np.inf
    assert 0 < seen[-1][2] < np.inf


def worse(p):
    """A jump to where the likelihood is lower."""
    return Parameters.factored(p.weights, p.means[:, ::-1] + 3, p.covariances)


@pytest.mark.parametrize("max_iter", [2, 3, 12])
def test_a_jump_downhill_is_not_kept(road, step_by_step, monkeypatch, max_iter):
    _, data, p = problem(7)
    monkeypatch.setattr(fixed_point._Memory, "fixed_point", lambda self: worse(p))
    with Engine(data, "full") as machine:
        run = converge(machine, p, tol=0.0, max_iter=max_iter)
        assert run.n_iter == max_iter
        # every second one was a jump; the last never is
        assert len(run.log_likelihoods) == (max_iter + 3) // 2
        assert np.diff(run.log_likelihoods).min(initial=0) >= 0
        _, last = machine.em_step(run.parameters)
        assert last[0] == pytest.approx(run.log_likelihoods[-1], rel=1e-14)


def test_a_jump_to_what_is_no_mixture_is_not_taken(road, step_by_step, monkeypatch):
    _, data, p = problem(7)
    flat = Parameters.factored(p.weights, p.means, -p.covariances)
    monkeypatch.setattr(fixed_point._Memory, "fixed_point", lambda self: flat)
    with Engine(data, "full") as machine:
        run = converge(machine, p, tol=0.0, max_iter=6)
    assert len(run.log_likelihoods) == 7


def test_a_run_that_collapses_says_so(road):
    data = Blocks.of(np.array([[-2.0], [0.0], [1.0], [7.0], [3.0]]))
    narrow = Mixture.univariate([0.5, 0.5], [0.0, 7.0], [4.0, 0.05])
    with Engine(data, "full") as machine:
        run = converge(machine, single(narrow, data), tol=1e-6, max_iter=100)
        assert run.collapsed is not None
        assert not run.converged
        assert machine.collapsed(run.collapsed).any()
        assert np.isfinite(run.parameters.log_c).all()


def test_nothing_is_concluded_from_steps_that_are_all_the_same():
    _, _, p = problem(8)
    memory = fixed_point._Memory(p)
    assert memory.fixed_point() is None
    for _ in range(3):
        memory.add(p, p)
    found = memory.fixed_point()
    assert found is None or np.allclose(found.means, p.means)


def test_a_jump_to_a_negative_weight_is_no_mixture():
    one = Mixture.univariate([0.5, 0.5], [0.0, 1.0], [1.0, 1.0])
    two = Mixture.univariate([0.3, 0.7], [0.0, 1.0], [1.0, 1.0])
    three = Mixture.univariate([0.11, 0.89], [0.0, 1.0], [1.0, 1.0])
    p, q, r = (Parameters.of([m], "full") for m in (one, two, three))
    memory = fixed_point._Memory(p)
    memory.add(p, q)
    memory.add(q, r)
    assert memory.fixed_point() is None


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_the_distance_is_in_units_of_each_component(covariance_type):
    rng = np.random.default_rng(11)
    a = of_type(random_mixture(rng, 2, 3), covariance_type)
    b = of_type(random_mixture(rng, 2, 3), covariance_type)
    total = 0.0
    for j in range(2):
        precision = np.linalg.inv(a.covariances[j])
        dm, dS = b.means[j] - a.means[j], b.covariances[j] - a.covariances[j]
        total += ((b.weights[j] - a.weights[j]) / a.weights[j]) ** 2
        total += dm @ precision @ dm + np.trace(precision @ dS @ precision @ dS) / 2
    p, q = (Parameters.of([m], covariance_type) for m in (a, b))
    assert distance(p, q) == pytest.approx(np.sqrt(total))
    assert distance(p, p) == 0


WITHOUT_SCIKIT_LEARN = """
import sys
sys.modules["sklearn"] = None
from gmmlib import datasets
from gmmlib.engine import Blocks
from gmmlib.fitting import best_fit
import numpy as np
X = datasets.old_faithful()
found = best_fit(Blocks.of(X), 2, rng=np.random.default_rng(0))
print(found.run.converged, f"{found.mixture.log_likelihood(X):.3f}")
"""


def test_the_whole_way_without_scikit_learn():
    command = [sys.executable, "-c", WITHOUT_SCIKIT_LEARN]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout.split() == ["True", "-1130.264"], ended.stderr


def test_equal_weights_have_an_order_that_rounding_does_not_change():
    """Two clusters of as many points: the one with the lower mean comes first, either way round."""
    rng = np.random.default_rng(5)
    X = np.r_[rng.normal(size=(50, 1)) + 9, rng.normal(size=(50, 1)) - 9]
    for rows in (X, X[::-1], X[rng.permutation(100)]):
        for seed in range(3):
            model = GaussianMixture(2, random_state=seed).fit(rows)
            assert model.means_[0, 0] < 0 < model.means_[1, 0]
