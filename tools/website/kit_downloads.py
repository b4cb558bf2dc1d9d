"""``{kit-downloads}``: the questions to download, for a learning-management system.

The rest of the course kit is larger, and made by ``make course``.
"""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import book
from course.question_files import MOODLE, QTI, question_files

FOLDER = "questions"
WHAT = {QTI: "QTI 1.2, for Canvas", MOODLE: "Moodle XML"}
OFFERS = "kit-downloads"  # in the metadata of a page that does


class KitDownloads(SphinxDirective):
    """A list of the files, each with its size."""

    def run(self) -> list[nodes.Node]:
        self.env.metadata[self.env.docname][OFFERS] = True
        up = "../" * self.env.docname.count("/")
        shown = nodes.bullet_list()
        for name, content in _files(self.env.app).items():
            link = nodes.reference("", WHAT[name], refuri=f"{up}{FOLDER}/{name}", internal=True)
            said = (link, nodes.Text(f" ({len(content) / 1e6:.1f} MB)"))
            shown += nodes.list_item("", nodes.paragraph("", "", *said))
        return [shown]


def _files(app: Sphinx) -> dict[str, bytes]:
    """Made once for a build."""
    if not hasattr(app, "question_files"):
        read = book.read_book(Path(app.srcdir))
        app.question_files = question_files(read)  # type: ignore[attr-defined]
    return app.question_files  # type: ignore[attr-defined, no-any-return]


def _write(app: Sphinx, exception: Exception | None) -> None:
    offered = any(OFFERS in found for found in app.env.metadata.values())
    if exception or app.builder.format != "html" or not offered:
        return
    for name, content in _files(app).items():
        path = Path(app.outdir) / FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("kit-downloads", KitDownloads)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
