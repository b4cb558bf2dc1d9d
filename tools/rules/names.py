"""What the notation calls by a name in the code exists there; every page is in the book."""

import ast
from collections.abc import Iterable
from typing import Any

from book import Book
from check_calls import without_magics
from formulas.letters import FILE, read_rows


def notation_names(book: Book) -> list[str]:
    """Every name that the notation has for a letter in the code is in gmmlib or in a chapter's."""
    if not (book.root / FILE).is_file():
        return []
    modules = (path.read_text(encoding="utf-8") for path in (book.root / "gmmlib").rglob("*.py"))
    cells = (without_magics(cell.source) for page in book.chapters for cell in page.code)
    return unknown_names(read_rows(book.root)["letters"], names_in([*modules, *cells]))


def unknown_names(letters: list[dict[str, Any]], known: set[str]) -> list[str]:
    return [
        f"{FILE}: the code of {letter['symbol']} is {letter['code']}, and nothing in the code is "
        f"called {name}"
        for letter in letters
        if "code" in letter
        for name in sorted(names_in([letter["code"]]) - known)
    ]


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
