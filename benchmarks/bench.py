"""Compare gmmlib with its peers, and write results.json, results.md and figures.

    make bench                                  everything, in about twenty minutes
    python benchmarks/bench.py --quick --out X  the same on toy sizes, to see that it runs

The keys of results.json, which the book reads:

``made``             the day
``machine``          processor, cores, system; dgemm_gflops (all threads), dgemm_gflops_one_thread,
                     gexp_per_second (10⁹ exponentials a second by NumPy on all threads), load (mean
                     number of busy processes before and after), unset (environment variables that
                     were taken away for the run) and with_them (what they would have done), or null
``versions``         {name: version}
``peers``            {key: {label, precision, own_start, version or missing}}
``compilation``      seconds of the first EM step: first_ever, afterwards (from Numba's cache)
``table``            a list of rows: n, d, K, covariance_type, overlap, iterations (10), start_seed,
                     seconds {peer: of those iterations}, with_setup {peer: of a whole call of 11;
                     gmmlib_fit: by the estimator, checks and attributes included},
                     log_likelihood {peer: after 11 iterations}, ratio {peer: seconds / gmmlib's},
                     share {gmmlib, gmmlib_numpy: of the DGEMM peak}, exp_share {the same: of the
                     exponentials' peak}, fastest_peer (a key), rounds; where a family needs fewer
                     operations than two matrix products, a share may be above 1
``densities``        a list: n, d, K, covariance_type, call ("predict" or "score_samples"),
                     seconds {gmmlib, scikit_learn, scikit_learn_1}
``growth``           {"n" | "d" | "K": {values, fixed {…}, seconds {peer: [per iteration]}, flops}}
``whole_fits``       a list: data, n, d, K, best, gap, plain_iterations, passes (gmmlib's),
                     seconds {peer}, short {peer: how far its ℓ is below the best}
``restarts``         {"starts": [1, 10, 100], n, d, K, seconds {peer: [...]},
                     log_likelihood {peer: [...]}, engine_pass [seconds of a pass with R mixtures]}
``real_fits``        a list: data, n, d, K, covariance_type, seconds {peer: median},
                     lowest and highest {peer: ℓ over the seeds}, seeds
``small_fits``       a list: data, n, d, covariance_type, K, seconds {gmmlib, scikit_learn,
                     scikit_learn_1: the least of a default fit over the seeds}, log_likelihood
                     {gmmlib, scikit_learn: the median}; and given_start: seconds of a fit of Old
                     Faithful from a given start {gmmlib, engine, scikit_learn_1, armadillo, gmmx}
``memory``           a list: n, d, K, kind ("array", "memmap"); in 10⁶ bytes: data, imports, ready
                     (after a fit of a few rows), peak, beyond (peak - ready, less the data of an
                     array); seconds, passes

Every number of seconds is the least over rounds in which all peers take turns of a quarter of a
second or one run, except in ``real_fits``. Set-up is taken away by difference: 11 iterations less
1, for every peer alike; null stands where that difference was lost in noise.
"""

import argparse
import datetime
import json
import os
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

import machine
import report
from densities import densities
from fits import real_fits, restarts, small_fits, whole_fits
from memory import measured_memory
from peers import Mclust, Missing, OursAsFitted, Peer, in_turns, installed, reached
from problems import problem

HERE = Path(__file__).parent
ROWS = (
    (100_000, 1, 3, "full"),
    (100_000, 2, 5, "full"),
    (100_000, 8, 8, "full"),
    (50_000, 16, 16, "full"),
    (20_000, 32, 16, "full"),
    (20_000, 64, 8, "full"),
    (5_000, 128, 5, "full"),
    (3_000, 256, 3, "full"),
    (3_000, 512, 3, "full"),
    (50_000, 16, 16, "tied"),
    (20_000, 64, 8, "tied"),
    (3_000, 256, 3, "tied"),
    (3_000, 512, 3, "tied"),
    (100_000, 32, 16, "diag"),
    (2_000, 784, 10, "diag"),
    (500, 4_096, 5, "diag"),
    (100_000, 32, 16, "spherical"),
    (2_000, 784, 10, "spherical"),
)
DENSITIES = ((2, 5, "full"), (16, 16, "full"), (64, 8, "full"), (16, 16, "tied"), (32, 16, "diag"))


class Sizes:
    """How much is measured; ``quick`` is for the tests."""

    def __init__(self, quick: bool, hurry: bool = False) -> None:
        toys = ((300, 1, 2, "full"), (300, 2, 2, "full"), (300, 5, 3, "tied"), (300, 6, 2, "diag"))
        self.rows = toys if quick else ROWS
        self.densities = ((2, 2, "full"), (4, 2, "diag")) if quick else DENSITIES
        self.density_rows = (1, 30) if quick else (1, 272, 100_000)
        self.density_rounds = 2 if quick else 10 if hurry else 30
        self.iterations = 10
        self.row_seconds = 0.1 if quick else 2.0 if hurry else 16.0
        self.rounds = (1, 2) if quick or hurry else (3, 15)
        self.growth: dict[str, tuple[dict[str, int], list[int]]] = {
            "n": ({"d": 8, "K": 8}, [300, 600] if quick else [1000, 10_000, 100_000, 1_000_000]),
            "d": ({"n": 300, "K": 2}, [1, 2])
            if quick
            else ({"n": 20_000, "K": 8}, [1, 2, 4, 8, 16, 32, 64]),
            "K": ({"n": 300, "d": 2}, [1, 2])
            if quick
            else ({"n": 20_000, "d": 8}, [1, 2, 4, 8, 16, 32, 64]),
        }
        self.slowest = 0.5  # expected seconds of an iteration at which a peer leaves
        self.growth_seconds = 0.1 if quick else 0.5 if hurry else 2.0
        self.fit_seconds = 0.1 if quick else 1.0 if hurry else 8.0
        self.fits = [(300, 2, 2)] if quick else [(10_000, 2, 5), (5_000, 8, 5), (5_000, 16, 8)]
        self.restarts = (300, 2, 2) if quick else (5_000, 4, 5)
        self.starts = [1, 2] if quick else [1, 10, 100]
        self.seeds = 2 if quick else 10
        self.small_kinds = ("full",) if quick else ("full", "tied", "diag", "spherical")
        self.small_rounds = 1 if quick else 5 if hurry else 20
        self.memory = [2_000] if quick else [100_000, 1_000_000, 10_000_000]


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder of the results")
    parser.add_argument("--quick", action="store_true", help="toy sizes: only to see that it runs")
    parser.add_argument("--hurry", action="store_true", help="all sizes, but the fewest rounds")
    parser.add_argument("--peers", type=lambda text: text.split(","), help="only these, by key")
    parser.add_argument("--parts", type=lambda text: text.split(","), help="only these keys")
    parser.add_argument("--as-it-is", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.as_it_is:
        print(json.dumps(machine.as_it_is(asked.quick)))
        return
    unset = machine.without_blas_variables()
    asked.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    sizes = Sizes(asked.quick, asked.hurry)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        if asked.quick:  # on toy sizes, and beside other tests, threads of BLAS only wait
            stack.enter_context(threadpool_limits(1, "blas"))
        found, told = installed(Path(folder), asked.peers)
        mclust = Mclust()
        told["mclust"] = {"label": mclust.label, "precision": "float64", "own_start": True}
        try:
            if asked.peers is not None and mclust.name not in asked.peers:
                raise Missing("left out of this run")
            told["mclust"]["version"] = mclust.version()
        except Missing as reason:
            told["mclust"]["missing"] = str(reason)
        for about in told.values():
            _say(f"{about['label']}: {about.get('version') or 'missing: ' + about['missing']}")
        results: dict[str, Any] = {
            "made": datetime.date.today().isoformat(),
            "machine": machine.described(asked.quick, unset),
            "versions": machine.versions(),
            "peers": told,
        }
        parts = {
            "compilation": lambda: machine.compilation(asked.quick),
            "table": lambda: [_row(found, sizes, *row) for row in sizes.rows],
            "densities": lambda: densities(sizes),
            "growth": lambda: _growth(found, sizes),
            "whole_fits": lambda: whole_fits(found, sizes.fits, sizes.fit_seconds),
            "restarts": lambda: restarts(sizes.restarts, sizes.starts, sizes.rounds[0]),
            "real_fits": lambda: real_fits(
                sizes.seeds, mclust if "version" in told["mclust"] else None
            ),
            "small_fits": lambda: small_fits(found, sizes.small_kinds, sizes.small_rounds),
            "memory": lambda: measured_memory(sizes.memory, Path(folder), _say),
        }
        for key, part in parts.items():
            if asked.parts is None or key in asked.parts:
                _say(f"{time.perf_counter() - began:5.0f} s  {key}")
                results[key] = part()
    here = results["machine"]
    here["load"].append(round(os.getloadavg()[0], 1))
    for name, value in machine.peaks(asked.quick).items():  # the better of before and after
        here[name] = max(here[name], value)
    for row in results.get("table", []):
        row.update(_shares(row, here))
    here["took_seconds"] = round(time.perf_counter() - began)
    report.write(results, asked.out)
    _say(f"{time.perf_counter() - began:5.0f} s  written: results.json, results.md and figures")


# --- fixed iterations -----------------------------------------------------------------------------


def _row(
    found: list[Peer], sizes: Sizes, n: int, d: int, K: int, covariance_type: str
) -> dict[str, Any]:
    p = problem(n, d, K, covariance_type)
    most = sizes.iterations + 1
    everyone = [peer for peer in found if covariance_type in peer.covariance_types]
    fitted = OursAsFitted()
    with ExitStack() as stack:
        tasks = {
            peer.name: stack.enter_context(peer.task(p.X, p.start, covariance_type))
            for peer in [*everyone, fitted]
        }
        least, rounds = in_turns(tasks, (1, most), sizes.row_seconds, sizes.rounds)
        del tasks[fitted.name]  # extrapolated, so that it ends elsewhere
        log_likelihood = {name: reached(task, p.X) for name, task in tasks.items()}
    seconds = {name: _without_setup(least[name]) for name in tasks if name in least}
    row = {
        "n": n,
        "d": d,
        "K": K,
        "covariance_type": covariance_type,
        "overlap": round(p.overlap, 3),
        "iterations": sizes.iterations,
        "flops": p.flops * sizes.iterations,
        "seconds": seconds,
        "with_setup": {name: least[name][most] for name in least},
        "log_likelihood": log_likelihood,
        "rounds": rounds,
    }
    _say(
        f"       {n} × {d}, K = {K}, {covariance_type}: "
        + ", ".join(f"{k} {v:.3f}" for k, v in seconds.items() if v)
    )
    return row


def _shares(row: dict[str, Any], here: dict[str, Any]) -> dict[str, Any]:
    seconds = {name: s for name, s in row["seconds"].items() if s is not None}
    ours = seconds.get("gmmlib", seconds.get("gmmlib_numpy"))
    others = {name: s for name, s in seconds.items() if not name.startswith("gmmlib")}
    exponentials = row["n"] * row["K"] * row["iterations"]
    mine = [name for name in ("gmmlib", "gmmlib_numpy") if name in seconds]
    return {
        "ratio": {name: s / ours for name, s in seconds.items()} if ours else {},
        "fastest_peer": min(others, key=lambda name: others[name]) if others else None,
        "share": {k: row["flops"] / seconds[k] / 1e9 / here["dgemm_gflops"] for k in mine},
        "exp_share": {k: exponentials / seconds[k] / 1e9 / here["gexp_per_second"] for k in mine},
    }


def _without_setup(least: dict[int, float]) -> float | None:
    """The time of the longer run less that of the shorter; None where noise hides it."""
    short, long = least.values()
    return long - short if long - short > 0.05 * long else None


def _growth(found: list[Peer], sizes: Sizes) -> dict[str, Any]:
    """Seconds per iteration as one of n, d and K grows; a peer leaves when it gets too slow."""
    grown: dict[str, Any] = {}
    several = 5
    for letter, (fixed, values) in sizes.growth.items():
        seconds: dict[str, list[float | None]] = {peer.name: [] for peer in found}
        flops = []
        running = list(found)
        for value, following in zip(values, [*values[1:], values[-1]], strict=True):
            size = fixed | {letter: value}
            p = problem(size["n"], size["d"], size["K"])
            flops.append(p.flops)
            with ExitStack() as stack:
                tasks = {
                    peer.name: stack.enter_context(peer.task(p.X, p.start)) for peer in running
                }
                least, _ = in_turns(tasks, (1, 1 + several), sizes.growth_seconds, (1, 9))
            for name, so_far in seconds.items():
                took = _without_setup(least[name]) if name in least else None
                so_far.append(None if took is None else took / several)
            expected = {
                name: (so_far[-1] or 0) * following / value for name, so_far in seconds.items()
            }
            running = [peer for peer in running if expected[peer.name] < sizes.slowest]
        grown[letter] = {"values": values, "fixed": fixed, "seconds": seconds, "flops": flops}
    return grown


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
