"""Data that nothing can be computed with, and what is said about them."""

import datetime

import numpy as np
import pytest
import scipy.sparse

I2 = np.eye(2)
X = [0.0, 1.0, 9.0, 11.0]


def case(name, call, kind, *fragments):
    return pytest.param(call, kind, fragments, id=name)


DATA = [
    case("empty", [], ValueError, "X is empty (shape (0,)).", "at least one row and one column"),
    case("no-rows", np.empty((0, 2)), ValueError, "X is empty (shape (0, 2))."),
    case("no-columns", np.empty((3, 0)), ValueError, "X is empty (shape (3, 0))."),
    case(
        "nan",
        [0.0, np.nan, 2.0],
        ValueError,
        "X has 1 NaN or infinite entry, the first at index 1 (nan).",
        "Leave those rows out, or fill them",
    ),
    case(
        "nan-in-a-table",
        [[0.0, 1.0], [2.0, np.inf], [np.nan, -np.inf]],
        ValueError,
        "X has 3 NaN or infinite entries, the first at index (1, 1) (inf).",
    ),
    case("missing", [0.0, None], ValueError, "1 NaN or infinite entry", "at index 1 (None)"),
    case(
        "beyond-double",
        np.array([1.0, "1e400"], dtype=np.longdouble),
        ValueError,
        "X has 1 NaN or infinite entry, the first at index 1 (",
    ),
    case("huge-int", [1, 10**400], ValueError, "X holds a whole number too large for a float."),
    case(
        "three-dimensions",
        np.zeros((2, 3, 4)),
        ValueError,
        "X has 3 dimensions (shape (2, 3, 4)).",
        "Pass (n, d): one row per observation",
    ),
    case("a-number", 3.0, ValueError, "X has 0 dimensions (shape ())."),
    case(
        "columns",
        [[1.0, 2.0], [3.0, 4.0]],
        ValueError,
        "X has 2 columns (shape (2, 2)), but the mixture has 1 dimension.",
        "build the mixture for d = 2",
    ),
    case("text", ["a", "b"], TypeError, "X is not numeric (dtype <U1, for example", "'a'"),
    case("digits-in-text", ["1.5", "2"], TypeError, "np.asarray(X, dtype=float)"),
    case("mixed-text", np.array([1.0, "2"], dtype=object), TypeError, "dtype object", "'2'"),
    case("bytes", [b"1"], TypeError, "X is not numeric (dtype |S1"),
    case("none", None, TypeError, "X is not numeric (dtype object, for example None)."),
    case("a-generator", (x for x in X), TypeError, "<generator ob", "Pass a list or an array"),
    case("a-set", {1, 2}, TypeError, "for example {1, 2}"),
    case("objects", np.array([1, object()]), TypeError, "dtype object, for example <object"),
    case("complex", [1 + 2j], TypeError, "X is complex (complex128).", "X.real"),
    case("complex-objects", np.array([1, 1j], dtype=object), TypeError, "not numeric", "1j"),
    case(
        "complex64-objects",
        np.array([np.complex64(2j)], dtype=object),
        TypeError,
        "X is not numeric",
    ),
    case("sparse", scipy.sparse.eye(3), TypeError, "sparse matrix (dia_", "(3, 3)", "X.toarray()"),
    case("sparse-array", scipy.sparse.csr_array(I2), TypeError, "sparse matrix (csr_array"),
    case(
        "masked",
        np.ma.array([1.0, 2.0, 3.0], mask=[False, True, True]),
        ValueError,
        "X has 2 masked entries, the first at index 1.",
        "Leave those rows out",
    ),
    case(
        "ragged",
        [[1.0, 2.0], [3.0]],
        ValueError,
        "X is not rectangular: ",
        "Give every row the same number of columns.",
    ),
    case("dates", [datetime.date(1985, 8, 1)], TypeError, "not numeric (dtype object", "1985"),
    case("datetime64", np.array(["1985-08"], "M8[D]"), TypeError, "not numeric (dtype datetime64"),
    case("timedelta64", np.array([1], "m8[s]"), TypeError, "not numeric (dtype timedelta64"),
    case("records", np.zeros(2, [("a", float)]), TypeError, "not numeric (dtype [('a'"),
    case("no-text", np.array([], dtype=str), TypeError, "not numeric (dtype <U1"),
]
