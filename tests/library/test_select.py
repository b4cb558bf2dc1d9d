"""Every family with every number of components: the numbers, the table, the file, the errors."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_iris

from gmmlib import GaussianMixture, datasets
from gmmlib.select import CRITERIA, select

FAITHFUL = datasets.old_faithful()
ACIDITY = datasets.acidity()
FEW = {"n_init": 3}
SMALL = select(FAITHFUL, [1, 2, 3], ["EEE", "VEV", "tied"], **FEW)


def numbers(selection):
    """All but the times."""
    columns = selection.columns()
    return {name: values for name, values in columns.items() if name != "seconds"}


# mclust 6.0.0: BIC and ICL with its sign
PUBLISHED = [
    pytest.param(ACIDITY, "E", 2, -392.072311, -398.555434, id="acidity"),
    pytest.param(load_iris().data, "VEV", 2, -561.728462, -561.728876, id="iris"),
    pytest.param(FAITHFUL, "EEE", 3, -2314.316, -2357.824, id="faithful"),
]


@pytest.mark.parametrize(("X", "kind", "K", "bic", "icl"), PUBLISHED)
def test_mclusts_criteria_have_the_other_sign(X, kind, K, bic, icl):
    """It stops early, so ours are a little lower."""
    cell = select(X, [K], [kind]).best()
    assert -bic - 0.05 < cell.bic <= -bic + 1e-3
    assert cell.icl == pytest.approx(-icl, abs=0.6)


def test_where_mclust_ends_on_a_lower_summit_ours_is_better():
    cell = select(datasets.galaxies() / 1000, [4], ["V"]).best()
    assert cell.bic < 446.982903 - 3


def test_a_cell_is_a_fit_of_the_estimator():
    cell = SMALL["VEV", 2]
    model = GaussianMixture.from_mixture(cell.mixture, "VEV")
    assert cell.log_likelihood == pytest.approx(cell.mixture.log_likelihood(FAITHFUL))
    assert cell.bic == pytest.approx(model.bic(FAITHFUL))
    assert cell.aic == pytest.approx(model.aic(FAITHFUL))
    certain = np.log(model.predict_proba(FAITHFUL).max(axis=1)).sum()
    assert cell.icl == pytest.approx(cell.bic - 2 * certain)
    assert cell.n_parameters == model._n_parameters() == 10


@pytest.mark.filterwarnings("ignore:did not converge")
def test_every_fit_has_the_random_state():
    once = {"n_init": 1, "max_iter": 1, "init_params": "random_from_data"}  # where it started shows
    for seed in (0, 7):
        alone = GaussianMixture(3, covariance_type="VEV", random_state=seed, **once).fit(FAITHFUL)
        cell = select(FAITHFUL, [3], ["VEV"], random_state=seed, **once)["VEV", 3]
        assert alone.mixture_ == cell.mixture


def test_values_ranked_and_best():
    assert SMALL.values().shape == (3, 3)
    for criterion in CRITERIA:
        ranked = SMALL.ranked(criterion)
        found = [getattr(cell, criterion) for cell in ranked]
        assert found == sorted(found)
        assert SMALL.best(criterion) is ranked[0]
        assert np.nanmin(SMALL.values(criterion)) == found[0]
        best = SMALL.estimator(criterion)
        assert best.bic(FAITHFUL) == pytest.approx(ranked[0].bic)
        assert best.predict(FAITHFUL).max() == ranked[0].n_components - 1
    two_names = SMALL["EEE", 3], SMALL["tied", 3]
    assert two_names[0].bic == pytest.approx(two_names[1].bic, abs=1e-6)


def test_the_result_is_the_same_for_any_order_and_any_number_of_processes():
    backwards = select(FAITHFUL, [3, 2], ["VEV"], **FEW)
    for K in (2, 3):
        assert backwards["VEV", K].log_likelihood == SMALL["VEV", K].log_likelihood
    two = select(FAITHFUL, [1, 2, 3], ["EEE", "VEV", "tied"], n_jobs=2, **FEW)
    found, wanted = numbers(two), numbers(SMALL)  # another process may have compiled otherwise
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        if isinstance(values[0], float):
            np.testing.assert_allclose(found[name], values, rtol=1e-10, err_msg=name)
        else:
            assert found[name] == values, name


def test_fourteen_families_or_two():
    asked = select(ACIDITY, [1], **FEW)
    assert asked.covariance_types == ("E", "V")
    asked = select(FAITHFUL, [1], **FEW)
    assert len(asked.covariance_types) == 14
    assert len({round(cell.log_likelihood, 6) for cell in asked.cells}) == 3


def test_weights_count_observations():
    w = np.random.default_rng(0).integers(0, 3, size=len(FAITHFUL), dtype=np.intp)
    weighted = select(FAITHFUL, [2], ["EEV"], sample_weight=w, n_init=10).best()
    repeated = select(np.repeat(FAITHFUL, w, axis=0), [2], ["EEV"], n_init=10).best()
    for name in ("log_likelihood", *CRITERIA):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), abs=1e-5)


def test_a_fit_that_warns_or_fails_has_a_note_and_is_not_the_best():
    X = np.r_[np.zeros(30), np.linspace(1, 2, 30)][:, np.newaxis]
    selection = select(X, [2, 3], ["E", "V"])
    spiked = selection["V", 2]
    assert spiked.note
    assert "!" in selection.table() or "-" in selection.table()
    assert "note" in str(selection)
    assert spiked not in selection.ranked()
    refused = select(X, [2], ["V"], reg_covar=0)
    assert np.isnan(refused.values()).all()
    assert "collapsed" in refused["V", 2].note
    assert refused.table().split()[-1] == "-"
    with pytest.raises(ValueError, match=r"the first says: .*collaps"):
        refused.best()
    stopped = select(FAITHFUL, [3], ["VVV"], max_iter=2, **FEW)
    assert "did not converge" in stopped.cells[0].note


def test_the_table():
    lines = SMALL.table().splitlines()
    assert lines[0].split() == ["K", "EEE", "VEV", "tied"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3"]
    assert sum(line.count("*") for line in lines) == 1
    assert len({len(line) for line in lines}) == 1
    assert str(SMALL).endswith("best: EEE, K = 3")


# --- a file ---------------------------------------------------------------------------------------


def test_a_run_that_was_stopped_goes_on(tmp_path, monkeypatch):
    path = tmp_path / "cells.jsonl"
    first = select(FAITHFUL, [1, 2], ["EEE", "VII", "VVI"], file=path, **FEW)
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) == 7
    path.write_text("".join(lines[:3]) + lines[3][:40])  # stopped while it was writing
    fitted = []
    whole = GaussianMixture.fit

    def counted(self, *args, **kwargs):
        fitted.append((self.covariance_type, self.n_components))
        return whole(self, *args, **kwargs)

    monkeypatch.setattr(GaussianMixture, "fit", counted)
    again = select(FAITHFUL, [1, 2], ["EEE", "VII", "VVI"], file=path, **FEW)
    assert len(fitted) == 4
    assert numbers(again) == numbers(first)
    for cell in first.cells:
        other = again[cell.covariance_type, cell.n_components]
        np.testing.assert_array_equal(other.mixture.covariances, cell.mixture.covariances)
    more = select(FAITHFUL, [1, 2, 3], ["EEE", "VII"], file=path, **FEW)
    assert len(fitted) == 6
    assert more["VII", 2].bic == first["VII", 2].bic


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"X": FAITHFUL[:-1]}, "its data is"),
        ({"random_state": 1}, "its random_state is 0, and here 1"),
        ({"n_init": 4}, "its options is"),
        ({"sample_weight": 2}, "its data is"),
    ],
)
def test_a_file_of_something_else_is_refused_and_kept(tmp_path, other, message):
    path = tmp_path / "cells.jsonl"
    select(FAITHFUL, [1], ["EEE"], file=path, **FEW)
    before = path.read_text()
    arguments = {"X": FAITHFUL, **FEW, **other}
    with pytest.raises(ValueError, match=f"is of another selection: {message}"):
        select(arguments.pop("X"), [1], ["EEE"], file=path, **arguments)
    assert path.read_text() == before


@pytest.mark.parametrize("text", ["hello\n", "[1, 2]\n{}\n", json.dumps({"data": 1}) + "\n"])
def test_a_file_that_is_no_selection_is_refused_and_kept(tmp_path, text):
    path = tmp_path / "cells.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match="Name another"):
        select(FAITHFUL, [1], ["EEE"], file=path)
    assert path.read_text() == text


def test_a_fit_that_failed_is_in_the_file_too(tmp_path):
    path = tmp_path / "cells.jsonl"
    X = np.r_[np.zeros(30), np.linspace(1, 2, 30)][:, np.newaxis]
    first = select(X, [2], ["V"], reg_covar=0, file=path)
    again = select(X, [2], ["V"], reg_covar=0, file=path)
    assert again["V", 2].note == first["V", 2].note
    assert again["V", 2].mixture is None


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_components": []}, ValueError, r"n_components is \[\]"),
        ({"covariance_types": []}, ValueError, r"covariance_types \[\]\. Name at least one"),
        ({"n_components": [0]}, ValueError, "n_components is 0"),
        ({"n_components": [2.0]}, TypeError, "n_components must be a whole number"),
        ({"n_components": [500]}, ValueError, "number of observations is only 272"),
        ({"covariance_types": ["VVX"]}, ValueError, "covariance_type is 'VVX'"),
        ({"covariance_types": ["V"]}, ValueError, "'V', which is for data with one column"),
        ({"n_init": 0}, ValueError, "n_init is 0"),
        ({"sample_weight": [1, 2]}, ValueError, "sample_weight has shape"),
        ({"X": [[1.0, np.nan], [2.0, 3.0]]}, ValueError, "NaN"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_fitted(
    monkeypatch, arguments, error, message
):
    monkeypatch.setattr(GaussianMixture, "fit", lambda *_, **__: pytest.fail("fitted"))
    given = {"X": FAITHFUL, "n_components": [1, 2], "covariance_types": ["EEE"], **arguments}
    with pytest.raises(error, match=message):
        select(given.pop("X"), **given)


def test_criteria_and_cells_that_there_are_not():
    with pytest.raises(ValueError, match=r"criterion is 'bix'\. Choose one of 'bic', 'aic', 'icl'"):
        SMALL.ranked("bix")
    with pytest.raises(KeyError, match=r"there is no .*VVV"):
        SMALL["VVV", 2]


def test_a_bar(capsys):
    select(FAITHFUL, [1], ["EEE", "VII"], verbose=1)
    assert "2/2" in capsys.readouterr().err
