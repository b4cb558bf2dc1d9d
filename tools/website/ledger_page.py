"""The page of the ledger: every equation, where it stands, how it ran, and how it was checked.

``{ledger}`` puts the ledger on its page, and ``{ledger-count}`` a number from it into a sentence.
Both read the stored pages through tools/ledger.py, and what came of the displays through
tools/executed.py; the build warns where those are at odds, or a display does not hold.
"""

import re
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
import executed
import ledger
import markup
from formulas import letters
from gmmlib import checks
from website import ledger_about, ledger_map

LOGGER = logging.getLogger(__name__)
MAP_NAME = "A map of the book: which claims stand on which definitions"
MAP_TEXT = (
    "A row is a definition, a column a chapter, and a bar is a claim of that chapter for which the "
    "definition was run. The number at the right counts them, and the chapter where the definition "
    "stands is shaded. The entries below say the same in words: what each claim stands on, and "
    "which claims execute a definition."
)


def _read_ledger(env: BuildEnvironment) -> ledger.Ledger:
    """The ledger; the page that asks for it is made anew when a page of the book changes."""
    root = Path(env.srcdir)
    modules = (ledger, book, markup, check_calls, checks, ledger_about, ledger_map)
    readers = [__file__, *(module.__file__ for module in modules)]
    files = [root / "_toc.yml", root / letters.FILE, *book.page_paths(root)]
    for path in [*files, *readers, *executed.sources()]:
        env.note_dependency(str(path))
    return ledger.read_ledger(root)


def _counts(env: BuildEnvironment) -> dict[str, int]:
    records = executed.outcomes(Path(env.srcdir)).values()
    return _read_ledger(env).counts | {"executed": sum(record.holds for record in records)}


class LedgerCount(SphinxRole):
    """{ledger-count}`claims`: also equations, definitions, checks, executed."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        counts = _counts(self.env)
        if self.text not in counts:
            message = self.inliner.reporter.warning(
                f"ledger-count has no {self.text!r}; it has {', '.join(counts)}", line=self.lineno
            )
            return [nodes.Text("?")], [message]
        return [nodes.Text(str(counts[self.text]))], []


class Ledger(SphinxDirective):
    """Every equation, where it stands, how it ran, and how it was checked."""

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        found_in = _read_ledger(self.env)
        self.records = executed.outcomes(root)
        self.run_by = executed.who_runs(self.records)
        self.unused = executed.reasons(executed.displays_of(root))
        for error in [*found_in.errors, *executed.errors(self.records, self.unused)]:
            LOGGER.warning("the ledger: %s", error, location=self.get_location(), type="ledger")
        found = [*self._summary(found_in), self._map(found_in)]
        for chapter in found_in.chapters:
            equations = [e for e in found_in.equations if e.chapter == chapter]
            if equations:
                found.append(self._section(chapter, equations))
        return found

    def _summary(self, found_in: ledger.Ledger) -> list[nodes.Node]:
        ways = Counter(check.kind for equation in found_in.equations for check in equation.checks)
        by_way = {words: ways[kind] for kind, words in checks.KINDS.items()}
        return [
            _figures(_counts(self.env), ["ledger-summary"]),
            _figures(by_way, ["ledger-summary", "ledger-ways"]),
        ]

    def _map(self, found_in: ledger.Ledger) -> nodes.Node:
        columns = []
        for chapter in found_in.chapters:
            own = [e for e in found_in.equations if e.chapter == chapter]
            of_kind = {
                kind: [e.label for e in own if e.kind == kind] for kind in ("definition", "claim")
            }
            if own:
                name = letters.chapter_of(chapter.name)
                columns.append(ledger_map.Column(name, of_kind["definition"], of_kind["claim"]))
        svg = ledger_map.drawn(columns, self.run_by, MAP_NAME)
        section = nodes.section(ids=["ledger-map"], names=["ledger-map"])
        section += nodes.title("", "A map of the book")
        section += nodes.paragraph("", MAP_TEXT)
        box = f'<div class="ledger-map-box" role="region" aria-label="The map">{svg}</div>'
        section += nodes.raw("", box, format="html")
        return section

    def _section(self, chapter: book.Page, equations: list[ledger.Equation]) -> nodes.Node:
        name = "ledger-" + nodes.make_id(Path(chapter.file).name)
        section = nodes.section(ids=[name], names=[name])
        section += nodes.title("", chapter.title)
        for equation in equations:
            section += self._card(equation)
        return section

    def _card(self, equation: ledger.Equation) -> nodes.Node:
        record = self.records[equation.label]
        kinds = sorted({f"ledger-{check.kind}" for check in equation.checks})
        kinds += ["ledger-declared"] if record.beside else []
        card = nodes.container(
            ids=[ledger_about.anchor(equation.label)],
            classes=["ledger-entry", f"ledger-{equation.kind}", *kinds],
        )
        formula = nodes.math_block(equation.latex, equation.latex, nowrap=False)
        formula["label"] = formula["number"] = None
        card += [self._head(equation), formula, self._lines(equation)]
        run_by, unused = self.run_by.get(equation.label), self.unused.get(equation.label, "")
        below = ledger_about.about(record, run_by, unused, set(self.records))
        if below:
            card += nodes.container("", *below, classes=["ledger-about"])
        return card

    def _head(self, equation: ledger.Equation) -> nodes.Node:
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
        return head

    def _lines(self, equation: ledger.Equation) -> nodes.Node:
        """What was shown: the worlds in which the display held, and each check."""
        record = self.records[equation.label]
        lines = nodes.bullet_list(classes=["ledger-checks"])
        words = re.sub(r"(?<=\d), (?=\d)", ",\N{NO-BREAK SPACE}", record.in_words)
        ran = nodes.paragraph("", f"run from its display: {words}")
        lines += nodes.list_item("", ran, classes=[] if record.holds else ["ledger-wrong"])
        for words, times in Counter(check.in_words for check in equation.checks).items():
            line = words if times == 1 else f"{words} ({times} times)"
            lines += nodes.list_item("", nodes.paragraph("", line))
        return lines


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
