"""The worker and its kernel: what they send, and that the tests of the chapters see a fault."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

import run_here
import site_checks

RunSite = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def kernel(context: BrowserContext, run_site: RunSite) -> Iterator[run_here.Kernel]:
    with run_here.kernel(context, run_site[0], "07_worked_example") as kernel:
        yield kernel


# --- faults that are planted ----------------------------------------------------------------------


def stored(text: str) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": "stdout", "text": [text]}]


def test_a_wrong_stored_output_is_seen(kernel: run_here.Kernel) -> None:
    outputs, _ = kernel.run("print(6 * 7)")
    assert run_here.unlike(outputs, stored("42\n")) == ""
    assert run_here.unlike(outputs, stored("43\n")) == "stored:\n43\n\nhere:\n42\n"
    assert "stored are ['stdout', 'stdout']" not in run_here.unlike(outputs, [])
    assert run_here.unlike(outputs, [])


@pytest.mark.parametrize("wrong", ["stream", "a picture", "a result"])
def test_an_output_that_is_missing_is_seen(kernel: run_here.Kernel, wrong: str) -> None:
    codes = {"stream": "print(1)", "a picture": FIGURE, "a result": "1 + 1"}
    outputs, _ = kernel.run(codes[wrong])
    assert run_here.unlike(outputs, outputs) == ""
    assert run_here.unlike([], outputs)


def test_a_listed_difference_has_to_occur(kernel: run_here.Kernel) -> None:
    outputs, _ = kernel.run("print(6 * 7)")
    listed = [run_here.Difference("07", "x", "41", "42", "for a test")]
    assert run_here.unlike(outputs, stored("41\n"), listed) == ""
    assert "lack the text '41'" in run_here.unlike(outputs, stored("42\n"), listed)
    assert run_here.unlike(outputs, stored("41 41\n"), listed)


def test_every_listed_difference_says_why() -> None:
    cells = {p.stem: {c["id"] for c in run_here.code_cells(p)} for p in run_here.CHAPTERS}
    for difference in run_here.differences():
        assert difference.cell in cells[difference.chapter]
        assert len(difference.reason) > 20


FOREIGN = """
import js
try:
    await js.fetch("https://elsewhere.example/")
except Exception:
    print("refused")
"""


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        (FOREIGN, "request to another host: https://elsewhere.example/"),
        ("import js\njs.console.error('wrong')", "console error: wrong"),
    ],
)
def test_what_goes_wrong_on_the_page_is_seen(
    context: BrowserContext, run_site: RunSite, code: str, seen: str
) -> None:
    with run_here.kernel(context, run_site[0], "07_worked_example") as kernel:
        assert kernel.problems == []
        assert kernel.run(code)[1]["ok"]
        assert seen in kernel.problems


def test_a_cell_that_hangs_is_ended_and_reported(
    context: BrowserContext, run_site: RunSite
) -> None:
    with run_here.kernel(context, run_site[0], "07_worked_example") as kernel:
        kernel.run("a = 1")
        with pytest.raises(run_here.Hangs, match=r"cell 2 has not ended in 1 s"):
            kernel.run("print('so far')\nwhile True:\n    pass", patience=1000)
        # what was printed before is on the page already
        printed = kernel.page.evaluate("() => seen.outputs[1]")
        assert run_here.texts(printed) == [("stdout", "so far\n")]


# --- a start that fails ---------------------------------------------------------------------------


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (Path.unlink, "Python could not be loaded. This site has no {name} (status 404)."),
        (cut_short, "Python could not be loaded. {name} has 100 bytes and should have "),
    ],
)
@pytest.mark.parametrize("part", ["pyodide.asm.wasm", "sympy-", "runtime.json"])
def test_a_broken_site_is_told(
    browser: Browser, tmp_path: Path, harm: Any, said: str, part: str
) -> None:
    run_here.make_site(tmp_path, run_here.runtime())
    (path,) = (p for p in (tmp_path / "_static/runtime").rglob("*") if p.name.startswith(part))
    harm(path)
    page = browser.new_context().new_page()
    with site_checks.serve(tmp_path) as address, pytest.raises(AssertionError) as failed:
        run_here.Kernel(page, address).start("07_worked_example")
    page.context.close()
    if part != "runtime.json" or harm is Path.unlink:
        assert said.format(name=path.name) in str(failed.value)
    assert str(failed.value).startswith("Python could not be")


def test_a_package_for_later_that_is_missing_is_told(browser: Browser, tmp_path: Path) -> None:
    run_here.make_site(tmp_path, run_here.runtime())
    (path,) = (tmp_path / "_static/runtime").glob("*/dask-*.whl")
    path.unlink()
    context = browser.new_context()
    with site_checks.serve(tmp_path) as address, run_here.kernel(context, address, "18") as kernel:
        outputs, ended = kernel.run("import dask")
        assert run_here.texts(outputs) == [
            ("stderr", f"This site has no {path.name} (status 404).\n"),
            ("error", "ModuleNotFoundError: No module named 'dask'"),
        ]
        assert not ended["ok"]
        assert kernel.run("1")[1]["ok"]
    context.close()


# --- what the kernel sends ------------------------------------------------------------------------

FIGURE = """
import matplotlib.pyplot as plt
print("before")
fig, ax = plt.subplots(figsize=(4, 3))
_ = ax.plot([1, 2])
print("also before")
"""
AWAITS = """
import asyncio
await asyncio.sleep(0)
"after"
"""
ORDER = """
from IPython.display import display
print("one")
display("two")
print("three")
"four"
"""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print('a')\nprint('b', end='')", [("stdout", "a\nb")]),
        ("import sys\nprint('e', file=sys.stderr)", [("stderr", "e\n")]),
        ("1 + 1", [("execute_result text/plain", "2")]),
        ("1 + 1;", []),
        (FIGURE, [("stdout", "before\nalso before\n"), ("display_data image/png", "")]),
        (
            "from sympy import Symbol\nSymbol('x') ** 2",
            [
                ("execute_result text/plain", "x**2"),
                ("execute_result text/latex", r"$\displaystyle x^{2}$"),
            ],
        ),
        ("def f(:", [("error", "SyntaxError: invalid syntax")]),
        ("1 / 0", [("error", "ZeroDivisionError: division by zero")]),
        ("import no_such_package", [("error", "ModuleNotFoundError: No module")]),
        (AWAITS, [("execute_result text/plain", "'after'")]),
        (ORDER, [
            ("stdout", "one\nthree\n"),
            ("display_data text/plain", "'two'"),
            ("execute_result text/plain", "'four'"),
        ]),
    ],
)  # fmt: skip
def test_outputs_are_those_of_a_notebook(
    kernel: run_here.Kernel, code: str, expected: list[tuple[str, str]]
) -> None:
    outputs, ended = kernel.run(code)
    found = run_here.texts(outputs)
    assert [kind for kind, _ in found] == [kind for kind, _ in expected]
    for (_, text), (kind, wanted) in zip(found, expected, strict=True):
        assert text.startswith(wanted) if kind == "error" else text == wanted
    assert ended["ok"] is ("error" not in dict(expected))
    assert kernel.problems == []


def test_a_picture_has_the_size_and_the_style_of_the_book(kernel: run_here.Kernel) -> None:
    outputs, _ = kernel.run("import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])")
    (picture,) = outputs
    assert picture["data"]["text/plain"] == "<Figure size 1008x532 with 1 Axes>"
    assert picture["data"]["image/png"].startswith("iVBORw0KGgo")


def test_cells_are_counted_and_share_their_names(kernel: run_here.Kernel) -> None:
    _, first = kernel.run("shared = 1")
    outputs, second = kernel.run("shared + 1")
    assert second["count"] == first["count"] + 1
    assert outputs[0]["execution_count"] == second["count"]
    assert run_here.texts(outputs) == [("execute_result text/plain", "2")]


def test_cells_run_in_the_order_in_which_they_were_sent(kernel: run_here.Kernel) -> None:
    kernel.page.evaluate("() => { for (const i of [0, 1, 2]) run(`q${i}`, `print(${i})`); }")
    kernel.page.wait_for_function("() => seen.done.q2")
    counts = kernel.page.evaluate("() => [0, 1, 2].map((i) => seen.done[`q${i}`].count)")
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]
    assert kernel.page.evaluate("() => seen.outputs.q1[0].text") == "1\n"


def test_many_lines_arrive_whole_and_in_few_messages(kernel: run_here.Kernel) -> None:
    outputs, _ = kernel.run("for i in range(20_000): print(i)")
    assert run_here.texts(outputs) == [("stdout", "".join(f"{i}\n" for i in range(20_000)))]
    assert len(outputs) < 2000


def test_clear_output_reaches_the_page(kernel: run_here.Kernel) -> None:
    kernel.run("from IPython.display import clear_output\nclear_output(wait=True)")
    assert kernel.page.evaluate("() => seen.clear.at(-1).wait") is True


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("input('Your name?')", "A cell cannot ask for input here."),
        ("!ls", "There are no other programs here"),
    ],
)
def test_what_cannot_be_had_is_told(kernel: run_here.Kernel, code: str, said: str) -> None:
    outputs, ended = kernel.run(code)
    assert said in run_here.texts(outputs)[-1][1]
    assert not ended["ok"]


def test_the_page_is_told_how_much_has_come(kernel: run_here.Kernel, run_site: RunSite) -> None:
    told = kernel.page.evaluate("() => seen.progress")
    loaded = [one["loaded"] for one in told]
    assert loaded == sorted(loaded)
    assert loaded[0] == 0
    assert loaded[-1] == told[-1]["total"]
    assert 0.9 < told[-1]["total"] / run_site[1]["needed_bytes"] <= 1
    assert told[-1]["what"] == "Starting Python"
    versions = kernel.ready["versions"]
    assert {"python", "numpy", "gmmlib"} <= set(versions)
    assert all(re.match(r"\d+\.\d+", version) for version in versions.values())


@pytest.mark.parametrize(
    "code",
    [
        "import numpy as np\nfrom gmmlib import GaussianMixture\n"
        "X = np.random.default_rng(0).normal(size=(100_000, 3))\n"
        "X[:40_000] += 9\n"
        "print(GaussianMixture(2, n_init=1, random_state=0).fit(X).n_iter_ > 0)",
        "from gmmlib import datasets\nfrom gmmlib.select import select\n"
        "_ = select(datasets.old_faithful(), n_components=[1, 2], covariance_types=['EII'],"
        " random_state=0, n_jobs=2)\nprint(True)",
    ],
    ids=["blocks", "select"],
)
def test_the_library_says_nothing_of_what_is_missing(kernel: run_here.Kernel, code: str) -> None:
    outputs, ended = kernel.run(code)
    assert run_here.texts(outputs) == [("stdout", "True\n")]
    assert ended["ok"]


def test_a_page_without_shared_memory_runs(kernel: run_here.Kernel) -> None:
    assert kernel.page.evaluate("() => self.crossOriginIsolated") is False
    assert kernel.page.evaluate("() => typeof SharedArrayBuffer") == "undefined"
    assert kernel.run("1")[1]["ok"]
