"""Numbers as they stand in the text of a task, in LaTeX."""

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal


def num(x: float) -> str:
    """A number that was drawn: as short as it is."""
    short = format(Decimal(repr(round(float(x), 10))).normalize(), "f")
    return "0" if short == "-0" else short


def par(x: float) -> str:
    """The same behind an operator: a negative number in parentheses."""
    return f"({num(x)})" if x < 0 else num(x)


def near(x: float, decimals: int) -> str:
    """A number on the way to an answer with so many decimals: three more of them."""
    rounded = round(x, decimals + 3)
    return num(rounded) if math.isclose(x, rounded, rel_tol=1e-12) else f"{x:.{decimals + 3}f}"


def equals(x: float, decimals: int) -> str:
    """The same with its sign of relation: ``=0.5``, or ``\\approx0.333333``."""
    rounded = round(x, decimals + 3)
    sign = "=" if math.isclose(x, rounded, rel_tol=1e-12) else r"\approx "
    return f"{sign}{near(x, decimals)}"


def listed(values: Iterable[float]) -> str:
    """``$0.9$, $0.7$ and $1.2$``."""
    *first, last = (f"${num(x)}$" for x in values)
    return f"{', '.join(first)} and {last}"


def total(terms: Iterable[str]) -> str:
    return "+".join(terms)


def times(factors: Sequence[float], others: Sequence[float]) -> str:
    """``0.3\\cdot2+0.7\\cdot(-1)``."""
    pairs = zip(factors, others, strict=True)
    return total(rf"{par(a)}\cdot{par(b)}" for a, b in pairs)


def table(rows: Mapping[str, Iterable[float | str]]) -> str:
    """A display with a row for each name, on lines of its own."""
    lines = []
    columns = 0
    for name, values in rows.items():
        cells = [x if isinstance(x, str) else num(x) for x in values]
        columns = len(cells)
        lines.append(" & ".join([name, *cells]))
    inside = "\\\\\n".join(lines)
    return f"\n\n$$\n\\begin{{array}}{{c|{'c' * columns}}}\n{inside}\n\\end{{array}}\n$$\n\n"


def matrix(rows: Sequence[Sequence[float]]) -> str:
    inside = r"\\".join("&".join(num(x) for x in row) for row in rows)
    return rf"\begin{{pmatrix}}{inside}\end{{pmatrix}}"


def vector(values: Iterable[float]) -> str:
    inside = r",\ ".join(num(x) for x in values)
    return f"({inside})"
