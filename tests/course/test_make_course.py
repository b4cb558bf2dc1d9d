"""The command that makes the kit: what it leaves behind, and what it says when it cannot."""

import re
from pathlib import Path

import pytest

import make_course
from book import Book, read_book

BOOK = read_book()


@pytest.mark.parametrize("part", ["student", "instructor"])
def test_notebooks_lie_beside_what_they_need(tmp_path: Path, part: str) -> None:
    make_course.make(BOOK, tmp_path, [part])
    names = {path.name for path in (tmp_path / part).iterdir()}
    assert {f"{page.name}.ipynb" for page in BOOK.chapters} < names
    (wheel,) = (tmp_path / part).glob("*.whl")
    readme = (tmp_path / part / "README.md").read_text(encoding="utf8")
    assert f'"{wheel.name}[chapters]"' in readme
    assert f"| `{part}` |" in (tmp_path / "README.md").read_text(encoding="utf8")


def test_every_chapter_has_a_page_for_its_teacher() -> None:
    headings = {
        page.name: [
            line for line in make_course.guide_of(BOOK, page).splitlines() if line.startswith("## ")
        ]
        for page in BOOK.chapters
    }
    assert set(map(tuple, headings.values())) == {
        (
            "## What students can do afterwards",
            "## What must come before",
            "## In 50 minutes",
            "## In 80 minutes",
            "## Questions for discussion",
            "## Usual mistakes",
            "## Figures to assign",
            "## Exercises to set",
        )
    }


@pytest.mark.parametrize("page", BOOK.chapters, ids=lambda page: page.name)
def test_every_exercise_has_marks(page: Book) -> None:
    guide = make_course.guide_of(BOOK, page)
    rows = [line for line in guide.split("## Exercises to set")[1].splitlines() if "{ref}" in line]
    marks = {"★": 4, "★★": 6, "★★★": 8}
    wanted = [(exercise.label, marks[exercise.title.split()[0]]) for exercise in page.exercises]
    assert len(rows) == len(wanted)
    for row, (label, total) in zip(rows, wanted, strict=True):
        assert f"{{ref}}`{label}`" in row
        assert f"*{total} marks*" in row
        assert sum(map(int, re.findall(r"\((\d)\)", row))) == total


def test_a_part_that_fails_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "student" / "old.txt"
    old.parent.mkdir()
    old.write_text("old")

    def fail(kit: Book, out: Path) -> str:
        raise ValueError("chapters/01_one.ipynb, cell 3: add a solution-end")

    monkeypatch.setitem(make_course.PARTS, "student", fail)
    assert make_course.main(["--out", str(tmp_path), "student"]) == 1
    assert capsys.readouterr().err == "chapters/01_one.ipynb, cell 3: add a solution-end\n"
    assert old.read_text() == "old"


def test_a_part_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_course.main(["quizzes"])
    assert "there is no part quizzes; there are student, instructor" in capsys.readouterr().err


def test_a_chapter_without_a_page_for_its_teacher(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"write course/instructor/01\.md"):
        make_course.guide_of(Book(tmp_path, BOOK.pages), BOOK.chapters[0])
