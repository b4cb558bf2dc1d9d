"""EM by hand, in the plane: on the first page and in chapter 10, in a real browser."""

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from gmmlib import Mixture, e_step, fit, m_step
from site_checks import Watch
from touch_checks import (
    control_problems,
    drag,
    never_falls,
    number,
    numbers,
    open_figure,
    press,
    reach,
    settle,
    words,
)
from touch_em_plane import CHAPTER, COLLAPSE, FIGURE
from website import figure_data

NAME = "em-plane"
PAGES = ("index.html", CHAPTER)
DATA = figure_data.data_sets()
BOOK = Mixture([0.5, 0.5], [[2, 90], [5, 50]], [np.diag([1.0, 150.0])] * 2)


def climb(figure: Locator, iterations: int) -> list[float]:
    """ℓ before and after each of these iterations. One click by one would take minutes."""
    shown: list[str] = figure.evaluate(
        """(figure, iterations) => {
            const button = [...figure.querySelectorAll("button")]
                .find((one) => one.textContent === "One iteration");
            const said = () => figure.querySelector(".touch-l").textContent;
            const values = [said()];
            for (let i = 0; i < iterations; i++) { button.click(); values.push(said()); }
            return values;
        }""",
        iterations,
    )
    return [number(text) for text in shown]


def log_likelihood(figure: Locator) -> float:
    return number(figure.locator(".touch-l").inner_text())


def iteration(figure: Locator) -> int:
    return int(numbers(figure.locator(".touch-l").inner_text())[-1])


def mean(figure: Locator, j: int) -> Locator:
    return figure.get_by_role("slider", name=f"Mean of component {j}")


def around(X: np.ndarray, means: list[list[float]]) -> Mixture:
    """The start of EM with these means, as gmmlib.initialization makes it."""
    K = len(means)
    everything = m_step(X, np.ones((len(X), 1))).covariances
    return Mixture(np.full(K, 1 / K), means, np.repeat(everything, K, axis=0))


def table(figure: Locator) -> list[list[float]]:
    rows = figure.locator("tbody tr").all()
    return [numbers(" ".join(row.locator("td").all_text_contents())) for row in rows]


def rows_of(mixture: Mixture) -> list[list[float]]:
    rows = []
    for alpha, mu, Sigma in zip(mixture.weights, mixture.means, mixture.covariances, strict=True):
        spread = np.sqrt(np.diag(Sigma))
        rows.append([alpha, *mu, *spread, Sigma[0, 1] / spread.prod()])
    return rows


# --- what it computes ---------------------------------------------------------------------------


def test_it_begins_where_chapter_10_begins(watch: Watch) -> None:
    history = fit(DATA["faithful"], BOOK).log_likelihoods
    for path in PAGES:
        figure = open_figure(watch, path, NAME)
        assert log_likelihood(figure) == pytest.approx(history[0], abs=6e-5)
        for t in (1, 2, 3):
            press(figure, "E-step", "M-step")
            assert iteration(figure) == t
            assert log_likelihood(figure) == pytest.approx(history[t], abs=6e-5)
        climb(figure, 64)
        assert iteration(figure) == len(history) - 1 == 67
        assert log_likelihood(figure) == pytest.approx(history[-1], abs=6e-5)
        assert "Converged" in words(figure)


@pytest.mark.parametrize("data", ["faithful", "blobs", "hard"])
def test_the_numbers_are_gmmlibs_and_never_fall(watch: Watch, data: str) -> None:
    X = DATA[data]
    rng = np.random.default_rng(4)
    central = X[:-2]  # the last two of the hard data invite a collapse
    for K in range(1, 7):
        means = central[rng.choice(len(central), K, replace=False)].tolist()
        m = ";".join(f"{x:.10g},{y:.10g}" for x, y in means)
        figure = open_figure(watch, "index.html", NAME, f"{FIGURE}?data={data}&k={K}&m={m}")
        seen = climb(figure, 20)
        run = fit(X, around(X, means), max_iter=20, tol=None)
        np.testing.assert_allclose(seen, run.log_likelihoods, atol=6e-5)
        assert not never_falls(seen, slack=1e-4)
        np.testing.assert_allclose(table(figure), rows_of(run.mixture), atol=6e-3)
        assert not control_problems(figure)


def test_the_colours_are_the_responsibilities(watch: Watch) -> None:
    figure = open_figure(watch, "index.html", NAME)
    points = figure.locator(".touch-points circle")
    fills = "all => all.map((c) => getComputedStyle(c).fill)"
    assert len(set(points.evaluate_all(fills))) == 1  # nobody has been asked
    press(figure, "E-step")
    shown = points.evaluate_all(fills)
    beta = e_step(DATA["faithful"], BOOK)[0]
    palette = np.array([[0x00, 0x72, 0xB2], [0xD5, 0x5E, 0x00]])
    for i in range(0, len(beta), 7):
        np.testing.assert_allclose(numbers(shown[i]), beta[i] @ palette, atol=0.51)
    held = numbers(words(figure).split("hold")[1])
    np.testing.assert_allclose(held[:2], beta.sum(axis=0), atol=0.051)


def test_the_ellipses_are_those_of_the_covariances(watch: Watch) -> None:
    figure = open_figure(watch, "index.html", NAME)
    press(figure, "One iteration")
    ticks = figure.locator("svg").first.evaluate(
        """svg => Object.fromEntries([..."xy"].map((way) => [way,
            [...svg.querySelectorAll(`.touch-tick.${way === "x" ? "middle" : "end"}`)]
                .map((t) => [Number(t.textContent), Number(t.getAttribute(way))])]))"""
    )
    (a, pa), *_, (b, pb) = ticks["x"]
    per_x = (pb - pa) / (b - a)
    (c, pc), *_, (d, pd) = ticks["y"]
    per_y = (pd - pc) / (d - c)
    mixture = fit(DATA["faithful"], BOOK, max_iter=1, tol=None).mixture
    scale = np.diag([per_x, per_y])
    shown = figure.locator("ellipse").evaluate_all(
        "all => all.map((e) => [e.rx.baseVal.value, e.ry.baseVal.value])"
    )
    wanted = [
        radius * np.sqrt(np.linalg.eigvalsh(scale @ Sigma @ scale))[::-1]
        for Sigma in mixture.covariances
        for radius in (2, 1)
    ]
    np.testing.assert_allclose(shown, wanted, rtol=1e-3)


# --- what one does ------------------------------------------------------------------------------


def test_the_steps_in_words(watch: Watch) -> None:
    figure = open_figure(watch, "index.html", NAME)
    polite = figure.locator('.touch-words[aria-live="polite"]')
    assert "press E-step" in polite.inner_text()
    press(figure, "M-step")
    assert "comes first" in polite.inner_text()
    assert iteration(figure) == 0
    press(figure, "E-step")
    assert "shared out" in polite.inner_text()
    press(figure, "E-step")
    assert "Nothing changes" in polite.inner_text()
    press(figure, "M-step")
    assert "raised ℓ by 836" in polite.inner_text()
    press(figure, "M-step")
    assert "Nothing changes" in polite.inner_text()
    assert iteration(figure) == 1
    press(figure, "Reset")
    assert iteration(figure) == 0
    assert log_likelihood(figure) == pytest.approx(BOOK.log_likelihood(DATA["faithful"]), abs=6e-5)


def test_a_mean_is_dragged_with_the_mouse(watch: Watch) -> None:
    figure = open_figure(watch, "index.html", NAME)
    before = numbers(mean(figure, 1).get_attribute("aria-valuetext") or "")
    drag(watch.page, mean(figure, 1), 150, 60)
    x, y = numbers(mean(figure, 1).get_attribute("aria-valuetext") or "")
    assert x > before[0] + 0.5
    assert y < before[1] - 5
    moved = Mixture(BOOK.weights, [[x, y], BOOK.means[1]], BOOK.covariances)
    X = DATA["faithful"]
    assert log_likelihood(figure) == pytest.approx(moved.log_likelihood(X), rel=1e-3)
    assert f"You moved component 1 to ({x:.2f}, {y:.1f})" in words(figure)
    # once the points have colours, these follow the hand
    press(figure, "E-step")
    colour = figure.locator(".touch-points circle").nth(1)
    fill = colour.evaluate("c => c.style.fill")
    drag(watch.page, mean(figure, 1), -180, 150)
    assert colour.evaluate("c => c.style.fill") != fill
    press(figure, "M-step")
    assert iteration(figure) == 1


def test_by_keyboard_alone(watch: Watch) -> None:
    page = watch.page
    figure = open_figure(watch, "index.html", NAME)
    sets = figure.get_by_role("combobox", name="Data")
    reach(page, sets)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert sets.input_value() == "hard"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert figure.get_by_role("radio", name="3").is_checked()
    assert "three guesses" in words(figure)
    handle = mean(figure, 3)
    reach(page, handle)
    x, y = numbers(handle.get_attribute("aria-valuetext") or "")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    u, v = numbers(handle.get_attribute("aria-valuetext") or "")
    assert u == pytest.approx(x - 3 * 0.14, abs=0.02)
    assert v == pytest.approx(y + 10 * 0.128, abs=0.02)
    assert "You moved component 3" in words(figure)
    seen = [log_likelihood(figure)]
    reach(page, figure.get_by_role("button", name="One iteration"))
    for _ in range(20):
        page.keyboard.press("Enter")
        seen.append(log_likelihood(figure))
    assert iteration(figure) == 20
    assert not never_falls(seen, slack=1e-4)
    for name in ("Play", "New start", "Reset", "Copy link"):
        reach(page, figure.get_by_role("button", name=name))
    reach(page, figure.get_by_text("The parameters in numbers"))
    page.keyboard.press("Enter")
    assert figure.locator("tbody tr").count() == 3
    assert figure.locator("table").is_visible()


def test_new_starts_differ(watch: Watch) -> None:
    figure = open_figure(watch, "index.html", NAME, f"{FIGURE}?data=hard")
    tops = set()
    for _ in range(4):
        press(figure, "New start")
        tops.add(round(climb(figure, 60)[-1]))
    assert len(tops) > 1  # that is what makes it hard


def test_a_tour_of_three_situations(watch: Watch) -> None:
    figure = open_figure(watch, "index.html", NAME)
    press(figure, "a long wait")
    assert iteration(figure) == 20
    gain = number(words(figure).split(" by ")[1])
    history = fit(DATA["faithful"], BOOK, max_iter=20, tol=None).log_likelihoods
    assert gain == pytest.approx(history[20] - history[19], rel=6e-3)
    press(figure, "a lower top")
    assert "Converged" in words(figure)
    lower = log_likelihood(figure)
    cross = Mixture([0.5, 0.5], [[0, 0]] * 2, [[[4, 3.6], [3.6, 4]], [[4, -3.6], [-3.6, 4]]])
    higher = fit(DATA["hard"], cross).log_likelihood
    assert lower < higher - 1
    press(figure, "a collapse")
    assert "has collapsed" in words(figure)


# --- the reader's own points --------------------------------------------------------------------


def test_own_points_are_computed_as_gmmlib_does(watch: Watch) -> None:
    X = np.random.default_rng(3).normal(size=(25, 2))
    X[15:] += np.array([4, 3])
    points = ";".join(f"{x},{y}" for x, y in X.round(2).tolist())
    for K in (1, 2, 3):
        means = X[[20, 3, 9][:K]].round(2).tolist()
        m = ";".join(f"{x},{y}" for x, y in means)
        state = f"{FIGURE}?data=own&k={K}&m={m}&own={points}"
        figure = open_figure(watch, "index.html", NAME, state)
        seen = climb(figure, 15)
        run = fit(X.round(2), around(X.round(2), means), max_iter=15, tol=None)
        np.testing.assert_allclose(seen, run.log_likelihoods, atol=6e-5)
        np.testing.assert_allclose(table(figure), rows_of(run.mixture), atol=6e-3)


FEW = "1,2;3,4.5;5,9;2,7"


@pytest.mark.parametrize(
    ("points", "K", "said"),
    [
        ("", 2, "There are no points yet."),
        ("1,2", 1, "These points lie in one place or on one line."),
        ("1,2;1,2;1,2", 2, "These points lie in one place or on one line."),
        ("1,2;2,4;3,6", 2, "These points lie in one place or on one line."),
        (FEW, 6, "Six components need six different points, and there are four."),
        (f"{FEW};1,2;1,2", 5, "Five components need five different points, and there are four."),
    ],
)
def test_points_on_which_em_cannot_begin(watch: Watch, points: str, K: int, said: str) -> None:
    state = f"{FIGURE}?data=own&k={K}&own={points}&t=5&e=1"
    figure = open_figure(watch, CHAPTER, NAME, state)
    for name in ("", "E-step", "M-step", "One iteration", "Play", "New start", "Reset"):
        if name:
            press(figure, name)
        assert words(figure).startswith(said), name
        assert figure.locator("ellipse").count() == 0
        assert not control_problems(figure)
    assert "is not there yet" in figure.locator(".touch-l").inner_text()
    # it goes on as soon as there is something to go on with
    press(figure, "Undo")
    figure.get_by_role("radio", name="1", exact=True).check(force=True)
    press(figure, "Edit the points")
    for x, y in ((150, 60), (220, 90), (250, 40)):
        figure.locator("svg").first.click(position={"x": x, "y": y})
    press(figure, "One iteration")
    assert iteration(figure) == 1
    assert figure.locator("ellipse").count() == 2


def test_the_mixture_stays_while_points_change(watch: Watch) -> None:
    state = f"{FIGURE}?data=own&own={FEW};4,1;6,2;7,7&m=2,3;5,5"
    figure = open_figure(watch, "index.html", NAME, state)
    X = np.array([[1, 2], [3, 4.5], [5, 9], [2, 7], [4, 1], [6, 2], [7, 7]])
    mixture = fit(X, around(X, [[2, 3], [5, 5]]), max_iter=2, tol=None).mixture
    press(figure, "One iteration", "One iteration")
    np.testing.assert_allclose(table(figure), rows_of(mixture), atol=6e-3)
    press(figure, "Add a point")
    np.testing.assert_allclose(table(figure), rows_of(mixture), atol=6e-3)
    assert iteration(figure) == 0
    settle(watch.page)
    added = numbers(watch.page.url.split("own=")[1].split("&")[0])[-2:]
    expected = mixture.log_likelihood(np.vstack([X, added]))
    assert log_likelihood(figure) == pytest.approx(expected, abs=1e-3)
    press(figure, "Undo")  # with all that had been done
    assert iteration(figure) == 2
    assert log_likelihood(figure) == pytest.approx(mixture.log_likelihood(X), abs=6e-5)


@pytest.mark.parametrize("state", ["data=blobs&t=30", f"data=own&own={FEW};4,1;6,2;7,7&t=2"])
def test_one_far_point(watch: Watch, state: str) -> None:
    figure = open_figure(watch, "index.html", NAME, f"{FIGURE}?{state}")
    t, before, rows = iteration(figure), log_likelihood(figure), np.array(table(figure))
    circles = figure.locator(".touch-points circle").count()
    press(figure, "One far point")
    said = words(figure)
    assert figure.locator(".touch-points circle").count() == circles + 1
    assert figure.get_by_role("combobox", name="Data").input_value() == "own"
    np.testing.assert_allclose(np.array(table(figure)), rows, atol=6e-3)  # nothing has moved
    assert log_likelihood(figure) < before
    fall, after = numbers(said.split("ℓ falls by ")[1])[:2]
    assert after == pytest.approx(log_likelihood(figure), abs=6e-3)
    assert fall == pytest.approx(before - after, rel=1e-3)
    # as far as it says, and the one that takes it
    x, y = numbers(said.split("(")[1])[:2]
    weights, means, spread, rho = rows[:, 0], rows[:, 1:3], rows[:, 3:5], rows[:, 5]
    covariances = [
        [[a * a, r * a * b], [r * a * b, b * b]] for (a, b), r in zip(spread, rho, strict=True)
    ]
    mixture = Mixture(weights / weights.sum(), means, covariances)
    share = e_step(np.array([[x, y]]), mixture)[0][0]
    j = int(share.argmax())
    assert f"Component {j + 1} is nearest" in said
    assert ("takes all of it" in said) == (share[j] > 0.9995)
    narrow, wide = numbers(said.split("σ =")[1])[:2]
    assert narrow == pytest.approx(spread[j, 0], abs=6e-3)
    assert wide > 1.2 * narrow
    press(figure, "One iteration")
    assert table(figure)[j][3] == pytest.approx(wide, abs=6e-3)
    press(figure, "Undo")
    assert iteration(figure) == t
    assert log_likelihood(figure) == pytest.approx(before, abs=1e-4)


# --- a collapse ---------------------------------------------------------------------------------


def test_a_collapse_is_shown_and_explained(watch: Watch) -> None:
    figure = open_figure(watch, CHAPTER, NAME, FIGURE + COLLAPSE)
    assert "Component 3 has collapsed: it holds 2.0 points" in words(figure)
    assert figure.locator("svg").first.get_by_text("collapsed").is_visible()
    assert iteration(figure) < 300
    assert not control_problems(figure)
    at = iteration(figure)
    for name in ("E-step", "M-step", "One iteration", "Play"):
        press(figure, name)
        assert "has collapsed" in words(figure)
        assert iteration(figure) == at
    # its mean is dragged away, and EM goes on
    drag(watch.page, mean(figure, 3), -200, 30)
    assert "You moved component 3" in words(figure)
    assert figure.get_by_text("collapsed").count() == 0
    seen = climb(figure, 20)
    assert iteration(figure) == 20
    assert not never_falls(seen, slack=1e-4)
    assert not control_problems(figure)


# --- the address --------------------------------------------------------------------------------


def test_a_link_on_the_same_page(watch: Watch) -> None:
    figure = open_figure(watch, CHAPTER, NAME)
    watch.page.evaluate("address => { location.hash = address }", f"{FIGURE}?t=20")
    watch.page.wait_for_function(
        "document.querySelector('.touch-l').textContent.includes('iteration 20')"
    )
    history = fit(DATA["faithful"], BOOK).log_likelihoods
    assert log_likelihood(figure) == pytest.approx(history[20], abs=6e-5)
    # other anchors are none of its business
    settle(watch.page)
    watch.page.evaluate("location.hash = 'sec-loop'")
    settle(watch.page)
    assert iteration(figure) == 20
    assert watch.page.url.endswith("#sec-loop")


def test_the_link_is_copied(watch: Watch) -> None:
    page = watch.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    figure = open_figure(watch, "index.html", NAME, f"{FIGURE}?data=blobs&k=4&t=3")
    press(figure, "Copy link")
    expect(figure.get_by_text("is copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{watch.address}index.html#{FIGURE}?data=blobs&k=4&t=3"
    # where the clipboard is closed, the link is there to be taken by hand
    page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))")
    press(figure, "Copy link")
    expect(figure.get_by_role("textbox", name="Link")).to_have_value(copied)
    page.evaluate("void (delete navigator.clipboard.writeText)")
    page.context.clear_permissions()


def test_colours_fade_only_where_motion_is_welcome(watch: Watch) -> None:
    figure = open_figure(watch, "index.html", NAME)
    point = figure.locator(".touch-points circle").first
    for motion in ("reduce", "no-preference"):
        watch.page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
        fade = point.evaluate("c => getComputedStyle(c).transitionDuration")
        assert (fade == "0s") == (motion == "reduce")


# --- where it is seen ---------------------------------------------------------------------------


def test_the_theme_may_change_while_it_is_open(watch: Watch) -> None:
    figure = open_figure(watch, "index.html", NAME, f"{FIGURE}?e=1")
    point = figure.locator(".touch-points circle").first
    light = point.evaluate("c => c.style.fill")
    watch.page.emulate_media(color_scheme="dark")
    expect(point).not_to_have_attribute("style", f"fill: {light};")


def test_the_first_page_has_it_under_the_same_name(watch: Watch) -> None:
    figure = open_figure(watch, "index.html", NAME)
    assert figure.evaluate(f"f => Boolean(f.closest('#{FIGURE}'))")
    assert watch.page.locator(f"#{FIGURE} figcaption").is_visible()
