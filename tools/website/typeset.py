"""The Sphinx extension that typesets the mathematics when the site is built.

MathJax runs in V8 (the package mini-racer) over the finished pages, so that they need no script.
Each formula is set once, as the browser would have set it, with MathML beside it for those who
listen. The glyphs that the book uses come from one stylesheet, mathematics.css. A formula that
MathJax does not understand is a warning.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from py_mini_racer import mini_racer
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.ext.mathjax import html_visit_displaymath, html_visit_math
from sphinx.util import logging
from sphinx.util.logging import get_node_location

from website.page_fonts import preload

LOGGER = logging.getLogger(__name__)
HERE = Path(__file__).parent
ASSETS = HERE.parent.parent / "assets"
# MathJax 3.2.2, in the order in which its parts build on each other
PARTS = [
    "loader",
    "core",
    "adaptors/liteDOM",
    "input/tex-base",
    "input/tex/extensions/ams",
    "input/tex/extensions/boldsymbol",
    "output/chtml",
    "output/chtml/fonts/tex",
    "a11y/assistive-mml",
]
STYLE = "mathematics.css"
FONTS = "mathjax/output/chtml/fonts/woff-v2"  # beside the stylesheet
FIRST_FONTS = ["Main-Regular", "Math-Italic"]  # those that every formula needs
# As Sphinx writes formulas into a page: inside an element of class math, without any tag.
FORMULA = re.compile(r"\\\((?P<inline>[^<]*)\\\)(?=</span>)|\\\[(?P<display>[^<]*)\\\](?=</div>)")
MATH = re.compile(r'<(?:span|div) class="[^"]*\bmath\b[^"]*"[^>]*>')

# The size that fits the text around, whatever font that has: as high as its letter x. The text
# inside a formula has its own size again.
OUR_STYLE = """
mjx-container {
  font-size: calc(1ex / %(x_height)s);
}
mjx-utext {
  font-size-adjust: %(x_height)s;
}
"""


class Formula(NamedTuple):
    latex: str
    display: bool


@dataclass(frozen=True)
class Typeset:
    """What MathJax made: formula -> HTML, formula -> message, and the stylesheet."""

    html: dict[Formula, str]
    errors: dict[Formula, str]
    style: str


def typeset(formulas: Iterable[Formula]) -> Typeset:
    ordered = list(dict.fromkeys(formulas))
    with mini_racer() as engine:  # left open, it would keep Python from ending

        def run(script: str) -> Any:
            return engine.eval(script)

        fonts = json.dumps(FONTS)
        run(f"var MathJax = {{ startup: {{ typeset: false }} }}, FONTS = {fonts}; 0")
        for path in [*(HERE / "mathjax" / f"{part}.js" for part in PARTS), HERE / "typeset.js"]:
            run(path.read_text(encoding="utf-8") + "\n;0")
        results = json.loads(run(f"typesetAll({json.dumps(ordered)})"))
        style = run("stylesheet()") + OUR_STYLE % {"x_height": run("X_HEIGHT")}
    # The font without width or height, on which every line stands: as a file it would come late,
    # and the lines would move.
    zero = base64.b64encode((ASSETS / FONTS / "MathJax_Zero.woff").read_bytes()).decode()
    style = style.replace(f"{FONTS}/MathJax_Zero.woff", f"data:font/woff;base64,{zero}")
    made = list(zip(ordered, results, strict=True))
    return Typeset(
        html={formula: result["html"] for formula, result in made if "html" in result},
        errors={formula: result["error"] for formula, result in made if "error" in result},
        style=style,
    )


def formulas_in(page: str) -> list[Formula]:
    return [_formula(match) for match in FORMULA.finditer(page)]


def _formula(match: re.Match[str]) -> Formula:
    display = match["display"] is not None
    latex = match["display"] if display else match["inline"]
    return Formula(html.unescape(latex).strip(), display)


# --- while the pages are written: LaTeX as ever, and where it comes from -------------------------


def _noting(visit: Callable[..., None]) -> Callable[..., None]:
    """Sphinx's visitor; remembers where the formula stands, for a message."""

    def visit_and_note(translator: Any, node: nodes.Element) -> None:
        start = len(translator.body)
        try:
            visit(translator, node)
        finally:
            places: dict[Formula, str] = translator.builder.app.typeset_places
            for formula in formulas_in("".join(translator.body[start:])):
                places[formula] = places.get(formula) or _place(node) or ""

    return visit_and_note


def _place(node: nodes.Node | None) -> str | None:
    while node is not None and node.line is None:
        node = node.parent
    return get_node_location(node) if node is not None else None


def _add_style(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if MATH.search(context.get("body", "")):
        app.add_css_file(STYLE, priority=850)  # after book.css
        preload(context, [f"{FONTS}/MathJax_{name}.woff" for name in FIRST_FONTS])


# --- when they are all there ---------------------------------------------------------------------


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    out = Path(app.outdir)
    pages = {
        path: path.read_text(encoding="utf-8")
        for path in sorted(out.rglob("*.html"))
        if "_static" not in path.parts
    }
    wanted = [formula for page in pages.values() for formula in formulas_in(page)]
    if not wanted:
        return
    done = typeset(wanted)
    for formula, message in done.errors.items():
        LOGGER.warning(
            "mathematics: %s: %s",
            message,
            formula.latex,
            location=app.typeset_places.get(formula),  # type: ignore[attr-defined]
            type="mathematics",
        )
    (out / "_static" / STYLE).write_text(done.style, encoding="utf-8")
    digest = hashlib.sha256(done.style.encode()).hexdigest()[:8]
    for path, page in pages.items():
        new = FORMULA.sub(lambda match: done.html.get(_formula(match), match[0]), page)
        new = new.replace(f'/{STYLE}"', f'/{STYLE}?v={digest}"')
        if new != page:
            path.write_text(new, encoding="utf-8")
        left = len(MATH.findall(new)) - new.count("<mjx-container")
        if left and not any(formula in done.errors for formula in formulas_in(page)):
            name = path.relative_to(out).as_posix()
            LOGGER.warning("mathematics: %s formulas of %s are not set", left, name)


def _use_it(app: Sphinx, config: Any) -> None:
    config.html_math_renderer = "typeset"


def _all_pages(app: Sphinx, env: Any, added: set[str], changed: set[str], removed: set[str]) -> Any:
    """The stylesheet has the glyphs of all pages, so all are made together."""
    return env.found_docs if added or changed or removed else []


def setup(app: Sphinx) -> dict[str, Any]:
    app.typeset_places = {}  # type: ignore[attr-defined]
    app.add_html_math_renderer(
        "typeset", (_noting(html_visit_math), None), (_noting(html_visit_displaymath), None)
    )
    app.connect("config-inited", _use_it)
    app.connect("env-get-outdated", _all_pages)
    app.connect("html-page-context", _add_style, priority=460)  # after the hover texts
    app.connect("build-finished", _finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
