"""How a chapter is written: its file, its cells, the code that it shows."""

import re
from collections import Counter

import nbformat.validator

import markup
import notebooks
from book import Page

HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
MAX_LINES, MAX_COLUMNS = 25, 88


def valid(page: Page) -> list[str]:
    """The file is a notebook of format 4.5."""
    notebook = page.notebook
    version = (notebook.nbformat, notebook.nbformat_minor)
    if version != (4, 5):
        return [f"nbformat is {version}, not (4, 5): run make notebooks"]
    errors = nbformat.validator.iter_validate(notebook)
    return [f"no valid notebook: {str(error).splitlines()[0]}" for error in errors]


def ids(page: Page) -> list[str]:
    """Every cell has an id of its own."""
    count = Counter(cell.id for cell in page.cells)
    return [f"{n} cells have the id {i}: run make notebooks" for i, n in count.items() if n > 1]


def metadata(page: Page) -> list[str]:
    """The notebook's metadata is exactly what make notebooks writes, but for the seal."""
    found, agreed = dict(page.notebook.metadata), notebooks.metadata(page.notebook)
    found["book"] = {**found.get("book", {}), "seal": agreed.book.seal}
    if found != agreed:
        return [f"metadata is {found}, not {dict(agreed)}: run make notebooks"]
    return []


def seal(page: Page) -> list[str]:
    """No cell was deleted, added or moved, and no code edited, since the last execution."""
    found = page.notebook.metadata.get("book", {}).get("seal")
    if found != notebooks.seal(page.notebook):
        return [
            "the seal is broken: cells were deleted, added or moved, or code or an equation "
            "edited, after the last execution. Is that meant? Then run make notebooks"
        ]
    return []


def form(page: Page) -> list[str]:
    """The file is written as make notebooks writes it: no traces of an editor or of one run."""
    wanted = notebooks.normalize(notebooks.read(page.content))
    wanted.metadata = page.notebook.metadata  # has rules of its own
    if notebooks.to_text(wanted) != page.content:
        return ["the file is not in the form that make notebooks writes: run it"]
    return []


def begins(page: Page) -> list[str]:
    """The chapter begins with its one H1."""
    heads = [title for text in page.texts for title in markup.titles(text)]
    cells = page.notebook.cells
    if not cells or cells[0].cell_type != "markdown" or not re.match(r"#\s+\S", cells[0].source):
        return ["it does not begin with a markdown cell whose first line is '# Title'"]
    return [f"it has {len(heads)} titles (#): {heads}"] if len(heads) > 1 else []


def empty(page: Page) -> list[str]:
    """No cell is empty."""
    return [f"cell {cell.id} is empty" for cell in page.cells if not cell.source.strip()]


def shown_code(page: Page) -> list[str]:
    """Code that the reader sees is short and narrow."""
    wrong = []
    for cell in page.code:
        if HIDDEN & set(cell.tags):
            continue
        lines = cell.source.splitlines()
        widest = max((len(line) for line in lines), default=0)
        if len(lines) > MAX_LINES:
            wrong.append(f"{cell} has {len(lines)} lines; show at most {MAX_LINES}")
        if widest > MAX_COLUMNS:
            wrong.append(f"{cell} has a line of {widest} characters, over {MAX_COLUMNS}")
    return wrong


RULES = (valid, ids, metadata, seal, form, begins, empty, shown_code)
