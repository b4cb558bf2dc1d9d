"""The page of the ledger: every equation, where it stands, and how it was checked.

``{ledger}`` puts the ledger on its page, and ``{ledger-count}`` a number from it into a sentence.
Both read the stored pages through tools/ledger.py, and the build warns where those are at odds.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

import book
import check_calls
import ledger
import markup
from gmmlib import checks

LOGGER = logging.getLogger(__name__)


def _read_ledger(env: BuildEnvironment) -> ledger.Ledger:
    """The ledger; the page that asks for it is made anew when a page of the book changes."""
    root = Path(env.srcdir)
    readers = [module.__file__ for module in (ledger, book, markup, check_calls, checks)]
    for path in [root / "_toc.yml", *readers, *book.page_paths(root)]:
        env.note_dependency(str(path))
    return ledger.read_ledger(root)


class LedgerCount(SphinxRole):
    """{ledger-count}`claims`: also equations, definitions, checks."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        counts = _read_ledger(self.env).counts
        if self.text not in counts:
            message = self.inliner.reporter.warning(
                f"ledger-count has no {self.text!r}; it has {', '.join(counts)}", line=self.lineno
            )
            return [nodes.Text("?")], [message]
        return [nodes.Text(str(counts[self.text]))], []


class Ledger(SphinxDirective):
    """Every equation, where it stands, and how it was checked."""

    def run(self) -> list[nodes.Node]:
        found_in = _read_ledger(self.env)
        for error in found_in.errors:
            LOGGER.warning("the ledger: %s", error, location=self.get_location(), type="ledger")
        found = self._summary(found_in)
        for chapter in found_in.chapters:
            equations = [e for e in found_in.equations if e.chapter == chapter]
            if equations:
                found.append(self._section(chapter, equations))
        return found

    def _summary(self, found_in: ledger.Ledger) -> list[nodes.Node]:
        ways = Counter(check.kind for equation in found_in.equations for check in equation.checks)
        by_way = {words: ways[kind] for kind, words in checks.KINDS.items()}
        return [
            _figures(found_in.counts, ["ledger-summary"]),
            _figures(by_way, ["ledger-summary", "ledger-ways"]),
        ]

    def _section(self, chapter: book.Page, equations: list[ledger.Equation]) -> nodes.Node:
        name = "ledger-" + nodes.make_id(Path(chapter.file).name)
        section = nodes.section(ids=[name], names=[name])
        section += nodes.title("", chapter.title)
        for equation in equations:
            section += self._card(equation)
        return section

    def _card(self, equation: ledger.Equation) -> nodes.Node:
        kinds = sorted({f"ledger-{check.kind}" for check in equation.checks})
        card = nodes.container(classes=["ledger-entry", f"ledger-{equation.kind}", *kinds])
        link = addnodes.pending_xref(
            "",
            nodes.inline("", equation.label, classes=["xref", "eq"]),
            refdomain="math",
            reftype="eq",
            reftarget=equation.label,
            refdoc=self.env.docname,
            refexplicit=False,
            refwarn=True,
        )
        head = nodes.paragraph(classes=["ledger-head"])
        head += [link, nodes.literal("", equation.label), nodes.inline("", equation.kind)]
        formula = nodes.math_block(equation.latex, equation.latex, nowrap=False)
        formula["label"] = formula["number"] = None
        card += [head, formula]
        if equation.checks:
            lines = nodes.bullet_list(classes=["ledger-checks"])
            for words, times in Counter(check.in_words for check in equation.checks).items():
                line = words if times == 1 else f"{words} ({times} times)"
                lines += nodes.list_item("", nodes.paragraph("", line))
            card += lines
        return card


def _figures(counts: dict[str, int], classes: list[str]) -> nodes.Node:
    summary = nodes.bullet_list(classes=classes)
    for name, count in counts.items():
        line = nodes.paragraph("", "", nodes.strong("", str(count)), nodes.Text(f" {name}"))
        summary += nodes.list_item("", line)
    return summary


def _compare_with_sphinx(app: Sphinx, env: BuildEnvironment) -> None:
    """The second road: the labels that Sphinx itself has met."""
    known = set(env.get_domain("math").equations)  # type: ignore[attr-defined]
    read = {equation.label for equation in ledger.read_ledger(Path(env.srcdir)).equations}
    for label in sorted(known ^ read):
        where = "is not in the ledger" if label in known else "is in the ledger, not on a page"
        LOGGER.warning("the ledger: equation %s %s", label, where, type="ledger")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("ledger", Ledger)
    app.add_role("ledger-count", LedgerCount())
    app.connect("env-check-consistency", _compare_with_sphinx)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
