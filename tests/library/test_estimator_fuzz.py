"""Any data, any options: an answer, or an error that says why not, and nothing half done."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmmlib import CollapseError, GaussianMixture
from gmmlib.models import COVARIANCE_TYPES, MCLUST_TYPES, family_of
from strategies import seeds

KINDS = ("normal", "whole", "cauchy", "repeated", "uneven", "two-points")


@st.composite
def data(draw):
    """Few rows, of many sorts: repeated, dependent, constant, far away, in any units."""
    rng = np.random.default_rng(draw(seeds))
    n, d = draw(st.integers(1, 25)), draw(st.integers(1, 6))
    kind = draw(st.sampled_from(KINDS))
    X = {
        "normal": lambda: rng.normal(size=(n, d)),
        "whole": lambda: rng.integers(0, 3, size=(n, d)).astype(float),
        "cauchy": lambda: rng.standard_cauchy((n, d)),
        "repeated": lambda: np.repeat(rng.normal(size=(max(1, n // 3), d)), 3, axis=0),
        "uneven": lambda: rng.normal(size=(n, d)) * np.exp(5 * rng.normal(size=(n, 1))),
        "two-points": lambda: np.outer(np.arange(n) % 2, np.ones(d)),
    }[kind]()
    if draw(st.booleans()) and d > 1:
        X[:, -1] = X[:, 0] * rng.normal() + draw(st.sampled_from([0, 1e-9, 1e-5])) * X[:, -1]
    if draw(st.integers(0, 5)) == 0:
        X[:, 0] = 3.0
    exponents = draw(st.sampled_from(["one", "each", "none"]))
    if exponents == "one":
        X = X * 10.0 ** draw(st.integers(-100, 100))
    elif exponents == "each":
        X = X * 10.0 ** rng.integers(-100, 101, size=d)
    if draw(st.booleans()):
        X = X + 10.0 ** draw(st.integers(0, 17)) * np.abs(X).max(axis=0)
    if exponents == "none" and draw(st.booleans()):
        X = X.astype(np.float32)
    weights = draw(st.sampled_from(["none", "whole", "fractions"]))
    w = None
    if weights == "whole":
        w = rng.integers(0, 4, size=len(X))
    elif weights == "fractions":
        w = rng.random(len(X)) * 10.0 ** draw(st.integers(-20, 20))
    return X, w, rng


@st.composite
def options(draw, X, rng):
    K = draw(st.integers(1, 4))
    kind = draw(st.sampled_from((*COVARIANCE_TYPES, *MCLUST_TYPES)))
    chosen = {
        "n_components": K,
        "covariance_type": kind,
        "init_params": draw(st.sampled_from(["k-means++", "kmeans", "random", "random_from_data"])),
        "reg_covar": draw(st.sampled_from([None, 0, 1e-6, 1.0])),
        "tol": draw(st.sampled_from([0, 1e-7, 1e-3])),
        "max_iter": draw(st.integers(1, 60)),
        "n_init": draw(st.integers(1, 6)),
        "random_state": draw(st.integers(0, 9)),
    }
    if draw(st.integers(0, 4)) == 0:
        chosen["means_init"] = X[rng.integers(len(X), size=K)].astype(float)
    if draw(st.integers(0, 4)) == 0:
        chosen["weights_init"] = np.full(K, 1 / K)
    if draw(st.integers(0, 4)) == 0:
        d = X.shape[1]
        width = float(np.abs(X - X[0]).max()) or 1.0
        one = min(width**-2.0, 1e200) if width > 1e-150 else 1e200
        family = family_of(kind)
        kept = np.full((K, d), one) if family.diagonal else np.stack([one * np.eye(d)] * K)
        chosen["precisions_init"] = family.stored(kept)
    return chosen


def digits_lost(X, mixture):
    """How many units of rounding the public mean and covariance may be from those of ℓ."""
    sd = np.sqrt(np.diagonal(mixture.covariances, axis1=1, axis2=2))
    offset = (np.abs(X).max(axis=0) / sd).max()
    correlations = mixture.covariances / (sd[:, :, np.newaxis] * sd[:, np.newaxis])
    return (1 + offset) * np.linalg.cond(correlations).max()


def fit_and_check(X, w, chosen):
    """Fits twice: anew, and over an older fit, which must stay as it was where this one fails."""
    older = GaussianMixture(1).fit([[0.0], [1.0], [3.0]])
    before = pickle.dumps({k: v for k, v in vars(older).items() if k.endswith("_")})
    kept = X.copy()
    model = GaussianMixture(**chosen)
    try:
        model.fit(X, sample_weight=w)
    except (ValueError, TypeError) as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert type(refused) in (ValueError, TypeError, CollapseError)
        assert len(str(refused)) > 30
        assert not [name for name in vars(model) if name.endswith("_")]
        with pytest.raises(type(refused)):
            older.set_params(**chosen).fit(X, sample_weight=w)
        assert pickle.dumps({k: v for k, v in vars(older).items() if k.endswith("_")}) == before
        return
    np.testing.assert_array_equal(X, kept)
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        assert np.isfinite(getattr(model, name)).all(), name
    assert (model.weights_ > 0).all()
    assert model.weights_.sum() == pytest.approx(
        1, rel=float(100 * np.finfo(model.weights_.dtype).eps)
    )
    np.linalg.cholesky(model.mixture_.covariances)
    history = model.log_likelihoods_
    assert np.isfinite(history).all()
    lost = np.finfo(float).eps * digits_lost(X.astype(float), model.mixture_)
    total = float(len(X) if w is None else np.sum(w))
    size = np.abs(history).max() + total * X.shape[1]
    if chosen["reg_covar"] == 0 and lost < 1e-3:
        assert np.diff(history).min(initial=0) >= -100 * lost * size
    proba = model.predict_proba(X)
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    score = np.average(model.score_samples(X), weights=w)
    if lost < 1e-3:
        assert score == pytest.approx(model.lower_bound_, abs=100 * lost * size / total)
    assert 1 <= model.n_iter_ <= chosen["max_iter"]


@pytest.mark.filterwarnings("ignore:.* ended with a component that has no spread:UserWarning")
@pytest.mark.filterwarnings("ignore::gmmlib.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.*a millionth of each column's variance:UserWarning")
@pytest.mark.filterwarnings("ignore:Number of distinct clusters:UserWarning")
@settings(max_examples=100)
@given(st.data())
def test_an_answer_or_an_error(road_of_examples, source):
    X, w, rng = source.draw(data())
    fit_and_check(X, w, source.draw(options(X, rng)))
