"""What a sentence points at (tools/rules/pointing.py): each slip is planted, and found."""

import json
from pathlib import Path, PurePosixPath

import pytest

from book import ROOT, Book, Page
from rules import pointing
from rules.tables import OF_THE_BOOK


def book(*texts: str) -> Book:
    """Chapters 1, 2, …; the second displays eq-b and has a place sec-b."""
    texts = (*texts, *["Nothing."] * (3 - len(texts)))
    names = ("01_one", "02_two", "03_three")
    second = "\n\n(sec-b)=\n## B\n\n$$\nb=c\n$$ (eq-b)\n\n$$\nd=e\n$$ (eq-d)\n"
    pages = [
        Page(PurePosixPath(f"chapters/{name}.md"), text + second * (name == "02_two"), order)
        for order, (name, text) in enumerate(zip(names, texts, strict=True))
    ]
    return Book(Path("nowhere"), tuple(pages))


@pytest.mark.parametrize(
    ("said", "sound"),
    [
        ("as {ref}`ex-01-1` shows", True),
        ("as exercise 2 shows", False),
        ("Theorem 3", False),
        ("Three exercises", True),
    ],
)
def test_numbers_that_the_site_counts(said: str, sound: bool) -> None:
    text = {"cells": [{"cell_type": "markdown", "metadata": {}, "source": said}]}
    content = json.dumps(text | {"metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    page = Page(PurePosixPath("chapters/01_one.ipynb"), content)
    assert (pointing.typed_numbers(Book(Path("nowhere"), (page,))) == []) == sound


def test_all_are_active() -> None:
    assert {rule.__name__ for rule in pointing.RULES} <= set(OF_THE_BOOK)


@pytest.mark.parametrize(
    ("said", "sound"),
    [
        ("{eq}`eq-b` in {doc}`02_two`", True),
        ("{eq}`eq-b` in {doc}`01_one`", False),
        ("{eq}`eq-b` of {doc}`the first <01_one>`", False),
        ("{eq}`eq-d`, {eq}`eq-b` and {eq}`eq-d` of {doc}`03_three`", False),
        ("({eq}`eq-b` in\n{doc}`chapters/02_two`)", True),
        ("| {eq}`eq-b` | {doc}`01_one` |", False),
        ("{ref}`sec-b` ({doc}`02_two`)", True),
        ("{ref}`here <sec-b>` ({doc}`01_one`)", False),
        ("{doc}`01_one` ({eq}`eq-b`)", False),
        ("chapter 2's {eq}`eq-b`", True),
        ("chapter 1's {eq}`eq-b`", False),
        ("Chapter 1 ({eq}`eq-b`)", False),
        ("{eq}`eq-b` of chapter 1", False),
        ("{eq}`eq-b` of chapter 9", False),
        ("{eq}`eq-b` from chapter A", False),
        ("{eq}`eq-b` in the next chapter", True),
        ("{eq}`eq-b` in the last chapter", False),
        ("({eq}`eq-b`), and in {doc}`01_one` the other", True),
        ("{eq}`eq-nowhere` in {doc}`01_one`", True),  # is found where the site is built
    ],
)
def test_a_label_and_the_chapter_beside_it(said: str, sound: bool) -> None:
    wrong = pointing.places(book(said))
    assert (wrong == []) == sound
    assert all(slip.startswith("01_one: ") and "is in 02_two" in slip for slip in wrong)


def test_what_comes_after_the_last_chapter() -> None:
    assert pointing.places(book("", "", "{eq}`eq-b` in the next chapter")) != []
    assert pointing.places(book("", "", "{eq}`eq-b` in the previous chapter")) == []


ENTRIES = {
    "wu1983": (["Wu"], "1983"),
    "meng1993": (["Meng", "Rubin"], "1993"),
    "dempster1977": (["Dempster", "Laird", "Rubin"], "1977"),
    "note": ([], ""),
}


@pytest.mark.parametrize(
    ("said", "sound"),
    [
        ("Wu {cite:p}`wu1983`", True),
        ("The original paper claimed more; Wu\n{cite:p}`wu1983` put it right.", True),
        ("Wu {cite:p}`meng1993`", False),
        ("Meng {cite:p}`meng1993`", False),
        ("Meng and Rubin {cite:p}`meng1993`", True),
        ("Rubin and Meng {cite:p}`meng1993`", False),
        ("Dempster, Laird, and Rubin's {cite:p}`dempster1977`", True),
        ("Dempster, Laird and Wu {cite:p}`dempster1977`", False),
        ("Wu's paper {cite:p}`meng1993`", False),
        ("Wu's *Convergence* {cite:p}`meng1993`", False),
        ("Wu {cite:p}`meng1993, wu1983`", True),
        ("Wu (1983) {cite:p}`wu1983`", True),
        ("Wu (1993) {cite:p}`wu1983`", False),
        ("as is known {cite:p}`wu1983`", True),
        ("Old Faithful {cite:p}`wu1983`", True),
        ("Nobody {cite:p}`missing`", True),  # is found where the site is built
    ],
)
def test_a_citation_and_the_names_beside_it(said: str, sound: bool) -> None:
    assert (pointing.wrong_citations(book(said), ENTRIES) == []) == sound


def test_a_year_in_a_key() -> None:
    (wrong,) = pointing.wrong_citations(book(), ENTRIES | {"wu1983": (["Wu"], "1984")})
    assert wrong == "references.bib: wu1983 is of 1984"


def test_the_bibliography_is_read() -> None:
    entries = pointing.bibliography(ROOT / "references.bib")
    assert entries["dempster1977maximum"] == (["Dempster", "Laird", "Rubin"], "1977")
    assert entries["amendola2016maximum"][0][0] == "Améndola"


@pytest.mark.parametrize(
    ("shown", "said", "sound"),
    [
        (r"\hat\mu_j=\frac{S_{1j}}{N_j}", r"$\hat\mu_j=S_{1j}/N_j$", True),
        (r"\hat\mu_j=\frac{S_{1j}}{N_j}", r"$\hat\mu_j=N_j/S_{1j}$", False),
        (r"\hat v=\frac1n\sum_ix_i^2=:s^2", r"$\hat v=s^2$", True),
        (r"\hat v=\frac1n\sum_ix_i^2=:s^2", r"$\hat v=s$", False),
        (r"\hat\mu_j=\frac{S_{1j}}{N_j}", r"$\hat\mu_j = \tfrac{S_{1j}}{N_j}$", True),
        (r"\hat\mu_j=\frac{S_{1j}}{N_j}", r"$\hat\mu_j=2$", True),
        (r"\hat\mu_j=\frac{S_{1j}}{N_j}", r"$\hat\mu_k=\frac{N_j}{S_{1j}}$", True),
        (r"h=a-b", "$h=a+b$", False),
        (r"h=a-b", "we know that $h=b-a$.", False),
        (r"h=a-b", "$h=a-b$, and $h = a \\, - b.$", True),
        (r"h=a-b=c", "$h=c$", True),
        (r"h=a-b\qquad k=2c", "$k=c$", False),
        (r"N_j=\sum_{i=1}^n\beta_{ij}", r"$N_j=\sum_{i=1}^n\beta_{ij}$", True),
        (r"N_j=\sum_{i=1}^n\beta_{ij}", r"$N_j=-\sum_{i=1}^n\beta_{ij}$", False),
        (r"h=a^2", "```{note}\n$h=a$\n```", False),
    ],
)
def test_a_formula_that_is_told_again(shown: str, said: str, sound: bool) -> None:
    text = f"{said}\n\n$$\n{shown}\n$$ (eq-a)\n"
    assert (pointing.wrong_restatements(book(text), {}) == []) == sound
    unlabelled = f"{said}\n\n$$\n{shown}\n$$\n"
    assert pointing.wrong_restatements(book(unlabelled), {}) == []


def test_a_formula_may_differ_for_a_reason() -> None:
    text = "$h=b$ and $h=b$\n\n$$\nh=2b\n$$ (eq-a)\n"
    assert len(pointing.wrong_restatements(book(text), {})) == 2
    assert pointing.wrong_restatements(book(text), {"01_one": {"h=b": "one half"}}) == []
    (wrong,) = pointing.wrong_restatements(book(), {"01_one": {"h=b": "one half"}})
    assert wrong == "OTHERWISE: 01_one needs no h=b"


@pytest.mark.parametrize(
    ("said", "sound"),
    [
        ("It rises from −7.0758 to −4.7174.", True),
        ("It falls from −7.0758 to −4.7174.", False),
        ("The mean grows slowly from $2.5$ to $1.5$", False),
        ("fell from 1,200 to 900", True),
        ("It climbed from 900 to 1,200", True),
        ("shrinks from about 3 minutes to 2", True),
        ("Increases from 3 to 3", False),
        ("moves from 3 to 2", True),
    ],
)
def test_a_direction_and_its_two_numbers(said: str, sound: bool) -> None:
    assert (pointing.directions(book(said)) == []) == sound
