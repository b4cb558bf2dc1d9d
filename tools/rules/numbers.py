"""Decimal numbers in prose and in outputs: find them, and hold one against the other."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import markup
from gmmlib.checks import MARK

MINUS = "\N{MINUS SIGN}"
SMALL = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORDS = {word: value for value, word in enumerate(SMALL)}
WORDS |= {word: 10 * value for value, word in enumerate(TENS, start=2)}
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@dataclass(frozen=True)
class Number:
    """A number as it stands in a text: the last digit of -3.290 stands for 10 ** -3."""

    value: Decimal
    exponent: int

    def __str__(self) -> str:
        return str(self.value)


def in_prose(markdown: str) -> list[Number]:
    """The decimal numbers that a reader sees in a page; integers are left out."""
    return [number for number, text, _ in _numbers(_prose(markdown)) if "." in text]


def whole_in_prose(markdown: str, *, words: bool = True) -> list[Number]:
    """The whole numbers from three on that a reader sees, in digits and in words."""
    text = _prose(re.sub(r"\\[td]?frac(\d)(\d)", r" \1 \2 ", markdown))
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", POWER_OF_TEN.sub(" ", text))
    digits = [number for number, digits, _ in _numbers(text) if "." not in digits]
    if words:
        told = [WORDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in WORDS]
        digits += [Number(Decimal(value), 0) for value in told]
    return [number for number in digits if number.value > 2]


POWER_OF_TEN = re.compile(r"(?<![\d.])10\s*\^\s*(?:\{[^{}]*\}|\d)")


def in_code(source: str) -> set[Number]:
    """Every number in code."""
    return in_output(re.sub(r"(?<=\d)_(?=\d)", "", source))


def in_output(text: str) -> set[Number]:
    """Every number in an output's text, with both signs where the minus may be a subtraction."""
    found = set()
    for number, _, ambiguous in _numbers(_plain(text)):
        found.add(number)
        if ambiguous:
            found.add(Number(-number.value, number.exponent))
    return found


def supported(number: Number, outputs: Iterable[Number]) -> bool:
    """Some output shows at least as many digits, and rounded to ours it is the same number."""
    half = Decimal(5).scaleb(number.exponent - 1)
    return any(
        o.exponent <= number.exponent and abs(o.value - number.value) <= half for o in outputs
    )


# --- from Markdown to what a reader sees ------------------------------------------------------

SOFTWARE = "version|versions|Python|NumPy|SciPy|SymPy|scikit-learn|Matplotlib|Jupyter Book"
NUMBERED = (
    r"sections?|§+|chapters?|tables?|figures?|fig\.|equations?|eqs?\.|exercises?|algorithms?|"
    r"theorems?|appendix"
)
ITEM = r"\(?\d+(?:\.\d+)+\)?"
GONE = [
    (re.compile(r"<!--.*?-->", re.DOTALL), " "),
    (re.compile(r"^%.*$", re.MULTILINE), " "),
    (re.compile(r"\{(?:cite[\w:]*|code|download|eq|doc|prf:ref|glue[\w:]*)\}`[^`]*`"), " "),
    (re.compile(r"\{[\w:-]+\}`([^`]*)`"), r" \1 "),  # other roles show their text
    (re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL), " "),
    (re.compile(r"<[^>]*\balt=\"([^\"]*)\"[^>]*>"), r" \1 "),
    (re.compile(r"\]\([^)]*\)"), "] "),
    (re.compile(r"<?https?://[^\s>]+>?"), " "),
    (re.compile(r"(?i)\b(?:doi|arxiv):\s*\S+|\b10\.\d{4,9}/\S+"), " "),
    (re.compile(rf"(?i)\b(?:{SOFTWARE})\s*(?:[≥>]=?\s*)?\d\d?\.\d\d?(?![\d.])"), " "),
    (re.compile(r"\bCC BY(?:-[A-Z]+)* \d\.\d\b|\bv\d+(?:\.\d+)+\b"), " "),
    (re.compile(rf"(?i)(?<!\w)(?:{NUMBERED})\s*{ITEM}(?:(?:\s*,|\s+and|\s+to|–)\s*{ITEM})*"), " "),
]


def _prose(markdown: str) -> str:
    text = markup.without_code(markdown)
    for pattern, instead in GONE:
        text = pattern.sub(instead, text)
    return _without_latex(html.unescape(text))


def _plain(text: str) -> str:
    """An output's text: the tags of HTML, and the ledger's lines, compute nothing."""
    text = re.sub(r"(?is)<(style|script)\b.*?</\1>", " ", text)
    if re.search(r"</\w+>", text):
        text = html.unescape(re.sub(r"<[^>]+>", " ", text))
    text = re.sub(rf"(?m)^{MARK} .*$", " ", text)
    return _without_latex(text)


RELATIONS = r"approx|simeq|sim|cong|equiv|leq?|geq?|ll|gg|neq?|lt|gt|in|to|cdot|times|pm|mp"


def _without_latex(text: str) -> str:
    """Commands replaced so that the sign and the beginning of a number can be seen."""
    text = re.sub(r"\\(?:times|cdot)\s*10\s*\^", r"×10^", text)
    text = re.sub(rf"\\(?:{RELATIONS}|q?quad|displaystyle)(?![A-Za-z])", " = ", text)
    text = re.sub(r"\\[hv]?phantom\{[^}]*\}|\\\\\[[^\]]*\]|\\tag\{[^}]*\}", " ", text)
    text = re.sub(r"\b\d*\.?\d+(?:em|ex|px|pt|rem)\b", " ", text)
    text = re.sub(r"\{([-,.])\}", r"\1", text)
    text = re.sub(r"(?<=\d)\\[,;:! ](?=\d)|(?<=\d)[\u2009\u202f](?=\d)", "", text)
    text = re.sub(r"\\[,;:! ]", " ", text)
    text = re.sub(r"\\[A-Za-z]+(?=\d)", " ", text)
    return re.sub(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?=\.\d)", _joined, text)


def _joined(match: re.Match[str]) -> str:
    return match[0].replace(",", "")


# --- numbers in a text ------------------------------------------------------------------------

NUMBER = re.compile(
    r"(?<![A-Za-z_\d.])(?P<mantissa>\d+(?:\.\d*)?)(?!\d|\.\d)"
    r"(?:[eE](?P<e>[-+]?\d+)(?![A-Za-z\d])"
    rf"|\s*[×·]\s*10(?:\s*\^\s*\{{?(?P<power>[-{MINUS}+]?\d+)\}}?|(?P<raised>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)))?"
)
OPERAND = re.compile(r"[\w)\]}'%]$")
OPENING = re.compile(r"[=(\[{&,<>≈≤≥×·:;/|^]$")


def _numbers(text: str) -> Iterable[tuple[Number, str, bool]]:
    """Each number, its digits as written, and whether its minus may be a subtraction."""
    for match in NUMBER.finditer(text):
        mantissa = match["mantissa"].removesuffix(".")
        power = match["e"] or match["power"] or (match["raised"] or "0").translate(SUPERSCRIPTS)
        value = Decimal(mantissa).scaleb(int(power.replace(MINUS, "-")))
        negative, ambiguous = _sign(text[: match.start()])
        number = Number(value.copy_negate() if negative else value, int(value.as_tuple().exponent))
        yield number, mantissa, ambiguous


def _sign(before: str) -> tuple[bool, bool]:
    """Is the number after this text negative, and may its minus be a subtraction instead?"""
    line = before.rsplit("\n", 1)[-1]
    close = line.rstrip(" ")
    if not close.endswith(("-", MINUS)):
        return False, False
    attached = close == line
    left = close[:-1]
    operand = left.rstrip()
    if attached and left != operand:  # "is -3.29", also at the start of a table's cell
        return True, False
    if attached:  # "x-0.5" subtracts, "(-0.5" does not
        return (False, True) if OPERAND.search(left) else (True, False)
    # "= - 0.5" is a sign; "x - 0.5" subtracts; "- 0.5" at the start of a line is a list
    return (True, False) if OPENING.search(operand) else (False, True)
