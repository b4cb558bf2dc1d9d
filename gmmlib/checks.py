"""The ledger: one call that checks a labelled equation, and one line that says so.

Each function takes the label of an equation that is displayed in the same chapter, holds its
two sides against each other, and prints a line such as ::

    ✓ eq-log-det · numerical · 3 values agree to 1e-12

or raises :class:`CheckFailed`. ``scope`` ends the line: for what the check stands, such as
``"for K = 3"``, ``"for every n"`` or ``"for the 272 waits"``. "For all values" means: for all that
the assumptions on the symbols allow.

A check that could not have failed is worth nothing, so each one also shows itself wrong versions
of the equation: the sign flipped, a factor 2 lost, a σ where σ² belongs. If it cannot tell one of
them from the right version it raises :class:`CheckTooWeak`. So it does where one side is a copy
of the other.

``said`` holds the lines that were printed, in order, for the tools that hold a chapter's outputs
against them.

==================  ================================================================
``symbolic``        both sides are the same expression, for all values of the symbols
``stationary``      a derivative vanishes at the solution, for all values
``negative_definite``  a Hessian has only negative eigenvalues, for all values
``numerical``       two independent roads to the same numbers
``gradient``        a gradient against central differences
``never_decreases`` a sequence that must climb
``printed``         numbers as a source printed them, to the last digit shown
==================  ================================================================

Needs SymPy: ``pip install "gmmlib[checks]"``.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import sympy as sp

from gmmlib.validation import FloatArray, as_floats, counted

# The grammar of a label and of the line, for all that read them.
MARK = "✓"
NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"  # of a label, behind eq- and its like
LABEL = re.compile(rf"eq-{NAME}")
KINDS = {  # as the line has it -> in a sentence
    "symbolic": "symbolically",
    "numerical": "numerically",
    "printed": "against the printed numbers",
}
KIND_OF = {  # function -> the kind that its line states
    "symbolic": "symbolic",
    "stationary": "symbolic",
    "negative_definite": "symbolic",
    "numerical": "numerical",
    "gradient": "numerical",
    "never_decreases": "numerical",
    "printed": "printed",
}
PART = r"(?:(?! · ).)+"
LINE = re.compile(
    rf"^{MARK} (?P<label>{LABEL.pattern}) · (?P<kind>{'|'.join(KINDS)}) · (?P<how>{PART})"
    rf"(?: · (?P<scope>{PART}))?$"
)

COPIES = 8  # so many long numbers, equal to the last bit, come from one computation
LOOSE = 1e-2  # from here on a tolerance is told in per cent
ROUNDING = 1e-9  # a fall by more, relative to the largest value, is no rounding
KEPT = 12  # significant digits up to which a float of 15 shows whether it has more

said: list[str] = []


class CheckFailed(AssertionError):
    """The two sides of a labelled equation do not agree."""


class CheckTooWeak(AssertionError):
    """The check also passes on a wrong version of the equation, so it shows nothing."""


def symbolic(label: str, left: Any, right: Any, *, scope: str = "") -> None:
    """The two sides are equal for all values of their symbols: left - right simplifies to 0.

    Parameters
    ----------
    label : str
        The equation's label, ``eq-…``.
    left, right : SymPy expressions or matrices of the same shape
        Derive ``left``; write ``right`` as the book displays it.

    Raises
    ------
    CheckFailed
        If the difference does not simplify to 0.
    CheckTooWeak
        If ``right`` is the same matrix as ``left``, or if a wrong version of it passes too, as
        it does when both sides are 0.
    """
    _require_label(label)
    if left is right and isinstance(left, sp.MatrixBase):  # equal expressions may share memory
        raise CheckTooWeak(f"{label}: a matrix is compared with itself")
    left, right = sp.sympify(left), sp.sympify(right)
    shapes = [_shape(side) for side in (left, right)]
    if shapes[0] != shapes[1]:
        raise CheckFailed(f"{label}: the sides have shapes {shapes[0]} and {shapes[1]}")
    difference = _simplified(left - right)
    if not _is_zero(difference):
        raise CheckFailed(f"{label}: left - right simplifies to {difference}, not to 0")
    for name, version in _wrong_expressions(right):
        if _is_zero(_simplified(left - version)):
            raise CheckTooWeak(f"{label}: with {name} the check passes as well")
    _say(label, "symbolic", "both sides are the same expression", scope)


def stationary(
    label: str,
    objective: Any,
    solution: Mapping[Any, Any],
    *,
    given: Mapping[Any, Any] | None = None,
    scope: str = "",
) -> None:
    """The derivatives of ``objective`` in the keys of ``solution`` all vanish there.

    Parameters
    ----------
    label : str
        The equation's label, ``eq-…``.
    objective : SymPy expression
    solution : {symbol: expression}
        As the book displays it.
    given : {symbol: expression}
        Values of other symbols at the solution, put in after the derivative is taken.

    Raises
    ------
    CheckFailed
        If a derivative is not 0 at the solution, or if a symbol is not in the objective
        (SymPy then returns 0, whatever the solution).
    CheckTooWeak
        If the solution is empty, or a wrong version of it passes too. A version that the
        symbol's assumptions rule out (a negative σ) is no version.
    """
    _require_label(label)
    if not solution:
        raise CheckTooWeak(f"{label}: the solution is empty, so no derivative is looked at")
    point = {sp.sympify(s): sp.sympify(value) for s, value in solution.items()}
    other = {sp.sympify(s): sp.sympify(value) for s, value in (given or {}).items()}
    slopes = [sp.diff(objective, symbol) for symbol in point]
    for symbol, slope in zip(point, slopes, strict=True):
        if _is_zero(_simplified(slope)):
            raise CheckFailed(f"{label}: the objective does not depend on {symbol}")

    def vanishes(at: Mapping[Any, Any]) -> bool:
        return all(_is_zero(_simplified(s.subs(other).subs(at))) for s in slopes)

    for symbol, slope in zip(point, slopes, strict=True):
        rest = _simplified(slope.subs(other).subs(point))
        if not _is_zero(rest):
            raise CheckFailed(f"{label}: the derivative in {symbol} is {rest} there, not 0")
    for symbol, value in point.items():
        for name, version in _wrong_expressions(value):
            if symbol.is_positive and version.is_negative:
                continue
            if vanishes({**point, symbol: version}):
                raise CheckTooWeak(f"{label}: with {name} in {symbol} the check passes as well")
    names = ", ".join(str(symbol) for symbol in point)
    _say(label, "symbolic", f"the derivative in {names} is 0 there, for all values", scope)


def negative_definite(label: str, hessian: Any, *, scope: str = "") -> None:
    """A symmetric matrix of SymPy expressions is negative definite, for all values.

    By Sylvester's criterion: the leading principal minors of -H are all positive. SymPy must be
    able to tell from the assumptions on the symbols (``positive=True``).

    Raises
    ------
    CheckFailed
        If a minor is not positive, or its sign cannot be told from the assumptions.
    CheckTooWeak
        If -H passes too (it cannot, unless SymPy errs).
    """
    _require_label(label)
    H = sp.Matrix(hessian)
    if H.shape[0] != H.shape[1] or not _is_zero(_simplified(H - H.T)):
        raise CheckFailed(f"{label}: the matrix is not symmetric")
    minors = _minors(-H)
    for k, minor in enumerate(minors, start=1):
        if not minor.is_positive:
            raise CheckFailed(f"{label}: minor {k} of -H is {minor}, not known to be positive")
    if all(minor.is_positive for minor in _minors(H)):
        raise CheckTooWeak(f"{label}: with the sign flipped the check passes as well")
    _say(label, "symbolic", f"all {len(minors)} leading minors of -H are positive", scope)


def numerical(
    label: str,
    value: Any,
    expected: Any,
    *,
    rtol: float = 1e-12,
    atol: float = 0.0,
    scope: str = "",
) -> None:
    """Two independent roads lead to the same numbers.

    Parameters
    ----------
    label : str
        The equation's label, ``eq-…``.
    value, expected : arrays of the same shape
        Finite numbers, from two different computations.
    rtol, atol : float
        They agree where |value - expected| ≤ atol + rtol · |expected|.

    Raises
    ------
    CheckFailed
        If shapes differ, there is nothing to compare, an entry is not finite, or an entry is off.
    CheckTooWeak
        If ``expected`` is ``value`` itself or a copy of it, or if the tolerance would let a wrong
        version of it pass: the three above, or a twentieth too much or too little.
    """
    _require_label(label)
    if value is expected:
        raise CheckTooWeak(f"{label}: a value is compared with itself")
    a, b = _finite(label, value, "value"), _finite(label, expected, "expected")
    if a.shape != b.shape or a.size == 0:
        raise CheckFailed(f"{label}: the sides have shapes {a.shape} and {b.shape}")
    if not _close(a, b, rtol, atol):
        gap = np.abs(a - b)
        at = np.unravel_index(np.argmax(gap), gap.shape)
        raise CheckFailed(
            f"{label}: off by {gap[at]:.3g} at index {tuple(map(int, at))}: "
            f"{a[at]:.17g} and {b[at]:.17g}"
        )
    _require_sharp(label, a, b, rtol, atol)
    if (a == b).all() and _long(b) >= COPIES:
        raise CheckTooWeak(
            f"{label}: all {a.size} values are equal to the last bit, so one side is a copy of the "
            f"other. Compute it in another way."
        )
    tolerance = _tolerance(rtol) if atol == 0 else f"{_tolerance(rtol)} or {atol:.0e} absolute"
    _say(label, "numerical", f"{_agree(a.size, 'value')} to {tolerance}", scope)


def gradient(
    label: str,
    function: Callable[[FloatArray], float],
    point: Any,
    expected: Any,
    *,
    rtol: float = 1e-6,
    step: float = 1e-5,
    scope: str = "",
) -> None:
    """A gradient against central differences of the function itself.

    Parameters
    ----------
    label : str
        The equation's label, ``eq-…``.
    function : array of the shape of ``point`` -> number
    point, expected : arrays of the same shape
        Where, and the gradient there as the book has it.
    rtol : float
        Relative to the largest entry of ``expected``.
    step : float
        Of the differences, relative to 1 + |point|.

    Raises
    ------
    CheckFailed
        If shapes differ, there is nothing to compare, an entry is not finite, or an entry is off.
    CheckTooWeak
        If a wrong version of ``expected`` passes too, as it does when the gradient is 0.
    """
    _require_label(label)
    x, g = _finite(label, point, "point"), _finite(label, expected, "expected")
    if x.shape != g.shape or x.size == 0:
        raise CheckFailed(f"{label}: point and gradient have shapes {x.shape} and {g.shape}")
    slope = np.empty_like(x)
    for index in np.ndindex(x.shape):
        h = np.zeros_like(x)
        h[index] = step * (1 + abs(x[index]))
        slope[index] = (function(x + h) - function(x - h)) / (2 * h[index])
    size = float(np.abs(g).max())
    if not _close(slope, g, 0.0, rtol * size):
        worst = float(np.abs(slope - g).max())
        raise CheckFailed(f"{label}: central differences are off by {worst:.3g}")
    _require_sharp(label, slope, g, 0.0, rtol * size)
    _say(
        label,
        "numerical",
        f"{_agree(x.size, 'slope')} with central differences to {_tolerance(rtol)}",
        scope,
    )


def never_decreases(label: str, values: Any, *, rounding: float = 1e-12, scope: str = "") -> None:
    """A sequence that must climb: no step falls by more than rounding, and some step rises.

    Parameters
    ----------
    label : str
        The equation's label, ``eq-…``.
    values : (T,) with T ≥ 2
    rounding : float
        The fall that counts as rounding, relative to the largest |value|: at most 1e-9.

    Raises
    ------
    CheckFailed
        If a step falls by more, an entry is not finite, or there are fewer than two values.
    CheckTooWeak
        If the sequence also passes backwards, as a constant one does, or ``rounding`` is more.
    """
    _require_label(label)
    v = _finite(label, values, "values")
    if v.ndim != 1 or len(v) < 2:
        raise CheckFailed(f"{label}: a climb needs at least two values, not shape {v.shape}")
    slack = rounding * float(np.abs(v).max())
    steps = np.diff(v)
    if (steps < -slack).any():
        t = int(np.argmin(steps))
        raise CheckFailed(f"{label}: step {t + 1} falls by {-steps[t]:.3g}, to {v[t + 1]:.12g}")
    if (-steps[::-1] >= -slack).all():
        raise CheckTooWeak(f"{label}: with the sequence backwards the check passes as well")
    if rounding > ROUNDING:
        raise CheckTooWeak(
            f"{label}: rounding is {rounding:g}, and a fall of that size is none. Allow at most "
            f"{ROUNDING:g}."
        )
    _say(label, "numerical", f"{counted(len(steps), 'step', 'steps')}, none falls", scope)


def printed(label: str, values: Any, as_printed: str | Sequence[str], *, scope: str = "") -> None:
    """Numbers agree with a source to every digit that it prints.

    Parameters
    ----------
    label : str
        The equation's label, ``eq-…``.
    values : numbers, or SymPy numbers for more than 15 digits
        As they were computed. One that is a short decimal by nature, as 2.4 = 12/5, is passed as
        a SymPy fraction.
    as_printed : decimal strings, one for each value
        Each value must lie within half a unit of the last digit printed.

    Raises
    ------
    CheckFailed
        If a value is farther away, or the numbers of values differ.
    CheckTooWeak
        If a printed number has fewer than two significant digits, or if a value is the printed
        number itself, read back: what is computed has further digits.
    ValueError
        If a printed number is not a decimal string.
    """
    _require_label(label)
    texts = [as_printed] if isinstance(as_printed, str) else list(as_printed)
    numbers = list(values) if isinstance(values, Iterable) else [values]
    if len(numbers) != len(texts) or not texts:
        raise CheckFailed(f"{label}: {len(numbers)} values, but {len(texts)} printed numbers")
    digits = []
    for number, text in zip(numbers, texts, strict=True):
        decimal = _decimal(text)
        exponent = int(decimal.as_tuple().exponent)
        digits.append(len(decimal.as_tuple().digits))
        if digits[-1] < 2:
            raise CheckTooWeak(f"{label}: {text} has one digit; wrong values would pass too")
        exact = sp.sympify(number)
        if exact.is_Float and exact.is_finite:
            exact = sp.Rational(exact)  # else SymPy would subtract in the float's 15 digits
        gap = sp.N(abs(exact - sp.Rational(text)), 40)
        if not (gap.is_Number and gap.is_finite and gap <= sp.Rational(10) ** exponent / 2):
            raise CheckFailed(f"{label}: printed {text}, computed {sp.N(exact, digits[-1] + 3)}")
        if digits[-1] <= KEPT and _is_read_back(number, decimal):
            raise CheckTooWeak(
                f"{label}: the value {text} ends where the printed number ends, as if it were read "
                f"from it. Compute it, or pass a fraction (sympy.Rational) if it is exactly that."
            )
    few, many = min(digits), max(digits)
    span = str(few) if few == many else f"{few} to {many}"
    _say(label, "printed", f"{_agree(len(texts), 'number')} to all {span} digits shown", scope)


def _decimal(text: str) -> Decimal:
    try:
        decimal = Decimal(text) if isinstance(text, str) else Decimal("nan")
    except InvalidOperation:
        decimal = Decimal("nan")
    if not decimal.is_finite():
        raise ValueError(f"as_printed has {text!r}. Pass decimal strings such as '0.398'.")
    return decimal


def _finite(label: str, values: Any, name: str) -> FloatArray:
    try:
        return as_floats(values, name)
    except (TypeError, ValueError) as error:
        raise CheckFailed(f"{label}: {error}") from None


def _say(label: str, kind: str, how: str, scope: str) -> None:
    is_one_line = isinstance(scope, str) and len(scope.splitlines()) < 2
    if not is_one_line or scope != scope.strip() or " · " in scope or MARK in scope:
        raise ValueError(
            f"scope is {scope!r}. Say in one line, without ' · ' and {MARK}, for what the check "
            f"stands, such as 'for K = 3'."
        )
    shown = f" · {scope}" if scope else ""
    line = f"{MARK} {label} · {kind} · {how}{shown}"
    said.append(line)
    print(line)


def _tolerance(rtol: float) -> str:
    return f"{100 * rtol:.2g} %" if rtol >= LOOSE else f"{rtol:.0e}"


def _long(values: FloatArray) -> int:
    """How many have more than 26 binary digits, as results of computations have."""
    scaled = np.frexp(values)[0] * 2**26
    return int((scaled != np.round(scaled)).sum())


def _is_read_back(number: Any, decimal: Decimal) -> bool:
    """Does an inexact number end where the decimal ends? Halves, quarters, eighths may."""
    if isinstance(number, float | np.floating):
        number = Decimal(repr(float(number)))
    elif isinstance(number, sp.Float):
        number = Decimal(str(number))
    is_binary = decimal == Decimal(float(decimal))
    return isinstance(number, Decimal) and number == decimal and not is_binary


def _agree(size: int, noun: str) -> str:
    return f"1 {noun} agrees" if size == 1 else f"{size} {noun}s agree"


def _require_label(label: str) -> None:
    if not isinstance(label, str) or not LABEL.fullmatch(label):
        raise ValueError(
            f"label is {label!r}. Name a displayed equation: eq- and then lower-case words, digits "
            f"and hyphens."
        )


def _shape(side: Any) -> tuple[Any, ...]:
    # x_i of SymPy has a shape, and none that it will tell
    return () if isinstance(side, sp.Indexed) else getattr(side, "shape", ())


def _simplified(expression: Any) -> Any:
    if isinstance(expression, sp.MatrixBase):
        return expression.applyfunc(_simplified)
    expression = sp.sympify(expression)
    for way in (sp.expand, sp.together, sp.simplify, lambda e: sp.simplify(sp.expand_log(e))):
        expression = way(expression)
        if expression == 0:
            break
    return expression


def _is_zero(expression: Any) -> bool:
    if isinstance(expression, sp.MatrixBase):
        return all(entry == 0 for entry in expression)
    return bool(expression == 0)


def _minors(H: Any) -> list[Any]:
    return [sp.factor(sp.simplify(H[:k, :k].det())) for k in range(1, H.shape[0] + 1)]


def _wrong_expressions(right: Any) -> list[tuple[str, Any]]:
    """Wrong versions of an expression: sign flipped, factor lost, a square lost."""
    versions = [("the sign flipped", -right), ("a factor 2 lost", right / 2)]
    for symbol in sorted(right.free_symbols, key=str):
        rooted = right.replace(
            lambda e, s=symbol: e.is_Pow and e.base == s and e.exp.is_number and e.exp % 2 == 0,
            lambda e: e.base ** (e.exp / 2),
        )
        if rooted != right:
            versions.append((f"{symbol} where {symbol}² belongs", rooted))
    return versions


def _close(a: FloatArray, b: FloatArray, rtol: float, atol: float) -> bool:
    return bool((np.abs(a - b) <= atol + rtol * np.abs(b)).all())


def _require_sharp(label: str, a: FloatArray, b: FloatArray, rtol: float, atol: float) -> None:
    versions = [("the sign flipped", -b), ("a factor 2 lost", b / 2)]
    if (b > 0).all() and not np.allclose(b, 1):
        versions.append(("square roots taken (σ where σ² belongs)", np.sqrt(b)))
    versions += [("a twentieth added", 1.05 * b), ("a twentieth taken off", 0.95 * b)]
    for name, version in versions:
        if _close(a, version, rtol, atol):
            raise CheckTooWeak(f"{label}: with {name} the check passes as well")
