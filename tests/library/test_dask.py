"""The estimator on Dask's collections, computed by threads: the same digits as in memory."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmmlib import GaussianMixture
from gmmlib.engine import Blocks
from gmmlib.models import COVARIANCE_TYPES
from strategies import seeds

dask = pytest.importorskip("dask", reason="the extra dask is not installed")
da = pytest.importorskip("dask.array")

from gmmlib.distributed.chunks import Chunks, Layout  # noqa: E402
from gmmlib.distributed.collections import Collection  # noqa: E402
from gmmlib.distributed.scheduler import Scheduler  # noqa: E402

RNG = np.random.default_rng(0)
N, D = 1500, 3
X = np.r_[RNG.normal(size=(700, D)), 0.4 * RNG.normal(size=(800, D)) + [1.0, 2.0, 1.5]]
X = RNG.permutation(X) * [1.0, 100.0, 1e-3] + [5.0, 0.0, 1.0]
W = RNG.uniform(0, 2, size=N) * (RNG.random(N) < 0.9)
OPTIONS = {
    "n_init": 3,
    "init_params": "k-means++",
    "init_size": 200,
    "max_iter": 12,
    "random_state": 0,
}

pytestmark = [
    pytest.mark.usefixtures("small_blocks"),  # of 64 rows
    pytest.mark.filterwarnings("ignore:did not converge"),
]


def lengths(seed, n, chunks, size=64):
    """Uneven ones, some of them 0, some of them borders of blocks."""
    rng = np.random.default_rng(seed)
    cuts = rng.integers(0, n + 1, size=chunks - 1)
    cuts = np.where(rng.random(len(cuts)) < 0.2, cuts // size * size, cuts)
    cuts = np.where(rng.random(len(cuts)) < 0.2, cuts[:1].sum(), cuts)
    return tuple(int(m) for m in np.diff(np.r_[0, np.sort(cuts), n]))


CHUNKS = {
    "one": (N,),
    "halves": (750, 750),
    "blocks": (64,) * 23 + (28,),
    "seven": lengths(1, N, 7),
    "fifty": lengths(2, N, 50),
    "empty ones": (0, 0, 100, 0, 1399, 1, 0),
}


def chunked(rows, chunks):
    """An array without known lengths is what a filter leaves."""
    return da.from_array(rows, chunks=(chunks, *[(m,) for m in rows.shape[1:]]))


def collection(array, w=None):
    return Collection.of(array, w, Scheduler.current())


def chunks_of(array, w=None):
    return Chunks.of(collection(array, w), Scheduler.current())


def assert_every_digit(one, other):
    for name in ("weights_", "means_", "covariances_", "log_likelihoods_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
        assert getattr(one, name).dtype == getattr(other, name).dtype
    assert one.n_iter_ == other.n_iter_


# --- the same result ------------------------------------------------------------------------------


@pytest.mark.parametrize("w", [None, W], ids=["plain", "weighted"])
@pytest.mark.parametrize("chunks", CHUNKS)
def test_every_digit_is_that_of_one_machine(road, chunks, w):
    here = GaussianMixture(3, **OPTIONS).fit(X, sample_weight=w)
    array = chunked(X, CHUNKS[chunks])
    there = GaussianMixture(3, **OPTIONS).fit(
        array, sample_weight=None if w is None else da.from_array(w, chunks=400)
    )
    assert_every_digit(here, there)
    assert there.n_features_in_ == D


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_every_family(road, kind):
    model = GaussianMixture(2, covariance_type=kind, **OPTIONS)
    here = GaussianMixture(2, covariance_type=kind, **OPTIONS).fit(X)
    assert_every_digit(here, model.fit(chunked(X, CHUNKS["seven"])))


@pytest.mark.parametrize(
    "weights",
    [W, da.from_array(W, chunks=N), da.from_array(W, chunks=7), 2.5, W.tolist()],
    ids=["numpy", "one chunk", "short chunks", "a number", "a list"],
)
def test_weights_may_come_in_many_forms(weights):
    there = GaussianMixture(2, **OPTIONS).fit(chunked(X, CHUNKS["seven"]), sample_weight=weights)
    plain = np.asarray(weights.compute() if hasattr(weights, "compute") else weights)
    assert_every_digit(GaussianMixture(2, **OPTIONS).fit(X, sample_weight=plain), there)


def test_lengths_that_are_not_known_are_counted():
    array = chunked(X, CHUNKS["fifty"])
    kept = array[array[:, 0] > 5]
    assert np.isnan(kept.shape[0])
    weights = da.from_array(W, chunks=(CHUNKS["fifty"],))[array[:, 0] > 5]
    there = GaussianMixture(2, **OPTIONS).fit(kept, sample_weight=weights)
    rows = X[:, 0] > 5
    here = GaussianMixture(2, **OPTIONS).fit(X[rows], sample_weight=W[rows])
    assert_every_digit(here, there)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, object])
def test_other_numbers(dtype):
    rows = (X * [10, 1, 1e4]).astype(dtype)
    here = GaussianMixture(2, **OPTIONS).fit(rows)
    there = GaussianMixture(2, **OPTIONS).fit(chunked(rows, CHUNKS["seven"]))
    assert_every_digit(here, there)
    assert there.means_.dtype == (np.float32 if dtype == np.float32 else np.float64)


def test_columns_may_lie_in_several_chunks():
    array = da.from_array(X, chunks=(400, 1))
    there = GaussianMixture(2, **OPTIONS).fit(array)
    assert_every_digit(GaussianMixture(2, **OPTIONS).fit(X), there)
    assert there.predict(array).compute().shape == (N,)


def test_a_warm_start_and_given_means():
    array = chunked(X, CHUNKS["seven"])
    models = [GaussianMixture(2, **OPTIONS | {"max_iter": 2}, warm_start=True) for _ in range(2)]
    for _ in range(2):
        assert_every_digit(models[0].fit(X), models[1].fit(array))
    given = {"means_init": X[:2], "max_iter": 5}
    assert_every_digit(GaussianMixture(2, **given).fit(X), GaussianMixture(2, **given).fit(array))


def test_few_different_rows_many_equal_ones_and_a_heavy_one():
    rng = np.random.default_rng(5)
    counts = rng.poisson(1.0, size=(N, 2)).astype(float)
    rare = np.zeros((N, 1))
    rare[::50, 0] = np.arange(N // 50)
    heavy = np.where(np.arange(N) == 700, 1e8, W)
    for rows, w, size in (
        (counts, None, 200),
        (counts, W, 200),
        (rare, None, 20),
        (rare, W, 20),
        (X, heavy, 100),
        (X, 1e-9 * W, 100),
    ):
        weights = None if w is None else da.from_array(w, chunks=N)
        here, there = Blocks.of(rows, w), chunks_of(chunked(rows, CHUNKS["fifty"]), weights)
        for name in ("n_rows", "total_weight", "mean", "centre", "scale", "rounding", "covariance"):
            np.testing.assert_array_equal(getattr(here, name), getattr(there, name), err_msg=name)
        for least in (1, 25):
            one, other = (
                data.picked(size, np.random.default_rng(3), least) for data in (here, there)
            )
            np.testing.assert_array_equal(one[0], other[0])
            np.testing.assert_array_equal(one[1], other[1])
            assert len(one[0]) >= least
        used = rows if w is None else rows[w > 0]
        different = len(np.unique(used, axis=0))
        assert there.has_distinct_rows(different)
        assert not there.has_distinct_rows(different + 1)


def test_the_starts_see_rows_of_all_chunks():
    array = chunked(np.arange(float(N))[:, np.newaxis], CHUNKS["halves"])
    rows, w = chunks_of(array).picked(30, np.random.default_rng(0))
    assert np.histogram(rows, bins=10, range=(0, N))[0].tolist() == [3] * 10
    assert w.tolist() == [50.0] * 30


@given(seed=seeds, chunks=st.integers(1, 40), n=st.integers(1, 700))
def test_blocks_within_chunks_and_across_their_borders_are_all_blocks(seed, chunks, n):
    parts = lengths(seed, n, chunks)
    layout = Layout.of(parts, 64)
    begins = np.cumsum(np.r_[0, parts])
    found = np.zeros(n, dtype=int)
    for first, cut in layout.within:
        start = begins[cut.chunk] + cut.start
        assert start == 64 * first
        assert (cut.stop - cut.start) % 64 == 0 or begins[cut.chunk] + cut.stop == n
        found[start : begins[cut.chunk] + cut.stop] += 1
    for block, cuts in layout.across:
        assert len(cuts) > 1
        where = 64 * block
        for cut in cuts:
            assert begins[cut.chunk] + cut.start == where
            assert cut.stop <= parts[cut.chunk]
            found[where : where + cut.stop - cut.start] += 1
            where += cut.stop - cut.start
        assert where == min(64 * (block + 1), n)
    assert (found == 1).all()


# --- data frames ----------------------------------------------------------------------------------


@pytest.fixture
def frames(tmp_path):
    """A data frame, and the same from Parquet files of uneven length, one of them empty."""
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    dd = pytest.importorskip("dask.dataframe")
    whole = pd.DataFrame(X, columns=["a", "b", "c"])
    whole["w"] = W
    whole["n"] = np.arange(N) % 5
    for i, (start, stop) in enumerate([(0, 100), (100, 100), (100, 1030), (1030, N)]):
        whole[start:stop].to_parquet(tmp_path / f"part.{i}.parquet")
    return whole, dd.read_parquet(tmp_path)


def test_data_frames_from_parquet(frames):
    here, there = frames
    columns = ["a", "b", "c", "n"]
    one = GaussianMixture(2, **OPTIONS).fit(here[columns], sample_weight=here["w"])
    other = GaussianMixture(2, **OPTIONS).fit(there[columns], sample_weight=there["w"])
    assert_every_digit(one, other)
    assert other.feature_names_in_.tolist() == columns
    np.testing.assert_array_equal(other.predict(there[columns]), one.predict(here[columns]))
    for method in ("predict_proba", "score_samples"):
        lazy = getattr(other, method)(there[columns])
        np.testing.assert_allclose(lazy, getattr(one, method)(here[columns]), rtol=1e-12)
    assert other.bic(there[columns], there["w"]) == pytest.approx(
        one.bic(here[columns], here["w"]), rel=1e-13
    )
    with pytest.raises(ValueError, match="feature names should match"):
        other.predict(there[columns[::-1]])
    with pytest.raises(ValueError, match="feature names should match"):
        other.score(there[["a", "b", "n", "c"]], there["w"])
    other.fit(da.from_array(X, chunks=300))
    assert not hasattr(other, "feature_names_in_")


def test_a_filtered_data_frame(frames):
    here, there = frames
    one = GaussianMixture(2, **OPTIONS).fit(here[here["n"] > 2][["a", "b"]])
    assert_every_digit(one, GaussianMixture(2, **OPTIONS).fit(there[there["n"] > 2][["a", "b"]]))


def test_a_missing_value_in_a_data_frame(frames):
    _, there = frames
    broken = there.assign(a=there["a"].where(there["n"] < 4))
    with pytest.raises(ValueError, match=r"index \(4, 0\) \(nan\): row 4 of chunk 0"):
        GaussianMixture(2).fit(broken[["a", "b"]])
    text = there.assign(a="x")
    with pytest.raises((TypeError, ValueError), match=r"chunk . .*(could not convert|numeric)"):
        GaussianMixture(2).fit(text[["a", "b"]])


# --- predictions ----------------------------------------------------------------------------------


def test_predictions_are_lazy_and_those_of_one_machine(road):
    model = GaussianMixture(3, **OPTIONS).fit(X)
    seen = []

    def looked_at(rows):
        seen.append(len(rows))
        return rows

    array = chunked(X, CHUNKS["empty ones"]).map_blocks(looked_at, dtype=float, meta=X[:0])
    lazy = {
        name: getattr(model, name)(array) for name in ("predict", "predict_proba", "score_samples")
    }
    expected = {name: getattr(model, name)(X) for name in lazy}
    model.fit(X[:700])  # what was asked before is about the mixture that was there
    assert not seen
    for name, found in lazy.items():
        assert isinstance(found, da.Array)
        assert found.dtype == expected[name].dtype
        assert found.shape == expected[name].shape
        assert found.chunks[0] == CHUNKS["empty ones"]
        np.testing.assert_allclose(found.compute(), expected[name], rtol=1e-12, atol=1e-300)
    assert sum(seen) == 3 * N


def test_fit_predict_is_lazy_too():
    array = chunked(X, CHUNKS["seven"])
    lazy = GaussianMixture(2, **OPTIONS).fit_predict(array)
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(lazy, GaussianMixture(2, **OPTIONS).fit_predict(X))


@pytest.mark.parametrize("w", [None, W, 2.0], ids=["plain", "weighted", "a number"])
@pytest.mark.parametrize("name", ["score", "aic", "bic"])
def test_criteria(name, w):
    model = GaussianMixture(2, **OPTIONS).fit(X)
    weights = da.from_array(w, chunks=300) if isinstance(w, np.ndarray) else w
    array = chunked(X, CHUNKS["empty ones"])
    found = getattr(model, name)(array, sample_weight=weights)
    assert isinstance(found, float)
    assert found == pytest.approx(getattr(model, name)(X, sample_weight=w), rel=1e-13)


def test_after_a_weighted_fit_a_score_without_weights_warns():
    array = chunked(X, CHUNKS["seven"])
    model = GaussianMixture(2, **OPTIONS).fit(array, sample_weight=W)
    with pytest.warns(UserWarning, match="fitted with sample_weight"):
        model.score(array)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.score(array, sample_weight=W)


def test_a_row_that_has_no_density_is_named():
    model = GaussianMixture(2, **OPTIONS).fit(X)
    rows = X.copy()
    rows[760, 1] = np.nan
    lazy = model.predict(chunked(rows, CHUNKS["halves"]))
    with pytest.raises(ValueError, match=r"chunk 1 \(counting from 0\): observation 10 is NaN"):
        lazy.compute()


# --- what is refused ------------------------------------------------------------------------------


def with_value(value, *places):
    rows = X.copy()
    for row, column in places:
        rows[row, column] = value
    return chunked(rows, CHUNKS["halves"])


def negative():
    w = W.copy()
    w[755] = -1.0
    return w


def ragged():
    parts = [da.from_array(X[:700], chunks=700), da.from_array(X[700:, :2], chunks=800)]
    delayed = [part.to_delayed().ravel()[0] for part in parts]
    return da.concatenate(
        [da.from_delayed(one, (m, D), float) for one, m in zip(delayed, (700, 800), strict=True)]
    )


REFUSED = {
    "nan": (
        lambda: (with_value(np.nan, (760, 2), (1400, 0)), None),
        ValueError,
        ["the first at index (760, 2) (nan): row 10 of chunk 1, both counted from 0. Leave"],
    ),
    "infinite in the block across a border": (
        lambda: (with_value(np.inf, (749, 1)), None),
        ValueError,
        ["the first at index (749, 1) (inf): row 749 of chunk 0"],
    ),
    "nan in a row of weight 0": (
        lambda: (with_value(np.nan, (5, 0)), np.r_[np.zeros(10), W[10:]]),
        ValueError,
        ["row 5 of chunk 0"],
    ),
    "negative weight": (
        lambda: (chunked(X, CHUNKS["halves"]), da.from_array(negative(), chunks=N)),
        ValueError,
        ["chunk 1 (counting from 0): sample_weight must not be negative, but observation 5 has -1"],
    ),
    "weights of another length": (
        lambda: (chunked(X, CHUNKS["halves"]), da.from_array(W[1:], chunks=N)),
        ValueError,
        ["sample_weight has 1499 numbers, but X has 1500 rows."],
    ),
    "weights in memory of another length": (
        lambda: (chunked(X, CHUNKS["halves"]), W[1:]),
        ValueError,
        ["sample_weight has shape (1499,), but X has 1500 rows."],
    ),
    "weights of unknown length": (
        lambda: (
            chunked(X, CHUNKS["halves"]),
            da.from_array(W, chunks=N)[da.from_array(W, chunks=N) > 0],
        ),
        ValueError,
        ["sample_weight has 1 chunk and X has 2, and their", "compute_chunk_sizes()"],
    ),
    "weights that are a table": (
        lambda: (chunked(X, CHUNKS["halves"]), chunked(X, CHUNKS["halves"])),
        ValueError,
        ["sample_weight is a Dask Array of shape (1500, 3)."],
    ),
    "all weights 0": (
        lambda: (chunked(X, CHUNKS["halves"]), 0.0),
        ValueError,
        ["sample_weight is zero for every observation."],
    ),
    "no rows": (
        lambda: (chunked(X[:0], (0, 0)), None),
        ValueError,
        ["X is empty: it has no rows."],
    ),
    "one dimension": (
        lambda: (da.from_array(X[:, 0], chunks=300), None),
        ValueError,
        ["X has 1 dimension (shape (1500,)).", "X[:, None]"],
    ),
    "three dimensions": (
        lambda: (da.zeros((4, 3, 2)), None),
        ValueError,
        ["X has 3 dimensions", "X.reshape(n, d)"],
    ),
    "no columns": (lambda: (da.zeros((4, 0)), None), ValueError, ["X is empty (shape (4, 0))."]),
    "complex": (
        lambda: (da.from_array(X + 0j, chunks=300), None),
        TypeError,
        ["X is not numeric (dtype complex128)."],
    ),
    "text": (
        lambda: (da.from_array(np.full((9, 2), "a"), chunks=3), None),
        TypeError,
        ["X is not numeric (dtype <U1)."],
    ),
    "another collection": (
        lambda: (dask.delayed(X), None),
        TypeError,
        ["X is a dask Delayed", "of Dask's collections arrays (n, d) and data frames are taken."],
    ),
    "chunks of other columns": (
        lambda: (ragged(), None),
        ValueError,
        ["chunk 1 (counting from 0): it has 2 columns, and X has 3."],
    ),
    "a constant column": (
        lambda: (with_value(1.0, *((i, 1) for i in range(N))), None),
        ValueError,
        ["column 1 of X has the same value in every row"],
    ),
    "too few different rows": (
        lambda: (da.zeros((900, 2), chunks=100), None),
        ValueError,
        ["X has fewer different rows"],
    ),
    "more components than rows": (
        lambda: (chunked(X[:1], (1,)), None),
        ValueError,
        ["n_components is 2, but the number of observations is only 1."],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_leaves_the_estimator_as_it_was(name):
    make, kind, fragments = REFUSED[name]
    array, w = make()
    model = GaussianMixture(2, **OPTIONS).fit(X)
    if "constant" in name:
        model.reg_covar = 0
    if "different" in name:
        model.reg_covar = 0
    before = dict(vars(model))
    with pytest.raises(kind) as caught:
        model.fit(array, sample_weight=w)
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[key] is value for key, value in before.items())


def test_an_error_while_a_chunk_is_made_arrives_as_it_is():
    def broken(rows, block_id=None):
        if block_id and block_id[0] == 1:
            raise FileNotFoundError("chunk-1.npy")
        return rows

    array = chunked(X, CHUNKS["halves"]).map_blocks(broken, dtype=float, meta=X[:0])
    with pytest.raises(FileNotFoundError, match=r"chunk-1\.npy"):
        GaussianMixture(2).fit(array)


def test_short_chunks_of_much_data_are_warned_of(monkeypatch):
    monkeypatch.setattr("gmmlib.distributed.chunks._SHORT", 0)
    with pytest.warns(UserWarning, match=r"the chunks of X are short: 1472 of 1500 rows"):
        chunks_of(chunked(X, (30,) * 50))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chunks_of(chunked(X, CHUNKS["halves"]))


# --- what travels, and what is shown --------------------------------------------------------------


@pytest.mark.parametrize("chunks", [3, 700])
def test_many_sums_are_joined_where_they_are(monkeypatch, chunks):
    """And the parameters are in the graph once, however many chunks there are."""
    sizes, functions = [], []
    computed, sent = Scheduler._completed, scheduler_module().sent

    def counting(self, tasks):
        sizes.append(len(tasks))
        return computed(self, tasks)

    monkeypatch.setattr(Scheduler, "_completed", counting)
    monkeypatch.setattr(
        "gmmlib.distributed.scheduler.sent", lambda f: functions.append(f) or sent(f)
    )
    there = GaussianMixture(2, **OPTIONS).fit(chunked(X, lengths(3, N, chunks)))
    assert_every_digit(GaussianMixture(2, **OPTIONS).fit(X), there)
    assert max(sizes) <= 64
    assert len(functions) < len(sizes) + 5


def scheduler_module():
    from gmmlib.distributed import scheduler

    return scheduler


def test_a_bar_shows_the_first_pass_and_the_steps(capsys):
    GaussianMixture(2, verbose=1, **OPTIONS).fit(chunked(X, CHUNKS["seven"]))
    shown = capsys.readouterr().err
    assert "first pass: 100%" in shown
    assert "of this pass" in shown or "EM: 100%" in shown


@pytest.mark.parametrize("blocked", [False, True], ids=["installed", "missing"])
def test_gmmlib_does_without_dask(blocked):
    code = (
        "import sys\n"
        + ("sys.modules['dask'] = sys.modules['distributed'] = None\n" if blocked else "")
        + "import numpy as np\n"
        "from gmmlib import GaussianMixture\n"
        "X = np.random.default_rng(0).normal(size=(50, 2))\n"
        "model = GaussianMixture(2, random_state=0).fit(X)\n"
        "model.predict(X), model.predict_proba(X), model.score_samples(X), model.bic(X)\n"
        "loaded = [m for m in sys.modules if m.partition('.')[0] in ('dask', 'distributed')]\n"
        "assert not [m for m in loaded if sys.modules[m] is not None], loaded\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
