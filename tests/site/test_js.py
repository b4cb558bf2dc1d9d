"""The mathematics of the figures in Node against gmmlib, and the files that are written from it."""

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import js_fixtures
from website import figure_data

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests" / "site" / "js").glob("*.test.js"))


def node(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if not shutil.which("node"):
        pytest.fail(
            "The tests of the figures' em.js need Node 18 or newer. On Debian: apt install nodejs"
        )
    return subprocess.run(
        ["node", *map(str, arguments)], capture_output=True, text=True, timeout=600, cwd=ROOT
    )


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


def stale(stored: Any, fresh: Any) -> list[str]:
    """Where the two differ by more than rounding."""
    old, new = dict(leaves(stored)), dict(leaves(fresh))
    wrong = [f"{path} is in only one of them" for path in old.keys() ^ new.keys()]
    for path in old.keys() & new.keys():
        a, b = old[path], new[path]
        same = a == b
        if isinstance(a, float) and isinstance(b, (int, float)):
            same = math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
        if not same:
            wrong.append(f"{path} is {a!r}, and now {b!r}")
    return wrong


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_in_node(path: Path) -> None:
    done = node("--test", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " pass 0\n" not in done.stdout


def test_a_wrong_number_fails_in_node(tmp_path: Path) -> None:
    for name in (
        "assets/figures/kit/em.js",
        "assets/figures/data/data-sets.js",
        "tests/site/js/close.js",
        "tests/site/js/em.test.js",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    numbers = json.loads(js_fixtures.FIXTURES.read_text())
    numbers["steps"][1]["next"]["means"][0] += 1e-9
    (tmp_path / "tests/site/js/fixtures.json").write_text(json.dumps(numbers))
    done = node("--test", tmp_path / "tests/site/js/em.test.js")
    assert done.returncode != 0
    assert "means [0]: " in done.stdout
    assert " fail 1\n" in done.stdout


def test_the_fixtures_are_those_of_gmmlib() -> None:
    stored = json.loads(js_fixtures.FIXTURES.read_text(encoding="utf-8"))
    wrong = stale(stored, json.loads(js_fixtures.fixtures_text()))
    assert not wrong, f"Run: PYTHONPATH=tools python tests/support/js_fixtures.py. {wrong[:5]}"
    stored["fits"][0]["logLikelihoods"][3] *= 1 + 1e-11
    stored["surface"]["values"].pop()
    assert len(stale(stored, json.loads(js_fixtures.fixtures_text()))) == 1 + 9


def test_the_data_are_those_of_gmmlib() -> None:
    assert figure_data.DATA.read_text(encoding="utf-8") == figure_data.data_script()
    show = "process.stdout.write(JSON.stringify(gmmData))"
    done = node("-e", f"require('./assets/figures/data/data-sets.js'); {show}")
    shown = json.loads(done.stdout)
    wanted = {name: X.tolist() for name, X in figure_data.data_sets().items()}
    assert shown == wanted


def test_node_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt install nodejs"):
        node("--version")
