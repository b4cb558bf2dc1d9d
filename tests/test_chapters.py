"""Every chapter keeps to the rules of chapter_rules.py.

The same chapters are executed and compared by nbval and nbval_pictures.py.
"""

import tomllib
from pathlib import Path

import pytest

import chapter_rules
from chapter_rules import RULES, Chapter, Page

ROOT = Path(__file__).parent.parent
CHAPTERS = [Chapter.read(path) for path in sorted((ROOT / "chapters").glob("*.ipynb"))]
PAGES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in [ROOT / "index.md", *sorted((ROOT / "chapters").glob("*.md"))]
}


def test_there_are_chapters() -> None:
    assert CHAPTERS, "no chapter was found, so the tests below would hold nothing"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_rule(chapter: Chapter, rule: str) -> None:
    wrong = RULES[rule](chapter)
    assert not wrong, f"{RULES[rule].__doc__}\n" + "\n".join(wrong)


def test_numbers_in_prose() -> None:
    pages = [Page(c.name, tuple(c.prose), frozenset(c.numbers)) for c in CHAPTERS]
    printed = frozenset[chapter_rules.Number]().union(*(page.numbers for page in pages))
    pages += [Page(name, (text,), printed) for name, text in PAGES.items()]
    wrong = chapter_rules.prose(
        pages, chapter_rules.quoted_values(ROOT / "tests/quoted_values.toml")
    )
    assert not wrong, "\n".join(wrong)


def test_figure_names() -> None:
    wrong = chapter_rules.figure_names(CHAPTERS)
    assert not wrong, "\n".join(wrong)


def test_pytest_compares_the_chapters() -> None:
    """The settings that make pytest execute and compare them cannot fall out unnoticed."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)["tool"]["pytest"]["ini_options"]
    assert "chapters" in settings["testpaths"]
    assert {"--nbval", "--nbval-current-env", "nbval_pictures"} <= set(settings["addopts"])
    assert "--nbval-sanitize-with" not in settings["addopts"]
