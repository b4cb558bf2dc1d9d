"""An exercise has a hint, and a solution that uses its numbers."""

import re
from collections.abc import Mapping

import markup
from book import SOLUTIONS, Book, Page
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


TARGET = re.compile(r"\{(?:num)?ref\}`[^`]*`")  # ex-06-2 is no number

# How the title of an exercise begins, behind its stars: one of each in every chapter.
KINDS = ("Find the bug", "Write it", "Prove it", "New data")
UNPUBLISHED = 2  # exercises of a chapter, at least, whose solution only teachers have


def solved(page: Page) -> list[str]:
    """Every published exercise has a solution that says something, and every solution has one."""
    found = solutions(page)
    labels = [exercise.label for exercise in page.exercises if exercise.is_published]
    wrong = [f"{label} has no solution" for label in labels if label not in found]
    wrong += [f"{label} has an empty solution" for label, text in found.items() if not text.strip()]
    return wrong + [
        f"a solution is for {x!r}, no published exercise here" for x in found if x not in labels
    ]


def hinted(page: Page) -> list[str]:
    """Every exercise has a hint, which stands behind it and before its solution."""
    steps = [
        (d.name, d.options.get("label") or d.argument)
        for text in page.texts
        for d in markup.directives(text)
        if d.name in ("exercise", "hint", "solution", "solution-start")
    ]
    wrong = []
    for (name, label), after in zip(steps, [*steps[1:], ("", "")], strict=True):
        if name == "exercise" and after[0] != "hint":
            wrong.append(f"{label} is not followed by a hint; write one, with :class: dropdown")
        if name == "hint" and after[0] == "hint":
            wrong.append("two hints follow one another; write one for each exercise")
    return wrong


def exercise_kinds(book: Book) -> list[str]:
    """Every chapter has an exercise of each kind, and two without a published solution."""
    wrong = []
    for page in book.chapters:
        titles = [exercise.title.lstrip("★ ") for exercise in page.exercises]
        missing = [kind for kind in KINDS if not any(title.startswith(kind) for title in titles)]
        wrong += [f"{page.path} has no exercise whose title begins with {k!r}" for k in missing]
        count = sum(not exercise.is_published for exercise in page.exercises)
        if count < UNPUBLISHED:
            wrong.append(
                f"{page.path} has {count} exercises with :class: unpublished; "
                f"{UNPUBLISHED} are wanted"
            )
    return wrong


def unpublished(book: Book) -> list[str]:
    """Every unpublished exercise is solved for teachers, and its solution uses its numbers."""
    wrong = []
    for page in book.chapters:
        exercises = [exercise for exercise in page.exercises if not exercise.is_published]
        kept = book.unpublished(page)
        found = solutions(kept) if kept else {}
        labels = {exercise.label for exercise in exercises}
        where = SOLUTIONS / f"{page.number}.ipynb"
        wrong += [
            f"{label} has no solution in {where}"
            for label in sorted(labels)
            if not found.get(label, "").strip()
        ]
        wrong += [
            f"{where} solves {label!r}, no unpublished exercise of {page.path}"
            for label in found
            if label not in labels
        ]
        for exercise in exercises:
            if exercise.label in found:
                wrong += _unused(exercise, found[exercise.label], UNUSED)
    return wrong


def exercise_numbers(page: Page) -> list[str]:
    """The solution of an exercise uses its numbers."""
    return unused_numbers(page, UNUSED)


def unused_numbers(page: Page, allowed: Mapping[str, Mapping[str, str]]) -> list[str]:
    """``allowed``: exercise -> {number: why it is not used}. What is used is not listed."""
    found = solutions(page)
    return [
        line
        for exercise in page.exercises
        if exercise.is_published
        for line in _unused(exercise, found.get(exercise.label, ""), allowed)
    ]


def _unused(
    exercise: markup.Exercise, solution: str, allowed: Mapping[str, Mapping[str, str]]
) -> list[str]:
    used = {abs(n.value) for n in (*in_code(solution), *numbers(solution))}
    unused = {str(n) for n in numbers(exercise.text) if abs(n.value) not in used}
    listed = set(allowed.get(exercise.label, ()))
    wrong = [
        f"the solution of {exercise.label} does not use {number}. Is it still the solution? "
        f"Use it, or say in UNUSED why not"
        for number in sorted(unused - listed)
    ]
    return wrong + [f"UNUSED: {exercise.label} needs no {n}" for n in sorted(listed - unused)]


def numbers(markdown: str) -> list[Number]:
    markdown = TARGET.sub(" ", markdown)
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


RULES = (solved, hinted, exercise_numbers)
OF_THE_BOOK = (exercise_kinds, unpublished)
