"""What was declared beside a display, in words: conditions, and the letters that are its own.

Formulas stand between dollar signs.
"""

import re
from collections.abc import Iterator
from typing import Any

from formulas.letters import Letter
from formulas.run import Displays

_LONG = 80  # letters of LaTeX: a formula that may not fit a phone


def beside(displays: Displays, label: str, used: set[str]) -> list[str]:
    """Each thing that a reader does not see in the display itself."""
    options = displays.worlds.get(label, {})
    found = [f"${text}$" for text in options.get("require", ())]
    for text in displays.given.get(label, ()):
        found.append(f"as in {text}" if text in displays.shown else f"${text}$")
    for place, value in options.get("every second", {}).items():
        found.append(f"in every second world ${place}={value}$")
    rows: dict[str, list[str]] = {}
    for letter in _special(displays, label, used):
        rows.setdefault(_said(letter), []).append(letter.symbol)
    found += (f"${', '.join(symbols)}$: {said}" for said, symbols in rows.items())
    return list(dict.fromkeys(found))


def _special(displays: Displays, label: str, used: set[str]) -> Iterator[Letter]:
    """The letters that mean something in this display alone, and those that are solutions.

    One that a definition or another display defines is no news: it is said where it is defined.
    """
    seen = set()
    definitions = {name for name in displays.shown if name.startswith("def-")}
    for letters in displays.letters(displays.shown[label]).by_base.values():
        for letter in letters:
            by = letter.spec.get("defined")
            is_own = label in letter.where and by in (None, label) and by not in definitions
            is_narrow = letter.where and letter.symbol in used and _is_narrow(letter.spec)
            if letter.symbol not in seen and (is_own or is_narrow):
                yield letter
            seen.add(letter.symbol)


def _is_narrow(spec: dict[str, Any]) -> bool:
    return "special" in spec or len(str(spec.get("draw", "")).split()) > 2


def _said(letter: Letter) -> str:
    means, how = str(letter.spec["means"]), _how(letter.spec)
    return f"{means} ({how})" if how and how not in means else means


def _in_pieces(latex: str) -> str:
    """A formula as one; a long one as several, each from a sign on, so that lines may break."""
    if len(latex) < _LONG:
        return f"${latex}$"
    depth, pieces, rest = 0, [], ""
    for token in re.findall(r"\\[a-zA-Z]+|.", latex):
        depth += (token in "{(") - (token in "})")
        if token in "+-" and depth == 0 and rest:
            pieces.append(rest)
            rest = ""
        rest += token
    return " ".join(f"${piece}$" for piece in (*pieces, rest))


def _how(spec: dict[str, Any]) -> str:
    """What the letter is, where that is more than its meaning says."""
    if "maximises" in spec:
        subject = f", with ${spec['subject']}$" if "subject" in spec else ""
        return f"maximises {_in_pieces(str(spec['maximises']))}{subject}"
    if "stationary" in spec:
        return f"makes ${spec['stationary']}$ stationary"
    if "root" in spec:
        return f"a root of ${spec['root']}$"
    if "value" in spec:
        return f"${spec['value']}$"
    kind, *ends = str(spec.get("draw", "")).split()[:3] or [""]
    if kind in ("real", "positive") and len(ends) == 2:
        return f"from {ends[0]} to {ends[1]}".replace("-", "−")
    return ""
