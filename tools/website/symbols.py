"""Each symbol of a labelled display knows itself: what it means, its shape, its value in a world.

The letters are marked in the LaTeX (symbol_marks), their texts stand once a page, in a template,
and their values in one piece of JSON; assets/pages/symbols.js shows them. A display that cannot be
read with the notation stays as it is.
"""

import html
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import book
from formulas.latex import NotRead
from formulas.letters import FILE, Letter
from formulas.run import Displays, Shown, displays_of
from website.equation_number import equation_number
from website.notation_rows import Row, places, rows_of
from website.symbol_marks import key_of, marked
from website.symbol_values import values_of
from website.typeset import Formula

DISPLAY = re.compile(
    r'(?P<head><div class="math[^"]*" id="equation-(?P<label>[\w-]+)">(?:(?!</div>).)*?\\\[)'
    r"(?P<latex>[^<]*)\\\]",
    re.DOTALL,
)
NOTATION = "chapters/notation"
ROLE = re.compile(r"\{[\w:]+\}`([^`<]*?)(?:\s*<[^`]*>)?`")
MATH = '<span class="math notranslate nohighlight">\\({}\\)</span>'


class Symbols:
    """The letters of one page, as they are met: each gets a number."""

    def __init__(self) -> None:
        self.letters: dict[tuple[int, str], Letter] = {}
        self.numbers: dict[tuple[int, str], int] = {}

    def number(self, letter: Letter) -> int:
        key = key_of(letter)
        self.letters.setdefault(key, letter)
        return self.numbers.setdefault(key, len(self.numbers))


class Notation:
    """The book's displays, and the rows of its notation page."""

    def __init__(self, root: Path) -> None:
        self.displays = displays_of(book.read_book(root).pages, root)
        self.displays.rows = [{**row, "row": k} for k, row in enumerate(self.displays.rows)]
        self.chapters = {one.label: one.chapter for one in self.displays.shown.values()}
        self.rows: dict[tuple[int, str], Row] = {}
        for row in rows_of(self.displays.rows, self.chapters):
            self.rows |= dict.fromkeys(((number, row.chapter) for number in row.numbers), row)

    def row(self, letter: Letter) -> Row:
        at, chapter = places(letter.spec, self.chapters), letter.spec["notation"].chapter
        return self.rows[letter.spec["row"], chapter if chapter in at else at[0]]


@cache
def read_notation(root: Path, stamp: float) -> Notation | None:
    """``stamp``: when the file of the notation was changed, zero if there is none."""
    return Notation(root) if stamp else None


def _notation(env: BuildEnvironment) -> Notation | None:
    root = Path(env.srcdir)
    path = root / FILE
    return read_notation(root, path.stat().st_mtime if path.is_file() else 0.0)


def _add_symbols(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is None or 'id="equation-' not in context.get("body", ""):
        return
    notation = _notation(app.env)
    if notation is None:
        return
    symbols, values = Symbols(), {}

    def with_marks(match: re.Match[str]) -> str:
        one = notation.displays.shown.get(match["label"])
        marks = one and marked_display(notation.displays, one, symbols)
        plain = html.unescape(match["latex"])
        if not one or not marks or one.latex.strip() not in plain:
            return match[0]
        latex = plain.replace(one.latex.strip(), marks, 1)
        _same_place(app, plain, latex)
        values[one.label] = _values(notation.displays, one, symbols)
        return f"{match['head']}{html.escape(latex, quote=False)}\\]"

    body = DISPLAY.sub(with_marks, context["body"])
    if not symbols.letters:
        return
    texts = [_text(app, page, notation, letter) for letter in symbols.letters.values()]
    context["body"] = (
        f'{body}<template id="symbols">{"".join(texts)}</template>\n'
        f'<script type="application/json" id="symbol-values">{_json(values)}</script>\n'
    )
    app.add_css_file("pages/symbols.css", priority=845)  # after book.css
    app.add_js_file("pages/symbols.js", loading_method="defer")


def marked_display(displays: Displays, one: Shown, symbols: Symbols) -> str | None:
    """Its LaTeX with marks; None where it cannot be read."""
    letters = displays.letters(one)
    try:
        return marked(displays.display(one, letters), letters, symbols.number).strip()
    except NotRead:
        return None  # the ledger complains of it


def _values(displays: Displays, one: Shown, symbols: Symbols) -> list[Any]:
    sizes, found = values_of(displays, one)
    return [sizes, {symbols.numbers[key]: text for key, text in found.items()}]


def _same_place(app: Sphinx, plain: str, latex: str) -> None:
    """For a message about the formula: with marks it stands where it stood without."""
    known = app.__dict__.get("typeset_places", {})
    was, now = (Formula(text.strip(), display=True) for text in (plain, latex))
    known[now] = known.get(was, "")


def _text(app: Sphinx, page: str, notation: Notation, letter: Letter) -> str:
    """What is said of a letter, and where one goes from there."""
    row = notation.row(letter)
    says = f"{MATH.format(html.escape(letter.symbol))}: {in_html(row.means)}"
    index = letter.spec.get("index")
    if index:
        says += f", from 1 to {MATH.format(html.escape(str(index)))}"
    details = []
    if row.code:
        names = (f"<code>{html.escape(name)}</code>" for name in row.code)
        details.append(f"in code {', '.join(names)}")
    if row.shape:
        details.append(html.escape(f"{'shape ' * row.shape.startswith('(')}{row.shape}"))
    more = f"<p>{' · '.join(details)}</p>" if details else ""
    return f"<div><p>{says}</p>{more}<p>{_links(app, page, row, letter)}</p></div>"


def _links(app: Sphinx, page: str, row: Row, letter: Letter) -> str:
    links = []
    label = str(letter.spec.get("defined", ""))
    equations = app.env.get_domain("math").equations  # type: ignore[attr-defined]
    if label in equations:
        at = app.builder.get_relative_uri(page, equations[label][0])
        at = "" if equations[label][0] == page else at
        words = f"defined in ({equation_number(app.env, label)})"
        links.append(f'<a href="{at}#equation-{label}">{words}</a>')
    if NOTATION in app.env.all_docs:
        at = app.builder.get_relative_uri(page, NOTATION)
        links.append(f'<a href="{at}#{row.anchor}">in the notation</a>')
    return " · ".join(links)


def in_html(means: str) -> str:
    """Words with $formulas$; of a role only its text stays."""
    parts = ROLE.sub(r"\1", means).split("$")
    return "".join(
        MATH.format(html.escape(part)) if k % 2 else html.escape(part, quote=False)
        for k, part in enumerate(parts)
    )


def _json(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _add_symbols, priority=455)  # after the hover texts
    return {"parallel_read_safe": True, "parallel_write_safe": True}
