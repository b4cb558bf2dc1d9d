"""A pytest plugin: nbval's one execution of a chapter also compares its pictures.

nbval on its own ignores image/png, takes a cell without an execution count as not to be
compared, and does not mind in which order text and pictures come. And each ✓ line is held against
what the checks themselves say that they said.
"""

import os
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

import pictures
import said
from run_notebooks import KERNEL_ENVIRONMENT


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Any:
    collectors = yield
    return [
        ChapterFile.from_parent(parent, path=file_path) if type(c) is IPyNbFile else c
        for c in collectors
    ]


class ChapterFile(IPyNbFile):
    """A chapter, executed once in a kernel of its own."""

    said: tuple[str, ...] = ()  # by the checks, so far

    def setup(self) -> None:
        # A line of the library that a chapter runs is not thereby tested, so the kernels do not
        # count for the coverage. It would also cost half as much time again.
        with (
            mock.patch.dict(os.environ, KERNEL_ENVIRONMENT),
            mock.patch("nbval.plugin.setup_coverage"),
        ):
            super().setup()

    def teardown(self) -> None:
        with mock.patch("nbval.plugin.teardown_coverage"):
            super().teardown()

    def collect(self) -> Any:
        for item in super().collect():
            yield ChapterCell.from_parent(
                self,
                name=item.name,
                cell_num=item.cell_num,
                cell=item.cell,
                options=item.options,
            )


class ChapterCell(IPyNbCell):
    """A code cell, compared with its stored outputs, pictures included."""

    def runtest(self) -> None:
        before = len(self.parent.said)
        try:
            super().runtest()
        finally:
            if self.parent.kernel.is_alive():
                self.parent.said = tuple(self.ask())
        difference = said.unlike(self.test_outputs, self.parent.said[before:])
        if difference:
            self.raise_cell_error(difference)
        if self.cell.execution_count is None:
            self.raise_cell_error("The cell was never executed: run make notebooks")

    def ask(self) -> list[str]:
        """The lines that the checks have said so far."""
        kernel = self.parent.kernel
        question = kernel.kc.execute("", silent=True, user_expressions=said.QUESTION)
        while True:
            reply = kernel.get_message("shell", timeout=60)
            if reply["parent_header"].get("msg_id") == question:
                return said.heard(reply["content"])

    def compare_outputs(self, test: Any, ref: Any, skip_compare: Any = None) -> bool:
        if not super().compare_outputs(test, ref, skip_compare):
            return False
        said = self.compare_kinds(test, ref) or self.compare_pictures(test, ref)
        if said:
            self.comparison_traceback.append(said)
        return said is None

    def compare_kinds(self, test: Any, ref: Any) -> str | None:
        new, stored = [_kind(o) for o in test], [_kind(o) for o in ref]
        if new == stored:
            return None
        return f"the outputs are of other kinds.\n  stored: {stored}\n  new:    {new}"

    def compare_pictures(self, test: Any, ref: Any) -> str | None:
        for number, (new, stored) in enumerate(zip(_pngs(test), _pngs(ref), strict=True), 1):
            try:
                said = pictures.difference(stored, new)
            except (OSError, ValueError) as error:
                return f"picture {number}: the stored one cannot be read ({error})"
            if said:
                return f"picture {number}: {said}.\n  See {self.save(stored, new)}"
        return None

    def save(self, stored: str, new: str) -> Path:
        """Stored, new and difference, as files to look at."""
        folder = Path(tempfile.mkdtemp(prefix=f"{self.path.stem}-{self.cell.get('id', '')}-"))
        (folder / "stored.png").write_bytes(pictures.as_bytes(stored))
        (folder / "new.png").write_bytes(pictures.as_bytes(new))
        (folder / "difference.png").write_bytes(pictures.difference_png(stored, new))
        return folder


def _kind(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.name)
    return f"{output.output_type} {' '.join(sorted(output.get('data', {})))}".strip()


def _pngs(outputs: Any) -> list[str]:
    return [o.data["image/png"] for o in outputs if "image/png" in o.get("data", {})]
