"""What a fit may end with."""

import sys
import warnings
from dataclasses import replace

from gmmlib.stopping import Fit

# a line of a pipeline, or of an import, says nothing to whoever wrote another
_OURS = ("gmmlib", "importlib", "sklearn")


class ConvergenceWarning(UserWarning):
    """The run ended before the log-likelihood stopped rising."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn with the line of the program that called this library, however deep the call."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _OURS:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


class CollapseError(ValueError):
    """A component lost its observations or its spread, so the next step does not exist.

    Attributes
    ----------
    component : int
        Which, counting from 0.
    reason : str
    step : int or None
        The iteration of :func:`fit` in which it happened, counting from 1.
    fit : Fit or None
        The run up to the last sound mixture.
    """

    def __init__(
        self, component: int, reason: str, step: int | None = None, fit: Fit | None = None
    ) -> None:
        super().__init__(component, reason, step, fit)
        self.component = component
        self.reason = reason
        self.step = step
        self.fit = fit

    def after(self, run: Fit) -> "CollapseError":
        """The same error, with the iteration in which it happened and the run before it."""
        step = run.n_iter + 1
        so_far = replace(run, reason=f"stopped at iteration {step}: {self}")
        return CollapseError(self.component, self.reason, step, so_far)

    def __str__(self) -> str:
        when = "" if self.step is None else f" at iteration {self.step}"
        return (
            f"component {self.component} (counting from 0) collapsed{when}: {self.reason}. "
            f"Start from other means or wider covariances, or ask for fewer components."
        )
