"""show prints a function as it stands, less its docstring."""

import inspect

import pytest

from gmmlib import e_step, m_step
from gmmlib.reading import show


def test_the_code_is_all_there_and_the_docstring_is_not(capsys):
    show(m_step)
    printed = capsys.readouterr().out
    code = [line for line in inspect.getsource(m_step).splitlines() if "eq-m-step" in line]
    assert all(line in printed.splitlines() for line in code if "Book:" not in line)
    assert "Parameters" not in printed
    assert printed.startswith("def m_step(")


def test_a_function_without_a_docstring(capsys):
    def plain(x):
        return x + 1

    show(plain)
    assert capsys.readouterr().out == "def plain(x):\n    return x + 1\n"


def test_something_without_source():
    with pytest.raises(TypeError):
        show(len)


def test_what_is_shown_is_python(capsys):
    show(e_step)
    compile(capsys.readouterr().out, "shown", "exec")
