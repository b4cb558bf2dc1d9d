"""The labels that gmmlib names exist in the book, and no label is set twice.

Whether {eq} and {ref} in the prose find their targets is checked where the site is built.
"""

from pathlib import Path

import pytest

import chapter_rules
from chapter_rules import Chapter

ROOT = Path(__file__).parent.parent
MODULES = {
    path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "gmmlib").glob("*.py"))
}


@pytest.fixture(scope="module")
def book() -> dict[str, list[str]]:
    """Page or chapter -> the labels that it sets."""
    pages = [ROOT / "index.md", *sorted((ROOT / "chapters").glob("*.md"))]
    found = {p.stem: chapter_rules.labels(p.read_text(encoding="utf-8")) for p in pages}
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        cells = Chapter.read(path).markdown
        found[path.stem] = [label for c in cells for label in chapter_rules.labels(c.source)]
    return found


def test_the_library_names_labels_of_the_book(book: dict[str, list[str]]) -> None:
    wrong = chapter_rules.unknown_labels(
        MODULES, [label for page in book.values() for label in page]
    )
    assert not wrong, "\n".join(wrong)


def test_no_label_is_set_twice(book: dict[str, list[str]]) -> None:
    wrong = chapter_rules.duplicate_labels(book)
    assert not wrong, "\n".join(wrong)


def test_labels_are_found_in_the_library() -> None:
    named = chapter_rules.labels_in_code(MODULES["em.py"])
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
    assert chapter_rules.labels_in_code(MODULE) == [
        "eq-one",
        "def-two",
        "alg-three",
        "eq-in-comment",
    ]


@pytest.mark.parametrize("missing", ["eq-one", "def-two", "alg-three", "eq-in-comment"])
def test_a_missing_label_is_found(missing: str) -> None:
    known = {"eq-one", "def-two", "alg-three", "eq-in-comment"}
    assert chapter_rules.unknown_labels({"m": MODULE}, known) == []
    wrong = chapter_rules.unknown_labels({"m": MODULE}, known - {missing})
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
    assert chapter_rules.labels(text) == ([label] if label else [])


def test_a_duplicate_label_is_found() -> None:
    assert chapter_rules.duplicate_labels({"a": ["eq-x"], "b": ["eq-y"]}) == []
    assert chapter_rules.duplicate_labels({"a": ["eq-x"], "b": ["eq-x"]})
    assert chapter_rules.duplicate_labels({"a": ["eq-x", "eq-x"]})
