"""Cells that run in the browser's worker, as a page would have them run, and what came of them."""

import json
import os
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, TimeoutError

from website.run_here.folder import write
from website.run_here.runtime import Release

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
DIFFERENCES = ROOT / "tests" / "runtime" / "differences.toml"
MEASURED = ROOT / "_build" / "runtime-measured"
PATIENCE = 600_000  # milliseconds for one cell, or for the start, on a busy machine
STREAMS = ("stdout", "stderr")
TEXTS = ("text/plain", "text/latex", "text/html")

DRIVER = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Cells</title>
<link rel="icon" href="data:,">
<script>
const seen = { ready: null, failed: null, progress: [], outputs: {}, done: {}, clear: [] };
let worker;
function start(page) {
    worker = new Worker("_static/run/worker.js", { type: "module" });
    worker.onerror = (event) => { seen.failed = { message: event.message || "the worker" }; };
    worker.onmessage = ({ data }) => {
        if (data.type === "output") (seen.outputs[data.id] ||= []).push(data.output);
        else if (data.type === "done") seen.done[data.id] = data;
        else if (data.type === "progress") seen.progress.push(data);
        else if (data.type === "clear") seen.clear.push(data);
        else seen[data.type] = data;
    };
    const runtime = new URL("_static/runtime/", location.href).href;
    worker.postMessage({ type: "start", runtime, page, interrupt: null });
}
function run(id, code) { worker.postMessage({ type: "run", id, code, tags: [] }); }
</script>
"""


def runtime() -> Path:
    """The release of Pyodide that the tests run on."""
    given = os.environ.get("RUNTIME")
    if not given:
        pytest.fail("RUNTIME names no release of Pyodide. Run: make test-runtime")
    return Path(given)


def make_site(folder: Path, runtime: Path) -> dict[str, Any]:
    """A site of one page that drives the worker; its manifest."""
    manifest = write(Release.read(runtime), ROOT, folder / "_static")
    (folder / "index.html").write_text(DRIVER, encoding="utf-8")
    return manifest


# --- a worker in a page ---------------------------------------------------------------------------


class Hangs(Exception):
    """A cell did not end in its time."""


@dataclass
class Kernel:
    """A worker that has started, and what its page has seen go wrong."""

    page: Page
    address: str
    problems: list[str] = field(default_factory=list)
    ready: dict[str, Any] = field(default_factory=dict)
    ran: int = 0

    def __post_init__(self) -> None:
        self.page.on("request", self._request)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))

    def _request(self, request: Any) -> None:
        here = urlsplit(request.url).netloc == urlsplit(self.address).netloc
        if not here and not request.url.startswith(("data:", "blob:")):
            self.problems.append(f"request to another host: {request.url}")

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(f"console error: {message.text}")

    def start(self, chapter: str) -> None:
        self.page.goto(self.address)
        self.page.evaluate("page => start(page)", chapter)
        self.page.wait_for_function("() => seen.ready || seen.failed", timeout=PATIENCE)
        failed = self.page.evaluate("() => seen.failed")
        if failed:
            raise AssertionError(failed["message"])
        self.ready = self.page.evaluate("() => seen.ready")

    def run(self, code: str, patience: int = PATIENCE) -> tuple[list[Any], dict[str, Any]]:
        """The outputs of a cell, and how it ended."""
        number, self.ran = self.ran, self.ran + 1
        began = time.perf_counter()
        self.page.evaluate("([id, code]) => run(id, code)", [number, code])
        try:
            self.page.wait_for_function(
                "id => seen.done[id] || seen.failed", arg=number, timeout=patience
            )
        except TimeoutError as error:
            self.page.evaluate("() => worker.terminate()")
            raise Hangs(f"cell {number + 1} has not ended in {patience / 1000:g} s") from error
        ended = self.page.evaluate("id => seen.done[id] || { ok: false, ...seen.failed }", number)
        outputs = self.page.evaluate("id => seen.outputs[id] || []", number)
        return outputs, {**ended, "wall": time.perf_counter() - began}


@contextmanager
def kernel(context: BrowserContext, address: str, chapter: str) -> Iterator[Kernel]:
    """A worker of its own, in a page of its own."""
    page = context.new_page()
    try:
        found = Kernel(page, address)
        found.start(chapter)
        yield found
    finally:
        page.close()


# --- outputs, and how they differ -----------------------------------------------------------------


def code_cells(path: Path) -> list[dict[str, Any]]:
    """The code cells of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def texts(outputs: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """(kind, text) of what a cell gave: streams are joined, a picture has no text."""
    found: list[tuple[str, str]] = []
    streams: dict[str, int] = {}
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            name, text = output["name"], "".join(output["text"])
            if name in streams:
                place = streams[name]
                found[place] = (found[place][0], found[place][1] + text)
                continue
            streams[name] = len(found)
            found.append((name, text))
        elif kind == "error":
            found.append(("error", f"{output['ename']}: {output['evalue']}"))
        elif "image/png" in output["data"]:
            found.append((f"{kind} image/png", ""))
        else:
            data = output["data"]
            found += [(f"{kind} {mime}", "".join(data[mime])) for mime in TEXTS if mime in data]
    return found


@dataclass(frozen=True)
class Difference:
    """An output that may differ in the browser: one text in place of another, and why.

    Where the cell ends in an error here, ``error`` is how that begins.
    """

    chapter: str
    cell: str
    book: str
    here: str
    reason: str
    error: str = ""


def differences() -> list[Difference]:
    """The list of them."""
    listed = tomllib.loads(DIFFERENCES.read_text(encoding="utf-8"))
    return [Difference(**entry) for entry in listed.get("difference", [])]


def unlike(
    outputs: Sequence[dict[str, Any]],
    stored: Sequence[dict[str, Any]],
    allowed: Sequence[Difference] = (),
) -> str:
    """How the outputs differ from those that are stored, in words; nothing where they do not."""
    new, old = texts(outputs), texts(stored)
    for difference in allowed:
        exchanged = [(kind, text.replace(difference.book, difference.here)) for kind, text in old]
        if exchanged == old:
            return f"the stored outputs lack the text {difference.book!r} of a listed difference"
        old = [(kind, text) for kind, text in exchanged if text or kind not in STREAMS]
        if difference.error and new and new[-1][1].startswith(difference.error):
            new = new[:-1]
    if [kind for kind, _ in new] != [kind for kind, _ in old]:
        kinds = [[kind for kind, _ in side] for side in (old, new)]
        return f"stored are {kinds[0]}, here came {kinds[1]}:\n{_shown(new)}"
    wrong = [(o, n) for (_, o), (_, n) in zip(old, new, strict=True) if o != n]
    return "\n".join(f"stored:\n{o}\nhere:\n{n}" for o, n in wrong)


def _shown(found: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{kind}: {text}" for kind, text in found)
