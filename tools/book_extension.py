"""The Sphinx extension of this book: the ledger page, counts, hover texts.

``{ledger}`` puts the ledger on its page, and ``{ledger-count}`` a number from it into a sentence.
Both read the stored pages through tools/ledger.py, and the build warns where those are at odds.

A link to a glossary term, an equation or a reference carries its text with it, at the foot of the
page and hidden until book.js shows it. (sphinx-tippy does that too, but writes file names that
differ from build to build, and needs 45 kB of script on every page.)
"""

import posixpath
import re
from collections import Counter
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinxcontrib.bibtex.transforms import BibliographyTransform

import ledger
from search_index import equation_number

LOGGER = logging.getLogger(__name__)
LINK = re.compile(r'<a class="(reference internal[^"]*)" href="([^"#]*)#([^"]+)"( title="[^"]*")?')
CHECK_LINE = re.compile(rf"(?<=\n|>)✓ (?P<label>{ledger.CLAIM.pattern}) · [a-z]+ · [^\n<]*(?=\n)")
TOUCH = re.compile(r'<img\b[^>]*\bclass="[^"]*\btouch touch-([a-z-]+)[^>]*>')
# The picture is not loaded where the figure takes its place, but without script and on paper.
TOUCH_NOTE = """
<p class="touch-note">A still picture. On the website, with JavaScript, you can take this figure
into your own hands.</p><script>window.touch?.here()</script>"""
# On a phone the rows of the wide tables of these pages are cards: each cell with its heading.
STACKED = ("chapters/notation", "chapters/sources")
TABLE = re.compile(r'<table class="table">.*?</table>', re.DOTALL)
LONG_NAME = re.compile(r'<span class="pre">(\w{18,})</span>')


# --- the ledger ---------------------------------------------------------------------------------


def _read_ledger(env: BuildEnvironment) -> ledger.Book:
    """The ledger; the page that asks for it is made anew when a page of the book changes."""
    root = Path(env.srcdir)
    for path in [root / "_toc.yml", Path(ledger.__file__), *ledger.page_paths(root)]:
        env.note_dependency(str(path))
    return ledger.read_book(root)


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


class ProjectLink(SphinxRole):
    """{project-link}`words`: a link where the project's address is configured, else the words."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        address = self.config.html_theme_options.get("repository_url")
        words = nodes.Text(self.text)
        return [nodes.reference("", "", words, refuri=address) if address else words], []


class Ledger(SphinxDirective):
    """Every equation, where it stands, and how it was checked."""

    def run(self) -> list[nodes.Node]:
        book = _read_ledger(self.env)
        for error in book.errors:
            LOGGER.warning("the ledger: %s", error, location=self.get_location(), type="ledger")
        found = self._summary(book)
        for chapter in book.chapters:
            equations = [e for e in book.equations if e.chapter == chapter]
            if equations:
                found.append(self._section(chapter, equations))
        return found

    def _summary(self, book: ledger.Book) -> list[nodes.Node]:
        ways = Counter(check.kind for equation in book.equations for check in equation.checks)
        by_way = {words: ways[kind] for kind, words in ledger.IN_WORDS.items()}
        return [
            _figures(book.counts, ["ledger-summary"]),
            _figures(by_way, ["ledger-summary", "ledger-ways"]),
        ]

    def _section(self, chapter: ledger.Chapter, equations: list[ledger.Equation]) -> nodes.Node:
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
            checks = nodes.bullet_list(classes=["ledger-checks"])
            for words, times in Counter(check.in_words for check in equation.checks).items():
                line = words if times == 1 else f"{words} ({times} times)"
                checks += nodes.list_item("", nodes.paragraph("", line))
            card += checks
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
    read = {equation.label for equation in ledger.read_book(Path(env.srcdir)).equations}
    for label in sorted(known ^ read):
        where = "is not in the ledger" if label in known else "is in the ledger, not on a page"
        LOGGER.warning("the ledger: equation %s %s", label, where, type="ledger")


# --- hover texts --------------------------------------------------------------------------------


def _add_hover_texts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is None or app.builder.format != "html":
        return
    if any("ledger-entry" in node["classes"] for node in doctree.findall(nodes.container)):
        return  # there each link stands above its equation
    tips: dict[tuple[str, str], str] = {}  # (page, anchor) -> HTML; empty where there is none

    def with_tip(match: re.Match[str]) -> str:
        classes, href, anchor, _title = match.groups()
        target = posixpath.join(posixpath.dirname(page), href.removesuffix(".html"))
        key = (posixpath.normpath(target) if href else page, anchor)
        if key not in tips:
            tips[key] = _hover_text(app, *key)
        if not tips[key]:
            return match[0]
        number = [k for k, text in tips.items() if text].index(key) + 1
        return f'<a class="{classes}" href="{href}#{anchor}" aria-describedby="tip-{number}"'

    body = LINK.sub(with_tip, context["body"])
    shown = [text for text in tips.values() if text]
    if not shown:
        return
    divs = [
        f'<div class="book-tip" role="tooltip" id="tip-{number}">{text}</div>'
        for number, text in enumerate(shown, start=1)
    ]
    context["body"] = body + '<div class="book-tips">\n' + "\n".join(divs) + "\n</div>\n"


def _hover_text(app: Sphinx, page: str, anchor: str) -> str:
    node = _targets(app, page).get(anchor)
    if node is None:
        return ""
    text = app.builder.render_partial(node)["fragment"]  # type: ignore[attr-defined]
    text = re.sub(r'<a class="headerlink".*?</a>|</?a\b[^>]*>', "", text)
    return re.sub(r'\s(id|role)="[^"]*"', "", text).strip()


def _targets(app: Sphinx, page: str) -> dict[str, nodes.Node]:
    """What can be shown of a page: anchor -> node."""
    cache: dict[str, dict[str, nodes.Node]] = app.__dict__.setdefault("book_hover_targets", {})
    if page in cache or page not in app.env.all_docs:
        return cache.setdefault(page, {})
    found = cache[page] = {}
    for node in app.env.get_doctree(page).findall():
        if isinstance(node, nodes.term):
            found |= dict.fromkeys(node["ids"], _definition(node))
        elif isinstance(node, nodes.math_block) and node.get("label"):
            shown = nodes.math_block(node.rawsource, node.astext(), nowrap=False)
            shown["number"] = shown["label"] = None
            found[nodes.make_id(f"equation-{node['label']}")] = shown
    # from the domain: to resolve a bibliography a second time would double its entries
    for citation in app.env.get_domain("cite").citations:  # type: ignore[attr-defined]
        if citation.bibliography_key.docname == page:
            entry = BibliographyTransform.backend.paragraph(citation.formatted_entry)
            found[citation.citation_id] = nodes.container("", entry)
    return found


def _definition(term: nodes.term) -> nodes.Node:
    definition = next(c for c in term.parent.children if isinstance(c, nodes.definition))
    shown = nodes.container("", *[child.deepcopy() for child in definition.children])
    for link in list(shown.findall(addnodes.pending_xref)):
        link.replace_self(link.children)
    return shown


def _finish_body(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Make a line that a check printed lead to its equation, and mend two small things."""
    if doctree is None:
        return

    def linked(match: re.Match[str]) -> str:
        line, label = match[0], match["label"]
        number = equation_number(app.env, label)
        link = f'<a href="#equation-{label}">{label}</a>' + (f" ({number})" if number else "")
        return f'<span class="ledger-line">{line.replace(label, link, 1)}</span>'

    context["body"] = CHECK_LINE.sub(linked, context["body"])
    if page in STACKED:
        context["body"] = TABLE.sub(stacked, context["body"])
    # a long name may break at an underscore, or it widens its column of a table
    context["body"] = LONG_NAME.sub(
        lambda m: f'<span class="pre long">{m[1].replace("_", "_<wbr>")}</span>', context["body"]
    )
    # sphinx-exercise gives all exercises of a page the same id
    context["body"] = re.sub(r' id="(exercise|solution)-content"', "", context["body"])


def stacked(match: re.Match[str]) -> str:
    """A table with more than two columns, whose cells know the headings of their columns."""
    table = match[0]
    heads = re.findall(r"<th class=\"head[^>]*>(.*?)</th>", table, re.DOTALL)
    names = [" ".join(re.sub("<.*?>", "", head).split()) for head in heads]
    if len(names) < 3:
        return table

    def row(found: re.Match[str]) -> str:
        column = iter(names)
        return re.sub(r"<td\b", lambda _: f'<td data-head="{next(column, "")}"', found[0])

    table = re.sub(r"<tr\b.*?</tr>", row, table, flags=re.DOTALL)
    return table.replace('class="table"', 'class="table stacked"', 1)


# --- what hangs on the project's address --------------------------------------------------------


def _set_buttons(app: Sphinx, config: Config) -> None:
    options = config.html_theme_options
    if options.get("repository_url"):
        options.update(use_repository_button=True, use_issues_button=True)
    else:
        for name in ("repository_url", "repository_branch", "path_to_docs", "launch_buttons"):
            options.pop(name, None)


# --- figures that can be touched (assets/touch.js) ----------------------------------------------


def _add_touch(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the scripts that the figures of this page need, and no others."""
    names = list(dict.fromkeys(TOUCH.findall(context.get("body", ""))))
    if doctree is None or not names:
        return
    for name in names:
        if not (Path(app.srcdir) / "assets" / f"touch-{name}.js").is_file():
            where = f"there is no assets/touch-{name}.js for the class touch-{name}"
            LOGGER.warning("a figure to touch: %s", where, location=page, type="touch")
            return
    app.add_css_file("touch.css", priority=850)  # after book.css
    for script in ("em", "touch-data", "touch", *(f"touch-{name}" for name in names)):
        app.add_js_file(f"{script}.js")  # not deferred: the figure is there when it is first drawn
    context["body"] = TOUCH.sub(
        lambda match: match[0].replace("<img ", '<img loading="lazy" ', 1) + TOUCH_NOTE,
        context["body"],
    )


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("ledger", Ledger)
    app.add_role("ledger-count", LedgerCount())
    app.add_role("project-link", ProjectLink())
    app.connect("config-inited", _set_buttons, priority=100)
    app.connect("env-check-consistency", _compare_with_sphinx)
    app.connect("html-page-context", _add_hover_texts, priority=450)
    app.connect("html-page-context", _finish_body)
    app.connect("html-page-context", _add_touch)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
