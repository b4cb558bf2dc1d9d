"""The numbers of every world, in one file that the ledger's page loads when a reader asks for them.

A page opened as a file may load it, as it is a script.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

import executed
from formulas import letters, wording
from website.ledger_about import sizes

FILE = "ledger-worlds.js"


def content(records: Iterable[executed.Executed]) -> str:
    """label -> for each world its sizes and chains; a value that repeats the last one is empty."""
    found = {
        record.label: [
            [sizes(record, k), [_chain(chain) for chain in world]]
            for k, world in enumerate(record.worlds)
        ]
        for record in records
        if len(record.worlds) > 1
    }
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return f"window.BOOK_WORLDS = {text};\n"


def _chain(chain: wording.Chain) -> list[list[str]]:
    """The names and the values, as the page has them."""
    values = chain["values"]
    short = ["" if k and values[k - 1] == value else value for k, value in enumerate(values)]
    return [wording.names(chain), short]


def _write(app: Sphinx, exception: Exception | None) -> None:
    root = Path(app.srcdir)
    has_notation = (root / letters.FILE).is_file()  # without it nothing runs, and nothing is told
    if exception or not has_notation or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    records = executed.outcomes(root).values()
    (Path(app.outdir) / FILE).write_text(content(records), encoding="utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
