"""The Markdown of a page: one parser, and what is read from it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

# Directives whose content is no Markdown, and nothing that a reader reads as text.
NOT_PARSED = {
    *("bibliography", "code", "code-block", "code-cell", "literalinclude", "mermaid", "raw"),
    "toctree",
}
NAME = re.compile(r"\{([^}]+)\}\s*(.*)")
OPTION = re.compile(r"\s*:([\w-]+):\s*(.*)")
OPTIONS_SEEN = ("alt", "caption")


@dataclass(frozen=True)
class Directive:
    """A fence with a name: ```` ```{name} argument ````, options, body."""

    name: str
    argument: str
    body: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_parsed(self) -> bool:
        """Is the body Markdown?"""
        return self.name not in NOT_PARSED and self.name != "math"


@dataclass(frozen=True)
class Exercise:
    """An exercise, and whether the page has a solution of it."""

    label: str
    title: str
    text: str
    is_solved: bool
    is_published: bool = True  # if not, only teachers have a solution


@cache
def _parser() -> MarkdownIt:
    md = MarkdownIt("commonmark").enable("table").use(colon_fence_plugin).use(myst_block_plugin)
    return md.use(dollarmath_plugin, allow_labels=True, double_inline=True)


@cache
def _parsed(text: str) -> tuple[Token, ...]:
    return tuple(_parser().parse(text))


def _is_fence(token: Token) -> bool:
    return token.type in ("fence", "colon_fence")


def _directive(token: Token) -> Directive | None:
    """The directive that a fence is, if it is one."""
    match = NAME.match(token.info.strip()) if _is_fence(token) else None
    if match is None:
        return None
    options, lines = {}, token.content.strip("\n").split("\n")
    while lines and (option := OPTION.match(lines[0])):
        options[option[1]] = option[2].strip()
        lines.pop(0)
    return Directive(match[1], match[2], "\n".join(lines), options)


def _blocks(text: str) -> Iterator[tuple[Token, Directive | None]]:
    """Every block of a text in order, also those inside of directives."""
    for token in _parsed(text):
        directive = _directive(token)
        yield token, directive
        if directive and directive.is_parsed:
            yield from _blocks(directive.body)


def displayed_equations(text: str) -> list[tuple[str, str]]:
    """(label, LaTeX) of every displayed equation; the label is empty where there is none."""
    found = []
    for token, directive in _blocks(text):
        if token.type in ("math_block", "math_block_label"):
            label = token.info if token.type == "math_block_label" else ""
            found.append((label, token.content.strip()))
        elif directive and directive.name == "math":
            found.append((directive.options.get("label", ""), directive.body.strip()))
    return found


def labels(text: str) -> list[str]:
    """The labels that a text sets: of equations, of directives, and ``(name)=``."""
    found = []
    for token, directive in _blocks(text):
        if token.type == "math_block_label":
            found.append(token.info)
        elif token.type == "myst_target":
            found.append(token.content)
        elif directive and directive.options.get("label"):
            found.append(directive.options["label"])
    return found


def titles(text: str) -> list[str]:
    """The headings of the first level."""
    tokens = [token for token, _ in _blocks(text)]
    return [b.content for a, b in pairwise(tokens) if a.type == "heading_open" and a.tag == "h1"]


def directives(text: str) -> list[Directive]:
    """Every directive of a text, also those inside of others."""
    return [directive for _, directive in _blocks(text) if directive]


def fences(text: str) -> list[tuple[tuple[int, int], Directive]]:
    """The outermost directives, each with its first line and the one behind its last."""
    return [
        ((token.map[0], token.map[1]), directive)
        for token in _parsed(text)
        if token.map and (directive := _directive(token))
    ]


def blocks(text: str) -> list[tuple[str, tuple[int, int]]]:
    """The outermost blocks: what markdown-it calls each, its first line and the one behind."""
    return [
        (token.type, (token.map[0], token.map[1]))
        for token in _parsed(text)
        if token.level == 0 and token.map and token.nesting >= 0
    ]


def is_unpublished(exercise: Directive) -> bool:
    """Is its solution in the teachers' material only?"""
    return "unpublished" in exercise.options.get("class", "").split()


def exercises(texts: Iterable[str]) -> list[Exercise]:
    found = [directive for text in texts for directive in directives(text)]
    solved = {d.argument for d in found if d.name in ("solution", "solution-start")}
    return [
        Exercise(label, d.argument, d.body.strip(), label in solved, not is_unpublished(d))
        for d in found
        if d.name == "exercise"
        for label in [d.options.get("label", "")]
    ]


def without_code(text: str) -> str:
    """The text without its fenced code; the prose inside of directives stays."""
    lines = text.split("\n")
    for token in reversed(_parsed(text)):
        if _is_fence(token) and token.map:
            begin, end = token.map
            lines[begin:end] = ["", *_prose_of(token), ""]
    return "\n".join(lines)


def _prose_of(fence: Token) -> list[str]:
    directive = _directive(fence)
    if directive is None:
        return [without_code(fence.content)] if fence.type == "colon_fence" else []
    if directive.name in NOT_PARSED:
        return []
    seen = [directive.options[name] for name in OPTIONS_SEEN if name in directive.options]
    return [directive.argument, *seen, without_code(directive.body)]
