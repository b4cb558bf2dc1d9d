"""The place of an answer in a student's notebook, before the student has written it."""


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
