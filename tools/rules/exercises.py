"""An exercise has a solution, which uses its numbers."""

from collections.abc import Mapping

import markup
from book import Page
from rules.numbers import Number, in_code, in_prose, whole_in_prose

# exercise -> {number: why its solution does not use it}
UNUSED = {
    "ex-01-6": {
        "50200": "two sizes of samples, 50 and 200",
        "5": "the gap of five halves, of which the solution takes one half",
    },
    "ex-02-7": {
        "272": "how many waits there are",
        "50": "one of the waits below 68, which the solution speaks of together",
    },
    "ex-07-2": {"0.9": "is in the data's first three", "0.7": "is in the data's first three"},
    "ex-07-3": {"5": "cancels from four fifths over one fifth"},
}


def solved(page: Page) -> list[str]:
    """Every exercise has a solution that says something, and every solution an exercise."""
    found = solutions(page)
    labels = [exercise.label for exercise in page.exercises]
    wrong = [f"{label} has no solution" for label in labels if label not in found]
    wrong += [f"{label} has an empty solution" for label, text in found.items() if not text.strip()]
    return wrong + [f"a solution is for {x!r}, no exercise here" for x in found if x not in labels]


def exercise_numbers(page: Page) -> list[str]:
    """The solution of an exercise uses its numbers."""
    return unused_numbers(page, UNUSED)


def unused_numbers(page: Page, allowed: Mapping[str, Mapping[str, str]]) -> list[str]:
    """``allowed``: exercise -> {number: why it is not used}. What is used is not listed."""
    found, wrong = solutions(page), []
    for exercise in page.exercises:
        solution = found.get(exercise.label, "")
        used = {abs(n.value) for n in (*in_code(solution), *numbers(solution))}
        unused = {str(n) for n in numbers(exercise.text) if abs(n.value) not in used}
        listed = set(allowed.get(exercise.label, ()))
        wrong += [
            f"the solution of {exercise.label} does not use {number}. Is it still the solution? "
            f"Use it, or say in UNUSED why not"
            for number in sorted(unused - listed)
        ]
        wrong += [f"UNUSED: {exercise.label} needs no {n}" for n in sorted(listed - unused)]
    return wrong


def numbers(markdown: str) -> list[Number]:
    return [*in_prose(markdown), *whole_in_prose(markdown, words=False)]


def solutions(page: Page) -> dict[str, str]:
    """exercise -> the text, code and outputs of its solution."""
    found: dict[str, list[str]] = {}
    current = None
    for cell in page.cells:
        if cell.is_code:
            parts = [cell.source, *cell.texts, *(["a picture"] if cell.pictures else [])]
            if current is not None:
                found[current] += parts
            continue
        for directive in markup.directives(cell.source):
            if directive.name == "solution":
                found.setdefault(directive.argument, []).append(directive.body)
            elif directive.name == "solution-start":
                current = directive.argument
                found.setdefault(current, [])
            elif directive.name == "solution-end":
                current = None
        if current is not None:
            found[current].append(markup.without_code(cell.source).replace(current, ""))
    return {label: "\n\n".join(parts) for label, parts in found.items()}


RULES = (solved, exercise_numbers)
