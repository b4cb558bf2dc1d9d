"""All rules for chapters and for the book, by name."""

from collections.abc import Callable

from book import Book, Page
from rules import (
    checking,
    displays,
    exercises,
    figures,
    form,
    labels,
    names,
    outputs,
    pointing,
    prose,
)

OF_A_CHAPTER: dict[str, Callable[[Page], list[str]]] = {
    rule.__name__: rule
    for family in (form, outputs, figures, checking, exercises)
    for rule in family.RULES
}
OF_THE_BOOK: dict[str, Callable[[Book], list[str]]] = {
    rule.__name__: rule
    for rule in (
        prose.printed_numbers,
        prose.figure_numbers,
        figures.figure_names,
        labels.labels_once,
        labels.labels_of_the_library,
        displays.declared_displays,
        *exercises.OF_THE_BOOK,
        *pointing.RULES,
        *names.RULES,
    )
}
