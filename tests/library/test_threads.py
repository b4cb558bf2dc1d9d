"""Work in order on several threads, and BLAS's own threads off while ours run."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from gmmlib import GaussianMixture, datasets, initialization
from gmmlib.engine import Matrices, threads, using
from gmmlib.engine.threads import in_order, one_blas_thread
from roads import em_step


def blas_threads():
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]


@pytest.fixture
def two_blas_threads():
    with threadpool_limits(2, "blas"):
        if set(blas_threads()) != {2}:
            pytest.skip("this BLAS has no threads")
        yield


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_results_come_in_order(pool):
    assert list(in_order(lambda i: i * i, range(50), 3, pool)) == [i * i for i in range(50)]


def test_few_items_are_taken_ahead(pool):
    taken = []

    def items():
        for i in range(100):
            taken.append(i)
            yield i

    for done, _ in enumerate(in_order(lambda i: i, items(), 3, pool)):
        assert len(taken) <= done + 2 * 3 + 1


def test_the_caller_works_too():
    with ThreadPoolExecutor(1) as pool:
        gate = threading.Event()
        pool.submit(gate.wait)  # the pool is busy: all is left to the caller
        here = threading.get_ident()
        assert set(in_order(lambda _: threading.get_ident(), range(9), 2, pool)) == {here}
        gate.set()


def test_others_work_while_the_caller_waits():
    with ThreadPoolExecutor(1) as pool:
        meeting = threading.Barrier(2, timeout=300)  # only two threads at once get past it
        found = list(
            in_order(lambda _: (meeting.wait(), threading.get_ident())[1], range(4), 2, pool)
        )
    assert len(set(found)) == 2


@pytest.mark.parametrize("busy", [False, True])
def test_an_error_reaches_the_caller(busy):
    begun = []

    def work(i):
        begun.append(i)
        if i == 3:
            raise KeyError("the third")
        return i

    with ThreadPoolExecutor(1) as pool:
        gate = threading.Event()
        if busy:
            pool.submit(gate.wait)
        with pytest.raises(KeyError, match="the third"):
            list(in_order(work, range(1000), 2, pool))
        gate.set()
    assert len(begun) < 20  # the rest was never begun


@pytest.mark.usefixtures("two_blas_threads")
def test_blas_has_one_thread_inside_and_all_afterwards():
    with one_blas_thread():
        assert set(blas_threads()) == {1}
        with one_blas_thread():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {2}


@pytest.mark.usefixtures("two_blas_threads")
def test_blas_has_all_its_threads_after_an_error():
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        _ = 1 / 0
    assert set(blas_threads()) == {2}


@pytest.mark.usefixtures("two_blas_threads")
def test_the_first_to_leave_does_not_switch_them_on_for_the_other():
    inside, leave = threading.Event(), threading.Event()

    def other():
        with one_blas_thread():
            inside.set()
            leave.wait(20)
            return blas_threads()

    with ThreadPoolExecutor(1) as pool:
        with one_blas_thread():
            found = pool.submit(other)
            inside.wait(20)
        assert set(blas_threads()) == {1}
        leave.set()
        assert set(found.result()) == {1}
    assert set(blas_threads()) == {2}


@pytest.mark.usefixtures("two_blas_threads")
def test_a_fit_leaves_blas_as_it_was():
    seen = []

    def blocks():
        seen.append(set(blas_threads()))
        yield np.random.default_rng(0).normal(size=(100, 2))

    with using(Matrices()):
        GaussianMixture(2, n_init=2, random_state=0).fit(blocks)
    assert {1} in seen
    assert set(blas_threads()) == {2}
    with pytest.raises(ValueError, match="X has NaN"):
        GaussianMixture(2).fit(np.full((9, 2), np.nan))
    assert set(blas_threads()) == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.usefixtures("two_blas_threads")
def test_after_a_fork_nobody_is_inside():
    read, write = os.pipe()
    with one_blas_thread():
        child = os.fork()
        if child == 0:  # pragma: no cover
            outside = blas_threads()
            with one_blas_thread():
                inside = blas_threads()
            os.write(write, repr((set(outside), set(inside), set(blas_threads()))).encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert set(blas_threads()) == {1}
    assert os.read(read, 100) == b"({2}, {1}, {2})"
    assert set(blas_threads()) == {2}


@pytest.mark.usefixtures("two_blas_threads")
def test_leaving_in_the_child_what_was_entered_in_the_parent():
    """What a child does on its way out of the ``with`` that it was forked in."""
    with one_blas_thread():
        threads._after_fork()
        assert set(blas_threads()) == {2}
    with one_blas_thread():
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fit_in_a_child_after_a_fit_in_the_parent():
    X = np.random.default_rng(1).normal(size=(20_000, 8))
    mine = GaussianMixture(2, n_init=1, random_state=0, max_iter=5, tol=0).fit(X).lower_bound_
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        model = GaussianMixture(2, n_init=1, random_state=0, max_iter=5, tol=0).fit(X)
        os.write(write, repr(model.lower_bound_).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert float(os.read(read, 100)) == mine


@pytest.fixture
def no_threads(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    threads.can_start.cache_clear()
    yield
    threads.can_start.cache_clear()


def test_where_no_thread_can_be_started_the_blocks_are_computed_here(no_threads):
    executor = threads.Threads(3)
    assert list(executor.map(lambda i: (i, threading.get_ident()), range(9), 1e9)) == [
        (i, threading.get_ident()) for i in range(9)
    ]
    executor.close()


def test_without_threads_a_step_gives_the_same(small_blocks, request):
    X = datasets.old_faithful()
    start = initialization.k_means_plus_plus(X, 2, random_state=0)
    with_threads, before = em_step(X, start, n_threads=3)
    request.getfixturevalue("no_threads")
    here, also_before = em_step(X, start, n_threads=3)
    assert before == also_before
    assert np.array_equal(here.covariances, with_threads.covariances)


def test_blocks_for_a_pool_without_threads_are_computed_here(no_threads):
    with ThreadPoolExecutor(2) as pool:
        assert list(threads.in_order(lambda i: i * i, range(5), 3, pool)) == [0, 1, 4, 9, 16]
