"""What is handed out: a student's notebook has no solution, and runs where gmmlib is."""

import ast
import json
import re
from pathlib import PurePosixPath
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from book import Book, Page, read_book
from course import handouts, plain
from gmmlib.exercises import YourTurn, your_turn

BOOK = read_book()
NUMBERS = plain.Numbers(BOOK)
CHAPTERS = {page.name: page for page in BOOK.chapters}

EXERCISE = "```{exercise} ★ By hand\n:label: ex-01-1\n\nHow many?\n```"
START, END = "```{solution-start} ex-01-1\n```", "```{solution-end}\n```"


def chapter(*cells: str | dict[str, Any]) -> Page:
    """A chapter of these cells: Markdown, or the fields of a cell of code."""
    common = {"metadata": {}}
    code = {"cell_type": "code", "execution_count": 1, "outputs": [], **common}
    found = [
        {"cell_type": "markdown", "source": cell, "id": f"c{k}", **common}
        if isinstance(cell, str)
        else code | {"id": f"c{k}"} | cell
        for k, cell in enumerate(cells)
    ]
    notebook = {"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return Page(PurePosixPath("chapters/01_one.ipynb"), json.dumps(notebook))


def sources(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells]


SECRET = {
    "source": "secret = 41",
    "outputs": [{"output_type": "stream", "name": "stdout", "text": "41"}],
    "metadata": {"mystnb": {"figure": {"caption": "secret"}}},
    "attachments": {"secret.png": {}},
}


def test_a_solution_is_replaced_by_a_cell_for_the_answer() -> None:
    page = chapter("# 1 One", EXERCISE, START + "\n\nThe secret is 41.", SECRET, END + "\n\n## End")
    numbers = plain.Numbers(Book(BOOK.root, (page,)))
    student = handouts.student(page, numbers)
    assert not re.search("secret|41", json.dumps(student))
    assert sources(student)[2:] == [
        "### Exercise 1 ★ By hand\n\nHow many?",
        handouts.STUB.format(name="Exercise 1"),
        "## End",
    ]
    assert "secret = 41" in sources(handouts.solved(page, numbers))
    assert sources(handouts.instructor(page, numbers, "# Teaching"))[0] == "# Teaching"


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([START, END], "cell 0: a solution of 'ex-01-1', which is no exercise of this chapter"),
        ([EXERCISE, START], "the solution of ex-01-1 does not end; add a solution-end"),
        ([EXERCISE, END], "cell 1: a solution ends that has not begun"),
        ([EXERCISE, START, START], "cell 2: the solution of ex-01-1 begins inside that of ex-01-1"),
        (["```{exercise} One\n\nHow?\n```"], "cell 0: the exercise 'One' has no :label:"),
    ],
)
def test_wrong_marks(cells: list[str], problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        list(handouts.pieces(chapter(*cells)))


def test_a_cell_that_reads_files_beside_the_book_is_what_it_printed() -> None:
    printed = [{"output_type": "stream", "name": "stdout", "text": "7 s\n"}]
    cell = {"source": "open('x')", "outputs": printed, "metadata": {"tags": ["book-only"]}}
    page = chapter("# 1 One", cell)
    last = handouts.student(page, plain.Numbers(Book(BOOK.root, (page,)))).cells[-1]
    assert last.cell_type == "markdown"
    assert "```text\n7 s\n```" in last.source


def test_what_only_a_solution_sets_is_not_used_behind_it() -> None:
    solution = [EXERCISE, START, {"source": "a = b = 1"}, END]
    assert handouts.leaned_on(chapter(*solution, {"source": "b = 2\nprint(b)"})) == []
    assert handouts.leaned_on(chapter(*solution, {"source": "print(a)"})) == [
        "a is used in c4, and the solution of ex-01-1 sets it"
    ]


def test_a_stub_says_in_one_line_what_to_do() -> None:
    with pytest.raises(YourTurn, match="Exercise 30: your answer goes here"):
        your_turn("Exercise 30")
    shell = InteractiveShell()
    shown = shell.run_cell(handouts.STUB.format(name="Exercise 30"), silent=True)
    lines = shown.error_in_exec._render_traceback_()
    assert lines == ["Exercise 30: your answer goes here. The cells below do not need it."]


# --- the chapters ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_student_gets_no_solution(name: str) -> None:
    page = CHAPTERS[name]
    student = json.dumps(handouts.student(page, NUMBERS), ensure_ascii=False)
    shown = {line for p in handouts.pieces(page) if not p.solves for line in _lines(p)}
    secret = {line for p in handouts.pieces(page) if p.solves for line in _lines(p)} - shown
    assert len(secret) > 20
    # \\n or " on both sides: the whole line, in whatever part of the file
    whole = {part.strip() for part in re.split(r'\\n|(?<!\\)"', student)}
    assert {json.dumps(line, ensure_ascii=False)[1:-1] for line in secret} & whole == set()
    assert student.count("your_turn(") == len(page.exercises)


def _lines(piece: handouts.Piece) -> list[str]:
    """The lines of a piece and of its outputs that are long enough to be known again."""
    what = piece.what
    texts = [what] if isinstance(what, str) else [getattr(what, "source", "")]
    texts += getattr(what, "texts", [])
    return [line.strip() for text in texts for line in text.split("\n") if len(line.strip()) > 24]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_without_its_solutions(name: str) -> None:
    page = CHAPTERS[name]
    assert handouts.leaned_on(page) == []
    code = [cell.source for cell in handouts.student(page, NUMBERS).cells if _is_code(cell)]
    assert all(ast.parse(source) for source in code)
    assert not [source for source in code if re.search(r"""["']\.\./""", source)]


def _is_code(cell: Any) -> bool:
    return bool(cell.cell_type == "code")


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_handout_is_plain_markdown(name: str) -> None:
    notebook = handouts.solved(CHAPTERS[name], NUMBERS)
    text = "\n".join(cell.source for cell in notebook.cells if not _is_code(cell))
    assert re.findall(r"^[`:]{3,}\{.*|\{[a-z:]+\}`.*?`", text, re.MULTILINE) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("See {eq}`eq-gone`.", "{eq}`eq-gone` refers to nothing in the book"),
        ("See {doc}`gone`.", "{doc}`gone` refers to nothing"),
        ("By {cite:p}`nobody`.", "{cite:p}`nobody` refers to nothing"),
        ("{ledger-count}`claims`", ""),
        ("```{tabs}\n```", "cannot show {tabs}"),
    ],
)
def test_what_a_notebook_cannot_show(text: str, problem: str) -> None:
    if not problem:
        assert plain.plain(text, NUMBERS) == text  # no role that a chapter may have
        return
    with pytest.raises(ValueError, match=re.escape(problem)):
        plain.plain(text, NUMBERS)


def test_roles_are_written_out() -> None:
    numbers = plain.Numbers(BOOK)
    text = (
        "By {eq}`eq-m-step-means`, {prf:ref}`thm-m-step`, {doc}`06_m_step`, {doc}`it <06_m_step>`"
    )
    shown = plain.plain(f"{text}, {{term}}`means <mean>` {{cite:p}}`dempster1977maximum`.", numbers)
    equation, theorem = numbers.of["eq-m-step-means"], numbers.of["thm-m-step"]
    assert shown == (
        f"By {equation}, {theorem}, *6 The M-step*, it, means (Dempster et al., 1977)."
    )
