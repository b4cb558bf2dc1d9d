"""Merging: against all pairs by brute force, and against R's mclust on its published example."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import entropy as scipy_entropy

from gmmlib import Mixture, datasets, e_step
from gmmlib.merge import merge, merge_responsibilities
from strategies import random_responsibilities

# Fitted by mclust 6.0.0: Mclust(ex4.1, G = 6, modelNames = "EEV"). The numbers in the test come
# from its estep with these parameters, and from its combi of what that gives.
MCLUST = Mixture(
    weights=[
        0.1166542765505,
        0.2028583071386,
        0.190952764146,
        0.1893022001272,
        0.2197450366803,
        0.0804874153574,
    ],
    means=[
        [7.9132339564877, -0.0235047047226],
        [8.0736867112780, 4.9848774183960],
        [1.0052240388913, 4.9576280228196],
        [1.1116595360759, 5.1179556017369],
        [-0.0163927961262, 0.0646439965433],
        [8.1000962929282, 0.1648673116479],
    ],
    covariances=[
        [[1.076226506484, -0.037392665146], [-0.037392665146, 0.104332182466]],
        [[0.333781379633, -0.414429306038], [-0.414429306038, 0.846777309317]],
        [[1.07761156290216, 0.00708269399692], [0.00708269399692, 0.10294712604775]],
        [[0.103913792029, -0.031486585482], [-0.031486585482, 1.076644896921]],
        [[0.320287407420, 0.405767432893], [0.405767432893, 0.860271281530]],
        [[0.1068507947820, 0.0619652565007], [0.0619652565007, 1.0737078941679]],
    ],
)


def test_the_published_example_as_mclust_merges_it():
    X = datasets.baudry_example()
    merging = merge(MCLUST, X)
    assert MCLUST.log_likelihood(X) == pytest.approx(-1957.77800437, abs=1e-7)
    expected = [129.96764840, 46.33048144, 4.67185876, 0.87275905, 0.00000935, 0.0]
    assert_allclose(merging.entropies, expected, atol=1e-7)
    assert merging.merges[:2] == (((2,), (3,)), ((0,), (5,)))
    assert merging.groups(4) == ((0, 5), (1,), (2, 3), (4,))
    assert np.bincount(merging.labels(4)).tolist() == [118, 122, 228, 132]
    assert merging.elbow() == merging.elbow("clusters") == 4


responsibilities = st.builds(
    lambda seed, n, K: random_responsibilities(np.random.default_rng(seed), n, K),
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.integers(1, 6),
)


def entropy_of(beta, groups):
    """The entropy of merged rows, by SciPy, one row at a time."""
    return sum(scipy_entropy([row[list(g)].sum() for g in groups]) for row in np.array(beta))


@given(responsibilities)
def test_each_level_against_all_pairs(beta):
    merging = merge_responsibilities(beta)
    K = beta.shape[1]
    assert [len(level) for level in merging.levels] == list(range(K, 0, -1))
    for now, after, height in zip(
        merging.levels, (*merging.levels[1:], None), merging.entropies, strict=True
    ):
        assert sorted(itertools.chain(*now)) == list(range(K))
        assert height == pytest.approx(entropy_of(beta, now), abs=1e-9)
        if after is not None:
            choices = [
                entropy_of(beta, [*(g for g in now if g not in pair), pair[0] + pair[1]])
                for pair in itertools.combinations(now, 2)
            ]
            assert entropy_of(beta, after) == pytest.approx(min(choices), abs=1e-9)
    assert (np.diff(merging.entropies) <= 1e-12).all()
    assert merging.entropies[-1] == pytest.approx(0, abs=1e-9)


@given(responsibilities)
def test_the_record_agrees_with_itself(beta):
    merging = merge_responsibilities(beta)
    for n_clusters in range(1, beta.shape[1] + 1):
        shares = merging.responsibilities(n_clusters)
        assert shares.shape == (len(beta), n_clusters)
        assert_allclose(shares.sum(axis=1), 1)
        for k, group in enumerate(merging.groups(n_clusters)):
            assert_allclose(shares[:, k], [sum(row[j] for j in group) for row in beta])
        assert (merging.labels(n_clusters) == shares.argmax(axis=1)).all()
    for level, pair, count in zip(merging.levels[1:], merging.merges, merging.merged, strict=True):
        new = tuple(sorted(pair[0] + pair[1]))
        assert new in level
        assert count == (merging.labels(len(level)) == level.index(new)).sum()


ELBOWS = [(seed, n, K) for seed, n in ((1, 30), (2, 9)) for K in (3, 4, 5, 7)]


@pytest.mark.parametrize(("seed", "n", "K"), ELBOWS)
@pytest.mark.parametrize("against", ["clusters", "observations"])
def test_the_elbow_against_polyfit(seed, n, K, against):
    merging = merge_responsibilities(random_responsibilities(np.random.default_rng(seed), n, K))
    x = np.arange(K, 0, -1.0)
    if against == "observations":
        x = np.array([sum(merging.merged[:level]) for level in range(K)], dtype=float)

    def rest(part):
        line = np.polynomial.Polynomial.fit(x[part], merging.entropies[part], 1)
        return ((line(x[part]) - merging.entropies[part]) ** 2).sum()

    rests = {K - c: rest(slice(0, c + 1)) + rest(slice(c, K)) for c in range(1, K - 1)}
    assert merging.elbow(against) == min(rests, key=rests.get)


def test_what_comes_in_stays_as_it_is():
    beta = np.array([[0.5, 0.5], [0.1, 0.9]])
    merging = merge_responsibilities(beta)
    beta[0] = [1, 0]
    assert merging.entropies[0] == pytest.approx(entropy_of([[0.5, 0.5], [0.1, 0.9]], [[0], [1]]))
    assert_allclose(merging.component_responsibilities, [[0.5, 0.5], [0.1, 0.9]])
    assert not merging.component_responsibilities.flags.writeable


TWO = Mixture.univariate([0.5, 0.5], [0, 3], [1, 1])
MERGED = merge(TWO, [0.0, 1.0, 3.0])
REFUSED = {
    "no mixture": (lambda: merge("x", [1.0]), TypeError, "a Mixture is needed"),
    "NaN": (lambda: merge(TWO, [np.nan]), ValueError, "NaN"),
    "rows that do not sum to 1": (
        lambda: merge_responsibilities([[0.5, 0.2]]),
        ValueError,
        "must sum to 1",
    ),
    "no clusters": (lambda: MERGED.groups(0), ValueError, "make 1 to 2 clusters"),
    "too many": (lambda: MERGED.labels(3), ValueError, "make 1 to 2 clusters"),
    "half a cluster": (lambda: MERGED.responsibilities(1.5), TypeError, "whole number"),
    "True": (lambda: MERGED.groups(True), TypeError, "whole number"),
    "an elbow of two": (lambda: MERGED.elbow(), ValueError, "at least 3"),
    "another word": (lambda: MERGED.elbow("time"), ValueError, "'time'"),
}


@pytest.mark.parametrize(("call", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_likelihood_is_that_of_the_components():
    X = datasets.baudry_example()
    beta, height = e_step(X, MCLUST)
    merging = merge(MCLUST, X)
    assert_allclose(merging.component_responsibilities, beta)
    assert height == MCLUST.log_likelihood(X)
