"""Passes over Dask data on one and two workers, a model of their cost, and Spark beside it.

``python benchmarks/scaling.py`` writes ``results/distributed.json`` and ``distributed.md``; it
takes some minutes. ``--quick`` is for the tests. ``--spark PYTHON`` names a Python that has
pyspark, where this one has none (it needs Java).

Rows are simulated: each chunk is the same array, which a worker makes once, so that 10⁸ rows fit
into memory; the passes over them are whole. Keys of ``distributed.json``:

``made``, ``machine``
    When and where.
``passes``
    For each shape, number of workers and of rows: the least and the median seconds of a pass
    (``Engine.moments``), what the model says (``model_seconds``), and the relative ``residual``.
``model``
    ``rates`` (rows a second and worker, by shape), ``latency``, ``per_chunk``, ``per_number`` in
    seconds; ``cost_model.py`` has the formula. ``largest_residual`` and ``rms_residual``, relative.
``predictions``
    For 1, 2, 10, 100 and 1,000 workers: seconds, those of a simulation, and how many times faster
    than one worker; which part costs what.
``limits``
    By number of rows: with how many workers rows cost as much as all the rest, in those chunks;
    and with how many a pass is fastest if each has one chunk.
``bytes``
    What workers and the client write in a pass, for two numbers of rows; and what one sum and the
    parameters would be as bare numbers.
``memory``
    By how much the peak of a worker grows while it passes over chunks that are made anew.
``peers``
    Ten steps from the same start on the same rows: seconds, and how far the means are from ours
    after the last, in standard deviations.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster, get_worker, wait
from sklearn.mixture import GaussianMixture as TheirMixture
from threadpoolctl import threadpool_limits

import cost_model
import machine
from gmmlib import Mixture
from gmmlib.distributed.chunks import Chunks
from gmmlib.distributed.collections import Collection
from gmmlib.distributed.scheduler import Scheduler
from gmmlib.engine import Blocks, Engine, Observations, Parameters
from gmmlib.engine.blocks import block_size
from gmmlib.errors import ConvergenceWarning
from report import _grid, _rounded, _time

HERE = Path(__file__).parent
SHAPES = {"narrow": (4, 4), "wide": (64, 8)}  # d and K, full covariances
PASSES = {  # chunks, and blocks in each
    "narrow": [(2, 3), (4, 16), (10, 64), (96, 64), (32, 1), (128, 1), (512, 1)],
    "wide": [(2, 8), (16, 4), (64, 4), (128, 1)],
}
QUICK = {"narrow": [(2, 1), (4, 1), (6, 2)], "wide": [(2, 1), (4, 1)]}
CHUNK = 64 * 16384  # rows: 32 MiB with four columns


def truth(shape: str) -> Mixture:
    """The mixture that rows are drawn from."""
    d, K = SHAPES[shape]
    rng = np.random.default_rng(d)
    roots = rng.standard_normal((K, d, d)) / np.sqrt(d)
    covariances = roots @ roots.swapaxes(1, 2) + 0.3 * np.eye(d)
    return Mixture(rng.dirichlet(np.full(K, 5.0)), 2 * rng.standard_normal((K, d)), covariances)


def rows_of(mixture: Mixture, length: int) -> Any:
    return mixture.sample(length, 0)[0]


def array(shape: str, chunks: int, length: int, anew: bool = False) -> Any:
    """Chunks of one array that a worker makes once, or of arrays that are made for each pass."""
    mixture = truth(shape)

    def made(block_id: Any = None) -> Any:
        if anew:
            return np.random.default_rng(block_id[0]).standard_normal((length, d))
        kept = get_worker().__dict__.setdefault("_simulated_rows", {})
        if (shape, length) not in kept:
            kept.clear()
            kept[shape, length] = mixture.sample(length, 0)[0]
        return kept[shape, length]

    d = mixture.n_features
    parts = ((length,) * chunks, (d,))
    return da.map_blocks(made, chunks=parts, dtype=float, meta=np.empty((0, d)))


@contextmanager
def cluster(n_workers: int) -> Iterator[Client]:
    """Processes of one thread; a chunk is not moved to whoever is idle."""
    with (
        dask.config.set({"distributed.scheduler.work-stealing": False}),
        LocalCluster(
            n_workers=n_workers, threads_per_worker=1, dashboard_address=":0", memory_limit=0
        ) as processes,
        Client(processes) as client,
    ):
        client.wait_for_workers(n_workers)
        yield client


def numbers(shape: str) -> int:
    """K p."""
    d, K = SHAPES[shape]
    return K * (1 + d + d * d)


def chunks_of(X: Any) -> Chunks:
    scheduler = Scheduler.current()
    return Chunks.of(Collection.of(X, None, scheduler), scheduler)


def times_of_passes(shape: str, chunks: int, length: int, budget: float) -> list[float]:
    """Seconds of each pass, as many as fit into the budget, and two at least."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = chunks_of(array(shape, chunks, length))
    p = Parameters.of([truth(shape)], "full", data.frame)
    found: list[float] = []
    with Engine(data, "full") as engine:
        end = time.perf_counter() + budget
        while len(found) < 3 or (time.perf_counter() < end and len(found) < 20):
            begin = time.perf_counter()
            engine.moments(p)
            found.append(time.perf_counter() - begin)
    return found


def measured_passes(quick: bool) -> list[dict[str, Any]]:
    found = []
    for workers in (1, 2):
        with cluster(workers):
            for shape, sizes in (QUICK if quick else PASSES).items():
                size = block_size(SHAPES[shape][0])
                for chunks, blocks in sizes:
                    length = blocks * size
                    seconds = times_of_passes(shape, chunks, length, 0.1 if quick else 4.0)
                    row = {
                        "shape": shape,
                        "workers": workers,
                        "chunks": chunks,
                        "n": chunks * length,
                        "seconds": min(seconds),
                        "median": float(np.median(seconds)),
                        "passes": len(seconds),
                    }
                    print(row, file=sys.stderr, flush=True)
                    found.append(row)
    return found


def as_pass(row: dict[str, Any]) -> cost_model.Pass:
    shape = row["shape"]
    return cost_model.Pass(row["n"], row["workers"], row["chunks"], numbers(shape), shape)


# --- bytes and memory -----------------------------------------------------------------------------


def count_bytes() -> None:
    """From now on a process counts the bytes that it writes to others."""
    from distributed.comm.tcp import TCP

    if hasattr(TCP, "n_written"):
        return
    write = TCP.write

    async def counted(self: Any, *args: Any, **options: Any) -> Any:
        n = await write(self, *args, **options)
        TCP.n_written += n
        return n

    TCP.n_written, TCP.write = 0, counted


def bytes_written() -> int:
    from distributed.comm.tcp import TCP

    return int(TCP.n_written)


def peak() -> float:
    """The most memory that this process has had, in MB; 0 where the system does not say."""
    try:
        with open("/proc/self/status", encoding="utf-8") as lines:
            return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))
    except OSError:
        return 0.0


def measured_bytes(quick: bool) -> list[dict[str, Any]]:
    """Workers' and client's (with the scheduler, which is in the same process), in one pass."""
    found = []
    with cluster(2) as client:
        client.run(count_bytes)
        count_bytes()
        for shape in SHAPES:
            size = block_size(SHAPES[shape][0])
            for blocks in (1, 2) if quick else (4, 64):
                X = array(shape, 8, blocks * size).persist()
                wait(X)
                data = chunks_of(X)
                p = Parameters.of([truth(shape)], "full", data.frame)
                n_passes = 2 if quick else 20
                with Engine(data, "full") as engine:
                    engine.moments(p)
                    before = sum(client.run(bytes_written).values()), bytes_written()
                    for _ in range(n_passes):
                        engine.moments(p)
                    after = sum(client.run(bytes_written).values()), bytes_written()
                found.append(
                    {
                        "shape": shape,
                        "n": data.n_rows,
                        "chunks": 8,
                        "workers_write": (after[0] - before[0]) / n_passes,
                        "client_writes": (after[1] - before[1]) / n_passes,
                        "a_sum": 8 * numbers(shape),
                        "rows": 8 * data.n_rows * data.n_features,
                    }
                )
    return found


def measured_memory(quick: bool) -> list[dict[str, Any]]:
    """Chunks are made for each pass, and let go."""
    found = []
    chunks = 4 if quick else 40
    with cluster(2) as client:
        for length in (16384, 32768) if quick else (4 * 16384, 16 * 16384, 64 * 16384):
            for n_chunks in (2, chunks):
                before = client.run(peak)
                data = chunks_of(array("narrow", n_chunks, length, anew=True))
                with Engine(data, "full") as engine:
                    engine.moments(Parameters.of([truth("narrow")], "full", data.frame))
                grown = [after - before[worker] for worker, after in client.run(peak).items()]
                found.append(
                    {
                        "chunk_mb": length * 4 * 8 / 1e6,
                        "chunks": n_chunks,
                        "all_mb": n_chunks * length * 4 * 8 / 1e6,
                        "peak_grew_mb": max(grown),
                    }
                )
    return found


# --- other programs -------------------------------------------------------------------------------


def measured_peers(quick: bool, spark: str | None) -> dict[str, Any]:
    n = 20_000 if quick else 1_000_000
    mixture = truth("narrow")
    X = rows_of(mixture, n)
    start = Mixture(
        np.full(4, 0.25), X[:4], np.broadcast_to(np.cov(X.T, bias=True), (4, 4, 4)).copy()
    )
    rounds = 1 if quick else 3
    found: dict[str, Any] = {"n": n, "d": 4, "K": 4, "steps": 10}
    seconds, ours = _our_steps(Blocks.of(X), start, rounds)
    found["gmmlib, in memory"] = {"seconds": seconds, "version": _version("gmmlib")}
    with cluster(2):
        data = da.from_array(X, chunks=(n // 16, 4)).persist()
        wait(data)
        seconds, there = _our_steps(chunks_of(data), start, rounds)
    found["gmmlib, Dask"] = _beside(ours, seconds, there, _version("distributed"))
    given = {
        "means_init": start.means,
        "weights_init": start.weights,
        "precisions_init": np.linalg.inv(start.covariances),
    }
    least: dict[int, float] = {}
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore")
        for _ in range(rounds):
            for steps in (1, 11):
                theirs = TheirMixture(4, max_iter=steps, tol=0, reg_covar=0, **given)
                begin = time.perf_counter()
                theirs.fit(X)
                least[steps] = min(time.perf_counter() - begin, least.get(steps, np.inf))
    found["scikit-learn"] = _beside(ours, least[11] - least[1], theirs, _version("scikit-learn"))
    found["Spark"] = _spark(X, start, spark, ours)
    has_dask_ml = importlib.util.find_spec("dask_ml")
    found["dask-ml"] = {
        "missing": "version 2025.1, the last, has no Gaussian mixture"
        + ("" if has_dask_ml is None else f" ({_version('dask-ml')} is installed)")
    }
    return found


def _our_steps(data: Observations, start: Mixture, rounds: int) -> tuple[float, Mixture]:
    """Seconds of ten steps of plain EM, and where eleven lead."""
    least = np.inf
    with Engine(data, "full") as engine:
        for _ in range(rounds):
            p, _ = engine.em_step(Parameters.of([start], "full", data.frame))
            begin = time.perf_counter()
            for _ in range(10):
                p, _ = engine.em_step(p)
            least = min(time.perf_counter() - begin, least)
    return least, p.mixture(0, data.frame)


def _beside(ours: Mixture, seconds: float, theirs: Any, version: str) -> dict[str, Any]:
    means = theirs.means if isinstance(theirs, Mixture) else theirs.means_
    sd = np.sqrt(np.diagonal(ours.covariances, axis1=1, axis2=2))
    away = np.abs(means - ours.means) / sd
    return {"seconds": seconds, "version": version, "means_apart": float(away.max())}


def _spark(X: Any, start: Mixture, python: str | None, ours: Mixture) -> dict[str, Any]:
    if python is None:
        if importlib.util.find_spec("pyspark") is None:
            return {"missing": "pyspark is not installed"}
        python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/X.npy", X)
        np.savez(
            f"{folder}/start.npz",
            weights=start.weights,
            means=start.means,
            covariances=start.covariances,
        )
        asked = [python, str(HERE / "spark_steps.py"), f"{folder}/X.npy", f"{folder}/start.npz"]
        ended = subprocess.run(
            [*asked, "2", "1", "11"], capture_output=True, text=True, check=False, timeout=900
        )
    if ended.returncode:
        return {"missing": (ended.stderr.strip().splitlines() or ["it ended with an error"])[-1]}
    told = json.loads(ended.stdout.strip().splitlines()[-1])
    theirs = Mixture(told["weights"], told["means"], told["covariances"])
    seconds = told["seconds"]["11"] - told["seconds"]["1"]
    return _beside(ours, seconds, theirs, told["version"])


def _version(name: str) -> str:
    return metadata.version(name)


# --- all of it ------------------------------------------------------------------------------------


def measured(quick: bool, spark: str | None) -> dict[str, Any]:
    warnings.simplefilter("ignore", ConvergenceWarning)
    begin = time.perf_counter()
    load = [round(os.getloadavg()[0], 1)]
    here = machine.peaks(quick)
    rows = measured_passes(quick)
    model = cost_model.fitted([as_pass(row) for row in rows], [row["seconds"] for row in rows])
    for row in rows:
        row["model_seconds"] = model.seconds(as_pass(row))
        row["residual"] = row["model_seconds"] / row["seconds"] - 1
    residuals = np.array([row["residual"] for row in rows])
    results = {
        "made": date.today().isoformat(),
        "machine": {"processor": machine._processor(), "cores": machine.joblib.cpu_count(), **here},
        "passes": rows,
        "model": {
            "rates": model.rates,
            "latency": model.latency,
            "per_chunk": model.per_chunk,
            "per_number": model.per_number,
            "largest_residual": float(np.abs(residuals).max()),
            "rms_residual": float(np.sqrt((residuals**2).mean())),
        },
        "predictions": cost_model.predictions(model, "narrow", numbers("narrow"), CHUNK),
        "limits": [
            {
                "n": n,
                "chunks": -(-n // CHUNK),
                "rows_cost_as_much_as_the_rest": model.most_workers(
                    n, -(-n // CHUNK), numbers("narrow"), "narrow"
                ),
                "fastest_with_a_chunk_each": model.best_workers(n, "narrow"),
            }
            for n in (10**8, 10**9, 10**10)
        ],
        "bytes": measured_bytes(quick),
        "memory": measured_memory(quick),
        "peers": measured_peers(quick, spark),
    }
    results["machine"]["load"] = [*load, round(os.getloadavg()[0], 1)]
    results["machine"]["took_seconds"] = round(time.perf_counter() - begin)
    return results


def page(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    here, model = results["machine"], results["model"]
    lines = [
        "# On several workers",
        "",
        f"Written by `benchmarks/scaling.py` on {results['made']}, in {here['took_seconds']} s: do "
        "not edit. What was measured and how is told at its top, the model at the top of "
        "`cost_model.py`.",
        "",
        f"{here['processor']}, {here['cores']} cores. Workers are processes of one thread on this "
        "one machine, so nothing here crosses a network. A chunk is not moved to whoever is idle "
        "(`distributed.scheduler.work-stealing` is off). Busy processes before and after: "
        f"{' and '.join(map(str, here['load']))}"
        + (
            "; so others took time from these, and the times are too long."
            if max(here["load"]) > here["cores"]
            else "."
        ),
        "",
        "## One pass",
        "",
    ]
    rows = [
        [
            f"d = {SHAPES[row['shape']][0]}, K = {SHAPES[row['shape']][1]}",
            str(row["workers"]),
            f"{row['n']:,}",
            str(row["chunks"]),
            _time(row["seconds"]),
            _time(row["median"]),
            _time(row["model_seconds"]),
            f"{100 * row['residual']:+.0f} %",
        ]
        for row in results["passes"]
    ]
    lines += _grid(
        ["shape", "workers", "rows", "chunks", "least", "median", "model", "off by"], rows
    )
    rates = ", ".join(f"{rate:.3g} ({shape})" for shape, rate in model["rates"].items())
    lines += [
        f"The model, by least squares: {rates} rows a second and worker, {_time(model['latency'])} "
        f"for each pass, {_time(model['per_chunk'])} for each chunk, "
        f"{model['per_number'] * 1e9:.3g} ns for each number of a sum. It is off by "
        f"{100 * model['rms_residual']:.0f} % (root mean square), and by "
        f"{100 * model['largest_residual']:.0f} % at most.",
        "",
        "## Predicted for more workers",
        "",
        "For d = 4 and K = 4, in chunks of 2²⁰ rows. *Simulated* is the same pass, event by event, "
        "with chunks that take 10 % more or less: it knows the four costs, and not the formula. "
        "There chunks are handed out while others are computed; the formula adds the two, and is "
        "on the safe side.",
        "",
    ]
    rows = [
        [
            f"{row['n']:.0e}".replace("e+", "e"),
            f"{row['workers']:,}",
            _time(row["seconds"]),
            _time(row["simulated"]),
            f"{row['faster']:.3g}",
            f"{100 * row['of_rows'] / row['seconds']:.0f} %",
            f"{100 * row['of_chunks'] / row['seconds']:.0f} %",
            f"{100 * row['of_sums'] / row['seconds']:.2g} %",
        ]
        for row in results["predictions"]
    ]
    lines += _grid(
        ["rows", "workers", "model", "simulated", "times faster", "rows", "chunks", "sums"], rows
    )
    lines += ["Where it stops scaling:", ""]
    rows = [
        [
            f"{row['n']:.0e}".replace("e+", "e"),
            f"{row['chunks']:,}",
            f"{row['rows_cost_as_much_as_the_rest']:,.0f}",
            f"{row['fastest_with_a_chunk_each']:,.0f}",
        ]
        for row in results["limits"]
    ]
    lines += _grid(
        ["rows", "chunks", "workers with which rows cost half", "workers, one chunk each"], rows
    )
    lines += [
        "Beyond the first number twice as many workers make a pass less than a third faster, "
        "because one scheduler hands out all chunks. Longer chunks help, as long as each worker "
        "has one: the second number is where a pass is fastest then.",
        "",
        "## What travels in a pass",
        "",
    ]
    rows = [
        [
            f"d = {SHAPES[row['shape']][0]}, K = {SHAPES[row['shape']][1]}",
            f"{row['n']:,}",
            f"{row['rows'] / 1e6:,.1f} MB",
            f"{row['workers_write'] / 1e3:,.0f} kB",
            f"{row['client_writes'] / 1e3:,.0f} kB",
            f"{row['a_sum'] / 1e3:.3g} kB",
        ]
        for row in results["bytes"]
    ]
    lines += _grid(
        ["shape", "rows", "they are", "workers write", "client writes", "one sum, bare"], rows
    )
    lines += ["In 8 chunks on 2 workers, all messages of Dask included.", "", "## Memory", ""]
    rows = [
        [
            f"{row['chunk_mb']:.3g} MB",
            str(row["chunks"]),
            f"{row['all_mb']:,.0f} MB",
            f"{row['peak_grew_mb']:.0f} MB",
        ]
        for row in results["memory"]
    ]
    lines += _grid(["a chunk", "chunks", "all rows", "a worker's peak grew by"], rows)
    lines += ["One after another in the same two processes, so that the peak only grows.", ""]
    peers = dict(results["peers"])
    n, d, K, steps = (peers.pop(name) for name in ("n", "d", "K", "steps"))
    lines += [
        "## Beside others",
        "",
        f"{steps} steps on {n:,} × {d} with K = {K} from the same start: eleven less one. In "
        "memory two threads, on Dask and Spark two processes or cores, scikit-learn with one "
        "thread of BLAS. Steps are plain EM for all, and the means are compared after the "
        "eleventh, in standard deviations.",
        "",
    ]
    rows = []
    for name, row in peers.items():
        if "missing" in row:
            rows.append([name, "-", f"*not run: {row['missing']}*", "-"])
        else:
            apart = f"{row['means_apart']:.1e}" if "means_apart" in row else "-"
            rows.append([name, row["version"], _time(row["seconds"]), apart])
    lines += _grid(["program", "version", "seconds", "means apart"], rows)
    return "\n".join(lines).rstrip() + "\n"


def write(results: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_rounded(results), indent=1, ensure_ascii=False) + "\n"
    (folder / "distributed.json").write_text(text, encoding="utf-8")
    (folder / "distributed.md").write_text(page(results), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="toy sizes: only to see that it runs")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder")
    parser.add_argument("--spark", help="a Python that has pyspark")
    asked = parser.parse_args()
    machine.without_blas_variables()
    write(measured(asked.quick, asked.spark), asked.out)


if __name__ == "__main__":
    main()
