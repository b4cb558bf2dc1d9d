"""The book, read once: its pages in the order of _toc.yml, and what stands on each.

Everything is read from the stored pages; nothing is run. The ledger, the rules, the runner and the
site look at the same record.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml
from nbformat import NotebookNode

import markup
import notebooks
from cells import Cell, Figure

if TYPE_CHECKING:
    from check_calls import Check

ROOT = Path(__file__).resolve().parent.parent
SOLUTIONS = PurePosixPath("course/solutions")


@dataclass(frozen=True)
class Page:
    """A page of the book: a chapter, which is a notebook, or a page of text alone."""

    path: PurePosixPath  # from the book's root
    content: str  # of its file
    order: int = 0  # in the book

    @property
    def file(self) -> str:
        """As in _toc.yml: no suffix."""
        return self.path.with_suffix("").as_posix()

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def number(self) -> str:
        """Of a chapter: ``06``, or ``A``."""
        return self.name.partition("_")[0]

    @property
    def has_code(self) -> bool:
        return self.path.suffix == ".ipynb"

    @cached_property
    def notebook(self) -> NotebookNode:
        return notebooks.read(self.content)

    @cached_property
    def cells(self) -> list[Cell]:
        return [Cell(node) for node in self.notebook.cells] if self.has_code else []

    @property
    def code(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.is_code]

    @property
    def texts(self) -> list[str]:
        """Its Markdown, cell by cell."""
        if not self.has_code:
            return [self.content]
        return [cell.source for cell in self.cells if cell.node.cell_type == "markdown"]

    @property
    def prose(self) -> list[str]:
        """Everything that is read as text, captions and descriptions of figures included."""
        figures = [cell.figure for cell in self.code]
        return self.texts + [text for f in figures for text in (f.caption, f.alt) if text]

    @cached_property
    def title(self) -> str:
        titles = (title for text in self.texts for title in markup.titles(text))
        return next(titles, self.file)

    @cached_property
    def equations(self) -> list[tuple[str, str]]:
        """(label, LaTeX) of every displayed equation; the label is empty where there is none."""
        return [shown for text in self.texts for shown in markup.displayed_equations(text)]

    @cached_property
    def labels(self) -> list[str]:
        """All labels that it sets, of whatever kind."""
        return [label for text in self.texts for label in markup.labels(text)]

    @cached_property
    def figures(self) -> list[Figure]:
        return [cell.figure for cell in self.code if cell.figure.name]

    @cached_property
    def exercises(self) -> list[markup.Exercise]:
        return markup.exercises(self.texts)

    @property
    def checks(self) -> "list[Check]":
        """Each call of a check, with the line that it printed."""
        return self._paired[0]

    @property
    def check_errors(self) -> list[str]:
        """Calls without their lines, and the like."""
        return self._paired[1]

    @cached_property
    def _paired(self) -> "tuple[list[Check], list[str]]":
        # not above: it imports gmmlib, and a pytest plugin imports this module before the
        # coverage of gmmlib begins
        from check_calls import paired

        return paired(self.code)


@dataclass(frozen=True)
class Book:
    """All pages of the book, in reading order."""

    root: Path
    pages: tuple[Page, ...]

    @property
    def chapters(self) -> list[Page]:
        """The pages with code."""
        return [page for page in self.pages if page.has_code]

    def unpublished(self, chapter: Page) -> Page | None:
        """The solutions of a chapter that only teachers have, if there are any."""
        path = self.root / SOLUTIONS / f"{chapter.number}.ipynb"
        if not path.is_file():
            return None
        return Page(PurePosixPath(path.relative_to(self.root)), path.read_text(encoding="utf8"))


def read_book(root: Path = ROOT) -> Book:
    """Read every page that _toc.yml names."""
    return Book(
        root,
        tuple(
            Page(PurePosixPath(path.relative_to(root)), path.read_text(encoding="utf8"), order)
            for order, path in enumerate(page_paths(root))
        ),
    )


def page_paths(root: Path = ROOT) -> list[Path]:
    """The files of the pages, in the order of _toc.yml."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf8"))
    paths = []
    for name in _toc_files(toc):
        candidates = [root / f"{name}{suffix}" for suffix in (".ipynb", ".md")]
        found = [path for path in candidates if path.is_file()]
        if len(found) != 1:
            raise FileNotFoundError(
                f"_toc.yml names {name}: {len(found)} of {name}.ipynb and {name}.md exist, "
                "and it should be one"
            )
        paths += found
    return paths


def _toc_files(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _toc_files(item)
    elif isinstance(node, dict):
        for key in ("root", "file"):
            if key in node:
                yield node[key].removesuffix(".md").removesuffix(".ipynb")
        for key in ("parts", "chapters", "sections", "subtrees", "entries"):
            yield from _toc_files(node.get(key, []))
