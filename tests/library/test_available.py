"""Numba that is missing, does not work, or is not wanted; and nowhere to keep compiled code."""

import importlib
import subprocess
import sys

import pytest

from gmmlib.engine import available
from gmmlib.engine.available import KERNEL, SWITCH, load_kernel

numba = pytest.importorskip("numba") if KERNEL is not None else None
needs_numba = pytest.mark.skipif(KERNEL is None, reason="Numba is not installed")
BROKEN = AttributeError("module 'numpy' has no attribute 'a'\nand more")


def broken(name):
    raise BROKEN


def test_without_numba_nothing_is_said(monkeypatch, recwarn):
    monkeypatch.setitem(sys.modules, "numba", None)
    assert load_kernel() is None
    assert not recwarn.list


@needs_numba
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda m: m.setattr(numba.config, "DISABLE_JIT", True), "NUMBA_DISABLE_JIT is set"),
        (lambda m: m.setattr(importlib, "import_module", broken), "AttributeError: module 'numpy'"),
    ],
    ids=["switched off", "broken"],
)
def test_numba_that_does_not_work(monkeypatch, make, said):
    make(monkeypatch)
    with pytest.warns(UserWarning, match=said) as caught:
        assert load_kernel() is None
    assert len(caught) == 1
    assert "and more" not in str(caught[0].message)
    assert caught[0].filename == __file__
    monkeypatch.setenv(SWITCH, "compiled")
    with pytest.raises(ImportError, match=f"{SWITCH}=compiled, but Numba cannot be used: .*{said}"):
        load_kernel()


def test_numpy_is_chosen(monkeypatch):
    monkeypatch.setenv(SWITCH, "matrices")
    assert load_kernel() is None


@pytest.mark.parametrize("value", ["numpy", "Matrices"])
def test_the_switch_has_two_positions(monkeypatch, value):
    monkeypatch.setenv(SWITCH, value)
    with pytest.raises(ValueError, match=f"{SWITCH} is '{value}'. Set it to compiled or matrices"):
        load_kernel()


@pytest.mark.parametrize("variable", [{SWITCH: "matrices"}, {"NUMBA_DISABLE_JIT": "1"}])
def test_a_fit_without_compiled_loops(monkeypatch, variable):
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    lines = (
        "from gmmlib import GaussianMixture, datasets, engine",
        "model = GaussianMixture(2, random_state=0).fit(datasets.old_faithful())",
        "print(engine.current().name, round(model.lower_bound_, 6))",
    )
    command = [sys.executable, "-c", "\n".join(lines)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "matrices -4.155382\n"
    assert ran.stderr.count("Warning") == (SWITCH not in variable and KERNEL is not None)


@needs_numba
def test_nowhere_to_keep_what_is_compiled(monkeypatch):
    seen = []

    def njit(**options):
        seen.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(available.KERNEL, "njit", njit)
    assert available.KERNEL._compiled(error_model="numpy")(len) is len
    assert seen[-1] == {"nogil": True, "error_model": "numpy"}
