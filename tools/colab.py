"""The chapters for Google Colab, which opens notebooks from a branch and has no gmmlib.

    python tools/colab.py FOLDER

Each is the notebook with solutions that the website offers, behind a cell that installs the project
from its address in ``_config.yml``. ``.github/workflows/colab.yml`` puts them into a branch, which
the button *Colab* leads to (``tools/website/project_buttons.py``).
"""

import sys
import tomllib
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_code_cell
from packaging.requirements import Requirement

import book
from book import ROOT
from course import handouts, plain

APART = "jupyterlab"  # Colab is one


def install(root: Path = ROOT) -> str:
    """The line that installs what the chapters need, from the project's address.

    Raises
    ------
    ValueError
        If the address is not set.
    """
    repository = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]
    if not repository["url"]:
        raise ValueError(
            "repository.url in _config.yml is empty. Colab needs the project's address"
        )
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = []
    for text in settings["optional-dependencies"]["chapters"]:
        needed = Requirement(text)
        if needed.name == settings["name"]:
            extras = ",".join(sorted(needed.extras))
            text = f"{needed.name}[{extras}] @ git+{repository['url']}@{repository['branch']}"
        if needed.name != APART:
            wanted.append(f'"{text}"')
    return f"%pip install --quiet {' '.join(wanted)}"


def write(folder: Path, root: Path = ROOT) -> list[Path]:
    """A notebook for each chapter; returns their paths."""
    line = install(root)
    read = book.read_book(root)
    numbers = plain.Numbers(read)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for page in read.chapters:
        notebook = handouts.solved(page, numbers)
        first = new_code_cell(line, id=f"{page.number.lower()}-install")
        notebook.cells.insert(1, first)  # behind the words that say what this is
        path = folder / f"{page.name}.ipynb"
        path.write_text(nbformat.v4.writes(notebook) + "\n", encoding="utf-8")
        written.append(path)
    return written


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("Name the folder: python tools/colab.py FOLDER")
    try:
        print(f"{len(write(Path(sys.argv[1])))} notebooks in {sys.argv[1]}")
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
