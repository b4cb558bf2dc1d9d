"""The figures for a teacher's slides, drawn from a chapter of one cell."""

import json
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

from book import ROOT, Book, Page
from course import figures

CELL = {
    "cell_type": "code",
    "id": "a",
    "execution_count": None,
    "outputs": [],
    "source": "import matplotlib.pyplot as plt\n\nplt.plot([1, 2]);",
    "metadata": {"mystnb": {"figure": {"name": "fig-a", "caption": "A line, as in $x$."}}},
}


def test_each_figure_is_drawn_twice_and_has_its_caption(tmp_path: Path) -> None:
    title = {"cell_type": "markdown", "id": "t", "metadata": {}, "source": "# 1 One"}
    content = {"cells": [title, CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    page = Page(PurePosixPath("chapters/01_one.ipynb"), json.dumps(content))
    assert figures.export(Book(ROOT, (page,)), tmp_path) == 1
    assert ET.parse(tmp_path / "fig-a.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "fig-a.png").read_bytes().startswith(b"\x89PNG")
    about = (tmp_path / "README.md").read_text(encoding="utf8")
    assert "**fig-a** (svg, png): *Figure 1. A line, as in $x$.*" in about
