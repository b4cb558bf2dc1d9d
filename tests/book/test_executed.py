"""What came of running displays is stored, told in words, and held against the definitions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flint import arb, arb_mat

import executed
import ledger
from book import ROOT
from formulas import wording
from formulas.run import Displays, Sides

TOC = "format: jb-book\nroot: index\nchapters: [{file: one}]\n"
LETTERS = [
    {"symbol": "n", "means": "the number of points", "size": True},
    {"symbol": "a", "means": "any number", "draw": "real"},
    {"symbol": "b", "means": "one more than its square", "defined": "def-b"},
]
DISPLAYS = {"def-b": "b = a^2 + 1", "eq-square": r"b - 1 = a\,a \ge 0"}
CHECK = "from gmmlib import checks\n\nchecks.numerical('eq-square', 4.0, 4.0)"
LINE = "✓ eq-square · numerical · 1 value agrees to 1e-12 · for a = 2\n"


class Toy:
    """A book of one chapter and its notation, which the tests break."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.displays = dict(DISPLAYS)
        self.letters: list[dict[str, Any]] = [dict(row) for row in LETTERS]
        self.worlds: dict[str, dict[str, Any]] = {
            "default": {"n": [4, 5, 6, 7], "K": [2, 3, 4], "d": [1, 2, 3]}
        }
        self.comments = ""

    def write(self) -> Path:
        shown = "\n\n".join(f"$$\n{x}\n$$ ({label})" for label, x in self.displays.items())
        output = {"output_type": "stream", "name": "stdout", "text": [LINE]}
        cells = [
            {"cell_type": "markdown", "metadata": {}, "source": f"# 1 One\n\n{self.comments}\n"},
            {"cell_type": "markdown", "metadata": {}, "source": shown},
            {"cell_type": "code", "metadata": {}, "source": CHECK, "outputs": [output]},
        ]
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (self.root / "one.ipynb").write_text(json.dumps(notebook))
        (self.root / "_toc.yml").write_text(TOC)
        (self.root / "index.md").write_text("# The book")
        (self.root / "chapters").mkdir(exist_ok=True)
        rows = ",\n".join(_toml(row) for row in self.letters)
        worlds = "\n".join(f"'{label}' = {_toml(row)}" for label, row in self.worlds.items())
        text = f"letters = [\n{rows}\n]\n\n[worlds]\n{worlds}\n"
        (self.root / "chapters" / "notation.toml").write_text(text)
        return self.root

    def outcomes(self) -> dict[str, executed.Executed]:
        return executed.outcomes(self.write())

    def errors(self) -> list[str]:
        records = self.outcomes()
        reasons = executed.reasons(executed.displays_of(self.root))
        return list(executed.errors(records, reasons))


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"'{key}' = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path)


# --- the book -----------------------------------------------------------------------------------


def test_every_display_of_the_book_holds_and_every_definition_is_run() -> None:
    records = executed.outcomes(ROOT)
    found = list(executed.errors(records, executed.reasons(executed.displays_of(ROOT))))
    assert not found, "\n".join(found)


# --- what is recorded ---------------------------------------------------------------------------


def test_a_sound_book(toy: Toy) -> None:
    records = toy.outcomes()
    assert list(records) == ["def-b", "eq-square"]
    claim = records["eq-square"]
    assert claim.holds
    assert len(claim.sizes) == len(claim.worlds) == 5
    assert claim.stands_on == ["def-b"]
    assert records["def-b"].stands_on == []
    assert claim.in_words.startswith("held in 5 worlds: n, K, d = ")
    (chain,) = claim.worlds[0]
    assert chain["signs"] == ["=", "≥"]
    assert chain["values"][0] == chain["values"][1] != "0" == chain["values"][2]
    assert toy.errors() == []


def test_one_world_is_called_one(toy: Toy) -> None:
    toy.worlds["eq-square"] = {"count": 1, "n": [5], "K": [2], "d": [1]}
    words = toy.outcomes()["eq-square"].in_words
    assert words == "held in one world, that of its printed numbers: n, K, d = 5, 2, 1"


def test_what_is_declared_beside_it(toy: Toy) -> None:
    toy.comments = "<!-- eq-square: a > 1, def-b -->"
    toy.worlds["eq-square"] = {"require": ["a<3"], "every second": {"a": "2"}}
    toy.displays["eq-narrow"] = r"c\,m = c\,a"
    own = {"where": ["eq-narrow"]}
    toy.letters += [
        {"symbol": "c", "means": "a width", "draw": "positive 1 2", **own},
        {"symbol": "m", "means": "the same", "value": "a", **own},
    ]
    records = toy.outcomes()
    assert records["eq-narrow"].beside == ["$c$: a width (from 1 to 2)", "$m$: the same ($a$)"]
    assert records["eq-square"].beside == [
        *("$a<3$", "$a > 1$", "as in def-b", "in every second world $a=2$"),
    ]


def test_what_a_display_defines_is_not_beside_it(toy: Toy) -> None:
    toy.letters[2]["where"] = ["def-b", "eq-square"]
    assert [record.beside for record in toy.outcomes().values()] == [[], []]


def test_solutions_say_what_they_maximise() -> None:
    displays = executed.displays_of(ROOT)
    found = executed.declared.beside(displays, "eq-mle-mean", {r"\hat\mu"})
    said = r"the best mean and standard deviation (maximises $\ell(\mu,\sigma^2)$)"
    assert found == [rf"$\hat\mu$: {said}"]
    both = executed.declared.beside(displays, "eq-mle-mean", {r"\hat\mu", r"\hat\sigma"})
    assert both == [rf"$\hat\mu, \hat\sigma$: {said}"]


# --- what is wrong ------------------------------------------------------------------------------


def wrong(toy: Toy) -> None:
    toy.displays["eq-square"] = r"b + 1 = a\,a"


def test_a_long_formula_that_is_declared_may_break_at_its_signs() -> None:
    pieces = [r"\sum_i\beta_{i-1}\log g(x_i+1)", r"-\frac{\nu+d}2\log\det(A-B)"]
    pieces.append(r"+\operatorname{tr}(\Psi\Sigma^{-1})")
    assert executed.declared._in_pieces("".join(pieces)) == f"${'$ $'.join(pieces)}$"
    assert executed.declared._in_pieces("a-b") == "$a-b$"


def undeclared(toy: Toy) -> None:
    toy.displays["eq-square"] = r"b - 1 = q\,a"


def unread(toy: Toy) -> None:
    toy.displays["eq-square"] = r"b - 1 = \frac{a"


def nobody(toy: Toy) -> None:
    toy.displays["def-c"] = "c = 2a"
    toy.letters.append({"symbol": "c", "means": "its double", "defined": "def-c"})


def needless(toy: Toy) -> None:
    toy.letters[2]["unused"] = "it is only named"


BREAKINGS: list[tuple[Callable[[Toy], None], str]] = [
    (wrong, "eq-square does not hold for n = "),
    (undeclared, "eq-square is not read: q is not in the notation"),
    (unread, "eq-square is not read: "),
    (nobody, "def-c is run by no claim"),
    (needless, "def-b is said to be unused, and eq-square runs it"),
]


@pytest.mark.parametrize(("change", "error"), BREAKINGS)
def test_a_breaking(toy: Toy, change: Callable[[Toy], None], error: str) -> None:
    change(toy)
    found = toy.errors()
    assert any(error in one for one in found), found
    assert ledger.main(toy.root) == 1


@pytest.mark.parametrize("where", ["row", "worlds"])
def test_a_definition_that_nobody_runs_may_say_why(toy: Toy, where: str) -> None:
    nobody(toy)
    if where == "row":
        toy.letters[-1]["unused"] = "it is only named"
    else:
        toy.worlds["def-c"] = {"unused": "it is only named"}
    assert toy.errors() == []
    assert executed.reasons(executed.displays_of(toy.root)) == {"def-c": "it is only named"}


def test_what_breaks_down_is_an_error_of_the_ledger(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: Any) -> None:
        raise IndexError("out of range")

    monkeypatch.setattr(Displays, "run", run)
    assert "eq-square cannot be run: IndexError: out of range" in toy.errors()


# --- run once -----------------------------------------------------------------------------------


def test_records_are_remembered_until_something_changes(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = toy.outcomes()
    ran = []
    execute = executed.execute

    def noted(displays: Displays, label: str) -> executed.Executed:
        ran.append(label)
        return execute(displays, label)

    monkeypatch.setattr(executed, "execute", noted)
    assert toy.outcomes() == first
    assert ran == []
    toy.comments = "<!-- eq-square: a > 1 -->"
    toy.outcomes()
    assert ran == ["def-b", "eq-square"]
    toy.displays["eq-square"] = r"b - 2 = a\,a"
    assert not toy.outcomes()["eq-square"].holds
    toy.letters[1]["draw"] = "positive"
    toy.outcomes()
    assert len(ran) == 6


def test_many_are_run_in_two_processes(toy: Toy) -> None:
    alone = toy.outcomes()["eq-square"]
    for k in range(executed.FEW):
        toy.displays[f"eq-more-{k}"] = f"b + {k} = a^2 + {k + 1}"
    together = toy.outcomes()
    assert list(together) == list(toy.displays)
    assert all(record.holds for record in together.values())
    assert together["eq-square"] == alone


# --- in words -----------------------------------------------------------------------------------


def link(name: str, a: Any, b: Any, left: str = "a", right: str = "b") -> Sides:
    return Sides(left, name, right, (a, b))


def test_numbers_have_twelve_digits_and_rows_six() -> None:
    third = arb(1) / 3
    assert wording.text(third) == "0.333333333333"
    assert wording.text(arb(-2)) == "−2"
    assert wording.text(arb(10) ** -60) == "1.0e−60"
    assert wording.text(True) == "true"
    assert wording.text(arb_mat([[third], [arb(2)]])) == "(0.333333, 2)"
    assert wording.text(arb_mat([[arb(1), third], [arb(2), arb(4)]])) == "(1 0.333333; 2 4)"
    assert wording.text(arb_mat(4, 4)) == "4 × 4, first row (0 0 0 0)"
    assert wording.text((arb(1), (arb(2), arb(3)))) == "(1, (2, 3))"
    assert wording.text(arb_mat(12, 1)).endswith("0, …)")


def test_relations_are_chains_and_an_index_is_a_row() -> None:
    one, two = arb(1), arb(2)
    chain = wording.chains([link("=", one, one), link(">=", one, arb(0), "b", "c")])
    assert chain == [{"signs": ["=", "≥"], "values": ["1", "1", "0"]}]
    assert wording.names(chain[0]) == ["left", "= middle", "≥ right"]
    rows = wording.chains([link("=", one, one), link("=", two, two)])
    assert rows == [{"signs": ["="], "values": ["1, 2", "1, 2"]}]
    (many,) = wording.chains([link("=", one, one)] * 6)
    assert many["values"][0] == "1, 1, 1, …"
    (truths,) = wording.chains([link("iff", True, True)])
    assert truths == {"signs": ["exactly if"], "values": ["true", "true"]}


def test_the_command_prints_all_of_it(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    toy.comments = "<!-- eq-square: a > 1 -->"
    assert ledger.main(toy.write()) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "one  eq-square  (claim)" in lines
    assert any(line.startswith("run from its display: held in 5 worlds: n, K") for line in lines)
    assert "declared beside it: $a > 1$" in lines
    assert "stands on: def-b" in lines
    assert "run by: eq-square" in lines
    assert "numerically: 1 value agrees to 1e-12, for a = 2" in lines
    assert lines[-1] == "2 equations, 1 definitions, 1 claims, 1 checks, 2 executed"
