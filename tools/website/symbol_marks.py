"""Marks in the LaTeX of a display: each letter of the notation gets a number.

``\\letter{7}{\\mu}_j`` is drawn as ``\\mu_j``, and what is drawn of μ knows the number
(typeset.js). Only the letter itself is marked, with its accent: indices are letters of their own,
and powers stay what they are.
"""

import contextlib
import re
from collections.abc import Callable, Iterator

from formulas.latex import tokens
from formulas.letters import Letter, Letters, Undeclared
from formulas.parser import ACCENTS, GREEK
from formulas.tree import Display, Node

TAKES = {"frac": 2, "tfrac": 2, "dfrac": 2, "sqrt": 1}  # arguments that need no braces
ARGUMENT = re.compile(r"\s*(\{|\\[a-zA-Z]+|.)", re.DOTALL)


def marked(display: Display, letters: Letters, number: Callable[[Letter], int]) -> str:
    """The LaTeX with its marks. ``number``: what a letter is marked with."""
    latex = display.latex
    found = {}
    for node, letter in letters_of(display, letters):
        start, end = head(latex, node)
        if end > start:
            found[start] = (end, number(letter))
    braced = bare_arguments(latex)
    for start, (end, key) in sorted(found.items(), reverse=True):
        mark = rf"\letter{{{key}}}{{{latex[start:end]}}}"
        mark = f"{{{mark}}}" if start in braced else mark
        latex = latex[:start] + mark + latex[end:]
    return latex


def key_of(letter: Letter) -> tuple[int, str]:
    """Its row, and which of the row's letters it is."""
    return letter.spec["row"], letter.symbol


def letters_of(display: Display, letters: Letters) -> Iterator[tuple[Node, Letter]]:
    """Each letter of a display that the notation has, with its row."""
    for statement in display.statements:
        yield from _letters_in(statement.node, letters, None)


def _letters_in(
    node: Node, letters: Letters, arguments: int | None
) -> Iterator[tuple[Node, Letter]]:
    if node.op == "sym":
        with contextlib.suppress(Undeclared):  # a rule says so
            yield node, letters.find(node.text, node.args, arguments)
    for k, arg in enumerate(node.args):
        called = len(node.args) - 1 if node.op == "call" and k == 0 else None
        yield from _letters_in(arg, letters, called)


def head(latex: str, node: Node) -> tuple[int, int]:
    """Where the letter of a symbol stands, with its accent: nothing, where it is a word's."""
    start = node.span[0]
    found = tokens(latex[slice(*node.span)])
    if not found:
        return start, start
    first = found[0]
    if first.text in ACCENTS:
        last = found[3] if found[1].text == "{" else found[1]
    elif first.kind == "letter" or first.text[1:] in GREEK or is_name(latex[start:]):
        last = first
    else:
        return start, start
    return start + first.start, start + last.end


def is_name(latex: str) -> bool:
    return latex.startswith(r"\mathrm")


def bare_arguments(latex: str) -> set[int]:
    """Where arguments of commands begin that stand there without braces, as in ``\\frac1n``."""
    found = set()
    for command in re.finditer(r"\\([a-zA-Z]+)", latex):
        at = command.end()
        for _ in range(TAKES.get(command[1], 0)):
            match = ARGUMENT.match(latex, at)
            if match is None:
                break
            at = match.end()
            if match[1] == "{":
                at = _end_of_group(latex, at)
            else:
                found.add(match.start(1))
    return found


def _end_of_group(latex: str, at: int) -> int:
    depth = 1
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(latex, at):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return len(latex)
