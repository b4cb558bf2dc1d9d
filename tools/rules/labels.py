"""The labels that gmmlib names exist in the book, and no label is set twice.

Whether {eq} and {ref} in the prose find their targets is checked where the site is built.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Mapping

from book import Book
from gmmlib import checks

NAMED = re.compile(rf"\b(?:eq|def|alg)-{checks.NAME}")


def labels_once(book: Book) -> list[str]:
    """A label is set once in the book."""
    places: dict[str, list[str]] = {}
    for page in book.pages:
        for label in page.labels:
            places.setdefault(label, []).append(page.name)
    return [f"{label} is set in {at}" for label, at in places.items() if len(at) > 1]


def labels_in_code(source: str) -> list[str]:
    """The labels that a module names: after "Book:" in docstrings, and in its comments."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for said in re.findall(
                r"(?s)\bBook:(.*?)(?:\n\s*\n|\Z)", ast.get_docstring(node) or ""
            ):
                found += NAMED.findall(said)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            found += NAMED.findall(token.string)
    return found


def labels_of_the_library(book: Book) -> list[str]:
    """Every label that the library names is in the book."""
    modules = sorted((book.root / "gmmlib").rglob("*.py"))
    sources = {path.name: path.read_text(encoding="utf-8") for path in modules}
    return unknown_labels(sources, [label for page in book.pages for label in page.labels])


def unknown_labels(modules: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """The labels that modules name and no page sets. ``modules``: name -> source."""
    labels = set(known)
    return [
        f"{module} names {label}, which no page of the book sets"
        for module, source in modules.items()
        for label in dict.fromkeys(labels_in_code(source))
        if label not in labels
    ]
