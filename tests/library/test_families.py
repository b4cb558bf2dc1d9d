"""Families of covariances: layouts, numbers of parameters, estimates; each has all of them."""

import warnings

import numpy as np
import pytest
import sklearn.mixture
from scipy.linalg import expm
from scipy.optimize import minimize
from sklearn.datasets import load_iris

from gmmlib import GaussianMixture, Mixture, datasets
from gmmlib.engine import Blocks, Engine, Parameters
from gmmlib.fitting import converge
from gmmlib.models import COVARIANCE_TYPES, FAMILIES, MCLUST_TYPES, Family, family_of
from strategies import random_mixture

K, D = 3, 4
EVERY = [*COVARIANCE_TYPES, *MCLUST_TYPES]
ONE_BY_ONE = [name for name in MCLUST_TYPES if not family_of(name).linear]


def problem(seed, n=200, d=D):
    rng = np.random.default_rng(seed)
    return random_mixture(rng, K, d).sample(n, rng)[0], random_mixture(rng, K, d)


def as_matrices(kept):
    return kept[..., np.newaxis] * np.eye(kept.shape[-1]) if kept.ndim == 2 else kept


def estimated(family, seed=0, d=D, scale=None, before=None):
    """The weights (K,), covariances (K, d, d) or (K, d), and the family's own beside them."""
    p = Parameters.of([problem(seed, d=d)[1]], family)
    scale = np.ones(d) if scale is None else scale
    found = family.estimate(p.weights, p.covariances, scale, before)[0]
    return p.weights[0], p.covariances[0], np.broadcast_to(found, (K, *found.shape[1:]))


# --- layouts and names ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_stored_and_kept_are_two_forms_of_one(name):
    family = family_of(name)
    kept = estimated(family)[2][: 1 if family.shared else K]
    stored = family.stored(kept)
    assert stored.shape == family.shape(K, D)
    np.testing.assert_allclose(family.kept(stored, K, D), kept, rtol=1e-14)
    assert kept.ndim == (2 if family.diagonal else 3)


@pytest.mark.parametrize("name", COVARIANCE_TYPES)
def test_layout_and_number_of_parameters_are_scikit_learns(name):
    X, _ = problem(1)
    peer = sklearn.mixture.GaussianMixture(K, covariance_type=name, random_state=0).fit(X)
    assert family_of(name).shape(K, D) == peer.covariances_.shape
    assert K - 1 + K * D + family_of(name).n_parameters(K, D) == peer._n_parameters()


# Table 1 of Celeux and Govaert (1995), for K = 3 and d = 4: without weights and means
COUNTED = {
    "EII": 1, "VII": 3, "EEI": 4, "VEI": 6, "EVI": 10, "VVI": 12, "EEE": 10, "VEE": 12,
    "EVE": 16, "VVE": 18, "EEV": 22, "VEV": 24, "EVV": 28, "VVV": 30,
}  # fmt: skip


def test_numbers_of_parameters_and_letters():
    assert {name: family_of(name).n_parameters(K, D) for name in MCLUST_TYPES} == COUNTED
    assert {name: family_of(name).letters for name in MCLUST_TYPES} == {
        name: name for name in COUNTED
    }
    same = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}
    for name, letters in same.items():
        assert family_of(name) is family_of(letters)


def test_a_family_by_itself_or_by_name():
    assert family_of(FAMILIES["tied"]) is family_of("tied")
    assert all(isinstance(family, Family) for family in FAMILIES.values())
    with pytest.raises(ValueError, match=r"covariance_type is 'round'\. Choose one of 'full', "):
        family_of("round")


# --- estimates: two roads -------------------------------------------------------------------------


def away_from_likely(weights, S, covariances):
    """What the M-step minimises: Σ_j α_j (log det Σ_j + tr S_j Σ_j⁻¹)."""
    S, covariances = as_matrices(S), as_matrices(covariances)
    log_det = np.linalg.slogdet(covariances)[1]
    traces = np.trace(np.linalg.solve(covariances, S), axis1=1, axis2=2)
    return float(weights @ (log_det + traces))


def member(letters, flat, d):
    """Σ_j = λ_j D_j A_j D_jᵀ from free numbers, by the letters alone."""
    flat = iter(flat)

    def each(letter, size, make):
        """K of them: one each, one for all, or the identity."""
        if letter == "I":
            return [make(np.zeros(size))] * K
        made = [
            make(np.array([next(flat) for _ in range(size)]))
            for _ in range(K if letter == "V" else 1)
        ]
        return made * (K // len(made))

    def shape(logs):
        return np.diag(np.exp([*logs, -logs.sum()]))

    def orientation(angles):
        skew = np.zeros((d, d))
        skew[np.triu_indices(d, 1)] = angles
        return expm(skew - skew.T)

    volumes = each(letters[0], 1, lambda log: float(np.exp(log[0])))
    shapes = each(letters[1], d - 1, shape)
    axes = each(letters[2], d * (d - 1) // 2, orientation)
    return np.array([v * D @ A @ D.T for v, A, D in zip(volumes, shapes, axes, strict=True)])


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("name", MCLUST_TYPES)
def test_a_search_over_volumes_shapes_and_axes_finds_nothing_more_likely(name, d):
    family = family_of(name)
    weights, S, found = estimated(family, seed=3, d=d)
    ours = away_from_likely(weights, S, found)
    rng = np.random.default_rng(5)
    ends = []
    for _ in range(4):
        start = rng.normal(size=family.n_parameters(K, d))
        search = minimize(
            lambda flat: away_from_likely(weights, S, member(family.letters, flat, d)),
            start,
            method="BFGS",
            options={"gtol": 1e-7},
        )
        ends.append(search.fun)
    assert min(ends) == pytest.approx(ours, abs=1e-7)


@pytest.mark.parametrize("volume", ["E", "V"])
def test_in_the_plane_valleys_are_found_all_around(volume):
    """Long, thin ellipses that lie across each other: the misfit has several narrow valleys."""
    family = family_of(f"{volume}VE")
    angles = np.linspace(0, np.pi / 2, 2001)
    v = np.array([np.cos(angles), np.sin(angles)])
    for seed in range(300, 400):
        rng = np.random.default_rng(seed)
        n_ellipses = int(rng.integers(2, 7))
        turns = rng.uniform(0, np.pi, size=n_ellipses)
        cos, sin = np.cos(turns), np.sin(turns)
        axes = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)
        lengths = np.exp(rng.normal(scale=4, size=(n_ellipses, 1, 2)))
        S, weights = axes * lengths @ axes.swapaxes(1, 2), rng.dirichlet(np.ones(n_ellipses))
        found = family.estimate(weights[np.newaxis], S[np.newaxis], np.ones(2))[0]
        along = np.einsum("aq,kab,bq->kq", v, S, v)
        product = along * (np.trace(S, axis1=1, axis2=2)[:, np.newaxis] - along)
        if volume == "V":
            lowest = 2 + (weights @ np.log(product)).min()
        else:
            lowest = 2 + 2 * np.log(weights @ np.sqrt(product)).min()
        assert away_from_likely(weights, S, found) <= lowest + 1e-6


@pytest.mark.parametrize("name", ["VEI", "VEE", "VEV"])
def test_volumes_that_are_far_apart_are_found_to_the_last_digits(name):
    """Alone, doing the two halves in turn would need hundreds of rounds for some of these."""
    family = family_of(name)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        scale = 8 if family.diagonal else 4  # a matrix of more loses its small axes in rounding
        spread = np.exp(rng.normal(scale=scale, size=(K, D)))
        axes = np.array([np.linalg.qr(rng.normal(size=(D, D)))[0] for _ in range(K)])
        S = spread if family.diagonal else (axes * spread[:, np.newaxis]) @ axes.swapaxes(1, 2)
        weights = rng.dirichlet(np.ones(K))
        found = as_matrices(family.estimate(weights[np.newaxis], S[np.newaxis], np.ones(D))[0])
        traces = np.trace(np.linalg.solve(found, as_matrices(S)), axis1=1, axis2=2)
        np.testing.assert_allclose(traces, D, rtol=1e-7)


def test_a_search_goes_on_from_the_last_covariances(monkeypatch):
    X, mixture = problem(11)
    data = Blocks.of(X)
    family, seen = family_of("VVE"), []
    whole = type(family).estimate

    def estimate(self, weights, covariances, scale, before=None):
        seen.append(before)
        return whole(self, weights, covariances, scale, before)

    with Engine(data, family) as machine:
        p = machine.projected(Parameters.of([mixture], family, data.frame))
        monkeypatch.setattr(type(family), "estimate", estimate)
        machine.em_step(p)
    assert seen == [p.covariances]


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_each_is_a_member_by_its_letters(name):
    """Volumes, shapes and axes of the estimate, taken apart."""
    _, _, found = estimated(family_of(name), seed=4)
    matrices = as_matrices(found)
    volume, shape, orientation = name
    lengths = np.linalg.eigvalsh(matrices)
    volumes = np.exp(np.log(lengths).mean(axis=1))
    if volume == "E":
        np.testing.assert_allclose(volumes, volumes[0], rtol=1e-12)
    normed = matrices / volumes[:, np.newaxis, np.newaxis]
    if orientation == "I":
        assert (matrices[:, ~np.eye(D, dtype=bool)] == 0).all()
    if orientation == "E":
        products = matrices[:, np.newaxis] @ matrices
        np.testing.assert_allclose(products, products.swapaxes(2, 3), atol=1e-10)
    if shape == "E":
        by_size = np.sort(np.linalg.eigvalsh(normed), axis=1)
        np.testing.assert_allclose(by_size, np.broadcast_to(by_size[0], by_size.shape), rtol=1e-10)
    if shape == "E" and orientation != "V":
        np.testing.assert_allclose(normed, np.broadcast_to(normed[0], normed.shape), atol=1e-10)
    if shape == "I":
        np.testing.assert_allclose(normed, np.broadcast_to(np.eye(D), normed.shape), atol=1e-14)


@pytest.mark.parametrize("name", EVERY)
def test_a_member_is_its_own_estimate_and_others_are_not(name):
    family = family_of(name)
    weights, S, found = estimated(family, seed=6)
    assert family.away(weights, found).max() < 1e-10
    if name not in ("full", "VVV", "diag", "VVI"):
        assert family.away(weights, S).max() > 1e-3


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_the_units_of_a_column_stay_those_of_the_data(name):
    """In the coordinates of the engine, columns are divided by their scales."""
    family = family_of(name)
    scale = np.array([1.0, 4.0, 0.25, 8.0])
    weights, S, wanted = estimated(family, seed=7)
    units = scale**2 if family.diagonal else np.outer(scale, scale)
    found = family.estimate(weights[np.newaxis], (S / units)[np.newaxis], scale)[0]
    np.testing.assert_allclose(found * units, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["VEI", "VEE", "EVE", "VVE", "VEV"])
def test_a_step_from_the_last_covariances_is_never_worse(name):
    """Where the best has to be searched for, a step of EM goes only some way towards it."""
    family = family_of(name)
    for seed in range(20):
        weights, S, before = estimated(family, seed=seed)
        _, other, _ = estimated(family, seed=seed + 100)
        now = family.estimate(
            weights[np.newaxis], other[np.newaxis], np.ones(D), before[np.newaxis]
        )[0]
        found = away_from_likely(weights, other, now)
        assert found < away_from_likely(weights, other, before)
        best = family.estimate(weights[np.newaxis], other[np.newaxis], np.ones(D))[0]
        assert found >= away_from_likely(weights, other, best) - 1e-9 or family.letters[2] == "E"
        assert family.away(weights, now).max() < 1e-9
    assert S.shape == before.shape


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_a_component_that_is_lost_leaves_the_others(name):
    """No observations, or no spread: that component is NaN, the others as if it were not there.

    Where size and shape are common, a component without spread has them too.
    """
    family = family_of(name)
    weights, S, _ = estimated(family, seed=8)
    for gone in (np.nan, 0.0) if "V" in name[:2] else (np.nan,):
        broken, shares = S.copy(), weights.copy()
        broken[1] = gone
        shares[1] = 0.0 if np.isnan(gone) else shares[1]
        found = family.estimate(shares[np.newaxis], broken[np.newaxis], np.ones(D))[0]
        assert np.isnan(found[1]).all()
        rest = weights[[0, 2]] / weights[[0, 2]].sum()
        wanted = family.estimate(rest[np.newaxis], S[np.newaxis, [0, 2]], np.ones(D))[0]
        np.testing.assert_allclose(found[[0, 2]], wanted, rtol=1e-9, atol=1e-12)
    if "V" not in name[:2]:
        broken[1] = 0.0
        found = family.estimate(weights[np.newaxis], broken[np.newaxis], np.ones(D))[0]
        assert np.linalg.eigvalsh(as_matrices(found)).min() > 0
    nothing = family.estimate(np.full((1, K), np.nan), np.full((1, *S.shape), np.nan), np.ones(D))
    assert np.isnan(nothing).all()


@pytest.mark.parametrize("name", COVARIANCE_TYPES)
def test_no_mean_of_two_members_is_more_likely(name):
    """Q of the estimate against Q of other members, which are estimates from other data."""
    family = family_of(name)
    X, mixture = problem(2)
    data = Blocks.of(X)
    with Engine(data, family) as machine:
        moments = machine.moments(machine.projected(Parameters.of([mixture], family, data.frame)))
        best = machine.maximised(moments)
    away = (moments.S1 / moments.N[:, :, np.newaxis])[0]
    counts = moments.N[0]
    if family.shared:  # the second moments are summed over the components
        assert moments.S2.shape == best.covariances.shape == (1, 1, D, D)
        groups = [range(K)]
    else:
        groups = [[j] for j in range(K)]

    def expected(covariances):
        """Q but for what does not depend on them."""
        total = 0.0
        for group, S2, kept in zip(groups, moments.S2[0], covariances, strict=True):
            Sigma, scatter = (np.diag(kept), np.diag(S2)) if family.diagonal else (kept, S2)
            scatter = scatter - sum(counts[j] * np.outer(away[j], away[j]) for j in group)
            log_det = np.linalg.slogdet(Sigma)[1]
            total -= 0.5 * sum(counts[j] for j in group) * log_det
            total -= 0.5 * np.trace(np.linalg.solve(Sigma, scatter))
        return total

    top = expected(best.covariances[0])
    for seed in range(5):
        other = Parameters.of([problem(seed)[1]], family, data.frame)
        other = family.estimate(other.weights, other.covariances, data.frame.scale)[0]
        for share in (0.01, 0.3):  # a mean of two members is a member of each of these families
            assert expected((1 - share) * best.covariances[0] + share * other) < top


# --- in EM ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MCLUST_TYPES)
def test_the_likelihood_never_falls_and_the_end_is_a_fixed_point(name):
    X, mixture = problem(11)  # no component shrinks to a spike there
    data = Blocks.of(X)
    with Engine(data, name) as machine:
        start = machine.projected(Parameters.of([mixture], name, data.frame))
        plain = converge(machine, start, tol=1e-5, max_iter=60, accelerate=False)
        fast = converge(machine, start, tol=1e-8, max_iter=2000)
    for run in (plain, fast):
        assert np.diff(run.log_likelihoods).min() > -1e-9
    assert fast.converged
    assert fast.log_likelihoods[-1] >= plain.log_likelihoods[-1] - 1e-9
    end = fast.parameters
    family = family_of(name)
    kept = np.broadcast_to(end.covariances[0], (K, *end.covariances.shape[2:]))
    units = data.scale**2 if family.diagonal else np.outer(data.scale, data.scale)
    assert family.away(end.weights[0], kept * units).max() < 1e-8


@pytest.mark.parametrize("name", MCLUST_TYPES)
def test_for_one_component_there_are_three(name):
    """Balls, axes of the data, or any: the fourteen families are three, for K = 1."""
    X = datasets.old_faithful()
    unlike = X - X.mean(axis=0)
    S = unlike.T @ unlike / len(X)
    wanted = {"I": np.diag(np.diag(S)), "E": S, "V": S}[name[2]]
    if name[1] == "I":
        wanted = np.eye(2) * np.trace(S) / 2
    model = GaussianMixture(1, covariance_type=name).fit(X)
    np.testing.assert_allclose(model.mixture_.covariances[0], wanted, rtol=1e-9)


# mclust 6.0.0: log-likelihood, number of parameters
PUBLISHED = [
    pytest.param("faithful", "EEE", 3, -1126.326, 11, id="faithful-EEE-3"),
    pytest.param("acidity", "E", 2, -185.949305, 4, id="acidity-E-2"),
    pytest.param("galaxies", "V", 4, -199.254496, 11, id="galaxies-V-4"),
    pytest.param("iris", "VEV", 2, -215.725972, 26, id="iris-VEV-2"),
    pytest.param("iris", "VEV", 3, -186.074048, 38, id="iris-VEV-3"),
    pytest.param("diabetes", "VVV", 3, -2303.495561, 29, id="diabetes-VVV-3"),
]
DATA = {
    "faithful": datasets.old_faithful,
    "acidity": datasets.acidity,
    "galaxies": lambda: datasets.galaxies() / 1000,
    "iris": lambda: load_iris().data,
    "diabetes": lambda: datasets.diabetes()[0],
}


@pytest.mark.parametrize(
    ("data", "name", "n_components", "log_likelihood", "n_parameters"), PUBLISHED
)
def test_at_least_mclusts(data, name, n_components, log_likelihood, n_parameters):
    """mclust stops at a relative 1e-5, so ours may be higher, by a little or another maximum."""
    X = DATA[data]()
    X = X.reshape(len(X), -1)
    model = GaussianMixture(n_components, covariance_type=name, random_state=0).fit(X)
    assert model.lower_bound_ * len(X) >= log_likelihood - 1e-6 * abs(log_likelihood)
    assert model._n_parameters() == n_parameters
    bic = -2 * model.lower_bound_ * len(X) + n_parameters * np.log(len(X))
    assert model.bic(X) == pytest.approx(bic)


# --- in the estimator -----------------------------------------------------------------------------


def test_names_for_one_column():
    X = datasets.acidity().reshape(-1, 1)
    for name, other in (("E", "tied"), ("V", "full")):
        one, two = (
            GaussianMixture(2, covariance_type=kind, random_state=0).fit(X)
            for kind in (name, other)
        )
        assert one.mixture_ == two.mixture_
    message = r"covariance_type 'V' is for data with one column, and X has 2\. Choose one of 'EII'"
    with pytest.raises(ValueError, match=message):
        GaussianMixture(2, covariance_type="V").fit(datasets.old_faithful())


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_the_attributes_are_the_model_in_each_family(name):
    X = datasets.old_faithful()
    model = GaussianMixture(2, covariance_type=name, random_state=0, n_init=3).fit(X)
    again = GaussianMixture.from_mixture(model.mixture_, name)
    np.testing.assert_allclose(again.score_samples(X), model.score_samples(X), rtol=1e-12)
    assert again._n_parameters() == model._n_parameters()
    precisions = model.precisions_
    if precisions.ndim == 3:
        np.testing.assert_allclose(
            precisions @ model.covariances_, np.tile(np.eye(2), (2, 1, 1)), atol=1e-8
        )
    model.precisions_ = precisions * 4.0  # all of them a quarter as large: still a member
    np.testing.assert_allclose(
        model.mixture_.covariances, again.mixture_.covariances / 4, rtol=1e-9
    )
    start = GaussianMixture(
        2,
        covariance_type=name,
        weights_init=again.weights_,
        means_init=again.means_,
        precisions_init=precisions,
    )
    np.testing.assert_allclose(start.fit(X).means_, again.means_, rtol=1e-5)


def test_covariances_that_are_set_must_be_of_the_family():
    X = datasets.old_faithful()
    model = GaussianMixture(2, covariance_type="EEV", random_state=0).fit(X)
    changed = model.covariances_.copy()
    changed[1] *= 2
    model.covariances_ = changed
    with pytest.raises(ValueError, match="covariances_ was set, and is not of the type 'EEV'"):
        model.predict(X)
    full = Mixture(model.weights_, model.means_, changed)
    with pytest.raises(ValueError, match="not of the type 'EEV'"):
        GaussianMixture.from_mixture(full, "EEV")


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_few_observations_and_far_units(name):
    """An answer or an error that says why not, in any units, and the same in all."""
    rng = np.random.default_rng(10)
    X = rng.normal(size=(40, 3)) + 4 * rng.integers(0, 2, size=(40, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = GaussianMixture(2, covariance_type=name, random_state=0).fit(X)
        for unit in (2.0**-300, 2.0**300):
            other = GaussianMixture(2, covariance_type=name, random_state=0).fit(unit * X)
            np.testing.assert_allclose(other.means_ / unit, one.means_, rtol=1e-6)


TURNED = ("EVE", "VVE", "EEV", "VEV")


@pytest.mark.parametrize("name", MCLUST_TYPES)
def test_axes_are_not_looked_for_in_units_too_far_apart(name):
    """The digits of a covariance would not be enough for them; of the other families they are."""
    X = load_iris().data
    assert family_of(name).turned == (name in TURNED)
    for unit, refused in ((2.0**12, False), (2.0**26, name in TURNED)):
        there = X * np.array([1.0, 1.0, 1.0, unit])
        model = GaussianMixture(2, covariance_type=name, random_state=0, n_init=2)
        if refused:
            message = r"looks for axes in the units of the data, .* Scale the columns, or choose"
            with pytest.raises(ValueError, match=message):
                model.fit(there)
        else:
            again = GaussianMixture.from_mixture(model.fit(there).mixture_, name)
            np.testing.assert_array_equal(again.predict(there), model.predict(there))


def test_a_constant_column_has_no_unit():
    X = np.c_[load_iris().data, np.full(150, 1e9)]
    with pytest.warns(UserWarning, match="a millionth of each column's variance is added"):
        model = GaussianMixture(2, covariance_type="EEV", random_state=0, n_init=2).fit(X)
    assert model.converged_
