"""The benchmark runs, on toy sizes; what it measures is nobody's business here."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bench
import peers
import problems
import report
from gmmlib.engine import Compiled

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "benchmarks" / "bench.py"
KEYS = {
    "made", "machine", "versions", "peers", "compilation", "table", "densities", "growth",
    "whole_fits", "restarts", "real_fits", "small_fits", "memory",
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a quick run, as make starts it: with a setting of BLAS that users lack."""
    folder = tmp_path_factory.mktemp("results")
    only = "gmmlib_numpy,scikit_learn,nobody" + (",gmmlib" if Compiled else "")
    subprocess.run(
        [sys.executable, str(BENCH), "--quick", "--out", str(folder), "--peers", only],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=900,
    )
    return folder


@pytest.fixture
def results(written):
    return json.loads((written / "results.json").read_text(encoding="utf-8"))


def test_all_files_are_written(written):
    names = {"results.json", "results.md", "table.png", "growth.png", "share.png"}
    assert {file.name for file in written.iterdir()} == names
    assert all(file.stat().st_size > 500 for file in written.iterdir())


def test_the_keys_are_those_that_are_documented(results):
    assert set(results) == KEYS
    documented = BENCH.read_text(encoding="utf-8").split('"""')[1]
    assert all(f"``{key}``" in documented for key in KEYS)
    row = results["table"][0]
    assert {"n", "d", "K", "seconds", "ratio", "share", "fastest_peer", "rounds"} <= set(row)
    assert set(row["with_setup"]) == {*row["seconds"], "gmmlib_fit"}
    assert {row["covariance_type"] for row in results["table"]} == {"full", "tied", "diag"}
    assert {row["call"] for row in results["densities"]} == {"predict", "score_samples"}
    assert row["fastest_peer"] in ("scikit_learn", None)


def test_everybody_does_the_same_work(results):
    for row in results["table"]:
        reached = row["log_likelihood"].values()
        assert len(row["log_likelihood"]) == len(row["seconds"]) >= 2
        assert np.ptp(list(reached)) < 1e-8 * row["n"]
    for fit in results["whole_fits"]:
        assert len(fit["short"]) >= 1
        assert all(short <= fit["gap"] for short in fit["short"].values())


def test_a_ratio_says_how_many_times_less_ours_takes():
    row = {"n": 10, "K": 2, "iterations": 10, "flops": 4e9}
    row["seconds"] = {"gmmlib": 0.5, "scikit_learn": 6.0, "mlpack": 2.0, "gmmx": None}
    found = bench._shares(row, {"dgemm_gflops": 16.0, "gexp_per_second": 1e-6})
    assert found["ratio"] == {"gmmlib": 1, "scikit_learn": 12, "mlpack": 4}
    assert found["fastest_peer"] == "mlpack"
    assert found["share"] == {"gmmlib": 0.5}
    assert found["exp_share"] == {"gmmlib": pytest.approx(0.4)}


@pytest.mark.parametrize(("least", "seconds"), [((1, 11), 10), ((3, 2), None), ((50, 51), None)])
def test_setup_is_taken_away(least, seconds):
    assert bench._without_setup(dict(zip((1, 11), least, strict=True))) == seconds


def test_memory_is_that_of_a_process_of_its_own(results):
    for row in results["memory"]:
        assert 0 < row["imports"] <= row["ready"] <= row["peak"]


def test_blas_is_as_users_have_it(results):
    assert results["machine"]["unset"]["OPENBLAS_NUM_THREADS"] == "1"
    assert results["machine"]["with_them"]["dgemm_gflops"] > 0


def test_the_page_names_no_folder_of_this_machine(written):
    for name in ("results.json", "results.md"):
        text = (written / name).read_text(encoding="utf-8")
        assert str(ROOT) not in text
        assert str(written) not in text


def test_who_was_left_out_is_listed(written, results):
    assert results["peers"]["pomegranate"]["missing"] == "left out of this run"
    assert "| pomegranate | *not run: left out of this run*" in (
        (written / "results.md").read_text(encoding="utf-8")
    )


def test_a_missing_peer_is_listed_with_the_reason(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)

    def absent(name):
        raise peers.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(peers.importlib.metadata, "version", absent)
    found, told = peers.installed(tmp_path)
    assert found == []
    assert told["pomegranate"]["missing"] == "the Python package pomegranate is not installed"
    assert told["armadillo"]["missing"] == "g++ is not installed"
    with pytest.raises(peers.Missing, match="R is not installed"):
        peers.Mclust().version()


def test_a_peer_that_fails_leaves_the_others(capsys):
    def fails(_):
        raise RuntimeError("no factor")

    tasks = {"good": peers.Task(lambda m: m / 10), "bad": peers.Task(fails)}
    least, rounds = peers.in_turns(tasks, (1, 11), 0.0, (2, 3))
    assert least == {"good": {1: 0.1, 11: 1.1}}
    assert rounds == 2
    assert "bad stopped" in capsys.readouterr().err


def test_the_least_time_counts_and_the_warm_up_does_not():
    times = iter([0.0, 5.0, 3.0, 4.0])
    least, _ = peers.in_turns({"one": peers.Task(lambda _: next(times))}, (1,), 100.0, (3, 3))
    assert least == {"one": {1: 3.0}}


def test_the_components_overlap_as_is_said():
    for n, d, K, kind in ((50, 1, 3, "full"), (50, 3, 2, "full"), (50, 3, 2, "tied")):
        found = problems.problem(n, d, K, kind)
        assert found.X.shape == (n, d)
        assert found.overlap == pytest.approx(problems.OVERLAP, abs=0.02)
        assert found.flops == 4 * K * (1 + d + d * (d + 1) // 2) * n


def test_the_stored_page_is_that_of_the_stored_results():
    stored = ROOT / "benchmarks" / "results"
    results = json.loads((stored / "results.json").read_text(encoding="utf-8"))
    page = (stored / "results.md").read_text(encoding="utf-8")
    assert report._page(results) == page
    results["table"][0]["seconds"]["gmmlib"] *= 2
    assert report._page(results) != page


def test_pages_are_drawn_from_what_was_written(written, tmp_path):
    shutil.copy(written / "results.json", tmp_path)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    report.write(results, tmp_path)
    assert (tmp_path / "results.md").read_text(encoding="utf-8").count("\n## ") >= 5
