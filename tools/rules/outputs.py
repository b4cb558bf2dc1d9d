"""What a chapter stores of its execution: all of it, once, and nothing of one machine.

nbval compares the text of the outputs, tests/support/nbval_pictures.py the pictures; here is what
a comparison after execution cannot see.
"""

import re

from book import Page

# nbval and nbclient leave a cell unchecked, or unrun, where one of these stands.
MARKERS = re.compile(
    r"(?i)^(PYTEST_VALIDATE_IGNORE_OUTPUT|NBVAL[-_]\w[\w-]*|skip-execution|raises-exception)$"
)
# chapter -> {cell id: why its marker is there}. A cell that shows an error needs no entry: its
# tag raises-exception makes nbval demand the error and compare its text.
ALLOWED_MARKERS: dict[str, dict[str, str]] = {}
# A double holds 15 to 17 digits; the last ones differ between processors.
MAX_DIGITS = 13
MIMES = {"text/plain", "text/latex", "text/html", "image/png"}


def counts(page: Page) -> list[str]:
    """The execution counts are 1, 2, 3, …: run from top to bottom, all of it, once."""
    found = [cell.execution_count for cell in page.code]
    if found != list(range(1, len(found) + 1)):
        return [f"the execution counts are {found}: run make notebooks"]
    return []


def errors(page: Page) -> list[str]:
    """An error is stored only where the cell is there to show it."""
    return [
        f"{cell} stores an error, and has no tag raises-exception"
        for cell in page.code
        if cell.has_error and "raises-exception" not in cell.tags
    ]


def markers(page: Page) -> list[str]:
    """No cell is taken out of the comparison, but for those on a short list."""
    allowed = ALLOWED_MARKERS.get(page.name, {})
    known = {cell.id for cell in page.code}
    wrong = [f"ALLOWED_MARKERS names cell {i}, which is not there" for i in allowed.keys() - known]
    for cell in page.code:
        lines = [line.strip() for line in cell.source.splitlines()]
        comments = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
        for marker in filter(MARKERS.match, [*comments, *cell.tags]):
            if marker == "raises-exception" and cell.has_error:
                continue
            if cell.id not in allowed:
                wrong.append(f"{cell} has {marker}, and is not in ALLOWED_MARKERS")
    return wrong


def mimes(page: Page) -> list[str]:
    """Only kinds of output that the comparison after execution covers."""
    return [
        f"{cell} stores {mime}, which no test compares; use one of {sorted(MIMES)}"
        for cell in page.code
        for output in cell.outputs
        for mime in output.get("data", {})
        if mime not in MIMES
    ]


def stderr(page: Page) -> list[str]:
    """No warning is left standing in an output."""
    return [
        f"{cell} stores stderr: {output.text.strip().splitlines()[0]!r}"
        for cell in page.code
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    ]


ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
ABSOLUTE = re.compile(
    r"(?<![\w.~/:<])/(?:home|root|usr|opt|tmp|var|mnt|srv|work|Users|private|Library|content)/\S*"
    r"|\b[A-Z]:\\\w\S*|file://\S+"
)


def machine(page: Page) -> list[str]:
    """No output holds what differs from machine to machine: an address, an absolute path."""
    wrong = []
    for cell in page.code:
        for output in cell.outputs:
            error = [output.evalue, *output.traceback] if output.output_type == "error" else []
            text = "\n".join([output.get("text", ""), *error])
            text += "\n".join(v for v in output.get("data", {}).values() if isinstance(v, str))
            if cell.pictures:
                text = re.sub(r"[A-Za-z0-9+/=]{200,}", " ", text)
            for kind, pattern in (("memory address", ADDRESS), ("absolute path", ABSOLUTE)):
                match = pattern.search(text)
                if match:
                    wrong.append(f"{cell} stores the {kind} {match[0][:80]}")
    return wrong


LONG = re.compile(r"(?<![\w.])\d+\.\d+")


def digits(page: Page) -> list[str]:
    """No raw float is stored; exact digits stand in a cell that is tagged exact-digits."""
    wrong = []
    for cell in page.code:
        if "exact-digits" in cell.tags:
            continue
        for text in cell.texts:
            for number in LONG.findall(text):
                if len(number.replace(".", "").lstrip("0")) > MAX_DIGITS:
                    wrong.append(
                        f"{cell} prints {number}: format it to at most 12 digits, or tag "
                        f"the cell exact-digits where all of them are meant"
                    )
    return wrong


RULES = (counts, errors, markers, mimes, stderr, machine, digits)
