"""A switch for the code of the pages: shown, in outline (the first line of each cell), or hidden.

The choice holds for the whole site and is kept. A script in the head sets it before anything is
painted. Outputs stay in all three; without script, all code is shown. See assets/pages/code.js.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

CODE = re.compile(
    r'(<div class="cell_input docutils container">\s*<div class="highlight-[^"]*">'
    r'<div class="highlight"><pre>)(.*?)(</pre>)',
    re.DOTALL,
)
BEFORE_PAINT = """(() => {
  try { document.documentElement.dataset.code = localStorage.getItem("code") || "shown"; }
  catch { document.documentElement.dataset.code = "shown"; }
})();"""


def outlined(body: str) -> str:
    """What comes after the first line of a cell, in an element of its own, and how long it is."""

    def split(match: re.Match[str]) -> str:
        before, code, after = match.groups()
        first, newline, rest = code.rstrip("\n").partition("\n")
        if not rest:
            return match[0]
        lines = rest.count("\n") + 1
        words = f"… {lines} more line{'s' if lines > 1 else ''}"
        return (
            f'{before}{first}<span class="code-rest" data-words="{words}">{newline}{rest}\n</span>'
            + after
        )

    return CODE.sub(split, body)


def _add_switch(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    body = context.get("body", "")
    context["has_code"] = 'class="cell_input' in body
    if not context["has_code"]:
        return
    context["body"] = outlined(body)
    app.add_js_file(None, body=BEFORE_PAINT, priority=100)
    app.add_css_file("pages/code.css", priority=840)  # after book.css
    app.add_js_file("pages/code.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", _add_switch)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
