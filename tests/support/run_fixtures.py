"""A static server over the runtime, and a browser that keeps what it has fetched."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

import run_here
import site_checks

PREFIX = "/some/where/"  # a site need not lie at the root of its host


@pytest.fixture(scope="module")
def run_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of a page that drives the worker, and the runtime's manifest."""
    folder = tmp_path_factory.mktemp("run")
    manifest = run_here.make_site(folder, run_here.runtime())
    with site_checks.serve(folder, PREFIX) as address:
        yield address, manifest


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()
