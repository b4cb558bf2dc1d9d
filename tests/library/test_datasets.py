"""The data: their size, a few of their numbers, and that each call gives a fresh copy."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmlib import datasets

REAL = [datasets.worked_example, datasets.old_faithful, datasets.esl_mixture]


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
