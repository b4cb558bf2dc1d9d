"""The kinds of exercises that a chapter has, and the solutions that only teachers have."""

import json
from pathlib import Path, PurePosixPath

import pytest

import run_notebooks
from book import ROOT, Book, Page, read_book
from rules.exercises import KINDS, exercise_kinds, unpublished
from rules.form import RULES

SOLUTIONS = sorted((ROOT / "course" / "solutions").glob("*.ipynb"))
BOOK = read_book()


def exercise(label: str, title: str, text: str = "How many?", options: str = "") -> str:
    return f"```{{exercise}} ★ {title}\n:label: {label}\n{options}\n{text}\n```"


def notebook(*texts: str) -> str:
    cells = [
        {"cell_type": "markdown", "id": f"c{k}", "metadata": {}, "source": text}
        for k, text in enumerate(texts)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def book(root: Path, *texts: str, solutions: tuple[str, ...] | None = None) -> Book:
    """A book of one chapter; ``solutions``: those for teachers."""
    if solutions is not None:
        (root / "course" / "solutions").mkdir(parents=True)
        (root / "course" / "solutions" / "01.ipynb").write_text(notebook(*solutions))
    return Book(root, (Page(PurePosixPath("chapters/01_one.ipynb"), notebook("# One", *texts)),))


def solution(label: str, text: str) -> tuple[str, str]:
    return f"```{{solution-start}} {label}\n```\n\n{text}", "```{solution-end}\n```"


HIDDEN = ":class: unpublished\n"


def test_a_chapter_has_every_kind(tmp_path: Path) -> None:
    full = [
        exercise(f"ex-{k}", f"{kind}: all", options=HIDDEN if k < 2 else "")
        for k, kind in enumerate(KINDS)
    ]
    assert exercise_kinds(book(tmp_path, *full)) == []
    for k, kind in enumerate(KINDS):
        wrong = exercise_kinds(book(tmp_path, *full[:k], *full[k + 1 :]))
        assert f"chapters/01_one.ipynb has no exercise whose title begins with '{kind}'" in wrong
    (line,) = exercise_kinds(book(tmp_path, *full[1:], exercise("ex-9", KINDS[0])))
    assert line == "chapters/01_one.ipynb has 1 exercises with :class: unpublished; 2 are wanted"


@pytest.mark.parametrize(
    ("solutions", "wrong"),
    [
        (solution("ex-1", "It is 7."), []),
        (None, ["ex-1 has no solution in course/solutions/01.ipynb"]),
        ((), ["ex-1 has no solution in course/solutions/01.ipynb"]),
        (
            solution("ex-1", "It is 8."),
            [
                "the solution of ex-1 does not use 7. Is it still the solution? Use it, or say in "
                "UNUSED why not"
            ],
        ),
        (
            (*solution("ex-1", "It is 7."), *solution("ex-2", "It is 9.")),
            [
                "course/solutions/01.ipynb solves 'ex-2', no unpublished exercise of "
                "chapters/01_one.ipynb"
            ],
        ),
    ],
)
def test_what_only_teachers_have(
    tmp_path: Path, solutions: tuple[str, ...] | None, wrong: list[str]
) -> None:
    asked = exercise("ex-1", "Write it", "Write 7.", HIDDEN)
    assert unpublished(book(tmp_path, asked, solutions=solutions)) == wrong


# --- the solutions that are there -----------------------------------------------------------------


def test_the_name_of_another_exercise_is_no_number(tmp_path: Path) -> None:
    asked = exercise("ex-1", "Write it", "As in {ref}`ex-10-4`, write 7.", HIDDEN)
    assert unpublished(book(tmp_path, asked, solutions=solution("ex-1", "It is 7."))) == []


def test_each_chapter_has_its_solutions_for_teachers() -> None:
    assert [path.stem for path in SOLUTIONS] == [page.number for page in BOOK.chapters]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_they_are_written_as_chapters_are(path: Path, rule: object) -> None:
    page = Page(PurePosixPath(path.relative_to(ROOT)), path.read_text(encoding="utf8"))
    assert rule(page) == []  # type: ignore[operator]


@pytest.mark.parametrize("page", BOOK.chapters, ids=lambda page: page.name)
def test_their_tests_stand_in_the_chapter(page: Page) -> None:
    """A solution tries what the chapter gives, not something of its own."""
    kept = BOOK.unpublished(page)
    assert kept is not None
    assert f'exec(given("{page.number}"))' in kept.code[0].source
    tests = [line for cell in page.code if "given" in cell.tags for line in cell.source.split("\n")]
    for cell in kept.code:
        if "check" in cell.tags:
            assert f"def {cell.source.partition('(')[0]}(" in {
                line.partition("(")[0] + "(" for line in tests
            }


def test_there_is_no_solution_for_a_chapter_that_is_not() -> None:
    assert run_notebooks.chosen([], ROOT / "course" / "solutions") == SOLUTIONS
    with pytest.raises(SystemExit, match="No chapter is called '99'"):
        run_notebooks.chosen(["99"], ROOT / "course" / "solutions")
