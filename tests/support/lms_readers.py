"""Reads quizzes as a learning-management system does: from the formats, not from what wrote them.

QTI 1.2: the order of the elements from the ASI binding's document type; the meaning of
``respcondition`` and ``continue`` from its information model. Moodle XML: what
``question/format/xml`` of Moodle reads, with its defaults.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from html.parser import HTMLParser
from xml.etree import ElementTree as ET


@dataclass(frozen=True)
class Reply:
    """What a student gets for a response."""

    score: Decimal  # of 1
    said: tuple[str, ...]  # HTML


@dataclass(frozen=True)
class Offered:
    """A choice, and what choosing it brings."""

    html: str
    reply: Reply


@dataclass(frozen=True)
class Choose:
    """A question with choices."""

    name: str
    html: str
    offered: tuple[Offered, ...]
    is_shuffled: bool


@dataclass(frozen=True)
class Number:
    """A question whose answer is a number in a range."""

    name: str
    html: str
    low: Decimal
    high: Decimal
    said: str

    def reply(self, response: str) -> Reply:
        right = self.low <= Decimal(response) <= self.high
        return Reply(Decimal(int(right)), (self.said,))


@dataclass(frozen=True)
class Pool:
    """Questions from which a quiz picks some."""

    title: str
    numbers: tuple[Number, ...]
    picks: int = 1


@dataclass(frozen=True)
class Read:
    """A quiz, or a category with those below it."""

    title: str
    choose: tuple[Choose, ...]
    pools: tuple[Pool, ...]


class NotWellFormed(AssertionError):
    """The file is not what its format asks for."""


def require(right: object, says: str) -> None:
    if not right:
        raise NotWellFormed(says)


# --- HTML back to the Markdown of the bank -------------------------------------------------------

MATH = re.compile(r"\\\((.*?)\\\)|\\\[(.*?)\\\]", re.DOTALL)
MARKS = {"code": "`", "em": "*", "strong": "**"}


class _Back(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        require(tag in (*MARKS, "p"), f"<{tag}> is not expected in a question")
        self.open.append(tag)
        self.out.append(MARKS.get(tag, ""))

    def handle_endtag(self, tag: str) -> None:
        require(self.open and self.open.pop() == tag, f"</{tag}> closes nothing")
        self.out.append(MARKS.get(tag, "\n\n"))

    def handle_data(self, data: str) -> None:
        self.out.append(data)


def markdown(html: str) -> str:
    """The text with its math between dollars again, in one line."""
    parser = _Back()
    parser.feed(html)
    parser.close()
    require(not parser.open, f"{parser.open} is not closed")
    text = "".join(parser.out)
    require(text.count(r"\(") == text.count(r"\)"), f"math is not closed: {text}")
    text = MATH.sub(lambda m: f"${m[1]}$" if m[1] is not None else f"$${m[2]}$$", text)
    return one_line(text)


def one_line(text: str) -> str:
    text = re.sub(r"\$\$\s*(.*?)\s*\$\$", lambda m: f" $${m[1]}$$ ", text, flags=re.DOTALL)
    return " ".join(text.split())


# --- QTI 1.2 -------------------------------------------------------------------------------------

QTI = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
PACKAGE = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"

# The children that an element may have, in their order: the part of the binding that quizzes use.
CHILDREN = {
    "questestinterop": "assessment",
    "assessment": "(qticomment )?(duration )?(qtimetadata )*(selection_ordering )?(section )+",
    "section": "(qticomment )?(duration )?(qtimetadata )*(selection_ordering )?"
    "((itemref|item|sectionref|section) )*",
    "qtimetadata": "(vocabulary )?(qtimetadatafield )+",
    "qtimetadatafield": "fieldlabel fieldentry ",
    "selection_ordering": "(qticomment )?(sequence_parameter )*(selection )*(order )?",
    "selection": "(sourcebank_ref )?(selection_number )?(selection_metadata )?"
    "(selection_extension )?",
    "item": "(qticomment )?(duration )?(itemmetadata )?(presentation )?(resprocessing )*"
    "(itemfeedback )*",
    "itemmetadata": "(qtimetadata )*",
    "presentation": "(material )+(response_lid |response_str )",
    "material": "(mattext )+",
    "response_lid": "(material )?(render_choice )",
    "response_str": "(material )?(render_fib )",
    "render_choice": "(response_label )+",
    "render_fib": "(response_label )*",
    "response_label": "(material )*",
    "resprocessing": "(qticomment )?outcomes (respcondition )+",
    "outcomes": "(decvar )+",
    "respcondition": "(qticomment )?conditionvar (setvar )*(displayfeedback )*",
    "conditionvar": "((and|or|not|other|varequal|vargte|varlte|vargt|varlt) )+",
    "itemfeedback": "((flow_mat|material) )+",
    "flow_mat": "(material )+",
}
NEEDED = {
    "assessment": ["ident"],
    "section": ["ident"],
    "item": ["ident"],
    "response_lid": ["ident"],
    "response_str": ["ident"],
    "response_label": ["ident"],
    "varequal": ["respident"],
    "vargte": ["respident"],
    "varlte": ["respident"],
    "displayfeedback": ["linkrefid"],
    "itemfeedback": ["ident"],
    "decvar": ["varname"],
    "setvar": ["varname"],
}
NAME = re.compile(r"[A-Za-z_][\w.-]*")


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]


def require_order(root: ET.Element) -> None:
    for element in root.iter():
        tag = _bare(element.tag)
        inside = "".join(f"{_bare(child.tag)} " for child in element)
        if tag == "questestinterop":
            inside = inside.strip()
        # points_per_item is Canvas's own, inside of an extension, which may hold anything
        if tag in CHILDREN:
            require(re.fullmatch(CHILDREN[tag], inside), f"<{tag}> may not hold {inside!r}")
        for name in NEEDED.get(tag, []):
            require(element.get(name), f"<{tag}> has no {name}")


def qti(package: bytes) -> list[Read]:
    """Every quiz of a package that its manifest names."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        require(archive.testzip() is None, "the zip is damaged")
        manifest = ET.fromstring(archive.read("imsmanifest.xml"))
        names = set(archive.namelist())
        found, listed = [], {"imsmanifest.xml"}
        identifiers = [r.get("identifier") for r in manifest.iter(f"{PACKAGE}resource")]
        require(len(set(identifiers)) == len(identifiers), "two resources have one identifier")
        for resource in manifest.iter(f"{PACKAGE}resource"):
            files = [file.get("href", "") for file in resource.iter(f"{PACKAGE}file")]
            listed |= set(files)
            require(set(files) <= names, f"{files} are named and not there")
            for needs in resource.iter(f"{PACKAGE}dependency"):
                require(needs.get("identifierref") in identifiers, "a dependency is not there")
            if resource.get("type") == "imsqti_xmlv1p2":
                found.append(_assessment(ET.fromstring(archive.read(files[0]))))
        require(listed == names, f"{names - listed} are there and not named")
    return found


def _assessment(root: ET.Element) -> Read:
    require(root.tag == f"{QTI}questestinterop", f"{root.tag} is no QTI 1.2")
    require_order(root)
    whole = root[0]
    tags = ("assessment", "section", "item")
    idents = [e.get("ident", "") for tag in tags for e in root.iter(f"{QTI}{tag}")]
    require(len(set(idents)) == len(idents), "two elements have one ident")
    require(all(map(NAME.fullmatch, idents)), "an ident is no XML name")
    section = whole.find(f"{QTI}section")
    assert section is not None
    choose = [_choose(item) for item in section.findall(f"{QTI}item")]
    pools = [_pool(inner) for inner in section.findall(f"{QTI}section")]
    return Read(whole.get("title", ""), tuple(choose), tuple(pools))


def _pool(section: ET.Element) -> Pool:
    picks = section.findtext(f"{QTI}selection_ordering/{QTI}selection/{QTI}selection_number")
    require(picks, "a section without a number of items to pick")
    numbers = tuple(_number(item) for item in section.findall(f"{QTI}item"))
    return Pool(section.get("title", ""), numbers, int(picks or 0))


def _fields(item: ET.Element) -> dict[str, str]:
    return {
        field.findtext(f"{QTI}fieldlabel", ""): field.findtext(f"{QTI}fieldentry", "")
        for field in item.iter(f"{QTI}qtimetadatafield")
    }


def _html(parent: ET.Element | None) -> str:
    require(parent is not None, "no material")
    text = parent.find(f".//{QTI}mattext")  # type: ignore[union-attr]
    require(text is not None and text.get("texttype") == "text/html", "the text is no HTML")
    return text.text or ""  # type: ignore[union-attr]


def _kind(item: ET.Element, expected: str) -> None:
    fields = _fields(item)
    require(fields.get("question_type") == expected, f"{fields} is no {expected}")
    require(Decimal(fields.get("points_possible", "0")) > 0, "no points")


def _choose(item: ET.Element) -> Choose:
    _kind(item, "multiple_choice_question")
    asked = item.find(f"{QTI}presentation/{QTI}response_lid")
    require(asked is not None and asked.get("rcardinality") == "Single", "not one choice")
    labels = list(asked.iter(f"{QTI}response_label"))  # type: ignore[union-attr]
    idents = [label.get("ident", "") for label in labels]
    require(len(set(idents)) == len(idents), "two choices have one ident")
    offered = tuple(Offered(_html(x), _reply(item, x.get("ident", ""))) for x in labels)
    render = item.find(f".//{QTI}render_choice")
    shuffled = render is not None and render.get("shuffle") == "Yes"
    text = _html(item.find(f"{QTI}presentation/{QTI}material"))
    return Choose(item.get("ident", ""), text, offered, shuffled)


def _reply(item: ET.Element, response: str) -> Reply:
    """Goes through the conditions in order; one with ``continue="No"`` that holds is the last."""
    score, said = Decimal(0), []
    feedback = {f.get("ident", ""): _html(f) for f in item.findall(f"{QTI}itemfeedback")}
    for condition in item.iter(f"{QTI}respcondition"):
        test = condition.find(f"{QTI}conditionvar")
        assert test is not None
        if not all(_holds(one, response) for one in test):
            continue
        for change in condition.findall(f"{QTI}setvar"):
            require(change.get("action", "Set") == "Set", "only Set is expected")
            score = Decimal(change.text or "0")
        for shown in condition.findall(f"{QTI}displayfeedback"):
            name = shown.get("linkrefid", "")
            require(name in feedback, f"feedback {name} is not there")
            said.append(feedback[name])
        if condition.get("continue", "No") == "No":
            break
    return Reply(score / 100, tuple(said))


def _holds(test: ET.Element, response: str) -> bool:
    tag, value = _bare(test.tag), (test.text or "").strip()
    if tag == "other":
        return True
    if tag == "varequal":
        return response == value
    require(tag in ("vargte", "varlte"), f"<{tag}> is not expected")
    return (
        Decimal(response) >= Decimal(value)
        if tag == "vargte"
        else (Decimal(response) <= Decimal(value))
    )


def _number(item: ET.Element) -> Number:
    _kind(item, "numerical_question")
    render = item.find(f"{QTI}presentation/{QTI}response_str/{QTI}render_fib")
    require(render is not None and render.get("fibtype") == "Decimal", "no field for a number")
    low, high = (Decimal(_only(item, tag)) for tag in ("vargte", "varlte"))
    for response, score in ((low, 1), (high, 1), (low - 1, 0), (high + 1, 0)):
        require(_reply(item, str(response)).score == score, f"{response} does not score {score}")
    said = _reply(item, str(low - 1)).said
    require(len(said) == 1, "no feedback for a wrong number")
    text = _html(item.find(f"{QTI}presentation/{QTI}material"))
    return Number(item.get("ident", ""), text, low, high, said[0])


def _only(item: ET.Element, tag: str) -> str:
    found = [element.text or "" for element in item.iter(f"{QTI}{tag}")]
    require(len(found) == 1, f"{len(found)} times <{tag}>")
    return found[0].strip()


# --- Moodle XML ----------------------------------------------------------------------------------


def moodle(file: bytes) -> list[Read]:
    """A category for each chapter; a category below it is a pool."""
    root = ET.fromstring(file)
    require(root.tag == "quiz", f"<{root.tag}> is no Moodle XML")
    found: dict[str, tuple[list[Choose], dict[str, list[Number]]]] = {}
    path: list[str] = []
    seen: set[tuple[str, ...]] = set()
    for question in root:
        require(question.tag == "question", f"<{question.tag}> is not expected")
        kind = question.get("type")
        if kind == "category":
            path = _path(question.findtext("category/text", ""))
            continue
        number = question.findtext("idnumber", "")
        require((*path, number) not in seen, f"{number} is twice in {path}")
        seen.add((*path, number))
        require(question.findtext("name/text", "").strip(), "a question has no name")
        choose, pools = found.setdefault(path[3], ([], {}))
        if kind == "multichoice":
            require(len(path) == 4, f"{number} is not in the category of its chapter")
            choose.append(_multichoice(question))
        else:
            require(kind == "numerical", f"{kind} is not expected")
            pools.setdefault(path[4], []).append(_numerical(question))
    return [
        Read(title, tuple(choose), tuple(Pool(name, tuple(of)) for name, of in pools.items()))
        for title, (choose, pools) in found.items()
    ]


def _path(text: str) -> list[str]:
    """Split where there is one slash; two are one that belongs to a name."""
    parts = [part.replace("//", "/") for part in re.split(r"(?<!/)/(?!/)", text)]
    require(parts[:2] == ["$course$", "top"], f"{text} does not begin at the top of the course")
    return parts


def _formatted(parent: ET.Element, path: str) -> str:
    element = parent.find(path) if path else parent
    require(element is not None, f"no {path}")
    assert element is not None
    require(element.get("format") == "html", f"{path} is not in HTML")
    return element.findtext("text", "").strip()


def _multichoice(question: ET.Element) -> Choose:
    require(question.findtext("single") == "true", "more than one answer may be chosen")
    offered = []
    for answer in question.findall("answer"):
        reply = Reply(Decimal(answer.get("fraction", "0")) / 100, (_formatted(answer, "feedback"),))
        offered.append(Offered(_formatted(answer, ""), reply))
    return Choose(
        question.findtext("idnumber", ""),
        _formatted(question, "questiontext"),
        tuple(offered),
        question.findtext("shuffleanswers", "false") not in ("false", "0", ""),
    )


def _numerical(question: ET.Element) -> Number:
    answers = list(_right(question))
    require(len(answers) == 1, f"{len(answers)} right answers")
    value = Decimal(answers[0].findtext("text", ""))
    tolerance = Decimal(answers[0].findtext("tolerance", "0"))
    require(tolerance > 0, "no tolerance")
    return Number(
        question.findtext("idnumber", ""),
        _formatted(question, "questiontext"),
        value - tolerance,
        value + tolerance,
        _formatted(question, "generalfeedback"),
    )


def _right(question: ET.Element) -> Iterator[ET.Element]:
    for answer in question.findall("answer"):
        if Decimal(answer.get("fraction", "0")) == 100:
            yield answer
