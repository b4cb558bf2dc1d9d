"""A quiz on paper: the questions, a sheet for the answers, and the teacher's key.

The pages need nothing beside them, no script and no network: the mathematics is typeset here, and
the faces are inside. Another seed gives other numbers and another order of the choices.
"""

import base64
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from book import ROOT
from browser import open_browser
from course.in_html import blocks, formulas, inline
from course.questions import Choice, Question
from course.quizzes import BOOK, by_chapter
from course.tasks import Task
from website.typeset import Formula, Typeset, typeset

LETTERS = "ABCDEFGH"
MINUS = "\N{MINUS SIGN}"
FACES = ROOT / "assets" / "fonts"
ASSETS = ROOT / "assets"
STYLE = Path(__file__).with_name("sheet.css")
URL = re.compile(r'url\("([^":]+\.(woff2?))"\)')


@dataclass(frozen=True)
class Problem:
    """A question with its number, and with its choices in the order of this sheet."""

    number: int
    chapter: str  # its title
    label: str
    text: str
    choices: tuple[Choice, ...] = ()
    task: Task | None = None

    @property
    def answer(self) -> str:
        """A letter, or a number."""
        if self.task:
            return self.task.shown.replace("-", MINUS)
        return next(
            letter for letter, choice in zip(LETTERS, self.choices, strict=False) if choice.is_right
        )

    @property
    def texts(self) -> list[str]:
        own = [self.text, *(text for choice in self.choices for text in (choice.text, choice.why))]
        return [*own, self.task.why] if self.task else own


@dataclass(frozen=True)
class Sheets:
    """Three pages of HTML."""

    paper: str
    answers: str
    key: str


def problems(
    questions: Iterable[Question],
    tasks: Iterable[Task],
    titles: Mapping[str, str],
    seed: int,
    chapters: Sequence[str],
) -> list[Problem]:
    """The questions of some chapters, numbered; the tasks with this seed alone.

    Raises ``ValueError`` for a chapter that is not there, and if nothing is left to ask.
    """
    unknown = [chapter for chapter in chapters if chapter not in titles]
    if unknown:
        raise ValueError(f"there is no chapter {unknown[0]!r}. Chapters: {', '.join(titles)}")
    wanted = {chapter: titles[chapter] for chapter in titles if chapter in chapters}
    quizzes = by_chapter(
        (question for question in questions if question.chapter in wanted),
        (task for task in tasks if task.chapter in wanted and task.seed == seed),
        wanted,
    )
    found: list[Problem] = []
    for quiz in quizzes:
        for question in quiz.questions:
            choices = list(question.choices)
            random.Random(f"{seed} {question.label}").shuffle(choices)
            number = len(found) + 1
            label, text = question.label, question.text
            found.append(Problem(number, quiz.title, label, text, tuple(choices)))
        for group in quiz.groups:
            for task in group.tasks:
                number = len(found) + 1
                found.append(Problem(number, quiz.title, task.label, task.text, task=task))
    if not found:
        raise ValueError(f"there is no question on {', '.join(chapters)} with the seed {seed}")
    return found


def sheets(asked: Sequence[Problem], seed: int) -> Sheets:
    """The pages. Raises ``ValueError`` for a formula that MathJax does not understand."""
    texts = [text for problem in asked for text in problem.texts]
    done = typeset(Formula(latex, display) for latex, display in formulas(texts))
    for formula, message in done.errors.items():
        raise ValueError(f"the formula {formula.latex!r} cannot be typeset: {message}")
    writer = Writer(done, seed)
    return Sheets(writer.paper(asked), writer.answers(asked), writer.key(asked))


# --- the pages -----------------------------------------------------------------------------------


def add(parent: ET.Element, tag: str, text: str = "", /, class_: str = "") -> ET.Element:
    child = ET.SubElement(parent, tag, {"class": class_} if class_ else {})
    child.text = text
    return child


@dataclass(frozen=True)
class Writer:
    """Writes the pages, with the formulas that were set."""

    done: Typeset
    seed: int

    def _set(self, latex: str, display: bool) -> str:
        return self.done.html[Formula(latex, display)]

    def _fill(self, parent: ET.Element, text: str, is_line: bool = False) -> None:
        html = inline(text, self._set) if is_line else blocks(text, self._set)
        made = ET.fromstring(f"<div>{html}</div>")
        for element in made.iter():
            element.tag = element.tag.rpartition("}")[2]  # HTML knows <math> without a namespace
        parent.text = (parent.text or "") + (made.text or "")
        parent.extend(made)

    def _page(self, heading: str, with_name: bool) -> tuple[ET.Element, ET.Element]:
        root = ET.Element("html", {"lang": "en"})
        head = add(root, "head")
        ET.SubElement(head, "meta", {"charset": "utf-8"})
        add(head, "title", f"{BOOK}: {heading}, version {self.seed}")
        add(head, "style", style(self.done))
        body = add(root, "body")
        top = add(body, "header")
        add(top, "p", f"{BOOK} · version {self.seed}", class_="book")
        add(top, "h1", heading)
        if with_name:
            line = add(top, "p", class_="name")
            for label in ("Name", "Date"):
                add(line, "span", f"{label}:")
        return root, body

    def paper(self, asked: Sequence[Problem]) -> str:
        """The questions, with space to answer."""
        root, body = self._page("Quiz", with_name=True)
        for chapter, problem in _with_headings(asked):
            if chapter:
                add(body, "h2", chapter)
            section = add(body, "section", class_="problem")
            add(section, "b", f"{problem.number}", class_="number")
            told = add(section, "div")
            self._fill(told, problem.text)
            if problem.task:
                add(told, "p", "Answer:", class_="space")
                continue
            for letter, choice in zip(LETTERS, problem.choices, strict=False):
                line = add(told, "div", class_="choice")
                add(line, "b", letter)
                self._fill(add(line, "span"), choice.text, is_line=True)
        return written(root)

    def answers(self, asked: Sequence[Problem]) -> str:
        """A sheet to fill in."""
        root, body = self._page("Answer sheet", with_name=True)
        add(body, "p", "Fill in one circle for each question, or write the number.", class_="note")
        table = add(body, "div", class_="fields")
        for problem in asked:
            line = add(table, "div", class_="field")
            add(line, "b", f"{problem.number}", class_="number")
            if problem.task:
                add(line, "span", class_="blank")
            for letter, _ in zip(LETTERS, problem.choices, strict=False):
                add(line, "span", letter, class_="circle")
        return written(root)

    def key(self, asked: Sequence[Problem]) -> str:
        """The answers in short, then each with its reasons."""
        root, body = self._page("Key for the teacher", with_name=False)
        table = add(body, "div", class_="fields short")
        for problem in asked:
            line = add(table, "div", class_="field")
            add(line, "b", f"{problem.number}", class_="number")
            add(line, "span", problem.answer)
        for chapter, problem in _with_headings(asked):
            if chapter:
                add(body, "h2", chapter)
            section = add(body, "section", class_="problem")
            add(section, "b", f"{problem.number}", class_="number")
            told = add(section, "div")
            head = add(told, "p", class_="right")
            add(head, "b", problem.answer)
            add(head, "small", _accepted(problem))
            if problem.task:
                self._fill(told, problem.task.why)
            for letter, choice in zip(LETTERS, problem.choices, strict=False):
                line = add(told, "div", class_="choice right" if choice.is_right else "choice")
                add(line, "b", letter)
                said = add(line, "div")
                self._fill(add(said, "p", class_="chosen"), choice.text, is_line=True)
                self._fill(said, choice.why)
        return written(root)


def _accepted(problem: Problem) -> str:
    if not problem.task:
        return problem.label
    low, high = problem.task.accepted
    accepted = f"accepted: {low:f} to {high:f}".replace("-", MINUS)
    return f"{problem.label} · {accepted}"


def _with_headings(asked: Iterable[Problem]) -> Iterator[tuple[str, Problem]]:
    """Each with the title of its chapter where that begins, and with nothing elsewhere."""
    before = ""
    for problem in asked:
        yield ("" if problem.chapter == before else problem.chapter), problem
        before = problem.chapter


def written(root: ET.Element) -> str:
    return "<!DOCTYPE html>\n" + ET.tostring(root, encoding="unicode", method="html") + "\n"


def style(done: Typeset) -> str:
    """The faces, the mathematics and the paper, with every file inside."""
    faces = (FACES / "fonts.css").read_text(encoding="utf8")
    parts = [_inside(faces, FACES), _inside(done.style, ASSETS), STYLE.read_text(encoding="utf8")]
    return "\n".join(parts)


def _inside(css: str, folder: Path) -> str:
    def data(match: re.Match[str]) -> str:
        encoded = base64.b64encode((folder / match[1]).read_bytes()).decode()
        return f'url("data:font/{match[2]};base64,{encoded}")'

    return URL.sub(data, css)


# --- on paper ------------------------------------------------------------------------------------


def pdf(html: str, out: Path) -> None:
    """Prints a page with Chromium. Raises ``FileNotFoundError`` if there is none."""
    with open_browser() as browser:
        page = browser.new_context(offline=True).new_page()
        page.set_content(html)
        page.evaluate("document.fonts.ready.then(() => 0)")
        page.pdf(path=out, prefer_css_page_size=True, print_background=True)
