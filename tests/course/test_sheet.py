"""A quiz on paper: what is printed is what the bank holds, and the key belongs to the paper."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import tinyhtml5

from book import read_book
from course.numerical import KINDS
from course.questions import Choice, Question, bank
from course.quizzes import titles
from course.sheet import Problem, Sheets, pdf, problems, sheets
from course.tasks import Task
from rules.html import html_problems

SEED, CHAPTERS = 4, ["07", "A"]
PAGES = ("paper", "answers", "key")
HTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    return bank(read_book())


def asked_with(seed: int, questions: list[Question]) -> list[Problem]:
    tasks = [kind.with_seed(seed) for kind in KINDS]
    return problems(questions, tasks, titles(read_book()), seed, CHAPTERS)


@pytest.fixture(scope="module")
def asked(questions: list[Question]) -> list[Problem]:
    return asked_with(SEED, questions)


@pytest.fixture(scope="module")
def made(asked: list[Problem]) -> Sheets:
    return sheets(asked, SEED)


# --- reading the pages, with a parser of HTML that has no part in writing them -------------------


def tree(html: str) -> ET.Element:
    root: ET.Element = tinyhtml5.parse(html)
    return root


def with_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in root.iter() if name in element.get("class", "").split()]


def text_of(element: ET.Element) -> str:
    """The words, with a dollar sign for each formula."""
    if element.tag == f"{HTML}mjx-container":
        return "$"
    inside = [element.text or ""]
    for child in element:
        inside += [text_of(child), child.tail or ""]
    return " ".join("".join(inside).split())


def words(markdown: str) -> str:
    plain = re.sub(r"\$\$.*?\$\$|\$[^$]*\$", "$", markdown, flags=re.DOTALL)
    return " ".join(plain.replace("`", "").replace("*", "").split())


def squeezed(text: str) -> str:
    return text.replace(" ", "")


def test_the_paper_has_every_question_in_order(asked: list[Problem], made: Sheets) -> None:
    shown = with_class(tree(made.paper), "problem")
    assert [int(text_of(one[0])) for one in shown] == list(range(1, len(asked) + 1))
    for problem, section in zip(asked, shown, strict=True):
        assert squeezed(words(problem.text)) in squeezed(text_of(section))
        offered = with_class(section, "choice")
        assert [text_of(choice[0]) for choice in offered] == list("ABCDEF"[: len(offered)])
        assert [squeezed(text_of(choice[1])) for choice in offered] == [
            squeezed(words(choice.text)) for choice in problem.choices
        ]
        assert bool(with_class(section, "space")) == (problem.task is not None)


def test_the_paper_does_not_tell(asked: list[Problem], made: Sheets) -> None:
    text = squeezed(text_of(tree(made.paper)) + text_of(tree(made.answers)))
    for problem in asked:
        for choice in problem.choices:
            assert squeezed(words(choice.why)) not in text
        if problem.task:
            assert squeezed(words(problem.task.why)) not in text


def test_the_key_belongs_to_the_paper(
    asked: list[Problem], made: Sheets, questions: list[Question]
) -> None:
    require_same_key(asked, made, {question.label: question for question in questions})


def require_same_key(asked: list[Problem], made: Sheets, of: dict[str, Question]) -> None:
    short = [[text_of(part) for part in row] for row in with_class(tree(made.key), "field")]
    on_paper = with_class(tree(made.paper), "problem")
    explained = with_class(tree(made.key), "problem")
    assert len(short) == len(on_paper) == len(explained) == len(asked)
    rows = zip(asked, short, on_paper, explained, strict=True)
    for problem, (number, answer), section, reasons in rows:
        assert int(number) == problem.number
        if problem.task:
            assert float(answer.replace("−", "-")) == float(problem.task.shown)
            assert squeezed(words(problem.task.why)) in squeezed(text_of(reasons))
            continue
        right = of[problem.label].right
        marked = {text_of(c[0]): squeezed(text_of(c[1])) for c in with_class(section, "choice")}
        assert marked[answer] == squeezed(words(right.text))
        [shown] = [c for c in with_class(reasons, "choice") if "right" in c.get("class", "")]
        assert text_of(shown[0]) == answer
        assert squeezed(words(right.why)) in squeezed(text_of(shown))


def test_a_key_of_another_version_is_seen(
    asked: list[Problem], made: Sheets, questions: list[Question]
) -> None:
    of = {question.label: question for question in questions}
    other = sheets(asked_with(SEED + 1, questions), SEED + 1)
    with pytest.raises((AssertionError, KeyError)):
        require_same_key(asked, replace(made, key=other.key), of)
    wrong = [replace(c, is_right=not c.is_right) for c in of["q-07-1"].choices]
    with pytest.raises(AssertionError):
        require_same_key(asked, made, of | {"q-07-1": replace(of["q-07-1"], choices=tuple(wrong))})


def test_the_answer_sheet_has_a_place_for_each_answer(asked: list[Problem], made: Sheets) -> None:
    fields = with_class(tree(made.answers), "field")
    assert len(fields) == len(asked)
    for problem, field in zip(asked, fields, strict=True):
        assert text_of(field[0]) == str(problem.number)
        circles = [text_of(circle) for circle in with_class(field, "circle")]
        assert circles == list("ABCDEF"[: len(problem.choices)])
        assert len(with_class(field, "blank")) == (problem.task is not None)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_nothing_beside_it(page: str, made: Sheets) -> None:
    html = getattr(made, page)
    root = tree(html)
    assert not html_problems(html)
    for element in root.iter():
        assert element.tag not in (f"{HTML}script", f"{HTML}link", f"{HTML}img")
        assert not {"src", "href"} & set(element.keys())
    assert not re.findall(r"@import|url\((?!\"data:)", html)
    assert not re.search(r"\\\(|\\\[|\$", html.partition("</style>")[2])  # no formula is left
    assert ("Name:" in text_of(root)) == (page != "key")


def test_the_same_seed_gives_the_same_paper(questions: list[Question], made: Sheets) -> None:
    assert sheets(asked_with(SEED, questions), SEED) == made


def test_other_seeds_give_other_numbers_and_orders(questions: list[Question]) -> None:
    versions = [asked_with(seed, questions) for seed in range(1, 9)]
    letters = Counter(problem.answer for one in versions for problem in one if not problem.task)
    assert set(letters) == set("ABCD")
    assert len({tuple(problem.answer for problem in one) for one in versions}) == len(versions)
    for seed, version in enumerate(versions, 1):
        assert {problem.task.seed for problem in version if problem.task} == {seed}


def test_what_cannot_be_asked_is_refused(questions: list[Question]) -> None:
    named = titles(read_book())
    with pytest.raises(ValueError, match="there is no chapter '99'"):
        problems(questions, [], named, 1, ["99"])
    with pytest.raises(ValueError, match="there is no question on 06 with the seed 1"):
        problems([], [], named, 1, ["06"])


def test_a_formula_that_cannot_be_typeset_is_refused() -> None:
    task = Task("n-06-1", 1, "What is $\\frac{1$?", 1.0, "One.", 1)
    with pytest.raises(ValueError, match="cannot be typeset"):
        sheets([Problem(1, "6", "n-06-1", task.text, task=task)], 1)


def test_it_prints_on_paper_of_size_a4(tmp_path: Path) -> None:
    choices = (Choice("$1<2$", "So.", True), Choice("no", "Not.", False), Choice("?", "No.", False))
    made = sheets([Problem(1, "6 The M-step", "q-06-1", "Is $a<b$ & `x<y`?", choices)], 1)
    out = tmp_path / "paper.pdf"
    pdf(made.paper, out)
    content = out.read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1
    box = re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert box is not None
    width, height = map(float, box.groups())
    assert (width, height) == pytest.approx((595.3, 841.9), abs=1)
