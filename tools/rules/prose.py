"""A number in the prose occurs in an output."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from book import Book, Page
from rules.numbers import Number, in_output, in_prose, supported

# page -> {number as in the prose: its source}
QUOTED = Path(__file__).with_name("quoted_values.toml")


def printed_numbers(book: Book) -> list[str]:
    """Every decimal in the prose stands in an output of its page, or is quoted with its source."""
    return unprinted(book, tomllib.loads(QUOTED.read_text(encoding="utf-8")))


def unprinted(book: Book, quoted: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The decimals that are in no output and are not quoted. ``quoted``: page -> {number: source}.

    A page without code may say what any chapter prints. An entry that no page needs is wrong too:
    it would support the next slip.
    """
    printed = {page.name: _printed(page) for page in book.chapters}
    anywhere = frozenset[Number]().union(*printed.values())
    wrong = []
    unused = {(page, number) for page, entries in quoted.items() for number in entries}
    for page in book.pages:
        outputs = printed.get(page.name, anywhere)
        for text in page.prose:
            for number in in_prose(text):
                if supported(number, outputs):
                    continue
                sources = [(s, str(number)) for s in (page.name, "any")]
                found = [s for s in sources if s[1] in quoted.get(s[0], {})]
                unused -= set(found[:1])
                if not found:
                    wrong.append(
                        f"{page.name}: {number} is in no output of the page at that precision"
                        f"{_nearest(number, outputs)}. Print it there, or list it with its "
                        f"source in tools/rules/quoted_values.toml"
                    )
    wrong += [
        f"quoted_values.toml: [{p}] {n} is not needed: take it out" for p, n in sorted(unused)
    ]
    wrong += [
        f"quoted_values.toml: [{p}] {n} has no source"
        for p, entries in quoted.items()
        for n, source in entries.items()
        if not str(source).strip()
    ]
    return wrong


def _nearest(number: Number, outputs: Iterable[Number]) -> str:
    near = min(outputs, key=lambda o: abs(o.value - number.value), default=None)
    return "" if near is None else f" (the nearest printed number is {near})"


def _printed(page: Page) -> frozenset[Number]:
    texts = (text for cell in page.code for text in cell.texts)
    return frozenset[Number]().union(*map(in_output, texts))
