"""The mathematics is typeset when the site is built, and what cannot be typeset fails the build."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rules.html import html_problems
from website.typeset import Formula, formulas_in, typeset

ROOT = Path(__file__).parents[2]
CONF = """
import sys
sys.path.insert(0, {tools!r})
extensions = ["myst_parser", "website.typeset"]
myst_enable_extensions = ["dollarmath"]
"""


@pytest.mark.parametrize(
    ("latex", "mathml"),
    [
        (r"\alpha_j", "<msub><mi>α</mi><mi>j</mi></msub>"),
        (r"\frac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        (r"\boldsymbol\mu", '<mi mathvariant="bold-italic">μ</mi>'),
    ],
)
def test_a_formula_is_drawn_and_can_be_heard(latex: str, mathml: str) -> None:
    formula = Formula(latex, display=False)
    done = typeset([formula])
    html = done.html[formula]
    assert not done.errors
    assert re.search(r'<mjx-math [^>]*aria-hidden="true"', html)  # not read twice
    assert mathml in re.sub(r"\s*data-[\w-]+=\"[^\"]*\"", "", html)
    assert "mjx-c" in done.style


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (r"\alfa_j", r"Undefined control sequence \alfa"),
        (r"\frac{1}{2", "Missing close brace"),
        (r"x^a^b", "Double exponent: use braces to clarify"),
        (r"\begin{cases} 1", r"Missing \end{cases}"),
    ],
)
def test_a_formula_with_a_fault_is_no_formula(latex: str, message: str) -> None:
    good, bad = Formula("x", display=True), Formula(latex, display=True)
    done = typeset([good, bad])
    assert set(done.html) == {good}
    assert message in done.errors[bad]


def build(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "conf.py").write_text(CONF.format(tools=str(ROOT / "tools")))
    (folder / "index.md").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", ".", "out"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_a_page_needs_no_script(tmp_path: Path) -> None:
    run = build(tmp_path, "# A page\n\nHere is $x<y$ and\n\n$$\n\\sigma^2\n$$ (eq-one)\n")
    assert run.returncode == 0, run.stderr
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert page.count("<mjx-container") == 2
    formula = re.search(r"<mjx-container.*?</mjx-container>", page, re.DOTALL)
    assert formula
    text = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1>{}</main></html>"
    assert html_problems(text.format(formula[0])) == html_problems(text.format(""))
    assert formulas_in(page) == []
    assert not re.search(r'<script[^>]* src="[^"]*mathjax', page, re.IGNORECASE)


def test_a_fault_fails_the_build_and_says_where(tmp_path: Path) -> None:
    run = build(tmp_path, "# A page\n\nHere is $x$.\n\nAnd here $\\alfa$.\n")
    assert run.returncode != 0
    assert re.search(r"index\.md:5: WARNING: mathematics: Undefined control .*alfa", run.stderr)
