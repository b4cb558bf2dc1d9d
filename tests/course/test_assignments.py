"""The graded assignments: their masters, one whole cycle, and whatever may be handed in."""

import ast
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from course import assignments
from course.assignments import (
    LIMITS,
    MASTERS,
    Answer,
    Built,
    Case,
    CourseError,
    Graded,
    Question,
    Row,
    answered,
    build,
    contents,
    grade,
    inside,
    masters,
    problem,
    read_answers,
    table,
)

NAMES = ("e-step", "find-the-bug", "loop", "m-step", "own-data", "worked-example")
NAME = "m-step"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(MASTERS / NAME, tmp_path_factory.mktemp("course"))


def notebook_of(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def saved(notebook: Any, path: Path) -> Path:
    assignments.write(notebook, path)
    return path


# ---- the masters -----------------------------------------------------------------------------


def test_there_are_six() -> None:
    assert tuple(path.name for path in masters()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_master_says_what_it_is(name: str) -> None:
    """Points and limits stand in the notebook; they are those of the grader."""
    about = contents(MASTERS / name / f"{name}.ipynb")
    head = notebook_of(MASTERS / name / f"{name}.ipynb").cells[1].source
    points = sum(question["points"] for question in about["questions"])
    by_hand = sum(question["points"] for question in about["questions"] if question["manual"])
    said = f"**Points:** {points:g}" + (f", of which {by_hand:g} are given by hand" * bool(by_hand))
    assert said + "." in head
    for word in ("**Aim.**", "**Goes with** chapter", "**Time:** about"):
        assert word in head
    limits = "test may take {test:g} seconds, a cell {cell:g} seconds and the whole notebook "
    limits += "{notebook:g} seconds, with {memory:g} GB"
    gigabytes = LIMITS | {"memory": LIMITS["memory"] / 2**30}
    assert limits.format(**gigabytes) in " ".join(head.split())


@pytest.mark.parametrize("name", NAMES)
def test_a_master_has_three_to_five_wrong_answers(name: str) -> None:
    wrong = read_answers(MASTERS / name / "answers.toml")
    assert 3 <= len(wrong) <= 5
    assert len({answer["name"] for answer in wrong}) == len(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_every_stub_says_what_to_do(name: str) -> None:
    """One friendly line for each function, or the code that has the bug."""
    master = notebook_of(MASTERS / name / f"{name}.ipynb")
    stubs = [cell.source for cell in master.cells if "# BEGIN PROMPT" in cell.source]
    assert len(stubs) == sum(bool(q["defines"]) for q in contents_of(name))
    for source in stubs:
        prompt = source.partition("# BEGIN PROMPT\n")[2].partition('"""')[0].strip()
        said = re.fullmatch(
            r'raise NotImplementedError\("Question \d: write (\w+) here\."\)', prompt
        )
        assert said or "return" in prompt
        assert not said or f"def {said[1]}(" in source


def contents_of(name: str) -> list[dict[str, Any]]:
    questions: list[dict[str, Any]] = contents(MASTERS / name / f"{name}.ipynb")["questions"]
    return questions


TEST = '"""# BEGIN TEST CONFIG\n{0}points: 1\nfailure_message: {1}\n"""  # END TEST CONFIG\n{2}'
SEEN = TEST.format("", "Wrong.", "def seen(f):\n    assert f() == 1\n")
UNSEEN = TEST.format("hidden: true\n", "Wrong.", "def unseen(f):\n    assert f() == 1\n")
SOLVED = "def f():\n    # BEGIN SOLUTION NO PROMPT\n    return 1\n    # END SOLUTION\n"


def small_master(folder: Path, solved: list[str], tests: list[str]) -> Path:
    cells = [
        new_raw_cell("# ASSIGNMENT CONFIG\nname: small\ntests:\n  ok_format: false"),
        new_raw_cell("# BEGIN QUESTION\nname: q1"),
        new_markdown_cell("Write f."),
        new_raw_cell("# BEGIN SOLUTION"),
        *map(new_code_cell, solved),
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# BEGIN TESTS"),
        *map(new_code_cell, tests),
        new_raw_cell("# END TESTS"),
        new_raw_cell("# END QUESTION"),
    ]
    folder.mkdir(exist_ok=True)
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    master = new_notebook(cells=cells, metadata={"kernelspec": spec})
    return saved(master, folder / "small.ipynb")


def test_a_small_master_is_read(tmp_path: Path) -> None:
    (question,) = contents(small_master(tmp_path, [SOLVED], [SEEN, UNSEEN]))["questions"]
    assert (question["name"], question["defines"], question["points"]) == ("q1", "f", 2)
    assert [case["hidden"] for case in question["cases"]] == [False, True]


@pytest.mark.parametrize(
    ("solved", "tests", "cell", "says"),
    [
        ([SOLVED], [SEEN], 2, "a hidden one"),
        ([SOLVED], [UNSEEN], 2, "that the student sees"),
        ([], [SEEN, UNSEEN], 2, "needs a solution"),
        ([SOLVED, SOLVED], [SEEN, UNSEEN], 6, "a second solution cell"),
        (["def f():\n    return 1\n"], [SEEN, UNSEEN], 5, "stands once between"),
        ([SOLVED + "def g(): ...\n"], [SEEN, UNSEEN], 5, "one function, not 2"),
        ([SOLVED], [SEEN.replace("Wrong", 'A "word"'), UNSEEN], 8, "failure_message"),
        ([SOLVED], ["def seen(f): ...\n", UNSEEN], 8, "failure_message"),
    ],
)
def test_a_bad_master_is_refused_with_its_cell(
    solved: list[str], tests: list[str], cell: int, says: str, tmp_path: Path
) -> None:
    with pytest.raises(CourseError, match=rf"small\.ipynb, cell {cell}: .*{says}"):
        contents(small_master(tmp_path, solved, tests))


def test_a_master_that_is_not_there_or_no_notebook(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"one\.ipynb is not there"):
        build(tmp_path / "one", tmp_path)
    (tmp_path / "small").mkdir()
    (tmp_path / "small/small.ipynb").write_text("{")
    with pytest.raises(CourseError, match=r"small\.ipynb cannot be read as a notebook"):
        build(tmp_path / "small", tmp_path)


def test_what_otter_refuses_is_said(tmp_path: Path) -> None:
    master = small_master(tmp_path / "small", [SOLVED], [SEEN, UNSEEN])
    master.write_text(master.read_text().replace("# END QUESTION", "# END PROMPT"))
    with pytest.raises(CourseError, match=r"small\.ipynb: otter assign ended with: .*prompt"):
        build(tmp_path / "small", tmp_path / "out")


# ---- what is handed out ------------------------------------------------------------------------


def text_of(path: Path, without: tuple[str, ...] = ()) -> str:
    """All that stands in a notebook or in the members of a zip, but for some of them."""
    if path.suffix != ".zip":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        names = sorted(set(archive.namelist()) - set(without))
        return "\n".join(archive.read(name).decode("utf-8") for name in names)


def cases_of(built: Built, hidden: bool) -> list[str]:
    questions = inside(built.autograder)["questions"]
    return [c["name"] for q in questions for c in q["cases"] if c["hidden"] is hidden]


def test_hidden_tests_are_with_the_grader_only(built: Built) -> None:
    assert len(cases_of(built, True)) >= 7
    for name in cases_of(built, True):
        assert name in text_of(built.autograder)
        assert name not in text_of(built.student)
        assert name not in text_of(built.student_zip)
    for name in cases_of(built, False):
        assert name in text_of(built.student_zip)


def test_solutions_and_rubrics_are_with_the_teacher_only(built: Built) -> None:
    for words in ("Rubric", "centered.T) @ centered", "responsibilities.sum(axis=0) / len"):
        assert words in text_of(built.solution)
        assert words not in text_of(built.student)
        assert words not in text_of(built.student_zip)
    for mark in ("BEGIN SOLUTION", "BEGIN PROMPT", "NotImplementedError"):
        assert mark not in text_of(built.solution)
    assert text_of(built.student).count("raise NotImplementedError") == 3


def test_nothing_names_this_machine(built: Built) -> None:
    here = [str(assignments.ROOT), str(Path.home()), str(built.student.parents[2])]
    container = ("run_autograder", "run_otter.py", "setup.sh")  # otter's own paths, elsewhere
    for path in (built.student, built.student_zip, built.autograder, built.solution):
        text = text_of(path, container)
        assert [place for place in here if place in text] == []


def test_it_is_built_the_same_twice(built: Built, tmp_path: Path) -> None:
    again = build(MASTERS / NAME, tmp_path)
    for name in ("student_zip", "autograder", "solution"):
        assert getattr(again, name).read_bytes() == getattr(built, name).read_bytes(), name


# ---- the cycle -----------------------------------------------------------------------------------


def test_a_solution_is_handed_in_and_graded(built: Built) -> None:
    result = grade(built.solution, built.autograder)
    assert result.notes == ()
    assert [(q.name, q.score, q.possible) for q in result.questions if not q.manual] == [
        ("q2", 5, 5),
        ("q4", 2, 2),
        ("q5", 5, 5),
    ]
    assert "q1: graded by hand, 5 points" in result.text()


def test_a_student_hands_in_a_zip_and_reads_the_feedback(built: Built, tmp_path: Path) -> None:
    """One question right, one wrong, one not begun."""
    answers = tmp_path / "answers.toml"
    answers.write_text(
        '[[wrong]]\nname = "by n"\nquestion = "q2"\nfails = "line_means_are_divided_by_counts"\n'
        "code = '''\nmeans = responsibilities.T @ x / len(x)\n"
        "squares = (x[:, np.newaxis] - means) ** 2\n"
        "return means, (responsibilities * squares).sum(axis=0) / responsibilities.sum(axis=0)'''\n"
    )
    wrong = answered(built, answers, tmp_path)[2]
    notebook, stub = notebook_of(wrong.path), notebook_of(built.student)
    (begun,) = (c for c in notebook.cells if c.source.startswith("def update_weights"))
    (begun.source,) = (c.source for c in stub.cells if c.source.startswith("def update_weights"))
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.writestr(f"{NAME}.ipynb", nbformat.v4.writes(notebook))
    result = grade(tmp_path / "mine.zip", built.autograder)
    assert result.question("q5").score == result.question("q5").possible == 5
    assert 0 < result.question("q2").score < 5
    assert wrong.fails in result.question("q2").failed
    assert problem(wrong, result) == "q4 lose points too"
    text = result.text()
    assert "Divide by N_j, the sum of the shares alone." in text
    assert "The points lie between 4 and 6. Your means are [3.0" in text
    assert text.count("Question 4: write update_weights here.") == 1
    assert "Traceback" not in text


def test_the_stub_gets_nothing_and_says_so_once(built: Built) -> None:
    result = grade(built.student, built.autograder)
    assert result.score == 0
    assert result.text().count("\n  - ") == 3


# ---- whatever may be handed in -------------------------------------------------------------------


def test_a_notebook_in_a_sorry_state(built: Built, tmp_path: Path) -> None:
    """Renamed, no outputs, another kernel; cells that raise, hang, are gone; a test that hangs."""
    notebook = notebook_of(built.solution)
    for cell in notebook.cells:
        if cell.source.startswith("def m_step_line"):
            cell.source = "def m_step_line(x, responsibilities):\n    while True: ...\n"
    notebook.cells = [c for c in notebook.cells if not c.source.startswith("def update_weights")]
    notebook.cells[2:2] = [
        new_code_cell("1 / 0"),
        new_code_cell("while True: ..."),
        new_code_cell("import numpy\nnumpy.empty(2**28)"),
        new_code_cell("import gmmlib\nraise ValueError(gmmlib.__file__)"),
    ]
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": {"name": "somebodys-own", "display_name": "R", "language": "R"}}
    )
    submission = tmp_path / "Copy of (1).ipynb"
    cells = [
        {"cell_type": cell.cell_type, "source": cell.source, "metadata": {"tags": ["otter_ignore"]}}
        for cell in notebook.cells
    ]
    submission.write_text(json.dumps(notebook | {"cells": cells}), encoding="utf-8")
    result = grade(submission, built.autograder, {"cell": 8, "test": 0.5})
    assert (result.question("q2").score, result.question("q4").score) == (0, 0)
    assert result.question("q5").score == 5
    text = result.text()
    assert "Cell 3 raised ZeroDivisionError: division by zero" in text
    assert "Cell 4 ran longer than 8 seconds and was stopped" in text
    assert re.search(r"Cell 5 raised \w*MemoryError", text)
    assert re.search(r"Cell 6 raised ValueError: \S*submission/gmmlib/__init__\.py", text)
    assert "No cell defines update_weights (q4)" in text
    assert "update_weights is not there. Its cell is missing" in text
    assert "ran longer than 0.5 seconds" in text
    assert "Traceback" not in text


def only(source: str, path: Path) -> Path:
    cells = [new_code_cell(source)]
    return saved(new_notebook(cells=cells), path)


@pytest.mark.parametrize(
    ("source", "limits", "says"),
    [
        ("import os\nos._exit(1)", {}, "Python itself ended while it ran"),
        ("import time\ntime.sleep(100)", {"notebook": 8}, "longer than 8 seconds"),
        ("from otter.execute import Checker\nChecker.get_results = None", {}, "last cell did not"),
    ],
)
def test_a_notebook_that_cannot_be_run_to_its_end(
    source: str, limits: dict[str, float], says: str, built: Built, tmp_path: Path
) -> None:
    result = grade(only(source, tmp_path / "one.ipynb"), built.autograder, limits)
    assert (result.score, result.possible) == (0, 12)
    assert says in result.notes[0]
    assert "No cell defines m_step_line (q2)" in result.text()
    assert "Traceback" not in result.text()


def test_the_process_of_the_grader_is_ended_too(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assignments, "GRACE", 0.0)
    submission = only("1", tmp_path / "one.ipynb")
    result = grade(submission, built.autograder, {"notebook": 0.5})
    assert result.score == 0
    assert result.notes[0] == "It was stopped: the time or the memory was used up."


def zipped(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.ipynb", b"", "The file is empty."),
        ("a.ipynb", b"  \n", "The file is empty."),
        ("a.ipynb", b"my answer is 42", "no Jupyter notebook"),
        ("a.ipynb", b"\xff\xfe\x00", "no Jupyter notebook"),
        ("a.ipynb", b"[1, 2]", "no Jupyter notebook"),
        ("a.ipynb", b'{"cells": 3, "nbformat": 4, "nbformat_minor": 5}', "no Jupyter notebook"),
        ("a.ipynb", b'{"cells": [{"cell_type": "code"}], "nbformat": 4}', "no Jupyter notebook"),
        ("a.py", b"def m_step_line(): ...", "no Jupyter notebook"),
        ("a.zip", b"PK", "cannot be unpacked"),
        ("a.zip", ("one.ipynb", "two.ipynb"), "holds 2 notebooks"),
        ("a.zip", ("one.pdf",), "holds 0 notebooks"),
        ("a.zip", ("one.ipynb",), "no Jupyter notebook"),
    ],
)
def test_what_is_no_notebook_is_graded(
    name: str, data: Any, says: str, built: Built, tmp_path: Path
) -> None:
    path = tmp_path / name
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        zipped(path, *data)
    result = grade(path, built.autograder)
    assert (result.score, result.possible) == (0, 12)
    assert says in result.notes[0]
    assert result.notes[0].endswith("Nothing could be graded.")


def test_an_empty_notebook_and_one_of_another_assignment(built: Built, tmp_path: Path) -> None:
    empty = saved(new_notebook(), tmp_path / "empty.ipynb")
    assert grade(empty, built.autograder).notes[0].startswith("The notebook has no cells with code")
    notebook = notebook_of(built.solution)
    notebook.metadata["otter"]["assignment_name"] = "loop"
    other = saved(notebook, tmp_path / "loop.ipynb")
    assert "a notebook of the assignment loop; m-step is" in grade(other, built.autograder).text()


def test_the_teachers_mistakes_are_errors(built: Built, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"There is no submission none\.ipynb"):
        grade(tmp_path / "none.ipynb", built.autograder)
    zipped(tmp_path / "other.zip", "one.txt")
    for path in (tmp_path / "other.zip", built.student, tmp_path / "none.zip"):
        with pytest.raises(CourseError, match=f"{path.name} is no autograder of this course"):
            grade(built.solution, path)


# ---- wrong answers -------------------------------------------------------------------------------

GOOD = {"name": "by n", "question": "q4", "fails": "updated_weights_sum_to_one", "code": "return 1"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"question": "q9"}, "there is no question 'q9' with tests. Name one of q2, q4, q5"),
        ({"question": "q1"}, "there is no question 'q1' with tests"),
        ({"fails": "nothing"}, "q4 has no test 'nothing'. Name one of updated_weights_sum_to_one"),
        ({"fails": "line_of_three_points"}, "q4 has no test 'line_of_three_points'"),
        ({"code": "return ("}, "the code is no Python"),
        (
            {"code": "return responsibilities.sum(axis=0) / len(responsibilities)"},
            "the code is the solution",
        ),
        ({"code": ""}, "has no code"),
        ({"name": ""}, "has no name"),
    ],
)
def test_a_file_of_wrong_answers_that_is_wrong(
    change: dict[str, str], says: str, built: Built, tmp_path: Path
) -> None:
    path = tmp_path / "answers.toml"
    second = GOOD | change
    path.write_text(
        "".join(
            "[[wrong]]\n" + "".join(f"{key} = {json.dumps(text)}\n" for key, text in entry.items())
            for entry in (GOOD, second)
        )
    )
    with pytest.raises(CourseError) as error:
        answered(built, path, tmp_path)
    assert str(error.value).startswith("answers.toml, wrong answer 2")
    assert says in str(error.value)


def test_a_file_of_wrong_answers_that_cannot_be_read(built: Built, tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    with pytest.raises(CourseError, match=r"answers\.toml cannot be read"):
        answered(built, path, tmp_path)
    path.write_text("[[wrong]]\nname = \n")
    with pytest.raises(CourseError, match=r"answers\.toml cannot be read: .*line 2"):
        answered(built, path, tmp_path)


def test_a_wrong_answer_replaces_the_solution_only(built: Built, tmp_path: Path) -> None:
    solution, stub, *wrong = answered(built, MASTERS / NAME / "answers.toml", tmp_path)
    assert (solution.path, stub.path) == (built.solution, built.student)
    before = notebook_of(built.solution).cells
    for answer in wrong:
        after = notebook_of(answer.path).cells
        changed = [
            (old.source, new.source)
            for old, new in zip(before, after, strict=True)
            if old.source != new.source
        ]
        ((old, new),) = changed
        heads = [source.splitlines()[:2] for source in (old, new)]
        assert heads[0] == heads[1]  # the function's name and what it says
        assert len(ast.parse(new).body) == 1


def outcome(**scores: float) -> Graded:
    cases = (Case("seen", False, True, ""), Case("unseen", True, False, "Wrong."))
    questions = [
        Question(name, score, 3, False, cases if score < 3 else cases[:1])
        for name, score in scores.items()
    ]
    return Graded("small", (*questions, Question("q9", 0, 4, True, ())))


@pytest.mark.parametrize(
    ("answer", "graded", "says"),
    [
        (Answer("solution", Path()), outcome(q1=3, q2=3), ""),
        (Answer("solution", Path()), outcome(q1=3, q2=2), "the solution loses points"),
        (Answer("stub", Path()), outcome(q1=0, q2=0), ""),
        (Answer("stub", Path()), outcome(q1=0, q2=1), "the stub gets 1 points"),
        (Answer("slip", Path(), "q1", "unseen"), outcome(q1=2, q2=3), ""),
        (Answer("slip", Path(), "q1", "seen"), outcome(q1=2, q2=3), "seen passes"),
        (Answer("slip", Path(), "q1", "unseen"), outcome(q1=3, q2=3), "unseen passes"),
        (Answer("slip", Path(), "q1", "unseen"), outcome(q1=2, q2=1), "q2 lose points too"),
    ],
)
def test_what_is_wrong_with_a_grade(answer: Answer, graded: Graded, says: str) -> None:
    assert problem(answer, graded) == says
    line = table([Row("small", answer, graded, says)])[1]
    assert line.startswith("small")
    assert f"{graded.score:g}/6" in line
    assert ("PROBLEM: " + says in line) is bool(says)


def test_a_broken_solution_is_seen(tmp_path: Path) -> None:
    """The whole cycle on a master whose own solution fails."""
    source = tmp_path / "small"
    small_master(source, [SOLVED.replace("return 1", "return 2")], [SEEN, UNSEEN])
    result = grade(build(source, tmp_path / "out").solution, tmp_path / "out/small/autograder.zip")
    assert problem(Answer("solution", Path()), result) == "the solution loses points"
    assert "Wrong. (seen: )" in result.text()
    shutil.rmtree(source)
