"""Tables that are wider than a phone, or grow while they come in.

The rows of some become cards, each cell with its heading; a long name may break; and a table is
shown when it is whole.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# On a phone the rows of the wide tables of these pages are cards.
STACKED = (
    *("chapters/notation", "chapters/sources", "chapters/from_scikit_learn", "chapters/engine"),
    "course/",
)
TABLE = re.compile(r'<table class="table">.*?</table>', re.DOTALL)
SCROLLED = re.compile(
    r'<div class="(pst-scrollable-table-container)">(<table.*?</table>\s*)</div>', re.DOTALL
)
LONG_NAME = re.compile(r'<span class="pre">(\w{18,})</span>')


def stacked(match: re.Match[str]) -> str:
    """A table with more than two columns, whose cells know the headings of their columns."""
    table = match[0]
    heads = re.findall(r"<th class=\"head[^>]*>(.*?)</th>", table, re.DOTALL)
    names = [" ".join(re.sub("<.*?>", "", head).split()) for head in heads]
    if len(names) < 3:
        return table

    def row(found: re.Match[str]) -> str:
        column = iter(names)
        return re.sub(r"<td\b", lambda _: f'<td data-head="{next(column, "")}"', found[0])

    table = re.sub(r"<tr\b.*?</tr>", row, table, flags=re.DOTALL)
    return table.replace('class="table"', 'class="table stacked"', 1)


def _mend_tables(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is None:
        return
    body = context["body"]
    if page.startswith(STACKED):
        body = TABLE.sub(stacked, body)
    # a long name may break at an underscore, or it widens its column
    body = LONG_NAME.sub(
        lambda m: f'<span class="pre long">{m[1].replace("_", "_<wbr>")}</span>', body
    )
    # while rows come in, the columns move
    context["body"] = SCROLLED.sub(
        r'<div class="\1 until-whole">\2</div><span hidden></span>', body
    )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _mend_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
