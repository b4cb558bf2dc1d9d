"""Make the course kit: ``make course``, or ``python tools/make_course.py quiz slides``.

What is in it, and how long each part took, is printed as it is made. The kit lies in
``_build/course``; its README tells a teacher what each folder is for.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from flit_core.wheel import make_wheel_in

import book
from book import ROOT
from course import (
    assignments,
    epub,
    figures,
    handouts,
    leaves,
    plain,
    printed,
    sheet,
    slides,
)
from course import questions as bank
from course.numerical import KINDS, variants
from course.question_files import question_files
from course.quizzes import titles

SITE = ROOT / "_build" / "html"
OUT = ROOT / "_build" / "course"
CARRIED = ("matplotlibrc",)  # beside the notebooks, so that their figures look as in the book
SEED = 1  # of the quiz on paper
README = """\
# The course kit of *Gaussian Mixtures, Executed*

| part | what it is |
|---|---|
{rows}

The page *Teach* of the book tells how each is used. Text and figures: CC BY 4.0; code: MIT.
"""
INSTALL = """\
# {title}

Python 3.11 to 3.13. In a new environment:

```sh
python -m venv .venv
.venv/bin/python -m pip install "{wheel}[chapters]"
.venv/bin/jupyter lab
```
"""


def student(kit: book.Book, out: Path) -> str:
    """Chapters without solutions, and gmmlib to install."""
    numbers = plain.Numbers(kit)
    for page in kit.chapters:
        _write(handouts.student(page, numbers), out / f"{page.name}.ipynb")
    _beside(kit, out, "The chapters, for students")
    return f"{len(kit.chapters)} chapters"


def instructor(kit: book.Book, out: Path) -> str:
    """Chapters with solutions, each behind the page for its teacher."""
    numbers = plain.Numbers(kit)
    for page in kit.chapters:
        guide = guide_of(kit, page)
        _write(handouts.instructor(page, numbers, guide), out / f"{page.name}.ipynb")
    _beside(kit, out, "The chapters, for instructors")
    return f"{len(kit.chapters)} chapters"


def guide_of(kit: book.Book, page: book.Page) -> str:
    """The page for the teacher of a chapter.

    Raises ``FileNotFoundError`` with the place, where there is none.
    """
    path = kit.root / "course" / "instructor" / f"{page.number}.md"
    if not path.is_file():
        raise FileNotFoundError(
            f"{page.name} has no page for its teacher; write {path.relative_to(kit.root)}"
        )
    return path.read_text(encoding="utf8")


def pictures(kit: book.Book, out: Path) -> str:
    """Every figure of the chapters, as SVG and as PNG, with the captions."""
    return f"{figures.export(kit, out)} figures"


def graded(kit: book.Book, out: Path) -> str:
    """The six assignments: what students get, what the grader gets, the solutions."""
    masters = assignments.masters()
    for master in masters:
        assignments.build(master, out)
    return f"{len(masters)} assignments"


def quiz(kit: book.Book, out: Path) -> str:
    """The questions for a learning-management system, and on paper."""
    asked, named = bank.bank(kit), titles(kit)
    tasks = [task for kind in KINDS for task in variants(kind)]
    for name, content in question_files(kit).items():
        (out / name).write_bytes(content)
    paper = sheet.sheets(sheet.problems(asked, tasks, named, SEED, list(named)), SEED)
    for name, page in (("quiz", paper.paper), ("answers", paper.answers), ("key", paper.key)):
        (out / f"{name}.html").write_text(page, encoding="utf8")
        sheet.pdf(page, out / f"{name}.pdf")
    return f"{len(asked)} and {len(KINDS)} questions"


def decks(kit: book.Book, out: Path) -> str:
    """A deck of slides for each chapter, with notes and a handout."""
    return f"{slides.export(kit, out)} slides"


def as_pdf(kit: book.Book, out: Path) -> str:
    """The whole book on paper. The site has to be built: its pages are bound together."""
    bound = leaves.leaves(kit, SITE)
    printed.pdf(bound, SITE, out)
    return f"{len(bound)} pages of the site"


def as_epub(kit: book.Book, out: Path) -> str:
    """The whole book for readers of EPUB, with its mathematics as MathML. Made like the PDF."""
    bound = leaves.leaves(kit, SITE)
    epub.epub(kit, bound, SITE, out)
    return f"{len(bound)} pages of the site"


def _write(notebook: nbformat.NotebookNode, path: Path) -> None:
    path.write_text(nbformat.v4.writes(notebook) + "\n", encoding="utf8")


def _beside(kit: book.Book, out: Path, title: str) -> None:
    wheel = make_wheel_in(kit.root / "pyproject.toml", out).file.name
    for name in CARRIED:
        shutil.copy(kit.root / "chapters" / name, out)
    text = INSTALL.format(title=title, wheel=wheel)
    (out / "README.md").write_text(text, encoding="utf8")


Make = Callable[[book.Book, Path], str]
PARTS: dict[str, Make] = {
    "student": student,
    "instructor": instructor,
    "assignments": graded,
    "quiz": quiz,
    "slides": decks,
    "figures": pictures,
    "book.pdf": as_pdf,
    "book.epub": as_epub,
}


def make(kit: book.Book, out: Path, parts: list[str]) -> None:
    """Make the parts, each a new folder or file; one that fails leaves the old one."""
    out.mkdir(parents=True, exist_ok=True)
    for name in parts:
        began = time.perf_counter()
        begun, done = out / f"begun.{name}", out / name
        _remove(begun)
        if "." not in name:
            begun.mkdir()
        summary = PARTS[name](kit, begun)
        _remove(done)
        begun.rename(done)
        files = [path for path in (done, *done.rglob("*")) if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        seconds = time.perf_counter() - began
        print(f"{name:12} {summary:28} {size / 1e6:7.1f} MB  {seconds:6.1f} s", flush=True)
    (out / "README.md").write_text(about(out), encoding="utf8")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def about(out: Path) -> str:
    """What lies in the kit's folder, for whoever opens it."""
    made = [name for name in PARTS if (out / name).exists()]
    rows = [f"| `{name}` | {(PARTS[name].__doc__ or '').splitlines()[0]} |" for name in made]
    return README.format(rows="\n".join(rows))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="the folder (default: _build/course)")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    given = parser.parse_args(arguments)
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    try:
        make(book.read_book(), given.out, given.parts or list(PARTS))
    except (OSError, ValueError, assignments.CourseError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
