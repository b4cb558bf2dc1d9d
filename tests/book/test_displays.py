"""A claim that is called a definition, or loses its label, is found."""

import tomllib
from pathlib import Path, PurePosixPath

import pytest

from book import Book, Page, read_book
from rules.displays import DECLARED, wrong_definitions, wrong_unlabelled
from rules.tables import OF_THE_BOOK

BINDS = {"def-count": "N_j", "def-gap": r"\delta"}
REASONS = {"one": {"a^2 = ": "is done in one's head"}}


def book(*displays: str) -> Book:
    page = "\n\n".join(["# One", *displays])
    return Book(Path("nowhere"), (Page(PurePosixPath("chapters/one.md"), page),))


def shown(latex: str, label: str = "") -> str:
    return f"$$\n{latex}\n$$" + (f" ({label})" if label else "")


GOOD = [
    shown(r"N_j = \sum_i\beta_{ij}", "def-count"),
    shown(r"\delta=\frac{a}{2}", "def-gap"),
    shown("b=c", "eq-b"),
    shown("a^2=a\\,a"),
    shown("x"),
]


def test_a_sound_page() -> None:
    assert wrong_definitions(book(*GOOD), BINDS) == []
    assert wrong_unlabelled(book(*GOOD), REASONS) == []


@pytest.mark.parametrize(
    ("number", "display", "message"),
    [
        (2, shown("b=c", "def-b"), "def-b is not listed. Does it give a letter its meaning?"),
        (0, shown(r"\hat N_j=n", "def-count"), "listed as binding 'N_j', and does not begin so"),
        (1, shown("x"), "displays.toml: def-gap is not needed"),
    ],
)
def test_a_claim_that_is_called_a_definition(number: int, display: str, message: str) -> None:
    broken = [*GOOD[:number], display, *GOOD[number + 1 :]]
    (wrong,) = wrong_definitions(book(*broken), BINDS)
    assert message in wrong


def test_a_letter_that_is_bound_twice() -> None:
    again = shown("N_j=n\\alpha_j", "def-share")
    (wrong,) = wrong_definitions(book(*GOOD, again), BINDS | {"def-share": "N_j"})
    assert wrong == "def-share binds N_j, and def-count has done so"


@pytest.mark.parametrize(
    "latex",
    [
        "b=c",
        r"b\le c",
        r"b\approx0",
        "b<c",
        r"x\in A",
        r"a\to b",
        r"\begin{aligned}b&=c\end{aligned}",
    ],
)
def test_a_claim_that_lost_its_label(latex: str) -> None:
    (wrong,) = wrong_unlabelled(book(*GOOD, shown(latex)), REASONS)
    assert "says something, and has no label" in wrong


def test_a_reason_that_is_not_needed() -> None:
    (wrong,) = wrong_unlabelled(book(*GOOD[:3]), REASONS)
    assert wrong == "displays.toml: one has no 'a^2 = '"


def test_the_rule_is_active() -> None:
    assert "declared_displays" in OF_THE_BOOK


def test_the_list_can_be_read() -> None:
    told = tomllib.loads(DECLARED.read_text(encoding="utf-8"))
    assert all(reason.strip() for page in told["unlabelled"].values() for reason in page.values())
    assert all(letter.strip() for letter in told["definitions"].values())
    assert {page.name for page in read_book().pages} >= set(told["unlabelled"])
