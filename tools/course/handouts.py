"""A chapter to hand out: for students without solutions, for instructors with them.

Both are plain notebooks: they run wherever gmmlib is installed, and need nothing of the book.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import markup
from book import SOLUTIONS, Book, Page
from cells import Cell
from course.plain import Numbers, captions, plain, plain_directive

IMPORT = "from gmmlib.exercises import your_turn"
STUB = f"""\
{IMPORT}

your_turn("{{name}}")  # write your answer in place of this line
"""
ANSWER = "answer"  # the tag of a solution's cell whose functions a student writes
CHECK = "check"  # the tag of a solution's cell that tries them, and that students get
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


MARKED = ("exercise", "hint", "solution", "solution-start", "solution-end")


@dataclass(frozen=True)
class Piece:
    """A part of a chapter: Markdown or a cell of code, and the exercise that it solves, if any."""

    what: str | Cell | markup.Directive  # a directive: an exercise or its hint
    solves: str = ""


def pieces(page: Page, exercises: Iterable[str] = ()) -> Iterator[Piece]:
    """The chapter in pieces, in order; ``exercises``: labels of those that stand elsewhere.

    Raises ``ValueError`` with the place and the remedy, where an exercise or a solution is not
    marked as it should be.
    """
    labels = {exercise.label for exercise in page.exercises} | set(exercises)
    inside = ""
    for number, cell in enumerate(page.cells):
        place = f"{page.path}, cell {number}"
        if cell.is_code:
            yield Piece(cell, inside)
            continue
        lines, at = cell.source.split("\n"), 0
        for (begin, end), directive in markup.fences(cell.source):
            if directive.name not in MARKED:
                continue
            yield Piece("\n".join(lines[at:begin]), inside)
            at = end
            name = directive.argument
            if directive.name == "exercise":
                if not directive.options.get("label"):
                    raise ValueError(f"{place}: the exercise {name!r} has no :label:; give it one")
                yield Piece(directive)
            elif directive.name == "hint":
                yield Piece(directive, inside)
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
    return _notebook(page, numbers, WITHOUT)


def solved(page: Page, numbers: Numbers) -> NotebookNode:
    """With the solutions that are published, in the open."""
    return _notebook(page, numbers, WITH, with_solutions=True)


def instructor(page: Page, numbers: Numbers, guide: str) -> NotebookNode:
    """With all solutions, and before the chapter the page for its teacher (Markdown)."""
    return _notebook(page, numbers, plain(guide, numbers), with_solutions=True, for_teachers=True)


def _notebook(
    page: Page,
    numbers: Numbers,
    opening: str,
    *,
    with_solutions: bool = False,
    for_teachers: bool = False,
) -> NotebookNode:
    notebook = new_notebook(
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    withheld = _unpublished(page, numbers.book)
    cells = [new_markdown_cell(opening)]
    last = ""  # the exercise that was stated last
    for solves, group in groupby(pieces(page), key=attrgetter("solves")):
        found = list(group)
        if solves:
            cells += _solution(solves, found, page, numbers, shown=with_solutions)
            continue
        for piece in found:
            cells += _shown([piece], page, numbers)
            if not isinstance(piece.what, markup.Directive):
                continue
            if piece.what.name == "exercise":
                last = piece.what.options["label"]
            elif last in withheld:  # the hint is the end of the exercise
                kept, solution = withheld[last]
                cells += _solution(last, solution, kept, numbers, shown=for_teachers)
    notebook.cells = cells
    for k, cell in enumerate(cells):
        cell.id = f"{page.number.lower()}-{k}"
    nbformat.validate(notebook)
    return notebook


def _unpublished(page: Page, of: Book) -> dict[str, tuple[Page, list[Piece]]]:
    """Exercise -> its solution, and where that stands; of those that only teachers have.

    Raises ``ValueError`` where one is missing.
    """
    labels = [exercise.label for exercise in page.exercises if not exercise.is_published]
    if not labels:
        return {}
    kept = of.unpublished(page)
    if kept is None:
        raise ValueError(
            f"{page.path}: {labels[0]} is unpublished, and {SOLUTIONS}/{page.number}.ipynb is "
            f"missing. Write its solution there"
        )
    found: dict[str, list[Piece]] = {}
    for piece in pieces(kept, labels):
        if piece.solves:
            found.setdefault(piece.solves, []).append(piece)
    missing = [label for label in labels if label not in found]
    if missing:
        raise ValueError(f"{kept.path} has no solution of {missing[0]}, which is unpublished")
    return {label: (kept, solution) for label, solution in found.items()}


def _solution(
    label: str, solution: list[Piece], page: Page, numbers: Numbers, *, shown: bool
) -> list[NotebookNode]:
    """The solution of an exercise, or the place for the student's."""
    name = numbers.of[label]
    if not shown:
        return _stub(name, [p.what for p in solution if isinstance(p.what, Cell)])
    return [new_markdown_cell(f"**Solution of {name}**"), *_shown(solution, page, numbers)]


def _stub(name: str, solution: list[Cell]) -> list[NotebookNode]:
    """A cell for the answer, and the cells that try it."""
    answers = [cell for cell in solution if ANSWER in cell.tags]
    functions = [text for cell in answers for text in _empty(name, cell)]
    source = "\n\n\n".join([IMPORT, *functions]) + "\n" if answers else STUB.format(name=name)
    tries = [cell.source for cell in solution if CHECK in cell.tags]
    return [new_code_cell(text, metadata={"tags": [RAISES]}) for text in (source, *tries)]


def _empty(name: str, cell: Cell) -> list[str]:
    """The functions of a cell without their bodies.

    Raises ``ValueError`` where there is none: then nothing would be left to write.
    """
    found = [node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
    if not found:
        raise ValueError(
            f"{cell.id} has the tag {ANSWER!r} and no function; write the answer as one"
        )
    lines, texts = cell.source.split("\n"), []
    for node in found:
        is_documented = ast.get_docstring(node) is not None
        end = node.body[0].end_lineno if is_documented else node.body[0].lineno - 1
        head = "\n".join(lines[node.lineno - 1 : end])
        texts.append(f'{head}\n    your_turn("{name}")  # write your answer in place of this line')
    return texts


def _shown(some: Iterable[Piece], page: Page, numbers: Numbers) -> Iterator[NotebookNode]:
    captioned = dict(captions(page, numbers))
    for what in (piece.what for piece in some):
        if isinstance(what, Cell) and BOOK_ONLY in what.tags:
            yield _read(what)
        elif isinstance(what, Cell):
            yield _code(what)
            if what.id in captioned:
                yield new_markdown_cell(captioned[what.id])
        elif isinstance(what, markup.Directive):
            body = plain(what.body, numbers)
            yield new_markdown_cell(plain_directive(replace(what, body=body), numbers))
        elif text := plain(what, numbers):
            yield new_markdown_cell(text)


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
        read = set(_free(tree, frozenset()))
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


def _free(node: ast.AST, own: frozenset[str]) -> Iterator[str]:
    """Names that are read and are no parameter of a function around them."""
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        every = node.args
        listed = (*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg)
        own |= {one.arg for one in listed if one}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in own:
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _free(child, own)


def _imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names
