"""What the checks said while a cell ran: asked of the kernel, held against the cell's outputs.

A ✓ in an output may have been printed by anything; gmmlib.checks keeps the lines that it printed.
"""

import ast
from collections.abc import Iterable, Sequence
from typing import Any

from nbformat import NotebookNode

from cells import Cell

# For the kernel, after a cell: all lines so far. It does not import what the chapter does not.
QUESTION = {
    "said": r"'\n'.join(getattr(__import__('sys').modules.get('gmmlib.checks'), 'said', []))"
}


def heard(reply: dict[str, Any]) -> list[str]:
    """The lines in a kernel's answer to QUESTION; none if the cell before it failed."""
    answer = reply.get("user_expressions", {}).get("said", {})
    shown = answer.get("data", {}).get("text/plain", "''")
    return str(ast.literal_eval(shown)).splitlines()


def unlike(outputs: Iterable[NotebookNode], said: Sequence[str]) -> str:
    """How the ✓ lines in a cell's outputs differ from what the checks said, in words."""
    # not above: it imports gmmlib, and a pytest plugin imports this module before the coverage
    # of gmmlib begins
    from check_calls import marked_lines

    shown = list(marked_lines(Cell(NotebookNode(outputs=list(outputs))).said))
    made_up = [line for line in shown if line not in said]
    hidden = [line for line in said if line not in shown]
    if made_up:
        return f"no check said {made_up[0]!r}. Only gmmlib.checks may print such a line"
    if hidden:
        return f"a check said {hidden[0]!r}, and the outputs do not show it"
    if shown != list(said):
        return f"the outputs show {len(shown)} lines of checks, and {len(said)} were said"
    return ""
