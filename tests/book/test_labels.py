"""The rules for labels (tools/rules/labels.py) find what is not in the book, and what is twice."""

from pathlib import Path, PurePosixPath

import pytest

import markup
from book import ROOT, Book, Page
from rules.labels import labels_in_code, labels_of_the_library, labels_once, unknown_labels


def test_labels_are_found_in_the_library() -> None:
    named = labels_in_code((ROOT / "gmmlib/em.py").read_text(encoding="utf-8"))
    assert {"eq-m-step-means", "eq-responsibilities", "alg-em"} <= set(named)


MODULE = '''
def f():
    """One line, see eq-not-after-book.

    Book: eq-one, def-two,
    alg-three.

    Then eq-not-any-more.
    """
    return 1  # (n,)  eq-in-comment
'''


def test_where_labels_are_looked_for() -> None:
    assert labels_in_code(MODULE) == [
        "eq-one",
        "def-two",
        "alg-three",
        "eq-in-comment",
    ]


@pytest.mark.parametrize("missing", ["eq-one", "def-two", "alg-three", "eq-in-comment"])
def test_a_missing_label_is_found(missing: str) -> None:
    known = {"eq-one", "def-two", "alg-three", "eq-in-comment"}
    assert unknown_labels({"m": MODULE}, known) == []
    wrong = unknown_labels({"m": MODULE}, known - {missing})
    assert wrong == [f"m names {missing}, which no page of the book sets"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("$$\na = b\n$$ (eq-a)", "eq-a"),
        ("$$ a = b $$ (eq-a)\n", "eq-a"),
        ("```{math}\n:label: eq-m\na\n```", "eq-m"),
        ("```{prf:algorithm} EM\n:label: alg-em\n\n1. go\n```", "alg-em"),
        ("(sec-x)=\n## X", "sec-x"),
        ("```\n$$ (eq-in-code)\n```", None),
        ("see {eq}`eq-a`", None),
    ],
)
def test_what_sets_a_label(text: str, label: str | None) -> None:
    assert markup.labels(text) == ([label] if label else [])


def book(root: Path, **pages: str) -> Book:
    found = [Page(PurePosixPath(f"{name}.md"), text) for name, text in pages.items()]
    return Book(root, tuple(found))


def test_a_duplicate_label_is_found(tmp_path: Path) -> None:
    x, y = "$$\nx\n$$ (eq-x)\n", "$$\ny\n$$ (eq-y)\n"
    assert labels_once(book(tmp_path, a=x, b=y)) == []
    assert labels_once(book(tmp_path, a=x, b=x)) == ["eq-x is set in ['a', 'b']"]
    assert labels_once(book(tmp_path, a=x + x)) == ["eq-x is set in ['a', 'a']"]
    exercise = "```{exercise} One\n:label: ex-1\n\nProve it.\n```\n"  # one after another
    assert labels_once(book(tmp_path, a=x + exercise + exercise)) == ["ex-1 is set in ['a', 'a']"]


def test_a_label_that_the_library_misses_is_found(tmp_path: Path) -> None:
    module = tmp_path / "gmmlib" / "engine" / "one.py"
    module.parent.mkdir(parents=True)
    module.write_text("x = 1  # eq-x\n")
    assert labels_of_the_library(book(tmp_path, a="$$\nx\n$$ (eq-x)\n")) == []
    (wrong,) = labels_of_the_library(book(tmp_path, a="Nothing."))
    assert wrong == "one.py names eq-x, which no page of the book sets"
