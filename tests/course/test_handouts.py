"""What is handed out: a student's notebook has no solution, and runs where gmmlib is."""

import ast
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from book import Book, Page, read_book
from cells import Cell
from course import handouts, plain
from gmmlib.exercises import YourTurn, refused, your_turn

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


# --- stubs, and solutions that only teachers have -------------------------------------------------

ANSWER = {
    "source": 'import numpy as np\n\n\ndef double(x):\n    """Twice x."""\n    return 2 * x',
    "metadata": {"tags": ["answer"]},
}
CHECKED = [{"output_type": "stream", "name": "stdout", "text": "passes"}]
TRY = {"source": "test_double(double)", "outputs": CHECKED, "metadata": {"tags": ["check"]}}
STUB_OF_DOUBLE = """\
from gmmlib.exercises import your_turn


def double(x):
    \"""Twice x.\"""
    your_turn("Exercise 1")  # write your answer in place of this line
"""
UNPUBLISHED = EXERCISE.replace(":label: ex-01-1", ":label: ex-01-1\n:class: unpublished")
HINT = "```{hint}\n:class: dropdown\n\nLook at {eq}`eq-one`.\n```"
HINT_SHOWN = "<details><summary>Hint</summary>\n\nLook at (1).\n\n</details>"
EQUATION = "# 1 One\n\n$$\nx\n$$ (eq-one)"


def book_of(root: Path, page: Page, *solutions: str | dict[str, Any]) -> plain.Numbers:
    """A book of one chapter, and the solutions that only teachers have."""
    if solutions:
        path = root / "course" / "solutions" / "01.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(chapter(*solutions).content, encoding="utf8")
    return plain.Numbers(Book(root, (page,)))


def test_a_student_writes_the_functions_of_an_answer_and_tries_them() -> None:
    page = chapter(EQUATION, EXERCISE, HINT, START, ANSWER, TRY, SECRET, END)
    student = handouts.student(page, plain.Numbers(Book(BOOK.root, (page,))))
    assert sources(student)[3:] == [HINT_SHOWN, STUB_OF_DOUBLE, "test_double(double)"]
    assert [cell.get("outputs") for cell in student.cells[4:]] == [[], []]
    assert all(cell.metadata.tags == ["raises-exception"] for cell in student.cells[4:])


def test_a_stub_raises_when_it_is_tried() -> None:
    page = chapter("# 1 One", EXERCISE, HINT.replace("{eq}`eq-one`", "it"), START, ANSWER, TRY, END)
    names: dict[str, Any] = {"test_double": lambda double: double(2)}
    student = handouts.student(page, plain.Numbers(Book(BOOK.root, (page,))))
    stub, tried = (cell.source for cell in student.cells if _is_code(cell))
    exec(stub, names)
    with pytest.raises(YourTurn, match="Exercise 1"):
        exec(tried, names)


def test_only_teachers_get_an_unpublished_solution(tmp_path: Path) -> None:
    page = chapter(EQUATION, UNPUBLISHED, HINT, "## End")
    numbers = book_of(tmp_path, page, "# For teachers", START + "\n\nSo.", ANSWER, TRY, SECRET, END)
    student, solved = handouts.student(page, numbers), handouts.solved(page, numbers)
    assert not re.search("secret|41|So", json.dumps([student, solved]))
    asked = f"### Exercise 1 ★ By hand\n\nHow many?\n\n*{plain.UNPUBLISHED}*"
    stub = [STUB_OF_DOUBLE, "test_double(double)"]
    assert sources(student)[2:] == [asked, HINT_SHOWN, *stub, "## End"]
    assert sources(solved)[2:] == [asked, HINT_SHOWN, *stub, "## End"]
    assert sources(handouts.instructor(page, numbers, "# Teaching"))[4:] == [
        "**Solution of Exercise 1**",
        "So.",
        ANSWER["source"],
        "test_double(double)",
        "secret = 41",
        "*. secret*",
        "## End",
    ]


@pytest.mark.parametrize(
    ("solutions", "problem"),
    [
        ([], "ex-01-1 is unpublished, and course/solutions/01.ipynb is missing"),
        (["# Nothing"], "course/solutions/01.ipynb has no solution of ex-01-1, which is"),
        ([START, ANSWER | {"source": "x = 1"}, END], "the tag 'answer' and no function"),
        ([START.replace("1-1", "1-2"), END], "a solution of 'ex-01-2', which is no exercise"),
    ],
)
def test_wrong_solutions_for_teachers(tmp_path: Path, solutions: list[Any], problem: str) -> None:
    page = chapter(EQUATION, UNPUBLISHED, HINT)
    with pytest.raises(ValueError, match=re.escape(problem)):
        handouts.student(page, book_of(tmp_path, page, *solutions))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: x + 1, "double(2) is 3"),
        (lambda x: x / 0, "ZeroDivisionError: division by zero"),
        (7, "TypeError: 'int' object is not callable"),
    ],
)
def test_what_tests_say_of_a_wrong_answer(answer: object, said: str) -> None:
    assert refused(_test_double, answer) == said


def _test_double(double: Any) -> None:
    assert double(2) == 4, f"double(2) is {double(2)}\nand not 4"


def test_tests_that_accept_a_wrong_answer_are_too_weak() -> None:
    with pytest.raises(ValueError, match="_test_double accepts this answer"):
        refused(_test_double, lambda x: x**2)
    with pytest.raises(YourTurn):
        refused(_test_double, lambda x: your_turn("Exercise 1"))


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
    for of_its_own in ("def f(a):\n    return a", "print((lambda a: a)(3))"):
        assert handouts.leaned_on(chapter(*solution, {"source": of_its_own})) == []


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
    kept = BOOK.unpublished(page)
    assert kept is not None
    labels = [exercise.label for exercise in page.exercises]
    solutions = [*handouts.pieces(page), *handouts.pieces(kept, labels)]
    secret = {line for p in solutions if p.solves for line in _lines(p)} - shown - _given(solutions)
    assert len(secret) > 40
    # \\n or " on both sides: the whole line, in whatever part of the file
    whole = {part.strip() for part in re.split(r'\\n|(?<!\\)"', student)}
    assert {json.dumps(line, ensure_ascii=False)[1:-1] for line in secret} & whole == set()
    assert student.count('your_turn(\\"') == len(page.exercises)


def _lines(piece: handouts.Piece) -> list[str]:
    """The lines of a piece and of its outputs that are long enough to be known again."""
    what = piece.what
    texts = [what] if isinstance(what, str) else [getattr(what, "source", "")]
    texts += getattr(what, "texts", [])
    return [line.strip() for text in texts for line in text.split("\n") if len(line.strip()) > 24]


def _given(pieces: list[handouts.Piece]) -> set[str]:
    """The lines of solutions that students get: a function's head and docstring, what tries it."""
    cells = [piece.what for piece in pieces if piece.solves and isinstance(piece.what, Cell)]
    tried = [cell.source for cell in cells if "check" in cell.tags]
    for cell in cells:
        if "answer" in cell.tags:
            lines = cell.source.split("\n")
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef):
                    first = node.body[1].lineno if ast.get_docstring(node) else node.body[0].lineno
                    tried += lines[node.lineno - 1 : first - 1]
    return {line.strip() for text in tried for line in text.split("\n")}


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
