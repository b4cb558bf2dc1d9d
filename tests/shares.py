"""A pytest plugin: how the tests are shared out among several processes.

The cells of a chapter stay together, for they are executed in one kernel; so do the tests of a
file, which share a browser or what a fixture has made once. Two kinds of files are cut smaller:
where tests have the mark ``xdist_group``, these are the shares; and each test of the files in
SINGLY is one. The longest shares come first, so that none is begun when all else is done.
"""

from pathlib import PurePosixPath
from typing import Any

import pytest

SINGLY = ("tests/test_project.py",)
FIRST = (
    "tests/test_touch_",
    "tests/test_pages.py",
    "tests/test_site.py",
    "tests/test_bench.py",
    "tests/test_estimator.py",
    "chapters/",
    *SINGLY,
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "xdist_group(name): tests that one process runs")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadFileScheduling, LoadGroupScheduling

    if config.getoption("dist") != "loadgroup":
        return LoadFileScheduling(config, log)
    config.option.loadscopereorder = False  # as they come, not by how many they are
    return LoadGroupScheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        file = item.nodeid.partition("::")[0]
        if file not in SINGLY and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(PurePosixPath(file).stem))
    places = {item: _place(item.nodeid) for item in items}
    items.sort(key=places.__getitem__)


def _place(nodeid: str) -> int:
    found = [i for i, start in enumerate(FIRST) if nodeid.startswith(start)]
    return found[0] if found else len(FIRST)
