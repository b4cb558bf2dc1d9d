"""Show a function of the library inside a chapter, from its own source."""

import ast
import inspect
from collections.abc import Callable
from typing import Any


def show(function: Callable[..., Any]) -> None:
    """Print the source of ``function`` without its docstring, as it stands in the library.

    Raises ``TypeError`` for something that has no Python source.

    >>> from gmmlib.bound import lower_bound
    >>> show(lower_bound)  # doctest: +ELLIPSIS
    def lower_bound(X: Any, responsibilities: Any, mixture: Mixture) -> float:
        return expected_complete_data_log_likelihood(...
    """
    source = inspect.cleandoc("\n" + inspect.getsource(function))
    definition = ast.parse(source).body[0]
    lines = source.splitlines()
    first = definition.body[0]  # type: ignore[attr-defined]
    if ast.get_docstring(definition) is not None:  # type: ignore[arg-type]
        del lines[first.lineno - 1 : first.end_lineno]
    print("\n".join(lines))
