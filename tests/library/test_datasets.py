"""The data: their size, a few of their numbers, and that each call gives a fresh copy."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmlib import datasets

REAL = [
    datasets.worked_example,
    datasets.old_faithful,
    datasets.esl_mixture,
    datasets.acidity,
    datasets.galaxies,
    datasets.geyser_1985,
    lambda: datasets.diabetes()[0],
    datasets.baudry_example,
]


@pytest.mark.parametrize("load", REAL)
def test_every_call_gives_fresh_writable_floats(load):
    first = load()
    assert first.dtype == np.float64
    assert np.isfinite(first).all()
    first[:] = -1
    assert not (load() == -1).any()


def test_worked_example():
    assert_array_equal(datasets.worked_example(), [0.9, 0.7, 1.2, 2.4, 1.8])


def test_old_faithful():
    X = datasets.old_faithful()
    assert X.shape == (272, 2)
    assert_array_equal(X[[0, 1, -1]], [[3.6, 79], [1.8, 54], [4.467, 74]])
    assert X.mean(axis=0) == pytest.approx([3.487783, 70.897059], abs=1e-6)
    assert X.std(axis=0, ddof=1) == pytest.approx([1.141371, 13.594974], abs=1e-6)


def test_esl_mixture():
    X = datasets.esl_mixture()
    assert X.shape == (20,)
    assert X[0] == -0.39
    assert (X.min(), X.max()) == (-0.39, 6.22)
    assert_array_equal(X, np.round(X, 2))  # as printed


def test_acidity():
    x = datasets.acidity()
    assert x.shape == (155,)
    assert (x[0], x.min(), x.max()) == (2.928524, 2.928524, 7.10513)


def test_baudry_example():
    X = datasets.baudry_example()
    assert X.shape == (600, 2)
    assert_array_equal(X[0], [7.9769783, -0.99430985])
    assert X.mean(axis=0) == pytest.approx([3.611670, 2.951470], abs=1e-6)


def test_galaxies_keep_the_misprint():
    x = datasets.galaxies()
    assert x.shape == (82,)
    assert (x[0], x[77], x[-1]) == (9172, 26690, 34279)
    assert (np.diff(x) >= 0).all()


def test_geyser_1985():
    X = datasets.geyser_1985()
    assert X.shape == (299, 2)
    assert_array_equal(X[[0, -1]].round(2), [[80, 4.02], [79, 2]])
    at_night = np.isin(X[:, 1], [2, 3, 4])
    assert 50 < at_night.sum() < 100


def test_diabetes_keeps_the_misprint():
    X, classes = datasets.diabetes()
    assert X.shape == (145, 3)
    assert_array_equal(X[[0, 103]], [[80, 356, 124], [75, 45, 392]])
    names, counts = np.unique(classes, return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"Chemical": 36, "Normal": 76, "Overt": 33}


def test_three_blobs():
    X, labels = datasets.three_blobs()
    again, _ = datasets.three_blobs(300, random_state=0)
    assert X.shape == (300, 2)
    assert_array_equal(X, again)
    assert set(labels) == {0, 1, 2}
    centres = [X[labels == j].mean(axis=0) for j in range(3)]
    assert np.array(centres) == pytest.approx(np.array([[0, 0], [4, 3], [-3, 4]]), abs=0.6)
    other, _ = datasets.three_blobs(300, random_state=1)
    assert not np.array_equal(X, other)
    with pytest.raises(ValueError, match=r"n is 0\. Ask for at least 1 point\."):
        datasets.three_blobs(0)
