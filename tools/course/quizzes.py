"""The questions of a chapter together: those with choices, and the tasks in their variants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from book import Book
from course.questions import Question
from course.tasks import Task

BOOK = "Gaussian Mixtures, Executed"


@dataclass(frozen=True)
class Group:
    """One kind of task: the same question with the numbers of several seeds."""

    label: str
    title: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class Quiz:
    """A chapter's questions."""

    chapter: str  # ``06``, or ``A``
    title: str  # ``6 The M-step``
    questions: tuple[Question, ...]
    groups: tuple[Group, ...]


def titles(book: Book) -> dict[str, str]:
    """Chapter -> its title, with the number."""
    return {page.number: page.title for page in book.chapters}


def by_chapter(
    questions: Iterable[Question], tasks: Iterable[Task], titles: Mapping[str, str]
) -> list[Quiz]:
    """A quiz for each chapter that has questions, in the order of ``titles``.

    Raises ``ValueError`` for a question whose chapter has no title, and for a task given twice.
    """
    asked, given = list(questions), list(tasks)
    unknown = sorted({one.chapter for one in (*asked, *given)} - set(titles))
    if unknown:
        raise ValueError(
            f"there are questions on chapter {unknown[0]}, but its title is not given. "
            f"Chapters: {', '.join(titles)}"
        )
    quizzes = []
    for chapter, title in titles.items():
        own = tuple(question for question in asked if question.chapter == chapter)
        groups = tuple(_groups(task for task in given if task.chapter == chapter))
        if own or groups:
            quizzes.append(Quiz(chapter, title, own, groups))
    return quizzes


def _groups(tasks: Iterable[Task]) -> list[Group]:
    found: dict[str, list[Task]] = {}
    for task in tasks:
        group = found.setdefault(task.label, [])
        if task.seed in (other.seed for other in group):
            raise ValueError(
                f"{task.label} with the seed {task.seed} is given twice; leave one out"
            )
        group.append(task)
    return [Group(label, of[0].title or label, tuple(of)) for label, of in sorted(found.items())]
