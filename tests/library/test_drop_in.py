"""scikit-learn's own tests on our class: those that fail are listed on the page, and no others."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn.mixture
from sklearn.utils.fixes import parse_version

from gmmlib import GaussianMixture
from gmmlib.estimators import gaussian_mixture

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "chapters" / "from_scikit_learn.md"
FILES = ("sklearn.mixture.tests.test_gaussian_mixture", "sklearn.mixture.tests.test_mixture")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Outcome -> the names of the tests, from a run with the class exchanged."""
    folder = tmp_path_factory.mktemp("empty")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "exchanged", "-p", "no:cacheprovider"]
    command += ["-c", os.devnull, "--rootdir", str(folder), "--pyargs", *FILES]
    support = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    environment = {**os.environ, "PYTHONPATH": support, "SKLEARN_RUN_FLOAT32_TESTS": "1"}
    environment.pop("SCIPY_ARRAY_API", None)  # with it the tests for other arrays begin
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=environment
    )
    assert ran.returncode in (0, 1), ran.stdout[-2000:] + ran.stderr[-2000:]
    return json.loads(ran.stdout.strip().split("\n")[-1])


def listed():
    rows = [line for line in PAGE.read_text(encoding="utf-8").split("\n") if line.startswith("|")]
    return sorted(name for row in rows for name in re.findall(r"`(test_\w+)`", row))


def test_each_test_that_fails_is_listed_with_its_reason(outcomes):
    """Versions before 1.9 have not all of these tests."""
    failed, is_old = outcomes["failed"], parse_version(sklearn.__version__) < parse_version("1.9")
    assert set(failed) <= set(listed())
    assert is_old or failed == listed()


def test_nearly_all_others_pass(outcomes):
    assert len(outcomes["passed"]) >= 25
    assert {name for name in outcomes["skipped"] if "array_api" not in name} == set()


class Tensor:
    """An array of another library."""

    def __array_namespace__(self):
        raise NotImplementedError

    def __array__(self, dtype=None, copy=None):
        return np.arange(20.0, dtype=dtype).reshape(10, 2) ** 2 % 7


def test_arrays_of_other_libraries(monkeypatch):
    assert GaussianMixture(1).fit(Tensor()).means_.shape == (1, 2)
    # scikit-learn itself turns it on only where SCIPY_ARRAY_API was set before all else
    monkeypatch.setattr(gaussian_mixture, "get_config", lambda: {"array_api_dispatch": True})
    with pytest.raises(TypeError, match=r"^X is a .*\.Tensor, and .* Pass np\.asarray\(X\)"):
        GaussianMixture(1).fit(Tensor())


def test_the_class_is_exchanged_in_that_run_only():
    """A run of all tests imports every module of tests/, the plugin too."""
    importlib.import_module("exchanged")
    assert sklearn.mixture.GaussianMixture is not GaussianMixture
