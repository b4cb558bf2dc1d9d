"""The notebook of a chapter, to download from its page (templates/layout.html).

Two of them: with solutions, and without. Both are made by tools/course/handouts.py.
"""

from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

import book
from course import handouts, plain

LOGGER = logging.getLogger(__name__)
FOLDERS = {"with": "notebooks/with-solutions", "without": "notebooks/without-solutions"}


def _offer_notebooks(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    found = _pages(app).get(page)
    if found is None:
        return
    try:
        made = {
            "with": handouts.solved(found, app.numbers),  # type: ignore[attr-defined]
            "without": handouts.student(found, app.numbers),  # type: ignore[attr-defined]
        }
    except ValueError as error:
        LOGGER.warning("no notebook to download: %s", error, location=page, type="notebook")
        return
    context["notebooks"] = {}
    for name, notebook in made.items():
        file = Path(app.outdir) / FOLDERS[name] / f"{found.name}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = nbformat.v4.writes(notebook) + "\n"
        file.write_text(text, encoding="utf-8")
        address = context["pathto"](f"{FOLDERS[name]}/{file.name}", 1)
        size = f"{round(len(text.encode()) / 1000)} kB"
        context["notebooks"][name] = {"address": address, "size": size}


def _pages(app: Sphinx) -> dict[str, book.Page]:
    """The chapters, read once for a build."""
    if not hasattr(app, "chapters_read"):
        read = book.read_book(Path(app.srcdir))
        app.numbers = plain.Numbers(read)  # type: ignore[attr-defined]
        app.chapters_read = {page.file: page for page in read.chapters}  # type: ignore[attr-defined]
    return app.chapters_read  # type: ignore[no-any-return,attr-defined]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _offer_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
