"""The notation as a page shows it, from chapters/notation.toml.

``{notation}`` is the table of the letters that hold in the whole book, ``{notation} chapters`` a
section for each chapter with letters of its own. Each row has an anchor, for symbols.py.
"""

from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import book
from formulas.letters import FILE, chapter_of, read_rows
from website.notation_rows import EVERYWHERE, Row, rows_of

HEADS = ("mathematics", "code", "shape", "what it is")


class NotationTable(SphinxDirective):
    """The letters of the whole book, or those of each chapter."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        for path in [root / FILE, root / "_toc.yml", *book.page_paths(root)]:
            self.env.note_dependency(str(path))
        pages = book.read_book(root).chapters
        chapters = {
            label: chapter_of(page.name) for page in pages for label, _ in page.equations if label
        }
        rows = rows_of(read_rows(root)["letters"], chapters)
        if self.arguments:
            return [
                self.section(page, own)
                for page in pages
                if (own := [row for row in rows if row.chapter == chapter_of(page.name)])
            ]
        return [self.table([row for row in rows if row.chapter == EVERYWHERE])]

    def section(self, page: book.Page, rows: list[Row]) -> nodes.Node:
        name = f"letters-of-{nodes.make_id(page.name)}"
        section = nodes.section(ids=[name], names=[name])
        link = addnodes.pending_xref(
            "",
            nodes.inline("", page.title, classes=["doc"]),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{page.file}",
            refdoc=self.env.docname,
            refexplicit=True,
            refwarn=True,
        )
        section += nodes.title("", "", link)
        section += self.table(rows)
        return section

    def table(self, rows: list[Row]) -> nodes.Node:
        lines = [in_cells(row) for row in rows]
        used = [k for k in range(len(HEADS)) if any(line[k] for line in lines)]
        heads = [_cell(nodes.Text(HEADS[k])) for k in used]
        body = nodes.tbody()
        for row, line in zip(rows, lines, strict=True):
            body += nodes.row("", *(_cell(*self.parsed(line[k])) for k in used), ids=[row.anchor])
        group = nodes.tgroup("", *(nodes.colspec() for _ in used), cols=len(used))
        group += [nodes.thead("", nodes.row("", *heads)), body]
        return nodes.table("", group)

    def parsed(self, text: str) -> list[nodes.Node]:
        return self.parse_inline(text, lineno=self.lineno)[0] if text else []


def in_cells(row: Row) -> tuple[str, ...]:
    """The Markdown of a row's cells."""
    code = ", ".join(f"`{name}`" for name in row.code)
    shape = f"`{row.shape}`" if row.shape.startswith("(") else row.shape
    what = row.means + (f": ${row.formula}$" if row.formula else "")
    label = row.spec.get("defined")
    return f"${row.letters}$", code, shape, f"{what} {{eq}}`{label}`" if label else what


def _cell(*inline: nodes.Node) -> nodes.Node:
    return nodes.entry("", nodes.paragraph("", "", *inline))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("notation", NotationTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
