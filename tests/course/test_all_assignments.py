"""Every assignment: the solution passes, the stub fails, each wrong answer is caught by its test.

Collected only with COURSE=1 in the environment, as make course-test sets it.
"""

from pathlib import Path

import pytest

from course.assignments import build, masters, table, tried


@pytest.mark.parametrize("source", masters(), ids=lambda path: path.name)
def test_right_and_wrong_answers(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tried(build(source, tmp_path / "out"), source / "answers.toml", tmp_path)
    assert 5 <= len(rows) <= 7  # the solution, the stub, three to five wrong answers
    assert not any(row.problem for row in rows), "\n" + "\n".join(table(rows))
    with capsys.disabled():
        print("\n" + "\n".join(table(rows)))
