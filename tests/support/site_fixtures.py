"""The built site, a server over it and a browser: fixtures of the tests that open pages."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import site_checks
from browser import open_browser

ROOT = Path(__file__).parents[2]
# another copy of the site may be tried: BOOK_SITE=elsewhere/html pytest tests/site/test_site.py
SITE = Path(os.environ.get("BOOK_SITE") or ROOT / "_build" / "html")


def built(folder: Path) -> Path:
    if not (folder / "index.html").is_file():
        pytest.fail(f"The site is not built: {folder.name} has no index.html. Run: make book")
    return folder


@pytest.fixture(scope="session")
def site() -> Path:
    return built(SITE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    with site_checks.serve(site) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = site_checks.new_context(browser, viewport=site_checks.WIDE)
    yield context.new_page()
    context.close()
