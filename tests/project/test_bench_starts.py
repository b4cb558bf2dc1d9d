"""The benchmark of starts: who counts as having reached the best, and what the page says of it."""

import numpy as np
import pytest

import starts
from gmmlib import GaussianMixture, Mixture

X = np.random.default_rng(0).normal(size=(400, 2))


def row(**reached):
    names = {"gmmlib": [-100.0, -100.0], "a peer": [-100.0, -150.0], **reached}
    return {
        "data": "data", "n": 1000, "d": 2, "K": 2, "covariance_type": "full",
        "reached": names,
        "seconds": {name: [1.0 if name == "gmmlib" else 4.0] * 2 for name in names},
        "singular": dict.fromkeys(names, 0) | {"singular": 2},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reached", "cells"),
    [
        ({}, ["2/2; 1 s", "1/2, −5e-02; 4 s", "as high; 25% of the time"]),
        ({"gmmlib": [-99.0, -99.0]}, ["2/2; 1 s", "0/2, −5e-02; 4 s", "+1e-03; 25% of the time"]),
        ({"gmmlib": [-100.0, -103.0]}, ["1/2, −3e-03; 1 s", "1/2", "−3e-03; 25% of the time"]),
        ({"a peer": [-100.0, None]}, ["2/2; 1 s", "1/2, 1 none; 4 s", "as high"]),
        ({"singular": [None, None]}, ["2/2; 1 s", "1/2", "0/2, 2 singular; 4 s", "as high"]),
    ],
    ids=["as high", "ahead", "behind", "no fit", "singular"],
)
def test_the_page_says_who_reached_the_best(reached, cells):
    line = starts.page({"cases": [row(**reached)]}).splitlines()[-1]
    for cell, wanted in zip(line.split(" | ")[2:], cells, strict=True):
        assert cell.startswith(wanted)


@pytest.mark.parametrize(
    ("scale", "kind", "expected"),
    [(1.0, "full", False), (1e-3, "full", True), (1e-3, "spherical", True), (0.05, "diag", False)],
)
def test_a_component_no_wider_than_a_ridge_is_singular(scale, kind, expected):
    mixture = Mixture([0.5, 0.5], np.zeros((2, 2)), [np.eye(2), scale**2 * np.eye(2)])
    assert starts.is_singular(mixture, X, kind) is expected


def test_every_way_is_tried_from_every_seed_and_slow_ones_from_fewer():
    def slow(X, case, seed):
        return GaussianMixture(2, random_state=seed).fit(X).mixture_

    ways = {"gmmlib": starts.Ours({}), "one start": starts.Ours({"n_init": 1}), "fails": fails}
    case = starts.Case("data", lambda: np.r_[X, X + 9], 2)
    found = starts.measured(case, 3, ways, budget=60.0)
    assert {name: len(values) for name, values in found["reached"].items()} == dict.fromkeys(
        ways, 3
    )
    assert found["reached"]["fails"] == [None] * 3
    assert min(found["reached"]["gmmlib"]) >= max(found["reached"]["one start"]) - 1e-6
    assert len(starts.measured(case, 3, {"gmmlib": slow}, budget=0.0)["reached"]["gmmlib"]) == 1


def fails(X, case, seed):
    raise ValueError("no")


def test_data_are_the_same_each_time():
    for case in starts.CASES:
        data = case.data()
        assert np.isfinite(data).all()
        np.testing.assert_array_equal(data, case.data())
