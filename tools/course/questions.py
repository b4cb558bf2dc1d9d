"""The question bank: concepts, which stand in chapters and in course/questions, as Markdown.

A question is a directive::

    ```{question} q-06-1
    What is asked, with $math$.

    - [ ] A choice.
      Why it is not right.
    - [x] Another choice.
      Why it is right.
    ```

``{predict} p-06-1`` is written in the same way. It stands before a result that surprises, and is no
part of the bank.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import markup
from book import Book, Page

DIRECTIVES = {"question": "q", "predict": "p"}  # and with what their labels begin
LABEL = r"{}-(?:\d\d|a)-\d+"
CHOICE = re.compile(r"- \[([ x])\] (.+)")
FOLDER = Path("course") / "questions"
FEWEST = 3  # choices


@dataclass(frozen=True)
class Choice:
    """An answer that may be chosen, and why it is right or not."""

    text: str
    why: str
    is_right: bool


@dataclass(frozen=True)
class Question:
    """A question with one right choice. The texts are Markdown with math between dollars."""

    label: str
    text: str
    choices: tuple[Choice, ...]

    @property
    def chapter(self) -> str:
        """``06``, or ``A``."""
        return self.label.split("-")[1].upper()

    @property
    def right(self) -> Choice:
        return next(choice for choice in self.choices if choice.is_right)


def read(directive: markup.Directive, place: str) -> Question:
    """The question that a directive holds.

    Raises ``ValueError`` with the place and the remedy, if it is not written as it should be.
    """
    label = directive.argument
    mark = DIRECTIVES[directive.name]
    if not re.fullmatch(LABEL.format(mark), label):
        raise ValueError(
            f"{place}: the {directive.name} box is called {label!r}; call it {mark}-06-1, or "
            f"{mark}-a-1"
        )
    lines = directive.body.rstrip().split("\n")
    first = next((k for k, line in enumerate(lines) if CHOICE.match(line)), len(lines))
    text = "\n".join(lines[:first]).strip()
    if not text:
        raise ValueError(f"{place}: {label} asks nothing; write the question above its choices")
    choices: list[Choice] = []
    for line in lines[first:]:
        if match := CHOICE.fullmatch(line):
            choices.append(Choice(match[2].strip(), "", match[1] == "x"))
        elif line.startswith("  ") and line.strip():
            last = choices[-1]
            why = f"{last.why} {line.strip()}".strip()
            choices[-1] = Choice(last.text, why, last.is_right)
        else:
            raise ValueError(
                f"{place}: in {label} the line {line!r} is no choice (- [ ] …) and no explanation "
                f"of one (two spaces and text)"
            )
    _require(choices, f"{place}: {label}")
    return Question(label, text, tuple(choices))


def _require(choices: list[Choice], name: str) -> None:
    if len(choices) < FEWEST:
        raise ValueError(f"{name} has {len(choices)} choices; give it {FEWEST} or more")
    right = sum(choice.is_right for choice in choices)
    if right != 1:
        raise ValueError(f"{name} has {right} right choices; mark exactly one with [x]")
    for choice in choices:
        if not choice.why:
            raise ValueError(f"{name}: {choice.text!r} has no explanation; add one below it")
    if len({choice.text for choice in choices}) < len(choices):
        raise ValueError(f"{name} has two choices with the same text; change one")


def in_page(page: Page) -> list[Question]:
    """The questions of a chapter, in order."""
    return [
        read(directive, str(page.path))
        for text in page.texts
        for directive in markup.directives(text)
        if directive.name == "question"
    ]


def in_file(path: Path) -> list[Question]:
    """The questions of a file of the bank."""
    found = markup.directives(path.read_text(encoding="utf8"))
    return [read(directive, path.name) for directive in found if directive.name == "question"]


def bank(book: Book) -> list[Question]:
    """All questions, chapter by chapter: those of the chapters first, then those of the bank.

    Raises ``ValueError`` if two have one label.
    """
    found = [question for page in book.pages for question in in_page(page)]
    for path in sorted((book.root / FOLDER).glob("*.md")):
        found += in_file(path)
    twice = _twice(question.label for question in found)
    if twice:
        raise ValueError(f"there are two questions {twice}; give one of them another number")
    return sorted(found, key=lambda question: (question.chapter, question.label))


def _twice(names: Iterable[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
