"""Slides cut from a chapter: what of each section is shown, and what its speaker says.

A section gives one to three slides. Its most quoted equation comes first, then its theorems, its
figures, its other equations and a short piece of code, as long as there is room; all its text
becomes notes. Marks in the chapter change that (``slide_marks``).
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import markup
from book import Page
from cells import Cell
from course import handouts, questions, slide_marks
from course.plain import HEADINGS, Numbers, captions, heading, plain, roles
from course.slide_parts import (
    LEAD,
    MOST_LINES,
    MOST_STATEMENT,
    MOST_WORDS,
    ROOM,
    Choices,
    Code,
    Equation,
    Part,
    Picture,
    Points,
    Slide,
    Statement,
    Text,
    count,
    packed,
    sentences,
)
from gmmlib.checks import MARK

MOST_SLIDES = {2: 3, 3: 2}  # of a section, of a part of one
MOST_EQUATIONS = 4  # of a section
ROWS = 5.0  # of equations on a slide
ROWS_BELOW = 4.6  # of those below the statement that names them, if it is not long
WORDS_IN_A_ROW = 10
MOST_COLUMNS = 92  # of what is printed
MOST_OPENING = 65  # words that say what the chapter is for: read while the class sits down
BRIDGE = 24  # words of a sentence that leads to an equation or to code
ASIDE = ("Exercises", "Check yourself", "Summary")
CITATION = re.compile(r"\s*\{cite:?\w*\}`[^`]*`")
CHECKED = re.compile(r"\s*\*Checked in the\*.*", re.DOTALL)
QUOTED = re.compile(r"\{eq\}`([\w-]+)`")
TIME = re.compile(r"\*About [^*]+\*$")
LEAD_ABOVE = 15  # words of a lead that a statement may follow on its slide
LEAST_LINES = 2  # of code that is shown without what it prints
LEAST_WORDS = 3  # of a sentence that can stand alone


@dataclass
class Item:
    """Something in a section: text for the notes, or a part that may be shown."""

    note: str  # Markdown: what the notes have of it, if it is not shown
    part: Part | None = None
    is_forced: bool = False
    words: str = ""  # given by a mark
    said: tuple[str, ...] = ()  # notes, if it is shown
    rank: float = 0.0  # what has more is shown first
    prose: str = ""  # the note without citations, if it is text
    pieces: tuple[tuple[Part, ...], ...] = ()  # of a statement: its slides


@dataclass
class Section:
    """A section of a chapter, or a part of one."""

    title: str
    level: int = 2
    over: str = ""
    lead: str = ""  # given by a mark
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True)
class Quoted:
    """How often the book quotes each equation, and what the site prints for every label."""

    numbers: Numbers

    @cached_property
    def times(self) -> Counter[str]:
        texts = (text for page in self.numbers.book.pages for text in page.prose)
        return Counter(label for text in texts for label in QUOTED.findall(CHECKED.sub("", text)))

    @cached_property
    def equations(self) -> dict[str, Equation]:
        """Every labelled equation of the book."""
        found: dict[str, Equation] = {}
        for page in self.numbers.book.pages:
            checked = {check.label for check in page.checks} if page.has_code else set()
            for label, latex in page.equations:
                if label:
                    number = self.numbers.of[label]
                    found[label] = Equation(label, latex, number, label in checked)
        return found


def deck(page: Page, quoted: Quoted) -> list[Slide]:
    """The slides of a chapter.

    Raises ``ValueError`` with the place and the remedy, if a mark in it is wrong.
    """
    slide_marks.require(page)
    numbers = quoted.numbers
    slides = list(_opening(page, numbers))
    for section in _sections(page, quoted):
        slides += [slide for slide in _cut(section) if slide.parts]
    return [*slides, *_exercises(page, numbers), *_question(page), *_summary(page, numbers)]


# --- the sections, with what is in them ----------------------------------------------------------


def _sections(page: Page, quoted: Quoted) -> Iterator[Section]:
    reader = _Reader(page, quoted)
    for piece in handouts.pieces(page):
        if isinstance(piece.what, Cell) and not piece.solves:
            reader.code(piece.what)
        elif isinstance(piece.what, str) and not piece.solves:
            reader.text(piece.what)
    return (section for section in reader.sections if section.over not in ASIDE)


class _Reader:
    """Goes through a chapter and puts what it finds into sections."""

    def __init__(self, page: Page, quoted: Quoted) -> None:
        self.page, self.quoted, self.numbers = page, quoted, quoted.numbers
        self.captions = dict(captions(page, self.numbers))
        self.lines = {}
        for check in page.checks:
            self.lines.setdefault(check.label, check.in_words)
        self.sections: list[Section] = []
        self.mark = ""

    @property
    def now(self) -> Section | None:
        return self.sections[-1] if self.sections else None

    def text(self, text: str) -> None:
        lines = text.split("\n")
        fences = {begin: directive for (begin, _), directive in markup.fences(text)}
        for kind, (begin, end) in markup.blocks(text):
            source = "\n".join(lines[begin:end])
            if kind == "heading_open":
                self._heading(source)
            elif self.now is None or kind == "myst_target":
                continue
            elif kind == "html_block":
                self._comment(source)
            elif kind.startswith("math_block"):
                self._equation(source)
            else:
                self._words_are_used(f"{source[:50]!r}")
                self._block(source, fences.get(begin))
        if self.now and self.mark:
            self._words_are_used("the end of a cell")

    def _heading(self, source: str) -> None:
        marks, _, title = source.partition(" ")
        self._words_are_used(f"the heading {title!r}")
        if marks == "##":
            self.sections.append(Section(title.strip(), over=title.strip()))
        elif marks == "###" and self.now:
            self.sections.append(Section(title.strip(), level=3, over=self.now.over))

    def _comment(self, source: str) -> None:
        words = slide_marks.words_of(source, str(self.page.path))
        if words and self.now:
            self._words_are_used("another slide comment")
            if not self.now.items and not self.now.lead:
                self.now.lead = words
            else:
                self.mark = words

    def _words_are_used(self, by: str) -> None:
        if self.mark:
            raise ValueError(
                f"{self.page.path}: the slide comment {self.mark!r} stands before {by}; put it at "
                f"the start of a section or just before an equation"
            )

    def _equation(self, source: str) -> None:
        ((label, latex),) = markup.displayed_equations(source)
        number = self.numbers.of[label] if label else ""
        note = f"$$\n{latex}\n$$\n\n{number}".strip()
        if not label and not self.mark:
            self._add(Item(note))
            return
        said = [f"{MARK} {number} {self.lines[label]}"] if label in self.lines else []
        part = self.quoted.equations.get(label, Equation(label, latex, number, False))
        rank = 1 + self.quoted.times[label]
        self._add(Item(note, part, bool(self.mark), self.mark, tuple(said), rank))
        self.mark = ""

    def _block(self, source: str, directive: markup.Directive | None) -> None:
        if directive and directive.name in ("question", "exercise", "figure", "chapter-figure"):
            return
        note = plain(CHECKED.sub("\n```", source) if directive else source, self.numbers)
        if not directive or directive.name not in HEADINGS:
            is_text = not (directive or note.startswith(("|", "- ", "1. ", "```")))
            prose = plain(CITATION.sub("", source), self.numbers) if is_text else ""
            self._add(Item(note, prose=prose))
            return
        title = f" {directive.argument}" if directive.argument else ""
        number = self.numbers.of[directive.options["label"]]
        text = CHECKED.sub("", directive.body.strip())
        whole = Statement(f"{number}.{title}", text, text != directive.body.strip())
        pieces = tuple(_pieces(whole, self.quoted))
        self._add(Item(note, whole, said=(note,), rank=900, pieces=pieces))

    def code(self, cell: Cell) -> None:
        if self.now is None or slide_marks.LEAVE_OUT in cell.tags:
            return
        forced = slide_marks.SHOW in cell.tags
        if cell.pictures:
            name = cell.figure.name or f"fig-{cell.id}"
            picture = Picture(name, cell.figure.alt, cell.pictures[0])
            said = self.captions.get(cell.id, "")
            self._add(Item(said, picture, forced, said=(said,), rank=500))
            return
        part, rank = self._shown(cell)
        if part is not None:
            self._add(Item("", part, forced, rank=rank))
        elif forced:
            raise slide_marks.too_long(f"{self.page.path}, {cell}")

    def _shown(self, cell: Cell) -> tuple[Code | None, float]:
        source = "" if "hide-input" in cell.tags else cell.source.strip()
        source = re.sub(r"\n{3,}", "\n\n", source)
        if source.count("\n") + 1 > MOST_LINES:
            source = ""
        lines = [line for text in _printed(cell) for line in text.rstrip().split("\n")]
        labels = [line.split()[1] for line in lines if line.startswith(MARK)]
        checked = tuple(dict.fromkeys(self.numbers.of[label] for label in labels))
        printed = [line for line in lines if not line.startswith(MARK)]
        room = ROOM - (source.count("\n") + 1 if source else 4)
        if len(printed) > room or max(map(len, printed), default=0) > MOST_COLUMNS:
            printed = []
        is_only_a_call = bool(lines) and not printed and source.count("\n") < LEAST_LINES
        if is_only_a_call or not (source or printed):
            return None, 0
        part = Code(source, "\n".join(printed), checked)
        if not printed:
            return part, -2 if checked else -1
        return part, 0.5 if source else 0.3

    def _add(self, item: Item) -> None:
        if self.now:
            self.now.items.append(item)


def _printed(cell: Cell) -> Iterator[str]:
    """The texts of its outputs, each once: SymPy's results are stored as LaTeX, too."""
    for output in cell.outputs:
        if output.get("name") != "stderr":
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            yield from [text] if text else []


# --- what of a section is shown ------------------------------------------------------------------


def _cut(section: Section) -> list[Slide]:
    shown = {k for k, item in enumerate(section.items) if item.is_forced}
    for k in _ranked(section.items):
        if k not in shown and _count(_laid(section, shown | {k})) <= MOST_SLIDES[section.level]:
            shown.add(k)
    return _laid(section, shown)


def _ranked(items: list[Item]) -> list[int]:
    """The items that may be shown, the one that matters most first."""
    order = sorted((k for k, item in enumerate(items) if item.part), key=lambda k: -items[k].rank)
    equations = [k for k in order if isinstance(items[k].part, Equation)]
    code = [k for k in order if isinstance(items[k].part, Code)]
    rest = [k for k in order if k not in equations and k not in code]
    # in a section of formulas the checks say enough: what is seen of its code is what it prints
    least, most = (-2, 2) if not equations and not rest else (0.4, 1)
    few = [k for k in code if items[k].rank > least][:most]
    return [*equations[:1], *rest, *equations[1:MOST_EQUATIONS], *few]


def _count(slides: list[Slide]) -> int:
    return sum(not _goes_on(slide) for slide in slides)


def _goes_on(slide: Slide) -> bool:
    """Is it the rest of a theorem that is too long for one slide?"""
    return any(isinstance(part, Statement) and part.continues for part in slide.parts)


def _laid(section: Section, shown: set[int]) -> list[Slide]:
    """The slides of a section, if these of its items are shown."""
    over = section.over if section.level == 3 else ""
    first = Slide(section.title, [], over=over)
    slides = [first]
    waiting: list[Item] = []  # text, until it is clear before what it stands
    first.parts += [Text(lead)] if (lead := _lead(section)) else []

    def new(parts: list[Part]) -> Slide:
        if slides == [first] and not first.parts:
            first.parts = parts
        else:
            slides[-1].notes += [item.note for item in waiting[:-1]]
            del waiting[:-1]
            slides.append(Slide(section.title, parts, over=over, level=3))
        return slides[-1]

    for k, item in enumerate(section.items):
        if k not in shown or item.part is None:
            waiting += [item] if item.note else []
            continue
        slide = slides[-1]
        own = [Text(item.words)] if item.words else []
        bridge = [] if own else _bridge(waiting, first)
        if isinstance(item.part, Statement):
            begin, *rest = item.pieces
            if slides == [first] and _goes_below(first, begin):
                first.parts += begin
            else:
                slide = new(list(begin))
            for parts in rest:
                new(list(parts))
        elif _has_room(joined := [*slide.parts, *own, item.part]):
            slide.parts[:] = joined
        else:
            with_words = [*own, *bridge] if not isinstance(item.part, Picture) else own
            slide = new([*with_words, item.part])
        slide.notes += [item.note for item in waiting]
        waiting.clear()
        slide.notes += [text for text in item.said if text]
    slides[-1].notes += [item.note for item in waiting]
    return slides


def _goes_below(first: Slide, statement: tuple[Part, ...]) -> bool:
    """Is there room for it below the words that open the section?"""
    is_short = Slide("", first.parts).words <= LEAD_ABOVE
    return is_short and all(isinstance(part, Text) for part in first.parts) and len(statement) == 1


def _has_room(parts: list[Part]) -> bool:
    """Do they fit on one slide? Some text, and equations or one other thing."""
    shown = [part for part in parts if not isinstance(part, Text)]
    rows = sum(part.rows for part in shown if isinstance(part, Equation))
    if any(not isinstance(part, Equation) for part in shown) and len(shown) > 1:
        return False
    return (len(shown) == 1 or rows <= ROWS) and Slide("", parts).words <= MOST_WORDS


def _lead(section: Section) -> str:
    """The words of a mark, or the first sentence that is short enough."""
    if section.lead:
        return section.lead
    for item in section.items:
        if item.part is not None:
            break
        for sentence in sentences(item.prose):
            if LEAST_WORDS <= count(sentence) <= LEAD and _stands_alone(sentence):
                return sentence
    return ""


def _stands_alone(sentence: str) -> bool:
    begins = sentence.startswith("scikit") or not (sentence[0].islower() or sentence[0] == "(")
    return begins and sentence.count("**") % 2 == 0


def _bridge(waiting: list[Item], first: Slide) -> list[Part]:
    """The sentence just before something that is shown, if it is short."""
    if not waiting or not waiting[-1].prose:
        return []
    last = sentences(waiting[-1].prose)[-1]
    fits = LEAST_WORDS <= count(last) <= BRIDGE and _stands_alone(last)
    return [Text(last)] if fits and Text(last) not in first.parts else []


def _pieces(whole: Statement, quoted: Quoted) -> Iterator[tuple[Part, ...]]:
    """A statement, over as many slides as its words need, with the equations that it names.

    A sentence is never cut.
    """
    blocks = [block for block in re.split(r"\n(?=\n|\s*(?:\d+\.|-) )", whole.text) if block.strip()]
    is_list = len(blocks) > 1
    items = [block.strip("\n") for block in blocks] if is_list else sentences(whole.text)
    groups = packed((short for item in items for short in _short(item)), MOST_STATEMENT)
    for k, group in enumerate(groups):
        text = ("\n\n" if is_list else " ").join(group)
        last = k == len(groups) - 1
        checked = whole.is_checked and last
        shown = roles(text, quoted.numbers)
        piece = replace(whole, text=shown, is_checked=checked, continues=k > 0)
        named = [quoted.equations[label] for label in dict.fromkeys(QUOTED.findall(text))]
        room = ROWS_BELOW - max(0, count(shown) - MOST_WORDS) / WORDS_IN_A_ROW
        fits = not is_list and sum(equation.rows for equation in named) <= room
        yield (piece, *(named if fits else ()))


def _short(text: str) -> Iterator[str]:
    """A text in pieces that fit on a slide: cut behind semicolons, if it must be."""
    if count(text) <= MOST_WORDS:
        yield text
        return
    for group in packed(re.split(r"(?<=;)\s+", text)):
        yield " ".join(group)


# --- the slides that every chapter has -----------------------------------------------------------


def _opening(page: Page, numbers: Numbers) -> Iterator[Slide]:
    box = next(
        (d for _, d in markup.fences(page.texts[0]) if d.argument == "In this chapter"), None
    )
    if box is None:
        raise ValueError(f"{page.path} does not say what it is for; open it with In this chapter")
    aims = plain(box.body, numbers).split("\n\n")
    notes = [aim for aim in aims if aim.startswith("**Given")]
    shown = [" ".join(aim.split()) for aim in aims if aim not in notes]
    time = [found[0] for aim in shown if (found := TIME.search(aim))]
    aims = [TIME.sub("", aim).strip() for aim in shown]
    for k, group in enumerate(packed(aims, MOST_OPENING - sum(map(count, time)))):
        parts: list[Part] = [Text(text) for text in (*group, *(time if k == 0 else ()))]
        yield Slide(page.title, parts, notes if k == 0 else [], level=1 if k == 0 else 2)


def _exercises(page: Page, numbers: Numbers) -> Iterator[Slide]:
    found = [piece.what for piece in handouts.pieces(page)]
    directives = [what for what in found if isinstance(what, markup.Directive)]
    exercises = [what for what in directives if what.name == "exercise"]
    titles = {heading(one, numbers).removeprefix("### "): one for one in exercises}
    for k, group in enumerate(packed(titles)):
        notes = [f"**{title}** {plain(titles[title].body, numbers)}" for title in group]
        yield Slide("Exercises", [Points(tuple(group))], notes, level=2 if k == 0 else 3)


def _question(page: Page) -> Iterator[Slide]:
    for asked in questions.in_page(page)[:1]:
        choices = tuple(choice.text for choice in asked.choices)
        notes = [
            f"**{letter}** {'Yes' if choice.is_right else 'No'}. {choice.why}"
            for letter, choice in zip("ABCDEF", asked.choices, strict=False)
        ]
        yield Slide("Check yourself", [Choices(asked.text, choices)], notes)


def _summary(page: Page, numbers: Numbers) -> Iterator[Slide]:
    text = next((text for text in page.texts if text.startswith("## Summary")), "")
    points, rest = [], []
    for kind, (begin, end) in markup.blocks(text)[1:]:
        source = plain("\n".join(text.split("\n")[begin:end]), numbers)
        if kind == "bullet_list_open":
            points += [
                " ".join(point.split()) for point in re.split(r"^- ", source, flags=re.M)[1:]
            ]
        else:
            rest.append(source)
    if not points:
        raise ValueError(f"{page.path} has no summary; end it with ## Summary and a list")
    whole = {sentences(point)[0]: point for point in points}
    groups = packed(whole)
    for k, group in enumerate(groups):
        notes = [whole[point] for point in group if whole[point] != point]
        notes += rest if k == len(groups) - 1 else []
        yield Slide("Summary", [Points(tuple(group))], notes, level=2 if k == 0 else 3)
