"""GaussianMixture as a user of scikit-learn meets it."""

import copy
import io
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from itertools import product

import numpy as np
import pandas
import pytest
import scipy.sparse
import sklearn
import sklearn.mixture
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import gmmlib
from bad_data import DATA
from gmmlib import CollapseError, ConvergenceWarning, GaussianMixture, datasets
from gmmlib.engine import Matrices, using
from gmmlib.models import COVARIANCE_TYPES
from roads import mapped_file, plain_em_step
from strategies import random_mixture

FAITHFUL = datasets.old_faithful()
BLOBS, LABELS = datasets.three_blobs(n=300, random_state=0)


def fitted(X=BLOBS, n_components=3, **options):
    return GaussianMixture(n_components, **{"random_state": 0, **options}).fit(X)


def same(one, other, rtol=1e-10):
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol * np.abs(theirs).max())
    assert one.lower_bound_ == pytest.approx(other.lower_bound_, rel=rtol)


def state(model):
    return pickle.dumps(vars(model))


# --- scikit-learn's conventions -------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("n_components", "covariance_type"),
    [*product([1, 2, 3], COVARIANCE_TYPES), (2, "EII"), (2, "VEV"), (3, "EVE")],
)
def test_every_check_of_scikit_learn(road, n_components, covariance_type):
    options = {"n_init": 4, "max_iter": 100}  # a third of the time
    model = GaussianMixture(n_components, covariance_type=covariance_type, **options)
    found = check_estimator(model, on_skip=None, on_fail=None)
    failed = [(one["check_name"], one["exception"]) for one in found if one["status"] == "failed"]
    assert not failed
    assert sum(one["status"] == "passed" for one in found) > 40
    skipped = {one["check_name"] for one in found if one["status"] == "skipped"}
    assert skipped <= {"check_array_api_input"}
    assert not [one for one in found if one["status"] == "xfail"]


def test_parameters():
    model = GaussianMixture(4, covariance_type="tied", tol=1e-3)
    assert model.get_params() == {
        "covariance_type": "tied",
        "init_params": "search",
        "init_size": None,
        "max_iter": 1000,
        "means_init": None,
        "n_components": 4,
        "n_init": 20,
        "precisions_init": None,
        "random_state": None,
        "reg_covar": None,
        "tol": 1e-3,
        "verbose": 0,
        "verbose_interval": 10,
        "warm_start": False,
        "weights_init": None,
    }
    theirs = set(sklearn.mixture.GaussianMixture().get_params())
    assert theirs == set(model.get_params()) - {"init_size"}
    assert clone(model).get_params() == model.get_params()
    assert repr(model) == "GaussianMixture(covariance_type='tied', n_components=4, tol=0.001)"


def test_the_package_offers_it():
    assert gmmlib.GaussianMixture is GaussianMixture
    assert "GaussianMixture" in gmmlib.__all__


def test_in_a_pipeline_and_in_a_grid_search():
    pipeline = make_pipeline(StandardScaler(), GaussianMixture(3, random_state=0))
    labels = pipeline.fit(BLOBS).predict(BLOBS)
    assert len(set(zip(labels.tolist(), LABELS.tolist(), strict=True))) < 9
    assert pipeline.fit_predict(BLOBS).tolist() == labels.tolist()
    search = GridSearchCV(
        GaussianMixture(random_state=0, n_init=3),
        {"n_components": [1, 3], "covariance_type": ["full", "spherical"]},
        cv=3,
    ).fit(BLOBS)
    assert search.best_params_ == {"n_components": 3, "covariance_type": "full"}
    assert len(cross_val_score(GaussianMixture(2, random_state=0), BLOBS, cv=3)) == 3


def test_weights_are_routed():
    w = np.random.default_rng(0).integers(0, 3, size=300, dtype=np.intp)
    with sklearn.config_context(enable_metadata_routing=True):
        model = GaussianMixture(2, random_state=0).set_fit_request(sample_weight=True)
        through = make_pipeline(model).fit(BLOBS, sample_weight=w)[-1]
    same(through, GaussianMixture(2, random_state=0).fit(BLOBS, sample_weight=w))


def test_the_output_setting_of_transformers_changes_nothing():
    with sklearn.config_context(transform_output="default"):
        assert isinstance(fitted().predict_proba(BLOBS), np.ndarray)


def test_pickle_and_copy():
    model = fitted()
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        same(model, other, rtol=1e-15)
        assert other.mixture_ == model.mixture_
        np.testing.assert_array_equal(other.predict_proba(BLOBS), model.predict_proba(BLOBS))


def frame(columns="ab", rows=BLOBS):
    return pandas.DataFrame(rows, columns=list(columns))


def test_a_data_frame_keeps_its_names():
    model = fitted(frame())
    same(model, fitted(), rtol=1e-13)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame("ba"))
    model.fit(BLOBS)
    assert not hasattr(model, "feature_names_in_")


def test_a_failing_fit_keeps_the_names_of_a_data_frame():
    model = fitted(frame())
    before = state(model)
    with pytest.raises(ValueError, match="X has NaN"):
        model.fit(frame("cd", np.full((9, 2), np.nan)))
    assert state(model) == before


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_attributes_mean_what_they_mean_in_scikit_learn(road, covariance_type):
    """Their fit goes on from ours, to the same optimum."""
    model = fitted(FAITHFUL, 2, covariance_type=covariance_type, tol=1e-10)
    theirs = sklearn.mixture.GaussianMixture(
        2,
        covariance_type=covariance_type,
        weights_init=model.weights_,
        means_init=model.means_,
        precisions_init=model.precisions_,
        reg_covar=0,
        tol=1e-14,
        max_iter=1000,
    ).fit(FAITHFUL)
    same(model, theirs, rtol=1e-7)
    assert model.n_features_in_ == theirs.n_features_in_ == 2
    assert isinstance(model.converged_, bool)
    assert isinstance(model.n_iter_, int)
    for attribute in vars(theirs):
        if attribute.endswith("_") and not attribute.startswith("_"):
            assert hasattr(model, attribute), attribute
    exact = copy.deepcopy(theirs)  # the same parameters in both, to the last digit
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        setattr(exact, name, getattr(model, name))
    X = np.r_[FAITHFUL, [[3.0, 65.0], [10.0, 10.0]]]
    np.testing.assert_allclose(model.score_samples(X), exact.score_samples(X), rtol=1e-10)
    np.testing.assert_allclose(
        model.predict_proba(X), exact.predict_proba(X), rtol=1e-9, atol=1e-30
    )
    np.testing.assert_array_equal(model.predict(X), exact.predict(X))
    for name in ("score", "aic", "bic"):
        assert getattr(model, name)(X) == pytest.approx(getattr(exact, name)(X), rel=1e-10)


@pytest.mark.parametrize(
    ("covariance_type", "shape", "free"),
    [("full", (3, 2, 2), 17), ("tied", (2, 2), 11), ("diag", (3, 2), 14), ("spherical", (3,), 11)],
)
def test_shapes_and_numbers_of_parameters(covariance_type, shape, free):
    model = fitted(covariance_type=covariance_type)
    for name in ("covariances_", "precisions_", "precisions_cholesky_"):
        assert getattr(model, name).shape == shape
    deviance = -2 * 300 * model.score(BLOBS)
    assert model.aic(BLOBS) == pytest.approx(deviance + 2 * free)
    assert model.bic(BLOBS) == pytest.approx(deviance + np.log(300) * free)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_precisions_are_inverse_covariances(covariance_type):
    model = fitted(covariance_type=covariance_type)
    if covariance_type in ("full", "tied"):
        P, U = model.precisions_, model.precisions_cholesky_
        np.testing.assert_allclose(
            P @ model.covariances_, np.broadcast_to(np.eye(2), P.shape), atol=1e-12
        )
        np.testing.assert_allclose(U @ np.swapaxes(U, -1, -2), P, rtol=1e-12)
        assert (np.tril(U, -1) == 0).all()
    else:
        np.testing.assert_allclose(model.precisions_, 1 / model.covariances_, rtol=1e-13)
        np.testing.assert_allclose(model.precisions_cholesky_**2, model.precisions_, rtol=1e-13)


def test_a_sample():
    model = fitted()
    X, labels = model.sample(20_000)
    assert X.shape == (20_000, 2)
    assert labels.shape == (20_000,)
    np.testing.assert_allclose(np.bincount(labels) / 20_000, model.weights_, atol=0.02)
    for j in range(3):
        np.testing.assert_allclose(X[labels == j].mean(axis=0), model.means_[j], atol=0.1)
    np.testing.assert_array_equal(model.sample(5)[0], model.sample(5)[0])
    assert model.sample()[0].shape == (1, 2)
    model.set_params(random_state=None)
    assert (model.sample(5)[0] != model.sample(5)[0]).any()


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "score_samples", "score", "aic", "bic"]
)
def test_before_a_fit(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(GaussianMixture(2), method)(BLOBS)
    with pytest.raises(NotFittedError):
        GaussianMixture(2).sample()


# --- the answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("covariance_type", "best"), [("full", -1114.4398729), ("tied", -1126.3159278)]
)
def test_old_faithful_from_ten_seeds(road, covariance_type, best):
    for seed in range(10):
        model = fitted(FAITHFUL, 3, covariance_type=covariance_type, random_state=seed)
        assert model.converged_
        assert 272 * model.lower_bound_ == pytest.approx(best, abs=2e-7)
        assert np.linalg.cond(model.mixture_.covariances).max() < 1e6  # no degenerate component
        assert np.diff(model.log_likelihoods_).min() > -1e-9
        assert model.score(FAITHFUL) == pytest.approx(model.lower_bound_, rel=1e-13)
        assert model.log_likelihoods_[-1] == pytest.approx(272 * model.lower_bound_, rel=1e-15)
        assert model.lower_bounds_[-1] == model.lower_bound_
        assert (np.diff(model.weights_) <= 0).all()


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_tolerance_does_not_matter_in_the_sixth_digit(road, covariance_type):
    for X, K in ((FAITHFUL, 3), (BLOBS, 3), (FAITHFUL, 2)):
        default = fitted(X, K, covariance_type=covariance_type)
        for tol in (1e-6, 1e-10):
            same(fitted(X, K, covariance_type=covariance_type, tol=tol), default, rtol=5e-6)


def test_both_roads_give_one_answer():
    for covariance_type in COVARIANCE_TYPES:
        compiled = fitted(covariance_type=covariance_type, tol=1e-11)
        with using(Matrices()):
            same(fitted(covariance_type=covariance_type, tol=1e-11), compiled, rtol=1e-8)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_order_of_the_rows_does_not_matter(road, covariance_type):
    order = np.random.default_rng(1).permutation(300)
    one = fitted(covariance_type=covariance_type)
    same(fitted(BLOBS[order], covariance_type=covariance_type), one, rtol=1e-8)


def test_the_units_of_the_columns_do_not_matter(road):
    unit = np.array([2.0**40, 2.0**-60])
    one, other = fitted(), fitted(BLOBS * unit)
    np.testing.assert_allclose(other.means_, one.means_ * unit, rtol=1e-9)
    np.testing.assert_allclose(
        other.covariances_, one.covariances_ * np.outer(unit, unit), rtol=1e-8
    )


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("init_params", ["k-means++", "kmeans", "random", "random_from_data"])
def test_every_kind_of_start_finds_three_blobs(road, covariance_type, init_params):
    X = np.r_[BLOBS[LABELS == 0], BLOBS[LABELS == 1] + 20, BLOBS[LABELS == 2] - [20, -20]]
    model = fitted(X, covariance_type=covariance_type, init_params=init_params, n_init=10)
    counts = np.sort(np.bincount(LABELS) / 300)[::-1]
    np.testing.assert_allclose(model.weights_, counts, atol=0.01)


def test_starts_are_drawn_anew_for_each_seed_and_the_same_for_the_same():
    def once(seed):
        return fitted(n_init=1, max_iter=1, tol=0, n_components=5, random_state=seed).means_

    np.testing.assert_array_equal(once(3), once(3))
    np.testing.assert_array_equal(once(np.random.RandomState(3)), once(np.random.RandomState(3)))
    assert (once(3) != once(4)).any()
    generator = np.random.RandomState(5)
    assert (once(generator) != once(generator)).any()
    assert once(None).shape == (5, 2)


def test_one_component_is_the_gaussian_of_all(road):
    model = fitted(n_components=1)
    np.testing.assert_allclose(model.means_[0], BLOBS.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(model.covariances_[0], np.cov(BLOBS.T, bias=True), rtol=1e-12)
    assert model.n_iter_ <= 3


def test_a_fit_with_few_steps_says_what_is_missing():
    message = r"^did not converge in 4 steps: .* tol is 1e-07. Raise max_iter, or go on with warm_s"
    with pytest.warns(ConvergenceWarning, match=message):
        model = fitted(FAITHFUL, max_iter=4, n_init=1)
    assert not model.converged_
    assert model.n_iter_ == 4
    assert model.score(FAITHFUL) == pytest.approx(model.lower_bound_, rel=1e-13)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not fitted(
            FAITHFUL, max_iter=4, n_init=1, tol=0
        ).converged_  # asked for, so no warning


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_attributes_belong_together_after_a_single_pass(road, covariance_type):
    X = FAITHFUL
    model = fitted(X, covariance_type=covariance_type, max_iter=1, tol=0, n_init=1)
    mixture = model.mixture_
    assert model.lower_bound_ == pytest.approx(mixture.log_likelihood(X) / 272, rel=1e-13)
    if covariance_type == "tied":
        assert (mixture.covariances == mixture.covariances[0]).all()
    if covariance_type == "spherical":
        ones = model.covariances_[:, np.newaxis, np.newaxis] * np.eye(2)
        np.testing.assert_allclose(mixture.covariances, ones, rtol=1e-14)


def test_where_every_start_ends_in_a_spike():
    X = np.r_[np.random.default_rng(2).normal(size=(30, 2)), 50 + 1e-4 * np.eye(3, 2)]
    with pytest.warns(
        ConvergenceWarning, match=r"^every start ended with a component that is a sp"
    ):
        model = fitted(X, 2)
    assert model.covariances_[1].max() < 1e-6
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # whoever chooses the one start gets what it leads to
        chosen = fitted(X, 2, means_init=[[0.0, 0.0], [50.0, 50.0]])
    same(chosen, model, rtol=1e-4)


def test_fits_in_several_threads_are_each_as_alone(road):
    rng = np.random.default_rng(3)
    X, _ = random_mixture(rng, 3, 6).sample(6000, rng)
    options = {"max_iter": 20, "tol": 0, "n_init": 4}
    alone = [fitted(X, random_state=seed, **options) for seed in range(3)]
    with ThreadPoolExecutor(3) as pool:
        futures = [  # a new thread has no `using` of its own
            pool.submit(copy_context().run, partial(fitted, X, random_state=seed, **options))
            for seed in range(3)
        ]
        for future, one in zip(futures, alone, strict=True):
            assert future.result().mixture_ == one.mixture_


# --- weights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("init_params", ["k-means++", "random_from_data"])
def test_an_integer_weight_is_duplication(road, covariance_type, init_params):
    w = np.random.default_rng(4).integers(0, 4, size=272, dtype=np.intp)
    options = {"covariance_type": covariance_type, "init_params": init_params, "random_state": 0}
    weighted = GaussianMixture(3, **options).fit(FAITHFUL, sample_weight=w)
    rows = np.repeat(FAITHFUL, w, axis=0)
    for repeated in (rows, rows[np.random.default_rng(5).permutation(len(rows))]):
        same(weighted, fitted(repeated, **options), rtol=1e-10)


def test_an_integer_weight_is_duplication_where_the_starts_see_some_rows_only(road, monkeypatch):
    monkeypatch.setattr(gmmlib.fitting.policy, "_RACED_ON", 100)
    w = np.random.default_rng(6).integers(0, 4, size=300, dtype=np.intp)
    weighted = GaussianMixture(3, random_state=0).fit(BLOBS, sample_weight=w)
    same(weighted, fitted(np.repeat(BLOBS, w, axis=0)), rtol=1e-10)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("factor", [1e-3, 0.37, 1e6])
def test_only_the_proportions_of_weights_matter(road, covariance_type, factor):
    w = np.random.default_rng(7).uniform(0.5, 2, size=300)
    options = {"covariance_type": covariance_type, "random_state": 0}
    one = GaussianMixture(3, **options).fit(BLOBS, sample_weight=w)
    same(GaussianMixture(3, **options).fit(BLOBS, sample_weight=factor * w), one, rtol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_weight_0_leaves_a_row_out(road, covariance_type):
    w = np.random.default_rng(8).integers(0, 2, size=300, dtype=np.intp)
    strange = np.r_[BLOBS, [[1e250, 0.0], [-1e20, 1e20]]]
    options = {"covariance_type": covariance_type, "random_state": 0}
    model = GaussianMixture(3, **options).fit(strange, sample_weight=np.r_[w, 0, 0])
    same(model, fitted(BLOBS[w > 0], **options), rtol=1e-10)


def test_fit_predict_takes_weights():
    w = np.random.default_rng(9).integers(0, 3, size=300, dtype=np.intp)
    model = GaussianMixture(3, random_state=0)
    labels = model.fit_predict(BLOBS, sample_weight=w)
    assert labels.dtype == np.intp
    np.testing.assert_array_equal(labels, model.fit(BLOBS, sample_weight=w).predict(BLOBS))


# --- where X comes from ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda _: BLOBS.tolist(), id="lists"),
        pytest.param(lambda _: tuple(map(tuple, BLOBS)), id="tuples"),
        pytest.param(lambda _: np.asfortranarray(BLOBS), id="Fortran"),
        pytest.param(lambda _: np.repeat(BLOBS, 2, axis=1)[:, ::2], id="sliced"),
        pytest.param(lambda _: BLOBS.astype(">f8"), id="big-endian"),
        pytest.param(lambda _: BLOBS.astype(object), id="objects"),
        pytest.param(lambda _: np.ma.array(BLOBS), id="nothing-masked"),
        pytest.param(lambda path: mapped_file(path, BLOBS), id="memmap"),
        pytest.param(lambda path: mapped_file(path, np.asfortranarray(BLOBS)), id="memmap-Fortran"),
        pytest.param(lambda path: mapped_file(path, BLOBS.astype(">f8")), id="memmap-big-endian"),
        pytest.param(lambda _: lambda: np.split(BLOBS, [7, 100]), id="function"),
    ],
)
def test_the_same_fit_from_any_form(tmp_path, form):
    X = form(tmp_path / "x.npy")
    model = fitted(X, n_init=2)
    one = fitted(n_init=2)
    assert model.mixture_ == one.mixture_
    assert model.n_features_in_ == 2
    assert model.score(X) == pytest.approx(one.lower_bound_, rel=1e-13)
    if not callable(X):
        np.testing.assert_array_equal(model.predict(X), one.predict(BLOBS))


def test_single_precision_data_are_fitted_in_double(road):
    X = BLOBS.astype(np.float32)
    model = fitted(X)
    same(model, fitted(X.astype(float)), rtol=1e-6)
    assert model.mixture_ == fitted(X.astype(float)).mixture_


def test_whole_numbers_and_truth_values():
    X = np.random.default_rng(10).integers(0, 9, size=(100, 2))
    assert fitted(X, 2).mixture_ == fitted(X.astype(float), 2).mixture_
    flags = X > 3
    assert fitted(flags, 1).mixture_ == fitted(flags.astype(float), 1).mixture_


def test_a_function_with_weights():
    w = np.random.default_rng(11).integers(0, 3, size=300, dtype=np.intp)
    pairs = [(BLOBS[:50], w[:50]), (BLOBS[50:], w[50:])]
    model, one = fitted(lambda: pairs), GaussianMixture(3, random_state=0)
    same(model, one.fit(BLOBS, sample_weight=w), rtol=1e-13)
    assert model.score(lambda: pairs) == pytest.approx(model.lower_bound_, rel=1e-12)
    repeated = np.repeat(BLOBS, w, axis=0)
    for name in ("score", "aic", "bic"):
        assert getattr(model, name)(lambda: pairs) == pytest.approx(getattr(model, name)(repeated))
    assert not hasattr(model, "feature_names_in_")


def test_many_rows_are_raced_on_some_of_them(road, monkeypatch):
    monkeypatch.setattr(gmmlib.fitting.policy, "_RACED_ON", 90)
    for covariance_type in COVARIANCE_TYPES:
        options = {"covariance_type": covariance_type}
        model = fitted(**options)
        monkeypatch.undo()
        same(model, fitted(**options), rtol=1e-6)
        monkeypatch.setattr(gmmlib.fitting.policy, "_RACED_ON", 90)


# --- starts that are given ------------------------------------------------------------------------


def precisions(covariance_type):
    scale = np.array([1.0, 0.5, 2.0])
    return {
        "full": scale[:, np.newaxis, np.newaxis] * np.array([[2.0, 0.3], [0.3, 1.0]]),
        "tied": np.array([[2.0, 0.3], [0.3, 1.0]]),
        "diag": scale[:, np.newaxis] * np.array([2.0, 1.0]),
        "spherical": scale,
    }[covariance_type]


WEIGHTS = [0.2, 0.5, 0.3]
MEANS = [[0.0, 1.0], [4.0, 3.0], [-3.0, 4.0]]


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_all_three_are_given(road, covariance_type):
    options = {
        "covariance_type": covariance_type,
        "weights_init": WEIGHTS,
        "means_init": MEANS,
        "precisions_init": precisions(covariance_type),
    }
    start = fitted(**options, max_iter=0)
    np.testing.assert_allclose(start.weights_, WEIGHTS, rtol=1e-14)
    np.testing.assert_allclose(start.means_, MEANS, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(start.precisions_, precisions(covariance_type), rtol=1e-13)
    one = fitted(**options, max_iter=1, tol=0)
    wanted, _ = plain_em_step(BLOBS, start.mixture_, covariance_type)
    np.testing.assert_allclose(one.means_, wanted.means, rtol=1e-11)
    np.testing.assert_allclose(one.mixture_.covariances, wanted.covariances, rtol=1e-10, atol=1e-12)
    end = fitted(**options)
    np.testing.assert_allclose(end.means_, MEANS, atol=1.5)  # the order of the start is kept


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_means_are_given(road, covariance_type):
    start = fitted(covariance_type=covariance_type, means_init=MEANS, max_iter=0)
    np.testing.assert_allclose(start.means_, MEANS, rtol=1e-14, atol=1e-15)
    nearest = (((BLOBS[:, np.newaxis] - MEANS) / BLOBS.std(axis=0)) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_allclose(start.weights_, np.bincount(nearest) / 300, rtol=1e-12)
    if covariance_type == "full":
        own = np.array([np.cov(BLOBS[nearest == j].T, ddof=0) for j in range(3)])
        counts = np.bincount(nearest)
        pooled = np.tensordot(counts / 300, own, 1)
        few = (4 / counts)[:, np.newaxis, np.newaxis]  # d + 2 observations
        wanted = (1 - few) * own + (few + 0.01) * pooled + 1e-4 * np.cov(BLOBS.T, ddof=0)
        np.testing.assert_allclose(start.covariances_, wanted, rtol=1e-10)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_precisions_are_given(road, covariance_type):
    P = precisions(covariance_type)
    options = {"covariance_type": covariance_type, "precisions_init": P}
    start = fitted(**options, n_init=1, max_iter=0)
    np.testing.assert_allclose(np.sort(start.precisions_, 0), np.sort(P, 0), rtol=1e-13)
    same(fitted(**options), fitted(covariance_type=covariance_type), rtol=1e-5)


def test_weights_are_given(road):
    start = fitted(weights_init=WEIGHTS, n_init=1, max_iter=0)
    np.testing.assert_allclose(start.weights_, [0.5, 0.3, 0.2], rtol=1e-14)
    same(fitted(weights_init=WEIGHTS), fitted(), rtol=1e-5)


def test_precisions_in_units_far_apart():
    unit = np.array([1e-60, 1e60])
    P = np.array([[1.0, 0.99], [0.99, 1.0]]) / np.outer(unit, unit)
    start = fitted(BLOBS * unit, 1, precisions_init=[P], max_iter=0)
    np.testing.assert_allclose(start.precisions_[0], P, rtol=1e-12)


def test_a_warm_start_goes_on(road):
    model = GaussianMixture(3, random_state=0, n_init=1, warm_start=True, max_iter=3, tol=0)
    model.fit(FAITHFUL)
    first = model.lower_bound_
    model.fit(FAITHFUL)
    assert model.lower_bound_ > first
    assert model.lower_bounds_[0] == pytest.approx(first, rel=1e-13)
    model.set_params(max_iter=1000, tol=1e-7).fit(FAITHFUL)
    assert model.converged_
    model.fit(FAITHFUL)
    assert model.n_iter_ <= 3


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_warm_start_with_another_type(road, covariance_type):
    model = GaussianMixture(3, random_state=0, warm_start=True).fit(BLOBS)
    model.set_params(covariance_type=covariance_type, max_iter=1, tol=0).fit(BLOBS)
    assert model.score(BLOBS) == pytest.approx(model.lower_bound_, rel=1e-13)
    model.set_params(max_iter=1000, tol=1e-7).fit(BLOBS)
    assert model.converged_


def test_a_warm_start_with_another_shape():
    model = GaussianMixture(3, random_state=0, warm_start=True).fit(BLOBS)
    before = state(model)
    with pytest.raises(
        ValueError, match=r"^warm_start: the last fit has means of shape \(3, 2\), but"
    ):
        model.set_params(n_components=4).fit(BLOBS)
    model.set_params(n_components=3)
    assert state(model) == before


# --- what is shown --------------------------------------------------------------------------------


def test_nothing_is_shown_by_default(capfd):
    fitted()
    assert capfd.readouterr() == ("", "")


def test_a_progress_bar_on_request(capfd):
    model = fitted(FAITHFUL, verbose=1)
    out, err = capfd.readouterr()
    assert out == ""
    assert "starts: " in err
    assert f"{model.n_iter_}/{model.n_iter_}" in err
    assert f"ℓ {model.log_likelihoods_[-1]:.6f}, distance " in err


def test_a_progress_bar_over_long_passes(capfd, small_blocks):
    many = np.tile(FAITHFUL, (40, 1))
    fitted(many, 5, n_init=1, verbose=1, verbose_interval=1, max_iter=500, tol=0)
    assert " % of this pass" in capfd.readouterr().err


# --- what needs regularising ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "what"),
    [
        (np.c_[BLOBS, np.full(300, 7.0)], "column 2 of X has the same value in every row, 7"),
        (np.full((20, 1), 3.0), "column 0 of X has the same value in every row, 3 up to rounding"),
        (np.c_[BLOBS, BLOBS @ [1, 2]], "the columns of X are linearly dependent"),
        (BLOBS[:2], "X has 2 observations and 2 columns: too few rows for a covariance."),
    ],
    ids=["constant", "all-equal", "dependent", "few-rows"],
)
def test_a_millionth_is_added_where_it_is_needed(road, X, what):
    with pytest.warns(UserWarning, match=r"Now a millionth of each column's variance") as caught:
        model = GaussianMixture(1).fit(X)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith(what)
    assert "With reg_covar=0 this is an error." in message
    assert caught[0].filename == __file__
    variances = np.var(X, axis=0)
    added = np.where(variances < 1e-20, 1e-6, 1e-6 * variances)
    wanted = np.cov(X.T, bias=True).reshape(X.shape[1], -1) + np.diag(added)
    np.testing.assert_allclose(model.covariances_[0], wanted, rtol=1e-9)
    assert np.isfinite(model.score(X))
    before = state(model)
    with pytest.raises(ValueError) as error:
        model.set_params(reg_covar=0).fit(X)
    assert str(error.value).startswith(what)
    model.set_params(reg_covar=None)
    assert state(model) == before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(reg_covar=0.5).fit(X)
    np.testing.assert_allclose(np.diagonal(model.covariances_[0]), variances + 0.5, rtol=1e-12)


@pytest.mark.parametrize("covariance_type", ["diag", "spherical"])
def test_variances_alone_need_no_independent_columns(covariance_type):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(np.c_[BLOBS, BLOBS @ [1, 2]], covariance_type=covariance_type)


@pytest.mark.filterwarnings("ignore:column 0 of X:UserWarning")
@pytest.mark.parametrize("init_params", ["k-means++", "kmeans", "random", "random_from_data"])
def test_a_constant_column_with_every_kind_of_start(road, init_params):
    X = np.c_[np.full(300, 2.0), BLOBS]
    model = fitted(X, init_params=init_params)
    np.testing.assert_allclose(model.means_[:, 0], 2.0)


# --- what is refused ------------------------------------------------------------------------------


def case(name, call, kind, *fragments):
    return pytest.param(call, kind, fragments, id=name)


def with_option(X=BLOBS, n_components=2, sample_weight=None, **options):
    return lambda model: model.set_params(n_components=n_components, **options).fit(
        X, sample_weight=sample_weight
    )


def with_value(value):
    X = BLOBS.copy()
    X[7, 1] = value
    return X


FEW = np.repeat(BLOBS[:3], 5, axis=0)

BAD = [
    case(
        "no-component", with_option(n_components=0), ValueError, "n_components is 0.", "from 1 up"
    ),
    case("half", with_option(n_components=2.5), ValueError, "n_components is 2.5.", "whole number"),
    case("true", with_option(n_components=True), ValueError, "n_components is True."),
    case(
        "steps", with_option(max_iter=-1), ValueError, "max_iter is -1. Pass a whole number from 0"
    ),
    case("starts", with_option(n_init=-1), ValueError, "n_init is -1."),
    case("tol", with_option(tol=-1e-3), ValueError, "tol is -0.001. Pass a number from 0 up."),
    case("tol-nan", with_option(tol=np.nan), ValueError, "tol is nan."),
    case("tol-text", with_option(tol="small"), ValueError, "tol is 'small'."),
    case("tol-none", with_option(tol=None), ValueError, "tol is None."),
    case("reg", with_option(reg_covar=-1.0), ValueError, "reg_covar is -1.0."),
    case("reg-infinite", with_option(reg_covar=np.inf), ValueError, "reg_covar is inf."),
    case(
        "type",
        with_option(covariance_type="round"),
        ValueError,
        "covariance_type is 'round'. Choose one of 'full', 'tied', 'diag', 'spherical', 'EII'",
    ),
    case("init", with_option(init_params="pca"), ValueError, "init_params is 'pca'. Choose one of"),
    case("seed", with_option(random_state="x"), ValueError, "'x' cannot be used to seed"),
    case(
        "more-components-than-rows",
        with_option(BLOBS[:5], 6),
        ValueError,
        "n_components is 6, but the number of observations is only 5.",
        "bring more data",
    ),
    case(
        "more-components-than-different-rows",
        with_option(FEW, 4),
        ValueError,
        "n_components is 4, but X has fewer different rows (of weight above 0).",
        "Ask for fewer components",
    ),
    case(
        "different-rows-of-weight-0",
        with_option(FEW, 3, sample_weight=np.repeat([1, 1, 0], 5)),
        ValueError,
        "n_components is 3, but X has fewer different rows",
    ),
    case(
        "one-row", with_option(BLOBS[:1], 1), ValueError, "X has 1 sample: one observation has no"
    ),
    case("nan", with_option(with_value(np.nan)), ValueError, "the first at index (7, 1) (nan)."),
    case(
        "infinite", with_option(with_value(np.inf)), ValueError, "the first at index (7, 1) (inf)."
    ),
    case("huge", with_option(with_value(1e200)), ValueError, "column 1 of X holds 1.0e+200"),
    case("one-dimension", with_option(BLOBS[:, 0]), ValueError, "Expected 2D array, got 1D"),
    case("three-dimensions", with_option(BLOBS.reshape(3, 100, 2)), ValueError, "dim 3"),
    case("sparse", with_option(scipy.sparse.csr_array(BLOBS)), TypeError, "toarray()"),
    case("no-rows", with_option(BLOBS[:0]), ValueError, "0 sample(s)"),
    case("no-columns", with_option(BLOBS[:, :0]), ValueError, "0 feature(s)"),
    case(
        "weights", with_option(sample_weight=-np.ones(300)), ValueError, "sample_weight must not be"
    ),
    case(
        "no-weight", with_option(sample_weight=np.zeros(300)), ValueError, "sample_weight is zero"
    ),
    case("weights-length", with_option(sample_weight=[1.0]), ValueError, "sample_weight has shape"),
    case(
        "collapse",
        with_option(
            np.array([[0.0], [1.0], [2.0], [50.0]]), 2, reg_covar=0, means_init=[[1], [50]]
        ),
        CollapseError,
        "component ",
        "its variance fell to nothing around ",
        "(covariance_type='tied') or reg_covar is above 0",
    ),
    case(
        "collapse-of-the-shared",
        with_option(np.repeat([[0.0], [1.0]], 9, axis=0), 2, covariance_type="tied", reg_covar=0),
        CollapseError,
        "fell to nothing",
    ),
    case(
        "collapse-from-means",
        with_option(
            np.r_[BLOBS, [[99.0, 99.0]]], means_init=[[0.0, 0.0], [99.0, 99.0]], reg_covar=0
        ),
        CollapseError,
        "component 1 (counting from 0) collapsed at iteration ",
        "around 99, 99 (N = 1)",
    ),
    case(
        "weights-init-sum", with_option(weights_init=[0.5, 0.6]), ValueError, "must sum to 1", "1.1"
    ),
    case(
        "weights-init-shape",
        with_option(weights_init=[1.0]),
        ValueError,
        "weights_init has shape (1,), but (2,) is needed.",
    ),
    case(
        "weights-init-zero",
        with_option(weights_init=[1.0, 0.0]),
        ValueError,
        "weights_init is 0 for component 1 (counting from 0). Give each a weight above 0",
    ),
    case(
        "means-init-shape",
        with_option(means_init=[[0.0], [1.0]]),
        ValueError,
        "means_init has shape (2, 1), but (2, 2) is needed.",
    ),
    case(
        "means-init-nan", with_option(means_init=[[0, 0], [0, np.nan]]), ValueError, "index (1, 1)"
    ),
    case(
        "means-init-far",
        with_option(means_init=[[0, 0], [1e150, 0]]),
        CollapseError,
        "no observation",
    ),
    case(
        "means-init-beyond-floats",
        with_option(BLOBS * 1e-100, means_init=[[0, 0], [1e250, 0]]),
        ValueError,
        "means_init is out of the range of floats beside data of standard deviation",
    ),
    case(
        "precisions-init-shape",
        with_option(precisions_init=np.eye(2)),
        ValueError,
        "precisions_init has shape (2, 2), but (2, 2, 2) is needed.",
    ),
    case(
        "precisions-init-not-definite",
        with_option(precisions_init=[np.eye(2), [[1.0, 2.0], [2.0, 1.0]]]),
        ValueError,
        "precisions_init: the precision of component 1 (counting from 0) is not positive definite: "
        "its smallest eigenvalue is -1. Pass the inverse of a covariance.",
    ),
    case(
        "precisions-init-negative",
        with_option(precisions_init=[1.0, -2.0], covariance_type="spherical"),
        ValueError,
        "the precision of component 1 (counting from 0) is not positive definite",
    ),
    case(
        "precisions-init-zero",
        with_option(precisions_init=np.zeros((2, 2)), covariance_type="diag"),
        ValueError,
        "the precision of component 0 (counting from 0) is not positive definite",
    ),
    case(
        "precisions-init-not-symmetric",
        with_option(precisions_init=[[2.0, 0.5], [0.4, 1.0]], covariance_type="tied"),
        ValueError,
        "the precision of component 0 (counting from 0) is not symmetric.",
    ),
    case(
        "precisions-init-beyond-floats",
        with_option(BLOBS * 1e-100, precisions_init=[1e-200] * 2, covariance_type="spherical"),
        ValueError,
        "precisions_init is out of the range of floats beside data of standard deviation",
    ),
    case(
        "a-generator", lambda model: model.fit(row for row in BLOBS), TypeError, "X is a generator"
    ),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("before", ["new", "fitted"])
@pytest.mark.parametrize(("call", "kind", "fragments"), BAD)
def test_what_is_refused_leaves_the_estimator_as_it_was(road, call, kind, fragments, before):
    model = GaussianMixture(random_state=0)
    if before == "fitted":
        model.fit(np.c_[BLOBS, BLOBS[:, 0] ** 2])
    attributes = {key: value for key, value in vars(model).items() if key.endswith("_")}
    kept = pickle.dumps(attributes)
    with pytest.raises(kind) as caught:
        call(model)
    assert type(caught.value) is kind
    message = str(caught.value)
    for fragment in fragments:
        assert fragment in message
    now = {key: value for key, value in vars(model).items() if key.endswith("_")}
    assert pickle.dumps(now) == kept


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("data", [case.values[0] for case in DATA if case.id != "columns"])
def test_data_that_the_book_refuses(data):
    """The words may be scikit-learn's, where its own checks expect them."""
    model = GaussianMixture(1)
    with pytest.raises((TypeError, ValueError)) as caught:
        model.fit(data)
    assert type(caught.value) in (TypeError, ValueError)
    assert len(str(caught.value)) > 20
    assert vars(model) == vars(GaussianMixture(1))


def test_new_data_that_are_refused(tmp_path):
    model = fitted()
    for X in (with_value(np.nan), mapped_file(tmp_path / "x.npy", with_value(np.nan))):
        with pytest.raises(ValueError, match=r"^observation 7 is NaN or infinite for a density: "):
            model.predict(X)
    with pytest.raises(
        ValueError, match=r"^observation 7 is too far away for a density: .*units\.$"
    ):
        model.score_samples(with_value(1e200))
    with pytest.raises(ValueError, match="X has 3 features, but GaussianMixture is expecting 2"):
        model.predict(np.zeros((5, 3)))
    with pytest.raises(ValueError, match="X has 3 features"):
        model.score(mapped_file(tmp_path / "y.npy", np.zeros((5, 3))))
    with pytest.raises(
        TypeError, match=r"^a function that yields blocks is for fit, score, aic and"
    ):
        model.predict(lambda: [BLOBS])
    with pytest.raises(
        ValueError, match=r"^X yields 3 columns, but the mixture has 2 dimensions\."
    ):
        model.score(lambda: [np.zeros((5, 3))])
    for nothing in (lambda: [], lambda: [(BLOBS, np.zeros(300))]):
        with pytest.raises(ValueError, match="yielded no rows of weight above 0"):
            model.score(nothing)


@pytest.mark.parametrize("n", [0, -1, 2.5])
def test_samples_of_no_size(n):
    with pytest.raises((TypeError, ValueError), match="n "):
        fitted().sample(n)


def test_an_interrupted_fit_leaves_the_estimator_as_it_was(monkeypatch):
    model = fitted()
    before = state(model)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(gmmlib.fitting.policy, "converge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(np.c_[BLOBS, BLOBS**2])
    assert state(model) == before


def test_a_convergence_warning_made_an_error_leaves_the_estimator_as_it_was():
    model = fitted()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(max_iter=2)
        before = state(model)
        with pytest.raises(ConvergenceWarning):
            model.fit(FAITHFUL)
    assert state(model) == before


def test_the_bar_ends_where_a_fit_fails(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    model = GaussianMixture(2, means_init=[[0.0], [50.0]], verbose=1, reg_covar=0)
    with pytest.raises(CollapseError):
        model.fit([[0.0], [1.0], [2.0], [50.0]])
    assert stream.getvalue().endswith("\n")
