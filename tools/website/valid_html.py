"""What other extensions write that the standards do not allow is mended."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

SUMMARY = re.compile(r'<summary aria-label="Toggle hidden content">(.*?)</summary>', re.DOTALL)
REPEATED = re.compile(r' id="(?:(?:exercise|solution|proof)-content|proof)"')


def mended(body: str) -> str:
    # sphinx-exercise and sphinx-proof give all exercises and proofs of a page the same id
    body = REPEATED.sub("", body)
    # what unfolds code: no paragraphs in <summary>, and its name is what one reads there
    body = SUMMARY.sub(
        lambda m: "<summary>" + re.sub(r"(</?)p\b", r"\1span", m[1]) + "</summary>", body
    )
    # roles of references: deprecated, and a list of what are no items
    body = body.replace(' role="doc-biblioentry"', "")
    return body.replace('<div role="list" class="citation-list">', '<div class="citation-list">')


def _mend(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    context["body"] = mended(context.get("body", ""))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _mend, priority=800)  # after all have written theirs
    return {"parallel_read_safe": True, "parallel_write_safe": True}
