"""The questions as Moodle XML: a category for each chapter, one below it for each kind of task.

A quiz in Moodle draws a random question from a category, so that neighbours have other numbers.
"""

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from course.in_html import blocks, inline
from course.qti import add, number, written
from course.questions import Question
from course.quizzes import BOOK, Group, Quiz
from course.tasks import Task

TOP = "$course$/top"
PENALTY = "0.3333333"  # for each further try, as Moodle itself proposes


def question_bank(quizzes: Sequence[Quiz]) -> bytes:
    """The file to import. Raises ``ValueError`` if there is no quiz."""
    if not quizzes:
        raise ValueError("there is no quiz to export; give the questions of one chapter at least")
    root = ET.Element("quiz")
    for quiz in quizzes:
        chapter = [BOOK, quiz.title]
        _category(root, chapter, f"gmm-{quiz.chapter.lower()}", "Questions with choices.")
        for question in quiz.questions:
            _choices(root, question)
        for group in quiz.groups:
            _group(root, chapter, group)
    return written(root)


def _group(root: ET.Element, chapter: list[str], group: Group) -> None:
    info = f"{len(group.tasks)} variants of one question: let a quiz draw one of them at random."
    _category(root, [*chapter, f"{group.label} {group.title}"], f"gmm-{group.label}", info)
    for task in group.tasks:
        _number(root, task)


def path(names: Iterable[str]) -> str:
    """A slash separates categories; one that belongs to a name is doubled."""
    return "/".join([TOP, *(name.replace("/", "//") for name in names)])


def _category(root: ET.Element, names: list[str], idnumber: str, info: str) -> None:
    question = add(root, "question", type="category")
    _text(add(question, "category"), path(names))
    _text(add(question, "info", format="plain_text"), info)
    add(question, "idnumber", idnumber)


def _text(parent: ET.Element, text: str) -> None:
    add(parent, "text", text)


def _question(
    root: ET.Element, kind: str, name: str, idnumber: str, text: str, why: str
) -> ET.Element:
    question = add(root, "question", type=kind)
    _text(add(question, "name"), name)
    _text(add(question, "questiontext", format="html"), blocks(text))
    _text(add(question, "generalfeedback", format="html"), blocks(why))
    add(question, "defaultgrade", "1.0000000")
    add(question, "penalty", PENALTY)
    add(question, "hidden", "0")
    add(question, "idnumber", idnumber)
    return question


def _choices(root: ET.Element, asked: Question) -> None:
    question = _question(root, "multichoice", asked.label, asked.label, asked.text, "")
    add(question, "single", "true")
    add(question, "shuffleanswers", "true")
    add(question, "answernumbering", "ABCD")
    for choice in asked.choices:
        answer = add(question, "answer", fraction="100" if choice.is_right else "0", format="html")
        _text(answer, inline(choice.text))
        _text(add(answer, "feedback", format="html"), blocks(choice.why))


def _number(root: ET.Element, task: Task) -> None:
    name = f"{task.label}-s{task.seed}"
    question = _question(root, "numerical", f"{task.title} ({name})", name, task.text, task.why)
    low, high = task.accepted
    # Moodle knows no range, only a value and how far an answer may be from it.
    middle, tolerance = (low + high) / 2, (high - low) / 2
    answer = add(question, "answer", fraction="100", format="moodle_auto_format")
    _text(answer, number(middle))
    _text(add(answer, "feedback", format="html"), "")
    add(answer, "tolerance", number(tolerance))
    add(question, "unitgradingtype", "0")
    add(question, "unitpenalty", "0.1000000")
    add(question, "showunits", "3")  # there are none
    add(question, "unitsleft", "0")
