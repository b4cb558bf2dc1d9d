"""A question that is not written as it should be is refused, with its place and what to do."""

import re
from pathlib import Path, PurePosixPath

import pytest

from book import Book, Page, read_book
from course import questions
from markup import Directive, directives

BODY = """How many?

- [ ] One.
  There is another.
- [x] Two.
  Count them,
  slowly.
- [ ] Three.
  One is counted twice."""


def question(body: str = BODY, label: str = "q-06-1", name: str = "question") -> questions.Question:
    return questions.read(Directive(name, label, body), "chapters/06_m_step.ipynb")


def test_a_question_is_read() -> None:
    asked = question()
    assert asked.text == "How many?"
    assert [choice.text for choice in asked.choices] == ["One.", "Two.", "Three."]
    assert asked.right.why == "Count them, slowly."
    assert asked.chapter == "06"
    assert question(label="p-a-1", name="predict").chapter == "A"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("How many?", "", "q-06-1 asks nothing; write the question above its choices"),
        ("[x]", "[ ]", "q-06-1 has 0 right choices; mark exactly one with [x]"),
        ("[ ] One", "[x] One", "q-06-1 has 2 right choices"),
        ("  There is another.\n", "", "q-06-1: 'One.' has no explanation; add one below it"),
        ("Three.", "Two.", "q-06-1 has two choices with the same text"),
        ("  slowly.", "slowly.", "in q-06-1 the line 'slowly.' is no choice"),
        ("- [ ] Three.\n  One is counted twice.", "", "q-06-1 has 2 choices; give it 3 or more"),
    ],
)
def test_what_is_refused(old: str, new: str, problem: str) -> None:
    assert old in BODY
    with pytest.raises(ValueError, match=re.escape(f"chapters/06_m_step.ipynb: {problem}")):
        question(BODY.replace(old, new, 1).rstrip())


@pytest.mark.parametrize(
    ("label", "name"), [("q-6-1", "question"), ("p-06-1", "question"), ("q-06-1", "predict")]
)
def test_a_label_says_what_it_is_and_where(label: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"the {name} box is called '{label}'; call it"):
        question(label=label, name=name)


def test_no_label_is_used_twice() -> None:
    text = f"```{{question}} q-06-1\n{BODY}\n```"
    pages = [Page(PurePosixPath(f"chapters/{name}.md"), text) for name in ("one", "two")]
    with pytest.raises(ValueError, match="there are two questions q-06-1"):
        questions.bank(Book(Path("nowhere"), tuple(pages)))


def test_every_chapter_ends_with_three_questions() -> None:
    book = read_book()
    counts = {page.name: len(questions.in_page(page)) for page in book.chapters}
    assert set(counts.values()) == {3}, counts
    found = [d for page in book.chapters for text in page.texts for d in directives(text)]
    boxes = [questions.read(d, "a chapter").label for d in found if d.name == "predict"]
    assert len(set(boxes)) == len(boxes) >= 8
