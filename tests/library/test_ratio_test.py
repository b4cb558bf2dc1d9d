"""The bootstrap likelihood ratio: statistic, replicates, what counts as failed, the errors."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture as Peer

import gmmlib.ratio_test
from gmmlib import Mixture, datasets, fit
from gmmlib.initialization import k_means_plus_plus
from gmmlib.ratio_test import likelihood_ratio_test

ACIDITY = datasets.acidity()
FEW = {"covariance_type": "E", "n_bootstrap": 5, "n_init": 2}
SMALL = likelihood_ratio_test(ACIDITY, 1, **FEW)


def of_one(x):
    """The log-likelihood of one Gaussian at its maximum, from its formula."""
    return -len(x) / 2 * (np.log(2 * np.pi * np.var(x)) + 1)


def of_two(x):
    """The best of ten runs of the book's EM with one variance."""
    starts = [k_means_plus_plus(x, 2, seed) for seed in range(10)]
    return max(fit(x, start, covariance_type="tied").log_likelihood for start in starts)


def corrected_diabetes():
    X, _ = datasets.diabetes()
    X[103, 1] = 455
    return X


# 2 (l1 - l0) as mclust prints it
PUBLISHED = [
    pytest.param(ACIDITY, 1, None, "E", 79.672121, 0.05, id="acidity"),
    pytest.param(corrected_diabetes(), 1, 3, "VVV", 369.985 + 121.107, 0.1, id="diabetes"),
]


@pytest.mark.parametrize(("X", "K0", "K1", "kind", "statistic", "lower"), PUBLISHED)
def test_published_statistics(X, K0, K1, kind, statistic, lower):
    """mclust stops early, so that ours are a little higher."""
    test = likelihood_ratio_test(X, K0, K1, covariance_type=kind, n_bootstrap=1, n_init=5)
    assert statistic - 1e-3 < test.statistic < statistic + lower
    assert test.p_value in (0.5, 1)


def test_the_statistic_on_two_other_roads():
    column = ACIDITY[:, np.newaxis]
    peer = Peer(2, covariance_type="tied", n_init=5, tol=1e-10, random_state=0).fit(column)
    by_peer = 2 * (peer.score(column) * len(column) - of_one(ACIDITY))
    assert SMALL.statistic == pytest.approx(by_peer, abs=1e-3)
    assert SMALL.statistic == pytest.approx(2 * (of_two(ACIDITY) - of_one(ACIDITY)), abs=1e-5)
    ends = SMALL.larger.log_likelihood(ACIDITY) - SMALL.smaller.log_likelihood(ACIDITY)
    assert SMALL.statistic == pytest.approx(2 * ends)


def test_a_replicate_is_the_statistic_of_what_is_drawn_from_the_smaller():
    assert SMALL.replicates.shape == (5,)
    for number, value in enumerate(SMALL.replicates):
        x = SMALL.smaller.sample(len(ACIDITY), np.random.default_rng([0, number]))[0].ravel()
        assert value == pytest.approx(2 * (of_two(x) - of_one(x)), abs=1e-3)


def test_the_p_value_counts_those_that_reach_the_statistic():
    x = Mixture.univariate([1], [0], [1]).sample(60, 3)[0]
    test = likelihood_ratio_test(x, 1, covariance_type="E", n_bootstrap=19, n_init=2)
    reach = sum(value >= test.statistic for value in test.replicates)
    assert 0 < reach < 19
    assert test.p_value == (1 + reach) / 20
    assert SMALL.p_value == 1 / 6


def test_the_larger_model_is_never_lower(monkeypatch):
    """Where every start ends below the smaller fit, that is taken in equal parts."""
    select = gmmlib.ratio_test.select

    def lower(X, *args, **kwargs):
        selection = select(X, *args, **kwargs)
        for cell in selection.cells:
            if cell.n_components == 3:
                object.__setattr__(cell, "log_likelihood", cell.log_likelihood - 1e3)
        return selection

    monkeypatch.setattr(gmmlib.ratio_test, "select", lower)
    monkeypatch.setattr(gmmlib.ratio_test, "_from_parts", lambda *_: [])
    test = likelihood_ratio_test(ACIDITY, 2, **FEW)
    assert test.statistic == 0
    assert (test.replicates == 0).all()
    assert test.p_value == 1
    assert test.larger.n_components == 3
    at = np.linspace(2, 8, 50)
    np.testing.assert_allclose(test.larger.log_density(at), test.smaller.log_density(at))


@pytest.mark.parametrize("kind", ["VVV", "EEE", "VII", "diag"])
def test_one_start_is_the_smaller_fit_with_a_component_split(kind, monkeypatch):
    """It alone, without the search, finds the way up."""
    X = datasets.old_faithful()
    found = []
    whole = gmmlib.ratio_test._from_parts

    def seen(*args):
        found.append(whole(*args))
        return found[-1]

    monkeypatch.setattr(gmmlib.ratio_test, "_from_parts", seen)
    test = likelihood_ratio_test(X, 1, covariance_type=kind, n_bootstrap=1, n_init=2)
    ((height, mixture),) = found[0]
    assert mixture.n_components == 2
    assert height == pytest.approx(mixture.log_likelihood(X))
    assert height > test.smaller.log_likelihood(X) + 50
    if kind == "EEE":
        np.testing.assert_allclose(mixture.covariances[0], mixture.covariances[1])


def test_the_result_is_the_same_for_any_number_of_processes():
    two = likelihood_ratio_test(ACIDITY, 1, n_jobs=2, **FEW)
    # threads of the linear algebra may add in another order
    np.testing.assert_allclose(two.replicates, SMALL.replicates, rtol=1e-9)
    other = likelihood_ratio_test(ACIDITY, 1, random_state=1, **FEW)
    assert not np.allclose(other.replicates, SMALL.replicates)


def test_what_fails_is_counted_and_has_no_replicate(monkeypatch):
    compared = gmmlib.ratio_test._compared
    calls = []

    def sometimes(*args):
        calls.append(None)
        smaller, larger, statistic, _ = compared(*args)
        return smaller, larger, statistic, "collapsed" if len(calls) in (2, 4) else ""

    monkeypatch.setattr(gmmlib.ratio_test, "_compared", sometimes)
    test = likelihood_ratio_test(ACIDITY, 1, **FEW)
    assert test.failed == 2
    np.testing.assert_array_equal(test.replicates, SMALL.replicates[[1, 3, 4]])
    assert test.p_value == 1 / 4
    assert str(test).endswith("p = 0.250 from 3 replicates, 2 failed")
    assert str(SMALL).endswith("2 (l1 - l0) = 79.672, p = 0.167 from 5 replicates")


def test_no_replicate_is_no_test(monkeypatch):
    compared = gmmlib.ratio_test._compared
    first = [""]

    def only_the_data(*args):
        smaller, larger, statistic, _ = compared(*args)
        return smaller, larger, statistic, first.pop() if first else "collapsed"

    monkeypatch.setattr(gmmlib.ratio_test, "_compared", only_the_data)
    with pytest.raises(ValueError, match=r"all of 5 replicates failed\. Ask for"):
        likelihood_ratio_test(ACIDITY, 1, **FEW)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_larger": 1}, ValueError, "n_larger is 1, and n_components is 1"),
        ({"n_components": 0}, ValueError, "n_components is 0"),
        ({"n_components": 155}, ValueError, "number of observations is only 155"),
        ({"n_bootstrap": 0}, ValueError, r"n_bootstrap is 0\. Draw at least 1"),
        ({"n_bootstrap": 9.0}, TypeError, "n_bootstrap must be a whole number, not 9.0"),
        ({"covariance_type": "VVX"}, ValueError, "covariance_type is 'VVX'"),
        ({"n_init": 0}, ValueError, "n_init is 0"),
        ({"X": [1.0, np.nan, 2.0]}, ValueError, "NaN"),
        (
            {"X": np.r_[np.zeros(30), np.linspace(1, 2, 30)], "covariance_type": "V"},
            ValueError,
            "a fit to X is not sound, .*: .+ Ask for fewer",
        ),
    ],
)
def test_what_cannot_be_tested_is_refused(arguments, error, message):
    given = {"X": ACIDITY, "n_components": 1, **FEW, **arguments}
    with pytest.raises(error, match=message):
        likelihood_ratio_test(given.pop("X"), given.pop("n_components"), **given)
