"""What to know before a chapter: a line from chapters/needs.yml in the box that opens it."""

import json
import re
from pathlib import Path, PurePosixPath

import yaml
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
NEEDS = "chapters/needs.yml"


def read_needs(root: Path) -> dict[str, str]:
    path = root / NEEDS
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _add_needs(app: Sphinx, docname: str, source: list[str]) -> None:
    if not docname.startswith("chapters/"):
        return
    app.env.note_dependency(NEEDS)
    name, needs = PurePosixPath(docname).name, read_needs(Path(app.srcdir))
    if name not in needs:
        return
    notebook = json.loads(source[0])
    first = notebook["cells"][0]
    text = "".join(first["source"])
    line = f"\n**You need first:** {' '.join(needs[name].split())}\n"
    with_line = re.sub(
        r"(```\{admonition\} In this chapter\n.*?\n)```",
        lambda m: f"{m[1]}{line}```",
        text,
        count=1,
        flags=re.DOTALL,
    )
    if with_line == text:
        LOGGER.warning("%s has a line in %s, but no box to put it in", docname, NEEDS)
    first["source"] = with_line
    source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", _add_needs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
