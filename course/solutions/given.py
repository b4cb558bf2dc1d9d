"""What the chapters give for their unpublished exercises: cells with the tag ``given``."""

import json
from pathlib import Path

import matplotlib as mpl

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"
mpl.rc_file(CHAPTERS / "matplotlibrc")  # figures look as in the book


def given(number: str) -> str:
    """The code of these cells of the chapter with this number, to be executed.

    Raises ``FileNotFoundError`` if there is no such chapter.
    """
    found = sorted(CHAPTERS.glob(f"{number}_*.ipynb"))
    if not found:
        raise FileNotFoundError(
            f"there is no chapter {number}_*.ipynb in {CHAPTERS.name}"
        )
    cells = json.loads(found[0].read_text(encoding="utf8"))["cells"]
    tagged = [cell for cell in cells if "given" in cell["metadata"].get("tags", [])]
    return "\n\n".join("".join(cell["source"]) for cell in tagged)
