"""Arithmetic that stands in LaTeX, done anew: is what stands left of ``=`` what stands right of it?

For numbers alone, as in the explanations of tasks. What has a letter in it is left out.
"""

import math
import re
from collections.abc import Iterator

NAMES = {"sqrt": math.sqrt, "log": math.log, "exp": math.exp, "pi": math.pi}
SIDES = re.compile(r"(=|\\approx)")
EXACT, ROUNDED = 1e-9, 2e-4  # relative
SMALL = 2e-5  # absolute, of numbers that were rounded on the way


def differences(latex: str) -> Iterator[str]:
    """Each pair of neighbouring sides that have no letters and different values."""
    sides = SIDES.split(latex)
    for left, sign, right in zip(sides[::2], sides[1::2], sides[2::2], strict=False):
        a, b = value(left), value(right)
        if a is None or b is None:
            continue
        if sign == "=":
            same = math.isclose(a, b, rel_tol=EXACT, abs_tol=EXACT)
        else:
            same = math.isclose(a, b, rel_tol=ROUNDED, abs_tol=SMALL)
        if not same:
            yield f"{left} {sign} {right}: {a} and {b}"


def value(latex: str) -> float | None:
    """The number that an expression stands for; None if there is a letter in it."""
    text = re.sub(r"\\[bB]ig[lr]|\\[,! ]", "", latex)
    text = _arguments(text, r"\frac", 2, "(({})/({}))")
    text = _arguments(text, r"\sqrt", 1, "sqrt({})")
    text = _arguments(text, "e^", 1, "exp({})")
    text = text.replace(r"\cdot", "*").replace("^", "**").replace("{", "(").replace("}", ")")
    text = re.sub(r"\\log\s*([\d.]+)", r"log(\1)", text)
    text = re.sub(r"\\log(?=\()", "log", text)
    text = re.sub(r"\\(exp|pi)", r"\1", text)
    text = re.sub(r"(?<=[\d)])(?=[a-z(])", "*", text)
    text = re.sub(r"\b(sqrt|log|exp)\*(?=\()", r"\1", text)
    words = set(re.findall(r"[A-Za-z]+", text))
    if not re.search(r"\d", text) or "\\" in text or words - set(NAMES):
        return None
    try:
        return float(eval(text, {"__builtins__": {}}, NAMES))
    except (SyntaxError, TypeError):
        return None  # (0.6, 0.8), or a part of a formula


def _arguments(text: str, command: str, n: int, form: str) -> str:
    """Replaces ``\\frac{a}b`` and the like, the innermost last."""
    while (at := text.rfind(command)) >= 0:
        end, arguments = at + len(command), []
        for _ in range(n):
            if end >= len(text):
                return text[:at] + "?" + text[end:].replace(command, "?")
            stop = _closing(text, end) if text[end] == "{" else end + 1
            arguments.append(text[end + 1 : stop - 1] if text[end] == "{" else text[end])
            end = stop
        text = text[:at] + form.format(*arguments) + text[end:]
    return text


def _closing(text: str, start: int) -> int:
    depth = 0
    for k in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[k], 0)
        if depth == 0:
            return k + 1
    return len(text)
