"""Sums that are the same in every digit, and the first pass over the data, which is one of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmmlib.engine import PairwiseSum
from gmmlib.engine.pairwise import added
from gmmlib.engine.summary import Summary
from strategies import seeds

TERMS = np.random.default_rng(0).normal(size=(77, 3)) * 10.0 ** np.random.default_rng(1).uniform(
    -3, 3, (77, 1)
)


def in_order(terms):
    total = PairwiseSum()
    for number, term in enumerate(terms):
        total.add(number, term)
    return total


@given(seed=seeds, n=st.integers(1, 77), shares=st.integers(1, 9))
def test_every_digit_is_the_same_in_any_order_and_any_shares(seed, n, shares):
    rng = np.random.default_rng(seed)
    parts = [PairwiseSum() for _ in range(shares)]
    for number in rng.permutation(n):
        parts[rng.integers(shares)].add(int(number), TERMS[number])
    total = PairwiseSum()
    for part in parts:
        total.join(part)
    assert len(total) == n
    np.testing.assert_array_equal(total.total(), in_order(TERMS[:n]).total())


def test_a_chain_of_additions_would_not_have_the_same_digits():
    chain = sum(TERMS[1:], start=TERMS[0])
    assert (chain != in_order(TERMS).total()).any()


@pytest.mark.parametrize("n", [1, 2, 3, 64, 77])
def test_neighbours_leave_few_sums_to_hand_on(n):
    assert in_order(TERMS[:n]).n_nodes == bin(n).count("1")
    middle = PairwiseSum()
    for number in range(5, 5 + n):
        middle.add(number, 1.0)
    assert middle.n_nodes <= 2 * np.log2(n) + 1
    assert middle.total() == n


def test_what_is_missing_adds_nothing():
    terms = [None, 1.0, None, 2.0, None]
    assert added(iter(terms)) == 3.0
    assert added(iter([None, None])) is None
    assert added(iter([])) is None


# --- the first pass -------------------------------------------------------------------------------


def cases(rng):
    yield rng.normal(size=(60, 3)), None
    yield rng.normal(size=(60, 3)) * [1e-120, 1, 1e120] + [0, 1e8, 0], rng.uniform(0, 3, size=60)
    yield np.tile([[1.0, 2.0, 0.0]], (60, 1)), None  # constant
    yield np.r_[np.zeros((30, 3)), 1e-90 * rng.normal(size=(30, 3))], None
    w = np.ones(60)
    w[:40] = 0
    yield rng.normal(size=(60, 3)), w


@pytest.mark.parametrize("case", range(5))
@pytest.mark.parametrize("cut", [1, 25, 40, 59])
def test_a_summary_of_both_is_the_sum_of_both_summaries(case, cut):
    rows, w = list(cases(np.random.default_rng(case)))[case]
    one = Summary.of(rows, w)
    other = Summary.of(rows[:cut], None if w is None else w[:cut]) + Summary.of(
        rows[cut:], None if w is None else w[cut:]
    )
    for name in ("n_rows", "is_weighted", "bad"):
        assert getattr(one, name) == getattr(other, name)
    for name in ("weight", "mean", "lowest", "highest"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-13)
    used = rows if w is None else rows[w > 0]
    spread = np.sqrt(
        np.average((used - one.mean) ** 2, axis=0, weights=None if w is None else w[w > 0])
    )
    for found in (one, other):
        unit = np.where(found.unit > 0, found.unit, 1)
        sd = np.sqrt(found.squares / found.weight) * unit
        np.testing.assert_allclose(sd, spread, rtol=1e-12, atol=1e-15 * np.abs(used).max())


def test_the_first_bad_entry_is_the_one_that_is_named():
    rows = np.zeros((9, 2))
    rows[[4, 7], [1, 0]] = np.nan, np.inf
    parts = [Summary.of(rows[i : i + 3], None) for i in range(0, 9, 3)]
    assert (parts[0] + parts[1] + parts[2]).bad[:2] == (4, 1)
    assert (parts[0] + (parts[1] + parts[2])).bad[:2] == (4, 1)
    assert (parts[0] + parts[2]).bad[:2] == (4, 0)
