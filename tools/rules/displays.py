"""A claim cannot quietly become a definition, or lose its label and its check.

displays.toml has what each definition binds, and why a display that says something has no label.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from book import Book
from rules.pointing import in_one_way

DECLARED = Path(__file__).with_name("displays.toml")
RELATION = re.compile(
    r"[=<>]|\\(?:leq?|geq?|ll|gg|approx|simeq|sim|propto|equiv|iff|implies|to|in|subset)(?![A-Za-z])"
)


def declared_displays(book: Book) -> list[str]:
    """Every definition is listed with what it binds, a display without a label with a reason."""
    told = tomllib.loads(DECLARED.read_text(encoding="utf-8"))
    definitions, unlabelled = told["definitions"], told["unlabelled"]
    return [*wrong_definitions(book, definitions), *wrong_unlabelled(book, unlabelled)]


def wrong_definitions(book: Book, binds: Mapping[str, str]) -> list[str]:
    """``binds``: label -> the letter, with its indices or arguments, that it gives a meaning."""
    wrong, bound = [], dict[str, str]()
    shown = {x: latex for p in book.pages for x, latex in p.equations if x.startswith("def-")}
    for label, latex in shown.items():
        if label not in binds:
            wrong.append(
                f"{label} is not listed. Does it give a letter its meaning? Then list the letter "
                f"in rules/displays.toml; else it is a claim, eq-…, and needs a check"
            )
            continue
        letter = in_one_way(binds[label])
        if not letter or not in_one_way(latex).startswith(letter):
            wrong.append(f"{label} is listed as binding {binds[label]!r}, and does not begin so")
        if letter in bound:
            wrong.append(f"{label} binds {binds[label]}, and {bound[letter]} has done so")
        bound[letter] = label
    return wrong + [
        f"displays.toml: {label} is not needed" for label in binds if label not in shown
    ]


def wrong_unlabelled(book: Book, reasons: Mapping[str, Mapping[str, str]]) -> list[str]:
    """``reasons``: page -> {how a display begins: why it has no label}."""
    wrong = []
    unused = {(page, begins) for page in reasons for begins in reasons[page]}
    for page in book.pages:
        for label, latex in page.equations:
            if label or not RELATION.search(latex):
                continue
            listed = [
                begins
                for begins in reasons.get(page.name, ())
                if in_one_way(latex).startswith(in_one_way(begins))
            ]
            unused -= {(page.name, begins) for begins in listed}
            if not listed:
                wrong.append(
                    f"{page.name}: {' '.join(latex.split())[:60]!r} says something, and has no "
                    f"label. Give it one and a check, or list it with a reason in displays.toml"
                )
    wrong += [f"displays.toml: {page} has no {begins!r}" for page, begins in sorted(unused)]
    return wrong
