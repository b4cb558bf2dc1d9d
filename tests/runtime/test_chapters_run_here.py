"""Every chapter, from its first cell to its last, in the browser: make test-runtime."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

import run_here
import site_checks
from browser import chromium

MOST_MEMORY = 1.5e9  # bytes


@pytest.mark.parametrize("path", run_here.CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_as_it_is_stored(
    path: Path, context: BrowserContext, run_site: tuple[str, dict[str, Any]]
) -> None:
    address, manifest = run_site
    cells = run_here.code_cells(path)
    allowed = [d for d in run_here.differences() if d.chapter == path.stem]
    assert {d.cell for d in allowed} <= {cell["id"] for cell in cells}
    wrong, ended = [], []
    with run_here.kernel(context, address, path.stem) as kernel:
        for cell in cells:
            outputs, end = kernel.run("".join(cell["source"]))
            ended.append(end)
            listed = [d for d in allowed if d.cell == cell["id"]]
            difference = run_here.unlike(outputs, cell["outputs"], listed)
            if difference:
                wrong.append(f"cell {cell['id']}\n{''.join(cell['source'])}\n{difference}\n")
        problems, ready = kernel.problems, kernel.ready
    memory = max(end["memory"] for end in ended)
    keep(path.stem, cells, ended, ready, memory, wrong, allowed, manifest)
    assert not wrong, "\n".join(wrong)
    assert not problems, "\n".join(problems)
    assert memory < MOST_MEMORY


def test_the_second_start_is_served_from_the_cache(browser: Browser, tmp_path: Path) -> None:
    """And how long the first output takes, the first time and the second."""
    site = tmp_path / "site"
    site.mkdir()
    manifest = run_here.make_site(site, run_here.runtime())
    sent: list[int] = []

    def copyfile(handler: Any, source: Any, target: Any) -> None:
        sent.append(os.fstat(source.fileno()).st_size)
        shutil.copyfileobj(source, target)

    seconds, received = [], []
    # a browser with a profile: one without keeps less than the runtime's bytes
    fresh = browser.browser_type.launch_persistent_context(
        tmp_path / "profile", executable_path=chromium(), args=["--no-sandbox"]
    )
    with site_checks.serve(site, copyfile=copyfile) as address:
        for _ in range(2):
            sent.clear()
            began = time.perf_counter()
            with run_here.kernel(fresh, address, "07_worked_example") as kernel:
                outputs, _ = kernel.run("print(1)")
            seconds.append(time.perf_counter() - began)
            received.append(sum(sent))
            assert run_here.texts(outputs) == [("stdout", "1\n")]
    fresh.close()
    run_here.MEASURED.mkdir(parents=True, exist_ok=True)
    starts = dict(zip(("cold", "cached"), seconds, strict=True))
    (run_here.MEASURED / "starts.json").write_text(json.dumps(starts))
    assert received[0] > manifest["needed_bytes"]
    assert received[1] < 0.05 * manifest["needed_bytes"]


def keep(
    chapter: str,
    cells: list[Any],
    ended: list[dict[str, Any]],
    ready: dict[str, Any],
    memory: int,
    wrong: list[str],
    allowed: list[Any],
    manifest: dict[str, Any],
) -> None:
    """For tools/runtime_figures.py."""
    run_here.MEASURED.mkdir(parents=True, exist_ok=True)
    figures = {
        "chapter": chapter,
        "cells": len(cells),
        "as_stored": len(cells) - len(wrong) - len({d.cell for d in allowed}),
        "listed": len({d.cell for d in allowed}),
        "start_seconds": ready["seconds"],
        "cells_seconds": sum(end["wall"] for end in ended),
        "memory": memory,
        "bytes": manifest["needed_bytes"],
        "versions": ready["versions"],
        "wrong": wrong,
    }
    text = json.dumps(figures, indent=1) + "\n"
    (run_here.MEASURED / f"{chapter}.json").write_text(text, encoding="utf-8")
