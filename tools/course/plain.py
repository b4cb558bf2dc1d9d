"""The book's Markdown as every notebook shows it: no roles, no directives, numbers as on the site.

A student opens a chapter in Jupyter or Colab, which know nothing of ``{eq}`` and ``{exercise}``.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from pybtex.database import Entry, parse_file
from pybtex.richtext import Text

import markup
from book import Book, Page
from course import questions

ROLE = re.compile(r"\{([a-z:]+)\}`([^`]+)`")
TITLED = re.compile(r"(.*?)\s*<([^<>]+)>", re.DOTALL)
TARGET = re.compile(r"^\([\w-]+\)=\n", re.MULTILINE)
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
LABELLED = re.compile(r"\$\$(.+?)\$\$ \(([\w-]+)\)", re.DOTALL)
SITUATION = re.compile(r"\[([^\]]+)\]\((#fig-[^)\s]+)\)")
UNPUBLISHED = "The solution of this exercise is not published. Teachers find it in the course kit."
HEADINGS = {
    "prf:theorem": "Theorem",
    "prf:proposition": "Proposition",
    "prf:corollary": "Corollary",
    "prf:lemma": "Lemma",
    "prf:algorithm": "Algorithm",
}


@dataclass(frozen=True)
class Numbers:
    """What the site prints for a label: the numbers run through the whole book."""

    book: Book

    @cached_property
    def of(self) -> dict[str, str]:
        """Label -> ``(79)``, ``Theorem 14``, ``Exercise 30`` or ``Figure 21``."""
        found: dict[str, str] = {}
        count = Counter[str]()
        for page in self.book.pages:
            for label, _ in page.equations:
                if label:
                    count["equation"] += 1
                    found[label] = f"({count['equation']})"
            for text in page.texts:
                for directive in markup.directives(text):
                    kind = HEADINGS.get(directive.name, "Exercise")
                    if directive.name in ("figure", "chapter-figure"):
                        count["Figure"] += 1
                    if directive.name in HEADINGS or directive.name == "exercise":
                        count[kind] += 1
                        found[directive.options["label"]] = f"{kind} {count[kind]}"
            for figure in page.figures:
                count["Figure"] += 1
                found[figure.name] = f"Figure {count['Figure']}"
        return found

    @cached_property
    def titles(self) -> dict[str, str]:
        """The file of a page -> its title."""
        return {page.name: page.title for page in self.book.pages}

    @cached_property
    def sources(self) -> dict[str, str]:
        """Key -> ``Dempster et al., 1977``, of every entry of the bibliography."""
        entries = parse_file(str(self.book.root / "references.bib")).entries
        return {key: _short(entry) for key, entry in entries.items()}


def _short(entry: Entry) -> str:
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join((*p.prelast_names, *p.last_names)) for p in people]
    who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    parts = (who or entry.fields["title"], entry.fields.get("year", ""))
    return str(Text.from_latex(", ".join(filter(None, parts))))


def roles(text: str, numbers: Numbers) -> str:
    """The text with every reference written out.

    Raises ``ValueError`` for a reference to something that the book does not have.
    """

    def written(match: re.Match[str]) -> str:
        role, argument = match[1], " ".join(match[2].split())
        titled = TITLED.fullmatch(argument)
        shown, target = (titled[1], titled[2]) if titled else ("", argument)
        name = target.rpartition("/")[2]
        try:
            if role == "term":
                return shown or target
            if role == "doc":
                return shown or f"*{numbers.titles[name]}*"
            if role.startswith("cite"):
                cited = [numbers.sources[key.strip()] for key in target.split(",")]
                return f"({'; '.join(cited)})"
            if role in ("eq", "ref", "prf:ref", "numref"):
                return shown or numbers.of[target]
        except KeyError:
            raise ValueError(f"{match[0]} refers to nothing in the book") from None
        raise ValueError(f"{match[0]}: a notebook outside the book cannot show this role")

    return ROLE.sub(written, text)


Shown = Callable[[markup.Directive], str]


def plain(text: str, numbers: Numbers, special: dict[str, Shown] | None = None) -> str:
    """Markdown for any notebook. ``special``: directive -> how to show it, where not as usual."""
    lines = text.split("\n")
    for fence, found in reversed(list(markup.fences(text))):
        begin, end = fence
        show = (special or {}).get(found.name)
        shown = show(found) if show else plain_directive(found, numbers)
        lines[begin:end] = shown.split("\n")
    text = COMMENT.sub("", TARGET.sub("", "\n".join(lines)))
    text = SITUATION.sub(r"\1 (`\2` behind the address of the chapter's page)", text)
    text = LABELLED.sub(lambda m: f"$${m[1]}\\tag{{{_bare(numbers.of[m[2]])}}}\n$$", text)
    return roles(text, numbers).strip()


def _bare(number: str) -> str:
    return number.strip("()")


def plain_directive(found: markup.Directive, numbers: Numbers) -> str:
    """A directive as plain Markdown; what is inside of it too.

    Raises ``ValueError`` for one that a notebook outside the book cannot show.
    """
    body = found.body.strip()
    if found.name in HEADINGS:
        number = numbers.of[found.options["label"]]
        title = f" ({found.argument})" if found.argument else ""
        return _quoted(f"**{number}{title}.** {body}")
    if found.name == "prf:proof":
        return f"*Proof.* {body} $\\square$"
    if found.name == "admonition":
        return _quoted(f"**{found.argument}**\n\n{body}")
    if found.name == "hint":
        return _closed("Hint", body)
    if found.name == "exercise":
        note = f"\n\n*{UNPUBLISHED}*" if markup.is_unpublished(found) else ""
        return f"{heading(found, numbers)}\n\n{body}{note}"
    if found.name in questions.DIRECTIVES:
        return _question(questions.read(found, "the page"))
    raise ValueError(f"a notebook outside the book cannot show {{{found.name}}}")


def heading(exercise: markup.Directive, numbers: Numbers) -> str:
    return f"### {numbers.of[exercise.options['label']]} {exercise.argument}"


def _closed(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _question(asked: questions.Question) -> str:
    lettered = list(zip("ABCDEF", asked.choices, strict=False))
    choices = "\n".join(f"- **{letter}** {choice.text}" for letter, choice in lettered)
    why = "\n".join(
        f"- **{letter}** {'Yes' if choice.is_right else 'No'}. {choice.why}"
        for letter, choice in lettered
    )
    return f"{asked.text}\n\n{choices}\n\n{_closed('Which one, and why?', why)}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def captions(page: Page, numbers: Numbers) -> Iterator[tuple[str | None, str]]:
    """Cell id -> the caption of its picture, with its number."""
    for cell in page.code:
        if cell.figure.caption:
            number = numbers.of.get(cell.figure.name, "")
            yield cell.id, f"*{number}. {roles(cell.figure.caption, numbers)}*"
