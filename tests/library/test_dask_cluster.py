"""The estimator on a cluster of two processes: what travels, and what a fault does.

Chunks are made by functions that leave marks in a folder, so that a test knows how far a fit is. It
waits for marks and states, never for a time.
"""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from gmmlib import GaussianMixture

dask = pytest.importorskip("dask", reason="the extra dask is not installed")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

N_CHUNKS, LENGTH, D = 6, 40_000, 3  # each chunk holds a whole block, which every pass reads
OPTIONS = {"n_init": 2, "init_params": "k-means++", "tol": 0, "max_iter": 6, "random_state": 0}
FIRST_OF_EM = 6  # how often a chunk has been made when EM goes over it
PATIENCE = 120.0  # seconds until a test gives up; no result depends on it

pytestmark = [
    pytest.mark.filterwarnings("ignore:did not converge"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def cluster_of_two():
    """It moves no chunk to a worker that is idle: what travels is what a fit sends."""
    dask.config.set({"distributed.scheduler.work-stealing": False})
    return distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        silence_logs=60,
        memory_limit=0,
    )


@pytest.fixture(scope="module")
def client():
    with cluster_of_two() as cluster, distributed.Client(cluster) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        yield client


@pytest.fixture
def lost_client():
    """Of a cluster that the test may break."""
    with cluster_of_two() as cluster, distributed.Client(cluster, set_as_default=True) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        yield client


def wait_until(is_so):
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def chunk(number, length=LENGTH):
    rng = np.random.default_rng(number)
    return rng.normal(size=(length, D)) + 3.0 * (rng.random((length, 1)) < 0.4)


def array_of(folder, deed=None, at=FIRST_OF_EM, n_chunks=N_CHUNKS):
    """An array whose chunks are made anew in every pass; each time leaves a letter in a file.

    The first who makes a chunk for the time ``at`` does the ``deed``, once for all.
    """
    folder = str(folder)

    def made(block_id=None):
        number = block_id[0]
        with open(f"{folder}/{number}", "a") as file:
            file.write("x")
            file.flush()
            times = file.tell()
        if deed is not None and times >= at:
            deed(folder)
        rng = np.random.default_rng(number)
        return rng.normal(size=(40_000, 3)) + 3.0 * (rng.random((40_000, 1)) < 0.4)

    return da.map_blocks(
        made, chunks=((LENGTH,) * n_chunks, (D,)), dtype=float, meta=np.empty((0, D))
    )


def how_often(folder):
    """How often each chunk has been made."""
    return [os.path.getsize(path) for path in Path(folder).iterdir() if path.name.isdigit()]


def dies(folder):
    """Deed: the process is killed, the first time."""
    import os
    import signal

    try:
        os.close(os.open(f"{folder}/killed", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def waits(folder):
    """Deed: a mark is left, and nothing goes on before there is the file go."""
    import os
    import time

    open(f"{folder}/reached", "w").close()
    while not os.path.exists(f"{folder}/go"):
        time.sleep(0.02)


def by_value(deed):
    """The workers do not know this file: what they call travels whole."""
    import types

    return types.FunctionType(deed.__code__, {"__builtins__": __builtins__, "__name__": "deeds"})


@pytest.fixture(scope="module")
def here():
    """The fit in memory."""
    X = np.concatenate([chunk(number) for number in range(N_CHUNKS)])
    return GaussianMixture(2, **OPTIONS).fit(X)


def assert_the_same(one, other):
    """But for the last bits: each process may have compiled the loops in its own way."""
    for name in ("weights_", "means_", "covariances_", "log_likelihoods_"):
        both = getattr(one, name), getattr(other, name)
        np.testing.assert_allclose(*both, rtol=1e-12, atol=1e-12, err_msg=name)


def test_the_result_is_that_of_one_machine(client, here, tmp_path):
    there = GaussianMixture(2, **OPTIONS).fit(array_of(tmp_path))
    assert_the_same(here, there)
    times = how_often(tmp_path)
    assert len(times) == N_CHUNKS
    assert min(times) > FIRST_OF_EM + 2, "or the tests below break something before EM has begun"
    kept = array_of(tmp_path).persist()
    distributed.wait(kept)
    times = how_often(tmp_path)
    assert_the_same(here, GaussianMixture(2, **OPTIONS).fit(kept))
    assert how_often(tmp_path) == times  # and what is persisted is made once
    labels = there.predict(kept)
    assert labels.shape == (N_CHUNKS * LENGTH,)
    np.testing.assert_array_equal(labels[:LENGTH], here.predict(chunk(0)))
    assert there.score(kept) == pytest.approx(here.lower_bound_, rel=1e-12)


def test_no_rows_and_no_block_across_a_border(client):
    X = chunk(0, 2 * 16384)
    there = GaussianMixture(2, **OPTIONS).fit(da.from_array(X, chunks=(16384, D)))
    assert_the_same(GaussianMixture(2, **OPTIONS).fit(X), there)
    with pytest.raises(ValueError, match="X is empty: it has no rows"):
        there.fit(da.from_array(X[:0], chunks=(5, D)))


def test_a_worker_that_is_killed_changes_nothing(lost_client, here, tmp_path):
    before = set(lost_client.run(os.getpid).values())
    array = array_of(tmp_path, by_value(dies))
    there = GaussianMixture(2, **OPTIONS).fit(array)
    assert (tmp_path / "killed").exists()
    assert max(how_often(tmp_path)) > FIRST_OF_EM + 2
    assert_the_same(here, there)
    lost_client.wait_for_workers(2, timeout=PATIENCE)
    assert set(lost_client.run(os.getpid).values()) != before


def test_a_cluster_that_is_lost_leaves_the_estimator_as_it_was(lost_client, tmp_path):
    model = GaussianMixture(2, **OPTIONS).fit(chunk(0))
    before = dict(vars(model))

    def close():
        wait_until((tmp_path / "reached").exists)
        lost_client.cluster.close()
        (tmp_path / "go").touch()

    closing = threading.Thread(target=close)
    closing.start()
    with pytest.raises(ConnectionError, match=r"cluster was lost .* The estimator is as it was"):
        model.fit(array_of(tmp_path, by_value(waits)))
    closing.join()
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[key] is value for key, value in before.items())


def test_ctrl_c_stops_the_workers(client, tmp_path):
    model = GaussianMixture(2, **OPTIONS)
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt():
        wait_until((tmp_path / "reached").exists)
        os.kill(os.getpid(), signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(array_of(tmp_path, by_value(waits)))
    finally:
        interrupting.join()
        signal.signal(signal.SIGINT, usual)
    try:
        wait_until(lambda: client.run_on_scheduler(n_waiting) == 0)
        begun = sum(how_often(tmp_path))
    finally:
        (tmp_path / "go").touch()
    wait_until(lambda: not any(client.processing().values()))
    wait_until(lambda: not any(client.run(n_executing).values()))
    assert sum(how_often(tmp_path)) == begun  # no chunk was begun after that
    assert not hasattr(model, "means_")
    assert client.submit(sum, [1, 2]).result(timeout=PATIENCE) == 3


def n_waiting(dask_scheduler):
    return sum(
        task.state in ("queued", "waiting", "no-worker") for task in dask_scheduler.tasks.values()
    )


def n_executing(dask_worker):
    return dask_worker.state.executing_count


def test_a_chunk_with_nan_is_named(client):
    def with_nan(rows, block_id=None):
        if block_id is not None and block_id[0] == 7:
            rows = rows.copy()
            rows[1234, 2] = np.nan
        return rows

    array = da.zeros((12 * 5000, D), chunks=(5000, D)).map_blocks(
        with_nan, dtype=float, meta=np.empty((0, D))
    )
    with pytest.raises(ValueError, match=r"index \(36234, 2\) \(nan\): row 1234 of chunk 7, both"):
        GaussianMixture(2).fit(array)


def test_a_chunk_that_kills_every_worker_is_said_to_be_too_large(lost_client, tmp_path):
    def kills(block_id=None):
        import os
        import signal

        if block_id[0] == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return np.ones((1000, 2))

    lost_client.cluster.scheduler.allowed_failures = 0  # one is enough
    array = da.map_blocks(kills, chunks=((1000,) * 6, (2,)), dtype=float, meta=np.empty((0, 2)))
    with pytest.raises(RuntimeError, match=r"workers died .* make the chunks smaller"):
        GaussianMixture(2).fit(array)


# --- what travels, and what is held ---------------------------------------------------------------


def counting_bytes():
    """From now on a process counts the bytes that it writes to others."""
    tcp = distributed.comm.tcp.TCP
    if hasattr(tcp, "n_written"):
        return
    write = tcp.write

    async def counted(self, *args, **options):
        n = await write(self, *args, **options)
        tcp.n_written += n
        return n

    tcp.n_written, tcp.write = 0, counted


def bytes_written():
    return distributed.comm.tcp.TCP.n_written


@pytest.mark.parametrize("n_rows", [160_000, 3_200_000])
def test_what_travels_does_not_grow_with_the_rows(client, n_rows):
    """Up to 77 MB of rows stay; parts of three blocks travel once, and then sums."""
    client.run(counting_bytes)
    rows = da.map_blocks(
        lambda: np.tile(chunk(0), (n_rows // LENGTH // 4, 1)),
        chunks=((n_rows // 4,) * 4, (D,)),
        dtype=float,
        meta=np.empty((0, D)),
    ).persist()
    distributed.wait(rows)
    before = sum(client.run(bytes_written).values())
    GaussianMixture(2, **OPTIONS).fit(rows)
    assert sum(client.run(bytes_written).values()) - before < 4e6


def peak():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the peak there")
def test_memory_of_a_worker_is_bounded_by_its_chunks(client):
    """192 MB in chunks of 6.4 MB, and no worker ever has more than four of them."""

    def made(block_id=None):
        return np.random.default_rng(block_id[0]).random((100_000, 8))

    def array(n_chunks):
        chunks = ((100_000,) * n_chunks, (8,))
        return da.map_blocks(made, chunks=chunks, dtype=float, meta=np.empty((0, 8)))

    options = OPTIONS | {"max_iter": 2}
    GaussianMixture(2, **options).fit(array(4))
    before = client.run(peak)
    GaussianMixture(2, **options).fit(array(30))
    after = client.run(peak)
    for worker, megabytes in after.items():
        assert megabytes - before[worker] < 4 * 6.4
