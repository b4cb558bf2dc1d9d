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
from course import figures, handouts, plain, slides

OUT = ROOT / "_build" / "course"
CARRIED = ("matplotlibrc",)  # beside the notebooks, so that their figures look as in the book
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
    path = kit.root / "course" / "instructor" / f"{page.name.partition('_')[0]}.md"
    if not path.is_file():
        raise FileNotFoundError(
            f"{page.name} has no page for its teacher; write {path.relative_to(kit.root)}"
        )
    return path.read_text(encoding="utf8")


def pictures(kit: book.Book, out: Path) -> str:
    """Every figure of the chapters, as SVG and as PNG, with the captions."""
    return f"{figures.export(kit, out)} figures"


def decks(kit: book.Book, out: Path) -> str:
    """A deck of slides for each chapter, with notes and a handout."""
    return f"{slides.export(kit, out)} slides"


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
    "slides": decks,
    "figures": pictures,
}


def make(kit: book.Book, out: Path, parts: list[str]) -> None:
    """Make the parts, each into a new folder of its name; one that fails leaves the old one."""
    out.mkdir(parents=True, exist_ok=True)
    for name in parts:
        began = time.perf_counter()
        begun = out / f"{name}.begun"
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir()
        summary = PARTS[name](kit, begun)
        shutil.rmtree(out / name, ignore_errors=True)
        begun.rename(out / name)
        size = sum(path.stat().st_size for path in (out / name).rglob("*") if path.is_file())
        seconds = time.perf_counter() - began
        print(f"{name:12} {summary:28} {size / 1e6:7.1f} MB  {seconds:6.1f} s", flush=True)


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
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
