"""Each picture says its size, so that what follows it does not move when it is there."""

import re
import struct
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

PICTURE = re.compile(r'<img\b[^>]*?\bsrc="(?P<source>[^":]+\.png)"[^>]*>')


def _with_size(match: re.Match[str], folder: Path) -> str:
    path = folder / match["source"]
    if " width=" in match[0] or not path.is_file():
        return match[0]
    width, height = struct.unpack(">II", path.read_bytes()[16:24])  # where a PNG file has them
    return f'<img width="{width}" height="{height}"{match[0].removeprefix("<img")}'


def _add_sizes(app: Sphinx, exception: Exception | None) -> None:
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        text = PICTURE.sub(lambda match, path=path: _with_size(match, path.parent), text)
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", _add_sizes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
