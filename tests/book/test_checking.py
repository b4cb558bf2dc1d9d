"""Ways to fool the ledger that stand in a chapter's code: each is planted, and a rule finds it."""

from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import notebooks
import said
from book import Page
from rules import checking
from rules.tables import OF_A_CHAPTER

LINE = "✓ eq-a · numerical · 1 value agrees to 1e-12 · for K = 3\n"
IMPORT = "from gmmlib import checks"
CHECK = 'checks.numerical("eq-a", left, right, scope="for K = 3")'


def page(
    *sources: str,
    lines: str = LINE,
    equation: str = "x=y",
    **metadata: object,
) -> Page:
    """A chapter of one equation, and of cells of which the last one prints."""
    cells = [new_markdown_cell(f"# A\n\n$$\n{equation}\n$$ (eq-a)")]
    cells += [new_code_cell(source) for source in (IMPORT, *sources)]
    cells[-1].outputs = [new_output("stream", text=lines)] if lines else []
    cells[-1].metadata.update(metadata)
    return Page(PurePosixPath("one.ipynb"), notebooks.to_text(new_notebook(cells=cells)))


Rule = Callable[[Page], list[str]]


def test_a_sound_check_passes_all_rules() -> None:
    for rule in checking.RULES:
        assert rule(page(CHECK)) == [], rule.__name__
        assert rule(page(f"for left, right in pairs:\n    {CHECK}")) == [], rule.__name__


def test_the_rules_are_active() -> None:
    assert {rule.__name__ for rule in checking.RULES} <= set(OF_A_CHAPTER)


# --- where a check stands -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("try:\n    {}\nexcept AssertionError:\n    pass", "Try"),
        ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    {}", "Try"),
        ("if ready:\n    {}", "If"),
        ("while ready:\n    {}", "While"),
        ("with contextlib.suppress(AssertionError):\n    {}", "With"),
        ("with redirect_stdout(out):\n    {}", "With"),
        ("def f():\n    return\n    {}", "FunctionDef"),
        ("class A:\n    {}", "ClassDef"),
        ("f = lambda: {}", "Assign"),
        ("[{} for x in values]", "ListComp"),
        ("ready and {}", "BoolOp"),
        ("{} if ready else None", "IfExp"),
        ("for x in values:\n    try:\n        {}\n    finally:\n        pass", "Try"),
        ("for x in values:\n    if x:\n        {}", "If"),
        ("match x:\n    case 1:\n        {}", "Match"),
        ("assert not {}", "Assert"),
    ],
)
def test_a_check_where_it_may_not_run_or_not_fail(place: str, word: str) -> None:
    (wrong,) = checking.check_places(page(place.format(CHECK)))
    assert f"the check of eq-a stands inside of {word}" in wrong


@pytest.mark.parametrize(
    ("loop", "sound"),
    [
        ("for left in (1, 2):\n    {0}\n{0}", True),
        ("for left in values:\n    {0}\n{0}", False),
        ("for left in ():\n    {0}\n{0}", False),
        ("for left in (1, 2):\n    for right in values:\n        {0}\n{0}", False),
        ("for left in (1, 2):\n    continue\n    {0}\n{0}", False),
    ],
)
def test_a_loop_over_nothing_behind_another_check(loop: str, sound: bool) -> None:
    assert (checking.check_places(page(loop.format(CHECK), lines=LINE * 3)) == []) == sound


@pytest.mark.parametrize(
    "metadata",
    [
        *(
            {"tags": [tag]}
            for tag in (
                *("remove-cell", "remove-output", "remove-input", "hide-cell", "hide-output"),
                *("skip-execution", "raises-exception", "nbval-skip", "nbval-ignore-output"),
            )
        ),
        {"mystnb": {"remove_code_outputs": True}},
        {"mystnb": {"output_stderr": "remove"}},
    ],
)
def test_a_check_cell_that_is_not_seen_or_not_run(metadata: dict[str, object]) -> None:
    assert len(checking.check_cells(page(CHECK, **metadata))) == 1


def test_the_code_of_a_check_may_be_folded() -> None:
    assert checking.check_cells(page(CHECK, tags=["hide-input"])) == []
    assert checking.check_cells(page("f()", tags=["remove-output"])) == []


@pytest.mark.parametrize(
    ("call", "line", "sound"),
    [
        (CHECK, LINE, True),
        (CHECK, LINE.replace(" · for K = 3", ""), False),
        (CHECK.replace(', scope="for K = 3"', ""), LINE.replace(" · for K = 3", ""), False),
    ],
)
def test_a_check_that_does_not_say_for_what_it_stands(call: str, line: str, sound: bool) -> None:
    assert (checking.scopes(page(call, lines=line)) == []) == sound


# --- code that changes the checks ---------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "checks._close = lambda *a: True",
        "checks.sp.simplify = zero",
        "checks.said.append(line)",
        "checks._say(label)",
        "del checks.LINE",
        "import gmmlib.checks\ngmmlib.checks._close = always",
        "import gmmlib.checks as c\nc.said.clear()",
        "from gmmlib.checks import _close",
        "from gmmlib.checks import said",
        "setattr(checks, '_close', always)",
        "vars(checks)['_close'] = always",
        "checks.__dict__['_close'] = always",
        "checks.numerical.__code__ = other",
        "globals()['checks'] = other",
        "exec('x = 1')",
        "eval('1')",
        "import importlib",
        "import unittest.mock",
        "from unittest import mock",
        "from unittest.mock import patch",
        "import builtins",
        "__builtins__.print = silent",
        "import sys\nsys.modules['gmmlib.checks'] = other",
        "from sys import modules",
        "import sys\nsys.stdout = other",
        "import numpy as np\nnp.abs = zero",
        "import numpy as np\nnp.testing['a'] = zero",
        "from gmmlib import Mixture\nMixture.log_density = zero",
        "checks = Always()",
        "def checks(): pass",
        "class checks: numerical = always",
        "import other as checks",
        "from other import checks",
        "from gmmlib.checks import numerical\nnumerical = always",
        "from gmmlib.checks import numerical\ndef numerical(*a): pass",
        "for checks in (1, 2): pass",
        "get_ipython().system('ls')",
        "m = checks",
        "getattr(checks, 'said').append(line)",
        "patched(checks, '_close')",
        "import gmmlib\nm = gmmlib.checks",
        "import gmmlib\nm = gmmlib",
        "import inspect\ninspect.getmodule(checks.numerical)",
        "from inspect import currentframe",
        "module_of(checks.numerical)._close = always",
        "import numpy as np\nn = np\nn.abs = zero",
        "import sympy as sp\nE = sp.Expr\nE.is_zero = True",
        "%%capture\nf()",
        "!touch x",
        "%run other.py",
    ],
)
def test_code_that_changes_the_checks(code: str) -> None:
    assert checking.untouched(page(code)) != []


@pytest.mark.parametrize(
    "code",
    [
        "import matplotlib.pyplot as plt\nplt.rcParams['figure.dpi'] = 90",
        "import os\nos.environ['A'] = 'b'",
        "import numpy as np\na = np.ones(3)\na[0] = 2",
        "model.weights_ = [1]",
        "show(checks.negative_definite)",
        "import inspect\nprint(inspect.getsource(m_step))",
        "import gmmlib\nprint(gmmlib.__version__)",
        "print(type(model).__name__)",
        "try:\n    f()\nexcept checks.CheckFailed as error:\n    print(error)",
        "from gmmlib.checks import numerical, CheckTooWeak",
        "%matplotlib inline",
        "1 +",  # is told by the ledger
    ],
)
def test_code_that_leaves_them_alone(code: str) -> None:
    assert checking.untouched(page(code)) == []


# --- the two sides of a check -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "sound"),
    [
        ("checks.symbolic('eq-a', e, e)", False),
        ("checks.symbolic('eq-a', a + b, a + b)", False),
        ("checks.symbolic('eq-a', a + b, a * b)", True),
        ("checks.symbolic('eq-a', sp.diff(f, x), f1)", True),
        ("checks.symbolic('eq-a', e, sp.expand(e))", False),
        ("checks.symbolic('eq-a', e.simplify(), e)", False),
        ("checks.symbolic('eq-a', e, e.doit())", True),
        ("checks.symbolic('eq-a', left=e, right=1 * e)", False),
        ("d = c = a + b\nchecks.symbolic('eq-a', c, d)", False),
        ("c = a + b\nd = c\nchecks.symbolic('eq-a', c, d)", False),
        ("c = a + b\na = 3\nd = a + b\nchecks.symbolic('eq-a', c, d)", True),
        ("c, d = a + b, a + b\nchecks.symbolic('eq-a', c, d)", False),
        ("c, d = a + b, a - b\nchecks.symbolic('eq-a', c, d)", True),
        ("c, d = pair\nchecks.symbolic('eq-a', c, d)", True),
        ("checks.numerical('eq-a', a, list(a))", False),
        ("checks.numerical('eq-a', a, a.copy())", False),
        ("checks.numerical('eq-a', a, np.array(a))", False),
        ("checks.numerical('eq-a', a, np.copy(a) + 0)", False),
        ("checks.numerical('eq-a', a, +a[:])", False),
        ("checks.numerical('eq-a', a, [*a])", False),
        ("checks.numerical('eq-a', a, other.copy(a))", True),
        ("checks.numerical('eq-a', a, a[1:])", True),
        ("checks.numerical('eq-a', a, 2 * a)", True),
        ("checks.numerical('eq-a', a, 0 + a / 1)", False),
        ("b = a.copy()\nchecks.numerical('eq-a', a, b)", False),
        ("b = a.copy()\nb[0] = 1\nchecks.numerical('eq-a', a, b)", True),
        ("b = a.copy()\nb += 1\nchecks.numerical('eq-a', a, b)", True),
        ("b = list(a)\nb.append(1)\nchecks.numerical('eq-a', a, b)", True),
        ("b = a\nif a: b = 2\nchecks.numerical('eq-a', a, b)", True),
        ("def b(): pass\nchecks.numerical('eq-a', a, b)", True),
        ("b = a\ndef b(): pass\nchecks.numerical('eq-a', a, b)", True),
        ("for a in s:\n    b = a\n    checks.numerical('eq-a', a, b)", False),
        ("b = a\nfor a in s:\n    checks.numerical('eq-a', a, b)", True),
        ("b = a\nfor i in s:\n    checks.numerical('eq-a', a, b)\n    a = f(a)", True),
        ("with f() as a:\n    b = a\nchecks.numerical('eq-a', a, b)", False),
        ("b = a\nwith f() as a:\n    g()\nchecks.numerical('eq-a', a, b)", True),
        ("b = a\n(a[0], c) = 1, 2\nchecks.numerical('eq-a', a, b)", True),
        ("checks.printed('eq-a', float('0.574'), '0.574')", False),
        ("checks.printed('eq-a', [float(t) for t in texts], texts)", False),
        ("checks.printed('eq-a', np.array(texts, dtype=float), [*texts])", False),
        ("v = [Decimal(t) for t in texts]\nchecks.printed('eq-a', v, texts)", False),
        ("checks.printed('eq-a', v, [f'{x:.3f}' for x in v])", False),
        ("checks.printed('eq-a', [*v, w], ['0.57', '0.60', f'{w:.2f}'])", False),
        ("checks.printed('eq-a', v, ['0.57', '0.60'])", True),
        ("checks.printed('eq-a', 11, '11')", True),
        ("checks.printed('eq-a', exact, thirty(other))", True),
        ("checks.gradient('eq-a', f, x, x)", True),
        ("checks.gradient('eq-a', lambda t: t @ g, x, g)", False),
        ("g = 2 * x\nchecks.gradient('eq-a', lambda t: t @ g, x, 2 * x)", False),
        ("checks.gradient('eq-a', lambda t: t @ t, x, 2 * x)", True),
        ("checks.stationary('eq-a', -(m - S / n) ** 2, {m: S / n})", False),
        ("best = S / n\nell = -(m - best) ** 2\nchecks.stationary('eq-a', ell, {m: S / n})", False),
        ("checks.stationary('eq-a', m * S - n * m ** 2 / 2, {m: S / n})", True),
        ("checks.stationary('eq-a', ell, solution)", True),
        ("checks.stationary('eq-a', h(t), {t: 1})", True),
        ("checks.never_decreases('eq-a', heights)", True),
        ("checks.never_decreases('eq-a', sorted(heights))", False),
        ("v = np.maximum.accumulate(heights)\nchecks.never_decreases('eq-a', v)", False),
        ("checks.never_decreases('eq-a', np.sort(heights))", False),
        ("checks.negative_definite('eq-a', H)", True),
        ("checks.numerical('eq-a', a)", True),
    ],
)
def test_two_sides_from_one_expression(code: str, sound: bool) -> None:
    assert (checking.two_sides(page(code)) == []) == sound


def test_names_are_followed_from_cell_to_cell() -> None:
    assert checking.two_sides(page("b = list(a)", "checks.numerical('eq-a', a, b)")) != []


# --- decimals that are displayed ----------------------------------------------------------------

PRINTED = "checks.printed('eq-a', [v, w], {})"


@pytest.mark.parametrize(
    ("equation", "code", "sound"),
    [
        (r"\mu=0.57,\ \ell=-3.29", PRINTED.format("['0.57', '-3.29']"), True),
        (r"\mu=0.58,\ \ell=-3.29", PRINTED.format("['0.57', '-3.29']"), False),
        (r"\mu=0.57,\ \ell=3.29", PRINTED.format("['0.57', '-3.29']"), False),
        (r"\mu=0.57", PRINTED.format("['0.57', '-3.29']"), False),
        (r"\mu=0.57,\ \ell=-3.29,\ v=0.5", PRINTED.format("['0.57', '-3.29']"), False),
        (r"\mu=0.57", "t = ['0.57']\n" + PRINTED.format("[*t]"), True),
        (r"\mu=0.58", "t = ['0.57']\n" + PRINTED.format("[*t]"), False),
        (r"\mu=0.58", "t = '0.57 0.59'.split()\n" + PRINTED.format("t"), False),
        (r"\mu=0.57", PRINTED.format("'0.57'") + "\n" + PRINTED.format("thirty(m)"), True),
        (r"\mu=0.57", "known = 0.57\nchecks.numerical('eq-a', v, known)", True),
        (r"\mu=0.58", "known = 0.57\nchecks.numerical('eq-a', v, known)", False),
        (r"\mu=\sqrt x", PRINTED.format("['0.57', '-3.29']"), True),
        (r"\mu=0.57", "f()", True),  # is a claim without a check
    ],
)
def test_a_displayed_decimal_that_no_check_holds(equation: str, code: str, sound: bool) -> None:
    assert (checking.displayed_decimals(page(code, equation=equation)) == []) == sound


# --- lines that no check said -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "heard", "difference"),
    [
        ([LINE], [LINE], ""),
        ([LINE, "mean 0.5\n"], [LINE], ""),
        ([LINE], [], "no check said"),
        ([LINE, "✔ done\n"], [LINE], "no check said"),
        (["<b>&#10003; eq-a</b>\n"], [], "no check said"),
        ([LINE, LINE], [LINE], "the outputs show 2 lines of checks, and 1 were said"),
        ([], [LINE], "do not show it"),
    ],
)
def test_outputs_against_what_the_checks_said(
    shown: list[str], heard: list[str], difference: str
) -> None:
    outputs = [new_output("stream", text=text) for text in shown]
    found = said.unlike(outputs, [line.strip() for line in heard])
    assert difference in found
    assert bool(difference) == bool(found)


def test_the_kernel_s_answer() -> None:
    shown = {"status": "ok", "data": {"text/plain": repr("✓ one\n✓ two")}}
    assert said.heard({"user_expressions": {"said": shown}}) == ["✓ one", "✓ two"]
    assert said.heard({"status": "error"}) == []
