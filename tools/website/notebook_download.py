"""The notebook of a chapter, to download from its page (templates/layout.html)."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def _offer_notebook(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    source = context.get("sourcename") or ""
    if source.endswith(".ipynb"):
        kilobytes = round(Path(app.env.doc2path(page)).stat().st_size / 1000)
        address = context["pathto"](f"_sources/{source}", 1)
        context["notebook"] = {"address": address, "size": f"{kilobytes} kB"}


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _offer_notebook)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
