"""The benchmark of families: what its page says of each cell."""

import numpy as np
import pytest

import families

NAN = float("nan")


@pytest.mark.parametrize(
    ("ours", "theirs", "note", "cell"),
    [
        (-100.0, -100.00001, "", "="),
        (-100.0, -101.5, "", "+1.50"),
        (-101.5, -100.0, "", "-1.50"),
        (-100.0, NAN, "", "new"),
        (NAN, -100.0, "collapsed", "!no fit"),
        (-100.0, -101.5, "did not converge", "!+1.50"),
    ],
)
def test_a_cell_of_the_page(ours, theirs, note, cell):
    table = np.full((14, 1), -1.0)
    mine, other = table.copy(), table.copy()
    mine[4], other[4] = ours, theirs
    case = {
        "data": "some", "ours": mine.tolist(), "mclust": other.tolist(),
        "notes": [note if row == 4 else "" for row in range(14)],
        "seconds": 2.0, "mclust seconds": 0.5,
    }  # fmt: skip
    text = families.page({"mclust": "6.0.0", "day": "2026-01-01", "cases": [case]})
    row = next(line for line in text.splitlines() if line.startswith("| 1 |"))
    cells = [part.strip() for part in row.strip("|").split("|")][1:]
    assert cells == ["="] * 4 + [cell] + ["="] * 9
    lower, higher = cell == "-1.50", cell.endswith("+1.50")
    assert f"Lower in {int(lower)} of 14 cells, higher in {int(higher)}." in text
