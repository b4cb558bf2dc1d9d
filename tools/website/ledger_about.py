"""What the ledger's page says below an equation: what was declared, what it stands on, its numbers.

The numbers of the first world stand in the page; ledger.js shows those of the others.
"""

import html
from collections.abc import Iterable

from docutils import nodes

from executed import Executed
from formulas import wording


def anchor(label: str) -> str:
    """Of an equation's entry in the ledger."""
    return f"entry-{label}"


def about(
    record: Executed, run_by: list[str] | None, unused: str, known: set[str]
) -> list[nodes.Node]:
    """``run_by``: of a definition, the claims that run it; ``known``: what has an entry."""
    found: list[nodes.Node] = []
    if record.beside:
        found.append(_line("Declared beside it: ", *_listed(map(_with_formulas, record.beside))))
    if record.stands_on:
        found.append(_line("Stands on: ", *_links(record.stands_on, known)))
    if run_by:
        count = "1 claim" if len(run_by) == 1 else f"{len(run_by)} claims"
        found += _details(f"Executed by {count}", _line("", *_links(run_by, known)))
    elif run_by is not None:
        found.append(_line(f"Executed by no claim{f': {unused}' if unused else ''}."))
    if record.worlds and record.worlds[0]:
        found += _details("The numbers on both sides", _numbers(record))
    return found


def _numbers(record: Executed) -> nodes.Node:
    count = len(record.worlds)
    more = " data-more" if count > 1 else ""
    head = (f"World 1 of {count}: " if more else "") + sizes(record, 0)
    chains = "".join(_chain(chain) for chain in record.worlds[0])
    text = f'<div class="ledger-world"{more}><p>{head}</p>{chains}</div>'
    return nodes.raw("", text, format="html")


def sizes(record: Executed, world: int) -> str:
    return ", ".join(f"{axis} = {record.sizes[world][axis]}" for axis in record.axes)


def _chain(chain: wording.Chain) -> str:
    rows = zip(wording.names(chain), chain["values"], strict=True)
    cells = ((html.escape(name), html.escape(value)) for name, value in rows)
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in cells)}</dl>"


def _details(summary: str, *children: nodes.Node) -> list[nodes.Node]:
    start = f"<details><summary>{html.escape(summary)}</summary>"
    return [
        nodes.raw("", start, format="html"),
        *children,
        nodes.raw("", "</details>", format="html"),
    ]


def _line(words: str, *children: nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", nodes.Text(words), *children)


def _links(labels: Iterable[str], known: set[str]) -> list[nodes.Node]:
    return _listed(
        [
            nodes.reference("", label, internal=True, refuri=f"#{anchor(label)}")
            if label in known
            else nodes.Text(label)
        ]
        for label in labels
    )


def _with_formulas(text: str) -> list[nodes.Node]:
    """Words, with the formulas between dollar signs."""
    return [
        nodes.math("", part) if k % 2 else nodes.Text(part)
        for k, part in enumerate(text.split("$"))
        if part
    ]


def _listed(items: Iterable[list[nodes.Node]]) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    for item in items:
        found += [nodes.Text("; "), *item] if found else item
    return found
