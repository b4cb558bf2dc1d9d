"""A site of three pages on which *Run this page* is there, with a stand-in for Python.

The stand-in, run_here_worker.js, speaks as the worker does and knows a few words.
"""

import base64
import hashlib
import io
import json
import os
import re
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any
from unittest import mock

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).parent / "run_here_worker.js"
PAGE = "chapters/01_one.html"
EXTENSIONS = ["myst_nb", "sphinx_external_toc", "sphinx_copybutton", "sphinx_togglebutton"]
ALT = "Eight pixels by four, all white."


def png() -> str:
    """A small white picture, as it stands in a notebook."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        sum_of = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", sum_of)

    rows = zlib.compress(b"".join(b"\0" + b"\xff" * 24 for _ in range(4)))
    head = struct.pack(">IIBBBBB", 8, 4, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()


def code(name: str, source: str, *outputs: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": metadata,
        "execution_count": 1,
        "source": source,
        "outputs": list(outputs),
    }


def words(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "w" + str(len(text)), "metadata": {}, "source": text}


def printed(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown(**data: str) -> dict[str, Any]:
    named = {kind.replace("_", "/"): content for kind, content in data.items()}
    return {"output_type": "display_data", "data": named, "metadata": {}}


FIGURE = {"figure": {"caption": "White.", "name": "fig-white"}, "image": {"alt": ALT}}
OPENING = """# 1 One

```{admonition} In this chapter
:class: tip
**Given:** a thing.
```

Text.
"""
LATEX = r"$\displaystyle \frac{1}{2}$"
CELLS = [
    words(OPENING),
    code("same", 'x = 1\nprint("one")', printed("one\n")),
    code("other", 'use(x)\nprint("two")', printed("another\n")),
    code("drawn", "draw()", shown(image_png=png(), text_plain="<Figure>"), mystnb=FIGURE),
    code("latex", "latex()", shown(text_latex=LATEX, text_plain="1/2")),
    code("folded", 'print("folded")', printed("folded\n"), tags=["hide-input"]),
    words("More text.\n"),
    code("long", "wait()\n" + "\n".join(f'print("line {k}")' for k in range(6))),
    code("quiet", "x = 1"),
    words("# The end\n\nText " * 3),
]
EXAMPLES = """# Examples

```python
print("first")
```

```text
first
```

Then:

```python
print("second")
```
"""


def notebook(cells: list[dict[str, Any]]) -> str:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4}
    return json.dumps(content | {"nbformat_minor": 5})


def write_sources(root: Path, cells: list[dict[str, Any]] | None = None) -> None:
    (root / "chapters").mkdir(parents=True)
    chapters = "[{file: chapters/01_one}, {file: chapters/engine}]"
    (root / "_toc.yml").write_text(f"format: jb-book\nroot: index\nchapters: {chapters}\n")
    shutil.copy(ROOT / "assets" / "favicon.svg", root)
    (root / "index.md").write_text("# The book\n\nText.\n\n(run-the-chapters)=\n## Run\n")
    (root / "chapters" / "01_one.ipynb").write_text(notebook(cells or CELLS))
    (root / "chapters" / "engine.md").write_text(EXAMPLES)
    (root / "chapters" / "needs.yml").write_text("01_one: >-\n  nothing.\n")


def build(root: Path, *rooms: str) -> Path:
    """Build the site in a folder of sources; the rooms are loaded beside those of every site."""
    out, warnings = root / "_build" / "html", io.StringIO()
    options = {
        "extensions": [*EXTENSIONS, "website", *rooms],
        "exclude_patterns": ["_build"],
        "html_theme": "sphinx_book_theme",
        "html_title": "A Book",
        "html_favicon": "favicon.svg",
        "html_static_path": [str(ROOT / "assets")],
        "html_css_files": ["fonts/fonts.css", "pages/icons.css", "pages/book.css"],
        "html_js_files": [["pages/book.js", {"defer": "defer"}]],
        "html_context": {"default_mode": "auto"},
        "html_theme_options": {
            "article_header_end": [
                "run-here.html",
                "code-switch.html",
                "article-header-buttons.html",
            ]
        },
        "nb_execution_mode": "off",
        "suppress_warnings": ["notebook"],
    }
    with docutils_namespace(), mock.patch.dict(os.environ):
        os.environ.pop("RUNTIME", None)  # whoever calls this adds one
        folders = [str(root), None, str(out), str(root / "_build" / "trees")]
        Sphinx(*folders, "html", options, status=None, warning=warnings).build()
    said = re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue())
    assert said == "", said
    return out


def add_runtime(site: Path, content: bytes) -> str:
    """The stand-in, and a runtime of one file; its version."""
    folder = site / "_static" / "runtime"
    (folder / "python").mkdir(parents=True, exist_ok=True)
    (folder / "python" / "python.data").write_bytes(content)
    version = hashlib.sha256(content).hexdigest()[:16]
    about = {"name": "python/python.data", "bytes": len(content), "sha256": version}
    needed = {"needed": [about["name"]], "needed_bytes": len(content), "bytes": len(content)}
    manifest = {"version": version, "files": [about], **needed}
    (folder / "runtime.json").write_text(json.dumps(manifest))
    text = WORKER.read_text(encoding="utf-8").replace("PNG_HERE", png())
    (site / "_static" / "run" / "worker.js").write_text(text, encoding="utf-8")
    return version
