"""The numbers of both sides of a relation, as a reader sees them.

A world's relations are told as chains: in a = b ≥ c there are three values and two signs. Where a
claim has a free index, a value is a row of numbers, one for each index that was tried.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypedDict

from flint import arb, arb_mat

SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "~": "≈", "in": "∈", "iff": "exactly if"}
DIGITS = 12
DIGITS_IN_ROWS = 6  # where several numbers stand beside each other
ENTRIES = 9  # of a vector or a matrix, shown
CASES = 3  # of a free index, shown
NOTHING = 1e-40  # from here on a number is what the arithmetic leaves of 0


class Chain(TypedDict):
    """Signs, and one value more than signs."""

    signs: list[str]
    values: list[str]


def chains(links: Iterable[Any]) -> list[Chain]:
    """What one world says of a display: each chain of relations with its numbers."""
    found: list[Chain] = []
    last = None
    for (left, name, right), (a, b) in _by_relation(links):
        sign = SIGNS.get(name, name)
        if last is not None and last == (left, a):
            found[-1]["signs"].append(sign)
            found[-1]["values"].append(b)
        else:
            found.append({"signs": [sign], "values": [a, b]})
        last = right, b
    return found


def names(chain: Chain) -> list[str]:
    """What to call the values of a chain."""
    count = len(chain["values"])
    middle = ["middle"] if count == 3 else [f"side {k}" for k in range(2, count)]
    return ["left", *(f"{s} {n}" for s, n in zip(chain["signs"], [*middle, "right"], strict=True))]


def _by_relation(
    links: Iterable[Any],
) -> Iterator[tuple[tuple[str, str, str], tuple[str, ...]]]:
    cases: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}
    for link in links:
        cases.setdefault((link.left, link.name, link.right), []).append(link.values)
    for key, pairs in cases.items():
        yield key, tuple(_row(side) for side in zip(*pairs, strict=True))


def _row(values: tuple[Any, ...]) -> str:
    digits = DIGITS if len(values) == 1 else DIGITS_IN_ROWS
    shown = [text(value, digits) for value in values[:CASES]]
    return ", ".join(shown) + (", …" if len(values) > CASES else "")


def text(value: Any, digits: int = DIGITS) -> str:
    """A value as one would write it down."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, arb_mat):
        return _matrix(value)
    if isinstance(value, list | tuple):
        return _listed([text(item, DIGITS_IN_ROWS) for item in value], ", ")
    if isinstance(value, arb):
        return _number(float(value.mid()), digits)
    return str(value)


def _number(x: float, digits: int) -> str:
    shown = f"{x:.1e}" if 0 < abs(x) < NOTHING else f"{x:.{digits}g}"
    return shown.replace("-", "−")


def _matrix(value: arb_mat) -> str:
    rows = [
        [_number(float(value[i, j].mid()), DIGITS_IN_ROWS) for j in range(value.ncols())]
        for i in range(value.nrows())
    ]
    if value.ncols() == 1:
        return _listed([row[0] for row in rows], ", ")
    if value.nrows() * value.ncols() > ENTRIES:
        shown = _listed(rows[0], " ")
        return f"{value.nrows()} × {value.ncols()}, first row {shown}"
    return f"({'; '.join(' '.join(row) for row in rows)})"


def _listed(items: list[str], mark: str) -> str:
    shown = [*items[:ENTRIES], "…"] if len(items) > ENTRIES else items
    return f"({mark.join(shown)})"
