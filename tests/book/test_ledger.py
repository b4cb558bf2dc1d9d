"""The ledger of the real chapters has no errors, and each error is found on a broken notebook."""

import copy
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from book import page_paths
from gmmlib import checks
from ledger import Ledger, read_ledger
from markup import displayed_equations

TOC = """format: jb-book
root: index
parts:
  - caption: Part
    chapters: [{file: chapters/one}, {file: chapters/two}]
"""
TEXT = """# 1 The first

$$
a^2 = b
$$ (eq-square)

where

$$
b = c
$$ (def-b)
"""
CODE = """from gmmlib import checks

checks.numerical("eq-square", [4.0], [4.0])"""
LINE = "✓ eq-square · numerical · 1 value agrees to 1e-12\n"


def code(source: str, *lines: str) -> dict[str, Any]:
    outputs = [{"output_type": "stream", "name": "stdout", "text": list(lines)}] if lines else []
    return {"cell_type": "code", "source": source, "outputs": outputs, "metadata": {}}


def text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


class Toy:
    """A book of two chapters and a page, which the tests break."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.first = [text(TEXT), code(CODE, LINE)]
        self.second = [text("# 2 The second\n\nNo equation.")]
        self.index = "# The book\n\nNothing is claimed here."

    def read(self) -> Ledger:
        (self.root / "chapters").mkdir(exist_ok=True)
        (self.root / "_toc.yml").write_text(TOC)
        (self.root / "index.md").write_text(self.index)
        for name, cells in (("one", self.first), ("two", self.second)):
            path = self.root / "chapters" / f"{name}.ipynb"
            path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
        return read_ledger(self.root)

    def only_error(self) -> str:
        errors = self.read().errors
        assert len(errors) == 1, errors
        return errors[0]


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path)


# --- the book -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book() -> Ledger:
    return read_ledger()


def test_every_claim_of_the_book_is_checked(book: Ledger) -> None:
    assert not book.errors, "\n".join(book.errors)


def test_the_book_has_equations_of_both_kinds_and_all_ways_to_check(book: Ledger) -> None:
    counts = book.counts
    assert counts["equations"] == counts["definitions"] + counts["claims"]
    assert counts["definitions"] > 10
    assert counts["claims"] > 20
    assert counts["checks"] >= counts["claims"]
    kinds = {check.kind for equation in book.equations for check in equation.checks}
    assert kinds == set(checks.KINDS)


def test_every_dollar_label_in_the_sources_is_in_the_ledger(book: Ledger) -> None:
    """A second road, without a Markdown parser."""
    found = []
    for path in page_paths():
        content = path.read_text(encoding="utf8")
        if path.suffix == ".ipynb":
            cells = [c for c in json.loads(content)["cells"] if c["cell_type"] == "markdown"]
            content = "\n".join("".join(cell["source"]) for cell in cells)
        lines = [line.strip() for line in content.splitlines()]
        found += [x[4:-1] for x in lines if x.startswith("$$ (") and x.endswith(")")]
    assert found == [equation.label for equation in book.equations]


def test_chapters_come_in_the_order_of_the_toc(book: Ledger) -> None:
    files = [chapter.file for chapter in book.chapters]
    assert files[0] == "index"
    assert files.index("chapters/07_worked_example") < files.index("chapters/10_whole_algorithm")
    order = [files.index(equation.chapter.file) for equation in book.equations]
    assert order == sorted(order)


def test_each_check_of_gmmlib_has_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    public = {
        name
        for name, function in inspect.getmembers(checks, inspect.isfunction)
        if function.__module__ == checks.__name__ and not name.startswith("_")
    }
    assert public == set(checks.KIND_OF)
    checks.never_decreases("eq-a", [1.0, 2.0])
    checks.printed("eq-a", [0.5], ["0.50"])
    checks.gradient("eq-a", lambda x: float(x @ x), [1.0], [2.0])
    names = ["never_decreases", "printed", "gradient"]
    lines = capsys.readouterr().out.splitlines()
    kinds = [match["kind"] for line in lines if (match := checks.LINE.fullmatch(line))]
    assert kinds == [checks.KIND_OF[name] for name in names]


# --- what is read -------------------------------------------------------------------------------


def test_a_sound_book(toy: Toy) -> None:
    book = toy.read()
    assert book.errors == []
    assert book.counts == {"equations": 2, "definitions": 1, "claims": 1, "checks": 1}
    square, definition = book.equations
    assert (square.label, square.kind, square.latex) == ("eq-square", "claim", "a^2 = b")
    assert (square.chapter.file, square.chapter.title) == ("chapters/one", "1 The first")
    assert square.chapter.order == 1
    (check,) = square.checks
    assert (check.kind, check.how, check.cell) == ("numerical", "1 value agrees to 1e-12", 1)
    assert check.source == 'checks.numerical("eq-square", [4.0], [4.0])'
    assert check.in_words == "numerically: 1 value agrees to 1e-12"
    assert (definition.kind, definition.checks) == ("definition", ())


def test_a_check_says_for_what_it_stands(toy: Toy) -> None:
    toy.first[1] = code(CODE, LINE.strip() + " · for K = 3\n")
    book = toy.read()
    assert book.errors == []
    ((check,), _) = [equation.checks for equation in book.equations]
    assert (check.how, check.scope) == ("1 value agrees to 1e-12", "for K = 3")
    assert check.in_words == "numerically: 1 value agrees to 1e-12, for K = 3"


def test_all_values_are_those_of_the_case_that_is_named(toy: Toy) -> None:
    how = "the derivative in v is 0 there, for all values"
    toy.first[1] = code(
        "from gmmlib import checks\nchecks.stationary('eq-square', f, {v: 1})",
        f"✓ eq-square · symbolic · {how} · for n = 3\n",
    )
    ((check,), _) = [equation.checks for equation in toy.read().equations]
    assert check.in_words == "symbolically: the derivative in v is 0 there, for n = 3"


@pytest.mark.parametrize(
    "call",
    [
        "import gmmlib.checks\ngmmlib.checks.numerical('eq-square', 4.0, 4.0)",
        "import gmmlib.checks as c\nc.numerical('eq-square', 4.0, 4.0)",
        "from gmmlib import checks as c\nc.gradient(label='eq-square')",
        "from gmmlib.checks import never_decreases as climbs\nclimbs('eq-square', v)",
        "%matplotlib inline\nfrom gmmlib.checks import *\nnumerical('eq-square', 4.0, 4.0)",
    ],
)
def test_ways_to_call_a_check(toy: Toy, call: str) -> None:
    toy.first[1] = code(call, LINE)
    book = toy.read()
    assert book.errors == []
    assert len(book.equations[0].checks) == 1


def test_an_import_holds_in_later_cells_and_a_loop_may_print_often(toy: Toy) -> None:
    loop = 'for x in range(3):\n    checks.numerical("eq-square", x, x)'
    toy.first[1:] = [code("from gmmlib import checks"), code(loop, LINE, LINE, LINE)]
    book = toy.read()
    assert book.errors == []
    assert [check.cell for check in book.equations[0].checks] == [2, 2, 2]


def test_other_functions_of_the_same_name_are_no_checks(toy: Toy) -> None:
    toy.first.append(code("np.numerical('eq-other', 1, 1)\nprinted('eq-other')\nsp.symbolic(1)"))
    assert toy.read().errors == []


def test_equations_are_found_where_they_may_stand() -> None:
    inside = "````{exercise}\n:label: ex-1\n\n$$\nx\n$$ (eq-x)\n````\n"
    assert displayed_equations(inside) == [("eq-x", "x")]
    assert displayed_equations(":::{note}\n$$y$$ (eq-y)\n:::\n") == [("eq-y", "y")]
    assert displayed_equations("```{math}\n:label: eq-z\n\nz\n```\n") == [("eq-z", "z")]
    assert displayed_equations("- item\n\n  $$\n  w\n  $$ (eq-w)\n") == [("eq-w", "w")]
    assert displayed_equations("$$\nu\n$$\n") == [("", "u")]
    assert displayed_equations("```python\n$$\nv\n$$ (eq-v)\n```\n") == []
    assert displayed_equations("`$$ (eq-v)` and $x$ (eq-v)\n") == []


# --- what is wrong ------------------------------------------------------------------------------


def test_a_claim_without_a_check(toy: Toy) -> None:
    toy.first.append(text("$$\nx\n$$ (eq-unchecked)"))
    error = "chapters/one: eq-unchecked is a claim, and no check in this chapter names it"
    assert toy.only_error() == error


def test_a_claim_that_is_checked_only_in_another_chapter(toy: Toy) -> None:
    toy.second.append(toy.first.pop())
    errors = toy.read().errors
    assert errors == [
        "chapters/one: eq-square is a claim, and no check in this chapter names it",
        "chapters/two: eq-square is checked, but no equation of this chapter has that label",
    ]


def test_a_check_without_an_equation(toy: Toy) -> None:
    line = LINE.replace("square", "nowhere")
    toy.second.append(code(CODE.replace("square", "nowhere"), line))
    assert "eq-nowhere is checked, but no equation of this chapter" in toy.only_error()


def test_a_claim_on_a_page_without_code(toy: Toy) -> None:
    toy.index += "\n\n$$\nx\n$$ (eq-bare)\n"
    assert "index: eq-bare is a claim, and this page has no code" in toy.only_error()


def test_a_definition_on_a_page_without_code_is_fine(toy: Toy) -> None:
    toy.index += "\n\n$$\nx\n$$ (def-bare)\n"
    assert toy.read().errors == []


@pytest.mark.parametrize("where", ["first", "second"])
def test_a_label_twice(toy: Toy, where: str) -> None:
    getattr(toy, where).append(text("$$\nb\n$$ (def-b)"))
    assert "def-b is displayed twice, first in chapters/one" in toy.only_error()


@pytest.mark.parametrize("label", ["thm-x", "eq_x", "eq-X", "equation", "def-"])
def test_another_label(toy: Toy, label: str) -> None:
    toy.first.append(text(f"$$\nx\n$$ ({label})"))
    assert f"label {label}: neither def-… (a definition) nor eq-…" in toy.only_error()


@pytest.mark.parametrize("macro", [r"\label{eq-x}", r"\tag{5}"])
def test_an_equation_numbered_in_another_way(toy: Toy, macro: str) -> None:
    toy.first.append(text(f"$$\nx {macro}\n$$"))
    assert "numbered by" in toy.only_error()


def test_a_call_whose_line_is_not_stored(toy: Toy) -> None:
    toy.first.append(code(CODE))
    error = toy.only_error()
    assert "code cell 2: 1 numerical check(s) of eq-square in the code, 0 in the stored" in error
    assert "run the chapter again" in error


def test_a_stripped_chapter(toy: Toy) -> None:
    toy.first[1]["outputs"] = []
    assert any("0 in the stored output" in error for error in toy.read().errors)
    assert any("eq-square is a claim, and no check" in error for error in toy.read().errors)


def test_a_line_that_no_call_made(toy: Toy) -> None:
    toy.first.append(code("print(chr(10003), 'eq-square · numerical · trust me')", LINE))
    assert "code cell 2: 1 line(s) in the stored output for a numerical check" in toy.only_error()


def test_one_call_and_two_lines(toy: Toy) -> None:
    toy.first[1] = code(CODE, LINE, LINE)
    assert "2 line(s) in the stored output" in toy.read().errors[0]


def test_a_line_of_another_kind_than_its_call(toy: Toy) -> None:
    toy.first[1] = code(CODE, LINE.replace("numerical", "symbolic"))
    errors = toy.read().errors
    assert any("1 numerical check(s) of eq-square in the code, 0" in error for error in errors)
    assert any("1 line(s) in the stored output for a symbolic" in error for error in errors)


@pytest.mark.parametrize(
    "source",
    [
        *("print('✓ eq-square')", "print(f'\\u2713 {x}')", "print('\\N{CHECK MARK}')"),
        *("print('✔')", "HTML('&#10003;')", "HTML('<b>&check;</b>')"),
    ],
)
def test_code_that_writes_the_mark_itself(toy: Toy, source: str) -> None:
    toy.first.append(code(source))
    assert "code cell 2: writes ✓ itself; only a check may" in toy.only_error()


@pytest.mark.parametrize(
    "line",
    [
        *("✓ eq-square is right\n", "✓ eq-square · by faith · I say so\n", "  " + LINE, "✓ done\n"),
        *(LINE.replace("✓", "✔"), "passed: " + LINE, "<b>&#10003; done</b>\n"),
        LINE.strip() + " · for K = 3 · and d = 2\n",
    ],
)
def test_a_line_that_only_looks_like_one(toy: Toy, line: str) -> None:
    toy.first.append(code("f()", line))
    assert "is not a line of the ledger" in toy.only_error()


def test_a_line_outside_of_stdout_counts_as_well(toy: Toy) -> None:
    cell = code("f()")
    cell["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": [LINE]}}]
    toy.first.append(cell)
    assert "1 line(s) in the stored output" in toy.only_error()


def test_a_label_that_is_not_written_out(toy: Toy) -> None:
    toy.first.append(code("checks.numerical(f'eq-{name}', 1, 1)\n"))
    assert "has f'eq-{name}' as its label; write it out" in toy.only_error()


def test_a_loop_that_never_ran(toy: Toy) -> None:
    toy.first.append(code('for x in []:\n    checks.numerical("eq-square", x, x)'))
    assert "0 in the stored output" in toy.only_error()


def test_code_that_is_not_python(toy: Toy) -> None:
    toy.first.append(code("1 +"))
    assert "code cell 2: is not Python" in toy.only_error()


def test_a_page_that_does_not_exist(toy: Toy) -> None:
    toy.read()
    (toy.root / "chapters" / "two.ipynb").unlink()
    with pytest.raises(FileNotFoundError, match="chapters/two: 0 of"):
        read_ledger(toy.root)


def test_a_real_chapter_that_loses_one_line_is_found(tmp_path: Path) -> None:
    """Every check line of the real book is needed: without it the ledger complains."""
    paths = [path for path in page_paths() if path.suffix == ".ipynb"]
    toy = Toy(tmp_path)
    for path in paths:
        cells = json.loads(path.read_text(encoding="utf8"))["cells"]
        for output in (output for cell in cells for output in cell.get("outputs", [])):
            output.get("data", {}).pop("image/png", None)  # of which no line is read
        toy.first, toy.second = cells, []
        assert toy.read().errors == []
        for number, cell in enumerate(cells):
            for k, output in enumerate(cell.get("outputs", [])):
                kept = [line for line in output.get("text", []) if not line.startswith("✓")]
                if kept == output.get("text", []):
                    continue
                broken = copy.deepcopy(cells)
                broken[number]["outputs"][k]["text"] = kept
                toy.first = broken
                assert toy.read().errors, f"{path.name}, cell {number}"
