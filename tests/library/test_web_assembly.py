"""In WebAssembly there are no floating-point flags, and so no errors of NumPy's linear algebra."""

import numpy as np
import pytest

from gmmlib import GaussianMixture, datasets
from gmmlib.models import volumes
from gmmlib.spread import lacking


def quiet(function):
    """NaN where NumPy would raise an error, as in the browser."""

    def found(matrix, *more):
        try:
            return function(matrix, *more)
        except np.linalg.LinAlgError:
            if np.ndim(matrix) > 2:
                return np.array([found(one, *more) for one in matrix])
            return np.full(np.shape(more[0] if more else matrix), np.nan)

    return found


@pytest.fixture(autouse=True)
def without_flags(monkeypatch):
    for name in ("cholesky", "inv", "solve"):
        monkeypatch.setattr(np.linalg, name, quiet(getattr(np.linalg, name)))


def test_the_stand_in_gives_nan():
    assert np.isnan(np.linalg.cholesky(-np.eye(2))).all()
    both = np.linalg.inv(np.array([np.ones((2, 2)), np.eye(2)]))
    assert np.isnan(both[0]).all()
    assert np.array_equal(both[1], np.eye(2))


def test_columns_that_depend_on_others_are_refused():
    covariance = np.ones((2, 2))
    found = lacking(covariance, np.full(2, 1e-16), np.zeros(2), 100)
    assert found is not None
    assert found.kind == "dependent"
    X = datasets.old_faithful()
    with pytest.raises(ValueError, match="the columns of X are linearly dependent"):
        GaussianMixture(2, reg_covar=0, random_state=0).fit(np.column_stack([X, X.sum(axis=1)]))


def test_precisions_without_an_inverse_are_refused():
    model = GaussianMixture(2, random_state=0).fit(datasets.old_faithful())
    model.precisions_cholesky_ = np.ones((2, 2, 2))
    with pytest.raises(ValueError, match="precisions_cholesky_"):
        _ = model.mixture_


def test_matrices_without_an_inverse():
    matrices = np.array([np.eye(2), np.ones((2, 2)), np.full((2, 2), np.nan)])
    inverses = volumes._inverses(matrices)
    assert np.array_equal(inverses[0], np.eye(2))
    assert np.isinf(inverses[1]).all()
    assert np.isnan(inverses[2]).all()
    solved = volumes._solved(matrices, np.ones((3, 2)))
    assert np.isnan(solved[1]).all()
