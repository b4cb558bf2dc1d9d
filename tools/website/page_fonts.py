"""The Sphinx extension that lets each page ask early for the faces that it uses."""

import json
import re
from collections.abc import Iterable
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
# A page that is opened as a file may not ask: Chromium takes that for a fault.
PRELOAD = """if (location.protocol !== "file:") for (const href of FILES)
      document.head.append(Object.assign(document.createElement("link"),
        { rel: "preload", as: "font", crossOrigin: "", href }));"""


def preload(context: dict[str, Any], files: Iterable[str]) -> None:
    """Let the page ask for these files of the folder _static before its styles are read."""
    addresses = [context["pathto"](f"_static/{file}", 1) for file in files]
    script = PRELOAD.replace("FILES", json.dumps(addresses))
    context["metatags"] = context.get("metatags", "") + f"\n    <script>{script}</script>"


def _preload_faces(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if page == "404":  # it is sent from any folder, and uses no file
        return
    body = context.get("body", "")
    preload(context, [f"fonts/{name}" for name, use in FACES.items() if re.search(use, body)])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _preload_faces)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
