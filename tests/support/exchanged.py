"""A pytest plugin: scikit-learn's own tests, run on gmmlib's GaussianMixture.

The last line that it prints is a JSON object: outcome -> the names of the tests, without their
parameters; a test that fails for some parameters has failed.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sklearn.mixture

import gmmlib

OUTCOMES: dict[str, set[str]] = {"failed": set(), "passed": set(), "skipped": set()}


def pytest_configure() -> None:
    """Not on import: whoever only reads this module keeps scikit-learn's class."""
    sklearn.mixture.GaussianMixture = gmmlib.GaussianMixture


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[Any]:
    report = yield
    if report.when == "call" or report.outcome != "passed":
        OUTCOMES[report.outcome].add(item.name.partition("[")[0])
    return report


def pytest_unconfigure() -> None:
    failed = OUTCOMES["failed"]
    found = {name: sorted(tests - failed) for name, tests in OUTCOMES.items()}
    print("\n" + json.dumps(found | {"failed": sorted(failed)}))
