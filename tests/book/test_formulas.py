"""The displays run from their own LaTeX: all hold, and wrong ones are refused."""

import re

import pytest

import displays as command
import executed
from book import ROOT, read_book
from executed import Executed
from formulas import mutants
from formulas.letters import Undeclared
from formulas.parser import AnyLetter, read_display, read_formula
from formulas.run import Displays, Shown, displays_of


@pytest.fixture(scope="module")
def displays() -> Displays:
    return displays_of(read_book().pages, ROOT)


@pytest.fixture(scope="module")
def records() -> dict[str, Executed]:
    return executed.outcomes(ROOT)


def test_a_claim_holds_in_five_worlds_unless_it_is_about_one_data_set(
    displays: Displays, records: dict[str, Executed]
) -> None:
    few = {label for label, record in records.items() if len(record.sizes) < 5}
    assert few == {label for label, o in displays.worlds.items() if o.get("count") == 1}


def test_a_sample_of_mutants_is_refused(displays: Displays, records: dict[str, Executed]) -> None:
    users = mutants.users_of({label: record.stands_on for label, record in records.items()})
    known = command.explained()
    survivors = [
        mutant.name
        for label in list(displays.shown)[::4]
        for mutant in mutants.sample(
            mutants.mutants_of(displays, label, mutants.OPERATORS), 1, seed=7
        )
        if not mutants.is_refused(displays, mutant, users)
    ]
    assert [name for name in survivors if name not in known] == []


def test_a_mutant_that_is_not_refused_is_told(
    displays: Displays, capsys: pytest.CaptureFixture[str]
) -> None:
    (first, second, *_) = mutants.mutants_of(displays, "eq-bias", mutants.OPERATORS)
    assert command.report([first, second], ["does not hold", ""], {}) == 1
    assert f"survives: {second.name}" in capsys.readouterr().out
    assert command.report([first, second], ["does not hold", ""], {second.name: "true"}) == 0


def test_a_place_that_moves_nothing_is_no_maximum(displays: Displays) -> None:
    rows = [dict(row) for row in displays.rows]
    (best,) = [row for row in rows if row["symbol"] == [r"\hat\mu", r"\hat\sigma"]][:1]
    best["maximises"] = r"n+0\mu"
    changed = Displays(
        displays.shown.values(), {"letters": rows, "worlds": displays.worlds}, displays.given
    )
    assert "is no maximum" in changed.run("eq-mle-mean").error


# label, what stands in the display, what is put in its place, what is said
PLANTED = {
    "a sign": ("eq-sufficient", r"S_2-2\mu S_1", r"S_2+2\mu S_1", "does not hold"),
    "a factor": ("eq-bias", r"\frac{n-1}n", r"\frac{n}{n-1}", "does not hold"),
    "an index": ("eq-gradient-mean", r"\sigma_j^2", r"\sigma_i^2", ""),
    "a power": ("eq-score-variance", r"2\sigma^4", r"2\sigma^2", "does not hold"),
    "a transpose": ("eq-gradient-matrix", r"x\,x^\top", r"x^\top\,x", "does not hold"),
    "an inequality": ("eq-jensen", r"\ge", r"\le", "does not hold"),
    "a condition that is missing": ("eq-between-two", r"\qquad(K=2)", "", "does not hold"),
    "a condition that is wrong": ("eq-remaining", "|r|<1", "r<1", "has no value"),
    "a condition that is true by accident": (
        "eq-need-cholesky", "My=b", r"M^\top y=b", "is not true of its letters",
    ),
    "a cube in a condition": (
        "eq-m-step-hessian", r"\sigma_j^2=\hat", r"\sigma_j^3=\hat", "only squares are solved",
    ),
    "an item before the dots": (
        "def-sufficient-statistics", r"\,x_1x_2,", r"\,\sqrt{x_1}x_2,", "not of one form",
    ),
    "a relation before a rest": ("eq-step-divergence", "=", r"\ne", "not of that order"),
    "a border": ("eq-two-modes", r"\delta>1", r"\delta>\tfrac{21}{20}", "sides are"),
    "a printed digit": ("eq-new-means", "1.30657537257", "1.30657537258", "does not hold"),
    "order of factors": (
        "eq-inverse-rate", r"\Sigma^{-1}\,\dot\Sigma\,\Sigma^{-1}",
        r"\Sigma^{-1}\,\Sigma^{-1}\,\dot\Sigma", "does not hold",
    ),
    "a letter that is not declared": ("eq-bias", r"\sigma^2", r"\xi^2", "not in the notation"),
    "a word": ("eq-bias", r"\sigma^2", r"\sigma^2\quad\text{roughly}", "is no word"),
    "a brace": ("eq-bias", r"\frac{n-1}n", r"\frac{n-1", "is not read"),
    "half a claim": ("eq-bias", r"=\frac{n-1}n\,\sigma^2", "", "is no relation"),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_a_wrong_display_is_refused(displays: Displays, what: str) -> None:
    label, old, new, said = PLANTED[what]
    one = displays.shown[label]
    assert old in one.latex
    wrong = Shown(label, one.chapter, one.latex.replace(old, new))
    changed = Displays(
        {**displays.shown, label: wrong}.values(),
        {"letters": displays.rows, "worlds": displays.worlds},
        displays.given,
    )
    outcome = changed.run(label)
    assert not outcome.holds
    assert said in outcome.error


def test_worlds_need_sizes(displays: Displays) -> None:
    bare = Displays(displays.shown.values(), {"letters": displays.rows}, displays.given)
    assert "[worlds] has no sizes; add a line such as" in bare.run("eq-log-det").error


def test_a_wrong_definition_is_refused_by_a_claim(displays: Displays) -> None:
    one = displays.shown["def-gaussian"]
    wrong = Shown(one.label, one.chapter, one.latex.replace(r"-\tfrac12", "-"))
    assert wrong.latex != one.latex
    changed = Displays(
        {**displays.shown, one.label: wrong}.values(),
        {"letters": displays.rows, "worlds": displays.worlds},
        displays.given,
    )
    assert not changed.run("eq-bivariate-log-density").holds


# LaTeX -> the tree, as far as it is in doubt
READ = {
    r"\log ab+c": "add(log(mul(sym[a](), sym[b]())), sym[c]())",
    r"\log(a)b": "mul(log(group(sym[a]())), sym[b]())",
    r"\det AB": "mul(det(sym[A]()), sym[B]())",
    r"x^2_1": "pow(sym[x](), num[2]())",
    r"\frac12": "frac(num[1](), num[2]())",
    r"\frac{d}2": "frac(sym[d](), num[2]())",
    r"\frac{d^2f}{dt^2}": "d[2](sym[f](), sym[t]())",
    r"A^{-1}": "inv(sym[A]())",
    r"A^{-\top}": "T(inv(sym[A]()))",
    r"S_{12}": "sym[S](num[1](), num[2]())",
    r"a\cdot b": "mul(sym[a](), dot(), sym[b]())",
}


@pytest.mark.parametrize("latex", READ)
def test_what_latex_leaves_open(latex: str) -> None:
    if latex == r"x^2_1":
        with pytest.raises(ValueError, match="cannot read on"):
            read_formula(latex, _NoCalls())
    else:
        assert str(read_formula(latex, _NoCalls())) == READ[latex]


class _NoCalls(AnyLetter):
    def has(self, base: str) -> bool:
        return False

    def is_function(self, base: str, indices: tuple = ()) -> bool:
        return False


def test_a_call_is_a_call_only_of_a_function() -> None:
    assert read_formula("f(x)", AnyLetter()).op == "call"
    assert read_formula("f(x)", _NoCalls()).op == "mul"
    assert read_formula(r"f\,(x)", AnyLetter()).op == "mul"


CONDITIONS = {
    r"a=b\qquad(K=2)": ["claim", "condition"],
    r"a=b\qquad\text{for }0<r<1": ["claim", "condition"],
    r"a=b\quad\text{if }c=d,\qquad e=f": ["claim", "if", "claim"],
    r"a\ge b,\qquad\text{with equality only at }t=1": ["claim", "equality"],
    r"a=b,\quad c=d": ["claim", "claim"],
}


@pytest.mark.parametrize("latex", CONDITIONS)
def test_kinds_of_statement(latex: str) -> None:
    kinds = [statement.kind for statement in read_display(latex, _NoCalls()).statements]
    assert kinds == CONDITIONS[latex]


def test_the_command_names_a_label_that_is_not_there(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        command.main(["eq-nowhere"])
    assert re.search("eq-nowhere: no display of .* has that label", capsys.readouterr().err)


def test_the_command_says_in_which_worlds(capsys: pytest.CaptureFixture) -> None:
    assert command.main(["eq-log-det"]) == 0
    assert "eq-log-det held in 5 worlds: n, K, d = " in capsys.readouterr().out


def test_a_letter_of_another_shape_is_undeclared(displays: Displays) -> None:
    letters = displays.letters(displays.shown["eq-bias"])
    with pytest.raises(Undeclared, match="not in the notation"):
        letters.find(r"\xi", ())
