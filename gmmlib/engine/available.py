"""Whether the engine has its compiled loops: where Numba is installed and works.

The environment variable ``GMMLIB_BACKEND`` decides otherwise: ``matrices`` takes NumPy's products,
``compiled`` asks for Numba and says what is wrong if it does not work. In a program,
:func:`gmmlib.engine.using` has the last word.
"""

import importlib
import os
from types import ModuleType

from gmmlib.errors import warn

SWITCH = "GMMLIB_BACKEND"
NAMES = ("compiled", "matrices")


def load_kernel() -> ModuleType | None:
    """The compiled loops, or None.

    Raises
    ------
    ValueError
        If the switch is set to something else.
    ImportError
        If it asks for the compiled loops, and they cannot be had.

    Warns
    -----
    UserWarning
        If Numba is installed and does not work.
    """
    asked = os.environ.get(SWITCH, "")
    if asked not in ("", *NAMES):
        raise ValueError(f"{SWITCH} is {asked!r}. Set it to {' or '.join(NAMES)}, or unset it.")
    if asked == "matrices":
        return None
    try:
        return _kernel()
    except Exception as error:  # whatever a broken installation comes up with
        if asked:
            raise ImportError(
                f"{SWITCH}={asked}, but Numba cannot be used: {_said(error)}"
            ) from error
        if not (isinstance(error, ModuleNotFoundError) and error.name in ("numba", "llvmlite")):
            warn(
                f"Numba is installed but cannot be used: {_said(error)}. The engine computes with "
                f"NumPy, which is slower. Mend Numba, or set {SWITCH}=matrices to choose NumPy.",
                UserWarning,
            )
        return None


def _kernel() -> ModuleType:
    import numba

    if getattr(numba.config, "DISABLE_JIT", False):
        raise RuntimeError("NUMBA_DISABLE_JIT is set, so that it compiles nothing")
    return importlib.import_module("gmmlib.engine.kernel")


def _said(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0].rstrip(".")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


KERNEL = load_kernel()
