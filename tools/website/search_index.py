"""What the search knows: places, not pages.

An entry is a section, a numbered equation, a figure, a term of the glossary or a reference, each
with the address that leads to it. Code, outputs and raw LaTeX are left out of the texts. The search
itself runs in the browser (assets/pages/search.js), over one file that a page opened as a file may
load. Other words for the same thing stand in chapters/search_words.yml.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx_exercise.nodes import exercise_enumerable_node, exercise_node, solution_node

from website.equation_number import equation_number

FILE = "search-index.js"
WORDS = "chapters/search_words.yml"

LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ",
    "Omega": "Ω", "ell": "ℓ", "infty": "∞", "ge": "≥", "geq": "≥", "le": "≤", "leq": "≤",
    "ne": "≠", "neq": "≠", "to": "→", "times": "×", "cdot": "·", "ldots": "…", "dots": "…",
    "approx": "≈", "sum": "∑", "in": "∈", "mid": "|", "pm": "±", "log": "log", "exp": "exp",
    "max": "max", "top": "ᵀ", "quad": " ", ",": " ", ";": " ", "!": "",
}  # fmt: skip


EXERCISES = (exercise_node, exercise_enumerable_node)
# cells and their outputs, what the ledger repeats of the chapters, and answers
LEFT_OUT = {"cell", "cell_input", "cell_output", "ledger-entry", "question", "predict"}
# pages that repeat a chapter for its teacher: found by their titles alone
BY_TITLE = "course/instructor/"


class Entry(NamedTuple):
    page: str
    anchor: str  # empty: the page itself
    kind: str  # page, section, exercise, equation, figure, term, reference
    title: str
    text: str = ""
    also: str = ""  # found by it, but not shown: the section that it stands in
    number: str = ""  # of an equation or a figure
    label: str = ""


def plain_math(latex: str) -> str:
    """Short formulas as one would type them; nothing where that needs more than letters."""

    def letter(match: re.Match[str]) -> str:
        return LETTERS.get(match[1], match[0])

    text = re.sub(r"\\(?:mathcal|mathrm|mathbf|text|operatorname)\s*\{?(\w+)\}?", r"\1", latex)
    text = re.sub(r"\\([A-Za-z]+|[,;!])\s*", letter, text)
    text = text.replace("^2", "²").replace("{", "").replace("}", "")
    return "…" if "\\" in text or len(text) > 40 else text


class Text:
    """The words of a node, as a reader would read them aloud."""

    SKIPPED = (
        nodes.literal_block,
        nodes.math_block,
        nodes.comment,
        nodes.raw,
        nodes.image,
        nodes.target,
        nodes.system_message,
        nodes.citation,
        nodes.footnote_reference,
        *EXERCISES,
        solution_node,
        addnodes.toctree,
    )

    def __init__(self, app: Sphinx) -> None:
        self.env = app.env

    def of(self, node: nodes.Node) -> str:
        return re.sub(r"\s+([.,;:)])", r"\1", " ".join("".join(self._parts(node)).split()))

    def _parts(self, node: nodes.Node) -> Iterator[str]:
        if isinstance(node, nodes.Text):
            yield node.astext()
        elif isinstance(node, nodes.math):
            yield plain_math(node.astext())
        elif isinstance(node, self.SKIPPED) or is_left_out(node):
            pass
        elif isinstance(node, addnodes.pending_xref) and not self._has_words(node):
            yield self._name_of(node)
        else:
            for child in node.children:
                if not is_section(child):
                    yield from self._parts(child)
            if not isinstance(node, nodes.Inline):
                yield " "

    def _has_words(self, node: addnodes.pending_xref) -> bool:
        return bool(node.get("refexplicit")) or node.get("reftype") == "term"

    def _name_of(self, node: addnodes.pending_xref) -> str:
        target = str(node.get("reftarget", ""))
        if node.get("reftype") == "eq":
            return f"({equation_number(self.env, target)})"
        page = target.lstrip("/")
        for name in (page, f"chapters/{page}"):
            if name in self.env.titles:
                return str(self.env.titles[name].astext())
        return ""


def is_section(node: nodes.Node) -> bool:
    """With a heading: what stands in an exercise is a section too."""
    return isinstance(node, nodes.section) and isinstance(node.children[0], nodes.title)


def is_left_out(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Element) and not LEFT_OUT.isdisjoint(node.get("classes", []))


def entries_of(app: Sphinx, page: str) -> Iterator[Entry]:
    if page.startswith(BY_TITLE):
        yield Entry(page, "", "page", app.env.titles[page].astext())
        return
    text, tree = Text(app), app.env.get_doctree(page)
    numbers = app.env.toc_fignumbers.get(page, {}).get("figure", {})
    for number, section in enumerate(filter(is_section, tree.findall(nodes.section))):
        first = number == 0 and section.parent is tree
        title = text.of(section.children[0])
        anchor = "" if first else section["ids"][0]
        own = " ".join(
            text.of(child)
            for child in section.children[1:]
            if not is_section(child) and not isinstance(child, addnodes.glossary)
        )
        kind = "page" if first else "section"
        yield Entry(page, anchor, kind, title, " ".join(own.split()))
    for node in tree.findall():
        if isinstance(node, nodes.math_block) and node.get("label"):
            label, eqno = node["label"], equation_number(app.env, node["label"])
            yield Entry(
                page,
                nodes.make_id(f"equation-{label}"),
                "equation",
                f"Equation ({eqno})",
                _said_before(text, node),
                f"{_heading_of(text, node)} {re.sub('^(eq|def)-', '', label).replace('-', ' ')}",
                eqno,
                label,
            )
        elif isinstance(node, nodes.term):
            words = text.of(node)
            definition = next(c for c in node.parent.children if isinstance(c, nodes.definition))
            yield Entry(page, node["ids"][0], "term", words, text.of(definition))
        elif isinstance(node, EXERCISES):
            title = text.of(node.children[0])
            words = " ".join(text.of(child) for child in node.children[1:])
            yield Entry(page, node["ids"][0], "exercise", f"Exercise {title}", words)
        elif isinstance(node, nodes.figure):
            name = next(iter(node["ids"]), "")
            caption = node.next_node(nodes.caption)
            if name in numbers and caption is not None:
                eqno = ".".join(map(str, numbers[name]))
                words = text.of(caption)
                yield Entry(page, name, "figure", f"Figure {eqno}", words, "", eqno, name)


def _heading_of(text: Text, node: nodes.Node) -> str:
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return text.of(node.children[0]) if node is not None else ""


def _said_before(text: Text, node: nodes.Node) -> str:
    """The sentence that leads up to an equation."""
    siblings = node.parent.children
    for sibling in reversed(siblings[: siblings.index(node)]):
        if isinstance(sibling, nodes.paragraph):
            return re.split(r"(?<=[.?!])\s+", text.of(sibling))[-1]
    return ""


def references(app: Sphinx) -> Iterator[Entry]:
    if "cite" not in app.env.domains:
        return
    for citation in app.env.get_domain("cite").citations:  # type: ignore[attr-defined]
        words = citation.formatted_entry.text.render_as("text")
        page = citation.bibliography_key.docname
        yield Entry(page, citation.citation_id, "reference", words)


def read_words(root: Path) -> list[list[str]]:
    path = root / WORDS
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else []


def pages_in_order(app: Sphinx) -> list[str]:
    root = app.config.root_doc
    included = app.env.toctree_includes.get(root, [])
    rest = sorted(set(app.env.all_docs) - {root, *included})
    return [root, *included, *rest]


def build_index(app: Sphinx) -> dict[str, Any]:
    pages = pages_in_order(app)
    found = [entry for page in pages for entry in entries_of(app, page)]
    found += references(app)
    return {
        "pages": [[app.builder.get_target_uri(p), app.env.titles[p].astext()] for p in pages],
        "entries": [[pages.index(entry.page), *entry[1:]] for entry in found],
        "words": read_words(Path(app.srcdir)),
    }


def _without_sphinx_search(app: Sphinx) -> None:
    if isinstance(app.builder, StandaloneHTMLBuilder):
        app.builder.search = False


def _add_style(app: Sphinx, page: str, *_: Any) -> None:
    if page == "search":
        app.add_css_file("pages/search.css", priority=850)  # after book.css


def _search_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield "search", {"title": "Search"}, "search.html"


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    content = json.dumps(build_index(app), ensure_ascii=False, separators=(",", ":"))
    path = Path(app.outdir) / FILE
    path.write_text(f"window.BOOK_SEARCH = {content};\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", _without_sphinx_search)
    app.connect("html-collect-pages", _search_page)
    app.connect("html-page-context", _add_style)
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
