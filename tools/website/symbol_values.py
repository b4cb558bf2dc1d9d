"""What the letters of a display are worth in one world: the first in which its conditions hold."""

from typing import Any

from flint import arb, arb_mat

from formulas import values
from formulas.letters import Letter
from formulas.run import Displays, Shown
from formulas.sheet import Sheet
from website.symbol_marks import key_of, letters_of

FAILURES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
# their letters are found by maximising: seconds each, and a minute and a half for the first
SLOW = ("eq-eee", "eq-fixed-point", "eq-m-step-tied")
Key = tuple[int, str]
SIZES = ("n", "K", "d")
MOST = 4  # numbers in a row, and rows


def values_of(displays: Displays, one: Shown) -> tuple[str, dict[Key, str]]:
    """The world's sizes that matter, and letter -> its value there; empty where there is none."""
    if one.label in SLOW:
        return "", {}
    try:
        sheet = displays.first_world(one.label)
    except FAILURES:
        return "", {}
    if sheet is None:
        return "", {}
    letters = displays.letters(one)
    found: dict[Key, str] = {}
    sizes: set[str] = set()
    for _, letter in letters_of(displays.display(one, letters), letters):
        sizes |= {letter.symbol, str(letter.spec.get("index")), *letter.axes}
        if key_of(letter) not in found and (text := value_of(letter, sheet)):
            found[key_of(letter)] = text
    shown = [f"{name} = {sheet.book.sizes[name]}" for name in SIZES if name in sizes]
    return ", ".join(shown), found


def value_of(letter: Letter, sheet: Sheet) -> str:
    if letter.is_function or letter.spec.keys() & {"index", "size"}:
        return ""
    try:
        return short(sheet.read(letter, ()))
    except FAILURES:
        return ""


def short(value: Any) -> str:
    """In a few digits and numbers; nothing for what is no number, vector or matrix."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, arb):
        return _number(value)
    if isinstance(value, arb_mat):
        rows = [[value[i, j] for j in range(value.ncols())] for i in range(value.nrows())]
        if value.ncols() == 1:
            return _listed([_number(row[0]) for row in rows])
        return _listed([" ".join(map(_number, row)) for row in rows], "; ")
    if isinstance(value, list) and value:
        items = [short(item) for item in value[: MOST + 1]]
        return _listed(items) if all(items) else ""
    return ""


def _listed(items: list[str], mark: str = ", ") -> str:
    if len(items) > MOST:
        items = [*items[: MOST - 1], "…"]
    return f"({mark.join(items)})"


def _number(number: Any) -> str:
    return f"{float(values.scalar(number).mid()):.3g}".replace("-", "−")
