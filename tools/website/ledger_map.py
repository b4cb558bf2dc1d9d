"""The map of the book: a row for each definition, a column for each chapter with its claims.

A claim is a small bar in its chapter's column, drawn in the rows of the definitions that were run
for it. It is an SVG with its text as text; the lists of the ledger say the same in words.
"""

import html
from dataclasses import dataclass

LABEL = 180  # the room for the names of the definitions
ROW = 20
PITCH = 3  # from one claim to the next
GAP = 8  # between chapters
COUNT = 32  # the room for the number of claims at a row's end
HEAD = 24


@dataclass(frozen=True)
class Column:
    """A chapter: what is written above it, its definitions and its claims."""

    name: str
    definitions: list[str]
    claims: list[str]

    @property
    def width(self) -> int:
        return max(PITCH * len(self.claims), 18)


def drawn(columns: list[Column], run_by: dict[str, list[str]], name: str) -> str:
    """The SVG. ``name``: for those who listen."""
    rows = [label for column in columns for label in column.definitions]
    lefts, at = [], LABEL
    for column in columns:
        lefts.append(at)
        at += column.width + GAP
    width, height = at + COUNT, HEAD + ROW * len(rows)
    parts = [
        f'<svg class="ledger-map" viewBox="0 0 {width} {height + 4}" width="{width}" '
        f'height="{height + 4}" role="img" aria-labelledby="map-name">'
        f'<title id="map-name">{html.escape(name)}</title>'
    ]
    places = {}
    for column, left in zip(columns, lefts, strict=True):
        parts.append(_band(column, left, height, rows))
        for k, claim in enumerate(column.claims):
            places[claim] = left + PITCH * k + PITCH / 2
    for k, label in enumerate(rows):
        top = HEAD + ROW * k
        claims = run_by.get(label, [])
        bars = "".join(f"M{places[c]:g} {top + 3}v{ROW - 6}" for c in claims if c in places)
        parts.append(f'<path class="map-claims" d="{bars}"/>' if bars else "")
        name = label.removeprefix("def-")
        parts.append(f'<text x="{LABEL - 10}" y="{top + 15}" text-anchor="end">{name}</text>')
        parts.append(f'<text x="{at}" y="{top + 15}">{len(claims)}</text>')
    return "".join(parts) + "</svg>"


def _band(column: Column, left: int, height: int, rows: list[str]) -> str:
    """A chapter's column, and in it the rows of the definitions that stand there."""
    found = (
        f'<text x="{left + column.width / 2:g}" y="15" text-anchor="middle">{column.name}</text>'
        f'<rect class="map-chapter" x="{left}" y="{HEAD}" width="{column.width}" '
        f'height="{height - HEAD}"/>'
    )
    if column.definitions:
        top = HEAD + ROW * rows.index(column.definitions[0])
        found += (
            f'<rect class="map-own" x="{left}" y="{top}" width="{column.width}" '
            f'height="{ROW * len(column.definitions)}"/>'
        )
    return found
