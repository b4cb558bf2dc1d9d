"""Data in blocks: measured in one pass, the same however they come, and let go afterwards."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from gmmlib import GaussianMixture
from gmmlib.engine import Blocks, blocks
from roads import COMPILED, mapped_file
from strategies import seeds

RNG = np.random.default_rng(0)
X = RNG.normal(size=(500, 3)) * [1, 100, 1e-3] + [5, 0, 1]
W = RNG.integers(0, 4, size=500).astype(float)


def together(data):
    pieces = list(data)
    rows = np.concatenate([rows for rows, _ in pieces])
    return rows, None if pieces[0][1] is None else np.concatenate([w for _, w in pieces])


# --- what is measured -----------------------------------------------------------------------------


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("w", [None, W], ids=["plain", "weighted"])
def test_the_first_pass_measures_everything(w):
    data = Blocks.of(X, w)
    total = 500 if w is None else w.sum()
    mean = np.average(X, axis=0, weights=w)
    covariance = np.cov(X.T, aweights=w, bias=True)
    assert data.n_rows == 500
    assert data.n_features == 3
    assert data.in_memory
    assert data.total_weight == total
    np.testing.assert_allclose(data.mean, mean, rtol=1e-13)
    sd = np.sqrt(np.diag(covariance))
    assert ((data.scale <= sd) & (sd < 2 * data.scale)).all()
    assert (np.log2(data.scale) % 1 == 0).all()
    np.testing.assert_allclose(
        data.covariance * np.outer(data.scale, data.scale), covariance, rtol=1e-12, atol=1e-15
    )
    used = X if w is None else X[w > 0]
    eps = np.finfo(float).eps
    np.testing.assert_allclose(data.rounding, eps * np.abs(used).max(axis=0) / data.scale)


@given(seed=seeds, exponent=st.integers(-100, 100), offset=st.integers(-5, 8))
def test_subtracting_the_centre_costs_no_digit(seed, exponent, offset):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(20, 2))
    rows[:, 1] += 10.0**offset
    rows *= 10.0**exponent
    data = Blocks.of(rows)
    moved = (rows - data.centre) / data.scale
    exact = rows.astype(np.longdouble) - data.centre
    assert (moved.astype(np.longdouble) * data.scale == exact).all()
    shift = np.abs(data.mean - data.centre) / data.scale
    assert (shift < 1e3).all()  # and what is not subtracted is no great offset


def test_a_far_offset_costs_the_covariance_no_more_than_the_values_have_lost():
    rng = np.random.default_rng(1)
    near = rng.integers(-50, 50, size=(300, 2)) / 16  # exact, also beside 1e8
    far = Blocks.of(near + 1e8)
    np.testing.assert_allclose(far.covariance, Blocks.of(near).covariance, rtol=1e-13)
    assert (far.centre == far.mean).all()


@pytest.mark.usefixtures("small_blocks")
def test_rows_of_weight_0_are_left_out_wholly():
    strange = np.r_[X, np.full((100, 3), 1e300), [[-1e20, 0, 0]]]
    order = RNG.permutation(len(strange))
    w = np.r_[W, np.zeros(101)][order]
    with_them, without = Blocks.of(strange[order], w), Blocks.of(X[W > 0], W[W > 0])
    assert with_them.n_rows == 601
    assert with_them.total_weight == without.total_weight
    for name in ("mean", "centre", "scale", "covariance", "rounding"):
        np.testing.assert_allclose(
            getattr(with_them, name), getattr(without, name), rtol=1e-12, atol=1e-15
        )
    rows, weights = together(with_them)
    assert (weights > 0).all()
    assert len(rows) == (W > 0).sum()


@pytest.mark.usefixtures("small_blocks")
def test_a_block_without_weight():
    w = np.ones(500)
    w[:64] = 0
    w[128:192] = 0
    data = Blocks.of(X, w)
    assert len(together(data)[0]) == 500 - 128
    np.testing.assert_allclose(data.mean, X[w > 0].mean(axis=0))


# --- where data may lie ---------------------------------------------------------------------------


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda _: np.asfortranarray(X), id="Fortran"),
        pytest.param(lambda _: np.repeat(X, 2, axis=0)[::2], id="sliced"),
        pytest.param(lambda _: X[::-1].copy()[::-1], id="reversed"),
        pytest.param(lambda _: X.astype(">f8"), id="big-endian"),
        pytest.param(lambda _: X.astype(object), id="objects"),
        pytest.param(lambda _: X.astype(np.longdouble), id="long-double"),
        pytest.param(lambda _: X.tolist(), id="lists"),
        pytest.param(lambda _: np.ma.array(X), id="nothing-masked"),
        pytest.param(lambda path: mapped_file(path, X, "r"), id="memmap-r"),
        pytest.param(lambda path: mapped_file(path, X, "r+"), id="memmap-r+"),
        pytest.param(lambda path: mapped_file(path, X, "c"), id="memmap-c"),
        pytest.param(lambda path: mapped_file(path, np.asfortranarray(X)), id="memmap-Fortran"),
        pytest.param(lambda path: mapped_file(path, X.astype(">f8")), id="memmap-big-endian"),
        pytest.param(
            lambda path: mapped_file(path, np.repeat(X, 2, axis=1))[:, ::2], id="memmap-sliced"
        ),
        pytest.param(lambda path: np.asarray(mapped_file(path, X)), id="memmap-as-array"),
        pytest.param(lambda _: lambda: [X], id="one-block"),
        pytest.param(lambda _: lambda: np.split(X, [1, 7, 7, 100, 499]), id="uneven-blocks"),
        pytest.param(lambda _: lambda: (row[None].tolist() for row in X), id="a-row-at-a-time"),
        pytest.param(lambda _: lambda: X.reshape(5, 100, 3), id="three-dimensions-of-blocks"),
    ],
)
def test_the_same_blocks_from_any_form(tmp_path, form):
    data, plain = Blocks.of(form(tmp_path / "x.npy")), Blocks.of(X)
    for (rows, none), (same, _) in zip(data, plain, strict=True):
        assert none is None
        np.testing.assert_array_equal(rows, same)
    for name in ("n_rows", "total_weight", "mean", "centre", "scale", "covariance", "rounding"):
        np.testing.assert_array_equal(getattr(data, name), getattr(plain, name))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8, np.uint64, bool])
def test_other_numbers_are_read_exactly(dtype):
    rows = (10 * X[:, :2]).astype(dtype) if dtype is not bool else X[:, :2] > 5
    np.testing.assert_array_equal(Blocks.of(rows).mean, Blocks.of(rows.astype(float)).mean)
    kept = next(iter(Blocks.of(rows)))[0]
    assert kept.dtype == (np.float32 if dtype == np.float32 else np.float64)


def test_arrays_are_not_copied_and_not_changed(tmp_path):
    for rows in (X, X.astype(np.float32), np.asfortranarray(X), mapped_file(tmp_path / "x.npy", X)):
        before = rows.copy()
        for part, _ in Blocks.of(rows):
            assert np.shares_memory(part, rows)
        np.testing.assert_array_equal(rows, before)


@pytest.mark.usefixtures("small_blocks")
def test_weights_come_with_blocks_too():
    cuts = [3, 250, 251]
    pairs = list(zip(np.split(X, cuts), np.split(W, cuts), strict=True))
    data, plain = Blocks.of(lambda: pairs), Blocks.of(X, W)
    assert not data.in_memory
    for one, other in zip(together(data), together(plain), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(data.covariance, plain.covariance)


def test_one_weight_for_all_of_a_block():
    data = Blocks.of(lambda: [(X[:300], 2.0), (X[300:], 1)])
    assert data.total_weight == 800


def test_blocks_have_one_length_that_depends_on_the_columns_alone():
    assert blocks.block_size(1) == blocks.block_size(8) == 16384
    assert blocks.block_size(16) == 8192
    assert blocks.block_size(64) == 1024
    assert blocks.block_size(784) == 256
    assert blocks.block_size(10**6) == 64
    many = np.zeros((40_000, 9))
    many[0] = 1
    size = blocks.block_size(9)
    assert [len(rows) for rows, _ in Blocks.of(many)] == [size, size, 40_000 - 2 * size]


# --- mapped files ---------------------------------------------------------------------------------


def test_a_change_in_a_copy_on_write_map_survives(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "_RESIDENT", 0)
    rows = mapped_file(tmp_path / "x.npy", X, "c")
    rows[17] = 3.0
    GaussianMixture(1).fit(rows)
    assert (rows[17] == 3.0).all()
    assert np.load(tmp_path / "x.npy")[17, 0] == X[17, 0]


def test_a_change_in_a_writable_map_survives(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "_RESIDENT", 0)
    rows = mapped_file(tmp_path / "x.npy", X, "r+")
    rows[17] = 3.0
    GaussianMixture(1).fit(rows)
    assert (rows[17] == 3.0).all()
    rows.flush()
    assert (np.load(tmp_path / "x.npy")[17] == 3.0).all()


def resident_file_pages():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssFile"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux counts pages there")
@pytest.mark.parametrize("mode", ["r", "r+"])
def test_pages_of_a_mapped_file_are_let_go(tmp_path, mode):
    np.save(tmp_path / "x.npy", np.random.default_rng(2).normal(size=(1_000_000, 8)))  # 64 MB
    rows = np.load(tmp_path / "x.npy", mmap_mode=mode)
    before = resident_file_pages()
    data, highest = Blocks.of(rows), 0
    for part, _ in data:
        part.sum()
        highest = max(highest, resident_file_pages() - before)
    assert highest < 40e6
    assert resident_file_pages() - before < 8e6
    model = GaussianMixture(2, n_init=1, max_iter=1, tol=0, random_state=0).fit(rows)
    model.score(rows)
    assert resident_file_pages() - before < 8e6


MEMORY = """
import sys
import numpy as np
from gmmlib import GaussianMixture
from gmmlib.engine import Matrices, current, using
backend = Matrices() if sys.argv[2] == "matrix" else current()
def peak():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
options = dict(n_init=4, max_iter=3, tol=0, random_state=0)
warm = np.random.default_rng(0).normal(size=(3000, 8))
with using(backend):
    GaussianMixture(3, **options).fit(warm).score(warm)
    X = np.load(sys.argv[1], mmap_mode="r")
    before = peak()
    GaussianMixture(3, **options).fit(X).score(X)
    print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the peak there")
def test_memory_beyond_the_data_stays_small(tmp_path, road):
    """A file of 77 MB, in a process of its own: less than 64 MB more than before."""
    large = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float64, (1_200_000, 8))
    rng = np.random.default_rng(3)
    for start in range(0, len(large), 200_000):
        large[start : start + 200_000] = rng.standard_normal((200_000, 8))
    large.flush()
    del large
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "x.npy"), road]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout) < 64


# --- some of the rows -----------------------------------------------------------------------------


def drawing():
    return np.random.default_rng(3)


def test_few_rows_are_all_taken_once_each():
    rows = np.array([[2.0, 1.0], [1.0, 5.0], [2.0, 1.0], [1.0, 4.0]])
    found, weights = Blocks.of(rows).picked(3, drawing())
    assert found.tolist() == [[1, 4], [1, 5], [2, 1]]
    assert weights.tolist() == [1, 1, 2]


@pytest.mark.parametrize("size", [100, 600, 2000])
def test_a_weight_of_2_gives_what_two_rows_give(size):
    w = W.astype(int)
    one = Blocks.of(X, w).picked(size, drawing())
    other = Blocks.of(np.repeat(X, w, axis=0)).picked(size, drawing())
    for mine, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, same)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("w", [None, W, 1e-9 * W], ids=["plain", "weighted", "small"])
def test_many_rows_are_drawn_from_equal_shares(w):
    data = Blocks.of(X, w)
    rows, weights = data.picked(50, drawing())
    assert 25 < len(rows) <= 50
    assert weights.sum() == pytest.approx(data.total_weight, rel=1e-12)
    known = {tuple(row) for row in X}
    assert all(tuple(row) in known for row in rows)
    again = data.picked(50, drawing())
    np.testing.assert_array_equal(again[0], rows)


def test_no_order_of_the_rows_hides_some():
    """Ten sensors are read in turn, and one row in ten is drawn."""
    sensors = np.tile(np.arange(10.0), 2000)[:, np.newaxis]
    values = sensors + np.random.default_rng(1).normal(scale=0.01, size=(20_000, 1))
    rows, weights = Blocks.of(values).picked(2000, drawing())
    each = np.bincount(rows[:, 0].round().astype(int), weights, minlength=10)
    assert each.min() > 1500


def test_a_heavy_row_leaves_room_for_others():
    values, w = np.random.default_rng(1).normal(size=(3000, 2)), np.ones(3000)
    w[[7, 8]] = 1e8, 1e4
    rows, weights = Blocks.of(values, w).picked(500, drawing())
    assert len(rows) > 350
    for row in (7, 8):
        (place,) = np.flatnonzero((rows == values[row]).all(axis=1))
        assert weights[place] == w[row]
    assert weights.sum() == pytest.approx(w.sum(), rel=1e-14)


def test_enough_different_rows_are_drawn():
    """Nearly all rows are 0, and the starts need thirty different ones."""
    values = np.zeros((20_000, 1))
    values[::100, 0] = np.arange(200)
    assert len(Blocks.of(values).picked(100, drawing())[0]) < 30
    assert len(Blocks.of(values).picked(100, drawing(), least=30)[0]) >= 30


@pytest.mark.usefixtures("small_blocks")
def test_how_many_rows_are_different():
    rows = np.tile([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], (100, 1))
    w = np.tile([1.0, 1.0, 0.0], 100)
    assert Blocks.of(rows).has_distinct_rows(3)
    assert not Blocks.of(rows).has_distinct_rows(4)
    assert Blocks.of(rows, w).has_distinct_rows(2)
    assert not Blocks.of(rows, w).has_distinct_rows(3)


# --- what is refused ------------------------------------------------------------------------------


def case(name, call, kind, *fragments):
    return pytest.param(call, kind, fragments, id=name)


def with_value(value, dtype=float):
    rows = X.copy().astype(dtype)
    rows[300, 1] = value
    return rows


BAD = [
    case("nan", lambda: Blocks.of(with_value(np.nan)), ValueError, "index (300, 1) (nan)", "fill"),
    case(
        "infinite-float32",
        lambda: Blocks.of(with_value(-np.inf, np.float32)),
        ValueError,
        "X has NaN or infinite entries, the first at index (300, 1) (-inf).",
    ),
    case(
        "nan-in-a-later-block",
        lambda: Blocks.of(lambda: np.split(with_value(np.nan), [100, 290])),
        ValueError,
        "the first at index (300, 1) (nan).",
    ),
    case("sparse", lambda: Blocks.of(scipy.sparse.eye(3)), TypeError, "sparse matrix", "toarray"),
    case("no-rows", lambda: Blocks.of(np.empty((0, 2))), ValueError, "X is empty (shape (0, 2))."),
    case("huge", lambda: Blocks.of(with_value(1e200)), ValueError, "column 1 of X holds 1.0e+200"),
    case(
        "both-ends",
        lambda: Blocks.of([[1e308, 0.0], [-1e308, 1.0]]),
        ValueError,
        "column 0 of X holds -1.0e+308, and the square of that is out of the range of floats.",
        "Change the column's units.",
    ),
    case(
        "tiny",
        lambda: Blocks.of([[1e-200], [2e-200]]),
        ValueError,
        "column 0 of X spans 1.0e-200, and the square of that is out of the range of floats.",
    ),
    case(
        "weights-number",
        lambda: Blocks.of(X, np.ones(7)),
        ValueError,
        "sample_weight has shape (7,), but X has 500 rows. Pass one number per observation, (500,)",
    ),
    case(
        "weights-table", lambda: Blocks.of(X, np.ones((500, 1))), ValueError, "has shape (500, 1),"
    ),
    case(
        "weights-negative",
        lambda: Blocks.of(X, np.r_[np.ones(499), -0.5]),
        ValueError,
        "sample_weight must not be negative, but observation 499 has -0.5.",
        "0 leaves it out",
    ),
    case(
        "weights-nan", lambda: Blocks.of(X, np.full(500, np.nan)), ValueError, "500 NaN", "index 0"
    ),
    case(
        "weights-text", lambda: Blocks.of(X, ["a"] * 500), TypeError, "sample_weight is not numer"
    ),
    case(
        "weights-zero",
        lambda: Blocks.of(X, np.zeros(500)),
        ValueError,
        "sample_weight is zero for every observation. Give some of them a weight above 0.",
    ),
    case(
        "weights-huge", lambda: Blocks.of(X, 1e308), ValueError, "weights of the observations sum"
    ),
    case("weights-tiny", lambda: Blocks.of(X, 1e-310), ValueError, "Divide or multiply them all"),
    case(
        "weights-twice",
        lambda: Blocks.of(lambda: [X], W),
        ValueError,
        "sample_weight cannot be combined with a function that yields blocks.",
        "Yield pairs instead: (rows, weights).",
    ),
    case(
        "yields-nothing", lambda: Blocks.of(lambda: []), ValueError, "X is empty: it has no rows."
    ),
    case(
        "yields-empty-blocks",
        lambda: Blocks.of(lambda: [X[:0], X[:0]]),
        ValueError,
        "X is empty: it has no rows.",
    ),
    case(
        "returns-a-number",
        lambda: Blocks.of(lambda: 5),
        TypeError,
        "the function given as X returned 5. Let it return or yield blocks of rows, each (m, d).",
    ),
    case("returns-nothing", lambda: Blocks.of(lambda: None), TypeError, "returned None."),
    case(
        "returns-the-rows",
        lambda: Blocks.of(lambda: X),
        ValueError,
        "a block has the shape (3,). Let the function given as X yield blocks of rows, each (m, d)",
    ),
    case("returns-lists", lambda: Blocks.of(X.tolist), ValueError, "a block has the shape (3,)."),
    case("yields-numbers", lambda: Blocks.of(lambda: [1.0]), ValueError, "has the shape ()."),
    case(
        "yields-ragged",
        lambda: Blocks.of(lambda: [[[1.0, 2.0], [3.0]]]),
        ValueError,
        "X is not rectangular",
    ),
    case("yields-text", lambda: Blocks.of(lambda: [[["a"]]]), TypeError, "X is not numeric"),
    case("yields-sparse", lambda: Blocks.of(lambda: [scipy.sparse.eye(3)]), TypeError, "toarray()"),
    case(
        "yields-a-triple",
        lambda: Blocks.of(lambda: [(X, W, W)]),
        ValueError,
        "a block is a tuple of 3. Yield rows (m, d), or (rows, weights).",
    ),
    case(
        "weights-of-some",
        lambda: Blocks.of(lambda: [X, (X, W)]),
        ValueError,
        "only some blocks come with weights. Give weights to all, or none.",
    ),
    case(
        "columns-change",
        lambda: Blocks.of(lambda: [X, X[:, :1]]),
        ValueError,
        "a block has 1 column, and the one before it 3. Yield blocks of the same columns.",
    ),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("call", "kind", "fragments"), BAD)
def test_what_is_refused(call, kind, fragments):
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    for fragment in fragments:
        assert fragment in message
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (lambda: [], "it yielded 0 rows, and 500 the first time"),
        (lambda: [X[:-1]], "it yielded 499 rows, and 500 the first time"),
        (lambda: [X, X], "it yielded 1000 rows, and 500 the first time"),
        (lambda: [X[:, :2]], "a block has 2 columns"),
    ],
)
def test_a_function_that_yields_something_else_the_next_time(second, what):
    passes = iter([lambda: [X], second])
    data = Blocks.of(lambda: next(passes)())
    with pytest.raises(ValueError) as caught:
        list(data)
    message = str(caught.value)
    assert message.startswith(f"the function given as X did not yield the same data again: {what}.")
    assert message.endswith("(a function, not a used-up generator).")


def test_a_used_up_generator():
    generator = (part for part in np.split(X, 5))
    with pytest.raises(ValueError, match="did not yield the same data again"):
        GaussianMixture(2).fit(lambda: generator)


def test_an_error_of_the_function_comes_through():
    def broken():
        yield X
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        GaussianMixture(2).fit(broken)


def test_both_roads_are_there():
    assert COMPILED, "Numba belongs to the test environment"


# --- a function that does not repeat itself -------------------------------------------------------


class Growing:
    """Yields twice the data in the second pass, and so on."""

    passes = 0

    def __call__(self):
        self.passes += 1
        return [X * self.passes]


def test_other_data_in_another_pass():
    data = Blocks.of(Growing())
    with pytest.raises(ValueError, match="did not yield the same data again: the sums of its"):
        list(data)


@pytest.mark.usefixtures("small_blocks")
def test_the_same_data_in_other_pieces_are_the_same():
    pieces = iter([[X], [X[:7], X[7:]], [X[:100], X[100:130], X[130:]]])
    data = Blocks.of(lambda: next(pieces))
    for _ in range(2):
        assert sum(len(rows) for rows, _ in data) == len(X)


@pytest.mark.parametrize("paired", [False, True])
def test_columns_in_another_order(paired):
    frame = pd.DataFrame(X, columns=["a", "b"][: X.shape[1]] + ["c"] * (X.shape[1] - 2))
    turned = frame.iloc[:, ::-1]
    one, other = ((part, np.ones(len(X))) if paired else part for part in (frame, turned))
    assert Blocks.of(lambda: [one, one]).names == list(frame.columns)
    with pytest.raises(ValueError, match=r"a block has the columns \[.*\], and the one before it"):
        Blocks.of(lambda: [one, other])
    turns = iter([[one], [other]])
    data = Blocks.of(lambda: next(turns))
    with pytest.raises(ValueError, match=r"a block has the columns"):
        list(data)
