"""How the tests are shared out: a chapter stays whole, what is long comes first."""

import pytest

import shares


class Item:
    def __init__(self, nodeid: str, group: str = "") -> None:
        self.nodeid = nodeid
        self.marks = [pytest.mark.xdist_group(group).mark] if group else []

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return next((mark for mark in self.marks if mark.name == name), None)

    def add_marker(self, marker: pytest.MarkDecorator) -> None:
        self.marks.append(marker.mark)

    @property
    def share(self) -> str:
        (mark,) = self.marks or [pytest.mark.xdist_group(self.nodeid).mark]
        return str(mark.args[0])


def test_files_stay_whole_where_they_are_not_cut() -> None:
    items = [
        Item("tests/test_em.py::test_a[1]"),
        Item("chapters/01_one.ipynb::Cell 0"),
        Item("tests/test_em.py::test_b"),
        Item("tests/test_project.py::test_a"),
        Item("tests/test_project.py::test_b"),
        Item("tests/test_pages.py::test_every_page[index.html]", "pages-0"),
        Item("tests/test_pages.py::test_what_opens"),
        Item("chapters/01_one.ipynb::Cell 1"),
    ]
    shares.pytest_collection_modifyitems(items)  # type: ignore[arg-type]
    assert [(item.nodeid.partition("::")[2], item.share) for item in items] == [
        ("test_every_page[index.html]", "pages-0"),
        ("test_what_opens", "test_pages"),
        ("Cell 0", "01_one"),
        ("Cell 1", "01_one"),
        ("test_a", "tests/test_project.py::test_a"),
        ("test_b", "tests/test_project.py::test_b"),
        ("test_a[1]", "test_em"),
        ("test_b", "test_em"),
    ]


def test_so_are_those_of_this_run(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        marked = item.get_closest_marker("xdist_group")
        assert marked or item.nodeid.startswith(shares.SINGLY), item.nodeid
        if ".ipynb" in item.nodeid:
            assert marked
            assert marked.args[0] == item.path.stem
    places = [shares._place(item.nodeid) for item in request.session.items]
    assert places == sorted(places)
