"""How the tests are shared out: a chapter stays whole, what is long comes first."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import shares

ROOT = Path(__file__).parents[2]
SUPPORT = ROOT / "tests" / "support"
FILES = [
    "chapters/test_chapter.py",
    "tests/library/test_long.py",
    "tests/site/test_pages.py",
    "tests/project/test_project.py",
    "tests/site/test_touch_contract.py",
    "tests/site/test_touch_one.py",
]
CELLS = 15
OPTIONS = ["-q", "-p", "xdist", "-p", "shares", "-n", "2", "-c", os.devnull]
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
FILE = f"""
import os, pytest

@pytest.mark.parametrize("i", range({CELLS}))
def test_{{name}}(i):
    with open(os.environ["RAN"], "a") as file:
        print("{{path}}", os.environ["PYTEST_XDIST_WORKER"], i, file=file)
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, int]]:
    """File, process and number of each test of a small project, as two processes ran them."""
    folder = tmp_path_factory.mktemp("shared")
    for path in FILES:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        name = "every_page" if "pages" in path else "it"
        file.write_text(FILE.format(name=name, path=path))
    said = folder / "ran.txt"
    subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, folder, "--rootdir", folder],
        env={**os.environ, **ALONE, "PYTHONPATH": str(SUPPORT), "RAN": str(said)},
        cwd=folder,
        check=True,
        capture_output=True,
    )
    lines = re.findall(r"(\S+) (\S+) (\d+)\n", said.read_text())
    return [(path, process, int(number)) for path, process, number in lines]


def test_all_have_run(ran: list[tuple[str, str, int]]) -> None:
    assert len(ran) == len(FILES) * CELLS == len({(path, number) for path, _, number in ran})


def test_a_chapter_is_run_by_one_process_in_its_order(ran: list[tuple[str, str, int]]) -> None:
    numbers = defaultdict(list)
    for path, process, number in ran:
        numbers[path, process].append(number)
    for path in (
        "chapters/test_chapter.py",
        "tests/library/test_long.py",
        "tests/site/test_touch_one.py",
    ):
        (found,) = (numbers[key] for key in numbers if key[0] == path)
        assert found == list(range(CELLS))


@pytest.mark.parametrize(
    ("nodeid", "share"),
    [
        ("tests/library/test_em.py::test_a[1]", "tests/library/test_em.py"),
        ("chapters/01_one.ipynb::Cell 3", "chapters/01_one.ipynb"),
        ("tests/site/test_pages.py::test_what_opens", "tests/site/test_pages.py"),
        (
            "tests/site/test_pages.py::test_every_page[a.html]",
            "tests/site/test_pages.py::test_every_page[a.html]",
        ),
        ("tests/project/test_project.py::test_a", "tests/project/test_project.py::test_a"),
        (
            "tests/site/test_touch_contract.py::test_a[bound]",
            "tests/site/test_touch_contract.py::test_a[bound]",
        ),
    ],
)
def test_what_is_shared_out_together(nodeid: str, share: str) -> None:
    assert shares.share(nodeid) == share


def test_this_run_is_in_order(request: pytest.FixtureRequest) -> None:
    places = [shares.place(item.nodeid) for item in request.session.items]
    assert places == sorted(places)


def test_what_is_shared_out_singly_is_there(request: pytest.FixtureRequest) -> None:
    for start in shares.SINGLY:
        file, _, name = start.partition("::")
        assert f"def {name or 'test_'}" in (ROOT / file).read_text()
