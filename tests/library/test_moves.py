"""A summit that is not the highest: a component goes from where it is idle to where it helps."""

import warnings

import numpy as np
import pytest

from gmmlib import GaussianMixture, Mixture, datasets
from gmmlib.engine import Blocks, Engine, Parameters, passes
from gmmlib.fitting import climbed, heats, is_spike, moves, policy, race, starting_points
from gmmlib.fitting.heats import Anew, races
from gmmlib.fitting.policy import INIT_PARAMS
from gmmlib.models import COVARIANCE_TYPES, family_of

ENOUGH = 6000  # passes


def blobs(seed=1):
    """Three round clusters of unlike sizes, one far from the other two."""
    rng = np.random.default_rng(seed)
    centres = np.repeat([[0.0, 0.0], [27.0, 0.0], [27.0, 7.0]], [200, 120, 80], axis=0)
    return centres + rng.normal(size=centres.shape)


def tight(seed=0):
    """Forty of a thousand points with standard deviation 0.01, in the middle of a cloud of 1."""
    rng = np.random.default_rng(seed)
    return np.r_[rng.normal(size=(960, 2)), 0.01 * rng.normal(size=(40, 2))]


def mixture(weights, means, sigmas):
    d = len(means[0])
    return Mixture(weights, means, [sigma**2 * np.eye(d) for sigma in sigmas])


# One component lies on two clusters, and two share one; or both lie on the cloud.
LOST = {
    "blobs": (
        blobs(),
        mixture([0.25, 0.25, 0.5], [[0.5, 0], [-0.5, 0], [27, 3]], [1, 1, 3]),
        mixture([0.5, 0.3, 0.2], [[0, 0], [27, 0], [27, 7]], [1, 1, 1]),
    ),
    "a tight cluster": (
        tight(),
        mixture([0.5, 0.5], [[0.7, -0.7], [-0.7, 0.7]], [0.8, 0.8]),
        mixture([0.96, 0.04], [[0, 0], [0, 0]], [1, 0.01]),
    ),
}
CASES = [
    (name, kind)
    for name in LOST
    for kind in COVARIANCE_TYPES
    if not (kind == "tied" and name == "a tight cluster")
]


def summit(machine, p, steps=400):
    for _ in range(steps):
        p, log_likelihood = machine.em_step(p)
    return p, float(log_likelihood[0])


def engine_of(X, kind, weights=None):
    rows, w = Blocks.of(X, weights).picked(10**6, np.random.default_rng(0))
    data = Blocks.of(rows, w)
    return Engine(data, kind), data.frame.rows(rows), w


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_component_moves_to_where_it_is_missed(name, kind, road):
    X, lost, truth = LOST[name]
    machine, x, w = engine_of(X, kind)
    with machine:
        frame = machine.blocks.frame
        stuck, low = summit(machine, machine.projected(Parameters.of([lost], kind, frame)))
        _, high = summit(machine, machine.projected(Parameters.of([truth], kind, frame)))
        assert low < high - 0.05 * len(X)
        found = climbed(machine, x, w, stuck, np.random.default_rng(0), ENOUGH)
        _, reached = summit(machine, found.runs([0]))
    assert reached >= high - 1e-6 * len(X)


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("K", [2, 5])
def test_what_comes_back_first_is_no_lower_and_no_spike(kind, K):
    X = datasets.old_faithful()
    machine, x, w = engine_of(X, kind)
    covariance = machine.blocks.covariance
    covariance = np.diag(covariance).copy() if family_of(kind).diagonal else covariance
    with machine:
        starts = starting_points(x, w, covariance, K, 6, np.random.default_rng(K))
        raced = race(machine, machine.projected(starts))
        found = climbed(machine, x, w, raced, np.random.default_rng(0), ENOUGH)
        _, before = summit(machine, raced.runs([0]))
        after, reached = summit(machine, found.runs([0]))
        assert not is_spike(machine, after).any()
    assert reached >= before - 1e-6 * len(X)
    assert len(found.weights) > len(raced.weights)  # in reserve, should all of the summits fail


def off_centre():
    """Twenty points with standard deviation 0.01, where a cloud of 1 is thin."""
    rng = np.random.default_rng(3)
    return np.r_[rng.normal(size=(600, 2)), [1.5, 1.5] + 0.01 * rng.normal(size=(20, 2))]


@pytest.mark.parametrize("kind", ["full", "diag", "spherical"])
def test_a_place_denser_than_the_mixture_gets_a_component(kind):
    X = off_centre()
    machine, x, w = engine_of(X, kind)
    with machine:
        cloud = mixture([0.5, 0.5], [[0.5, 0], [-0.5, 0]], [1, 1])
        p = Parameters.of([cloud], kind, machine.blocks.frame)
        pooled = np.einsum("k,k...->...", p.weights[0], p.covariances[0])
        places = moves._Places.of(x, w, pooled, np.random.default_rng(0))
        grown = moves._grown(machine, x, w, places, p, 40)
        new = machine.blocks.frame.rows_back(grown.means[:, -1])
        _, reached = machine.em_steps(grown)
    near = np.linalg.norm(new - 1.5, axis=1) < 0.1
    assert near.any()
    assert near[np.argmax(reached)]  # it is the best of all that were made


def test_the_component_that_is_missed_least_goes_first():
    """Two lie on one cluster: without one of them little is lost."""
    machine, x, w = engine_of(blobs(), "full")
    twice = mixture([0.25, 0.3, 0.2, 0.25], [[0, 0], [27, 0], [27, 7], [0.1, 0]], [1, 1, 1, 1])
    with machine:
        p = Parameters.of([twice], "full", machine.blocks.frame)
        left = moves._without_one(machine, x, w, p, 3)  # the last one stays
        means = machine.blocks.frame.rows_back(left.means)
        _, reached = machine.em_steps(left)
    assert left.weights.shape == (3, 3)
    np.testing.assert_allclose(left.weights.sum(axis=1), 1)
    np.testing.assert_allclose(means[0, :, 0], [27, 27, 0.1], atol=1e-9)
    assert (np.diff(reached) < 0).all()


@pytest.mark.parametrize("what", ["no passes", "no room"])
def test_without_passes_or_room_nothing_moves(what, monkeypatch):
    X, lost, _ = LOST["blobs"]
    machine, x, w = engine_of(X, "full")
    if what == "no room":
        monkeypatch.setattr(moves, "_HELD", 20)
    with machine:
        stuck, low = summit(machine, Parameters.of([lost], "full", machine.blocks.frame))
        rng = np.random.default_rng(0)
        found = climbed(machine, x, w, stuck, rng, 0 if what == "no passes" else ENOUGH)
        _, reached = summit(machine, found.runs([0]))
    assert reached == pytest.approx(low, abs=1e-3)


def test_a_weight_is_as_many_equal_rows():
    X, lost, _ = LOST["a tight cluster"]
    reached = []
    for rows, weights in ((X, None), (np.repeat(X, 3, axis=0), None), (X, np.full(len(X), 3.0))):
        machine, x, w = engine_of(rows, "full", weights)
        with machine:
            stuck, _ = summit(machine, Parameters.of([lost], "full", machine.blocks.frame))
            found = climbed(machine, x, w, stuck, np.random.default_rng(0), ENOUGH)
            total = machine.blocks.total_weight
            reached.append(summit(machine, found.runs([0]))[1] / total)
    np.testing.assert_allclose(reached, reached[0], rtol=1e-9)


def test_no_array_of_a_search_is_much_larger_than_the_mixtures_it_holds():
    """d = 60 and 5 components: 512 places with a covariance each would take 15 MB."""
    import tracemalloc

    X = np.random.default_rng(0).normal(size=(1500, 60)) + np.arange(1500)[:, np.newaxis] % 5
    machine, x, w = engine_of(X, "tied")
    with machine:
        starts = starting_points(x, w, machine.blocks.covariance, 5, 4, np.random.default_rng(0))
        raced = race(machine, machine.projected(starts))
        tracemalloc.start()
        climbed(machine, x, w, raced, np.random.default_rng(0), 400)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    mixtures = moves._GROWN * moves._REMOVED * (60 * 60 + 5 * 60) * 8
    assert peak < 8 * mixtures + 12 * X.nbytes


# --- a component that collapses in the race -------------------------------------------------------


@pytest.mark.parametrize(("lives", "left"), [(0, 0), (3, 1)])
@pytest.mark.parametrize("kind", ["full", "diag", "spherical"])
def test_a_component_that_collapses_starts_anew(kind, lives, left, calls, monkeypatch):
    monkeypatch.setattr(heats, "_LIVES", lives)
    X = blobs()
    machine, x, w = engine_of(X, kind)
    point = Mixture([0.5, 0.5], [[4.0, 3.0], X[3]], [9 * np.eye(2), 1e-14 * np.eye(2)])
    with machine:
        p = Parameters.of([point], kind, machine.blocks.frame)
        assert not len(race(machine, p).weights)
        raced = race(machine, p, Anew(x, w, np.random.default_rng(0)))
        assert len(raced.weights) == left
        assert np.isfinite(raced.log_c).all()


def test_a_component_starts_anew_on_an_observation_by_its_weight():
    x, w = np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 0.0, 3.0])
    drawn = Anew(x, w, np.random.default_rng(0))(4000).ravel()
    assert not (drawn == 1).any()
    assert (drawn == 2).mean() == pytest.approx(0.75, abs=0.03)


def test_a_component_starts_anew_a_few_times_only(step_by_step):
    """Each of four components is on a single point, so there is always one that collapses."""
    X = np.repeat([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [5.0, 5.0]], 30, axis=0)
    machine, x, w = engine_of(X, "spherical")
    drawn = []

    class InOrder(Anew):
        def __call__(self, count):
            drawn.append(count)
            return x[np.arange(count) % len(x)]

    with machine:
        starts = starting_points(x, w, machine.blocks.variances, 4, 1, np.random.default_rng(0))
        race(machine, machine.projected(starts), InOrder(x, w, np.random.default_rng(0)))
    assert len(drawn) == 3


def test_a_race_ends_when_all_have_arrived():
    """Three clusters so far apart that a few steps are enough."""
    X = np.concatenate([blobs() + away for away in np.array([[0, 0], [500, 0], [0, 500]])])
    machine, x, w = engine_of(X, "full")
    with machine:
        starts = starting_points(x, w, machine.blocks.covariance, 3, 20, np.random.default_rng(0))
        race(machine, starts)
        assert machine.n_passes < 120  # of 20 · 3 + 10 · 5 + 5 · 8 = 150


def test_many_mixtures_go_in_groups_within_bounds_of_memory(monkeypatch):
    machine, x, w = engine_of(datasets.old_faithful(), "full")
    with machine:
        p = starting_points(x, w, machine.blocks.covariance, 3, 7, np.random.default_rng(0))
        p, before = machine.em_step(p)
        sizes = []
        moments = machine.moments

        def spying(q, about=None):
            sizes.append(len(q.weights))
            return moments(q, about)

        monkeypatch.setattr(machine, "moments", spying)
        whole, ell = machine.em_steps(p)
        monkeypatch.setattr(passes, "_AT_ONCE", 2 * p.covariances[0].size)
        parts, ell_parts = machine.em_steps(p)
    assert max(sizes[:1]) == 7
    assert max(sizes[1:]) == 2
    np.testing.assert_array_equal(ell, ell_parts)
    np.testing.assert_array_equal(whole.covariances, parts.covariances)
    assert (ell > before).all()


def test_of_all_kinds_the_best_come_first_and_spikes_last():
    X = np.r_[blobs(), [[5.0, 5.0], [5.0, 5.0 + 1e-9], [5.0 + 1e-9, 5.0]]]
    good = mixture([0.5, 0.3, 0.2], [[0, 0], [27, 0], [27, 7]], [1, 1, 1])
    poor = mixture([0.5, 0.3, 0.2], [[0, 0], [1, 0], [27, 3]], [1, 1, 4])
    spike = mixture([0.5, 0.49, 0.01], [[0, 0], [27, 3], [5, 5]], [1, 4, 1e-7])
    machine, _, _ = engine_of(X, "full")
    with machine:
        frame = machine.blocks.frame
        kinds = [Parameters.of([m], "full", frame) for m in (spike, poor, good)]
        found = races(machine, kinds)
        _, ell = machine.em_steps(found)
        spikes = is_spike(machine, found).any(axis=1)
    assert spikes.tolist() == [False, False, True]
    assert ell[0] > ell[1]
    assert ell[2] > ell[1]


@pytest.mark.parametrize(
    ("kind", "variances", "count", "expected"),
    [
        ("full", [1e-5, 1, 1, 1], 49, True),  # a plane in four dimensions: ten for each of five
        ("full", [1e-5, 1, 1, 1], 51, False),
        ("full", [1e-5, 1e-5, 1, 1], 39, True),
        ("full", [1e-5, 1e-5, 1, 1], 41, False),
        ("full", [1e-5] * 4, 19, True),  # a speck
        ("full", [1e-5] * 4, 21, False),
        ("full", [1e-3] * 4, 3, False),  # not narrow
        ("diag", [1e-5, 1, 1, 1], 19, True),
        ("diag", [1e-5, 1, 1, 1], 21, False),
        ("spherical", [1e-5] * 4, 19, True),
        ("spherical", [1e-5] * 4, 21, False),
    ],
)
def test_a_narrow_component_needs_ten_points_for_each_that_fixes_it(
    kind, variances, count, expected
):
    n = 1000
    machine, _, _ = engine_of(np.random.default_rng(0).normal(size=(n, 4)), kind)
    share = count / n
    narrow = Mixture([share, 1 - share], np.zeros((2, 4)), [np.diag(variances), np.eye(4)])
    with machine:
        p = Parameters.of([narrow], kind, machine.blocks.frame)
        assert is_spike(machine, p).tolist() == [[expected, False]]


# --- the default ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("X", "K", "kind", "least"),
    [
        pytest.param(tight(), 2, "full", -2.632, id="a tight cluster"),
        pytest.param(datasets.galaxies()[:, np.newaxis], 4, "full", -9.31573, id="galaxies"),
        pytest.param(datasets.old_faithful(), 3, "full", -4.09721, id="Old Faithful"),
        pytest.param(datasets.acidity()[:, np.newaxis], 3, "full", -1.15326, id="acidity"),
    ],
)
def test_the_default_finds_the_best_that_is_known(X, K, kind, least, seed):
    model = GaussianMixture(K, covariance_type=kind, random_state=seed).fit(X)
    assert model.lower_bound_ >= least


def test_one_start_is_one_start():
    X, _, _ = LOST["a tight cluster"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = {
            GaussianMixture(2, n_init=1, random_state=seed).fit(X).lower_bound_.__round__(3)
            for seed in range(8)
        }
    assert min(values) < -2.7  # no search mends it


@pytest.mark.parametrize("init_params", INIT_PARAMS)
@pytest.mark.parametrize("n_init", [1, 3])
def test_components_are_moved_in_a_search_of_several_starts_only(init_params, n_init, monkeypatch):
    calls = []

    def spying(engine, x, w, p, *rest):
        calls.append(len(p.weights))
        return p

    monkeypatch.setattr(policy, "climbed", spying)
    GaussianMixture(3, init_params=init_params, n_init=n_init, random_state=0).fit(blobs())
    assert bool(calls) is (init_params == "search" and n_init > 1)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2, "at least n_components=3"),
        (0, "at least"),
        (True, "whole number"),
        (9.5, "whole number"),
    ],
)
def test_an_init_size_that_is_none(value, said):
    with pytest.raises(ValueError, match=said):
        GaussianMixture(3, init_size=value).fit(blobs())


def test_the_starts_see_as_many_observations_as_init_size_says(monkeypatch):
    seen = []
    picked = Blocks.picked

    def spying(self, size, rng, least=1):
        rows, w = picked(self, size, rng, least)
        seen.append((size, len(rows)))
        return rows, w

    monkeypatch.setattr(Blocks, "picked", spying)
    for size in (None, 50, 10**6):
        GaussianMixture(3, init_size=size, random_state=0).fit(blobs())
    assert seen == [(8192, 400), (50, 50), (10**6, 400)]


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("K", [1, 2])
def test_an_init_size_that_is_too_small_for_the_covariances(K, kind):
    X = np.random.default_rng(0).normal(size=(200, 3))
    few = GaussianMixture(K, covariance_type=kind, init_size=K, random_state=0).fit(X)
    usual = GaussianMixture(K, covariance_type=kind, random_state=0).fit(X)
    if K == 1:
        assert few.lower_bound_ == pytest.approx(usual.lower_bound_, rel=1e-12)
    assert np.isfinite(few.lower_bound_)


def test_a_column_that_is_constant_among_the_observations_drawn():
    X = np.random.default_rng(0).normal(size=(2000, 2))
    X[7:, 1] = 0.0
    assert np.isfinite(GaussianMixture(1, init_size=30, random_state=0).fit(X).lower_bound_)
