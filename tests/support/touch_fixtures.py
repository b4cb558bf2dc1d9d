"""The lean pages of the figures, a page that stays open over them, and a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

import site_checks
from site_checks import Watch
from touch_checks import lean_site


@pytest.fixture(scope="session")
def lean(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lean_site(site, tmp_path_factory.mktemp("lean"))


@pytest.fixture(scope="session")
def lean_address(lean: Path) -> Iterator[str]:
    with site_checks.serve(lean) as address:
        yield address


def stopped(context: BrowserContext) -> Page:
    """A page whose clock stands still."""
    context.clock.install(time=0)
    context.clock.pause_at(3600)  # seconds
    return context.new_page()


@pytest.fixture(scope="module")
def stage(browser: Browser, lean_address: str) -> Iterator[Watch]:
    context = site_checks.new_context(browser, viewport=site_checks.WIDE)
    yield Watch(stopped(context), lean_address)
    context.close()


@pytest.fixture
def watch(stage: Watch, request: pytest.FixtureRequest) -> Iterator[Watch]:
    """The page that stays open, as if it had been opened for this test."""
    failed = request.session.testsfailed
    stage.page.set_viewport_size(site_checks.WIDE)  # type: ignore[arg-type]
    stage.page.emulate_media(color_scheme="light", reduced_motion="reduce", media="screen")
    yield stage
    problems, stage.problems = stage.problems, []
    if problems or request.session.testsfailed > failed:
        stage.page.goto("about:blank")  # nothing of it is left for the next test
    assert not problems, "\n".join(problems)


@pytest.fixture
def phone(browser: Browser, lean_address: str) -> Iterator[Watch]:
    context = site_checks.new_context(browser, viewport=site_checks.NARROW, has_touch=True)
    watch = Watch(stopped(context), lean_address)
    yield watch
    assert not watch.problems, "\n".join(watch.problems)
    context.close()


@pytest.fixture(scope="module")
def plain(browser: Browser) -> Iterator[Page]:
    """A page without script."""
    context = site_checks.new_context(browser, java_script_enabled=False)
    yield context.new_page()
    context.close()
