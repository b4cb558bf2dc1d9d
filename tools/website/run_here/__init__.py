"""*Run this page*: with the variable RUNTIME, a Python that runs in the reader's browser.

RUNTIME names the folder of a release of Pyodide (``make book RUNTIME=folder``). ``runtime`` reads
it, ``packages`` makes what it lacks, ``folder`` writes all of it into the site beside the
``worker/``, which runs cells with IPython. Without RUNTIME nothing is written, and no page differs.
"""

import os
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from website.run_here.folder import write
from website.run_here.runtime import Release, RuntimeFolderError


def runtime() -> Path | None:
    """The folder with the release, where one is given."""
    given = os.environ.get("RUNTIME")
    return Path(given).resolve() if given else None


def _read(folder: Path) -> Release:
    try:
        return Release.read(folder)
    except RuntimeFolderError as error:
        raise ExtensionError(str(error)) from error


def _write(app: Sphinx, exception: Exception | None) -> None:
    folder = runtime()
    if exception or app.builder.format != "html" or folder is None:
        return
    try:
        write(_read(folder), Path(app.srcdir), Path(app.outdir) / "_static")
    except RuntimeFolderError as error:
        raise ExtensionError(str(error)) from error


def setup(app: Sphinx) -> dict[str, bool]:
    folder = runtime()
    if folder is not None:
        _read(folder)  # a wrong one is refused now, not when the pages are made
        app.connect("build-finished", _write)
        app.setup_extension(f"{__name__}.pages")  # what the reader sees
    return {"parallel_read_safe": True, "parallel_write_safe": True}
