"""A link to a glossary term, an equation or a reference carries its text with it.

The texts stand at the foot of the page, hidden until book.js shows them. (sphinx-tippy does that
too, but writes file names that differ from build to build, and needs 45 kB of script on every
page.)
"""

import posixpath
import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinxcontrib.bibtex.transforms import BibliographyTransform

LINK = re.compile(r'<a class="(reference internal[^"]*)" href="([^"#]*)#([^"]+)"( title="[^"]*")?')


def _add_hover_texts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is None or app.builder.format != "html":
        return
    if any("ledger-entry" in node["classes"] for node in doctree.findall(nodes.container)):
        return  # there each link stands above its equation
    tips: dict[tuple[str, str], str] = {}  # (page, anchor) -> HTML; empty where there is none

    def with_tip(match: re.Match[str]) -> str:
        classes, href, anchor, _title = match.groups()
        target = posixpath.join(posixpath.dirname(page), href.removesuffix(".html"))
        key = (posixpath.normpath(target) if href else page, anchor)
        if key not in tips:
            tips[key] = _hover_text(app, *key)
        if not tips[key]:
            return match[0]
        number = [k for k, text in tips.items() if text].index(key) + 1
        return f'<a class="{classes}" href="{href}#{anchor}" aria-describedby="tip-{number}"'

    body = LINK.sub(with_tip, context["body"])
    shown = [text for text in tips.values() if text]
    if not shown:
        return
    divs = [
        f'<div class="book-tip" role="tooltip" id="tip-{number}">{text}</div>'
        for number, text in enumerate(shown, start=1)
    ]
    context["body"] = body + '<div class="book-tips">\n' + "\n".join(divs) + "\n</div>\n"


def _hover_text(app: Sphinx, page: str, anchor: str) -> str:
    node = _targets(app, page).get(anchor)
    if node is None:
        return ""
    text = app.builder.render_partial(node)["fragment"]  # type: ignore[attr-defined]
    text = re.sub(r'<a class="headerlink".*?</a>|</?a\b[^>]*>', "", text)
    return re.sub(r'\s(id|role)="[^"]*"', "", text).strip()


def _targets(app: Sphinx, page: str) -> dict[str, nodes.Node]:
    """What can be shown of a page: anchor -> node."""
    cache: dict[str, dict[str, nodes.Node]] = app.__dict__.setdefault("book_hover_targets", {})
    if page in cache or page not in app.env.all_docs:
        return cache.setdefault(page, {})
    found = cache[page] = {}
    for node in app.env.get_doctree(page).findall():
        if isinstance(node, nodes.term):
            found |= dict.fromkeys(node["ids"], _definition(node))
        elif isinstance(node, nodes.math_block) and node.get("label"):
            shown = nodes.math_block(node.rawsource, node.astext(), nowrap=False)
            shown["number"] = shown["label"] = None
            found[nodes.make_id(f"equation-{node['label']}")] = shown
    # from the domain: to resolve a bibliography a second time would double its entries
    for citation in app.env.get_domain("cite").citations:  # type: ignore[attr-defined]
        if citation.bibliography_key.docname == page:
            entry = BibliographyTransform.backend.paragraph(citation.formatted_entry)
            found[citation.citation_id] = nodes.container("", entry)
    return found


def _definition(term: nodes.term) -> nodes.Node:
    definition = next(c for c in term.parent.children if isinstance(c, nodes.definition))
    shown = nodes.container("", *[child.deepcopy() for child in definition.children])
    for link in list(shown.findall(addnodes.pending_xref)):
        link.replace_self(link.children)
    return shown


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _add_hover_texts, priority=450)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
