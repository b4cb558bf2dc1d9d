"""``{chapter-figure} fig-name``: a figure of a chapter on another page, from its stored output.

The landing page shows a picture that a chapter draws. It is taken from the notebook when the site
is built, so that there is no second copy of it to fall behind.
"""

import base64
import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = "_build/chapter_figures"


def find_figure(chapters: Path, name: str) -> tuple[Path, bytes, dict[str, Any]]:
    """The notebook, the PNG and the image options of the cell whose figure has this name.

    Raises ``LookupError`` where no cell of any chapter draws it.
    """
    for path in sorted(chapters.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            options = cell["metadata"].get("mystnb", {})
            if options.get("figure", {}).get("name") != name:
                continue
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    picture = "".join(output["data"]["image/png"])
                    return path, base64.b64decode(picture), options.get("image", {})
    raise LookupError(f"no chapter has a figure named {name!r} with a stored picture")


class ChapterFigure(SphinxDirective):
    """The named figure, with this directive's content as its caption."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        name = self.arguments[0]
        try:
            chapter, picture, options = find_figure(root / "chapters", name)
        except LookupError as error:
            raise self.error(str(error)) from None
        self.env.note_dependency(str(chapter))
        stored = root / FOLDER / f"{name}.png"
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_bytes(picture)
        image = nodes.image(uri=f"/{FOLDER}/{name}.png", alt=options.get("alt", ""))
        image["classes"] += options.get("classes", "").split()
        figure = nodes.figure("", image, align="default")
        if self.content:
            caption = nodes.caption()
            text, messages = self.state.inline_text(" ".join(self.content), self.lineno)
            caption += text
            figure += [caption, *messages]
        # the figure's name around it, not on it, or it would be numbered twice
        return [nodes.container("", figure, ids=[name], classes=["chapter-figure"])]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("chapter-figure", ChapterFigure)
    return {"version": "1", "parallel_read_safe": True}
