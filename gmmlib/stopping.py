"""When the loop of the textbook algorithm ends, in what words, and what it leaves."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray, counted


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """What :func:`gmmlib.em.fit` returns.

    Attributes
    ----------
    mixture : Mixture
        The last mixture visited.
    log_likelihoods : (n_iter + 1,)
        ℓ of every mixture visited, from the start to ``mixture`` itself.
    converged : bool
    reason : str
        Why the run stopped, with the numbers.

    Book: alg-em.
    """

    mixture: Mixture
    log_likelihoods: FloatArray
    converged: bool
    reason: str

    def __post_init__(self) -> None:
        history = np.array(self.log_likelihoods, dtype=np.float64)
        history.flags.writeable = False
        object.__setattr__(self, "log_likelihoods", history)

    def __reduce__(self) -> tuple[Any, ...]:
        return Fit, (self.mixture, self.log_likelihoods, self.converged, self.reason)

    @property
    def log_likelihood(self) -> float:
        """ℓ of ``mixture``, a sum over observations."""
        return float(self.log_likelihoods[-1])

    @property
    def n_iter(self) -> int:
        """How many times both steps were taken."""
        return len(self.log_likelihoods) - 1

    def __repr__(self) -> str:
        return f"{self.mixture!r}\nlog-likelihood {self.log_likelihood:.6f}; {self.reason}"


def goes_on(log_likelihoods: list[float], n: int, tol: float | None, max_iter: int) -> bool:
    """Whether there is another iteration: until the last gain is at most ``tol * n``.

    With ``tol=None`` there are exactly ``max_iter``.
    """
    n_iter = len(log_likelihoods) - 1
    if n_iter == 0 or tol is None:
        return n_iter < max_iter
    return n_iter < max_iter and log_likelihoods[-1] - log_likelihoods[-2] > tol * n


def verdict(
    log_likelihoods: list[float], n: int, tol: float | None, max_iter: int
) -> tuple[bool, str]:
    """Whether the run converged, and why it ended, with the numbers."""
    history = log_likelihoods
    n_iter = len(history) - 1
    if tol is None:
        asked = counted(n_iter, "iteration", "iterations")
        return False, f"took the {asked} asked for, without a test of convergence"
    if n_iter == 0:
        return False, "took no iteration, because max_iter is 0. Raise max_iter"
    gain, enough = history[-1] - history[-2], tol * n
    rounding = 16 * np.finfo(float).eps * max(abs(history[-1]), n)
    if abs(gain) <= enough or -rounding <= gain <= 0:
        within = f"tol * n = {enough:.1e}" if abs(gain) <= enough else f"rounding, {rounding:.1e}"
        return True, (
            f"converged in {counted(n_iter, 'iteration', 'iterations')}: the last one changed the "
            f"log-likelihood by {gain:.1e}, within {within}"
        )
    if gain < 0:
        return False, (
            f"stopped at iteration {n_iter}: the log-likelihood fell by {-gain:.1e}, which EM in "
            f"exact arithmetic never does. The data leave too few digits: centre and scale them"
        )
    return False, (
        f"did not converge in {counted(n_iter, 'iteration', 'iterations')}: the last one still "
        f"raised the log-likelihood by {gain:.1e}, more than tol * n = {enough:.1e}. "
        f"Raise max_iter, or go on from the mixture of this fit"
    )
