"""Where Dask computes: the cluster of the current client, or threads of this process."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import dask
from dask.base import get_scheduler

from gmmlib.engine.pairwise import PairwiseSum
from gmmlib.engine.threads import Executor, one_blas_thread

_FAN_IN = 8  # sums that one task joins
_AT_MOST = 64  # sums that come back from a pass; where there are more they are joined over there

Near = Callable[[Any], AbstractContextManager[Any]]


class Remote(Protocol):
    """What stands for a ``Piece`` that lies elsewhere."""

    @property
    def key(self) -> Any:
        """Dask's key of the data."""

    def applied(self, sent: Any) -> Any:
        """The task that applies a function, itself a task, to the piece."""


@dataclass(frozen=True, eq=False)
class _Sent:
    """A function on its way: one node of the graph, whatever it is made of."""

    function: Callable[[Any], Any]


def sent(function: Callable[[Any], Any]) -> Any:
    """A task for a function, so that it travels once, and not with each task that needs it."""
    return dask.delayed(_Sent(function), pure=False, traverse=False)


def apply(function: _Sent, piece: Any) -> Any:
    """What a task does: the function of a piece, with BLAS on one thread."""
    with one_blas_thread():
        return function.function(piece)


def _joined(parts: Sequence[PairwiseSum[Any]]) -> PairwiseSum[Any]:
    total = PairwiseSum[Any]()
    for part in parts:
        total.join(part)
    return total


class Scheduler(Executor):
    """An executor: whatever Dask would compute with at the moment."""

    @classmethod
    def current(cls) -> "Scheduler":
        """The cluster of the current client, where there is one that Dask would use."""
        client = getattr(get_scheduler(), "__self__", None)
        return Cluster(client) if hasattr(client, "scheduler_info") else cls()

    def map(self, function: Callable[[Any], Any], items: Iterable[Remote], work: float) -> Any:
        """``function`` of every piece, in order; of twice as many at a time, from one on."""
        task = sent(function)
        waiting, at_once = list(items), 1
        while waiting:
            batch, waiting = waiting[:at_once], waiting[at_once:]
            found = dict(self._completed(self._applied(task, batch)))
            yield from (found[i] for i in range(len(batch)))
            at_once *= 2

    def sums(
        self, function: Callable[[Any], Any], items: Iterable[Remote], work: float
    ) -> Iterator[Any]:
        """The same for sums, in any order, and joined over there where there are many."""
        task = sent(function)
        tasks = self._applied(task, list(items))
        join = dask.delayed(_joined, pure=False)
        while len(tasks) > _AT_MOST:
            tasks = [join(tasks[i : i + _FAN_IN]) for i in range(0, len(tasks), _FAN_IN)]
        for _, found in self._completed(tasks):
            yield found

    def computed(self, tasks: Sequence[Any]) -> list[Any]:
        """What the tasks give, in order."""
        found = dict(self._completed(tasks))
        return [found[i] for i in range(len(tasks))]

    def kept(self, tasks: Sequence[Any]) -> list[Any]:
        """Tasks whose results stay in memory, where they were computed, as long as these do."""
        return list(dask.persist(*tasks))

    def close(self) -> None:
        """Nothing is held between passes."""

    def near(self) -> Near:
        """For a key, the context in which its tasks are made: they are to run where its data are.

        So data need not travel, where those who hold them are there and not far busier than others.
        """
        return lambda _: nullcontext()

    def _applied(self, task: Any, pieces: Sequence[Remote]) -> list[Any]:
        near, tasks = self.near(), []
        for piece in pieces:
            with near(piece.key):
                tasks.append(piece.applied(task))
        return tasks

    def _completed(self, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """(number, result) of each task, in any order."""
        yield from enumerate(dask.compute(*tasks))


class Cluster(Scheduler):
    """The cluster of a ``distributed.Client``. If its user stops, its tasks stop too."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def kept(self, tasks: Sequence[Any]) -> list[Any]:
        """See :class:`Scheduler`."""
        with _lost():
            return list(self._client.persist(list(tasks))) if tasks else []

    def near(self) -> Near:
        """See :class:`Scheduler`."""
        with _lost():
            holders = self._client.who_has()

        def at(key: Any) -> AbstractContextManager[Any]:
            if not holders.get(key):
                return nullcontext()
            annotated: AbstractContextManager[Any] = dask.annotate(
                workers=list(holders[key]), allow_other_workers=True
            )
            return annotated

        return at

    def _completed(self, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        from distributed import wait

        with _lost():
            futures = self._client.compute(list(tasks)) if tasks else []
        numbers = {future: number for number, future in enumerate(futures)}
        waiting = set(futures)
        try:
            while waiting:
                with _lost():
                    done, waiting = wait(waiting, return_when="FIRST_COMPLETED")
                for future in done:
                    if future.status == "error":
                        raise _for_the_user(future.exception())
                ready = list(done)
                with _lost():
                    found = self._client.gather(ready)
                yield from zip((numbers[future] for future in ready), found, strict=True)
        except BaseException:  # also Ctrl-C, and who asks for no more of it
            with _ignored():
                self._client.cancel(futures, force=True)
            raise
        finally:
            for future in futures:
                future.release()


@contextmanager
def _lost() -> Iterator[None]:
    """What Dask says when a cluster goes away is said in one way."""
    from distributed.comm import CommClosedError

    try:
        yield
    except (CancelledError, CommClosedError, TimeoutError, ConnectionError) as error:
        said = str(error).partition("\n")[0].rstrip(".:")
        raise ConnectionError(
            f"the Dask cluster was lost while it worked on the data ({type(error).__name__}: "
            f"{said}). The estimator is as it was before. Start a cluster, connect a "
            f"distributed.Client to it, load the data there, and call again."
        ) from error
    except RuntimeError as error:
        if "after shutdown" not in str(error) and "clos" not in str(error):
            raise
        raise ConnectionError(
            f"the Dask client was closed while it worked on the data ({error}). The estimator is "
            f"as it was before. Connect a distributed.Client, load the data there, and call again."
        ) from error


@contextmanager
def _ignored() -> Iterator[None]:
    """A cluster that is lost has no tasks that could be cancelled."""
    try:
        yield
    except Exception:
        return


def _for_the_user(error: BaseException) -> BaseException:
    from distributed.scheduler import KilledWorker

    if not isinstance(error, KilledWorker):
        return error
    told = RuntimeError(
        f"workers died again and again on the same chunk: {error} Mostly the cause is too little "
        f"memory: make the chunks smaller (X.rechunk, or partition_size of a data frame), run "
        f"fewer threads on each worker, or give the workers more memory."
    )
    told.__cause__ = error
    return told
