"""The rows of the notation as a page shows them: chapters/notation.toml, merged and with anchors.

A row without ``where`` holds in the whole book. The others hold in chapters, or in single displays,
and are shown with the chapter; what says the same of a letter twice in a chapter is one row there.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

EVERYWHERE = ""
IN_WORDS = {"'": " prime", "^+": " plus", "^*": " star"}


@dataclass
class Row:
    """Letters that have one meaning. ``numbers``: of the rows of the file that it stands for."""

    symbols: list[str]
    spec: dict[str, Any]
    chapter: str
    anchor: str = ""
    numbers: list[int] = field(default_factory=list)

    @property
    def means(self) -> str:
        return str(self.spec["means"])

    @property
    def code(self) -> list[str]:
        return names_in_code(self.spec)

    @property
    def shape(self) -> str:
        """In the code; else in the mathematics."""
        axes = ", ".join(self.spec.get("axes", ())) + "," * (len(self.spec.get("axes", ())) == 1)
        return str(self.spec.get("shape") or (f"({axes})" if axes else ""))

    @property
    def letters(self) -> str:
        return ",\\ ".join(self.symbols)

    @property
    def formula(self) -> str:
        """What they are equal to by definition, where the words do not say it."""
        value = self.spec.get("value")
        says_so = value is None or f"${value}$" in self.means
        return "" if says_so else f"{self.symbols[0]}={value}"


def names_in_code(spec: dict[str, Any]) -> list[str]:
    """One, or several with commas between them."""
    code = str(spec.get("code", ""))
    return [code] if "(" in code else [name for name in code.split(", ") if name]


def rows_of(letters: Iterable[dict[str, Any]], chapters: dict[str, str]) -> list[Row]:
    """The rows to show, in the order of the file. ``chapters``: label -> chapter."""
    found: dict[tuple[str, ...], Row] = {}
    for number, spec in enumerate(letters):
        symbols = spec["symbol"] if isinstance(spec["symbol"], list) else [spec["symbol"]]
        for chapter in places(spec, chapters):
            key = (chapter, *symbols, str(spec["means"]))
            row = found.setdefault(key, Row(list(symbols), spec, chapter))
            row.numbers.append(number)
    taken: set[str] = set()
    for row in found.values():
        row.anchor = _anchor(row, taken)
    return list(found.values())


def places(spec: dict[str, Any], chapters: dict[str, str]) -> list[str]:
    """The chapters that a row is shown with; none, where its displays are on no page."""
    where = [str(place) for place in spec.get("where", ())]
    if not where:
        return [EVERYWHERE]
    known = [chapters.get(place, place) for place in where]
    return [place for place in dict.fromkeys(known) if place in chapters.values()]


def _anchor(row: Row, taken: set[str]) -> str:
    text = row.symbols[0]
    for sign, word in IN_WORDS.items():
        text = text.replace(sign, word)
    words = re.findall(r"[A-Za-z]+|\d+", re.sub(r"\\(text|math[a-z]+)\b", "", text))
    name = "-".join(filter(None, ["letter", row.chapter, *words]))
    count = 1
    while (anchor := name if count == 1 else f"{name}-{count}") in taken:
        count += 1
    taken.add(anchor)
    return anchor
