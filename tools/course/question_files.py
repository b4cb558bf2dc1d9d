"""The questions of the whole book as files for learning-management systems."""

from book import Book
from course import moodle, qti, questions
from course.numerical import KINDS, variants
from course.quizzes import by_chapter, titles

QTI = "questions-qti.zip"
MOODLE = "questions-moodle.xml"


def question_files(kit: Book) -> dict[str, bytes]:
    """Name of the file -> its content. The same book gives the same bytes."""
    tasks = [task for kind in KINDS for task in variants(kind)]
    quizzes = by_chapter(questions.bank(kit), tasks, titles(kit))
    return {QTI: qti.package(quizzes), MOODLE: moodle.question_bank(quizzes)}
