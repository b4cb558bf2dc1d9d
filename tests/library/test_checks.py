"""The ledger's checks: each passes a right equation, and refuses wrong and vacuous ones."""

import re
from decimal import Decimal

import numpy as np
import pytest
import sympy as sp

from gmmlib import checks
from gmmlib.checks import (
    LINE,
    CheckFailed,
    CheckTooWeak,
    gradient,
    negative_definite,
    never_decreases,
    numerical,
    printed,
    stationary,
    symbolic,
)

EQ = "eq-m-step-means"
x, mu = sp.symbols("x mu", real=True)
i, X = sp.Symbol("i", integer=True), sp.IndexedBase("x")
N, S, Q, sigma, v = sp.symbols("N S Q sigma v", positive=True)

# One Gaussian: its log-likelihood in the sufficient statistics N, S = Σx, Q = Σx², v = σ².
LIKELIHOOD = -N * sp.log(2 * sp.pi * v) / 2 - (Q - 2 * mu * S + N * mu**2) / (2 * v)
MEAN, VARIANCE = S / N, Q / N - (S / N) ** 2
DENSITY = sp.exp(-((x - mu) ** 2) / (2 * sigma**2)) / (sigma * sp.sqrt(2 * sp.pi))
HESSIAN = [[-N / v, 0], [0, -N / (2 * v**2)]]
SAME_FOR_ALL_V = sp.sin(v**2) ** 2 + sp.cos(v**2) ** 2
SLOPE = -(x - mu) / sigma**2
OFF_DIAGONAL = sp.Matrix([[-2 * N, N], [N, -2 * N]])


def squares(point):
    return float((point**2).sum() / 2 + point[0] * point[1])


THIRDS = np.arange(1, 10) / 7  # no short number among the first eight but one
POINT = np.array([1.0, -2.0, 0.5])
POINT_SLOPES = np.array([-1.0, -1.0, 0.5])

RIGHT = [
    pytest.param(lambda: symbolic(EQ, sp.diff(sp.log(DENSITY), x), SLOPE), id="symbolic"),
    pytest.param(
        lambda: symbolic(EQ, sp.integrate(DENSITY, (x, -sp.oo, sp.oo)), 1), id="symbolic-number"
    ),
    pytest.param(
        lambda: symbolic(
            EQ, sp.Matrix([LIKELIHOOD]).jacobian([mu]), sp.Matrix([[(S - N * mu) / v]])
        ),
        id="symbolic-matrix",
    ),
    pytest.param(lambda: symbolic(EQ, X[i] ** 2 / X[i], X[i]), id="symbolic-indexed"),
    pytest.param(lambda: stationary(EQ, LIKELIHOOD, {mu: MEAN}), id="stationary"),
    pytest.param(lambda: stationary(EQ, LIKELIHOOD, {mu: MEAN, v: VARIANCE}), id="stationary-both"),
    pytest.param(
        lambda: stationary(EQ, LIKELIHOOD, {v: VARIANCE}, given={mu: MEAN}), id="stationary-given"
    ),
    pytest.param(
        lambda: stationary(EQ, -N * sp.log(sigma) - S / (2 * sigma**2), {sigma: sp.sqrt(S / N)}),
        id="stationary-positive-symbol",
    ),
    pytest.param(lambda: negative_definite(EQ, HESSIAN), id="negative_definite"),
    pytest.param(lambda: negative_definite(EQ, OFF_DIAGONAL), id="negative_definite-off-diagonal"),
    pytest.param(lambda: numerical(EQ, [0.5, 2.0], [0.5 + 1e-16, 2.0]), id="numerical"),
    pytest.param(lambda: numerical(EQ, 0.1 + 0.2, 0.3), id="numerical-scalar"),
    pytest.param(
        lambda: numerical(EQ, [1e-9, 2.0], [0.0, 2.0], atol=1e-8), id="numerical-absolute"
    ),
    pytest.param(lambda: numerical(EQ, [1.0, -1.0], [1.0, -1.0]), id="numerical-ones"),
    pytest.param(lambda: numerical(EQ, np.arange(99), np.arange(99.0)), id="numerical-counts"),
    pytest.param(lambda: numerical(EQ, THIRDS[:7], [*THIRDS[:7]]), id="numerical-few-by-chance"),
    pytest.param(lambda: numerical(EQ, THIRDS * (1 + 1e-15), THIRDS), id="numerical-rounded"),
    pytest.param(lambda: numerical(EQ, 1.006, 1.0, rtol=0.04), id="numerical-draws"),
    pytest.param(lambda: gradient(EQ, squares, POINT, POINT_SLOPES), id="gradient"),
    pytest.param(lambda: gradient(EQ, lambda t: float(t**3), 2.0, 12.0), id="gradient-scalar"),
    pytest.param(lambda: never_decreases(EQ, [-7.1, -4.7, -4.7, -3.3]), id="never_decreases"),
    pytest.param(lambda: never_decreases(EQ, [-7.1, -4.7, -4.7 - 1e-14]), id="never-but-rounding"),
    pytest.param(lambda: printed(EQ, [0.5741, 1.30651], ["0.574", "1.3065"]), id="printed"),
    pytest.param(lambda: printed(EQ, 0.5741, "0.574"), id="printed-one"),
    pytest.param(
        lambda: printed(EQ, [sp.pi], ["3.14159265358979323846264338328"]), id="printed-exact"
    ),
    pytest.param(lambda: printed(EQ, np.array([-0.25]), ["-0.25"]), id="printed-negative"),
    pytest.param(lambda: printed(EQ, [12345.0], ["1.2e4"]), id="printed-exponent"),
    pytest.param(lambda: printed(EQ, sp.Rational(12, 5), "2.4"), id="printed-fraction"),
    pytest.param(lambda: printed(EQ, [11, 0.375], ["11", "0.375"]), id="printed-eighths"),
    pytest.param(lambda: printed(EQ, [0.1 + 0.2], ["0.3000000000000"]), id="printed-all-digits"),
    pytest.param(lambda: printed(EQ, sp.N(sp.pi, 30), "3.14159265"), id="printed-float"),
    pytest.param(lambda: printed(EQ, Decimal(2).sqrt(), "1.414"), id="printed-decimal"),
]

WRONG = [
    # symbolic
    pytest.param(lambda: symbolic(EQ, sp.diff(sp.log(DENSITY), x), -SLOPE), id="symbolic-sign"),
    pytest.param(
        lambda: symbolic(EQ, sp.diff(sp.log(DENSITY), x), 2 * SLOPE), id="symbolic-factor"
    ),
    pytest.param(
        lambda: symbolic(EQ, sp.diff(sp.log(DENSITY), x), -(x - mu) / sigma), id="symbolic-sigma"
    ),
    pytest.param(
        lambda: symbolic(EQ, sp.Matrix([1, x]), sp.Matrix([1, -x])), id="symbolic-matrix-entry"
    ),
    pytest.param(lambda: symbolic(EQ, sp.Matrix([1, x]), sp.Matrix([[1, x]])), id="symbolic-shape"),
    pytest.param(lambda: symbolic(EQ, sp.Matrix([1, x]), x), id="symbolic-matrix-and-scalar"),
    pytest.param(lambda: symbolic(EQ, x, sp.Matrix([1, x])), id="symbolic-scalar-and-matrix"),
    pytest.param(lambda: symbolic(EQ, sp.nan, sp.nan), id="symbolic-nan"),
    pytest.param(lambda: symbolic(EQ, sp.oo, sp.oo), id="symbolic-infinity"),
    # stationary
    pytest.param(lambda: stationary(EQ, LIKELIHOOD, {mu: -MEAN}), id="stationary-sign"),
    pytest.param(lambda: stationary(EQ, LIKELIHOOD, {mu: S / (2 * N)}), id="stationary-factor"),
    pytest.param(
        lambda: stationary(EQ, LIKELIHOOD, {v: sp.sqrt(VARIANCE)}, given={mu: MEAN}),
        id="stationary-sigma",
    ),
    pytest.param(lambda: stationary(EQ, LIKELIHOOD, {mu: MEAN, v: Q / N}), id="stationary-one-off"),
    pytest.param(lambda: stationary(EQ, LIKELIHOOD, {x: MEAN}), id="stationary-no-such-symbol"),
    pytest.param(
        lambda: stationary(EQ, sp.sin(x) ** 2 + sp.cos(x) ** 2 + mu**2, {x: S, mu: N}),
        id="stationary-hidden-constant",
    ),
    # negative_definite
    pytest.param(lambda: negative_definite(EQ, -sp.Matrix(HESSIAN)), id="definite-sign"),
    pytest.param(
        lambda: negative_definite(EQ, sp.Matrix([[-N, N], [N, -N]])), id="definite-factor-lost"
    ),
    pytest.param(
        lambda: negative_definite(EQ, [[-N / sigma**2, 0], [0, -N / mu]]),
        id="definite-unknown-sign",
    ),
    pytest.param(lambda: negative_definite(EQ, [[-1, 0], [0, 1]]), id="definite-saddle"),
    pytest.param(lambda: negative_definite(EQ, [[-2, 1], [0, -2]]), id="definite-not-symmetric"),
    pytest.param(lambda: negative_definite(EQ, [[-2, 1]]), id="definite-not-square"),
    # numerical
    pytest.param(lambda: numerical(EQ, [0.5, 2.0], [-0.5, -2.0]), id="numerical-sign"),
    pytest.param(lambda: numerical(EQ, [0.5, 2.0], [0.25, 1.0]), id="numerical-factor"),
    pytest.param(lambda: numerical(EQ, [0.5, 2.0], np.sqrt([0.5, 2.0])), id="numerical-sigma"),
    pytest.param(lambda: numerical(EQ, [0.5, 2.0], [0.5, 2.0 + 1e-11]), id="numerical-last-digits"),
    pytest.param(lambda: numerical(EQ, [0.5, 2.0], [0.5]), id="numerical-shape"),
    pytest.param(lambda: numerical(EQ, [], []), id="numerical-empty"),
    pytest.param(lambda: numerical(EQ, [np.nan], [np.nan]), id="numerical-nan"),
    pytest.param(lambda: numerical(EQ, [1.0], [np.inf]), id="numerical-infinity"),
    pytest.param(lambda: numerical(EQ, ["a"], [1.0]), id="numerical-text"),
    pytest.param(lambda: numerical(EQ, [1.0], [1.0], rtol=np.nan), id="numerical-tolerance-nan"),
    # gradient
    pytest.param(lambda: gradient(EQ, squares, POINT, -POINT_SLOPES), id="gradient-sign"),
    pytest.param(lambda: gradient(EQ, squares, POINT, POINT_SLOPES / 2), id="gradient-factor"),
    pytest.param(
        lambda: gradient(EQ, lambda t: float(-1 / (2 * t)), 4.0, 1 / (2 * 4.0)), id="gradient-sigma"
    ),
    pytest.param(lambda: gradient(EQ, squares, POINT, [-1.0, -1.0, 0.6]), id="gradient-one-entry"),
    pytest.param(lambda: gradient(EQ, squares, POINT, [-1.0, -1.0]), id="gradient-shape"),
    pytest.param(lambda: gradient(EQ, squares, [], []), id="gradient-empty"),
    pytest.param(lambda: gradient(EQ, lambda t: np.nan, POINT, POINT_SLOPES), id="gradient-nan"),
    pytest.param(lambda: gradient(EQ, squares, POINT, POINT * np.nan), id="gradient-expected-nan"),
    # never_decreases
    pytest.param(lambda: never_decreases(EQ, [7.1, 4.7, 3.3]), id="never-sign"),
    pytest.param(lambda: never_decreases(EQ, [-7.1, -4.7, -4.8]), id="never-one-fall"),
    pytest.param(lambda: never_decreases(EQ, [-7.1, -7.1 - 1e-10]), id="never-a-small-fall"),
    pytest.param(lambda: never_decreases(EQ, [-7.1]), id="never-one-value"),
    pytest.param(lambda: never_decreases(EQ, []), id="never-empty"),
    pytest.param(lambda: never_decreases(EQ, [[1, 2], [3, 4]]), id="never-a-table"),
    pytest.param(lambda: never_decreases(EQ, [-7.1, np.nan, -3.3]), id="never-nan"),
    pytest.param(lambda: never_decreases(EQ, [-np.inf, -3.3]), id="never-infinity"),
    # printed
    pytest.param(lambda: printed(EQ, [-0.5741], ["0.574"]), id="printed-sign"),
    pytest.param(lambda: printed(EQ, [0.287], ["0.574"]), id="printed-factor"),
    pytest.param(lambda: printed(EQ, [np.sqrt(0.574)], ["0.574"]), id="printed-sigma"),
    pytest.param(lambda: printed(EQ, [0.5747], ["0.574"]), id="printed-last-digit"),
    pytest.param(lambda: printed(EQ, [0.574, 0.599], ["0.574"]), id="printed-one-missing"),
    pytest.param(lambda: printed(EQ, [], []), id="printed-empty"),
    pytest.param(lambda: printed(EQ, [np.nan], ["0.574"]), id="printed-nan"),
    pytest.param(lambda: printed(EQ, [np.inf], ["0.574"]), id="printed-infinity"),
    pytest.param(lambda: printed(EQ, [x], ["0.574"]), id="printed-a-symbol"),
    pytest.param(
        lambda: printed(EQ, [float(sp.pi)], ["3.14159265358979323846264338328"]),
        id="printed-more-than-a-float-holds",
    ),
]

WEAK = [
    pytest.param(lambda: symbolic(EQ, 0, 0), id="symbolic-zero"),
    pytest.param(lambda: symbolic(EQ, x - x, sp.diff(S, x)), id="symbolic-hidden-zero"),
    pytest.param(
        lambda: symbolic(EQ, sp.zeros(2, 2), sp.zeros(2, 2)), id="symbolic-matrix-of-zeros"
    ),
    pytest.param(lambda: symbolic(EQ, 1, SAME_FOR_ALL_V), id="symbolic-v-does-not-matter"),
    pytest.param(lambda: symbolic(EQ, OFF_DIAGONAL, OFF_DIAGONAL), id="symbolic-itself"),
    pytest.param(lambda: stationary(EQ, LIKELIHOOD, {}), id="stationary-empty"),
    pytest.param(lambda: stationary(EQ, x**2, {x: 0}), id="stationary-zero"),
    pytest.param(
        lambda: stationary(EQ, LIKELIHOOD, {mu: 3 * MEAN}, given={mu: MEAN}),
        id="stationary-answer-given-away",
    ),
    pytest.param(lambda: negative_definite(EQ, sp.Matrix(0, 0, [])), id="definite-empty"),
    pytest.param(lambda: numerical(EQ, [0.0], [0.0]), id="numerical-zero"),
    pytest.param(lambda: numerical(EQ, [0.4], [0.5], rtol=2.0), id="numerical-loose-sign"),
    pytest.param(lambda: numerical(EQ, [0.4], [0.5], atol=0.2), id="numerical-loose-factor"),
    pytest.param(lambda: numerical(EQ, [0.98], [0.96], rtol=0.03), id="numerical-loose-sigma"),
    pytest.param(lambda: numerical(EQ, [1.3], [1.0], rtol=0.5), id="numerical-loose-tenth"),
    pytest.param(lambda: numerical(EQ, [1.3], [1.0], rtol=np.inf), id="numerical-infinitely-loose"),
    pytest.param(lambda: numerical(EQ, POINT, POINT), id="numerical-itself"),
    pytest.param(lambda: numerical(EQ, THIRDS, THIRDS.copy()), id="numerical-copy"),
    pytest.param(lambda: numerical(EQ, THIRDS, list(THIRDS)), id="numerical-list"),
    pytest.param(lambda: numerical(EQ, THIRDS, THIRDS[:]), id="numerical-view"),
    pytest.param(lambda: numerical(EQ, [1.05], [1.0], rtol=0.09), id="numerical-a-twentieth-off"),
    pytest.param(lambda: numerical(EQ, [0.96], [1.0], rtol=0.06), id="numerical-too-little"),
    pytest.param(
        lambda: numerical(EQ, [1.0, 1.05], [1.0, 1.0], rtol=0.09), id="numerical-one-of-two-off"
    ),
    pytest.param(lambda: gradient(EQ, lambda t: 1.0, POINT, 0 * POINT), id="gradient-zero"),
    pytest.param(lambda: gradient(EQ, squares, POINT, POINT_SLOPES, rtol=3.0), id="gradient-loose"),
    pytest.param(
        lambda: gradient(EQ, squares, POINT, 1.05 * POINT_SLOPES, rtol=0.09), id="gradient-lax"
    ),
    pytest.param(lambda: never_decreases(EQ, [-4.7, -4.7, -4.7]), id="never-constant"),
    pytest.param(lambda: never_decreases(EQ, [-4.7, -4.7 + 1e-14]), id="never-only-rounding"),
    pytest.param(lambda: never_decreases(EQ, [-4.0, -7.0, -3.0], rounding=1), id="never-loose"),
    pytest.param(lambda: never_decreases(EQ, [0.0, 0.0]), id="never-zeros"),
    pytest.param(
        lambda: never_decreases(EQ, [-4.0, -4.1, -3.0], rounding=0.05), id="never-falls-as-rounding"
    ),
    pytest.param(lambda: printed(EQ, [0.4], ["0.4"]), id="printed-one-digit"),
    pytest.param(lambda: printed(EQ, [0.002], ["0.002"]), id="printed-one-significant-digit"),
    pytest.param(lambda: printed(EQ, [0.0], ["0.000"]), id="printed-zero"),
    pytest.param(lambda: printed(EQ, [float("0.574")], ["0.574"]), id="printed-float-of-itself"),
    pytest.param(lambda: printed(EQ, np.array([-32.41]), ["-32.41"]), id="printed-array-of-itself"),
    pytest.param(lambda: printed(EQ, Decimal("0.574"), "0.574"), id="printed-decimal-of-itself"),
    pytest.param(lambda: printed(EQ, sp.Float("0.574"), "0.574"), id="printed-sympy-of-itself"),
    pytest.param(
        lambda: printed(EQ, [0.5741, 0.599], ["0.574", "0.599"]), id="printed-one-of-itself"
    ),
]

SYMBOLIC = {"symbolic", "stationary", "negative_definite"}


@pytest.mark.parametrize("check", RIGHT)
def test_a_right_equation_prints_one_line(check, capsys, request):
    check()
    out, err = capsys.readouterr()
    assert err == ""
    assert out.endswith("\n")
    assert out.count("\n") == 1
    line = LINE.fullmatch(out[:-1])
    assert line
    assert line["label"] == EQ
    name = request.node.callspec.id.split("-")[0]
    kind = "symbolic" if name in SYMBOLIC else "printed" if name == "printed" else "numerical"
    assert line["kind"] == kind


@pytest.mark.parametrize("check", WRONG)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_wrong_equation_fails_and_prints_nothing(check, capsys):
    with pytest.raises(CheckFailed, match=rf"^{EQ}: "):
        check()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("check", WEAK)
def test_a_vacuous_check_is_refused_and_prints_nothing(check, capsys):
    with pytest.raises(CheckTooWeak, match=rf"^{EQ}: "):
        check()
    assert capsys.readouterr().out == ""


def test_every_kind_is_shown_right_wrong_and_weak_equations():
    """A new kind of check cannot come in without its wrong equations."""
    kinds = {
        name
        for name, value in vars(checks).items()
        if callable(value)
        and getattr(value, "__module__", "") == "gmmlib.checks"
        and not name.startswith("_")
        and not isinstance(value, type)
    }
    for table in (RIGHT, WRONG, WEAK):
        shown = {name for case in table for name in kinds & set(case.values[0].__code__.co_names)}
        assert shown == kinds


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (lambda: symbolic(EQ, x + x, 2 * x), "symbolic · both sides are the same expression"),
        (
            lambda: stationary(EQ, LIKELIHOOD, {mu: MEAN}),
            "symbolic · the derivative in mu is 0 there, for all values",
        ),
        (
            lambda: negative_definite(EQ, HESSIAN),
            "symbolic · all 2 leading minors of -H are positive",
        ),
        (lambda: numerical(EQ, [1.0, 2.0], [1.0, 2.0]), "numerical · 2 values agree to 1e-12"),
        (
            lambda: numerical(EQ, 2.0, 2.0 + 1e-9, atol=1e-8),
            "numerical · 1 value agrees to 1e-12 or 1e-08 absolute",
        ),
        (
            lambda: gradient(EQ, squares, POINT, POINT_SLOPES),
            "numerical · 3 slopes agree with central differences to 1e-06",
        ),
        (lambda: numerical(EQ, 1.001, 1.0, rtol=0.04), "numerical · 1 value agrees to 4 %"),
        (lambda: numerical(EQ, 1.001, 1.0, rtol=0.015), "numerical · 1 value agrees to 1.5 %"),
        (lambda: numerical(EQ, 1.001, 1.0, rtol=2e-3), "numerical · 1 value agrees to 2e-03"),
        (lambda: never_decreases(EQ, [1, 2]), "numerical · 1 step, none falls"),
        (
            lambda: never_decreases(EQ, [1, 2], scope="for the waits"),
            "numerical · 1 step, none falls · for the waits",
        ),
        (
            lambda: printed(EQ, [0.5741, 1.30651], ["0.574", "1.3065"]),
            "printed · 2 numbers agree to all 3 to 5 digits shown",
        ),
        (lambda: printed(EQ, 0.5741, "0.574"), "printed · 1 number agrees to all 3 digits shown"),
    ],
)
def test_the_line_says_how(check, line, capsys):
    check()
    assert capsys.readouterr().out == f"✓ {EQ} · {line}\n"


@pytest.mark.parametrize(
    "label", ["", "m-step-means", "def-counts", "eq-", "eq-M", "eq-a--b", "eq-a b", "eq-a-", None]
)
def test_a_label_must_be_that_of_a_claim(label):
    with pytest.raises(ValueError, match=r"label is .* Name a displayed equation: eq-"):
        numerical(label, [1.0], [2.0])


@pytest.mark.parametrize(
    "scope", ["for K = 3\n✓ eq-b", "K · d", "K\u2028d", "✓", " for K", " ", "K\r", None, 3]
)
def test_a_scope_is_one_part_of_the_line(scope, capsys):
    with pytest.raises(ValueError, match=r"scope is .* Say in one line"):
        numerical(EQ, [1.0], [1.0], scope=scope)
    assert capsys.readouterr().out == ""


def test_what_was_said_is_kept(capsys, monkeypatch):
    monkeypatch.setattr(checks, "said", [])
    never_decreases(EQ, [1, 2])
    symbolic(EQ, x + x, 2 * x, scope="for real x")
    with pytest.raises(CheckFailed):
        never_decreases(EQ, [2, 1])
    assert checks.said == capsys.readouterr().out.splitlines()
    assert len(checks.said) == 2


@pytest.mark.parametrize("text", ["abc", "", "nan", "inf", 0.574])
def test_printed_takes_decimal_strings(text):
    with pytest.raises(ValueError, match=r"Pass decimal strings such as '0\.398'"):
        printed(EQ, [0.574], [text])


@pytest.mark.parametrize(
    ("line", "matches"),
    [
        ("✓ eq-a · symbolic · both sides", True),
        ("✓ eq-a-1 · printed · x", True),
        ("✓ def-a · symbolic · both sides", False),
        ("eq-a · symbolic · both sides", False),
        ("✓ eq-a · symbolic ·", False),
        ("✓ eq-a - symbolic - both sides", False),
        ("✓ eq-a · symbolic · both sides · for K = 3", True),
        ("✓ eq-a · symbolic · both sides · for K = 3 · and d = 2", False),
        ("✓ eq-a · symbolic · both sides · ", False),
    ],
)
def test_the_pattern_of_a_line(line, matches):
    assert bool(LINE.fullmatch(line)) == matches


@pytest.mark.parametrize("scope", ["", "for K = 3", "for every n·d"])
def test_a_line_is_read_as_it_was_written(scope, capsys):
    numerical(EQ, 2.0, 2.0 + 1e-9, atol=1e-8, scope=scope)
    line = LINE.fullmatch(capsys.readouterr().out[:-1])
    assert line["how"] == "1 value agrees to 1e-12 or 1e-08 absolute"
    assert line["scope"] == (scope or None)


@pytest.mark.parametrize(
    ("check", "version"),
    [
        (lambda: symbolic(EQ, 0, 0), "the sign flipped"),
        (lambda: symbolic(EQ, 1, SAME_FOR_ALL_V), "v where v² belongs"),
        (lambda: stationary(EQ, x**2, {x: 0}), "the sign flipped in x"),
        (lambda: stationary(EQ, sp.cos(v), {v: 2 * sp.pi}), "a factor 2 lost in v"),
        (lambda: numerical(EQ, 0.4, 0.5, rtol=2.0), "the sign flipped"),
        (lambda: numerical(EQ, 0.4, 0.5, atol=0.2), "a factor 2 lost"),
        (lambda: numerical(EQ, 0.98, 0.96, rtol=0.03), r"square roots taken (σ where σ² belongs)"),
        (lambda: numerical(EQ, [-1.3], [-1.0], rtol=0.31), "a twentieth added"),
        (lambda: numerical(EQ, [-0.9], [-1.0], rtol=0.11), "a twentieth taken off"),
        (lambda: never_decreases(EQ, [1, 1]), "the sequence backwards"),
    ],
)
def test_a_refusal_names_the_wrong_version_that_passes(check, version):
    with pytest.raises(CheckTooWeak, match=re.escape(f"with {version} ")):
        check()


def test_a_failure_names_the_place_and_the_numbers():
    with pytest.raises(CheckFailed, match=r"off by 0\.5 at index \(1,\): 2 and 2\.5"):
        numerical(EQ, [1.0, 2.0], [1.0, 2.5])
    with pytest.raises(CheckFailed, match=r"step 2 falls by 1, to 1"):
        never_decreases(EQ, [1, 2, 1])
    with pytest.raises(CheckFailed, match=r"printed 0\.574, computed 0\.57470"):
        printed(EQ, 0.5747, "0.574")
    with pytest.raises(CheckFailed, match=r"the derivative in mu is .* there, not 0"):
        stationary(EQ, LIKELIHOOD, {mu: 2 * MEAN})
    with pytest.raises(CheckFailed, match=r"the objective does not depend on x"):
        stationary(EQ, LIKELIHOOD, {x: MEAN})
