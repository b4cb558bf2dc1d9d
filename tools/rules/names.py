"""What the notation calls by a name in the code exists there; every page is in the book."""

import ast
import re
from collections.abc import Iterable

from book import Book, Page
from check_calls import without_magics

COLUMN = "code"


def notation_names(book: Book) -> list[str]:
    """Every name in the notation's code column is in gmmlib or in a chapter's code."""
    modules = (path.read_text(encoding="utf-8") for path in (book.root / "gmmlib").rglob("*.py"))
    cells = (without_magics(cell.source) for page in book.chapters for cell in page.code)
    known = names_in([*modules, *cells])
    notation = [page for page in book.pages if page.name == "notation"]
    return [wrong for page in notation for wrong in unknown_names(page, known)]


def unknown_names(page: Page, known: set[str]) -> list[str]:
    return [
        f"{page.name}: the code column has {shown}, and nothing in the code is called {name}"
        for shown in in_column(page.content)
        for name in sorted(names_in([shown]) - known)
    ]


def in_column(markdown: str) -> list[str]:
    """The code in the code column of a page's tables."""
    found, at = [], None
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())]
        if len(cells) < 3:
            at = None
        elif at is None:
            at = cells.index(COLUMN) if COLUMN in cells else 0
        elif at:
            found += re.findall(r"`([^`]+)`", cells[at])
    return found


def names_in(sources: Iterable[str]) -> set[str]:
    """What code binds or uses: names, attributes, parameters; what is no Python has none."""
    found = set()
    for source in sources:
        try:
            nodes = list(ast.walk(ast.parse(source)))
        except SyntaxError:
            continue
        for node in nodes:
            found |= {
                getattr(node, field)
                for field in ("id", "attr", "name", "arg")
                if isinstance(getattr(node, field, None), str)
            }
    return found


def pages_left_out(book: Book) -> list[str]:
    """Every page in the folder of the chapters is in _toc.yml."""
    files = sorted((book.root / "chapters").glob("*"))
    pages = {page.path.as_posix() for page in book.pages}
    return [
        f"_toc.yml does not name chapters/{file.stem}: readers and rules would not see it"
        for file in files
        if file.suffix in (".md", ".ipynb") and f"chapters/{file.name}" not in pages
    ]


RULES = (notation_names, pages_left_out)
