"""A chapter to hand out: for students without solutions, for instructors with them.

Both are plain notebooks: they run wherever gmmlib is installed, and need nothing of the book.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import markup
from book import Page
from cells import Cell
from course.plain import Numbers, captions, heading, plain

STUB = """\
from gmmlib.exercises import your_turn

your_turn("{name}")  # write your answer in place of this line
"""
BOOK_ONLY = "book-only"  # the tag of a cell that reads files beside the book
RAISES = "raises-exception"  # the tag with which Jupyter goes on behind an error
WITHOUT = """\
*A chapter of* Gaussian Mixtures, Executed*, without the solutions of its exercises: each ends in
a cell for your answer. Run the cells from the top; change a number, and see what happens. You need
the Python package* `gmmlib[chapters]`.
"""
WITH = """\
*A chapter of* Gaussian Mixtures, Executed*, with the solutions of its exercises. You need the
Python package* `gmmlib[chapters]`.
"""
READ = "*The book reads this from files that lie beside it:*"


@dataclass(frozen=True)
class Piece:
    """A part of a chapter: Markdown or a cell of code, and the exercise that it solves, if any."""

    what: str | Cell | markup.Directive  # a directive: an exercise
    solves: str = ""


def pieces(page: Page) -> Iterator[Piece]:
    """The chapter in pieces, in order.

    Raises ``ValueError`` with the place and the remedy, where an exercise or a solution is not
    marked as it should be.
    """
    labels = {exercise.label for exercise in page.exercises}
    inside = ""
    for number, cell in enumerate(page.cells):
        place = f"{page.path}, cell {number}"
        if cell.is_code:
            yield Piece(cell, inside)
            continue
        lines, at = cell.source.split("\n"), 0
        for (begin, end), directive in markup.fences(cell.source):
            if directive.name not in ("exercise", "solution", "solution-start", "solution-end"):
                continue
            yield Piece("\n".join(lines[at:begin]), inside)
            at = end
            name = directive.argument
            if directive.name == "exercise":
                if not directive.options.get("label"):
                    raise ValueError(f"{place}: the exercise {name!r} has no :label:; give it one")
                yield Piece(directive)
            elif directive.name == "solution-end":
                if not inside:
                    raise ValueError(f"{place}: a solution ends that has not begun; remove the end")
                inside = ""
            elif inside:
                raise ValueError(
                    f"{place}: the solution of {name} begins inside that of {inside}. "
                    f"End that one first, with a solution-end"
                )
            elif name not in labels:
                raise ValueError(
                    f"{place}: a solution of {name!r}, which is no exercise of this chapter. "
                    f"Exercises: {', '.join(sorted(labels))}"
                )
            elif directive.name == "solution":
                yield Piece(directive.body, name)
            else:
                inside = name
        yield Piece("\n".join(lines[at:]), inside)
    if inside:
        raise ValueError(f"{page.path}: the solution of {inside} does not end; add a solution-end")


def student(page: Page, numbers: Numbers) -> NotebookNode:
    """Without solutions: a cell for the answer stands in the place of each."""
    return _notebook(page, numbers, WITHOUT, with_solutions=False)


def solved(page: Page, numbers: Numbers) -> NotebookNode:
    """With all solutions, in the open."""
    return _notebook(page, numbers, WITH, with_solutions=True)


def instructor(page: Page, numbers: Numbers, guide: str) -> NotebookNode:
    """With all solutions, and before the chapter the page for its teacher (Markdown)."""
    return _notebook(page, numbers, plain(guide, numbers), with_solutions=True)


def _notebook(page: Page, numbers: Numbers, opening: str, *, with_solutions: bool) -> NotebookNode:
    notebook = new_notebook(
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    captioned = dict(captions(page, numbers))
    cells = [new_markdown_cell(opening)]
    begun: set[str] = set()
    for piece in pieces(page):
        if piece.solves and piece.solves not in begun:
            begun.add(piece.solves)
            name = numbers.of[piece.solves]
            if with_solutions:
                cells.append(new_markdown_cell(f"**Solution of {name}**"))
            else:
                stub = new_code_cell(STUB.format(name=name), metadata={"tags": [RAISES]})
                cells.append(stub)
        if piece.solves and not with_solutions:
            continue
        if isinstance(piece.what, Cell) and BOOK_ONLY in piece.what.tags:
            cells.append(_read(piece.what))
        elif isinstance(piece.what, Cell):
            cells.append(_code(piece.what))
            if piece.what.id in captioned:
                cells.append(new_markdown_cell(captioned[piece.what.id]))
        elif isinstance(piece.what, markup.Directive):
            body = plain(piece.what.body, numbers)
            cells.append(new_markdown_cell(f"{heading(piece.what, numbers)}\n\n{body}"))
        elif text := plain(piece.what, numbers):
            cells.append(new_markdown_cell(text))
    notebook.cells = cells
    for k, cell in enumerate(cells):
        cell.id = f"{page.name.partition('_')[0].lower()}-{k}"
    nbformat.validate(notebook)
    return notebook


def _read(cell: Cell) -> NotebookNode:
    """What a cell made of files that a handout does not have."""
    text = "".join(cell.texts).strip()
    parts = [READ, f"```text\n{text}\n```"] if text else [READ]
    new = new_markdown_cell()
    for number, picture in enumerate(cell.pictures):
        new.setdefault("attachments", {})[f"{number}.png"] = {"image/png": picture}
        parts.append(f"![{cell.figure.alt}](attachment:{number}.png)")
    new.source = "\n\n".join(parts)
    return new


def _code(cell: Cell) -> NotebookNode:
    metadata: dict[str, Any] = {}
    if "hide-input" in cell.tags:
        metadata["jupyter"] = {"source_hidden": True}
    if RAISES in cell.tags:
        metadata["tags"] = [RAISES]
    new = new_code_cell(cell.source, metadata=metadata, execution_count=cell.execution_count)
    new.outputs = [nbformat.from_dict(output) for output in cell.outputs]
    return new


# --- what a student's notebook may not need -------------------------------------------------------


def leaned_on(page: Page) -> list[str]:
    """Names that only a solution defines, and that are used outside of it."""
    own: dict[str, str] = {}  # name -> the exercise whose solution defined it last
    wrong = []
    for piece in pieces(page):
        if not isinstance(piece.what, Cell):
            continue
        tree = ast.parse(piece.what.source)
        named = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        read = {node.id for node in named if isinstance(node.ctx, ast.Load)}
        set_ = {node.id for node in named if isinstance(node.ctx, ast.Store)} | _imported(tree)
        if piece.solves:
            own |= dict.fromkeys(set_, piece.solves)
            continue
        wrong += [
            f"{name} is used in {piece.what.id}, and the solution of {own[name]} sets it"
            for name in sorted(read & own.keys() - set_)
        ]
        for name in set_:
            own.pop(name, None)
    return wrong


def _imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names
