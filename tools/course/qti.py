"""The questions as QTI 1.2, which Canvas imports: a zip with a practice quiz for each chapter.

Of each kind of task a quiz picks one variant at random, so that neighbours have other numbers. The
same questions give the same bytes: names come from labels and seeds, and no date is written.
"""

import io
import zipfile
from collections.abc import Iterable, Sequence
from decimal import Decimal
from xml.etree import ElementTree as ET

from course.in_html import blocks, inline
from course.questions import Question
from course.quizzes import BOOK, Group, Quiz
from course.tasks import Task

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
CANVAS = "http://canvas.instructure.com/xsd/cccv1p0"
LETTERS = "abcdefgh"
POINTS = "1.0"
ANSWER = "response1"
START = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold


def package(quizzes: Sequence[Quiz]) -> bytes:
    """The zip to import. Raises ``ValueError`` if there is no quiz."""
    if not quizzes:
        raise ValueError("there is no quiz to export; give the questions of one chapter at least")
    files = {"imsmanifest.xml": manifest(quizzes)}
    for quiz in quizzes:
        name = ident(quiz)
        files[f"{name}/{name}.xml"] = assessment(quiz)
        files[f"{name}/assessment_meta.xml"] = settings(quiz)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, root in files.items():
            entry = zipfile.ZipInfo(path, START)
            entry.create_system = 3  # the same on every system
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, written(root))
    return held.getvalue()


def ident(quiz: Quiz) -> str:
    return f"gmm-{quiz.chapter.lower()}"


def written(root: ET.Element) -> bytes:
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def add(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


# --- what is in the package ----------------------------------------------------------------------


def manifest(quizzes: Iterable[Quiz]) -> ET.Element:
    root = ET.Element("manifest", {"xmlns": PACKAGE, "identifier": "gmm-questions"})
    metadata = add(root, "metadata")
    add(metadata, "schema", "IMS Content")
    add(metadata, "schemaversion", "1.1.3")
    add(root, "organizations")
    resources = add(root, "resources")
    for quiz in quizzes:
        name = ident(quiz)
        resource = add(resources, "resource", identifier=name, type="imsqti_xmlv1p2")
        add(resource, "file", href=f"{name}/{name}.xml")
        add(resource, "dependency", identifierref=f"{name}-settings")
        path = f"{name}/assessment_meta.xml"
        kind = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
        beside = add(resources, "resource", identifier=f"{name}-settings", type=kind, href=path)
        add(beside, "file", href=path)
    return root


def settings(quiz: Quiz) -> ET.Element:
    """What Canvas wants to know beside the questions."""
    root = ET.Element("quiz", {"xmlns": CANVAS, "identifier": ident(quiz)})
    add(root, "title", title(quiz))
    add(root, "description", f"<p>Questions on a chapter of <em>{BOOK}</em>.</p>")
    add(root, "shuffle_answers", "true")
    add(root, "scoring_policy", "keep_highest")
    add(root, "quiz_type", "practice_quiz")
    add(root, "points_possible", f"{len(quiz.questions) + len(quiz.groups):.1f}")
    add(root, "show_correct_answers", "true")
    add(root, "allowed_attempts", "-1")
    return root


def title(quiz: Quiz) -> str:
    return f"{BOOK}: {quiz.title}"


# --- the questions -------------------------------------------------------------------------------


def assessment(quiz: Quiz) -> ET.Element:
    root = ET.Element("questestinterop", {"xmlns": QTI})
    whole = add(root, "assessment", ident=ident(quiz), title=title(quiz))
    _fields(add(whole, "qtimetadata"), {"cc_maxattempts": "unlimited"})
    section = add(whole, "section", ident="root_section")
    for question in quiz.questions:
        _choices(section, question)
    for group in quiz.groups:
        _group(section, group)
    return root


def _fields(metadata: ET.Element, fields: dict[str, str]) -> None:
    for label, entry in fields.items():
        field = add(metadata, "qtimetadatafield")
        add(field, "fieldlabel", label)
        add(field, "fieldentry", entry)


def _item(parent: ET.Element, name: str, shown: str, kind: str, text: str) -> ET.Element:
    item = add(parent, "item", ident=name, title=shown)
    metadata = add(add(item, "itemmetadata"), "qtimetadata")
    _fields(metadata, {"question_type": kind, "points_possible": POINTS})
    _material(add(item, "presentation"), blocks(text))
    return item


def _material(parent: ET.Element, html: str) -> None:
    add(add(parent, "material"), "mattext", html, texttype="text/html")


def _processing(item: ET.Element) -> ET.Element:
    processing = add(item, "resprocessing")
    variable = {"varname": "SCORE", "vartype": "Decimal", "minvalue": "0", "maxvalue": "100"}
    add(add(processing, "outcomes"), "decvar", **variable)
    return processing


def _condition(processing: ET.Element, go_on: bool) -> tuple[ET.Element, ET.Element]:
    condition = ET.SubElement(processing, "respcondition", {"continue": "Yes" if go_on else "No"})
    return condition, add(condition, "conditionvar")


def _says(condition: ET.Element, name: str) -> None:
    add(condition, "displayfeedback", feedbacktype="Response", linkrefid=name)


def _is_right(condition: ET.Element) -> None:
    add(condition, "setvar", "100", action="Set", varname="SCORE")


def _feedback(item: ET.Element, name: str, text: str) -> None:
    _material(add(add(item, "itemfeedback", ident=name), "flow_mat"), blocks(text))


def _choices(section: ET.Element, question: Question) -> None:
    item = _item(section, question.label, question.label, "multiple_choice_question", question.text)
    presentation = item[-1]
    asked = add(presentation, "response_lid", ident=ANSWER, rcardinality="Single")
    offered = add(asked, "render_choice", shuffle="Yes")
    names = [f"{question.label}-{letter}" for letter in LETTERS[: len(question.choices)]]
    chosen = list(zip(names, question.choices, strict=True))
    for name, choice in chosen:
        _material(add(offered, "response_label", ident=name), inline(choice.text))
    processing = _processing(item)
    for name, _ in chosen:
        condition, test = _condition(processing, go_on=True)
        add(test, "varequal", name, respident=ANSWER)
        _says(condition, f"{name}_fb")
    condition, test = _condition(processing, go_on=False)
    right = next(name for name, choice in chosen if choice.is_right)
    add(test, "varequal", right, respident=ANSWER)
    _is_right(condition)
    for name, choice in chosen:
        _feedback(item, f"{name}_fb", choice.why)


def _group(section: ET.Element, group: Group) -> None:
    own = add(section, "section", ident=group.label, title=group.title)
    selection = add(add(own, "selection_ordering"), "selection")
    add(selection, "selection_number", "1")
    add(add(selection, "selection_extension"), "points_per_item", POINTS)
    for task in group.tasks:
        _number(own, task)


def _number(section: ET.Element, task: Task) -> None:
    name = f"{task.label}-s{task.seed}"
    item = _item(section, name, f"{task.title} ({name})", "numerical_question", task.text)
    presentation = item[-1]
    asked = add(presentation, "response_str", ident=ANSWER, rcardinality="Single")
    add(add(asked, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
    processing = _processing(item)
    condition, test = _condition(processing, go_on=True)
    add(test, "other")
    _says(condition, "general_fb")
    condition, test = _condition(processing, go_on=False)
    low, high = task.accepted
    add(test, "vargte", number(low), respident=ANSWER)
    add(test, "varlte", number(high), respident=ANSWER)
    _is_right(condition)
    _feedback(item, "general_fb", task.why)


def number(x: Decimal) -> str:
    """Never as ``1E-7``: not every importer reads that."""
    return format(x, "f")
