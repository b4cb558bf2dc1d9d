"""All families of covariances with 1 to 9 components, beside R's mclust.

``python benchmarks/families.py`` writes ``results/families.md`` and ``families.json``: our
log-likelihood minus mclust's for each cell, the seconds of the whole, and those of ten iterations
on many rows. A cell of ours that has a note (see :class:`gmmlib.select.Cell`) is marked. mclust is
needed: see README.md here.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.datasets
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gmmlib import Mixture, datasets, e_step, m_step
from gmmlib.engine import Blocks, Engine, Parameters
from gmmlib.models import MCLUST_TYPES
from gmmlib.select import select
from peers import Mclust, from_r

RESULTS = Path(__file__).parent / "results"
MOST = 9
STEPS = ("EEV", "VEV", "VVE")
N_STEPS, D_STEPS, K_STEPS = 100_000, 8, 8
LOWER = 1e-4  # of log-likelihood: what is further below mclust's is called lower

DATA = {
    "Old Faithful": datasets.old_faithful,
    "iris": lambda: sklearn.datasets.load_iris().data,
    "diabetes": lambda: datasets.diabetes()[0],
}


def by_mclust(X: NDArray[np.float64], most: int) -> tuple[float, NDArray[np.float64]]:
    """The seconds of one Mclust over all cells, and the log-likelihoods (families, K)."""
    seconds, *rows = from_r("selection.R", [str(most), *MCLUST_TYPES], X)
    found = {name: values for name, *values in map(str.split, rows)}
    table = [[np.nan if v == "NA" else float(v) for v in found[name]] for name in MCLUST_TYPES]
    return float(seconds), np.array(table)


def measured(name: str, most: int) -> dict[str, Any]:
    """One data set: both programs, all cells."""
    X = DATA[name]()
    seconds, theirs = by_mclust(X, most)
    begin = time.perf_counter()
    selection = select(X, range(1, most + 1))
    took = time.perf_counter() - begin
    ours = np.reshape([cell.log_likelihood for cell in selection.cells], theirs.shape)
    return {
        "data": name,
        "ours": ours.tolist(),
        "notes": [cell.note for cell in selection.cells],
        "mclust": theirs.tolist(),
        "seconds": took,
        "mclust seconds": seconds,
    }


def steps(name: str, rounds: int = 3) -> dict[str, Any]:
    """Seconds of ten EM iterations on many rows by both, from the same responsibilities.

    The least of some rounds, in turns; with the log-likelihood before the last iteration.
    """
    rng = np.random.default_rng(14)
    roots = rng.normal(size=(K_STEPS, D_STEPS, D_STEPS))
    Sigma = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(D_STEPS)
    truth = Mixture(rng.dirichlet([5] * K_STEPS), 2 * rng.normal(size=(K_STEPS, D_STEPS)), Sigma)
    X, _ = truth.sample(N_STEPS, rng)
    beta, _ = e_step(X, m_step(X, rng.dirichlet(np.full(K_STEPS, 0.3), size=N_STEPS)))
    start = m_step(X, beta)
    both = np.hstack([X, beta])
    blocks = Blocks.of(X)
    times: dict[str, list[float]] = {"gmmlib": [], "mclust": []}
    ours = theirs = np.nan
    for _ in range(rounds):
        begin = time.perf_counter()
        with Engine(blocks, name) as engine:
            p = engine.projected(Parameters.of([start], name, blocks.frame))
            for _ in range(10):
                p, found = engine.em_step(p)
        ours = float(found[0])
        times["gmmlib"].append(time.perf_counter() - begin)
        line, *_ = from_r("steps.R", [name, str(K_STEPS)], both)
        seconds, value, *_ = line.split()
        times["mclust"].append(float(seconds))
        theirs = float(value)
    least = {who: min(values) for who, values in times.items()}
    return {"name": name, "seconds": least, "ours": ours, "mclust": theirs}


def page(found: dict[str, Any]) -> str:
    """The results as Markdown."""
    text = [
        "# Fourteen families beside mclust",
        "",
        f"Our log-likelihood minus that of mclust {found['mclust']} "
        f"(`python benchmarks/families.py`, {found['day']}), with the defaults of both. "
        f"`=` is less than {LOWER:g} apart, `new` a cell in which only we have a fit, "
        "`!` one in which ours has a note.",
    ]
    for case in found["cases"]:
        ours, theirs = np.array(case["ours"], float), np.array(case["mclust"], float)
        notes = np.reshape([bool(note) for note in case["notes"]], ours.shape)
        text += ["", f"## {case['data']}", ""]
        most = ours.shape[1]
        text.append("| K | " + " | ".join(MCLUST_TYPES) + " |")
        text.append("|---" * (len(MCLUST_TYPES) + 1) + "|")
        for K in range(most):
            row = [
                _cell(one, other, noted)
                for one, other, noted in zip(ours[:, K], theirs[:, K], notes[:, K], strict=True)
            ]
            text.append(f"| {K + 1} | " + " | ".join(row) + " |")
        lower = int((ours < theirs - LOWER).sum())
        text += [
            "",
            f"Lower in {lower} of {ours.size} cells, higher in {int((ours > theirs + LOWER).sum())}"
            f". All cells: {case['seconds']:.1f} s, mclust {case['mclust seconds']:.1f} s.",
        ]
    if found.get("steps"):
        text += [
            "",
            f"## Ten iterations on {N_STEPS:,} × {D_STEPS}, K = {K_STEPS}",
            "",
            "From the same responsibilities; the least of three rounds, in turns.",
            "",
            "| family | gmmlib | mclust | ratio |",
            "|---|---|---|---|",
        ]
        for row in found["steps"]:
            one, two = row["seconds"]["gmmlib"], row["seconds"]["mclust"]
            text.append(f"| {row['name']} | {one:.2f} s | {two:.2f} s | {two / one:.1f} |")
    return "\n".join(text) + "\n"


def _cell(ours: float, theirs: float, noted: bool) -> str:
    mark = "!" if noted else ""
    if np.isnan(ours):
        return mark + "no fit"
    if np.isnan(theirs):
        return mark + "new"
    return mark + ("=" if abs(ours - theirs) <= LOWER else f"{ours - theirs:+.2f}")


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--most", type=int, default=MOST, help="components")
    parser.add_argument("--only", default="", help="data whose name has this in it")
    parser.add_argument("--no-steps", action="store_true", help="without the times of iterations")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    found: dict[str, Any] = {
        "mclust": Mclust().version(),
        "day": time.strftime("%Y-%m-%d"),
        "cases": [],
    }
    for name in DATA:
        if asked.only in name:
            with threadpool_limits(1):
                found["cases"].append(measured(name, asked.most))
            print(page(found).splitlines()[-1], flush=True)
    found["steps"] = [] if asked.no_steps else [steps(name) for name in STEPS]
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "families.json").write_text(json.dumps(found) + "\n")
    (asked.out / "families.md").write_text(page(found))


if __name__ == "__main__":
    main()
