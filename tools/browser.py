"""Chromium, for what is printed and for the tests of the pages."""

import contextlib
import os
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The browser's executable: $CHROMIUM, or what is on the PATH.

    Raises ``FileNotFoundError`` if there is none.
    """
    named = os.environ.get("CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    lacking = f"{named} cannot be run" if named else f"none of {', '.join(NAMES)} is on the PATH"
    raise FileNotFoundError(
        f"Chromium is needed, and {lacking}. Install it, or put the path of its executable into "
        "the environment variable CHROMIUM"
    )


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # root in a container has no sandbox to run it in
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()
