"""Peak memory of whole fits, each in a process of its own.

``python memory.py FILE N D K KIND`` is that process; it prints one line of JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

D, K = 8, 4


def measured_memory(
    rows: list[int], folder: Path, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Fits of a file mapped into memory, and of an array, for each number of rows."""
    from problems import problem

    found = []
    file = folder / "rows.bin"
    sample = problem(min(rows[-1], 100_000), D, K, seed=3)
    rng = np.random.default_rng(0)
    for n in rows:
        with file.open("wb") as out:
            left = n
            while left:
                X, _ = sample.truth.sample(min(left, 100_000), rng)
                X.tofile(out)
                left -= len(X)
        for kind in ("memmap", "array"):
            if kind == "array" and n > 1_000_000:
                continue
            done = subprocess.run(
                [sys.executable, __file__, str(file), *map(str, (n, D, K)), kind],
                capture_output=True,
                text=True,
                check=True,
            )
            row = json.loads(done.stdout)
            found.append({"n": n, "d": D, "K": K, "kind": kind, **row})
            say(f"       {n} × {D}, {kind}: peak {row['peak']:.0f} MB in {row['seconds']:.1f} s")
        file.unlink()
    return found


def _peak() -> float:
    """The most memory so far, in 10⁶ bytes; pages of mapped files count."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main(file: str, n: int, d: int, components: int, kind: str) -> None:
    """Fit, and print what it took."""
    from gmmlib import GaussianMixture

    imports = _peak()
    few = np.fromfile(file, count=2000 * d).reshape(-1, d)
    GaussianMixture(components, random_state=0).fit(few)  # loads the compiled loops
    ready = _peak()
    if kind == "array":
        X = np.fromfile(file).reshape(n, d)
    else:
        X = np.memmap(file, dtype=np.float64, mode="r", shape=(n, d))
    begin = time.perf_counter()
    model = GaussianMixture(components, random_state=0).fit(X)
    seconds = time.perf_counter() - begin
    peak, data = _peak(), n * d * 8 / 1e6
    beyond = peak - ready - (data if kind == "array" else 0)
    told = {"data": data, "imports": imports, "ready": ready, "peak": peak, "beyond": beyond}
    print(json.dumps(told | {"seconds": seconds, "passes": model.n_iter_}))


if __name__ == "__main__":
    name, *numbers, how = sys.argv[1:]
    main(name, *(int(number) for number in numbers), how)
