"""A pytest plugin: how the tests are shared out among several processes, with ``-n``.

The cells of a chapter stay together, for they are executed in one kernel; so do the tests of a
file, which share a browser or what a fixture has made once. Those in SINGLY are shared out one by
one. The longest shares come first, so that none is begun when all else is done.
"""

from typing import Any

import pytest

SINGLY = (
    "tests/site/test_touch_contract.py::",
    "tests/site/test_pages.py::test_every_page",
    "tests/project/test_project.py::",
    "tests/runtime/test_chapters_run_here.py::",
)
FIRST = (
    "tests/site/test_touch_",
    "tests/site/test_pages.py",
    "tests/site/test_site.py",
    "tests/course/test_assignments.py",
    "tests/project/test_bench.py",
    "tests/library/test_estimator.py",
    "chapters/",
)
LAST = "tests/project/test_project.py"  # singly, so that the processes end at the same time


def share(nodeid: str) -> str:
    """What names the share that a test belongs to."""
    return nodeid if nodeid.startswith(SINGLY) else nodeid.partition("::")[0]


def place(nodeid: str) -> int:
    found = [i for i, start in enumerate(FIRST) if nodeid.startswith(start)]
    return found[0] if found else len(FIRST) + nodeid.startswith(LAST)


# xdist's own marks for groups do not reach the scheduler with pytest 9.2 and xdist 3.8: a test's
# name, to which xdist appends the group, cannot be changed any more.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return share(nodeid)

    config.option.loadscopereorder = False  # as they come, not by how many they are
    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place(item.nodeid))
