"""The page that is sent in answer to a wrong address: 404.html."""

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx

from website.site_map import site_address

NOT_FOUND = "404"
# The page is sent in answer to an address in any folder. Which folder the site lies in is seen from
# the names of its own folders.
FIND_BASE = """<script>
    (() => {
      const path = location.pathname;
      const inside = path.search(/\\/(chapters|_static|_images|_sources)(\\/|$)/);
      const base = document.createElement("base");
      base.href = inside < 0 ? path.slice(0, path.lastIndexOf("/") + 1) : path.slice(0, inside + 1);
      document.currentScript.after(base);
    })();
    </script>"""


def _add_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    included = app.env.toctree_includes.get(app.config.root_doc, [])
    pages = [(name, app.env.titles[name].astext()) for name in included]
    icon = Path(app.srcdir) / (app.config.html_favicon or "")
    drawing = icon.read_text(encoding="utf-8") if icon.suffix == ".svg" else ""
    context = {"title": "There is no such page", "pages": pages}
    context["icon"] = f"data:image/svg+xml,{quote(drawing)}"
    yield NOT_FOUND, context, "not_found.html"


def _add_base(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if page != NOT_FOUND:
        return
    site = site_address(app)
    base = f'<base href="{html.escape(site)}/">' if site else FIND_BASE
    robots = '<meta name="robots" content="noindex">'
    context["metatags"] = f"\n    {base}{context['metatags']}\n    {robots}"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-collect-pages", _add_page)
    app.connect("html-page-context", _add_base, priority=810)  # around the tags of page_head
    return {"parallel_read_safe": True, "parallel_write_safe": True}
