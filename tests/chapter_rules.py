"""What every chapter must keep to. Each rule is a function from a chapter to what is wrong in it.

nbval compares the text of the outputs; nbval_pictures.py compares the pictures; this module holds
what a comparison after execution cannot see.
"""

import ast
import base64
import io
import re
import tokenize
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat.validator
from PIL import Image

import notebooks
import prose_numbers
from prose_numbers import Number

# nbval and nbclient leave a cell unchecked, or unrun, where one of these stands.
MARKERS = re.compile(
    r"(?i)^(PYTEST_VALIDATE_IGNORE_OUTPUT|NBVAL[-_]\w[\w-]*|skip-execution|raises-exception)$"
)
# chapter -> {cell id: why its marker is there}. A cell that shows an error needs no entry: its
# tag raises-exception makes nbval demand the error and compare its text.
ALLOWED_MARKERS: dict[str, dict[str, str]] = {}

HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
MAX_LINES, MAX_COLUMNS = 25, 88
MIN_ALT = 40
# A double holds 15 to 17 digits; the last ones differ between processors.
MAX_DIGITS = 13
MIMES = {"text/plain", "text/latex", "text/html", "image/png"}


@dataclass(frozen=True)
class Chapter:
    """A notebook's name and the text of its file."""

    name: str
    text: str

    @classmethod
    def read(cls, path: Path) -> "Chapter":
        return cls(path.stem, path.read_text(encoding="utf-8"))

    @cached_property
    def notebook(self) -> nbformat.NotebookNode:
        return notebooks.read(self.text)

    @property
    def code(self) -> list[nbformat.NotebookNode]:
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    @property
    def markdown(self) -> list[nbformat.NotebookNode]:
        return [cell for cell in self.notebook.cells if cell.cell_type == "markdown"]

    @cached_property
    def numbers(self) -> set[Number]:
        """All numbers in its outputs."""
        found: set[Number] = set()
        for cell in self.code:
            for text in texts(cell):
                found |= prose_numbers.in_output(text)
        return found

    @property
    def prose(self) -> list[str]:
        """Everything that is read as text, captions and descriptions of figures included."""
        captions = [t for cell in self.code for t in (caption(cell), alt(cell)) if t]
        return [cell.source for cell in self.markdown] + captions


def texts(cell: Any) -> list[str]:
    """The stored outputs of a cell that are text: stdout and the texts of results."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            found.append(output.text)
        for mime, value in output.get("data", {}).items():
            if mime.startswith("text/"):
                found.append(value)
    return found


def tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def figure(cell: Any) -> Mapping[str, Any]:
    return cell.metadata.get("mystnb", {}).get("figure", {})


def caption(cell: Any) -> str:
    return str(figure(cell).get("caption", "")).strip()


def alt(cell: Any) -> str:
    return str(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")).strip()


def draws(cell: Any) -> bool:
    return any("image/png" in o.get("data", {}) for o in cell.outputs)


def has_error(cell: Any) -> bool:
    return any(o.output_type == "error" for o in cell.outputs)


def where(cell: Any) -> str:
    first = next(iter(cell.source.strip().splitlines()), "")
    return f"cell {cell.get('id')} ({first[:50]!r})"


# --- form -------------------------------------------------------------------------------------


def valid(chapter: Chapter) -> list[str]:
    """The file is a notebook of format 4.5."""
    notebook = chapter.notebook
    version = (notebook.nbformat, notebook.nbformat_minor)
    if version != (4, 5):
        return [f"nbformat is {version}, not (4, 5): run make notebooks"]
    errors = nbformat.validator.iter_validate(notebook)
    return [f"no valid notebook: {str(error).splitlines()[0]}" for error in errors]


def ids(chapter: Chapter) -> list[str]:
    """Every cell has an id of its own."""
    count = Counter(cell.get("id") for cell in chapter.notebook.cells)
    return [f"{n} cells have the id {i}: run make notebooks" for i, n in count.items() if n > 1]


def metadata(chapter: Chapter) -> list[str]:
    """The notebook's metadata is exactly what make notebooks writes, but for the seal."""
    found, agreed = dict(chapter.notebook.metadata), notebooks.metadata(chapter.notebook)
    found["book"] = {**found.get("book", {}), "seal": agreed.book.seal}
    if found != agreed:
        return [f"metadata is {found}, not {dict(agreed)}: run make notebooks"]
    return []


def seal(chapter: Chapter) -> list[str]:
    """No cell was deleted, added or moved, and no code edited, since the last execution."""
    found = chapter.notebook.metadata.get("book", {}).get("seal")
    if found != notebooks.seal(chapter.notebook):
        return [
            "the seal is broken: cells were deleted, added or moved, or code or an equation "
            "edited, after the last execution. Is that meant? Then run make notebooks"
        ]
    return []


def form(chapter: Chapter) -> list[str]:
    """The file is written as make notebooks writes it: no traces of an editor or of one run."""
    wanted = notebooks.normalize(notebooks.read(chapter.text))
    wanted.metadata = chapter.notebook.metadata  # has rules of its own
    if notebooks.to_text(wanted) != chapter.text:
        return ["the file is not in the form that make notebooks writes: run it"]
    return []


def begins(chapter: Chapter) -> list[str]:
    """The chapter begins with its one H1."""
    heads = [
        line
        for cell in chapter.markdown
        for line in prose_numbers.without_code_blocks(cell.source).splitlines()
        if re.match(r"#\s+\S", line)
    ]
    cells = chapter.notebook.cells
    if not cells or cells[0].cell_type != "markdown" or not re.match(r"#\s+\S", cells[0].source):
        return ["it does not begin with a markdown cell whose first line is '# Title'"]
    return [f"it has {len(heads)} titles (#): {heads}"] if len(heads) > 1 else []


def empty(chapter: Chapter) -> list[str]:
    """No cell is empty."""
    cells = chapter.notebook.cells
    return [f"cell {c.get('id')} is empty" for c in cells if not c.source.strip()]


def shown_code(chapter: Chapter) -> list[str]:
    """Code that the reader sees is short and narrow."""
    wrong = []
    for cell in chapter.code:
        if HIDDEN & set(tags(cell)):
            continue
        lines = cell.source.splitlines()
        widest = max((len(line) for line in lines), default=0)
        if len(lines) > MAX_LINES:
            wrong.append(f"{where(cell)} has {len(lines)} lines; show at most {MAX_LINES}")
        if widest > MAX_COLUMNS:
            wrong.append(f"{where(cell)} has a line of {widest} characters, over {MAX_COLUMNS}")
    return wrong


# --- outputs ----------------------------------------------------------------------------------


def counts(chapter: Chapter) -> list[str]:
    """The execution counts are 1, 2, 3, …: run from top to bottom, all of it, once."""
    found = [cell.execution_count for cell in chapter.code]
    if found != list(range(1, len(found) + 1)):
        return [f"the execution counts are {found}: run make notebooks"]
    return []


def errors(chapter: Chapter) -> list[str]:
    """An error is stored only where the cell is there to show it."""
    return [
        f"{where(cell)} stores an error, and has no tag raises-exception"
        for cell in chapter.code
        if has_error(cell) and "raises-exception" not in tags(cell)
    ]


def markers(chapter: Chapter) -> list[str]:
    """No cell is taken out of the comparison, but for those on a short list."""
    allowed = ALLOWED_MARKERS.get(chapter.name, {})
    known = {cell.get("id") for cell in chapter.code}
    wrong = [f"ALLOWED_MARKERS names cell {i}, which is not there" for i in allowed.keys() - known]
    for cell in chapter.code:
        lines = [line.strip() for line in cell.source.splitlines()]
        comments = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
        for marker in filter(MARKERS.match, [*comments, *tags(cell)]):
            if marker == "raises-exception" and has_error(cell):
                continue
            if cell.get("id") not in allowed:
                wrong.append(f"{where(cell)} has {marker}, and is not in ALLOWED_MARKERS")
    return wrong


def mimes(chapter: Chapter) -> list[str]:
    """Only kinds of output that the comparison after execution covers."""
    return [
        f"{where(cell)} stores {mime}, which no test compares; use one of {sorted(MIMES)}"
        for cell in chapter.code
        for output in cell.outputs
        for mime in output.get("data", {})
        if mime not in MIMES
    ]


def stderr(chapter: Chapter) -> list[str]:
    """No warning is left standing in an output."""
    return [
        f"{where(cell)} stores stderr: {output.text.strip().splitlines()[0]!r}"
        for cell in chapter.code
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    ]


ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
ABSOLUTE = re.compile(
    r"(?<![\w.~/:<])/(?:home|root|usr|opt|tmp|var|mnt|srv|work|Users|private|Library|content)/\S*"
    r"|\b[A-Z]:\\\w\S*|file://\S+"
)


def machine(chapter: Chapter) -> list[str]:
    """No output holds what differs from machine to machine: an address, an absolute path."""
    wrong = []
    for cell in chapter.code:
        for output in cell.outputs:
            error = [output.evalue, *output.traceback] if output.output_type == "error" else []
            text = "\n".join([output.get("text", ""), *error])
            text += "\n".join(v for v in output.get("data", {}).values() if isinstance(v, str))
            if draws(cell):
                text = re.sub(r"[A-Za-z0-9+/=]{200,}", " ", text)
            for kind, pattern in (("memory address", ADDRESS), ("absolute path", ABSOLUTE)):
                match = pattern.search(text)
                if match:
                    wrong.append(f"{where(cell)} stores the {kind} {match[0][:80]}")
    return wrong


LONG = re.compile(r"(?<![\w.])\d+\.\d+")


def digits(chapter: Chapter) -> list[str]:
    """No raw float is stored; exact digits stand in a cell that is tagged exact-digits."""
    wrong = []
    for cell in chapter.code:
        if "exact-digits" in tags(cell):
            continue
        for text in texts(cell):
            for number in LONG.findall(text):
                if len(number.replace(".", "").lstrip("0")) > MAX_DIGITS:
                    wrong.append(
                        f"{where(cell)} prints {number}: format it to at most 12 digits, or tag "
                        f"the cell exact-digits where all of them are meant"
                    )
    return wrong


def figures(chapter: Chapter) -> list[str]:
    """A cell that draws one picture says what it shows; a figure that is named is there."""
    wrong = []
    for cell in chapter.code:
        if not draws(cell):
            if figure(cell):
                wrong.append(f"{where(cell)} is named a figure, and stores no picture")
            continue
        name = str(figure(cell).get("name", ""))
        if not re.fullmatch(r"fig-[a-z0-9]+(-[a-z0-9]+)*", name):
            wrong.append(f"{where(cell)} draws; mystnb.figure.name is {name!r}, not fig-…")
        if not caption(cell):
            wrong.append(f"{where(cell)} draws, and has no mystnb.figure.caption")
        if len(alt(cell)) < MIN_ALT:
            wrong.append(
                f"{where(cell)} draws; mystnb.image.alt has {len(alt(cell))} characters. "
                f"Describe the picture in {MIN_ALT} or more"
            )
        shown = [o for o in cell.outputs if "data" in o]
        if len(shown) != 1:  # each would become a figure of the same name
            wrong.append(f"{where(cell)} draws, and displays {len(shown)} things, not one")
    return wrong


def filmstrips(chapter: Chapter) -> list[str]:
    """A strip of frames is told as such, and its picture divides into frames of whole pixels."""
    wrong = []
    for cell in filter(draws, chapter.code):
        classes = str(cell.metadata.get("mystnb", {}).get("image", {}).get("classes", ""))
        if ("filmstrip" in classes.split()) != ("plots.filmstrip(" in cell.source):
            wrong.append(f"{where(cell)}: plots.filmstrip and the class filmstrip go together")
            continue
        if "filmstrip" not in classes.split():
            continue
        match = re.fullmatch(
            r"filmstrip columns-(\d+) frames-(\d+)( touch touch-[a-z-]+)?", classes
        )
        if not match:
            wrong.append(
                f"{where(cell)}: image.classes is {classes!r}, not of the form "
                f"'filmstrip columns-4 frames-8'"
            )
            continue
        columns, frames = int(match[1]), int(match[2])
        rows = -(-frames // columns)
        stored = next(o for o in cell.outputs if "image/png" in o.get("data", {}))
        with Image.open(io.BytesIO(base64.b64decode(stored.data["image/png"]))) as picture:
            width, height = picture.size
        if width % columns or height % rows:
            wrong.append(
                f"{where(cell)}: {width} by {height} pixels do not divide into {columns} columns "
                f"and {rows} rows. Is something drawn outside a frame?"
            )
    return wrong


RULES: dict[str, Callable[[Chapter], list[str]]] = {
    rule.__name__: rule
    for rule in (
        *(valid, ids, metadata, seal, form, begins, empty, shown_code),
        *(counts, errors, markers, mimes, stderr, machine, digits, figures, filmstrips),
    )
}


# --- numbers in prose -------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """What the number rule needs to know of a chapter or of a page without code."""

    name: str
    prose: tuple[str, ...]
    numbers: frozenset[Number]


def quoted_values(path: Path) -> dict[str, dict[str, str]]:
    """tests/quoted_values.toml: page -> {number as in the prose: its source}."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def prose(pages: Iterable[Page], quoted: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Every decimal in the prose stands in an output of its page, or is quoted with its source.

    An entry that no page needs is wrong too: it would support the next slip.
    """
    wrong = []
    unused = {(page, number) for page, entries in quoted.items() for number in entries}
    for page in pages:
        for text in page.prose:
            for number in prose_numbers.in_prose(text):
                if prose_numbers.supported(number, page.numbers):
                    continue
                sources = [(s, str(number)) for s in (page.name, "any")]
                found = [s for s in sources if s[1] in quoted.get(s[0], {})]
                unused -= set(found[:1])
                if not found:
                    wrong.append(
                        f"{page.name}: {number} is in no output of the page at that precision"
                        f"{_nearest(number, page.numbers)}. Print it there, or list it with its "
                        f"source in tests/quoted_values.toml"
                    )
    wrong += [
        f"quoted_values.toml: [{p}] {n} is not needed: take it out" for p, n in sorted(unused)
    ]
    wrong += [
        f"quoted_values.toml: [{p}] {n} has no source"
        for p, entries in quoted.items()
        for n, source in entries.items()
        if not str(source).strip()
    ]
    return wrong


def _nearest(number: Number, outputs: Iterable[Number]) -> str:
    near = min(outputs, key=lambda o: abs(o.value - number.value), default=None)
    return "" if near is None else f" (the nearest printed number is {near})"


# --- names across the book --------------------------------------------------------------------


def figure_names(chapters: Iterable[Chapter]) -> list[str]:
    """A figure's name occurs once in the book."""
    places: dict[str, list[str]] = {}
    for chapter in chapters:
        for cell in chapter.code:
            if figure(cell).get("name"):
                places.setdefault(str(figure(cell)["name"]), []).append(chapter.name)
    return [f"{name} is used in {at}" for name, at in places.items() if len(at) > 1]


NAME = r"[A-Za-z][\w-]*"
LABELS = [
    re.compile(rf"\$\$\s*\(({NAME})\)\s*$", re.MULTILINE),  # $$ … $$ (eq-…)
    re.compile(rf"^\s*:label:\s*({NAME})\s*$", re.MULTILINE),  # {math}, {prf:algorithm}, …
    re.compile(rf"^\s*\(({NAME})\)=\s*$", re.MULTILINE),  # (sec-…)=
]


def labels(markdown: str) -> list[str]:
    """The labels that a page or a cell sets."""
    text = re.sub(r"(?ms)^(`{3,})(?!\s*\{).*?^\1\s*$", "", markdown)
    return [label for pattern in LABELS for label in pattern.findall(text)]


def duplicate_labels(pages: Mapping[str, Iterable[str]]) -> list[str]:
    """A label is set once in the book. ``pages``: name -> its labels."""
    places: dict[str, list[str]] = {}
    for page, found in pages.items():
        for label in found:
            places.setdefault(label, []).append(page)
    return [f"{label} is set in {at}" for label, at in places.items() if len(at) > 1]


NAMED = re.compile(r"\b(?:eq|def|alg)-[a-z0-9-]*[a-z0-9]")


def labels_in_code(source: str) -> list[str]:
    """The labels that a module names: after "Book:" in docstrings, and in its comments."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for said in re.findall(
                r"(?s)\bBook:(.*?)(?:\n\s*\n|\Z)", ast.get_docstring(node) or ""
            ):
                found += NAMED.findall(said)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            found += NAMED.findall(token.string)
    return found


def unknown_labels(modules: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """Every label that the library names is in the book. ``modules``: name -> source."""
    book = set(known)
    return [
        f"{module} names {label}, which no page of the book sets"
        for module, source in modules.items()
        for label in dict.fromkeys(labels_in_code(source))
        if label not in book
    ]
