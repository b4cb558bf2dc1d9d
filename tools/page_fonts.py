"""The Sphinx extension that lets each page ask early for the faces that it uses."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# The file -> what a page has that needs it.
FACES = {
    "serif.woff2": r"",
    "sans.woff2": r"",
    "serif-italic.woff2": r"<em\b|<figcaption|<dfn\b|class=\"proof ",
    "mono.woff2": r"<pre\b|<code\b",
}


def _preload_faces(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if page == "404":  # it is sent from any folder, and uses no file
        return
    body = context.get("body", "")
    for name, needed in FACES.items():
        if re.search(needed, body):
            address = context["pathto"](f"_static/fonts/{name}", 1)
            context["metatags"] = context.get("metatags", "") + (
                f'\n<link rel="preload" href="{address}" as="font" type="font/woff2" crossorigin>'
            )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _preload_faces)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
