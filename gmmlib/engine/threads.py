"""Blocks on several threads, with the results in order, and BLAS on one thread."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, cached_property, wraps
from threading import Lock, Thread
from typing import Any, ParamSpec, Protocol, TypeVar

import joblib
from threadpoolctl import ThreadpoolController

ONE_THREAD = 5e5  # multiplications in a pass below which a second thread does not pay


_P = ParamSpec("_P")
_T = TypeVar("_T")


class Executor(Protocol):
    """Where the blocks of a pass are computed."""

    def map(
        self, function: Callable[[Any], Any], items: Iterable[Any], work: float
    ) -> Iterator[Any]:
        """``function`` of every item, in order; ``work`` is how many multiplications that is."""

    def sums(
        self, function: Callable[[Any], Any], items: Iterable[Any], work: float
    ) -> Iterator[Any]:
        """The same where ``function`` gives a ``PairwiseSum``: some may have been joined already.

        They may come in any order, and an executor for which that is no gain need not do it.
        """
        return self.map(function, items, work)

    def close(self) -> None:
        """The pass was the last one."""


class Threads(Executor):
    """An executor: threads of this process, as many as it may use unless a number is given.

    Where none can be started, as in a browser, the blocks are computed here, one after the other.
    """

    def __init__(self, n_threads: int | None = None) -> None:
        self._asked = n_threads
        self._pool: ThreadPoolExecutor | None = None

    @cached_property
    def n_threads(self) -> int:
        """How many there are; counting the processors takes as long as many a small pass."""
        asked = self._asked or int(joblib.cpu_count())
        return asked if asked == 1 or can_start() else 1

    def map(
        self, function: Callable[[Any], Any], items: Iterable[Any], work: float
    ) -> Iterator[Any]:
        """``function`` of every item, in order."""
        if work <= ONE_THREAD or self.n_threads == 1:
            return map(function, items)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n_threads - 1, thread_name_prefix="gmmlib")
        return in_order(function, items, self.n_threads, self._pool)

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


@cache
def can_start() -> bool:
    """Whether this Python starts threads: it is tried, once, with one that does nothing."""
    thread = Thread(target=lambda: None, name="gmmlib-tries")
    try:
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True


def in_order(
    function: Callable[[Any], Any], items: Iterable[Any], n_threads: int, pool: ThreadPoolExecutor
) -> Iterator[Any]:
    """``function`` of every item, by this thread and those of the pool, the results in order.

    At most 2 n_threads + 1 items are taken before their results are asked for. Where the pool can
    start no threads, as in a browser, this one does all.
    """
    if not can_start():
        yield from map(function, items)
        return
    window: deque[_Task] = deque()
    try:
        for item in items:
            window.append(_Task(pool, function, item))
            if len(window) > 2 * n_threads:
                yield _first_result(window)
        while window:
            yield _first_result(window)
    finally:
        for task in window:
            task.future.cancel()


class _Task:
    """An item for whoever comes first: a thread of the pool, or this one while it waits."""

    def __init__(self, pool: ThreadPoolExecutor, function: Callable[[Any], Any], item: Any) -> None:
        self._function, self._item = function, item
        self.here = False
        self.result: Any = None
        self.future: Future[Any] = pool.submit(self._work)

    def _work(self) -> Any:
        return self._function(self._item)

    def taken_over(self) -> bool:
        """Do it in this thread, if no other has begun."""
        if self.here or not self.future.cancel():
            return False
        self.here = True
        self.result = self._work()
        return True


def _first_result(window: deque[_Task]) -> Any:
    first = window[0]
    while not (first.here or first.future.done()):
        if not any(task.taken_over() for task in window):
            break
    window.popleft()
    return first.result if first.here else first.future.result()


_LOCK = Lock()
_BLAS: dict[str, Any] = {"users": 0, "controller": None, "limiter": None}


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Switch BLAS's own threads off while anybody is inside: ours share the processors."""
    with _LOCK:
        if _BLAS["users"] == 0:
            if _BLAS["controller"] is None:
                _BLAS["controller"] = ThreadpoolController()
            _anyone_may_set()
            _BLAS["limiter"] = _BLAS["controller"].limit(limits=1, user_api="blas")
        _BLAS["users"] += 1
    try:
        yield
    finally:
        with _LOCK:
            _BLAS["users"] -= 1
            if _BLAS["users"] <= 0:  # below 0 in a child forked inside
                _restore()


def with_one_blas_thread(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The function, inside :func:`one_blas_thread`; a warning in it still names who called."""

    @wraps(function)
    def inside(*args: _P.args, **options: _P.kwargs) -> _T:
        with one_blas_thread():
            return function(*args, **options)

    return inside


def _restore() -> None:
    if _BLAS["limiter"] is not None:
        _anyone_may_set()
        _BLAS["limiter"].restore_original_limits()
        _anyone_may_set()
    _BLAS.update(users=0, limiter=None)


def _anyone_may_set() -> None:
    """Since 3.8 threadpoolctl lets one thread at a time set OpenBLAS's threads, and no other."""
    for library in _BLAS["controller"].lib_controllers:
        getattr(library, "clear_controlling_thread", lambda force: None)(force=True)


def _after_fork() -> None:
    """The threads that were inside are not in the child."""
    global _LOCK
    _LOCK = Lock()
    _restore()


if hasattr(os, "register_at_fork"):  # pragma: no branch
    os.register_at_fork(after_in_child=_after_fork)
