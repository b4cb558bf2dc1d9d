"""A sentence is right about what it points at: chapters, authors, years, formulas, directions."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from pybtex.database import parse_file
from pybtex.richtext import Text

import markup
from book import Book, Page
from rules.numbers import MINUS

# --- labels and chapters ----------------------------------------------------------------------

REF = r"\{(?:eq|ref|numref|prf:ref)\}`(?:[^`<]*<)?[\w-]+>?`"
REFS = rf"(?P<refs>{REF}(?:(?:, and |, | and | or ){REF})*)"
PLACE = (
    r"(?:\{doc\}`(?:[^`<]*<)?(?P<doc>[\w/-]+)>?`|\b[Cc]hapter (?P<number>\d+|[A-Z])\b"
    r"|\bthe (?P<near>next|last|previous) chapter\b)"
)
PLACED = [
    re.compile(rf"{REFS}\s*(?:\(|\| |in |of |from ){PLACE}"),
    re.compile(rf"{PLACE}(?:['’]s | \(){REFS}"),
]
NEAR = {"next": 1, "last": -1, "previous": -1}


def places(book: Book) -> list[str]:
    """A label that is said to stand in a chapter stands in that one."""
    owners = {label: page.name for page in book.pages for label in page.labels}
    wrong = []
    for page in book.pages:
        for text in page.prose:
            for match in (m for p in PLACED for m in p.finditer(" ".join(text.split()))):
                named = _named(match, page, book)
                for label in re.findall(r"([\w-]+)>?`", match["refs"]):
                    owner = owners.get(label, named)
                    if owner != named:
                        wrong.append(f"{page.name}: {match[0]!r}, but {label} is in {owner}")
    return wrong


def _named(match: re.Match[str], page: Page, book: Book) -> str:
    if match["doc"]:
        return match["doc"].rsplit("/", 1)[-1]
    if match["number"]:
        number = match["number"]
        starts = f"{int(number):02d}_" if number.isdigit() else f"{number}_"
        return next((p.name for p in book.pages if p.name.startswith(starts)), f"no {number}")
    order = page.order + NEAR[match["near"]]
    return next((p.name for p in book.pages if p.order == order), "none")


TYPED = re.compile(r"\b(?:[Ee]xercises?|[Tt]heorems?|[Ee]quations?|[Ff]igures?)\s+\d+\b")


def typed_numbers(book: Book) -> list[str]:
    """The number of an exercise, a theorem or a figure is not typed: it runs through the book."""
    return [
        f"{page.name}: {match[0]!r} is typed, and the site counts through the book; "
        f"refer to its label, as in {{ref}}`ex-06-1`"
        for page in book.chapters
        for text in page.prose
        for match in TYPED.finditer(text)
    ]


# --- authors and years ------------------------------------------------------------------------

PERSON = r"[A-ZÀ-Þ][\wÀ-ÿ–-]*[a-zß-ÿ]"
BESIDE = re.compile(
    rf"(?P<names>{PERSON}(?:, {PERSON})*(?:,? and {PERSON})?)(?:['’]s?)?"
    r"(?: paper| essay| \*[^*]+\*)? (?:\((?P<year>\d{4})\) )?\{cite[^}]*\}`(?P<keys>[^`]+)`"
)
CITED = re.compile(r"\{cite[^}]*\}`([^`]+)`")
NO_PERSONS = {"Faithful", "SciPy"}


def citations(book: Book) -> list[str]:
    """The names and the year beside a citation are those of its entry."""
    file = book.root / "references.bib"
    return wrong_citations(book, bibliography(file)) if file.is_file() else []


def bibliography(file: Path) -> dict[str, tuple[list[str], str]]:
    """key -> (last names, year)."""
    return {
        key: (
            [
                str(Text.from_latex(" ".join([*person.prelast_names, *person.last_names])))
                for person in entry.persons.get("author", entry.persons.get("editor", []))
            ],
            entry.fields.get("year", ""),
        )
        for key, entry in parse_file(str(file)).entries.items()
    }


def wrong_citations(book: Book, entries: Mapping[str, tuple[list[str], str]]) -> list[str]:
    """``entries``: key -> (last names, year)."""
    wrong = []
    for key, (_, year) in entries.items():
        in_key = re.search(r"\d{4}", key)
        if in_key and in_key[0] != year:
            wrong.append(f"references.bib: {key} is of {year}")
    for page in book.pages:
        for match in (m for t in page.prose for m in BESIDE.finditer(" ".join(t.split()))):
            names = re.findall(PERSON, re.sub(r"\band\b", ",", match["names"]))
            found = [entries[k.strip()] for k in match["keys"].split(",") if k.strip() in entries]
            if not found or NO_PERSONS & set(names):
                continue
            if not any(names == authors for authors, _ in found):
                wrong.append(f"{page.name}: {match[0]!r} is by {' and '.join(found[0][0])}")
            if match["year"] and all(match["year"] != year for _, year in found):
                wrong.append(f"{page.name}: {match[0]!r} is of {found[0][1]}")
    return wrong


# --- formulas that are told again -------------------------------------------------------------

# page -> {inline formula: why it may differ from the equation with the same left side}
OTHERWISE = {
    "07_worked_example": {
        r"\beta_1(x)=1/(1+\frac14e^{(2x-3)/4})": "with other weights, as its exercise says",
    },
    "A_what_you_need": {
        r"p(x_2\mid x_1)=p(x_2)": "what independence adds to the definition",
    },
}
SPACES = r"\\(?:[,;!: ]|quad|qquad|[bB]ig+[lrm]?|left|right|displaystyle)(?![A-Za-z])"
NO_LETTERS = {rf"\{name}" for name in ("frac", "cdot", "times", "mathbf", "mathcal", "mathbb")}
INLINE = re.compile(r"(?<![\\$])\$([^$]+)\$(?!\$)")


def restatements(book: Book) -> list[str]:
    """An inline formula with the left side and letters of an equation has its right side."""
    return wrong_restatements(book, OTHERWISE)


def wrong_restatements(book: Book, otherwise: Mapping[str, Mapping[str, str]]) -> list[str]:
    """``otherwise``: page -> {formula: why it differs}. An entry that is not needed is wrong."""
    wrong, unused = [], {(page, formula) for page in otherwise for formula in otherwise[page]}
    for page in book.pages:
        displayed: dict[str, list[tuple[str, list[str]]]] = {}
        for label, latex in page.equations:
            for left, *right in _statements(latex) if label else ():
                displayed.setdefault(left, []).append((label, right))
        for formula in _inline(page):
            for left, *right in _statements(formula):
                for label, shown in displayed.get(left, ()):
                    if not any(_differs(side, shown) for side in right):
                        continue
                    if (page.name, formula) in unused:
                        unused.remove((page.name, formula))
                    elif formula not in otherwise.get(page.name, ()):
                        wrong.append(f"{page.name}: ${formula}$ is not what {label} displays")
    return wrong + [f"OTHERWISE: {page} needs no {formula}" for page, formula in sorted(unused)]


def _inline(page: Page) -> Iterator[str]:
    for text in page.prose:
        bare = re.sub(r"(?s)\$\$.*?\$\$", " ", markup.without_code(text))
        yield from (" ".join(match.split()) for match in INLINE.findall(bare))


def _statements(latex: str) -> Iterator[list[str]]:
    """The sides of each chain of equalities, written in one way."""
    bare = re.sub(r"\\(?:begin|end)\{aligned\}|&", "", latex)
    for statement in re.split(r"\\qquad|\\\\|,\s*\\(?:quad| )", bare):
        sides = [in_one_way(side) for side in re.split(r"(?<![<>!\\:])=:?", _shielded(statement))]
        if len(sides) > 1 and sides[0]:
            yield sides


def _shielded(latex: str) -> str:
    """The equals signs in subscripts are none of a statement."""
    return re.sub(r"_\{[^{}]*\}", lambda match: match[0].replace("=", "≔"), latex)


def in_one_way(latex: str) -> str:
    bare = re.sub(SPACES, "", re.sub(r"\\[td]frac", r"\\frac", latex))
    bare = re.sub(r"\s+", "", bare).rstrip(".,;")
    return re.sub(r"\{(\w)\}", r"\1", bare)


def _differs(side: str, shown: list[str]) -> bool:
    """Is it made of the letters of a side that is shown, and none of these?"""
    letters = _letters(side)
    is_shown = _flat(side) in map(_flat, shown)
    return bool(letters) and not is_shown and any(_letters(s) == letters for s in shown)


def _flat(side: str) -> str:
    r"""The same for a/b and \frac{a}{b}."""
    return re.sub(r"\\frac|[{}()/]", "", side)


def _letters(latex: str) -> frozenset[str]:
    return frozenset(re.findall(r"\\[A-Za-z]+|[A-Za-z]", latex)) - NO_LETTERS


# --- directions -------------------------------------------------------------------------------

UP = r"rises?|rose|climbs?|climbed|grows?|grew|increases?|increased"
DOWN = r"falls?|fell|drops?|dropped|shrinks?|shrank|decreases?|decreased|sinks?|sank"
AMOUNT = r"(?:about )?\$?([-−]?\d[\d.]*)\$?"
MOVES = re.compile(
    rf"(?i)\b(?:({UP})|({DOWN}))\b(?: \w+){{0,3}} from {AMOUNT}(?: \w+)? to {AMOUNT}"
)


def directions(book: Book) -> list[str]:
    """What rises from one number to another ends higher, and what falls lower."""
    wrong = []
    for page in book.pages:
        for text in page.prose:
            plain = re.sub(r"(?<=\d)(?:\\,|,)(?=\d{3})", "", " ".join(text.split()))
            for match in MOVES.finditer(plain):
                ends = [Decimal(x.replace(MINUS, "-").rstrip(".")) for x in match.groups()[2:]]
                if ends[0] == ends[1] or (ends[0] < ends[1]) != bool(match[1]):
                    wrong.append(f"{page.name}: {match[0]!r} goes the other way")
    return wrong


RULES = (places, typed_numbers, citations, restatements, directions)
