"""The chapters' figures for a teacher's own slides: SVG and PNG, with their captions."""

import asyncio
import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

import run_notebooks
from book import Book, Page
from course.plain import Numbers, captions

BOTH = """\
%matplotlib inline
%config InlineBackend.figure_formats = ['svg', 'png']
"""


def export(book: Book, out: Path) -> int:
    """Draw every figure of the book into ``out``, and return how many there are.

    The chapters are executed for it, two at a time: the stored pictures are PNGs.
    """
    out.mkdir(parents=True, exist_ok=True)
    numbers = Numbers(book)
    drawn = asyncio.run(_drawn(book))
    lines = ["# Figures", ""]
    for page in book.chapters:
        lines += [f"## {page.title}", ""]
        text = dict(captions(page, numbers))
        for cell_id, name, pictures in drawn[page.name]:
            for kind, picture in pictures.items():
                (out / f"{name}.{kind}").write_bytes(picture)
            lines += [f"**{name}** ({', '.join(pictures)}): {text.get(cell_id, '')}", ""]
    (out / "README.md").write_text("\n".join(lines), encoding="utf8")
    return sum(map(len, drawn.values()))


Drawn = tuple[str, str, dict[str, bytes]]  # cell, name of the figure, suffix -> file


async def _drawn(book: Book) -> dict[str, list[Drawn]]:
    two = asyncio.Semaphore(2)

    async def one(page: Page) -> tuple[str, list[Drawn]]:
        async with two:
            notebook = page.notebook
            cells = [new_code_cell(BOTH), *notebook.cells]
            executed = await _execute(NotebookNode(notebook | {"cells": cells}))
            return page.name, list(_pictures(executed, page))

    return dict(await asyncio.gather(*map(one, book.chapters)))


async def _execute(notebook: NotebookNode) -> NotebookNode:
    client = NotebookClient(
        notebook,
        km=run_notebooks.kernel(),
        timeout=600,
        resources={"metadata": {"path": str(run_notebooks.CHAPTERS)}},
    )
    environment = {**os.environ, **run_notebooks.KERNEL_ENVIRONMENT}
    return await client.async_execute(cleanup_kc=True, env=environment)


def _pictures(executed: NotebookNode, page: Page) -> Iterator[Drawn]:
    names = {cell.id: cell.figure.name for cell in page.code if cell.figure.name}
    for cell in executed.cells:
        if cell.get("id") not in names or cell.cell_type != "code":
            continue
        for output in cell.outputs:
            if pictures := dict(_files(output.get("data", {}))):
                yield cell.id, names[cell.id], pictures


def _files(data: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    if "image/svg+xml" in data:
        yield "svg", data["image/svg+xml"].encode()
    if "image/png" in data:
        yield "png", base64.b64decode(data["image/png"])
