"""The machine: what it can do at most, and what its environment asks of BLAS."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from peers import Ours, Peer, ScikitLearn, in_turns
from problems import problem

BLAS_VARIABLES = ("OPENBLAS_", "OMP_", "MKL_", "GOTO_", "BLIS_", "NUMEXPR_", "VECLIB_")
_REMEMBERED = "GMMLIB_BENCH_UNSET"


def without_blas_variables() -> dict[str, str]:
    """Start again without the variables that tell BLAS what to do: users rarely have them."""
    present = {k: v for k, v in os.environ.items() if k.startswith(BLAS_VARIABLES)}
    if _REMEMBERED not in os.environ and present:
        left = {k: v for k, v in os.environ.items() if k not in present}
        left[_REMEMBERED] = json.dumps(present)
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.argv], left)
    return dict(json.loads(os.environ.pop(_REMEMBERED, "{}")))


def described(quick: bool, unset: dict[str, str]) -> dict[str, Any]:
    with_them = None
    if unset:
        asked = subprocess.run(
            [sys.executable, sys.argv[0], "--as-it-is", *(["--quick"] if quick else [])],
            env=os.environ | unset,
            capture_output=True,
            text=True,
            check=True,
        )
        with_them = json.loads(asked.stdout)
    return {
        "processor": _processor(),
        "cores": joblib.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **peaks(quick),
        "load": [round(os.getloadavg()[0], 1)],
        "unset": unset,
        "with_them": with_them,
    }


def as_it_is(quick: bool) -> dict[str, float]:
    """What the environment's settings do to BLAS and to scikit-learn."""
    found = peaks(quick)
    p = problem(*((300, 2, 2) if quick else (50_000, 16, 16)))
    both: list[Peer] = [Ours(), ScikitLearn()]
    with ExitStack() as stack:
        tasks = {peer.name: stack.enter_context(peer.task(p.X, p.start)) for peer in both}
        seconds, _ = in_turns(tasks, (1, 11), 0 if quick else 6.0, (1, 5))
    return found | {name: least[11] - least[1] for name, least in seconds.items()}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def peaks(quick: bool) -> dict[str, float]:
    """10⁹ operations a second of A @ B, and exponentials a second, both by NumPy."""
    cores = joblib.cpu_count()

    def product(size: int) -> float:
        A = np.random.default_rng(0).standard_normal((size, size))
        out = np.empty_like(A)
        return 2 * size**3 / _least(lambda: np.matmul(A, A, out=out), 3 if quick else 12) / 1e9

    sizes = (64,) if quick else (768, 1536, 2304)
    all_threads = max(product(size) for size in sizes)
    with threadpool_limits(1, "blas"):
        one = max(product(size) for size in sizes)
    x = np.random.default_rng(0).uniform(-30, 0, 4096)
    repeats = 10 if quick else 500

    def exponentials(_: int) -> None:
        out = np.empty_like(x)
        for _ in range(repeats):
            np.exp(x, out=out)

    with ThreadPoolExecutor(cores) as pool:
        seconds = _least(lambda: list(pool.map(exponentials, range(cores))), 10)
    return {
        "dgemm_gflops": max(all_threads, one),
        "dgemm_gflops_one_thread": one,
        "gexp_per_second": cores * repeats * len(x) / seconds / 1e9,
    }


def _least(function: Any, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def versions() -> dict[str, str]:
    names = ("gmmlib", "numpy", "scipy", "scikit-learn", "numba", "threadpoolctl")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def compilation(quick: bool) -> dict[str, float]:
    """Seconds of the first step in a new process: with nothing in Numba's cache, and again."""
    code = (
        "import time, numpy as np\n"
        "from gmmlib.engine import Blocks, Engine, Parameters\n"
        "from gmmlib import datasets, initialization\n"
        "X = datasets.old_faithful()\n"
        "start = initialization.random_points(X, 2, 0)\n"
        "begin = time.perf_counter()\n"
        "blocks = Blocks.of(X)\n"
        "p = Parameters.of([start], 'full', blocks.frame)\n"
        "with Engine(blocks, 'full') as steps:\n"
        "    steps.em_step(p)\n"
        "print(time.perf_counter() - begin)\n"
    )
    with tempfile.TemporaryDirectory() as cache:
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-c", code],
                    env=os.environ | ({} if quick else {"NUMBA_CACHE_DIR": cache}),
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(2)
        ]
    return {"first_ever": seconds[0], "afterwards": seconds[1]}
