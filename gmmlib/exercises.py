"""Exercises: the place of an answer that is still to be written, and what tests say of one."""

from collections.abc import Callable
from typing import Any


class YourTurn(Exception):
    """There is no answer yet. Jupyter shows it in one line, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def your_turn(name: str) -> None:
    """Say that the answer to an exercise is still to be written.

    Parameters
    ----------
    name : str
        The exercise, such as ``"Exercise 30"``.

    Raises
    ------
    YourTurn
        Always.
    """
    raise YourTurn(f"{name}: your answer goes here. The cells below do not need it.")


def refused(tests: Callable[[Any], object], answer: object) -> str:
    """What the tests of an exercise say of a wrong answer.

    Parameters
    ----------
    tests : function
        It takes an answer, and raises an exception that says what is wrong with it.
    answer : object
        One that is wrong; mostly a function.

    Returns
    -------
    str
        The first line of what was raised.

    Raises
    ------
    ValueError
        If the tests accept it: then they are too weak.
    YourTurn
        If there is no answer yet.

    Examples
    --------
    >>> def tests(double):
    ...     assert double(2) == 4, f"double(2) is {double(2)}, not 4"
    >>> refused(tests, lambda x: x + 1)
    'double(2) is 3, not 4'
    """
    try:
        tests(answer)
    except YourTurn:
        raise
    except AssertionError as error:
        return str(error).partition("\n")[0]
    except Exception as error:
        return f"{type(error).__name__}: {error}".partition("\n")[0]
    name = getattr(tests, "__name__", repr(tests))
    raise ValueError(f"{name} accepts this answer. It is right, or the tests are too weak.")
