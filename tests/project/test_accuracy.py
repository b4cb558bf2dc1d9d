"""One EM step of the engine against 50 digits, on data that are hard; ``make bench`` has more."""

import json

import numpy as np
import pytest

import accuracy
from accuracy import cases, errors, exact_step, suited
from gmmlib import Mixture
from gmmlib.engine import Matrices, using
from gmmlib.models import COVARIANCE_TYPES

GRID = {
    "full": [
        *cases(offsets=(0, 1e8), n=60),
        *cases(offsets=(0, 1e8), conditions=(1,), n=60, d=5),
        *cases(offsets=(0, 1e8), scales=(1,), aparts=(3,), conditions=(1e10,), n=60, d=5),
    ],
    "tied": [
        *cases(offsets=(0, 1e8), n=60, scales=(1e6,)),
        *cases(offsets=(0, 1e8), n=60, d=5, scales=(1,), conditions=(1,), aparts=(3, 12)),
    ],
    "diag": [
        *cases(offsets=(0, 1e8), n=60, diagonal=True),
        *cases(offsets=(0, 1e8), n=60, d=5, conditions=(1,), diagonal=True),
    ],
    "spherical": [
        *cases(offsets=(0, 1e8), n=60, conditions=(1,), diagonal=True),
        *cases(offsets=(0,), n=60, d=5, scales=(1,), conditions=(1,), diagonal=True),
    ],
}
HARD = [(kind, suited(case, kind)) for kind in COVARIANCE_TYPES for case in GRID[kind]]
NAMES = [f"{kind}, d = {case.X.shape[1]}, {case.name}" for kind, case in HARD]

# Σ⁻¹ magnifies what is rounded off Σ by its condition, 1e10, whoever computes it.
FLOORS = {"weights": 1e-14, "means": 1e-14, "covariances": 3e-14, "whitened": 1e-5}


EXACT = {}  # takes most of the time, and both roads are held against it


def judged(case, kind):
    """The engine's errors, and the most that is allowed: those of the careful implementation."""
    if (id(case), kind) not in EXACT:
        EXACT[id(case), kind] = exact_step(case, kind)
    exact = EXACT[id(case), kind]
    found = errors(accuracy.engine_step(case.X, case.mixture, kind), exact)
    try:
        careful = errors(accuracy.careful_step(case.X, case.mixture, kind), exact)
    except ValueError:  # it takes such a component for flat
        careful = dict.fromkeys(found, 0.0)
    floors = FLOORS if case.condition > 1 else FLOORS | {"whitened": 3e-14}
    return found, {name: max(floors[name], 4 * careful[name]) for name in found}


@pytest.mark.parametrize(("kind", "case"), HARD, ids=NAMES)
def test_a_step_is_as_accurate_as_the_centred_one(road, kind, case):
    found, allowed = judged(case, kind)
    assert all(found[name] <= allowed[name] for name in found), (found, allowed)


@pytest.mark.parametrize("name", ["scales 1e6", "apart 1e6", "scales 1e6, apart 1e6"])
def test_the_moments_alone_would_not_be(name):
    case = next(case for kind, case in HARD if (kind, case.name) == ("full", name))
    try:
        with using(Matrices(cancelling=np.inf)):
            found, allowed = judged(case, "full")
    except ValueError:  # so much cancels that no covariance is left
        return
    assert any(found[name] > 1e3 * allowed[name] for name in found), found


def test_the_exact_step_is_the_formula():
    """Two points and one component: the mean is half their sum, the variance a quarter of it."""
    X = np.array([[1.0], [4.0]])
    case = accuracy.Case(0, 1, 1, 3, X, Mixture([1.0], [[2.0]], [[[1.0]]]))
    exact = exact_step(case, "full")
    assert (exact.weights[0], exact.means[0, 0], exact.covariances[0, 0, 0]) == (1, 2.5, 2.25)


def test_errors_are_in_the_units_of_the_component():
    X = np.array([[1e6 - 1e-3], [1e6 + 1e-3]])
    case = accuracy.Case(0, 1, 1, 3, X, Mixture([1.0], [[1e6]], [[[1.0]]]))
    sigma = (X[1, 0] - X[0, 0]) / 2
    off = Mixture([1.0], [[1e6 + 0.1 * sigma]], [[[1.5 * sigma**2]]])
    found = errors(off, exact_step(case, "full"))
    assert found["weights"] == 0
    assert found["means"] == pytest.approx(0.1, rel=1e-6)
    assert found["covariances"] == pytest.approx(0.5, rel=1e-9)
    assert found["whitened"] == pytest.approx(0.5, rel=1e-9)


def test_the_stored_page_is_that_of_the_stored_errors():
    told = json.loads((accuracy.HERE / "results" / "accuracy.json").read_text(encoding="utf-8"))
    page = (accuracy.HERE / "results" / "accuracy.md").read_text(encoding="utf-8")
    assert accuracy._page(told["rows"]) == page
    told["rows"][0]["em"]["means"] = 1.0
    assert accuracy._page(told["rows"]) != page


def test_the_page_has_the_worst_and_every_case():
    step = accuracy.STEPS["em"]
    rows = list(accuracy.measured(cases((0,), (1,), (1, 1e10), (3,), n=30), "full", {"em": step}))
    rows = [row | dict.fromkeys(accuracy.STEPS, row["em"]) for row in rows]
    rows[0] |= {"scikit_learn": {"failed": "collapsed"}}
    page = accuracy._page(rows)
    assert page.count("| full | 3 |") == 2
    assert page.count("*collapsed*") == 1
    assert "| refused, of 2 | 0 | 0 | 0 | 1 |" in page
