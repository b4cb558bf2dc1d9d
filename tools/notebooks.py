"""How a chapter stands in its file: written in one way, sealed, without traces of a run."""

import hashlib
import json
from collections.abc import Iterable

import nbformat
from nbformat import NotebookNode

import markup

CELL_METADATA = ("mystnb", "tags")  # what the book uses; the rest is left over from an editor


def read(text: str) -> NotebookNode:
    """A notebook from its file's text, unlike nbformat.read without repairing anything."""
    return nbformat.v4.reads(text)


def to_text(notebook: NotebookNode) -> str:
    """The one way in which a chapter is written: indent 1, sorted keys, UTF-8, a last newline."""
    return nbformat.v4.writes(notebook).rstrip("\n") + "\n"


def seal(notebook: NotebookNode) -> str:
    """A hash over the order of the cells, the code in them, and the labelled equations.

    It breaks when a cell is deleted, added or moved, or code or an equation is edited, and the
    chapter is not executed again. Editing prose inside a cell leaves it whole.
    """
    cells = [
        [
            cell.get("id"),
            cell.cell_type,
            cell.source
            if cell.cell_type == "code"
            else [
                [label, latex.split()] for label, latex in markup.displayed_equations(cell.source)
            ],
        ]
        for cell in notebook.cells
    ]
    return hashlib.sha256(json.dumps(cells, ensure_ascii=False).encode()).hexdigest()


def metadata(notebook: NotebookNode) -> NotebookNode:
    """The metadata that every chapter has, and no other."""
    return nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "book": {"seal": seal(notebook)},
        }
    )


def normalize(notebook: NotebookNode) -> NotebookNode:
    """Remove what differs from run to run or editor to editor; ids, metadata and seal put right."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    give_ids(notebook)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_METADATA if cell.metadata.get(key)}
        )
        if cell.cell_type == "code":
            cell.outputs = _one_stream_each(cell.outputs)
            for output in cell.outputs:
                if output.output_type == "error":
                    # the full one names files of this machine
                    output.traceback = [f"{output.ename}: {output.evalue}"]
    notebook.metadata = metadata(notebook)
    return notebook


def give_ids(notebook: NotebookNode) -> None:
    """An id of its own for each cell that has none."""
    taken: set[str] = set()
    for cell in notebook.cells:
        if not cell.get("id") or cell.id in taken:
            content = f"{cell.cell_type}\n{cell.source}".encode()
            base = hashlib.sha256(content).hexdigest()[:8]
            number, cell.id = 1, base
            while cell.id in taken:
                number += 1
                cell.id = f"{base}-{number}"
        taken.add(cell.id)


def _one_stream_each(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Join what a kernel happened to send in pieces: one stdout and one stderr for each cell."""
    joined: list[NotebookNode] = []
    streams: dict[str, NotebookNode] = {}
    for output in outputs:
        if output.output_type == "stream" and output.name in streams:
            streams[output.name].text += output.text
            continue
        if output.output_type == "stream":
            streams[output.name] = output
        joined.append(output)
    return joined
