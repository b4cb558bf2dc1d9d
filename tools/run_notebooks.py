"""Re-execute the chapters in place: ``make notebooks``, or ``python tools/run_notebooks.py 07``.

A chapter that gives what it gave before keeps its bytes. A chapter in which a cell fails is left
as it was, and the exit status is 1. With --check nothing is written, and the exit status is 1
where something would be.
"""

import argparse
import asyncio
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

import notebooks
import pictures
import said
from book import ROOT

CHAPTERS = ROOT / "chapters"
ANSI = re.compile(r"\x1b\[[0-9;]*m")

# Set for every kernel that runs a chapter, here and in the tests.
KERNEL_ENVIRONMENT = {
    # a leftover Agg would draw nothing into the notebook
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # two kernels side by side, each with BLAS threads of its own, can be ten times slower
    "OPENBLAS_NUM_THREADS": "1",
    # joblib counts cores with a command that small systems lack, and warns into a chapter
    "LOKY_MAX_CPU_COUNT": "1",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter."""

    path: Path
    cells: int
    seconds: float
    state: str  # unchanged, written, would change, FAILED
    report: str = ""


def keep_pictures(notebook: NotebookNode, stored: NotebookNode) -> None:
    """Put back each stored PNG that shows the same drawing, so that no diff remains."""
    before = {cell.get("id"): cell for cell in stored.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        old = before.get(cell.id)
        if cell.cell_type != "code" or old is None:
            continue
        for new_data, old_data in zip(_with_png(cell), _with_png(old), strict=False):
            try:
                same = pictures.difference(old_data["image/png"], new_data["image/png"]) is None
            except (OSError, ValueError):  # the stored one is no picture
                continue
            if same:
                new_data["image/png"] = old_data["image/png"]


async def run(path: Path, *, check: bool, timeout: int) -> Outcome:
    """Execute one chapter in a kernel of its own and write it where it changed."""
    began = time.perf_counter()
    text = path.read_text(encoding="utf-8")
    stored, notebook = notebooks.read(text), notebooks.read(text)
    notebooks.give_ids(notebook)
    current: list[int] = []
    heard: list[str] = []
    differences: dict[int, str] = {}
    client = NotebookClient(
        notebook,
        km=kernel(),
        timeout=timeout,
        record_timing=False,
        store_widget_state=False,
        skip_cells_with_tag="",
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=lambda cell, cell_index: current.append(cell_index),
    )

    async def hold_against_the_checks(cell: NotebookNode, cell_index: int, **_: Any) -> None:
        before = len(heard)
        heard[:] = await _ask(client.kc)
        differences[cell_index] = said.unlike(cell.outputs, heard[before:])

    client.on_cell_executed = hold_against_the_checks
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    try:
        await client.async_execute(cleanup_kc=True, env={**os.environ, **KERNEL_ENVIRONMENT})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        report = _report(path, notebook, current[-1], error)
        return Outcome(path, cells, time.perf_counter() - began, "FAILED", report)
    for index, difference in differences.items():
        if difference:
            report = _report(path, notebook, index, ValueError(difference))
            return Outcome(path, cells, time.perf_counter() - began, "FAILED", report)
    notebooks.normalize(notebook)
    keep_pictures(notebook, stored)
    new = notebooks.to_text(notebook)
    state = "unchanged"
    if new != text:
        state = "would change" if check else "written"
        if not check:
            path.write_text(new, encoding="utf-8")
    return Outcome(path, cells, time.perf_counter() - began, state)


async def run_all(
    paths: Sequence[Path], *, check: bool = False, jobs: int = 2, timeout: int = 600
) -> list[Outcome]:
    """Execute chapters, ``jobs`` at a time, with one line for each as it ends."""
    room = asyncio.Semaphore(jobs)
    width = max(len(path.stem) for path in paths)

    async def one(path: Path) -> Outcome:
        async with room:
            outcome = await run(path, check=check, timeout=timeout)
        print(
            f"{path.stem:{width}}  {outcome.cells:3d} cells  {outcome.seconds:6.1f} s  "
            f"{outcome.state}",
            flush=True,
        )
        return outcome

    return await asyncio.gather(*(one(path) for path in paths))


def chosen(names: Sequence[str], folder: Path) -> list[Path]:
    """The chapters in ``folder`` that the names mean: 07, 07_worked_example or its path."""
    every = sorted(folder.glob("*.ipynb"))
    if not every:
        raise SystemExit(f"There is no .ipynb in {folder}.")
    picked = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        hits = [path for path in every if path.stem == stem] or [
            path for path in every if path.stem.startswith(stem)
        ]
        if not hits:
            known = ", ".join(path.stem for path in every)
            raise SystemExit(f"No chapter is called {name!r}. There are: {known}.")
        picked += hits
    return sorted(set(picked)) if names else every


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Re-execute the chapters in place.")
    parser.add_argument("names", nargs="*", help="such as 07; all chapters if there is none")
    parser.add_argument("--check", action="store_true", help="say what would change, write nothing")
    parser.add_argument("--folder", type=Path, default=CHAPTERS, help="where the chapters are")
    parser.add_argument("--jobs", type=int, default=2, help="chapters at a time (2)")
    parser.add_argument("--timeout", type=int, default=600, help="seconds a cell may take (600)")
    given = parser.parse_args(arguments)
    if given.jobs < 1:
        parser.error(f"--jobs is {given.jobs}; give 1 or more")
    paths = chosen(given.names, given.folder)
    outcomes = asyncio.run(
        run_all(paths, check=given.check, jobs=given.jobs, timeout=given.timeout)
    )
    for outcome in outcomes:
        if outcome.report:
            print(f"\n{outcome.report}", file=sys.stderr)
    return int(any(outcome.state in ("FAILED", "would change") for outcome in outcomes))


def kernel() -> AsyncKernelManager:
    """A kernel of the Python that runs this file, whatever kernels are installed."""
    return AsyncKernelManager(kernel_spec_manager=_ThisPython())


class _ThisPython(KernelSpecManager):
    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(
            argv=[
                *(sys.executable, "-m", "ipykernel_launcher", "--log-level=ERROR"),
                *("-f", "{connection_file}"),
            ],
            display_name="Python 3",
            language="python",
        )


async def _ask(kernel: Any) -> list[str]:
    """The lines that the checks have said so far."""
    question = kernel.execute("", silent=True, user_expressions=said.QUESTION)
    reply = await _answer(kernel.get_shell_msg, question)
    while (await _answer(kernel.get_iopub_msg, question)).get("execution_state") != "idle":
        pass  # one that is interrupted while it is busy complains
    return said.heard(reply)


async def _answer(get: Callable[..., Awaitable[Any]], question: str) -> dict[str, Any]:
    while True:
        message = await get(timeout=60)
        if message["parent_header"].get("msg_id") == question:
            return dict(message["content"])


def _with_png(cell: NotebookNode) -> list[NotebookNode]:
    return [o.data for o in cell.outputs if "image/png" in o.get("data", {})]


def _report(path: Path, notebook: NotebookNode, index: int, error: Exception) -> str:
    cell = notebook.cells[index]
    number = sum(c.cell_type == "code" for c in notebook.cells[: index + 1])
    source = "\n".join(f"    {line}" for line in cell.source.splitlines())
    stored = [o for o in cell.outputs if o.output_type == "error"]
    if stored:
        message = "\n".join(stored[-1].traceback)
    elif isinstance(error, CellTimeoutError):
        message = "The cell took too long. Make it faster, or give a larger --timeout."
    elif isinstance(error, DeadKernelError):
        message = "The kernel died. Does the cell need too much memory?"
    else:
        message = str(error)
    return (
        f"{path.stem}: code cell {number} (id {cell.get('id')}) failed; the file is left as it "
        f"was.\n{source}\n{ANSI.sub('', message).rstrip()}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
