"""A deck as MyST Markdown, which sphinx-revealjs makes a page of."""

import html
import re
from collections.abc import Iterator

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from course.slide_parts import (
    Choices,
    Code,
    Equation,
    Part,
    Picture,
    Points,
    Slide,
    Statement,
    Text,
)
from gmmlib.checks import MARK

NARROW, FEW = 70, 11  # columns and lines of code that can be set larger
GLUE = re.compile(r"(\$[^$\n]+\$)(?=[.,;:?!)])")  # else a line may begin with the full stop
CHECK = f'<span class="check">{MARK}</span>'


def written(slides: list[Slide], figures: str) -> str:
    """The deck; ``figures`` is the folder that its pictures are in."""
    lines = ["---\norphan: true\n---"]
    lines += [line for slide in slides for line in _slide(slide, figures)]
    return GLUE.sub("\\1\u2060", "\n\n".join(lines)) + "\n"


def _slide(slide: Slide, figures: str) -> Iterator[str]:
    yield f"{'#' * slide.level} {slide.title}"
    if slide.over:
        yield f'<p class="over">{html.escape(slide.over)}</p>'
    yield '<div class="fitted">'
    for part in slide.parts:
        yield from _part(part, figures)
    yield "</div>"
    if slide.notes:
        yield '<aside class="notes">'
        yield from slide.notes
        yield "</aside>"


def _part(part: Part, figures: str) -> Iterator[str]:
    if isinstance(part, Text):
        yield part.text
    elif isinstance(part, Equation):
        check = f" {CHECK}" if part.is_checked else ""
        yield '<div class="eq">'
        yield f"$$\n{part.latex}\n$$"
        yield f'<div class="eq-number">{part.number}{check}</div>'
        yield "</div>"
    elif isinstance(part, Statement):
        goes_on = ", continued" if part.continues else ""
        check = f" {CHECK}" if part.is_checked else ""
        name = html.escape(part.heading) + goes_on + check
        yield f'<div class="statement">\n<p class="name">{name}</p>'
        yield part.text
        yield "</div>"
    elif isinstance(part, Picture):
        alt = html.escape(part.alt, quote=True)
        yield f'<figure><img src="{figures}/{part.name}.png" alt="{alt}"></figure>'
    elif isinstance(part, Code):
        yield from _code(part)
    elif isinstance(part, Points):
        yield "\n".join(f"- {point}" for point in part.points)
    elif isinstance(part, Choices):
        yield f'<div class="asked">\n\n{part.text}\n\n</div>'
        for letter, choice in zip("ABCDEF", part.choices, strict=False):
            yield f'<div class="choice fragment"><b>{letter}</b>\n<div>\n\n{choice}\n\n</div></div>'


def _code(part: Code) -> Iterator[str]:
    lines = [line for text in (part.source, part.printed) if text for line in text.split("\n")]
    is_small = len(lines) > FEW or max(map(len, lines)) > NARROW
    size = "" if is_small else " large"
    if part.source:
        source = highlight(part.source, PythonLexer(), HtmlFormatter(nowrap=True))
        yield f'<pre class="highlight{size}">{source}</pre>'
    if part.printed:
        yield f'<pre class="printed{size}">{html.escape(part.printed)}</pre>'
    if part.checked:
        yield f'<p class="checks">{MARK} {", ".join(part.checked)}</p>'
