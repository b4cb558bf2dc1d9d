"""A chapter's picture is found by its name, and a wrong name is an error."""

import base64
import json
from pathlib import Path, PurePosixPath

import pytest

from book import Book, Page
from website.chapter_figure import find_figure

PNG = base64.b64encode(b"a picture").decode()


def code(options: dict[str, object], *pngs: str) -> dict[str, object]:
    outputs = [
        {"output_type": "display_data", "data": {"image/png": png}, "metadata": {}} for png in pngs
    ]
    cell = {"cell_type": "code", "source": "", "execution_count": 1, "outputs": outputs}
    return cell | {"metadata": {"mystnb": options}}


@pytest.fixture
def book() -> Book:
    cells = [
        {"metadata": {}, "cell_type": "markdown", "source": ""},
        code({"figure": {"name": "fig-one"}, "image": {"alt": "seen"}}, PNG),
        code({"figure": {"name": "fig-none"}}),
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    page = Page(PurePosixPath("chapters/01.ipynb"), json.dumps(notebook))
    return Book(Path(), (page,))


def test_the_picture_and_its_alt_text(book: Book) -> None:
    page, picture, figure = find_figure(book, "fig-one")
    assert (page.name, picture, figure.alt) == ("01", b"a picture", "seen")


@pytest.mark.parametrize("name", ["fig-two", "fig-none"])
def test_a_name_without_a_picture(book: Book, name: str) -> None:
    with pytest.raises(LookupError, match=name):
        find_figure(book, name)
