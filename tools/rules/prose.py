"""A number in the prose occurs in an output, one beside a figure there or in the code."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from book import Book, Page
from rules.numbers import Number, in_code, in_output, in_prose, supported, whole_in_prose

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


# page -> {whole number beside a figure: where it is from}
READ_OFF = {
    "01_why_mixtures": {"65": "the lowest bin between the humps begins at 64.5"},
    "02_one_gaussian": {
        "43": "the shortest wait",
        "96": "the longest wait",
        "42": "the two highest bins of the histogram, which are nearly equal, meet there",
        "250": "the histogram's tail, in units of the axis",
    },
    "06_m_step": {"53": "the left maximum of the mixture that is drawn"},
    "08_several_dimensions": {"45": "degrees: the eigenvector (1, 1) of the matrix that is drawn"},
    "11_two_products": {
        "16": "where the axes end, in powers of 10",
        "70": "the iteration of plain EM at which less than a hundred-thousandth is missing",
    },
}


def figure_numbers(book: Book) -> list[str]:
    """Every whole number beside a figure, in digits or words, is in an output or in the code."""
    return unfounded(book, READ_OFF)


def unfounded(book: Book, read_off: Mapping[str, Mapping[str, str]]) -> list[str]:
    """``read_off``: page -> {number: where it is from}. An entry that is not needed is wrong."""
    wrong, unused = [], {(page, number) for page in read_off for number in read_off[page]}
    for page in book.chapters:
        known = _printed(page).union(*(in_code(cell.source) for cell in page.code))
        for figure in page.figures:
            for number in whole_in_prose(f"{figure.caption}\n\n{figure.alt}"):
                if supported(number, known):
                    continue
                unused.discard((page.name, str(number)))
                if str(number) not in read_off.get(page.name, ()):
                    wrong.append(
                        f"{page.name}: {figure.name} speaks of {number}, which is in no output and "
                        f"not in the code. Print it, or list it in READ_OFF in rules/prose.py"
                    )
    return wrong + [f"READ_OFF: {page} needs no {number}" for page, number in sorted(unused)]


def _nearest(number: Number, outputs: Iterable[Number]) -> str:
    near = min(outputs, key=lambda o: abs(o.value - number.value), default=None)
    return "" if near is None else f" (the nearest printed number is {near})"


def _printed(page: Page) -> frozenset[Number]:
    texts = (text for cell in page.code for text in cell.texts)
    return frozenset[Number]().union(*map(in_output, texts))
