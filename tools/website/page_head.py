"""What the head of a page says of it: title, description, and a card for other sites."""

import html
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from website.not_found import NOT_FOUND
from website.site_map import page_address, site_address

CARD = "social-card.png"
WORDS_IN_DESCRIPTION = 30


def _add_head(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """What templates/layout.html asks for, and the tags."""
    name, site = html.unescape(re.sub("<.*?>", "", context.get("title", ""))), app.config.html_title
    context["page_title"] = site if page == app.config.root_doc else f"{name} · {site}"
    context["pageurl"] = _address(app, page)
    description = _description(doctree) or f"{name}: {site}"
    tags = [_meta("name", "description", description)]
    tags += _card(app, page, context, name or site, description)
    # the layout has the viewport
    others = re.sub(r'\n?<meta name="viewport"[^>]*>', "", context.get("metatags", ""))
    context["metatags"] = others + "".join(f"\n    {tag}" for tag in tags)


def _address(app: Sphinx, page: str) -> str:
    return "" if page == NOT_FOUND else page_address(app, page)


def _meta(key: str, name: str, content: str) -> str:
    return f'<meta {key}="{name}" content="{html.escape(content)}">'


def _description(doctree: nodes.document | None) -> str:
    """The beginning of the first paragraph without a formula."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree is not None else []:
        if isinstance(paragraph.parent, nodes.section) and not paragraph.next_node(nodes.math):
            words = paragraph.astext().split()
            return " ".join(words[:WORDS_IN_DESCRIPTION]) + (
                " …" if len(words) > WORDS_IN_DESCRIPTION else ""
            )
    return ""


def _card(
    app: Sphinx, page: str, context: dict[str, Any], title: str, description: str
) -> Iterator[str]:
    """What other sites show where somebody links to the page. They want whole addresses."""
    base, address = site_address(app), _address(app, page)
    picture = context["pathto"](f"_static/{CARD}", 1)
    yield _meta("property", "og:type", "website" if page == app.config.root_doc else "article")
    yield _meta("property", "og:site_name", app.config.html_title)
    yield _meta("property", "og:title", title)
    yield _meta("property", "og:description", description)
    yield _meta("property", "og:image", f"{base}/_static/{CARD}" if base else picture)
    yield _meta("property", "og:image:alt", "Two bell curves that overlap, and their sum.")
    if address:
        yield _meta("property", "og:url", address)
    yield _meta("name", "twitter:card", "summary_large_image")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _add_head, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
