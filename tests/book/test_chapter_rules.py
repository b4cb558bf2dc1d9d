"""Each way to break a chapter is caught, and by which rule; the unbroken one passes.

A breaking may repair the seal and the counts after itself, as somebody would who wants to get past
the tests: then what it breaks must still be caught by the rest.
"""

import base64
import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

import notebooks
import run_notebooks
from book import ROOT, Book, Page
from rules import figures, numbers, outputs
from rules.prose import unfounded, unprinted
from rules.tables import OF_A_CHAPTER


@dataclass(frozen=True)
class Breaking:
    """What is done to the good chapter, and all that must notice it."""

    id: str
    do: Callable[[NotebookNode], Any]
    rules: frozenset[str]
    cells: frozenset[str]  # those that fail when the chapter is executed and compared


BREAKINGS: list[Breaking] = []


def breaking(*caught: str, cells: Iterable[str] = ()) -> Callable[[Any], Any]:
    """``caught``: all the rules that fail; ``cells``: all that fail in the comparison."""

    def keep(do: Callable[[NotebookNode], Any]) -> Callable[[NotebookNode], Any]:
        name = do.__name__.replace("_", " ")
        BREAKINGS.append(Breaking(name, do, frozenset(caught), frozenset(cells)))
        return do

    return keep


def chapter(name: str, text: str) -> Page:
    return Page(PurePosixPath(f"{name}.ipynb"), text)


def of(*pages: Page) -> Book:
    return Book(ROOT, pages)


def cell(notebook: NotebookNode, cell_id: str) -> NotebookNode:
    return next(c for c in notebook.cells if c.id == cell_id)


def delete(notebook: NotebookNode, cell_id: str) -> None:
    notebook.cells.remove(cell(notebook, cell_id))


def swap(notebook: NotebookNode, one: str, two: str) -> None:
    i, j = (notebook.cells.index(cell(notebook, c)) for c in (one, two))
    notebook.cells[i], notebook.cells[j] = notebook.cells[j], notebook.cells[i]


def reseal(notebook: NotebookNode) -> None:
    notebook.metadata.book.seal = notebooks.seal(notebook)


def recount(notebook: NotebookNode) -> None:
    for count, c in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        c.execution_count = count
        for output in c.outputs:
            if "execution_count" in output:
                output.execution_count = count


def edit(notebook: NotebookNode, cell_id: str, old: str, new: str) -> None:
    changed = cell(notebook, cell_id)
    assert old in changed.source
    changed.source = changed.source.replace(old, new)


def edit_output(notebook: NotebookNode, cell_id: str, old: str, new: str) -> None:
    output = cell(notebook, cell_id).outputs[0]
    assert old in output.text
    output.text = output.text.replace(old, new)


def figure(notebook: NotebookNode, cell_id: str) -> NotebookNode:
    return cell(notebook, cell_id).metadata.mystnb


def picture(notebook: NotebookNode, cell_id: str) -> NotebookNode:
    return next(o.data for o in cell(notebook, cell_id).outputs if "image/png" in o.get("data", {}))


# --- text -------------------------------------------------------------------------------------


@breaking(cells=["mean"])
def a_digit_in_a_text_output(nb: NotebookNode) -> None:
    edit_output(nb, "mean", "0.59876", "0.59875")


@breaking(cells=["latex"])
def a_digit_in_a_latex_output(nb: NotebookNode) -> None:
    data = cell(nb, "latex").outputs[0].data
    assert "{3}" in data["text/latex"]
    data["text/latex"] = data["text/latex"].replace("{3}", "{4}")


@breaking(cells=["check"])
def a_check_that_was_never_made(nb: NotebookNode) -> None:
    edit_output(nb, "check", "eq-double", "eq-triple")


@breaking(cells=["error"])
def another_error(nb: NotebookNode) -> None:
    cell(nb, "error").outputs[0].evalue += "!"
    cell(nb, "error").outputs[0].traceback[0] += "!"


@breaking("prose")
def a_digit_in_prose(nb: NotebookNode) -> None:
    edit(nb, "title", "0.599", "0.598")


@breaking("prose")
def a_digit_more_in_prose_than_was_printed(nb: NotebookNode) -> None:
    edit(nb, "title", "0.599", "0.598760")


@breaking("prose")
def a_sign_in_prose(nb: NotebookNode) -> None:
    edit(nb, "title", "−3.29019", "3.29019")


@breaking("prose")
def a_digit_in_a_formula(nb: NotebookNode) -> None:
    cell(nb, "equation").source += "\n\nSo $\\mu=0.5$."


@breaking("filmstrips")
def a_picture_that_is_no_strip_of_frames(nb: NotebookNode) -> None:
    figure(nb, "curve").image.classes = "filmstrip columns-4 frames-8"


@breaking("seal")
def a_sign_in_a_displayed_equation(nb: NotebookNode) -> None:
    edit(nb, "equation", "x + x", "x - x")


@breaking("seal")
def a_factor_in_a_displayed_equation(nb: NotebookNode) -> None:
    edit(nb, "equation", "2x", "x")


@breaking("prose")
def a_digit_in_a_caption(nb: NotebookNode) -> None:
    figure(nb, "curve").figure.caption = "It ends at 4.6."


@breaking("prose")
def a_digit_in_a_description(nb: NotebookNode) -> None:
    figure(nb, "curve").image.alt = "A curve that rises from 1 and ends at 4.6."


def test_a_strip_of_frames_divides_into_frames(good: str) -> None:
    nb = notebooks.read(good)
    edit(nb, "curve", "plt.subplots()", "plots.filmstrip(8)")
    width, height = Image.open(io.BytesIO(base64.b64decode(picture(nb, "curve")["image/png"]))).size
    columns = next(c for c in range(2, 99) if width % c)
    rows = next(r for r in range(2, 99) if height % r)
    for columns_, frames in ((1, 1), (columns, columns), (1, rows), (2, 0)):
        kind = f"filmstrip columns-{columns_} frames-{frames}" if frames else "filmstrip"
        figure(nb, "curve").image.classes = kind
        wrong = figures.filmstrips(chapter("small", notebooks.to_text(nb)))
        assert bool(wrong) == (frames != 1), kind
    for also, sound in ((" touch touch-em-plane", True), (" touch", False), (" wide", False)):
        figure(nb, "curve").image.classes = f"filmstrip columns-1 frames-1{also}"
        wrong = figures.filmstrips(chapter("small", notebooks.to_text(nb)))
        assert bool(wrong) != sound, also


# --- pictures ---------------------------------------------------------------------------------


@breaking(cells=["curve"])
def another_figures_picture(nb: NotebookNode) -> None:
    picture(nb, "curve")["image/png"] = picture(nb, "line")["image/png"]


@breaking("seal", cells=["curve"])
def the_code_of_a_plot_with_its_old_picture(nb: NotebookNode) -> None:
    edit(nb, "curve", "[1, 2, 4]", "[1, 2, 3]")


@breaking(cells=["curve"])
def the_code_of_a_plot_with_its_old_picture_and_a_new_seal(nb: NotebookNode) -> None:
    edit(nb, "curve", "[1, 2, 4]", "[1, 2.02, 4]")
    reseal(nb)


@breaking("figures", cells=["curve"])
def a_deleted_picture(nb: NotebookNode) -> None:
    del picture(nb, "curve")["image/png"]


@breaking("figures", "prose", cells=["line"])
def a_deleted_figure(nb: NotebookNode) -> None:
    cell(nb, "line").outputs = []


@breaking("figures", cells=["curve"])
def an_additional_picture(nb: NotebookNode) -> None:
    cell(nb, "curve").outputs.append(new_output("display_data", data=picture(nb, "line")))


@breaking("figures", cells=["last"])
def a_picture_where_none_is_drawn(nb: NotebookNode) -> None:
    cell(nb, "last").outputs.append(new_output("display_data", data=picture(nb, "line")))


@breaking(cells=["line"])
def a_damaged_picture(nb: NotebookNode) -> None:
    picture(nb, "line")["image/png"] = base64.b64encode(b"not a picture").decode()


@breaking(cells=["line"])
def text_and_picture_in_another_order(nb: NotebookNode) -> None:
    cell(nb, "line").outputs.reverse()


# --- cells ------------------------------------------------------------------------------------


@breaking("counts", "seal")
def a_deleted_code_cell(nb: NotebookNode) -> None:
    delete(nb, "check")


@breaking("seal")
def a_deleted_code_cell_and_new_counts(nb: NotebookNode) -> None:
    delete(nb, "check")
    recount(nb)


@breaking("seal", "prose", "exercise_numbers")
def a_deleted_last_code_cell(nb: NotebookNode) -> None:
    delete(nb, "doubled")


@breaking("seal")
def a_deleted_markdown_cell(nb: NotebookNode) -> None:
    delete(nb, "words")


@breaking("seal")
def a_deleted_last_cell(nb: NotebookNode) -> None:
    delete(nb, "end")


@breaking("seal")
def an_added_cell(nb: NotebookNode) -> None:
    nb.cells.append(new_markdown_cell("More.", id="more"))


@breaking("counts", "seal")
def two_cells_in_another_order(nb: NotebookNode) -> None:
    swap(nb, "mean", "last")


@breaking("seal")
def two_cells_in_another_order_and_new_counts(nb: NotebookNode) -> None:
    swap(nb, "mean", "last")
    recount(nb)


@breaking("seal")
def a_paragraph_in_another_place(nb: NotebookNode) -> None:
    swap(nb, "equation", "words")


@breaking("seal")
def code_that_gives_the_same(nb: NotebookNode) -> None:
    edit(nb, "last", '"the end"', '"the " "end"')


# --- execution --------------------------------------------------------------------------------

RUN = ["imports", "mean", "latex", "check", "curve", "line", "error", "last", "doubled"]


@breaking("counts", "figures", "markers", "prose", cells=RUN)
def a_stripped_notebook(nb: NotebookNode) -> None:
    for c in nb.cells:
        if c.cell_type == "code":
            c.outputs, c.execution_count = [], None


@breaking("counts", cells=["last"])
def a_faked_output_with_no_count(nb: NotebookNode) -> None:
    edit_output(nb, "last", "the end", "a proof")
    cell(nb, "last").execution_count = None


@breaking("counts", cells=["check"])
def a_right_output_with_no_count(nb: NotebookNode) -> None:
    cell(nb, "check").execution_count = None


@breaking("counts", cells=["last"])
def a_removed_output_with_no_count(nb: NotebookNode) -> None:
    cell(nb, "last").outputs, cell(nb, "last").execution_count = [], None


@breaking(cells=["check"])
def a_removed_output(nb: NotebookNode) -> None:
    cell(nb, "check").outputs = []


@breaking("counts")
def a_cell_run_twice(nb: NotebookNode) -> None:
    cell(nb, "last").execution_count += 1


@breaking("errors", cells=["last"])
def a_stored_error(nb: NotebookNode) -> None:
    cell(nb, "last").outputs = cell(nb, "error").outputs


@breaking("errors", "markers", cells=["error"])
def an_error_that_is_not_announced(nb: NotebookNode) -> None:
    cell(nb, "error").metadata.tags = ["nbval-raises-exception-not"]


@breaking("markers", "seal")
def a_cell_that_is_skipped(nb: NotebookNode) -> None:
    edit(nb, "last", "print", "# NBVAL_SKIP\nprint")
    edit_output(nb, "last", "the end", "a proof")


@breaking("markers")
def a_cell_that_is_skipped_and_a_new_seal(nb: NotebookNode) -> None:
    edit(nb, "last", "print", "#  nbval_ignore_output\nprint")
    reseal(nb)


@breaking("markers")
def a_cell_whose_output_is_ignored(nb: NotebookNode) -> None:
    cell(nb, "last").metadata.tags = ["nbval-ignore-output"]


@breaking("markers")
def a_cell_that_is_not_executed(nb: NotebookNode) -> None:
    cell(nb, "last").metadata.tags = ["skip-execution"]


@breaking("markers")
def a_cell_that_may_fail(nb: NotebookNode) -> None:
    cell(nb, "last").metadata.tags = ["raises-exception"]


# --- checks (the rest of their breakings: tests/book/test_checking.py) ------------------------


@breaking(cells=["last"])
def a_line_that_no_check_said(nb: NotebookNode) -> None:
    edit(nb, "last", '"the end"', 'chr(10003), "eq-double · symbolic · trust me"')
    edit_output(nb, "last", "the end", "✓ eq-double · symbolic · trust me")
    reseal(nb)


@breaking("check_places", cells=["check"])
def a_check_whose_line_is_hidden(nb: NotebookNode) -> None:
    hidden = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    checks."
    edit(nb, "check", "checks.", hidden)
    cell(nb, "check").outputs = []
    reseal(nb)


@breaking("check_cells")
def a_check_cell_whose_output_is_removed(nb: NotebookNode) -> None:
    cell(nb, "check").metadata.tags = ["remove-output"]


@breaking("untouched")
def checks_that_always_pass(nb: NotebookNode) -> None:
    edit(nb, "imports", "import checks", "import checks\n\nchecks._is_zero = lambda e: True")
    reseal(nb)


@breaking("two_sides")
def a_side_that_is_held_against_itself(nb: NotebookNode) -> None:
    edit(nb, "check", "2 * x", "x + x")
    reseal(nb)


@breaking("scopes")
def a_check_that_does_not_say_for_what_it_stands(nb: NotebookNode) -> None:
    edit(nb, "check", ', scope="for every x"', "")
    (output,) = cell(nb, "check").outputs
    output.text = output.text.replace(" · for every x", "")
    reseal(nb)


@breaking("check_places")
def a_check_that_may_not_be_reached(nb: NotebookNode) -> None:
    source = cell(nb, "check").source
    cell(nb, "check").source = f"if ready:\n    {source}"
    reseal(nb)


@breaking("displayed_decimals", "prose")
def a_decimal_that_no_check_holds(nb: NotebookNode) -> None:
    edit(nb, "equation", "2x", "2.01x")
    reseal(nb)


# --- outputs that are not fit to be stored ----------------------------------------------------


@breaking("stderr", cells=["mean"])
def a_warning(nb: NotebookNode) -> None:
    cell(nb, "mean").outputs.append(new_output("stream", name="stderr", text="careful\n"))


@breaking("machine")
def a_memory_address(nb: NotebookNode) -> None:
    edit_output(nb, "last", "the end", "<object at 0x7f3a5c0d2b10>")


@breaking("machine")
def an_absolute_path(nb: NotebookNode) -> None:
    edit_output(nb, "last", "the end", "see /home/someone/book/fit.txt")


@breaking("machine")
def an_absolute_path_in_an_error(nb: NotebookNode) -> None:
    cell(nb, "error").outputs[0].evalue = r"C:\book is missing"
    cell(nb, "error").outputs[0].traceback = [r"ValueError: C:\book is missing"]


@breaking("digits")
def a_raw_float(nb: NotebookNode) -> None:
    edit_output(nb, "last", "the end", "0.30000000000000004")


@breaking("mimes")
def an_output_that_nothing_compares(nb: NotebookNode) -> None:
    output = new_output("display_data", data={"image/jpeg": "AAAA", "text/plain": "a picture"})
    cell(nb, "last").outputs.append(output)


# --- exercises --------------------------------------------------------------------------------


@breaking("solved", "exercise_numbers", "seal", "prose")
def a_deleted_solution(nb: NotebookNode) -> None:
    for cell_id in ("solution", "doubled", "end"):
        delete(nb, cell_id)


@breaking("solved", "exercise_numbers")
def an_empty_solution(nb: NotebookNode) -> None:
    cell(nb, "solution").source = "```{solution-start} ex-1\n```\n```{solution-end}\n```"


@breaking("solved", "exercise_numbers")
def a_solution_of_another_exercise(nb: NotebookNode) -> None:
    edit(nb, "solution", "ex-1", "ex-2")


@breaking("hinted")
def an_exercise_without_a_hint(nb: NotebookNode) -> None:
    edit(nb, "exercise", "```{hint}\nAdd.\n```", "")


@breaking("hinted")
def two_hints(nb: NotebookNode) -> None:
    edit(nb, "solution", "```{solution-start}", "```{hint}\nDo.\n```\n\n```{solution-start}")


@breaking("hinted")
def a_hint_behind_the_solution(nb: NotebookNode) -> None:
    edit(nb, "exercise", "```{hint}\nAdd.\n```", "")
    edit(nb, "end", "```{solution-end}\n```", "```{solution-end}\n```\n\n```{hint}\nAdd.\n```")


@breaking("solved")
def a_published_solution_of_an_unpublished_exercise(nb: NotebookNode) -> None:
    edit(nb, "exercise", ":label: ex-1", ":label: ex-1\n:class: unpublished")


@breaking("exercise_numbers")
def a_number_that_the_solution_does_not_use(nb: NotebookNode) -> None:
    edit(nb, "exercise", "7", "8")


@breaking("exercise_numbers", "prose")
def a_decimal_that_the_solution_does_not_use(nb: NotebookNode) -> None:
    edit(nb, "exercise", "1.25", "1.35")


# --- form -------------------------------------------------------------------------------------


@breaking("figures")
def a_figure_without_description(nb: NotebookNode) -> None:
    del figure(nb, "line")["image"]


@breaking("figures")
def a_figure_with_a_short_description(nb: NotebookNode) -> None:
    figure(nb, "line").image.alt = "A line that falls."


@breaking("panels")
def a_description_of_panels_that_are_not_drawn(nb: NotebookNode) -> None:
    figure(nb, "line").image.alt = "Two panels. A line that falls from the left to the right."


@breaking("panels")
def a_caption_with_sides_that_are_not_drawn(nb: NotebookNode) -> None:
    figure(nb, "line").figure.caption = "Left: a line. Right: another one."


@breaking("figures")
def a_figure_without_caption(nb: NotebookNode) -> None:
    figure(nb, "line").figure.caption = " "


@breaking("figures")
def a_figure_with_another_kind_of_name(nb: NotebookNode) -> None:
    figure(nb, "line").figure.name = "line"


@breaking("shown_code")
def long_code(nb: NotebookNode) -> None:
    cell(nb, "last").source += "\nx = 1" * 25
    reseal(nb)


@breaking("shown_code")
def wide_code(nb: NotebookNode) -> None:
    cell(nb, "last").source += "  #" + " wide" * 20
    reseal(nb)


@breaking("empty")
def an_empty_cell(nb: NotebookNode) -> None:
    cell(nb, "end").source = " \n"


@breaking("begins")
def no_title(nb: NotebookNode) -> None:
    edit(nb, "title", "# A", "## A")


@breaking("begins")
def two_titles(nb: NotebookNode) -> None:
    cell(nb, "end").source = "# The end"


@breaking("begins", "seal")
def code_before_the_title(nb: NotebookNode) -> None:
    swap(nb, "title", "imports")


@breaking("ids", "form", "seal")
def two_cells_of_one_id(nb: NotebookNode) -> None:
    cell(nb, "last").id = "mean"


@breaking("metadata")
def the_metadata_of_an_editor(nb: NotebookNode) -> None:
    nb.metadata.language_info.version = "3.11.7"


@breaking("seal")
def no_seal(nb: NotebookNode) -> None:
    del nb.metadata["book"]


@breaking("form")
def the_times_of_a_run(nb: NotebookNode) -> None:
    cell(nb, "last").metadata.execution = {"iopub.execute_input": "2020-01-01"}


@breaking("form")
def an_output_in_pieces(nb: NotebookNode) -> None:
    text = cell(nb, "last").outputs[0].text
    cell(nb, "last").outputs = [
        new_output("stream", name="stdout", text=part) for part in (text[:3], text[3:])
    ]


@breaking("valid", "form")
def an_older_format(nb: NotebookNode) -> None:
    nb.nbformat_minor = 4


@breaking("valid")
def an_output_of_no_kind(nb: NotebookNode) -> None:
    cell(nb, "last").outputs[0].output_type = "speech"


# --- the tests --------------------------------------------------------------------------------


def caught_by_rules(text: str) -> set[str]:
    small = chapter("small", text)
    found = {name for name, rule in OF_A_CHAPTER.items() if rule(small)}
    return found | ({"prose"} if unprinted(of(small), {}) else set())


def broken(good: str, do: Callable[[NotebookNode], Any]) -> str:
    notebook = notebooks.read(good)
    do(notebook)
    text = notebooks.to_text(notebook)
    assert text != good
    return text


def packed(breakings: Iterable[Breaking]) -> list[list[Breaking]]:
    """Breakings of different cells may share a notebook, since cells are compared one by one."""
    groups: list[list[Breaking]] = []
    for b in breakings:
        for group in groups:
            if not any(b.cells & other.cells for other in group):
                group.append(b)
                break
        else:
            groups.append([b])
    return groups


@pytest.fixture(scope="module")
def failed_cells(good: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Breaking -> ids of its cells that fail when all are executed and compared by one pytest.

    A cell that no breaking of its notebook claims is filed under "good".
    """
    files = {"good": good}
    claimed: dict[tuple[str, str], str] = {}
    for number, group in enumerate(packed(b for b in BREAKINGS if b.cells), 1):
        name = f"broken-{number}"
        notebook = notebooks.read(good)
        for b in group:
            source = notebooks.read(broken(good, b.do))
            for cell_id in b.cells:
                at = notebook.cells.index(cell(notebook, cell_id))
                notebook.cells[at] = cell(source, cell_id)
                claimed[name, cell_id] = b.id
        files[name] = notebooks.to_text(notebook)
    folder = tmp_path_factory.mktemp("broken")
    for name, text in files.items():
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
    outer = ("PYTEST_", "COV_", "COVERAGE_")  # of the pytest that runs this test
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(folder), "-n", "2", "-q"),
            *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)),
            *("-p", "no:cacheprovider", f"--junitxml={folder / 'report.xml'}"),
        ],
        env={k: v for k, v in os.environ.items() if not k.startswith(outer)}
        | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    for picture in ("stored", "new", "difference"):
        assert len(list(folder.glob(f"broken-*-curve-*/{picture}.png"))) >= 2
    failed: dict[str, set[str]] = {}
    ran = 0
    for case in ET.parse(folder / "report.xml").iter("testcase"):
        name = case.attrib["classname"].removesuffix(".ipynb")
        number = int(case.attrib["name"].removeprefix("Cell "))
        cell_id = chapter(name, files[name]).code[number].id
        if case.find("failure") is not None or case.find("error") is not None:
            failed.setdefault(claimed.get((name, cell_id), "good"), set()).add(cell_id)
        ran += 1
    assert ran == sum(len(chapter(name, text).code) for name, text in files.items())
    return failed


def test_the_good_chapter_passes(good: str, failed_cells: dict[str, set[str]]) -> None:
    assert caught_by_rules(good) == set()
    assert "good" not in failed_cells


@pytest.mark.parametrize("b", BREAKINGS, ids=lambda b: b.id)
def test_a_breaking_is_caught_by_the_rules(b: Breaking, good: str) -> None:
    assert caught_by_rules(broken(good, b.do)) == b.rules
    assert b.rules or b.cells


@pytest.mark.parametrize("b", [b for b in BREAKINGS if b.cells], ids=lambda b: b.id)
def test_a_breaking_is_caught_by_execution(b: Breaking, failed_cells: dict[str, set[str]]) -> None:
    assert failed_cells.get(b.id) == b.cells


def test_every_rule_is_shown_a_breaking() -> None:
    assert {rule for b in BREAKINGS for rule in b.rules} == {*OF_A_CHAPTER, "prose"}


def test_prose_may_be_edited_without_execution(good: str) -> None:
    assert caught_by_rules(broken(good, lambda nb: edit(nb, "words", "A curve", "One"))) == set()


def test_exact_digits_may_be_stored_where_they_are_meant(good: str) -> None:
    def tagged(nb: NotebookNode) -> None:
        a_raw_float(nb)
        cell(nb, "last").metadata.tags = ["exact-digits"]

    assert caught_by_rules(broken(good, tagged)) == set()


def test_code_that_is_not_shown_may_be_long(good: str) -> None:
    def hidden(nb: NotebookNode) -> None:
        cell(nb, "last").metadata.tags = ["hide-cell"]
        long_code(nb)

    assert caught_by_rules(broken(good, hidden)) == set()


def test_markers_on_the_list_may_stand(good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = broken(good, a_cell_whose_output_is_ignored)
    monkeypatch.setitem(outputs.ALLOWED_MARKERS, "small", {"last": "shows the time"})
    assert caught_by_rules(text) == set()
    monkeypatch.setitem(outputs.ALLOWED_MARKERS, "small", {"last": "", "gone": "no such cell"})
    assert caught_by_rules(text) == {"markers"}


def test_a_figures_name_is_used_once_in_the_book(good: str) -> None:
    one, two = chapter("one", good), chapter("two", good)
    assert figures.figure_names(of(one)) == []
    assert figures.figure_names(of(one, two)) == [
        "fig-curve is used in ['one', 'two']",
        "fig-line is used in ['one', 'two']",
    ]


@pytest.mark.parametrize(
    ("code", "classes", "caption", "sound"),
    [
        ("plt.subplots(1, 2)", "", "Left: a. Right: b.", True),
        ("plt.subplots(\n    1, 2, figsize=(3, 4))", "", "Two panels. Left: a.", True),
        ("plt.subplots(2, 3)", "", "Six contour maps", True),
        ("plt.subplots(2, 3)", "", "Five contour maps", False),
        ("plt.subplots(2, 1)", "", "Left: a. Right: b.", False),
        ("plt.subplots(1, 3)", "", "Left: a. Middle: b.", True),
        ("plt.subplots(1, 2)", "", "Left: a. Middle: b.", False),
        ("plt.subplots()", "", "Two maps", False),
        ("plots.filmstrip(8)", "filmstrip columns-4 frames-8", "Eight frames of a film", True),
        ("plots.filmstrip(8)", "filmstrip columns-4 frames-8", "Nine small panels", False),
        ("plt.subplots()", "", "Nice panels", True),
    ],
)
def test_panels(code: str, classes: str, caption: str, sound: bool) -> None:
    metadata = {"mystnb": {"figure": {"caption": caption}, "image": {"classes": classes}}}
    notebook = new_notebook(cells=[new_code_cell(code, metadata=metadata)])
    assert (figures.panels(chapter("p", notebooks.to_text(notebook))) == []) == sound


def beside_a_figure(caption: str, alt: str, code: str = "f()", printed: str = "1") -> Book:
    metadata = {"mystnb": {"figure": {"name": "fig-a", "caption": caption}, "image": {"alt": alt}}}
    output = [new_output("stream", text=printed)]
    cells = [new_code_cell(code, metadata=metadata, outputs=output)]
    return of(chapter("p", notebooks.to_text(new_notebook(cells=cells))))


@pytest.mark.parametrize(
    ("caption", "alt", "found"),
    [
        ("The 272 waits.", "Between 43 and 96.", []),
        ("The 273 waits.", "Between 43 and 97.", ["273", "97"]),
        ("Twenty steps.", "Two lines and one point.", []),
        ("Thirty steps.", "A peak near 55.", ["30"]),
        ("After eleven steps.", "12,000 draws.", ["11"]),
        ("From 12,001 draws", "It is $\\frac37$.", ["12001", "7"]),
        ("Part of {doc}`07_a`, chapter 7, Python 3.11.", "0.5", ["7"]),
    ],
)
def test_whole_numbers_beside_a_figure(caption: str, alt: str, found: list[str]) -> None:
    code = "for step in range(20): draw(12_000, 3)"
    book = beside_a_figure(caption, alt, code, "272 waits from 43 to 96, 54.6 on average")
    wrong = unfounded(book, {})
    assert [slip.split(" speaks of ")[1].split(",")[0] for slip in wrong] == found
    assert unfounded(book, {"p": dict.fromkeys(found, "seen")}) == []


def test_a_number_that_need_not_be_listed() -> None:
    book = beside_a_figure("The 272 waits.", "", printed="272")
    assert unfounded(book, {"p": {"272": "counted"}}) == ["READ_OFF: p needs no 272"]


# --- numbers in prose -------------------------------------------------------------------------


def said(prose: str, *printed: str) -> Book:
    """A book of one chapter p, which says and prints this."""
    streams = [new_output("stream", text=text) for text in printed]
    cells = [new_markdown_cell(prose), new_code_cell("f()", outputs=streams)]
    return of(chapter("p", notebooks.to_text(new_notebook(cells=cells))))


@pytest.mark.parametrize(
    ("prose", "output"),
    [
        ("It is 0.599.", "0.59876"),
        ("It is 0.6, about.", "mean=0.59876,"),
        ("It is −3.29019", "[-3.29019  2.]"),
        ("It is -3.29", "$\\displaystyle - 3.29019$"),
        ("$\\ell\\approx-3.29$", "-3.29019"),
        ("$x-0.5$", "0.5"),
        ("between 0.25–0.75", "0.25 0.75"),
        ("$1.5\\times10^{-3}$ or 1.5e-3", "0.0015"),
        ("0.0015", "1.5e-03"),
        ("| 0.25 | −0.5 |", "0.25 -0.5"),
        ("1,126.326 or $1\\,126.326$ or $1{,}126.326$", "1126.326"),
        ("0.25", "<table><tr><td>0.25</td></tr></table>"),
        ("0.125", "0.12500"),
    ],
)
def test_a_number_that_was_printed(prose: str, output: str) -> None:
    assert unprinted(said(prose, output), {}) == []
    assert len(numbers.in_prose(prose)) >= 1
    assert unprinted(said(prose, "7"), {}) != []


@pytest.mark.parametrize(
    ("prose", "output"),
    [
        ("It is 0.598.", "0.59876"),
        ("It is 3.29", "-3.29019"),
        ("It is −3.29", "3.29019"),
        ("It is 0.60", "0.6"),  # the output does not show the second digit
        ("It is 0.599", ""),
        ("It is 0.3", "<style>a {opacity: 0.3}</style><b>1</b>"),
        ("It is 0.3", "✓ eq-a · numerical · 3 values agree to 0.3"),
        ("```{note}\nIt is 0.3.\n```", "0.4"),
        ("```{figure} a.png\n:alt: It is 0.3\n```", "0.4"),
        ("{term}`about 0.3 <mean>`", "0.4"),
        ("$$\n\\mu=0.3\n$$ (eq-mu)", "0.4"),
    ],
)
def test_a_number_that_was_not_printed(prose: str, output: str) -> None:
    assert len(unprinted(said(prose, output), {})) == 1


@pytest.mark.parametrize(
    "prose",
    [
        "Version 1.4.0, Python 3.11, v1.2, scikit-learn ≥ 1.5",
        "Section 3.2 and 3.3, table 8.1, eq. (9.14), §2.5",
        "`tol=1e-3` and `0.5`, ``a = `0.5` ``",
        "doi:10.1000/182.5, arXiv:1502.05767, https://example.org/1.5/x",
        "[a link](files/1.5.html) {cite:p}`a1.5` {eq}`eq-1.5`",
        "$10^{-3}$, 2020, 1e-8, 3.",
        "```python\nx = 0.5\n```",
        "````{note}\n```bash\nsleep 0.5\n```\n````",
        "```{figure} a.png\n:width: 0.5\n```",
        "<!-- 0.5 -->\n% 0.5",
        "CC BY 4.0, \\hspace{0.5em}",
    ],
)
def test_what_is_no_decimal_of_prose(prose: str) -> None:
    assert numbers.in_prose(prose) == []


def test_signs() -> None:
    text = "−1.5 a-2.5 (-3.5) - 4.5\n- 5.5\n= - 6.5, |-7.5| \\mu-8.5 \\le-9.5 x - 10.5 {-}11.5"
    wanted = "-1.5 2.5 -3.5 4.5 5.5 -6.5 -7.5 8.5 -9.5 10.5 -11.5"
    assert [n.value for n in numbers.in_prose(text)] == [Decimal(w) for w in wanted.split()]


def test_quoted_values() -> None:
    one = said("They print 0.5 and −0.25.", "0.5")
    assert unprinted(one, {"p": {"-0.25": "the note"}}) == []
    assert unprinted(one, {"any": {"-0.25": "the note"}}) == []
    for quoted in (
        {},
        {"p": {"0.25": "the note"}},
        {"p": {"-0.250": "the note"}},
        {"q": {"-0.25": "the note"}},
        {"p": {"-0.25": " "}},  # no source
        {"p": {"-0.25": "the note", "0.5": "the note"}},  # 0.5 is printed
        {"p": {"-0.25": "the note"}, "any": {"0.75": "stands nowhere"}},
        {"p": {"-0.25": "the note"}, "any": {"-0.25": "stands there already"}},
    ):
        assert unprinted(one, quoted) != [], quoted


def test_the_message_names_the_nearest_number() -> None:
    (wrong,) = unprinted(said("It is 0.598.", "0.59876 3.5"), {})
    assert wrong.startswith("p: 0.598 is in no output of the page at that precision (the nearest")
    assert "0.59876" in wrong


# --- tools/run_notebooks.py -------------------------------------------------------------------


def noisy_pictures(nb: NotebookNode) -> None:
    """Both pictures as another processor might draw them."""
    for cell_id in ("curve", "line"):
        data = picture(nb, cell_id)
        image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
        file = io.BytesIO()
        image.point(lambda level: max(0, level - 1)).save(file, "PNG")
        data["image/png"] = base64.b64encode(file.getvalue()).decode()


def a_cell_that_fails(nb: NotebookNode) -> None:
    edit(nb, "last", "print", "prnt")


RUNS = {
    "same": None,
    "noisy": noisy_pictures,
    "fails": a_cell_that_fails,
    "forged": a_line_that_no_check_said,
}


@pytest.fixture(scope="module")
def folder(good: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("chapters")
    for name, do in RUNS.items():
        (made / f"{name}.ipynb").write_text(broken(good, do) if do else good, encoding="utf-8")
    bare = new_code_cell("print(1)")
    del bare["id"]
    notebook = notebooks.read(good)
    notebook.nbformat_minor = 4
    notebook.cells = [bare, bare.copy(), new_markdown_cell("a", metadata={"scrolled": True})]
    del notebook.cells[2]["id"]
    (made / "bare.ipynb").write_text(notebooks.to_text(notebook), encoding="utf-8")
    return made


def test_executing_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.stem: path.read_bytes() for path in folder.glob("*.ipynb")}
    assert run_notebooks.main(["--folder", str(folder), "--check", "same"]) == 0
    assert run_notebooks.main(["--folder", str(folder), "--check", "bare"]) == 1
    same, bare = capsys.readouterr().out.splitlines()
    assert same.startswith("same    9 cells")
    assert same.endswith(" s  unchanged")
    assert bare.endswith(" s  would change")
    assert {path.stem: path.read_bytes() for path in folder.glob("*.ipynb")} == before

    assert run_notebooks.main(["--folder", str(folder), "noisy", "fails", "forged", "bare"]) == 1
    said = capsys.readouterr()
    states = {line.split()[0]: line.split(" s  ")[1] for line in said.out.splitlines()}
    wanted = {"noisy": "unchanged", "fails": "FAILED", "forged": "FAILED", "bare": "written"}
    assert states == wanted
    after = {path.stem: path.read_bytes() for path in folder.glob("*.ipynb")}
    assert {name for name in after if after[name] != before[name]} == {"bare"}
    assert "fails: code cell 8 (id last) failed; the file is left as it was" in said.err
    assert 'prnt("the end")' in said.err
    assert "NameError: name 'prnt' is not defined" in said.err
    assert "no check said '✓ eq-double · symbolic · trust me'" in said.err

    put_right = notebooks.read(after["bare"].decode())
    ids = [c.id for c in put_right.cells]
    assert ids[1] == f"{ids[0]}-2"
    assert [c.get("execution_count") for c in put_right.cells] == [1, 2, None]
    assert put_right.cells[2].metadata == {}
    assert put_right.metadata == notebooks.metadata(put_right)


def test_a_name_that_is_no_chapter(folder: Path) -> None:
    with pytest.raises(
        SystemExit, match=r"No chapter is called '08'. There are: bare, fails, forged"
    ):
        run_notebooks.main(["--folder", str(folder), "08"])
    with pytest.raises(SystemExit, match=r"There is no \.ipynb in"):
        run_notebooks.main(["--folder", str(folder / "nothing")])
    assert [p.stem for p in run_notebooks.chosen(["no", "chapters/same.ipynb"], folder)] == [
        "noisy",
        "same",
    ]
