"""What programs do with an estimator: set and sort its parameters, build it, go on, weigh, warn."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.mixture
from sklearn.exceptions import ConvergenceWarning as PeersConvergenceWarning
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gmmlib
from gmmlib import GaussianMixture, Mixture, datasets
from gmmlib.estimators.attributes import NAMES, SPREADS
from gmmlib.models import COVARIANCE_TYPES

X, LABELS = datasets.three_blobs(n=300)
NEW = np.random.default_rng(5).normal(size=(40, 2)) * 3


def fitted(covariance_type="full", data=X, **options):
    model = GaussianMixture(3, covariance_type=covariance_type, random_state=0, **options)
    return model.fit(data)


def peer(covariance_type="full", data=X):
    model = sklearn.mixture.GaussianMixture(
        3, covariance_type=covariance_type, random_state=0, tol=1e-10, max_iter=500
    )
    return model.fit(data)


def same(one, other, rtol=1e-10):
    np.testing.assert_allclose(one.score_samples(NEW), other.score_samples(NEW), rtol=rtol)


# --- set, changed, sorted -------------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("spread", SPREADS)
def test_three_attributes_are_a_model(covariance_type, spread):
    theirs, ours = peer(covariance_type), GaussianMixture(3, covariance_type=covariance_type)
    for name in ("weights_", "means_", spread):
        setattr(ours, name, getattr(theirs, name))
    same(ours, theirs)
    np.testing.assert_array_equal(ours.predict(NEW), theirs.predict(NEW))
    assert ours.bic(X) == pytest.approx(theirs.bic(X))
    assert ours.sample(4, random_state=1)[0].shape == (4, 2)


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
def test_components_sorted_in_the_way_of_scikit_learns_users(covariance_type):
    model = fitted(covariance_type)
    before, order = model.predict_proba(NEW), np.argsort(model.means_[:, 0])
    assert order.tolist() != [0, 1, 2]
    for name in NAMES:
        setattr(model, name, getattr(model, name)[order])
    np.testing.assert_allclose(model.predict_proba(NEW), before[:, order], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("spread", SPREADS)
def test_one_kind_of_spread_is_enough(spread):
    model = fitted()
    factor = {"covariances_": 4, "precisions_": 1 / 4, "precisions_cholesky_": 1 / 2}[spread]
    setattr(model, spread, factor * getattr(model, spread))
    fourfold = Mixture(model.weights_, model.means_, 4 * fitted().covariances_)
    np.testing.assert_allclose(model.score_samples(NEW), fourfold.log_density(NEW), rtol=1e-9)


def test_an_attribute_changed_in_place():
    model = fitted()
    model.means_[0] += 100
    wanted = Mixture(model.weights_, model.means_, model.covariances_)
    np.testing.assert_allclose(model.score_samples(NEW), wanted.log_density(NEW), rtol=1e-12)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.score_samples(NEW), model.score_samples(NEW))
    model.fit(X)  # and forgotten
    same(model, fitted())


def test_a_lower_factor_is_a_factor_too():
    model = GaussianMixture(3)
    model.weights_, model.means_ = fitted().weights_, fitted().means_
    model.precisions_cholesky_ = np.linalg.cholesky(fitted().precisions_)
    same(model, fitted(), rtol=1e-8)


def test_untouched_attributes_lose_no_digit():
    model = fitted(data=X.astype(np.float32))
    assert {getattr(model, name).dtype for name in NAMES} == {np.dtype(np.float32)}
    assert model.mixture_ == fitted(data=X.astype(np.float32).astype(float)).mixture_


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"precisions_": lambda P: 2 * P, "covariances_": lambda S: 3 * S}, ValueError, "do not"),
        ({"covariances_": lambda S: S[:2]}, ValueError, r"covariances_ has shape \(2, 2, 2\), but"),
        ({"means_": lambda m: m[0]}, ValueError, r"means_ has shape \(2,\)\. Set one row per"),
        ({"weights_": lambda w: 2 * w}, ValueError, "weights must sum to 1, but they sum to 2"),
        ({"precisions_": lambda P: -P}, ValueError, "precisions_: the precision of component 0 "),
        ({"precisions_cholesky_": lambda F: 0 * F}, ValueError, "component 0 .* is not positive"),
        ({"covariances_": lambda S: np.full_like(S, np.nan)}, ValueError, "covariances_ .*NaN|nan"),
    ],
    ids=["disagree", "shape", "row", "sum", "negative", "singular", "nan"],
)
def test_what_is_no_model(change, error, said):
    model = fitted()
    for name, function in change.items():
        setattr(model, name, function(getattr(model, name)))
    with pytest.raises(error, match=said):
        model.predict(NEW)


@pytest.mark.parametrize("missing", ["weights_", "means_", "covariances_"])
def test_what_is_not_set(missing):
    model = GaussianMixture(3)
    for name in {"weights_", "means_", "covariances_"} - {missing}:
        setattr(model, name, getattr(fitted(), name))
    with pytest.raises(NotFittedError, match=f"{missing} is not set"):
        model.predict(NEW)


def test_nothing_is_set():
    with pytest.raises(NotFittedError):
        GaussianMixture(3).predict(NEW)
    assert not hasattr(GaussianMixture(3), "mixture_")


# --- built and ordered ----------------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_from_a_mixture_and_back(covariance_type):
    model = fitted(covariance_type)
    built = GaussianMixture.from_mixture(model.mixture_, covariance_type, random_state=3)
    assert built.mixture_ == model.mixture_
    assert built.get_params()["random_state"] == 3
    assert built.n_features_in_ == 2
    same(built, model, rtol=1e-14)
    with pytest.raises(ValueError, match="X has 3 features"):
        built.predict(np.zeros((1, 3)))


@pytest.mark.parametrize("covariance_type", ["tied", "diag", "spherical"])
def test_a_mixture_of_another_type_is_refused(covariance_type):
    with pytest.raises(ValueError, match=f"not of the type '{covariance_type}'"):
        GaussianMixture.from_mixture(fitted().mixture_, covariance_type)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_from_what_scikit_learn_fitted(covariance_type, dtype):
    theirs = peer(covariance_type, X.astype(dtype))
    ours = GaussianMixture.from_fitted(theirs, warm_start=True)
    same(ours, theirs, rtol=1e-10 if dtype == np.float64 else 2e-5)
    assert ours.means_.dtype == theirs.means_.dtype  # older versions have doubles
    assert ours.fit(X).n_iter_ < 100
    with pytest.raises(NotFittedError):
        GaussianMixture.from_fitted(sklearn.mixture.GaussianMixture())


def test_components_in_another_order():
    model = fitted()
    left = model.reordered(lambda mixture: mixture.means[:, 0])
    assert (np.diff(left.means_[:, 0]) > 0).all()
    np.testing.assert_array_equal(
        left.score_samples(NEW).round(12), model.score_samples(NEW).round(12)
    )
    assert left.lower_bound_ == model.lower_bound_
    assert model.reordered([2, 0, 1]).weights_.tolist() == model.weights_[[1, 2, 0]].tolist()
    with pytest.raises(ValueError, match=r"key has shape \(2,\), but \(3,\) is needed"):
        model.reordered([0, 1])


# --- weights, steps, warnings ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["score", "aic", "bic"])
def test_weights_of_observations(name):
    w = np.random.default_rng(1).integers(0, 4, size=len(X), dtype=np.intp)
    model = GaussianMixture(3, random_state=0).fit(X, sample_weight=w)
    repeated = np.repeat(X, w, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weighted = getattr(model, name)(X, sample_weight=w)
    with pytest.warns(UserWarning, match="here each row of X counts once") as caught:
        assert getattr(model, name)(repeated) == pytest.approx(weighted)
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match="sample_weight cannot be combined with a function"):
        getattr(model, name)(lambda: [X], sample_weight=w)


def test_every_step_counts():
    """As many fits of one step as steps of one fit, and no step is lost."""
    steps = GaussianMixture(3, random_state=0, max_iter=1, n_init=1, tol=0, warm_start=True)
    for _ in range(3):
        before = getattr(steps, "lower_bound_", -np.inf)
        assert steps.fit(X).n_iter_ == 1
        assert steps.lower_bound_ > before
    plain = steps.mixture_
    start = fitted(max_iter=0, n_init=1).mixture_
    for _ in range(3):
        start = gmmlib.m_step(X, gmmlib.e_step(X, start)[0])
    order = np.argsort(-start.weights)
    np.testing.assert_allclose(
        plain.means[np.argsort(-plain.weights)], start.means[order], rtol=1e-9
    )


def test_no_step_at_all():
    model = fitted(max_iter=0, means_init=[[0, 0], [4, 3], [-3, 4]])
    assert (model.n_iter_, model.converged_) == (0, False)
    np.testing.assert_allclose(model.means_, [[0, 0], [4, 3], [-3, 4]], atol=1e-15)
    assert model.lower_bound_ == pytest.approx(model.score(X), rel=1e-12)


@pytest.mark.parametrize("call", ["fit", "fit_predict"])
@pytest.mark.parametrize(
    "wrap", [lambda model: model, lambda m: make_pipeline(StandardScaler(), m)]
)
def test_a_warning_names_the_callers_line(call, wrap):
    model = wrap(GaussianMixture(3, max_iter=1, n_init=1, random_state=0))
    with pytest.warns(PeersConvergenceWarning) as caught:
        getattr(model, call)(X)
    assert caught[0].filename == __file__
    assert isinstance(caught[0].message, gmmlib.ConvergenceWarning)


def test_single_precision_starts_of_scikit_learn():
    theirs = peer(data=X.astype(np.float32))
    model = fitted(
        weights_init=theirs.weights_, means_init=theirs.means_, precisions_init=theirs.precisions_
    )
    same(model, peer(), rtol=1e-4)
    # the dtype of scikit-learn's own shares differs between machines
    shares = theirs.predict_proba(X.astype(np.float32)).astype(np.float32)
    assert gmmlib.m_step(X, shares).weights.sum() == pytest.approx(1, abs=1e-14)
    with pytest.raises(ValueError, match="must sum to 1"):
        gmmlib.m_step(X, shares.astype(np.float64))


def test_more_components_than_different_rows_with_a_floor():
    few = np.repeat([[0.0, 0.0], [1.0, 1.0]], 10, axis=0)
    assert GaussianMixture(3, reg_covar=1e-3, random_state=0).fit(few).means_.shape == (3, 2)
    with pytest.raises(ValueError, match="X has fewer different rows"):
        GaussianMixture(3).fit(few)


@pytest.mark.parametrize("option", [{"warm_start": "no"}, {"verbose_interval": 0}])
def test_options_that_are_refused(option):
    (name,) = option
    with pytest.raises(ValueError, match=f"^{name} is "):
        GaussianMixture(3, **option).fit(X)


def test_a_bar_is_drawn_ten_times_a_second_at_most(capfd, monkeypatch):
    import tqdm.std

    now = [0.0]

    def time():
        now[0] += 1e-4  # each look at the clock
        return now[0]

    monkeypatch.setattr(tqdm.std.tqdm, "_time", staticmethod(time), raising=False)
    monkeypatch.setattr(tqdm.std, "time", time)
    fitted(verbose=1, verbose_interval=1, tol=0, max_iter=300)
    drawn = capfd.readouterr().err.count("\r")
    assert drawn <= 10 * now[0] + 5


# --- data that come in blocks ---------------------------------------------------------------------


class Loader:
    """As a data loader of another library: it can be gone through again and again."""

    def __iter__(self):
        return iter([X[:100], X[100:]])

    def __len__(self):
        return 2


@pytest.mark.parametrize("make", [Loader, lambda: (part for part in [X]), lambda: iter([X])])
def test_what_can_be_gone_through_is_no_table(make):
    with pytest.raises(TypeError, match=r"EM goes through the data many times\. Pass a function"):
        GaussianMixture(3).fit(make())


def test_a_loader_in_a_function():
    same(fitted(data=Loader), fitted())


FRAME = pd.DataFrame(X, columns=["duration", "wait"])


def halves(rows, paired=False):
    return lambda: [(part, np.ones(len(part))) if paired else part for part in (rows[:9], rows[9:])]


def test_names_of_columns_are_kept():
    model = fitted(data=halves(FRAME))
    assert model.feature_names_in_.tolist() == ["duration", "wait"]
    assert model.score(halves(FRAME)) == model.score(FRAME)


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("call", ["score", "aic", "bic"])
@pytest.mark.parametrize(
    "other",
    [FRAME[["wait", "duration"]], FRAME.add_suffix("s"), FRAME.assign(height=1.0)],
    ids=["order", "names", "number"],
)
def test_other_columns_are_refused_in_blocks_too(other, call, paired):
    model = fitted(data=halves(FRAME))
    with pytest.raises(ValueError, match="feature names should match") as whole:
        model.predict(other)
    with pytest.raises(ValueError, match="feature names should match") as in_blocks:
        getattr(model, call)(halves(other, paired))
    assert str(in_blocks.value) == str(whole.value)


@pytest.mark.parametrize(
    ("first", "then"), [(FRAME, X), (X, FRAME), (pd.DataFrame(X), FRAME), (pd.DataFrame(X), X)]
)
def test_names_that_are_missing_give_one_warning(first, then):
    said = []
    for made in (lambda rows: rows, halves):
        model = fitted(data=made(first))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.score(made(then))
        said.append([(one.category, str(one.message)) for one in caught])
    assert said[0] == said[1]
    assert len(said[0]) == (FRAME is first or FRAME is then)


# --- where every start collapses ------------------------------------------------------------------

TWO_POINTS = np.repeat([[0.0, 0.0], [1.0, 1.0]], 50, axis=0)
THREE_VALUES = np.repeat([[0.0], [1.0], [5.0]], 20, axis=0)


@pytest.mark.filterwarnings("ignore:every start ended with a component that is a spike")
@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (TWO_POINTS, {"covariance_type": "diag"}, r"all 20 starts .*'random' .* a millionth of"),
        (TWO_POINTS, {"covariance_type": "spherical"}, r"all 20 starts .* a millionth of each"),
        (
            THREE_VALUES,
            {"n_components": 3, "n_init": 5},
            r"all 5 starts of init_params='search' and of .*'random'",
        ),
        (X, {"means_init": [[0.0, 0.0], [1e6, 0.0]], "precisions_init": [np.eye(2) * 1e9] * 2}, ""),
    ],
    ids=["diag", "spherical", "values", "given"],
)
def test_other_starts_and_then_a_floor(data, options, said):
    if not said:  # a floor does not help a component that no observation is near
        with pytest.raises(gmmlib.CollapseError):
            GaussianMixture(**{"n_components": 2, **options}).fit(data)
        return
    with pytest.warns(UserWarning, match=said) as caught:
        model = GaussianMixture(**{"n_components": 2, "random_state": 0, **options}).fit(data)
    assert np.isfinite(model.lower_bound_)
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match=r"spread|collapsed"):
        GaussianMixture(**{"n_components": 2, "reg_covar": 0, **options}).fit(data)


def test_a_start_that_is_given_gets_a_floor():
    lone = np.r_[X, [[99.0, 99.0]]]
    with pytest.warns(UserWarning, match=r"the start of .* a millionth of each column's variance"):
        model = GaussianMixture(2, means_init=[[0.0, 0.0], [99.0, 99.0]]).fit(lone)
    np.testing.assert_allclose(model.means_[1], [99, 99])
    np.testing.assert_allclose(np.diag(model.covariances_[1]), 1e-6 * lone.var(axis=0), rtol=1e-6)


def test_heavy_tails_are_no_reason_to_fail():
    tails = np.random.default_rng(0).standard_t(2, size=(1000, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert GaussianMixture(3, random_state=0).fit(tails).converged_


# --- means that are given -------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [20, 30])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_true_means_far_apart_are_kept(apart, covariance_type):
    rng = np.random.default_rng(1)
    true = np.array([[0, 0], [apart, 0], [0, apart]])
    data = true[rng.integers(0, 3, size=900)] + rng.normal(size=(900, 2))
    model = GaussianMixture(3, covariance_type=covariance_type, means_init=true).fit(data)
    np.testing.assert_allclose(model.means_, true, atol=0.3)
    assert model.weights_.min() > 0.25


def test_a_mean_with_no_observation_near_it():
    model = GaussianMixture(2, means_init=[[0, 0], [1e3, 0]], max_iter=0).fit(X)
    assert model.weights_[1] == pytest.approx(1 / 301)
    np.testing.assert_allclose(model.covariances_[1], np.cov(X.T, ddof=0), rtol=1e-10)


def test_equal_means_are_refused():
    equal = [[0.0, 0.0], [4.0, 3.0], [0.0, 0.0]]
    with pytest.raises(ValueError, match=r"the same values in the rows 0 and 2: two components"):
        GaussianMixture(3, means_init=equal).fit(X)
    wide_and_narrow = [np.eye(2), np.eye(2), 9 * np.eye(2)]
    model = GaussianMixture(3, means_init=equal, precisions_init=wide_and_narrow).fit(X)
    assert not np.allclose(model.means_[0], model.means_[2])
