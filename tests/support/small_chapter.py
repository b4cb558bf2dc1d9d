"""A small chapter in which everything is right, for tests that break it."""

from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import notebooks
import run_notebooks

EXERCISE = "```{exercise} By hand\n:label: ex-1\n\nDouble 1.25 and 7.\n```"
HINT = "```{hint}\nAdd.\n```"


def _figure(name: str, caption: str, alt: str) -> dict[str, Any]:
    return {"mystnb": {"figure": {"name": name, "caption": caption}, "image": {"alt": alt}}}


def unexecuted() -> NotebookNode:
    def md(cell_id: str, source: str) -> NotebookNode:
        return new_markdown_cell(source, id=cell_id)

    def code(cell_id: str, source: str, **metadata: Any) -> NotebookNode:
        return new_code_cell(source, id=cell_id, metadata=metadata)

    return new_notebook(
        cells=[
            md("title", "# A small chapter\n\nThe mean is 0.599, the lower end −3.29019."),
            code(
                "imports",
                "import matplotlib.pyplot as plt\nimport sympy as sp\n\nfrom gmmlib import checks",
            ),
            code("mean", 'print(f"mean {0.59876:.5f}")\nprint(f"end {-3.29019:.5f}")'),
            code("latex", 'x = sp.Symbol("x")\nsp.exp(-(x**2) / 2) / 3'),
            md("equation", "Twice the same:\n\n$$\nx + x = 2x\n$$ (eq-double)"),
            code("check", 'checks.symbolic("eq-double", x + x, 2 * x, scope="for every x")'),
            md("words", "A curve, and then a line."),
            code(
                "curve",
                "fig, ax = plt.subplots()\nax.plot([1, 2, 4])\nplt.show()",
                **_figure(
                    "fig-curve", "It ends at 4.5.", "A curve that rises from 1 and ends at 4.5."
                ),
            ),
            code(
                "line",
                'print("height 4.5")\nfig, ax = plt.subplots()\nax.plot([3, 2, 1])\nplt.show()',
                tags=["hide-input"],
                **_figure("fig-line", "A line.", "A line that falls from the left to the right."),
            ),
            code("error", 'int("four")', tags=["raises-exception"]),
            code("last", 'print("the end")'),
            md("exercise", f"{EXERCISE}\n\n{HINT}"),
            md("solution", "```{solution-start} ex-1\n```\n\n7 and 7 are 14, and"),
            code("doubled", 'print(f"{1.25:.2f} and 1.25 are {2 * 1.25:.1f}, {2 * 7}")'),
            md("end", "```{solution-end}\n```\n\nThat was all."),
        ]
    )


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The text of its file, executed by tools/run_notebooks.py."""
    path: Path = tmp_path_factory.mktemp("small") / "good.ipynb"
    path.write_text(notebooks.to_text(unexecuted()), encoding="utf-8")
    assert run_notebooks.main(["--folder", str(path.parent)]) == 0
    return path.read_text(encoding="utf-8")
