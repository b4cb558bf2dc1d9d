"""The one record of the book: what is read from a page, and in which order."""

import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import markup
import notebooks
from book import ROOT, Book, Page, read_book

EXERCISE = "```{{exercise}} By hand\n:label: {0}\n\nProve it.\n```"


@pytest.fixture(scope="module")
def book() -> Book:
    return read_book()


def chapter(*cells: Any) -> Page:
    return Page(PurePosixPath("chapters/one.ipynb"), notebooks.to_text(new_notebook(cells=cells)))


def test_the_pages_come_in_the_order_of_the_toc(book: Book) -> None:
    assert [page.order for page in book.pages] == list(range(len(book.pages)))
    assert (book.pages[0].file, book.pages[0].has_code) == ("index", False)
    assert set(book.chapters) < set(book.pages)
    assert book.chapters[0].name == "01_why_mixtures"


def test_every_chapter_has_what_belongs_to_it(book: Book) -> None:
    for page in book.chapters:
        assert page.cells[0].source.splitlines()[0] == f"# {page.title}"
        assert page.check_errors == []
        assert all((page.checks, page.figures, page.equations)), page.file
        assert len(page.exercises) >= 5, page.file
        assert [e.label for e in page.exercises if e.is_published != e.is_solved] == []
        assert {e.label for e in page.exercises} <= set(page.labels)


def test_what_a_page_of_text_has() -> None:
    page = Page(PurePosixPath("a/page.md"), "(top)=\n# Title\n\n$$\nx\n$$ (def-x)\n")
    assert (page.file, page.name, page.title) == ("a/page", "page", "Title")
    assert (page.cells, page.checks, page.figures) == ([], [], [])
    assert page.equations == [("def-x", "x")]
    assert page.labels == ["top", "def-x"]
    assert Page(PurePosixPath("a/bare.md"), "No title.").title == "a/bare"


def test_what_a_cell_has() -> None:
    names = {"name": "fig-a", "caption": " A curve. "}
    image = {"alt": "It rises.", "classes": "filmstrip columns-1 frames-1"}
    outputs = [
        new_output("stream", text="0.5\n"),
        new_output("stream", name="stderr", text="careful\n"),
        new_output("display_data", {"text/plain": "<Figure>", "image/png": "AAAA"}),
    ]
    page = chapter(
        new_markdown_cell("# One"),
        new_code_cell(
            "\nplot()\n",
            id="plot",
            outputs=outputs,
            metadata={"mystnb": {"figure": names, "image": image}, "tags": ["hide-input"]},
        ),
    )
    (cell,) = page.code
    assert str(cell) == "cell plot ('plot()')"
    assert (cell.texts, cell.said) == (["0.5\n", "<Figure>"], ["0.5\n", "careful\n", "<Figure>"])
    assert (cell.pictures, cell.tags, cell.has_error) == (["AAAA"], ["hide-input"], False)
    assert page.figures == [cell.figure]
    assert (cell.figure.name, cell.figure.caption) == ("fig-a", "A curve.")
    assert page.prose == ["# One", "A curve.", "It rises."]


def test_a_call_and_its_line_are_a_check() -> None:
    code = 'from gmmlib import checks\nchecks.printed("eq-a", 0.5, "0.50")'
    line = new_output("stream", text="✓ eq-a · printed · 1 number agrees\n")
    page = chapter(new_code_cell(code, outputs=[line]))
    (check,) = page.checks
    assert (check.label, check.kind, check.cell) == ("eq-a", "printed", 1)
    assert check.in_words == "against the printed numbers: 1 number agrees"
    assert chapter(new_code_cell(code)).check_errors != []


def test_exercises_and_their_solutions() -> None:
    page = chapter(
        new_markdown_cell(EXERCISE.format("ex-1")),
        new_markdown_cell("```{solution-start} ex-1\n:class: dropdown\n```\n\nSo it is."),
        new_markdown_cell("```{solution-end}\n```"),
        new_markdown_cell(f"{EXERCISE.format('ex-2')}\n\n{EXERCISE.format('ex-3')}"),
        new_markdown_cell("````{solution} ex-3\nSo it is.\n````"),
    )
    assert [(e.label, e.title, e.text, e.is_solved) for e in page.exercises] == [
        ("ex-1", "By hand", "Prove it.", True),
        ("ex-2", "By hand", "Prove it.", False),
        ("ex-3", "By hand", "Prove it.", True),
    ]
    assert page.labels == ["ex-1", "ex-2", "ex-3"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\n```python\nx = 0.5\n```\nb", "a b"),
        ("a\n~~~\nx\n~~~\nb", "a b"),
        ("```{note} Title\n:class: tip\nbody\n```", "Title body"),
        ("```{figure} a.png\n:alt: seen\n:width: 0.5\n\ncaption\n```", "a.png seen caption"),
        ("````{note}\na\n```bash\nsleep\n```\nb\n````", "a b"),
        (":::{note}\na\n\n```{code-block} python\nx\n```\n:::\nb", "a b"),
        ("- item\n\n  ```python\n  x\n  ```\n\n- next", "- item - next"),
        ("```{math}\n:label: eq-a\n\na\n```", "a"),
        ("```{toctree}\none\n```", ""),
    ],
)
def test_what_is_left_without_code(text: str, left: str) -> None:
    assert " ".join(markup.without_code(text).split()) == left


def test_titles_are_headings_and_no_comments() -> None:
    text = "# One\n\n## Two\n\n```python\n# no title\n```\n\n```{note}\n# Three\n```\n"
    assert markup.titles(text) == ["One", "Three"]


def test_the_plugins_of_pytest_leave_the_library_alone() -> None:
    """They are imported before the coverage of gmmlib begins."""
    names = "nbval_pictures, shares, run_notebooks, sys"
    code = f"import {names}; print([m for m in sys.modules if m.split('.')[0] == 'gmmlib'])"
    paths = [str(Path(ROOT) / folder) for folder in ("tests/support", "tools")]
    said = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "[]\n"
