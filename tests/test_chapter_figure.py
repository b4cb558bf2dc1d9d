"""A chapter's picture is found by its name, and a wrong name is an error."""

import base64
import json
from pathlib import Path

import pytest

from website.chapter_figure import find_figure

PNG = base64.b64encode(b"a picture").decode()


@pytest.fixture
def chapters(tmp_path: Path) -> Path:
    options = {"figure": {"name": "fig-one"}, "image": {"alt": "seen"}}
    cell = {"metadata": {"mystnb": options}, "outputs": [{"data": {"image/png": PNG}}]}
    blank = {"metadata": {"mystnb": {"figure": {"name": "fig-none"}}}, "outputs": []}
    cells = [{"metadata": {}, "cell_type": "markdown"}, cell, blank]
    (tmp_path / "01.ipynb").write_text(json.dumps({"cells": cells}))
    return tmp_path


def test_the_picture_and_its_alt_text(chapters: Path) -> None:
    path, picture, options = find_figure(chapters, "fig-one")
    assert (path.name, picture, options["alt"]) == ("01.ipynb", b"a picture", "seen")


@pytest.mark.parametrize("name", ["fig-two", "fig-none"])
def test_a_name_without_a_picture(chapters: Path, name: str) -> None:
    with pytest.raises(LookupError, match=name):
        find_figure(chapters, name)
