"""What the exports hold, as a system that imports them reads it, is what the bank holds."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from book import read_book
from course import moodle as moodle_writer
from course import qti as qti_writer
from course.in_html import blocks, inline
from course.numerical import KINDS, variants
from course.questions import Choice, Question, bank
from course.quizzes import Quiz, by_chapter, titles
from course.tasks import Task
from lms_readers import Choose, NotWellFormed, Number, Read, markdown, moodle, one_line, qti

FEW = 3  # seeds of each kind: the others are no different in form
WRITERS: dict[str, Callable[[list[Quiz]], bytes]] = {
    "qti": qti_writer.package,
    "moodle": moodle_writer.question_bank,
}
READERS: dict[str, Callable[[bytes], list[Read]]] = {"qti": qti, "moodle": moodle}
each_format = pytest.mark.parametrize("name", list(WRITERS))


@pytest.fixture(scope="module")
def quizzes() -> list[Quiz]:
    book = read_book()
    tasks = [task for kind in KINDS for task in variants(kind, FEW)]
    return by_chapter(bank(book), tasks, titles(book))


@pytest.fixture(scope="module")
def written(quizzes: list[Quiz]) -> dict[str, bytes]:
    return {name: write(quizzes) for name, write in WRITERS.items()}


# --- the comparison, used on what is right and on what is broken ---------------------------------


def require_same(quizzes: list[Quiz], read: list[Read]) -> None:
    assert len(read) == len(quizzes)
    for quiz, back in zip(quizzes, read, strict=True):
        assert back.title.endswith(quiz.title)
        assert len(back.choose) == len(quiz.questions)
        for question, choose in zip(quiz.questions, back.choose, strict=True):
            require_same_choices(question, choose)
        assert len(back.pools) == len(quiz.groups)
        for group, pool in zip(quiz.groups, back.pools, strict=True):
            assert pool.title.endswith(group.title)
            assert pool.picks == 1
            assert len(pool.numbers) == len(group.tasks)
            for task, number in zip(group.tasks, pool.numbers, strict=True):
                require_same_number(task, number)


def require_same_choices(question: Question, choose: Choose) -> None:
    assert choose.name == question.label
    assert choose.is_shuffled
    assert markdown(choose.html) == one_line(question.text)
    assert [markdown(one.html) for one in choose.offered] == [
        one_line(choice.text) for choice in question.choices
    ]
    for choice, one in zip(question.choices, choose.offered, strict=True):
        assert one.reply.score == int(choice.is_right)
        assert [markdown(html) for html in one.reply.said] == [one_line(choice.why)]


def require_same_number(task: Task, number: Number) -> None:
    assert number.name == f"{task.label}-s{task.seed}"
    assert markdown(number.html) == one_line(task.text)
    assert markdown(number.said) == one_line(task.why)
    assert (number.low, number.high) == task.accepted
    assert number.reply(task.shown).score == 1
    assert number.reply(repr(task.answer)).score == 1
    unit = Decimal(1).scaleb(-task.decimals)
    for aside in (-unit, unit):
        assert number.reply(str(Decimal(task.shown) + 2 * aside)).score == 0


@each_format
def test_what_is_read_is_what_the_bank_holds(
    name: str, quizzes: list[Quiz], written: dict[str, bytes]
) -> None:
    assert len(quizzes) == len(read_book().chapters)
    require_same(quizzes, READERS[name](written[name]))


@each_format
def test_the_bytes_are_the_same_each_time(
    name: str, quizzes: list[Quiz], written: dict[str, bytes]
) -> None:
    assert WRITERS[name](quizzes) == written[name]


def test_the_package_says_nothing_of_when_it_was_made(written: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(written["qti"])) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(1980, 1, 1)}


@each_format
def test_nothing_to_export_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="there is no quiz"):
        WRITERS[name]([])


# --- breakings -----------------------------------------------------------------------------------

QUESTION = Question(
    "q-06-1",
    "Is $a<b$ & `x<y`, or <b>not</b>?",
    (
        Choice("Yes, $1<2$", "It *is*.", True),
        Choice("No", "Look: 1 < 2.", False),
        Choice("<i>Who</i> & knows", "You do.", False),
    ),
)
TASK = Task("n-06-1", 4, "How large is $x<1$?", 0.123456, "It is $0.123456$.", 3, "A number / two")
SMALL = [*by_chapter([QUESTION], [TASK], {"06": "6 The / M-step"})]


@each_format
def test_signs_that_markup_uses_come_back_as_they_were(name: str) -> None:
    [read] = READERS[name](WRITERS[name](SMALL))
    require_same(SMALL, [read])
    assert "a<b" in markdown(read.choose[0].html)
    assert "<b>" not in read.choose[0].html


def test_a_slash_in_a_title_begins_no_category() -> None:
    [read] = moodle(WRITERS["moodle"](SMALL))
    assert read.title == "6 The / M-step"
    assert [pool.title for pool in read.pools] == ["n-06-1 A number / two"]


def changed(name: str, old: str, new: str) -> list[Read]:
    """The small export with something wrong in it, read."""
    data = WRITERS[name](SMALL)
    if name == "moodle":
        data.index(old.encode())  # a ValueError: no breaking
        return moodle(data.replace(old.encode(), new.encode()))
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(held, "w") as after:
        content = {path: before.read(path).decode() for path in before.namelist()}
        "".join(content.values()).index(old)
        for path, text in content.items():
            after.writestr(path, text.replace(old, new))
    return qti(held.getvalue())


SET_RIGHT = '<conditionvar>\n              <varequal respident="response1">q-06-1-a</varequal>\n'
BREAKINGS = {
    "a wrong choice counts as right": [
        ("moodle", '<answer fraction="0" format="html">', '<answer fraction="100" format="html">'),
        ("qti", SET_RIGHT, SET_RIGHT.replace("-a<", "-b<")),
    ],
    "the right choice counts as wrong": [
        ("moodle", '<answer fraction="100" format="html">', '<answer fraction="0" format="html">'),
        ("qti", '<setvar action="Set" varname="SCORE">100<', '<setvar varname="SCORE">0<'),
    ],
    "the rounded answer is refused": [
        ("moodle", "<tolerance>0.000", "<tolerance>0.0000"),
        ("qti", ">0.122955<", ">0.123400<"),
    ],
    "too much is accepted": [
        ("moodle", "<tolerance>0.000", "<tolerance>0.1"),
        ("qti", ">0.123956<", ">0.9<"),
    ],
    "the feedback of another choice": [
        ("moodle", "Look: 1 &amp;lt; 2.", "You do."),
        ("qti", 'linkrefid="q-06-1-b_fb"', 'linkrefid="q-06-1-c_fb"'),
    ],
    "feedback that is not there": [("qti", 'linkrefid="general_fb"', 'linkrefid="some_fb"')],
    "a sign that is not escaped": [
        ("moodle", "a&amp;lt;b", "a&lt;b"),
        ("qti", "a&amp;lt;b", "a&lt;b"),
    ],
    "elements in another order": [
        (
            "qti",
            "<qtimetadatafield>\n              <fieldlabel>",
            "<qtimetadatafield>\n<fieldentry/><fieldlabel>",
        ),
        ("qti", "<itemfeedback ", "<presentation/><itemfeedback "),
    ],
    "a file that is not there": [("qti", "assessment_meta.xml", "meta.xml")],
    "the same name twice": [("qti", 'ident="n-06-1"', 'ident="q-06-1"')],
    "all variants at once": [("qti", "<selection_number>1<", "<selection_number>2<")],
    "choices in one order": [
        ("moodle", "<shuffleanswers>true<", "<shuffleanswers>false<"),
        ("qti", 'shuffle="Yes"', 'shuffle="No"'),
    ],
    "text that is no HTML": [
        ("moodle", '<questiontext format="html">', '<questiontext format="plain_text">'),
        ("qti", 'texttype="text/html"', 'texttype="text/plain"'),
    ],
}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        pytest.param(*one, id=f"{what}, {one[0]}-{k}")
        for what, ones in BREAKINGS.items()
        for k, one in enumerate(ones)
    ],
)
def test_what_is_broken_is_seen(name: str, old: str, new: str) -> None:
    with pytest.raises((AssertionError, NotWellFormed)):
        require_same(SMALL, changed(name, old, new))


@each_format
def test_what_is_changed_in_nothing_is_not_seen(name: str) -> None:
    require_same(SMALL, changed(name, "M-step", "M-step"))


# --- Markdown to HTML ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Is $a<b$?", r"<p>Is \(a&lt;b\)?</p>"),
        ("A `x<y`.\n\nB", "<p>A <code>x&lt;y</code>.</p>\n<p>B</p>"),
        ("So\n\n$$\na & b\\\\\n$$\n\nend.", "<p>So</p>\n<p>\\[a &amp; b\\\\\\]</p>\n<p>end.</p>"),
        ("It costs 5 & <b>more</b>", "<p>It costs 5 &amp; &lt;b&gt;more&lt;/b&gt;</p>"),
        (r"$\alpha_1*\alpha_2*3$", r"<p>\(\alpha_1*\alpha_2*3\)</p>"),
    ],
)
def test_markdown_becomes_html_with_math_for_mathjax(text: str, html: str) -> None:
    assert blocks(text) == html


def test_a_choice_is_one_line() -> None:
    assert inline("Mean $3$, *not* 4") == r"Mean \(3\), <em>not</em> 4"


def test_a_role_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\{eq\}`eq-ascent` is a role of the book"):
        blocks("As in {eq}`eq-ascent`.")


# --- a chapter's questions together --------------------------------------------------------------


def test_a_chapter_without_a_title_is_refused() -> None:
    with pytest.raises(ValueError, match="questions on chapter 06"):
        by_chapter([QUESTION], [], {"07": "7 The worked example"})


def test_a_task_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="n-06-1 with the seed 4 is given twice"):
        by_chapter([], [TASK, replace(TASK)], {"06": "6 The M-step"})


def test_variants_of_one_kind_are_together() -> None:
    [quiz] = by_chapter([QUESTION], [TASK, replace(TASK, seed=5)], {"06": "6"})
    assert [[task.seed for task in group.tasks] for group in quiz.groups] == [[4, 5]]
