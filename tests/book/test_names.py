"""Names in the notation that do not exist, and pages that are left out, are found."""

import tomllib
from pathlib import Path, PurePosixPath

import pytest

from book import ROOT, Book, Page
from formulas.letters import read_rows
from rules.names import notation_names, pages_left_out, unknown_names
from rules.tables import OF_THE_BOOK

ROWS = """letters = [
  {{symbol = 'p(x\\|z)', means = 'a density', code = '{}'}},
  {{symbol = 'z_n', means = 'no code'}},
]
"""


def test_both_are_active() -> None:
    assert {"notation_names", "pages_left_out"} <= set(OF_THE_BOOK)


@pytest.mark.parametrize(
    ("code", "unknown"),
    [
        ("means", []),
        ("means, weights", []),
        ("meens", ["meens"]),
        ("means, meens", ["meens"]),
        ("X.mean(axis=0)", []),
        ("Y.mean(axis=0)", ["Y"]),
        ("X.mode()", ["mode"]),
    ],
)
def test_a_name_that_does_not_exist(code: str, unknown: list[str], tmp_path: Path) -> None:
    rows = tomllib.loads(ROWS.format(code))["letters"]
    wrong = unknown_names(rows, {"means", "weights", "X", "mean", "axis"})
    assert [slip.split(" is called ")[1] if slip else "" for slip in wrong] == unknown
    (tmp_path / "gmmlib").mkdir()
    module = "def fit(means, weights): return X.mean(axis=0)\n"
    (tmp_path / "gmmlib" / "em.py").write_text(module)
    (tmp_path / "gmmlib" / "old.py").write_text("print 'meens'\n")
    assert notation_names(Book(tmp_path, ())) == []  # there is no notation
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "notation.toml").write_text(ROWS.format(code))
    assert len(notation_names(Book(tmp_path, ()))) == len(unknown)


def test_the_names_of_the_notation_are_read() -> None:
    assert sum("code" in row for row in read_rows(ROOT)["letters"]) >= 4


def test_a_page_that_the_toc_does_not_name(tmp_path: Path) -> None:
    (tmp_path / "chapters").mkdir()
    for name in ("one.ipynb", "two.md", "needs.yml"):
        (tmp_path / "chapters" / name).write_text("")
    pages = tuple(Page(PurePosixPath(f"chapters/{x}"), "") for x in ("one.ipynb", "two.md"))
    assert pages_left_out(Book(tmp_path, pages)) == []
    (wrong,) = pages_left_out(Book(tmp_path, pages[:1]))
    assert wrong.startswith("_toc.yml does not name chapters/two")
