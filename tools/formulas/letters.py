"""The book's letters, as chapters/notation.toml has them."""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from formulas.parser import read_formula
from formulas.tree import Node

FILE = Path("chapters") / "notation.toml"


class Undeclared(ValueError):
    """A letter that the notation does not have."""


@dataclass(frozen=True)
class Letter:
    """One meaning of a letter: a row of the notation.

    ``pattern``: its indices; an index that is a number belongs to the name, as in S_{1j}.
    ``places``: what its arguments are written into, where it is a function.
    ``axes``: of its shape; those in {d, P} are entries of a vector or matrix, the others count.
    """

    symbol: str
    base: str
    pattern: tuple[Node, ...]
    places: tuple[Node, ...]
    marks: str  # what separates the places
    is_function: bool
    spec: dict[str, Any] = field(compare=False, hash=False)
    written: tuple[Node, ...] = ()  # its arguments as its symbol has them

    @property
    def where(self) -> tuple[str, ...]:
        return tuple(str(place) for place in self.spec.get("where", ()))

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(self.spec.get("axes", ()))

    @property
    def rank(self) -> int:
        """How many indices behind its own take an entry."""
        return sum(axis in ENTRIES for axis in self.axes)

    @property
    def counts(self) -> tuple[Node, ...]:
        """Its indices that are not part of its name."""
        return tuple(node for node in self.pattern if node.op != "num")

    @cached_property
    def value(self) -> Node | None:
        text = self.spec.get("value")
        return None if text is None else read_formula(str(text), self.spec["notation"])


ENTRIES = ("d", "P")


class Letters:
    """The letters that may stand in a display: its own, its chapter's, those of the whole book."""

    def __init__(self, rows: list[dict[str, Any]], chapter: str, label: str) -> None:
        self.chapter, self.label = chapter, label
        own, chapters, everywhere = [], [], []
        for row in rows:
            where = [str(w) for w in row.get("where", ())]
            if label in where:
                own.append(row)
            elif chapter in where:
                chapters.append(row)
            elif not where:
                everywhere.append(row)
        self.by_base: dict[str, list[Letter]] = {}
        self.indices: dict[str, Letter] = {}
        for level in (own, chapters, everywhere):
            for row in level:
                for letter in _letters(row, self):
                    found = self.by_base.setdefault(letter.base, [])
                    if not any(_hides(other, letter) for other in found):
                        found.append(letter)

    def has(self, base: str) -> bool:
        return base in self.by_base

    def is_function(self, base: str, indices: tuple[Node, ...] = ()) -> bool:
        return any(
            letter.is_function and _matches(letter.pattern, indices) == "all"
            for letter in self.by_base.get(base, ())
        )

    def is_size(self, base: str) -> bool:
        return any("size" in letter.spec for letter in self.by_base.get(base, ()))

    def events(self, base: str) -> Letter:
        """The row for the probability of events.

        Raises
        ------
        Undeclared
            If the notation has none.
        """
        for row in self.by_base.get(base, ()):
            if row.spec.get("events"):
                return row
        raise Undeclared(f"{base} of an event is not in the notation")

    def find(self, base: str, subs: tuple[Node, ...], arguments: int | None = None) -> Letter:
        """The row that a letter with these indices (and arguments) is.

        Raises
        ------
        Undeclared
            If the notation has none.
        """
        rows = self.by_base.get(base, ())
        if arguments is not None:
            called = [r for r in rows if r.is_function and _matches(r.pattern, subs) == "all"]
            for row in called:
                if len(row.places) == arguments:
                    return row
            if called:
                return called[0]
            raise Undeclared(f"{_written(base, subs)} is no function of the notation")
        exact = [
            row
            for row in rows
            if _matches(row.pattern, subs) == "all" and not _only_letters(row, subs)
        ]
        values = [row for row in exact if not row.is_function]
        if values:
            return values[0]
        entries = [
            row
            for row in rows
            if _matches(row.pattern, subs[: len(row.pattern)]) == "all"
            and len(subs) - len(row.pattern) in (row.rank, *((1,) if row.rank == 1 else ()))
            and row.rank
        ]
        if entries:
            return max(entries, key=lambda row: len(row.pattern))
        parts = [row for row in rows if _matches(row.pattern, subs) == "part"]
        for row in (*[p for p in parts if not p.is_function], *exact, *parts):
            return row
        raise Undeclared(f"{_written(base, subs)} is not in the notation")


def _letters(row: dict[str, Any], notation: Letters) -> list[Letter]:
    symbols = row["symbol"] if isinstance(row["symbol"], list) else [row["symbol"]]
    found = []
    for symbol in symbols:
        is_operator = symbol in (r"\mathbb E", r"\nabla")
        node = Node("sym", (), symbol) if is_operator else read_formula(str(symbol))
        places: tuple[Node, ...] = ()
        written: tuple[Node, ...] = ()
        marks, is_function = "", False
        if node.op == "call":
            places, marks, is_function = node.args[1:], node.text, True
            as_defined = row.get("as")
            written = read_formula(str(as_defined)).args[1:] if as_defined else places
            if "places" in row:
                places = tuple(read_formula(str(place)) for place in row["places"])
            node = node.args[0]
        if node.op == "pow":
            node = node.args[0]
        if node.op != "sym":
            raise ValueError(f"{FILE}: {symbol} is no letter")
        is_function = is_function or bool(row.get("function"))
        spec = {**row, "notation": notation}
        found.append(
            Letter(str(symbol), node.text, node.args, places, marks, is_function, spec, written)
        )
    return found


def _hides(other: Letter, letter: Letter) -> bool:
    """A letter of the display or the chapter hides one of the whole book."""
    return (
        other.pattern == letter.pattern
        and other.is_function == letter.is_function
        and len(other.places) == len(letter.places)
        and not (other.is_function and other.spec.get("events") != letter.spec.get("events"))
    )


def _only_letters(row: Letter, subs: tuple[Node, ...]) -> bool:
    """Where x_i is a point, x_1 may yet be the first entry of the point x."""
    return bool(row.spec.get("letters only")) and any(sub.op == "num" for sub in subs)


def _matches(pattern: tuple[Node, ...], subs: tuple[Node, ...]) -> str:
    """all: they are its indices; part: they are the first of them; else nothing."""
    if len(subs) > len(pattern):
        return ""
    for own, given in zip(pattern, subs, strict=False):
        if own.op == "num" and own != given:
            return ""
    rest = pattern[len(subs) :]
    if not rest:
        return "all"
    return "part" if all(node.op != "num" for node in rest) else ""


def _written(base: str, subs: tuple[Node, ...]) -> str:
    inside = "".join(sub.text for sub in subs)
    return base + (f"_{{{inside}}}" if inside else "")


def read_rows(root: Path) -> dict[str, Any]:
    """The notation: its letters, and the sizes of the worlds."""
    return tomllib.loads((root / FILE).read_text(encoding="utf8"))


def chapter_of(page_name: str) -> str:
    """``07_worked_example`` is chapter 7, ``A_what_you_need`` is A."""
    match = re.match(r"0*([0-9]+|A)_", page_name)
    return match[1] if match else page_name
