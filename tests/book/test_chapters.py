"""The book keeps to its rules (tools/rules).

The same chapters are executed and compared by nbval and nbval_pictures.py.
"""

import tomllib

import pytest

from book import ROOT, Page, page_paths, read_book
from gmmlib.fitting import heats
from rules.tables import OF_A_CHAPTER, OF_THE_BOOK

BOOK = read_book()


def test_every_page_is_in_the_book() -> None:
    """What _toc.yml does not name is looked at by no rule."""
    files = [p for p in (ROOT / "chapters").iterdir() if p.suffix in (".md", ".ipynb")]
    files += [*(ROOT / "course").glob("*.md"), *(ROOT / "course" / "instructor").glob("*.md")]
    assert set(page_paths()) == {ROOT / "index.md", *files}
    assert len(BOOK.chapters) > 10


@pytest.mark.parametrize("rule", OF_A_CHAPTER)
@pytest.mark.parametrize("chapter", BOOK.chapters, ids=lambda chapter: chapter.name)
def test_rule_of_a_chapter(chapter: Page, rule: str) -> None:
    wrong = OF_A_CHAPTER[rule](chapter)
    assert not wrong, f"{OF_A_CHAPTER[rule].__doc__}\n" + "\n".join(wrong)


@pytest.mark.parametrize("rule", OF_THE_BOOK)
def test_rule_of_the_book(rule: str) -> None:
    wrong = OF_THE_BOOK[rule](BOOK)
    assert not wrong, f"{OF_THE_BOOK[rule].__doc__}\n" + "\n".join(wrong)


def test_pytest_compares_the_chapters() -> None:
    """The settings that make pytest execute and compare them cannot fall out unnoticed."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)["tool"]["pytest"]["ini_options"]
    assert "chapters" in settings["testpaths"]
    assert {"--nbval", "--nbval-current-env", "nbval_pictures"} <= set(settings["addopts"])
    assert "--nbval-sanitize-with" not in settings["addopts"]


def test_the_race_is_described_as_it_is_run() -> None:
    """Chapter 11 says in words what the library's constants are."""
    (first, share), (second, other), (last, _) = heats._HEATS
    assert share == other == 0.5
    said = (
        f"After {first} steps the better half goes on, after {second} more the better half of "
        f"those, and what is left runs {last} more."
    )
    assert said in (ROOT / "chapters/11_two_products.ipynb").read_text(encoding="utf-8")
