"""Which pages can run, the button that they have, and what their script has to know of their cells.

A page's cells are written to ``_static/run/pages/PAGE.json``: their code, their tags, and the text
of their stored outputs, which is compared with what they print in the browser (``page/outputs.js``
makes the same of that). The scripts of ``page/`` are copied beside, and the service worker to the
root of the site, which is as far as it can see.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
PAGE = Path(__file__).parent / "page"
RUN = "_static/run"
SERVICE_WORKER = "run-cache.js"
START = "run/start.js"
# The page whose examples run one after the other: the tests run them, too.
WITH_EXAMPLES = ("chapters/engine",)
EXAMPLE = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
IN_NOTEBOOK, IN_EXAMPLE = (
    re.compile(r'<div class="cell[ "]'),
    re.compile('<div class="highlight-python'),
)
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# In this order, as MyST-NB shows them.
SHOWN = ("text/html", "image/svg+xml", "image/png", "image/jpeg", "text/latex", "text/plain")


# --- what a page's script has to know -----------------------------------------------------------


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def _cell(name: str, code: str, tags: Iterable[str], outputs: list[list[str]]) -> dict[str, Any]:
    found = {"id": name, "hash": _hash(code), "code": code, "tags": list(tags)}
    return found | {"outputs": outputs}


def texts(outputs: Iterable[dict[str, Any]]) -> list[list[str]]:
    """The text of a cell's outputs, [kind, text] each; of one stream together."""
    found: list[list[str]] = []
    for output in outputs:
        if output["output_type"] == "stream":
            if found and found[-1][0] == output["name"]:
                found[-1][1] += output["text"]
            else:
                found.append([output["name"], output["text"]])
        elif output["output_type"] == "error":
            found.append(["error", f"{output['ename']}: {output['evalue']}"])
        else:
            kind = next((kind for kind in SHOWN if kind in output["data"]), "")
            if kind.startswith("text/"):
                found.append([kind, output["data"][kind]])
    return [[kind, ANSI.sub("", text).rstrip()] for kind, text in found]


def notebook_cells(path: Path) -> list[dict[str, Any]]:
    notebook = nbformat.read(path, as_version=4)
    return [
        _cell(cell.id, cell.source, cell.metadata.get("tags", []), texts(cell.outputs))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def example_cells(text: str) -> list[dict[str, Any]]:
    found = [(match[1].removesuffix("\n"), match[2]) for match in EXAMPLE.finditer(text)]
    return [
        _cell(f"example-{k}", code, [], [["stdout", shown.rstrip()]] if shown else [])
        for k, (code, shown) in enumerate(found)
    ]


def page_cells(source: Path, page: str) -> tuple[str, list[dict[str, Any]]]:
    """The kind of the page, "notebook" or "examples", and its cells; none where it cannot run."""
    notebook = source / f"{page}.ipynb"
    if notebook.is_file():
        return "notebook", notebook_cells(notebook)
    if page in WITH_EXAMPLES:
        return "examples", example_cells((source / f"{page}.md").read_text(encoding="utf-8"))
    return "examples", []


# --- the pages ----------------------------------------------------------------------------------


def _offer(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    kind, cells = page_cells(Path(app.srcdir), page) if doctree is not None else ("", [])
    if not cells:
        return
    in_page = IN_NOTEBOOK if kind == "notebook" else IN_EXAMPLE
    shown = len(in_page.findall(context.get("body", "")))
    if shown != len(cells):
        said = "the page has %s cells, and its source %s: it could not run as it stands"
        LOGGER.warning(said, shown, len(cells), location=page, type="run_here")
        return
    path = Path(app.outdir) / RUN / "pages" / f"{page}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"kind": kind, "cells": cells}, ensure_ascii=False), "utf-8")
    context["run_here"] = {"page": page, "version": _version(path.read_bytes())}
    app.add_js_file(START, loading_method="defer")


# --- the scripts --------------------------------------------------------------------------------

IMPORT = re.compile(r'(?<=["\'])\./(?P<name>[\w.-]+\.js)(?=["\'])')


def _files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(PAGE.iterdir()) if path.is_file()}


def _version(more: bytes = b"") -> str:
    """Of all scripts, in the addresses under which they are asked for: no old one is mixed in."""
    return hashlib.sha256(b"".join(_files().values()) + more).hexdigest()[:8]


def _copy(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    out, version = Path(app.outdir), _version()
    (out / RUN).mkdir(parents=True, exist_ok=True)
    for name, content in _files().items():
        if name.endswith(".js") and name != "editor.js":
            text = content.decode("utf-8")
            content = IMPORT.sub(rf"./\g<name>?v={version}", text).encode()
        (out / (name if name == SERVICE_WORKER else f"{RUN}/{name}")).write_bytes(content)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _copy)  # before the pages, which say the version of start.js
    app.connect("html-page-context", _offer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
