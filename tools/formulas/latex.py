"""LaTeX into tokens. What only spaces or sizes the formula is left out."""

import re
from dataclasses import dataclass

PATTERN = re.compile(
    r"""
    (?P<ignored>\s+ | \\! | \\displaystyle\b | \\nolimits\b | \\limits\b
        | \\(?:left|right|[bB]igg?[lrm]?)(?![a-zA-Z])\.? )
    | (?P<space>\\[,;:>\ ] | ~)
    | (?P<gap>\\qquad\b | \\quad\b)
    | (?P<line>\\\\(?:\[[^\]]*\])?)
    | (?P<text>\\text\{[^{}]*\})
    | (?P<word>\\(?:operatorname|mathrm)\{[^{}]*\})
    | (?P<face>\\math(?:cal|bb|bf)\s*(?:\{.\}|[A-Za-z0-9]))
    | (?P<begin>\\begin\{[a-z]+\})
    | (?P<end>\\end\{[a-z]+\})
    | (?P<command>\\[a-zA-Z]+ | \\[{}|])
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<letter>[A-Za-z])
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
SAME = {
    **dict.fromkeys((r"\dfrac", r"\tfrac"), r"\frac"),
    **dict.fromkeys((r"\ldots", r"\cdots", r"\vdots", r"\ddots"), r"\dots"),
    **dict.fromkeys((r"\lparen",), "("),
    **dict.fromkeys((r"\Vert", r"\lVert", r"\rVert"), r"\|"),
    r"\geq": r"\ge",
    r"\leq": r"\le",
    r"\neq": r"\ne",
    r"\implies": r"\Longrightarrow",
    "′": "'",
}


class NotRead(ValueError):
    """The LaTeX is none that the book's parser reads."""


@dataclass(frozen=True)
class Token:
    """A piece of LaTeX. ``spaced``: a thin space or more stands before it."""

    kind: str
    text: str
    start: int
    end: int
    spaced: bool = False
    is_bar: bool = False  # a | that was given a size: the bar of "at"


def tokens(latex: str) -> list[Token]:
    found: list[Token] = []
    spaced = sized = False
    for match in PATTERN.finditer(latex):
        kind, text = match.lastgroup or "", match[0]
        if kind == "ignored":
            sized = sized or text.startswith(("\\left", "\\right", "\\b", "\\B"))
            continue
        if kind == "space":
            spaced = True
            continue
        if kind == "face":
            face, inner = re.match(r"(\\math[a-z]+)\s*\{?(.)", text).groups()  # type: ignore[union-attr]
            kind, text = "letter", f"{face} {inner}"
        elif kind in ("word", "text", "begin", "end"):
            text = text[text.index("{") + 1 : -1]
        text = SAME.get(text, text)
        found.append(Token(kind, text, match.start(), match.end(), spaced, sized and text == "|"))
        spaced = sized = False
    return found
