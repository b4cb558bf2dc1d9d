"""``{chapter-figure} fig-name``: a figure of a chapter on another page, from its stored output.

The landing page shows a picture that a chapter draws. It is taken from the notebook when the site
is built, so that there is no second copy of it to fall behind.
"""

import base64
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book import Book, Page, read_book
from cells import Figure

FOLDER = "_build/chapter_figures"


def find_figure(book: Book, name: str) -> tuple[Page, bytes, Figure]:
    """The chapter that draws the figure of this name, its PNG, and what is said of it.

    Raises ``LookupError`` where no cell of any chapter draws it.
    """
    for page in book.chapters:
        for cell in page.code:
            if cell.figure.name == name and cell.pictures:
                return page, base64.b64decode(cell.pictures[0]), cell.figure
    raise LookupError(f"no chapter has a figure named {name!r} with a stored picture")


class ChapterFigure(SphinxDirective):
    """The named figure, with this directive's content as its caption."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        name = self.arguments[0]
        try:
            chapter, picture, about = find_figure(read_book(root), name)
        except LookupError as error:
            raise self.error(str(error)) from None
        self.env.note_dependency(str(root / chapter.path))
        stored = root / FOLDER / f"{name}.png"
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_bytes(picture)
        image = nodes.image(uri=f"/{FOLDER}/{name}.png", alt=about.alt)
        image["classes"] += about.classes.split()
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
