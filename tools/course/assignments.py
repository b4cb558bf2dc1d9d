"""The graded assignments: built by otter-grader from their masters, submissions graded.

``course/assignments/NAME/`` holds the master notebook and ``answers.toml``, the wrong answers that
its tests must catch. ``build`` makes what students and graders get, ``grade`` grades one
submission and never ends in a traceback, ``tried`` and ``table`` show that the solution passes, the
stub fails and each wrong answer fails the test that is meant for it.
"""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import tomllib
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat import NotebookNode

import notebooks

ROOT = Path(__file__).parents[2]
MASTERS = ROOT / "course" / "assignments"
LIMITS = {"test": 5.0, "cell": 60.0, "notebook": 300.0, "memory": 2.0 * 2**30}
GRACE = 30.0  # seconds in which otter may put its things away
CONTENTS = "course.json"  # what the autograder's tests are, beside them in the zip
BEGIN, END = "# BEGIN SOLUTION NO PROMPT", "# END SOLUTION"
PROMPT = re.compile(r'^ *"""# BEGIN PROMPT\n.*?^ *"""  # END PROMPT\n?', re.MULTILINE | re.DOTALL)


class CourseError(Exception):
    """What is wrong with an assignment, where, and what its teacher can do."""


@dataclass(frozen=True)
class Built:
    """What one assignment was built into."""

    name: str
    student: Path  # the notebook that is handed out
    student_zip: Path
    autograder: Path
    solution: Path  # the notebook with the solutions and rubrics


@dataclass(frozen=True)
class Case:
    """One test of a question, as it went."""

    name: str
    hidden: bool
    passed: bool
    says: str


@dataclass(frozen=True)
class Question:
    """One question of a submission. What is graded by hand has no score yet and no cases."""

    name: str
    score: float
    possible: float
    manual: bool
    cases: tuple[Case, ...]

    @property
    def failed(self) -> list[str]:
        return [case.name for case in self.cases if not case.passed]


@dataclass(frozen=True)
class Graded:
    """A graded submission: its questions, and what is to be said about it as a whole."""

    assignment: str
    questions: tuple[Question, ...]
    notes: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        return sum(question.score for question in self.questions)

    @property
    def possible(self) -> float:
        """The points that the autograder gives."""
        return sum(question.possible for question in self.questions if not question.manual)

    def question(self, name: str) -> Question:
        return next(question for question in self.questions if question.name == name)

    def text(self) -> str:
        """The feedback for the student."""
        lines = [f"{self.assignment}: {self.score:g} of {self.possible:g} points by the autograder"]
        lines += [f"  {note}" for note in self.notes]
        for question in self.questions:
            if question.manual:
                lines.append(f"{question.name}: graded by hand, {question.possible:g} points")
                continue
            lines.append(f"{question.name}: {question.score:g} of {question.possible:g} points")
            failed = [case for case in question.cases if not case.passed]
            says = list(dict.fromkeys(case.says for case in failed))
            lines += [f"  - {text}" for text in says]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Answer:
    """A submission made by ``answered``. A wrong answer names the test that must catch it."""

    name: str
    path: Path
    question: str = ""
    fails: str = ""


@dataclass(frozen=True)
class Row:
    """How a made submission was graded, and what is wrong with that, if anything."""

    assignment: str
    answer: Answer
    graded: Graded
    problem: str


# ---- the master ------------------------------------------------------------------------------


def place(path: Path) -> str:
    """A file's name for a message: from the root of the project where it lies in it."""
    path = path.resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def read_notebook(path: Path) -> NotebookNode:
    try:
        return nbformat.v4.reads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(
            f"{place(path)} is not there. A master is course/assignments/NAME/NAME.ipynb."
        ) from None
    except Exception as error:
        raise CourseError(
            f"{place(path)} cannot be read as a notebook ({error}). Open and save it in JupyterLab."
        ) from None


def contents(master: Path) -> dict[str, Any]:
    """The questions of a master: points, functions, tests. Raises CourseError with the cell."""
    questions: list[dict[str, Any]] = []
    block = ""
    for number, cell in enumerate(read_notebook(master).cells, 1):
        here = f"{place(master)}, cell {number}"
        mark = re.match(r"# (BEGIN|END) (\w+)", cell.source) if cell.cell_type == "raw" else None
        if mark:
            block = mark[2] if mark[1] == "BEGIN" and mark[2] != "QUESTION" else ""
            if mark[0] == "# BEGIN QUESTION":
                config = yaml.safe_load(cell.source)
                manual = bool(config.get("manual"))
                questions.append(
                    {
                        "name": config["name"],
                        "manual": manual,
                        "points": float(config.get("points", 0)) if manual else 0.0,
                        "defines": "",
                        "cases": [],
                        "cell": number,
                    }
                )
        elif block == "SOLUTION" and cell.cell_type == "code":
            found = cleaned(cell.source, here)
            if questions[-1]["defines"]:
                raise CourseError(f"{here}: a second solution cell in one question. Join the two.")
            questions[-1]["defines"] = defined(found[0], here)
        elif block == "TESTS":
            questions[-1]["cases"].append(read_test(cell.source, here))
    for question in questions:
        question["points"] += sum(case["points"] for case in question["cases"])
        kinds = {case["hidden"] for case in question["cases"]}
        if not question["manual"] and (kinds != {True, False} or not question["defines"]):
            raise CourseError(
                f"{place(master)}, cell {question['cell']}: {question['name']} needs a solution "
                "cell, a test that the student sees and a hidden one."
            )
    return {"assignment": master.stem, "questions": questions}


def cleaned(source: str, here: str) -> tuple[str, int, int]:
    """A solution cell without otter's marks, and where its answer begins and ends."""
    lines = PROMPT.sub("", source).splitlines()
    marks = [i for i, line in enumerate(lines) if line.strip() in (BEGIN, END)]
    if len(marks) != 2 or lines[marks[0]].strip() != BEGIN:
        raise CourseError(
            f"{here}: a solution stands once between the lines {BEGIN!r} and {END!r}."
        )
    first, last = marks
    kept = [line for i, line in enumerate(lines) if i not in marks]
    return "\n".join(kept).rstrip() + "\n", first, last - 1


def defined(source: str, here: str) -> str:
    """The function that a solution cell defines."""
    functions = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    if len(functions) != 1:
        raise CourseError(f"{here}: a solution cell defines one function, not {len(functions)}.")
    return functions[0]


def read_test(source: str, here: str) -> dict[str, Any]:
    """Name, points and message of a test cell."""
    head = re.match(r'"""# BEGIN TEST CONFIG\n(.*?)\n"""  # END TEST CONFIG\n', source, re.DOTALL)
    config = yaml.safe_load(head[1]) if head else {}
    message = str(config.get("failure_message", ""))
    # otter writes the message into a Python string as it stands
    if not message or re.search(r'["\\\n]', message):
        raise CourseError(
            f"{here}: a test begins with a configuration that has a failure_message, in one "
            'paragraph without " and backslash.'
        )
    return {
        "name": defined(source, here),
        "hidden": bool(config.get("hidden")),
        "points": float(config.get("points", 0)),
        "failure_message": message,
    }


# ---- building ----------------------------------------------------------------------------------


def build(source: Path, out: Path) -> Built:
    """Run otter assign on ``source``, a master's folder, into ``out/NAME``.

    Raises
    ------
    CourseError
        If the master is not as it should be, or otter refuses it.
    """
    master = source / f"{source.name}.ipynb"
    about = contents(master)
    target = out / source.name
    with tempfile.TemporaryDirectory() as folder:
        work, result = Path(folder) / "source", Path(folder) / "result"
        shutil.copytree(source, work, ignore=shutil.ignore_patterns("answers.toml", ".*"))
        # whoever grades elsewhere has no gmmlib: the tests bring it along
        shutil.copytree(ROOT / "gmmlib", work / "gmmlib", ignore=shutil.ignore_patterns("__*__"))
        shutil.copy(ROOT / "gmmlib" / "__init__.py", work / "gmmlib")
        for below in (ROOT / "gmmlib").rglob("*/__init__.py"):
            shutil.copy(below, work / below.relative_to(ROOT))
        run = in_a_process(["assign", str(work / master.name), str(result)], Path(folder), 120)
        if run.returncode:
            said = [line for line in run.stderr.splitlines() if line.strip()] or ["no message"]
            raise CourseError(
                f"{place(master)}: otter assign ended with: {said[-1]}. Look at the cell that it "
                "names, or run otter assign on the master by hand."
            )
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(result / "student", target / "student")
        (target / "solution").mkdir()
        ids = {cell.id for cell in read_notebook(master).cells}
        student = same_ids(read_notebook(result / "student" / master.name), ids)
        write(student, target / "student" / master.name)
        solution = same_ids(read_notebook(result / "autograder" / master.name), ids)
        write(teachers(solution, about, master), target / "solution" / master.name)
        (archive,) = (result / "autograder").glob("*.zip")
        with zipfile.ZipFile(archive) as packed:
            members = {name: packed.read(name) for name in packed.namelist()}
    members[CONTENTS] = json.dumps(about, indent=1, ensure_ascii=False).encode()
    pack(members, target / "autograder.zip")
    handed = [path for path in (target / "student").rglob("*") if path.is_file()]
    members = {
        path.relative_to(target / "student").as_posix(): path.read_bytes() for path in handed
    }
    pack(members, target / "student.zip")
    return Built(
        source.name,
        target / "student" / master.name,
        target / "student.zip",
        target / "autograder.zip",
        target / "solution" / master.name,
    )


def same_ids(notebook: NotebookNode, ids: set[str]) -> NotebookNode:
    """Ids by content for the cells that otter added; it draws them at random."""
    for cell in notebook.cells:
        if cell.id not in ids:
            cell.id = ""
    notebooks.give_ids(notebook)
    return notebook


def teachers(notebook: NotebookNode, about: dict[str, Any], master: Path) -> NotebookNode:
    """The solutions without otter's marks; each solution cell says which lines are the answer."""
    names = iter([q["name"] for q in about["questions"] if not q["manual"]])
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and "otter_assign_solution_cell" in tags:
            cell.source, first, last = cleaned(cell.source, place(master))
            cell.metadata["course"] = {"question": next(names), "lines": [first, last]}
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    path.write_text(nbformat.v4.writes(notebook).rstrip("\n") + "\n", encoding="utf-8")


def pack(members: dict[str, bytes], path: Path) -> None:
    """A zip that is the same whenever and wherever it is made."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            about = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            about.external_attr = (0o755 if name in ("run_autograder", "setup.sh") else 0o644) << 16
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, members[name])


def in_a_process(
    arguments: list[str], folder: Path, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run ``otter_process.py``; after ``seconds`` its whole group of processes is ended."""
    environment = os.environ | {
        "PYTHONPATH": "",  # gmmlib comes from the autograder, as wherever else it is used
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "TMPDIR": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_PLATFORM_DIRS": "1",
    }
    command = [sys.executable, str(Path(__file__).with_name("otter_process.py")), *arguments]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


# ---- grading -----------------------------------------------------------------------------------


def grade(submission: Path, autograder: Path, limits: dict[str, float] | None = None) -> Graded:
    """Grade a notebook, or a zip with one, within limits of time and memory.

    Whatever a student may hand in gets a result; its notes say what was wrong with it.

    Raises
    ------
    CourseError
        If there is no submission, or the autograder is not one that ``build`` made.
    """
    if not submission.is_file():
        raise CourseError(f"There is no submission {place(submission)}. Check its name.")
    about = inside(autograder)
    notebook, trouble = submitted(submission, about["assignment"])
    if notebook is None:
        return nothing(about, f"{trouble} Nothing could be graded.")
    notes = [
        f"No cell defines {question['defines']} ({question['name']}). "
        "Was its cell deleted, or the function renamed?"
        for question in about["questions"]
        if question["defines"] and not defines(notebook, question["defines"])
    ]
    allowed = LIMITS | (limits or {})
    with tempfile.TemporaryDirectory() as folder:
        work, answer = Path(folder), Path(folder) / "answer.json"
        # under the name that it had when it was handed out: otter.Notebook looks for that
        copy = work / f"{about['assignment']}.ipynb"
        write(notebook, copy)
        arguments = ["run", str(copy), str(autograder.resolve())]
        arguments += [str(answer), json.dumps(allowed)]
        run = in_a_process(arguments, work, allowed["notebook"] + GRACE)
        if not answer.is_file():
            reason = "It was stopped" if run.returncode < 0 else "The grader ended without a result"
            return nothing(about, f"{reason}: the time or the memory was used up.", *notes)
        found = json.loads(answer.read_text(encoding="utf-8"))
    for number, name, text in found.get("errors", [])[:5]:
        if name == "KeyboardInterrupt":
            notes.append(
                f"Cell {number} ran longer than {allowed['cell']:g} seconds and was stopped. "
                "Does a loop never end?"
            )
        elif name != "NotImplementedError":
            notes.append(f"Cell {number} raised {name}: {textwrap.shorten(text, 150)}")
    if "failed" in found:
        said = f"The notebook could not be run to its end: {found['failed']}."
        said = said.replace("longer than it may", f"longer than {allowed['notebook']:g} seconds")
        return nothing(about, said, *notes)
    questions = (graded(question, found["questions"]) for question in about["questions"])
    return Graded(about["assignment"], tuple(questions), tuple(notes))


def inside(autograder: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(autograder) as archive:
            return dict(json.loads(archive.read(CONTENTS)))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise CourseError(
            f"{place(autograder)} is no autograder of this course ({error}). Build the assignment "
            "again."
        ) from None


def submitted(path: Path, assignment: str) -> tuple[NotebookNode | None, str]:
    """The notebook of a submission, or None and a sentence that says why there is none."""
    data = path.read_bytes()
    if path.suffix == ".zip":
        try:
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.endswith(".ipynb")]
                if len(names) != 1:
                    return None, f"The zip file holds {len(names)} notebooks; it should hold one."
                data = archive.read(names[0])
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
            return None, "The file is called .zip but cannot be unpacked. Export it again."
    if not data.strip():
        return None, "The file is empty. Save the notebook, then hand it in again."
    try:
        with warnings.catch_warnings(action="ignore"):  # of cells without ids
            read = nbformat.reads(data.decode("utf-8"), as_version=4)
        # made anew: outputs, ids and an editor's own metadata are not graded and cannot do harm
        kinds = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
        cells = [kinds[c.cell_type](str(c.source)) for c in read.cells if c.cell_type in kinds]
        name = read.metadata.get("otter", {}).get("assignment_name", assignment)
    except Exception:
        return None, "The file is no Jupyter notebook. Hand in the file that ends in .ipynb."
    notebook = nbformat.v4.new_notebook(cells=cells)
    if not any(cell.cell_type == "code" and cell.source.strip() for cell in notebook.cells):
        return None, "The notebook has no cells with code."
    if name != assignment:
        return None, f"This is a notebook of the assignment {name}; {assignment} is graded here."
    notebook.metadata["otter"] = {"assignment_name": assignment}
    return notebook, ""


def defines(notebook: NotebookNode, function: str) -> bool:
    pattern = re.compile(rf"^\s*(def\s+{function}\b|{function}\s*=)", re.MULTILINE)
    return any(cell.cell_type == "code" and pattern.search(cell.source) for cell in notebook.cells)


def graded(about: dict[str, Any], found: dict[str, Any]) -> Question:
    """A question's points and messages, from what otter found."""
    result = found.get(about["name"], {"score": 0.0, "cases": []})
    cases = []
    for test, case in zip(about["cases"], result["cases"], strict=bool(result["cases"])):
        says = ""
        if not case["passed"]:
            what = case["message"].removeprefix("❌ Test case failed\n").strip()
            alone = what.startswith("NotImplementedError: Question") or " is not there. " in what
            what = what.removeprefix("NotImplementedError: ") if alone else what
            says = what if alone else f"{test['failure_message']} ({test['name']}: {what})"
        cases.append(Case(test["name"], test["hidden"], case["passed"], says))
    return Question(about["name"], result["score"], about["points"], about["manual"], tuple(cases))


def nothing(about: dict[str, Any], *notes: str) -> Graded:
    """No points, and the reason."""
    questions = (Question(q["name"], 0.0, q["points"], q["manual"], ()) for q in about["questions"])
    return Graded(about["assignment"], tuple(questions), notes)


# ---- right and wrong answers -------------------------------------------------------------------


def answered(built: Built, answers: Path, folder: Path) -> list[Answer]:
    """Submissions: the solution, the untouched stub, and each wrong answer of ``answers``.

    Raises
    ------
    CourseError
        If the answers name a question or a test that is not there, or have no valid code.
    """
    made = [Answer("solution", built.solution), Answer("stub", built.student)]
    tests = {
        question["name"]: {case["name"] for case in question["cases"]}
        for question in inside(built.autograder)["questions"]
    }
    for number, wrong in enumerate(read_answers(answers), 1):
        here = f"{place(answers)}, wrong answer {number}"
        lacks = [key for key in ("name", "question", "fails", "code") if not wrong.get(key)]
        if lacks:
            raise CourseError(f"{here} has no {lacks[0]}. It needs name, question, fails, code.")
        here += f" ({wrong['name']})"
        if not tests.get(wrong["question"]):
            known = ", ".join(name for name, cases in tests.items() if cases)
            raise CourseError(
                f"{here}: there is no question {wrong['question']!r} with tests. "
                f"Name one of {known}."
            )
        if wrong["fails"] not in tests[wrong["question"]]:
            known = ", ".join(sorted(tests[wrong["question"]]))
            raise CourseError(
                f"{here}: {wrong['question']} has no test {wrong['fails']!r}. Name one of {known}."
            )
        notebook = read_notebook(built.solution)
        (cell,) = (
            cell
            for cell in notebook.cells
            if cell.metadata.get("course", {}).get("question") == wrong["question"]
        )
        before = cell.source
        cell.source = replaced(cell.source, cell.metadata["course"]["lines"], wrong["code"])
        try:
            if ast.dump(ast.parse(cell.source)) == ast.dump(ast.parse(before)):
                raise CourseError(f"{here}: the code is the solution. Change it or leave it out.")
        except SyntaxError as error:
            raise CourseError(f"{here}: the code is no Python ({error}). Mend it.") from None
        path = folder / f"{built.name}-{number}.ipynb"
        write(notebook, path)
        made.append(Answer(wrong["name"], path, wrong["question"], wrong["fails"]))
    return made


def read_answers(path: Path) -> list[dict[str, str]]:
    try:
        return list(tomllib.loads(path.read_text(encoding="utf-8")).get("wrong", []))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{place(path)} cannot be read: {error}") from None


def replaced(source: str, lines: list[int], code: str) -> str:
    """A solution cell with other code in the place of its answer."""
    text = source.splitlines()
    first, last = lines
    indent = re.match(r" *", text[first])[0]  # type: ignore[index]
    text[first:last] = textwrap.indent(textwrap.dedent(code).strip("\n"), indent).splitlines()
    return "\n".join(text) + "\n"


def tried(built: Built, answers: Path, folder: Path) -> list[Row]:
    """Grade the solution, the stub and every wrong answer."""
    rows = []
    for answer in answered(built, answers, folder):
        result = grade(answer.path, built.autograder)
        rows.append(Row(built.name, answer, result, problem(answer, result)))
    return rows


def problem(answer: Answer, result: Graded) -> str:
    """What is wrong with how a made submission was graded; empty if nothing is."""
    lost = [q for q in result.questions if not q.manual and q.score != q.possible]
    if answer.name == "solution" and not answer.question:
        return "the solution loses points" if lost else ""
    if answer.name == "stub" and not answer.question:
        return f"the stub gets {result.score:g} points" if result.score else ""
    if answer.fails not in result.question(answer.question).failed:
        return f"{answer.fails} passes"
    others = [question.name for question in lost if question.name != answer.question]
    return f"{', '.join(others)} lose points too" if others else ""


def table(rows: Iterable[Row]) -> list[str]:
    """The rows as lines of text."""
    lines = [f"{'assignment':15}{'submission':42}{'points':>9}  caught by"]
    for row in rows:
        points = f"{row.graded.score:g}/{row.graded.possible:g}"
        caught = f"{row.answer.question}: {row.answer.fails}" if row.answer.question else ""
        trouble = f"  PROBLEM: {row.problem}" if row.problem else ""
        lines.append(
            f"{row.assignment:15}{row.answer.name:42}{points:>9}  {caught}{trouble}".rstrip()
        )
    return lines


def masters() -> list[Path]:
    """The folders of all assignments."""
    return sorted(path.parent for path in MASTERS.glob("*/*.ipynb"))


def main(names: list[str]) -> int:
    """Build the named assignments, or all, into _build/course/assignments and print the table."""
    rows: list[Row] = []
    try:
        for source in masters():
            if not names or source.name in names:
                built = build(source, ROOT / "_build" / "course" / "assignments")
                with tempfile.TemporaryDirectory() as folder:
                    rows += tried(built, source / "answers.toml", Path(folder))
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(table(rows)))
    return int(any(row.problem for row in rows))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
