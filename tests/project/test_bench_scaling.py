"""The model of what a pass costs on several workers, its simulation, and a quick run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cost_model
from cost_model import Model, Pass

SCALING = Path(__file__).parents[2] / "benchmarks" / "scaling.py"
MODEL = Model({"a": 2e6, "b": 1e4}, latency=0.02, per_chunk=1e-3, per_number=1e-8)
PASSES = [
    Pass(n, workers, chunks, numbers, shape)
    for n in (10**5, 10**7)
    for workers in (1, 2)
    for chunks in (2, 30, 500)
    for shape, numbers in (("a", 100), ("b", 10**6))
]


def test_the_costs_are_found_from_times_that_have_them():
    found = cost_model.fitted(PASSES, [MODEL.seconds(a) for a in PASSES])
    assert found.rates == pytest.approx(MODEL.rates, rel=1e-8)
    for name in ("latency", "per_chunk", "per_number"):
        assert getattr(found, name) == pytest.approx(getattr(MODEL, name), rel=1e-8)


def test_the_busiest_worker_counts():
    one, two = (MODEL.parts(Pass(3000, workers, 3, 1, "b"))["rows"] for workers in (1, 2))
    assert two == pytest.approx(one * 2 / 3)  # three chunks on two workers
    assert MODEL.parts(Pass(3000, 5, 3, 1, "b"))["rows"] == pytest.approx(one / 3)


@pytest.mark.parametrize(("chunks", "sums"), [(1, 1), (64, 64), (65, 8 + 9), (5000, 24 + 10)])
def test_sums_that_are_added_one_after_another(chunks, sums):
    assert cost_model.joined(chunks) == sums


@pytest.mark.parametrize("workers", [1, 2, 10, 100])
@pytest.mark.parametrize("per_chunk", [1e-6, 1e-3])
def test_the_simulation_lies_below_the_model_and_above_its_largest_part(workers, per_chunk):
    """The model adds what the simulation does at the same time."""
    model = Model(MODEL.rates, 0.02, per_chunk, 1e-9)
    a = Pass(10**8, workers, 600, 100, "a")
    found = cost_model.simulated(model, a, spread=0.0)
    assert found <= model.seconds(a) * (1 + 1e-9) + a.n / a.chunks / model.rates["a"]
    assert found >= max(model.parts(a).values()) * (1 - 1e-9)


def test_where_it_stops_scaling():
    n, chunks = 10**9, 1000
    half = MODEL.most_workers(n, chunks, 100, "a")
    parts = MODEL.parts(Pass(n, 1, chunks, 100, "a"))
    assert parts["rows"] / half == pytest.approx(sum(parts.values()) - parts["rows"])
    best = MODEL.best_workers(n, "a")

    def seconds(workers):  # a chunk each; its sum costs next to nothing
        return n / workers / MODEL.rates["a"] + MODEL.latency + MODEL.per_chunk * workers

    assert seconds(best) < min(seconds(0.9 * best), seconds(1.1 * best))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a quick run."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("results")
    subprocess.run(
        [sys.executable, str(SCALING), "--quick", "--out", str(folder)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=900,
    )
    return folder


def test_the_keys_are_those_that_are_documented(written):
    results = json.loads((written / "distributed.json").read_text(encoding="utf-8"))
    documented = SCALING.read_text(encoding="utf-8").split('"""')[1]
    assert all(f"``{key}``" in documented for key in results)
    assert {row["workers"] for row in results["passes"]} == {1, 2}
    assert {row["workers"] for row in results["predictions"]} == {1, 2, 10, 100, 1000}
    assert all(np.isfinite(row["residual"]) for row in results["passes"])
    assert results["peers"]["gmmlib, Dask"]["means_apart"] == 0
    assert results["peers"]["scikit-learn"]["means_apart"] < 1e-9
    assert results["peers"]["Spark"].get("means_apart", 0) < 1e-3


def test_the_page_has_all_tables(written):
    page = (written / "distributed.md").read_text(encoding="utf-8")
    titles = [line for line in page.splitlines() if line.startswith("## ")]
    assert titles == [
        "## One pass",
        "## Predicted for more workers",
        "## What travels in a pass",
        "## Memory",
        "## Beside others",
    ]
    assert "nan" not in page
