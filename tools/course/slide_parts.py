"""What a slide consists of, and how much text it may have."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MOST_WORDS = 45  # on a slide: what the back row reads while somebody talks
MOST_STATEMENT = 60  # of a theorem, which is better read whole
LEAD = 40  # words of a sentence that opens a slide
MOST_LINES = 14  # of code
ROOM = 18  # lines of code and of what it prints together
FEWEST = 8  # slides of a chapter

# A sentence ends here, but not inside of math, code or a role: those are taken out first.
ATOM = re.compile(r"\$[^$]+\$|\{[a-z:]+\}`[^`]*`|`[^`]*`")
END = re.compile(r"(?<=[.!?:])([)*\"”]*)\s+(?=[A-Z(*\"“ℓ\x00])")


@dataclass(frozen=True)
class Text:
    """A sentence or two, Markdown."""

    text: str


@dataclass(frozen=True)
class Equation:
    """A displayed equation, as numbered on the site."""

    label: str
    latex: str
    number: str
    is_checked: bool

    @property
    def rows(self) -> float:
        """About how high it is, in lines of a slide."""
        rows = 1 + len(re.findall(r"\\\\", self.latex))
        return rows * (1.5 if re.search(r"\\d?frac|\\sum|\\int|\\prod", self.latex) else 1)


@dataclass(frozen=True)
class Statement:
    """A theorem or its like, or a piece of it."""

    heading: str
    text: str
    is_checked: bool = False
    continues: bool = False


@dataclass(frozen=True)
class Picture:
    """A stored figure."""

    name: str
    alt: str
    png: str  # in base64


@dataclass(frozen=True)
class Code:
    """Code and what it printed; either may be empty."""

    source: str
    printed: str
    checked: tuple[str, ...] = ()  # numbers of the equations that it checks


@dataclass(frozen=True)
class Points:
    """A list."""

    points: tuple[str, ...]


@dataclass(frozen=True)
class Choices:
    """What is asked, and the answers to choose from: one appears after the other."""

    text: str
    choices: tuple[str, ...]


Part = Text | Equation | Statement | Picture | Code | Points | Choices


@dataclass
class Slide:
    """A slide, with what its speaker says (Markdown)."""

    title: str
    parts: list[Part]
    notes: list[str] = field(default_factory=list)
    over: str = ""  # the section's title, where this is a part of it
    level: int = 2  # of its heading: 1 opens the deck, 2 a section, 3 goes on in it

    @property
    def words(self) -> int:
        """Words to read; a question is read aloud, and counts as none."""
        return sum(map(_words, self.parts))

    @property
    def code_lines(self) -> int:
        found = [part.source.count("\n") + 1 for part in self.parts if isinstance(part, Code)]
        return max(found, default=0)


def _words(part: Part) -> int:
    if isinstance(part, Text | Statement):
        return count(part.text)
    return sum(map(count, part.points)) if isinstance(part, Points) else 0


def count(text: str) -> int:
    """Its words; a formula is one."""
    return len(re.findall(r"\w[^\s]*", ATOM.sub("x", text)))


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph."""
    atoms: list[str] = []

    def hidden(match: re.Match[str]) -> str:
        atoms.append(match[0])
        return f"\x00{len(atoms) - 1}\x01"

    flat = ATOM.sub(hidden, " ".join(text.split()))
    parts = END.sub(lambda match: f"{match[1]}\n", flat).split("\n")
    return [re.sub(r"\x00(\d+)\x01", lambda m: atoms[int(m[1])], part) for part in parts]


def packed(items: Iterable[str], most: int = MOST_WORDS) -> list[list[str]]:
    """The items, in order, in as few groups as have no more than so many words, about equal."""
    items = list(items)
    fewest = len(list(_groups(items, most)))
    while most > 1 and len(list(_groups(items, most - 1))) == fewest:
        most -= 1
    return list(_groups(items, most))


def _groups(items: Iterable[str], most: int) -> Iterator[list[str]]:
    group: list[str] = []
    for item in items:
        if group and sum(map(count, group)) + count(item) > most:
            yield group
            group = []
        group.append(item)
    if group:
        yield group
