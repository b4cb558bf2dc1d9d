"""What a pass over data on several machines costs, and a simulation that it is held against.

The time of a pass over n rows in C chunks on W workers is taken to be

    T = n / (r W) + L + s C + g K p J        (the rows spread over the workers, what each pass
                                              needs, what each chunk needs, and the sums)

with the rate r of a worker (rows a second, by the shape of the mixture), the latency L, the
scheduler's time s for a chunk, and the time g for each of the K p numbers of a sum. J sums are
added one after another: those that come to the client, and 8 in each level of joining before.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls

FAN_IN, AT_MOST = 8, 64  # as in gmmlib.distributed.scheduler


@dataclass(frozen=True)
class Pass:
    """A pass: n rows, W workers, C chunks, K p numbers in a sum, and the name of the shape."""

    n: int
    workers: int
    chunks: int
    numbers: int
    shape: str


def joined(chunks: int) -> int:
    """J, the sums that are added one after another."""
    levels = 0
    while chunks > AT_MOST:
        chunks, levels = -(-chunks // FAN_IN), levels + 1
    return FAN_IN * levels + chunks


@dataclass(frozen=True)
class Model:
    """The four costs, in seconds; ``rates`` by shape, in rows a second and worker."""

    rates: dict[str, float]
    latency: float
    per_chunk: float
    per_number: float

    def seconds(self, a: Pass) -> float:
        return sum(self.parts(a).values())

    def parts(self, a: Pass) -> dict[str, float]:
        busiest = -(-a.chunks // a.workers) / a.chunks  # the share of the worker with most chunks
        return {
            "rows": a.n * busiest / self.rates[a.shape],
            "latency": self.latency,
            "chunks": self.per_chunk * a.chunks,
            "sums": self.per_number * a.numbers * joined(a.chunks),
        }

    def most_workers(self, n: int, chunks: int, numbers: int, shape: str) -> float:
        """With so many the rows cost as much as all the rest: twice as many gain under a third."""
        rest = self.parts(Pass(n, 1, chunks, numbers, shape))
        with np.errstate(divide="ignore"):
            return float(np.float64(rest.pop("rows")) / sum(rest.values()))

    def best_workers(self, n: int, shape: str) -> float:
        """Where T is least if each worker has one chunk: dT/dW = 0 at W² = n / (r s)."""
        with np.errstate(divide="ignore"):
            return float(np.sqrt(np.float64(n / self.rates[shape]) / self.per_chunk))


def fitted(passes: Sequence[Pass], seconds: Sequence[float]) -> Model:
    """Least squares of the relative residuals; no cost is below 0."""
    shapes = sorted({a.shape for a in passes})
    rows = []
    for a in passes:
        busiest = -(-a.chunks // a.workers) / a.chunks
        own = [a.n * busiest if a.shape == shape else 0.0 for shape in shapes]
        rows.append([*own, 1.0, a.chunks, a.numbers * joined(a.chunks)])
    A = np.array(rows, dtype=float) / np.asarray(seconds)[:, np.newaxis]
    unit = A.max(axis=0)
    found = nnls(A / unit, np.ones(len(A)))[0] / unit
    rates = {
        shape: float(1 / cost) if cost > 0 else np.inf
        for shape, cost in zip(shapes, found, strict=False)
    }
    return Model(rates, *(float(cost) for cost in found[len(shapes) :]))


def simulated(model: Model, a: Pass, spread: float = 0.1, seed: int = 0) -> float:
    """Seconds of one pass, event by event.

    The scheduler hands out a chunk each ``per_chunk`` seconds, to whoever is free first; chunks
    take a time that varies by ``spread``; whoever is done sends a sum, and sums that belong
    together are joined when the last of them has come; the client adds what comes to it.
    """
    rng = np.random.default_rng(seed)
    each = a.n / a.chunks / model.rates[a.shape]
    times = each * np.exp(spread * rng.standard_normal(a.chunks) - spread**2 / 2)
    free = [model.latency] * a.workers
    heapq.heapify(free)
    done, handed = [], model.latency
    for seconds in times:
        handed += model.per_chunk
        end = max(handed, heapq.heappop(free)) + seconds
        heapq.heappush(free, end)
        done.append(end)
    add = model.per_number * a.numbers
    while len(done) > AT_MOST:
        groups = [done[i : i + FAN_IN] for i in range(0, len(done), FAN_IN)]
        done = [_added(group, add) for group in groups]
    return _added(done, add)


def _added(arrivals: Sequence[float], add: float) -> float:
    """When all have been added, one after another as they come."""
    now = 0.0
    for arrival in sorted(arrivals):
        now = max(now, arrival) + add
    return now


def predictions(model: Model, shape: str, numbers: int, rows_each: int) -> list[dict[str, Any]]:
    """For 1 to 1,000 workers and 10⁸ to 10¹⁰ rows, in chunks of ``rows_each``."""
    found = []
    for n in (10**8, 10**9, 10**10):
        chunks = -(-n // rows_each)
        for workers in (1, 2, 10, 100, 1000):
            a = Pass(n, workers, chunks, numbers, shape)
            one = model.seconds(Pass(n, 1, chunks, numbers, shape))
            found.append(
                {
                    "n": n,
                    "workers": workers,
                    "chunks": chunks,
                    "seconds": model.seconds(a),
                    "simulated": simulated(model, a),
                    "faster": one / model.seconds(a),
                    **{f"of_{name}": part for name, part in model.parts(a).items()},
                }
            )
    return found
