"""The worked example of chapter 7, on one sheet, in a real browser."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

import site_checks
from gmmlib import Mixture, datasets, e_step, fit, gaussian, m_step
from site_checks import Watch
from touch_checks import (
    control_problems,
    never_falls,
    number,
    open_figure,
    press,
    reach,
    words,
)
from touch_worked_example import cell, field, origin, shown, type_in

NAME = "worked-example"
CHAPTER = "chapters/07_worked_example.html"
FIGURE = "fig-worked-sheet"
X = datasets.worked_example()
START = Mixture.univariate([0.5, 0.5], [1, 2], [2, 2])

# as the note prints them; see the table in chapters/sources.md
NOTE = {
    "g1": ["0.398", "0.390", "0.395", "0.244", "0.340"],
    "g2": ["0.295", "0.261", "0.340", "0.383", "0.395"],
    "b1": ["0.574", "0.599", "0.537", "0.389", "0.463"],
    "b2": ["0.426", "0.401", "0.463", "0.611", "0.537"],
}
NOTE_NEW = {
    "A1": "0.5124981885949778",
    "A2": "0.48750181140502213",
    "M1": "1.3065753725700628",
    "M2": "1.4982149218892322",
    "V1": "0.3510142879511143",
    "V2": "0.408060269961259",
}


def open_sheet(watch: Watch, state: str = "") -> Locator:
    return open_figure(watch, CHAPTER, NAME, FIGURE + state if state else "")


def parsed(text: str) -> float:
    """A number, perhaps with a power of ten."""
    if "·10" in text:
        digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
        text = re.sub("·10(.*)", lambda m: "e" + m[1].translate(digits), text)
    return number(text)


def value(figure: Locator, name: str) -> float:
    return parsed(shown(figure, name))


def sources(figure: Locator) -> set[str]:
    return set(figure.locator(".touch-source").evaluate_all("all => all.map((c) => c.dataset.id)"))


def sheet(figure: Locator) -> dict[str, float]:
    """What the steps have filled in, by name."""
    texts: dict[str, str] = figure.evaluate(
        """figure => Object.fromEntries([...figure.querySelectorAll("[data-id]")]
            .map((cell) => [cell.dataset.id, cell.querySelector("button:not([hidden])")])
            .filter(([id, button]) => button && "gbnAMV".includes(id[0]))
            .map(([id, button]) => [id, button.firstChild.textContent]))"""
    )
    return {name: parsed(text) for name, text in texts.items()}


def sheet_of(x: np.ndarray, mixture: Mixture, printed: bool = True) -> dict[str, float]:
    """The numbers of one epoch that begins at ``mixture``, by gmmlib."""
    beta = e_step(x, mixture)[0]
    after = m_step(x, beta)
    g = np.exp(gaussian.log_gaussian(x, mixture.means.ravel(), mixture.variances))
    found = {}
    for j in range(2):
        factor = np.sqrt(mixture.variances[j]) if printed else 1
        for i in range(5):
            found[f"g{j + 1}{i + 1}"] = g[i, j] * factor
            found[f"b{j + 1}{i + 1}"] = beta[i, j]
        found[f"n{j + 1}"] = beta[:, j].sum()
        found[f"A{j + 1}"] = after.weights[j]
        found[f"M{j + 1}"] = after.means[j, 0]
        found[f"V{j + 1}"] = after.variances[j]
    return found


def assert_same(found: dict[str, float], wanted: dict[str, float]) -> None:
    assert found.keys() == wanted.keys()
    for name, number_ in wanted.items():
        if name[0] in "AMV":
            assert found[name] == pytest.approx(number_, abs=6e-13, rel=1e-12), name
        elif abs(number_) >= 0.0005:
            assert found[name] == pytest.approx(number_, abs=5.1e-4), name
        else:
            assert found[name] == pytest.approx(number_, rel=0.51, abs=1e-300), name


# --- the numbers --------------------------------------------------------------------------------


def test_the_first_epoch_as_the_note_prints_it(watch: Watch) -> None:
    figure = open_sheet(watch)
    assert not sheet(figure)
    press(figure, "E-step")
    for column, printed in NOTE.items():
        assert [shown(figure, f"{column}{i}") for i in range(1, 6)] == printed
    assert "The note prints the same g and β" in words(figure)
    press(figure, "M-step")
    for name, answer in NOTE_NEW.items():
        assert f"note: {answer}" in cell(figure, name).inner_text()
        assert value(figure, name) == pytest.approx(float(answer), abs=6e-13)
    assert "The note prints the same answers" in words(figure)
    assert "ℓ rose by 2.358" in words(figure)
    press(figure, "E-step")
    assert "note" not in figure.locator(".touch-sheet").inner_text()
    assert "note" not in words(figure)


def test_every_epoch_is_gmmlibs(watch: Watch) -> None:
    figure = open_sheet(watch)
    mixture = START
    for epoch in range(1, 13):
        press(figure, "One epoch")
        assert_same(sheet(figure), sheet_of(X, mixture))
        mixture = fit(X, START, tol=None, max_iter=epoch).mixture
        assert value(figure, "l") == pytest.approx(mixture.log_likelihood(X), abs=5.1e-6)
    assert not control_problems(figure)


def test_the_log_likelihood_never_falls_until_it_converges(watch: Watch) -> None:
    for state in ("", "?x=3,-1,0.5,8,2&a=0.3,0.7&m=4,0&v=0.5,3", "?g=n&m=1.45,1.55&v=0.4,0.4"):
        figure = open_sheet(watch, state)
        texts: list[str] = figure.evaluate(
            """figure => Array.from({ length: 26 }, (_, t) => {
                if (t) [...figure.querySelectorAll("button")]
                    .find((button) => button.textContent === "One epoch").click();
                return figure.querySelector('[data-id="l"]').textContent;
            })"""
        )
        seen = [number(text) for text in texts]
        assert not never_falls(seen, slack=1.1e-5)
        if not state:
            np.testing.assert_allclose(seen, fit(X, START).log_likelihoods, atol=5.1e-6)
            assert "converged" in words(figure)


def test_the_switch_of_g(watch: Watch) -> None:
    figure = open_sheet(watch, "?s=2")
    figure.get_by_role("radio", name="normalised").check(force=True)
    assert_same(sheet(figure), sheet_of(X, START, printed=False))
    assert shown(figure, "g11") == "0.281"
    assert "1/√(2πσ²)" in words(figure)
    press(figure, "One epoch")
    after = fit(X, START, tol=None, max_iter=1).mixture
    assert_same(sheet(figure), sheet_of(X, after, printed=False))
    figure.get_by_role("radio", name="as printed").check(force=True)
    assert_same(sheet(figure), sheet_of(X, after))
    # exercise 4: what the constant would do to the shares if nobody put σ back
    cell(figure, "b11").hover()
    assert "forgotten, the share would be 0.563" in origin(figure)
    assert shown(figure, "b11") == "0.581"


def test_the_switch_of_the_spread(watch: Watch) -> None:
    figure = open_sheet(watch, "?s=2&at=V1")
    assert "It calls this “new sigma1”; it is σ1²" in origin(figure)
    figure.get_by_role("radio", name="σ", exact=True).check(force=True)
    assert field(figure, "v1").input_value() == "1.41421"
    assert value(figure, "V1") == pytest.approx(0.592464588, abs=1e-9)
    assert value(figure, "V2") == pytest.approx(0.638795953, abs=1e-9)
    assert f"σ²: {NOTE_NEW['V1']}" in cell(figure, "V1").inner_text()
    # what is typed is a standard deviation now
    type_in(figure, "v1", "3")
    figure.get_by_role("radio", name="σ²", exact=True).check(force=True)
    assert field(figure, "v1").input_value() == "9"
    wanted = sheet_of(X, Mixture.univariate([0.5, 0.5], [1, 2], [9, 2]))
    assert_same(sheet(figure), wanted)


# --- where a number comes from ------------------------------------------------------------------

NOT_A_NUMBER = re.compile("NaN|undefined|Infinity|null")
SOURCES = {
    "g13": {"x3", "m1", "v1"},
    "b24": {"a1", "a2", "g14", "g24"},
    "n2": {f"b2{i}" for i in range(1, 6)},
    "A1": {"n1"},
    "M2": {"n2"} | {f"{kind}{i}" for kind in ("b2", "x") for i in range(1, 6)},
    "V1": {"n1", "M1"} | {f"{kind}{i}" for kind in ("b1", "x") for i in range(1, 6)},
    "l": {"A1", "A2", "x1", "x2", "x3", "x4", "x5"},
}
SYMBOLS = {"−": "-", "·": "*", "²": "**2", "√": "sqrt"}
FORMULAS = {
    "g13": "g1(x3) = (1) / (√(2π)) exp(−(x3 − μ1)² / (2·σ1²)) = "
    "(1) / (√(2π)) exp(−(1.2 − 1)² / (2·2)) = 0.395",
    "b24": "β42 = (α2·g2) / (α1·g1 + α2·g2) = (0.5·0.383) / (0.5·0.244 + 0.5·0.383) = 0.611",
    "n2": "N2 = ∑ βi2 = 0.426 + 0.401 + 0.463 + 0.611 + 0.537 = 2.438",
    "A1": "α1 = (N1) / (n) = (2.562) / (5) = 0.512498188595",
    "M2": "μ2 = (∑ βi2·xi) / (N2) = (0.426·0.9 + 0.401·0.7 + 0.463·1.2 + 0.611·2.4 + 0.537·1.8)"
    " / (2.438) = 1.498214921889",
}


def test_a_number_is_traced(watch: Watch) -> None:
    figure = open_sheet(watch, "?s=2")
    assert "Where does a number come from?" in origin(figure)
    for name in SOURCES:
        assert_traced(figure, name)


def assert_traced(figure: Locator, name: str) -> None:
    cell(figure, name).hover()  # pointing
    assert sources(figure) == SOURCES[name]
    assert "touch-traced" in (cell(figure, name).get_attribute("class") or "")
    text = origin(figure).replace("\u00a0", " ")
    if name in FORMULAS:
        assert text.startswith(FORMULAS[name])
    assert shown(figure, name) in text
    # the numbers that are put in give the number, to their digits
    formula = str(figure.locator(".touch-formula").text_content()).split(" = ")
    if name in FORMULAS or name == "V1":
        put_in = re.sub(r"[−·²√]", lambda m: SYMBOLS[m[0]], formula[2]).replace("\u00a0", " ")
        put_in = put_in.replace(") exp", ") * exp").replace("2π", "2*π")
        functions = {"exp": np.exp, "sqrt": np.sqrt, "π": np.pi, "__builtins__": {}}
        assert eval(put_in, functions) == pytest.approx(value(figure, name), abs=2e-3)


def test_every_number_has_an_origin(watch: Watch) -> None:
    for state in ("?s=2", "?s=3", "?s=4&g=n&sd=1", "?s=50", "?x=1,2,3,900000,5&v=0.000001,2&s=1"):
        figure = open_sheet(watch, state)
        found: dict[str, tuple[str, list[str], bool]] = figure.evaluate(
            """figure => {
                const shown = (tag) => (cell) => cell.querySelector(`${tag}:not([hidden])`);
                const cells = [...figure.querySelectorAll("[data-id]")]
                    .filter((cell) => shown("button")(cell) || shown("input")(cell));
                return Object.fromEntries(cells.map((cell) => {
                    cell.click();
                    const sources = [...figure.querySelectorAll(".touch-source")];
                    return [cell.dataset.id, [figure.querySelector(".touch-origin").textContent,
                        sources.map((one) => one.dataset.id), Boolean(shown("input")(cell))]];
                }));
            }"""
        )
        assert len(found) > 27
        for name, (text, inputs, editable) in found.items():
            assert " = " in text, (state, name)
            assert not NOT_A_NUMBER.search(text), (state, name)
            if name[0] in "amv" and not editable:  # an epoch old: of its table only x is there
                assert "Back leads there" in text
                assert inputs == ([] if name[0] == "a" else [f"x{i}" for i in range(1, 6)])
            else:
                assert bool(inputs) != editable, (state, name)
        assert not control_problems(figure)


def test_back_leads_to_the_table_before(watch: Watch) -> None:
    figure = open_sheet(watch)
    tables = []
    for _ in range(7):
        tables.append(figure.locator(".touch-sheet").inner_text())
        go = "M-step" if len(tables) % 2 == 0 else "E-step"
        press(figure, go)
    for table in reversed(tables):
        press(figure, "Back")
        assert figure.locator(".touch-sheet").inner_text() == table
    press(figure, "Back")
    assert figure.locator(".touch-sheet").inner_text() == tables[0]


# --- editing ------------------------------------------------------------------------------------


def test_the_data_and_the_start_are_edited(watch: Watch) -> None:
    figure = open_sheet(watch, "?s=2")
    type_in(figure, "x2", "−0.25")
    type_in(figure, "a2", "0.2")
    type_in(figure, "m1", "0.5")
    type_in(figure, "v2", "1.5e0")
    assert field(figure, "a1").input_value() == "0.8"
    x = np.array([0.9, -0.25, 1.2, 2.4, 1.8])
    start = Mixture.univariate([0.8, 0.2], [0.5, 2], [2, 1.5])
    assert_same(sheet(figure), sheet_of(x, start))  # at once, and still after one epoch
    assert "σ2² at the start" in (field(figure, "v2").get_attribute("aria-label") or "")
    assert "σ2² is 1.5 now" in words(figure)
    assert "note" not in figure.locator(".touch-sheet").inner_text()
    press(figure, "One epoch")
    after = fit(x, start, tol=None, max_iter=1).mixture
    assert_same(sheet(figure), sheet_of(x, after))
    press(figure, "The note’s numbers", "E-step")
    assert shown(figure, "g11") == "0.398"


X_RANGE, V_RANGE = "−1000000 to 1000000", "0.000001 to 1000000"
BAD = [
    ("x2", "abc", X_RANGE),
    ("x4", "", X_RANGE),
    ("x5", "0,9", X_RANGE),
    ("x1", "1e400", X_RANGE),
    ("a1", "1", "0.000001 to 0.999999"),
    ("a2", "-0.5", "0.000001 to 0.999999"),
    ("m2", "two", X_RANGE),
    ("v1", "0", V_RANGE),
    ("v2", "-2", V_RANGE),
]


def test_bad_input_gets_a_message_and_loses_nothing(watch: Watch) -> None:
    figure = open_sheet(watch, "?s=2")
    before = sheet(figure)
    complaint = figure.locator(".touch-complaint[aria-live=polite]")
    for name, text, allowed in BAD:
        good = field(figure, name).input_value()
        type_in(figure, name, text)
        assert f"“{text}” is no number from {allowed}" in complaint.inner_text()
        assert f"goes on with {good}" in complaint.inner_text()
        assert field(figure, name).get_attribute("aria-invalid") == "true"
        described = field(figure, name).get_attribute("aria-describedby")
        assert described == complaint.get_attribute("id")
        # what was typed stays, what was computed stays, and EM goes on
        press(figure, "Back", "M-step")
        assert field(figure, name).input_value() == text
        assert sheet(figure) == before
        assert not control_problems(figure)
        type_in(figure, name, good)
        assert complaint.inner_text() == ""
        assert field(figure, name).get_attribute("aria-invalid") == "false"


def test_several_bad_inputs_wait_together(watch: Watch) -> None:
    figure = open_sheet(watch, "?s=2")
    type_in(figure, "x1", "?")
    type_in(figure, "v1", "-1")
    type_in(figure, "x3", "1.5")  # a good one is taken
    complaint = figure.locator(".touch-complaint")
    assert "x1: “?”" in complaint.inner_text()
    assert "σ1²: “-1”" in complaint.inner_text()
    assert_same(sheet(figure), sheet_of(np.array([0.9, 0.7, 1.5, 2.4, 1.8]), START))
    press(figure, "The note’s numbers")
    assert complaint.inner_text() == ""
    assert field(figure, "x1").input_value() == "0.9"


def test_what_cannot_go_on_is_explained(watch: Watch) -> None:
    figure = open_sheet(watch, "?x=1,1,1,1,1")
    press(figure, "One epoch")
    assert "The M-step cannot be taken: the data have no spread" in words(figure)
    assert shown(figure, "M1") == ""
    assert not control_problems(figure)
    type_in(figure, "x5", "2")
    press(figure, "M-step")
    assert shown(figure, "M1") != ""
    # one component on one value
    figure = open_sheet(watch, "?x=1,1,1,1,2&v=0.01,0.01&s=40")
    assert "for component 1: its variance fell to nothing" in words(figure)
    press(figure, "One epoch")
    assert "fell to nothing" in words(figure)
    assert not control_problems(figure)
    press(figure, "Start again")
    assert "Start" in words(figure)


# --- how it is used -----------------------------------------------------------------------------


def test_by_keyboard_alone(watch: Watch) -> None:
    page = watch.page
    figure = open_sheet(watch)
    reach(page, figure.get_by_role("button", name="E-step"))
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert "M-step" in words(figure)
    # into a field, and a number typed there
    reach(page, field(figure, "x1"))
    page.keyboard.press("Control+a")
    page.keyboard.type("1.1")
    page.keyboard.press("Enter")
    assert "x1 is 1.1 now" in words(figure)
    x = np.array([1.1, *X[1:]])
    assert_same(sheet(figure), sheet_of(x, START))
    # the numbers are one stop; the arrow keys go from one to the next
    reach(page, cell(figure, "g11").locator("button"))
    assert figure.locator('.touch-origin[aria-live="polite"]').count() == 1
    walk = {"ArrowRight": ["g21", "b11"], "ArrowDown": ["b12", "b13", "b14", "b15", "n1"]}
    walk |= {"ArrowLeft": ["b25", "b15"], "ArrowUp": ["b14"]}
    for key, names in walk.items():
        for name in names:
            page.keyboard.press(key)
            focused = page.evaluate("document.activeElement.parentElement.dataset.id")
            assert focused == name
            assert figure.locator(".touch-traced").get_attribute("data-id") == name
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
    stops = figure.locator('.touch-sheet button[tabindex="0"]:not([hidden])')
    assert stops.count() == 1
    for target in (
        field(figure, "v2"),
        figure.get_by_role("radio", name="as printed"),
        figure.get_by_role("radio", name="σ²", exact=True),
        cell(figure, "l").locator("button"),
        figure.get_by_role("button", name="The note’s numbers"),
        figure.get_by_role("button", name="Copy link"),
    ):
        reach(page, target)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert field(figure, "x1").input_value() == "0.9"


def test_the_names_of_the_numbers(watch: Watch) -> None:
    figure = open_sheet(watch, "?s=2")
    for name in ("g1 of x3: 0.395", "β2 of x4: 0.611", "N1: 2.562", "ℓ: −4.71743"):
        assert figure.get_by_role("button", name=name).count() == 1, name
    new = f"new σ1²: 0.351014287951, the note prints {NOTE_NEW['V1']}"
    assert figure.get_by_role("button", name=new).count() == 1


def test_the_steps_in_words(watch: Watch) -> None:
    figure = open_sheet(watch)
    polite = figure.locator('.touch-words[aria-live="polite"]')
    assert "Press E-step" in polite.inner_text()
    press(figure, "M-step")
    assert "comes first" in polite.inner_text()
    press(figure, "E-step", "E-step")
    assert "Nothing changes" in polite.inner_text()
    press(figure, "M-step", "M-step")
    assert "Nothing changes" in polite.inner_text()
    assert "epoch 1" in figure.locator(".touch-l").inner_text()


# --- the address --------------------------------------------------------------------------------


# --- where it is seen ---------------------------------------------------------------------------


def test_large_numbers_fit_a_phone(watch: Watch) -> None:
    watch.page.set_viewport_size(site_checks.NARROW)  # type: ignore[arg-type]
    state = "?x=-999999.5,123456.7,0.000123,900000,-5&m=-500000,500000&v=1000000,0.5"
    for rest in ("&s=2&at=V1", "&s=3&at=b11", "&s=4&at=M2&sd=1"):
        figure = open_sheet(watch, state + rest)
        assert not site_checks.overflow_problems(watch.page)
        assert not control_problems(figure)
        for name in ("V1", "V2", "M1", "m1", "v1"):
            button = cell(figure, name).locator("button")
            if button.is_visible():
                assert button.evaluate("b => b.scrollWidth <= b.clientWidth + 1"), name


def test_nothing_jumps_when_the_numbers_come(watch: Watch) -> None:
    figure = open_sheet(watch)
    places = """figure => [...figure.querySelectorAll("[data-id], .touch-svg")].map((node) => {
        const [box, frame] = [node.getBoundingClientRect(), figure.getBoundingClientRect()];
        return [box.x - frame.x, box.y - frame.y, box.width, box.height];
    })"""
    before = figure.evaluate(places)
    press(figure, "E-step")
    press(figure, "M-step")
    watch.page.mouse.move(0, 0)
    assert figure.evaluate(places) == before


# --- the table in other hands -------------------------------------------------------------------


def test_the_table_is_saved_with_all_digits(watch: Watch, tmp_path: Path) -> None:
    figure = open_sheet(watch, "?x=3,-1,0.5,8,2&a=0.3,0.7&m=4,0&v=0.5,3&g=n&s=2")
    x = np.array([3, -1, 0.5, 8, 2])
    mixture = Mixture.univariate([0.3, 0.7], [4, 0], [0.5, 3])
    wanted = sheet_of(x, mixture, printed=False)
    with watch.page.expect_download() as waiting:
        press(figure, "Download the table (CSV)")
    waiting.value.save_as(tmp_path / "saved.csv")
    first, second = (tmp_path / "saved.csv").read_text().split("\n\n")
    head, *rows, sums = [line.split(",") for line in first.splitlines()]
    assert head == ["x", "g1", "g2", "beta1", "beta2"]
    for i, row in enumerate(rows, start=1):
        expected = [x[i - 1], *(wanted[f"{name}{i}"] for name in ("g1", "g2", "b1", "b2"))]
        np.testing.assert_allclose([float(cell) for cell in row], expected, rtol=1e-13)
    assert sums[:3] == ["sums", "", ""]
    np.testing.assert_allclose([float(cell) for cell in sums[3:]], [wanted["n1"], wanted["n2"]])
    head, *rows = [line.split(",") for line in second.splitlines()]
    assert head == ["", "start", "new in epoch 1"]
    assert [row[:2] for row in rows] == [
        *(["weight1", "0.3"], ["weight2", "0.7"], ["mean1", "4"], ["mean2", "0"]),
        *(["variance1", "0.5"], ["variance2", "3"]),
    ]
    names = ("A1", "A2", "M1", "M2", "V1", "V2")
    new = [wanted[name] for name in names]
    np.testing.assert_allclose([float(row[2]) for row in rows], new, rtol=1e-13)


MARKDOWN = """\
| x | g1 | g2 | β1 | β2 |
| ---: | ---: | ---: | ---: | ---: |
| 0.9 | 0.398 | 0.295 | 0.574 | 0.426 |
"""
LATEX = r"""\begin{tabular}{rrrrr}
$x$ & $g_1$ & $g_2$ & $\beta_1$ & $\beta_2$ \\
\hline
$0.9$ & $0.398$ & $0.295$ & $0.574$ & $0.426$ \\
"""


def test_the_table_is_copied_as_it_is_shown(watch: Watch) -> None:
    page = watch.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    figure = open_sheet(watch, "?s=2")
    for name, begins in (("Markdown", MARKDOWN), ("LaTeX", LATEX)):
        press(figure, f"Copy as {name}")
        figure.get_by_text(f"The table is copied as {name}").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(begins)
        for column in ("g1", "g2", "b1", "b2"):
            assert all(shown(figure, f"{column}{i}") in copied for i in range(1, 6))
        assert NOTE_NEW["A1"][:12] in copied
    # before the steps there is less, and what is tiny has a power of ten
    figure = open_sheet(watch, "?x=0,1,2,3,40&v=0.5,0.5&m=0,3&s=1")
    press(figure, "Copy as LaTeX")
    figure.get_by_text("The table is copied as LaTeX").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert r"\cdot 10^{-" in copied
    assert "$0$ & $" in copied
    assert r"$\mu_1$ & $0$ &  \\" in copied
    page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))")
    press(figure, "Copy as LaTeX")
    expect(figure.get_by_role("textbox", name="The table as LaTeX")).to_have_value(copied)
    page.evaluate("void (delete navigator.clipboard.writeText)")
    page.context.clear_permissions()
