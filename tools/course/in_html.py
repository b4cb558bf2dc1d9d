r"""The Markdown of questions as HTML.

Learning-management systems typeset mathematics with MathJax: it stands between ``\(`` and ``\)``,
or between ``\[`` and ``\]``. What else is to become of a formula, the caller may say.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

ROLE = re.compile(r"\{[a-z:]+\}$")

Set = Callable[[str, bool], str]  # LaTeX, and whether it is displayed, to HTML


def for_mathjax(latex: str, display: bool) -> str:
    r"""LaTeX between ``\(`` and ``\)``, or ``\[`` and ``\]``."""
    first, last = (r"\[", r"\]") if display else (r"\(", r"\)")
    return f"{first}{escape(latex, quote=False)}{last}"


@cache
def _parser(set_: Set = for_mathjax) -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False}).use(dollarmath_plugin, double_inline=True)

    def inline(self: Any, tokens: list[Token], index: int, *_: Any) -> str:
        return set_(tokens[index].content.strip(), False)

    def display(self: Any, tokens: list[Token], index: int, *_: Any) -> str:
        return set_(tokens[index].content.strip(), True)

    def block(self: Any, tokens: list[Token], index: int, *_: Any) -> str:
        return f"<p>{set_(tokens[index].content.strip(), True)}</p>\n"

    md.add_render_rule("math_inline", inline)
    md.add_render_rule("math_inline_double", display)
    md.add_render_rule("math_block", block)
    return md


def blocks(text: str, set_: Set = for_mathjax) -> str:
    """Paragraphs and displays. Raises ``ValueError`` for a role, which only the book can show."""
    md = _parser(set_)
    return _rendered(md, md.parse(text))


def inline(text: str, set_: Set = for_mathjax) -> str:
    """A text of one line, without a paragraph around it. Raises as :func:`blocks`."""
    md = _parser(set_)
    return _rendered(md, md.parseInline(text))


def _rendered(md: MarkdownIt, tokens: list[Token]) -> str:
    _require_no_role(tokens)
    return str(md.renderer.render(tokens, md.options, {})).strip()


def formulas(texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """(LaTeX, whether it is displayed) of every formula."""
    for text in texts:
        for token in _flat(_parser().parse(text)):
            if token.type.startswith("math_"):
                yield token.content.strip(), token.type != "math_inline"


def _flat(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _require_no_role(tokens: Iterable[Token]) -> None:
    before = ""
    for token in _flat(tokens):
        if token.type == "code_inline" and (role := ROLE.search(before)):
            raise ValueError(
                f"{role[0]}`{token.content}` is a role of the book, and a question is also shown "
                "outside of it. Write out what it refers to"
            )
        before = token.content if token.type == "text" else ""
