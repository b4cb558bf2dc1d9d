"""*Run this page*: what the reader sees, with a stand-in for Python."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

import run_here_site
from run_here_reader import (
    bar,
    cell,
    editor,
    go,
    load_again,
    ready,
    run_button,
    run_cell,
    start,
    state,
    words,
    write,
)
from run_here_site import ALT, PAGE
from site_checks import (
    NARROW,
    WIDE,
    Watch,
    axe_problems,
    contrast_problems,
    darken,
    new_context,
    open_page,
    overflow_problems,
    serve,
)

CELLS = 7
MEGABYTES = 3


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("book")
    run_here_site.write_sources(root)
    return root


@pytest.fixture(scope="module")
def running(sources: Path) -> Path:
    """The site with the room."""
    site = run_here_site.build(sources, "website.run_here.pages")
    run_here_site.add_runtime(site, b"a" * MEGABYTES * 1_000_000)
    return site


@pytest.fixture(scope="module")
def address(running: Path) -> Iterator[str]:
    with serve(running, "/some/where/") as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = new_context(browser, viewport=WIDE, service_workers="block")
    yield context
    context.close()


@pytest.fixture
def watch(context: BrowserContext, address: str) -> Iterator[Watch]:
    watch = Watch(context.new_page(), address)
    yield watch
    assert watch.problems == []


# --- what is built ------------------------------------------------------------------------------


def test_without_the_room_nothing_of_it_is_there(
    sources: Path, running: Path, tmp_path: Path
) -> None:
    """And with it, the pages differ by the button and its script alone."""
    plain = tmp_path / "plain"
    shutil.copytree(sources, plain, ignore=shutil.ignore_patterns("_build"))
    site = run_here_site.build(plain)
    named = [path for path in site.rglob("*") if "run-" in path.name or path.name == "run"]
    assert named == []
    for page in sorted(site.rglob("*.html")):
        without, name = page.read_text(encoding="utf-8"), page.relative_to(site)
        text = (running / name).read_text(encoding="utf-8")
        assert "run-here" not in without
        less = re.sub(
            r'\s*<div class="header-article-item">\s*<button class="btn btn-sm fs-6 run-here.*?'
            r"</button></div>",
            "",
            text,
            flags=re.DOTALL,
        )
        less = re.sub(r'\s*<script defer="defer" src="[^"]*run/start\.js[^"]*"></script>', "", less)
        assert re.sub(r"\s+", " ", less) == re.sub(r"\s+", " ", without), name
        assert ("run/start.js" in text) == (name.stem in ("01_one", "engine"))


def test_what_is_known_of_the_cells(running: Path) -> None:
    known = json.loads((running / "_static/run/pages/chapters/01_one.json").read_text())
    assert known["kind"] == "notebook"
    assert [cell["id"] for cell in known["cells"]] == [
        "same", "other", "drawn", "latex", "folded", "long", "quiet",
    ]  # fmt: skip
    first, *_, folded, _, _ = known["cells"]
    assert first["code"] == 'x = 1\nprint("one")'
    assert first["outputs"] == [["stdout", "one"]]
    assert folded["tags"] == ["hide-input"]
    assert known["cells"][2]["outputs"] == []  # a picture has no text
    assert known["cells"][3]["outputs"] == [["text/latex", run_here_site.LATEX]]
    examples = json.loads((running / "_static/run/pages/chapters/engine.json").read_text())
    assert [cell["outputs"] for cell in examples["cells"]] == [[["stdout", "first"]], []]


def test_a_page_that_does_not_fit_its_source_is_a_warning(tmp_path: Path) -> None:
    run_here_site.write_sources(tmp_path)
    text = (tmp_path / "chapters/engine.md").read_text()
    (tmp_path / "chapters/engine.md").write_text(
        text.replace('```python\nprint("s', '~~~python\nprint("s').replace(
            'second")\n```', 'second")\n~~~'
        )
    )
    with pytest.raises(AssertionError, match="the page has 2 cells, and its source 1"):
        run_here_site.build(tmp_path, "website.run_here.pages")


def test_the_scripts_ask_for_each_other_by_version(running: Path) -> None:
    for path in (running / "_static" / "run").glob("*.js"):
        if path.name in ("editor.js", "worker.js"):
            continue
        for name in re.findall(r'["\'](\./[^"\']+\.js[^"\']*)["\']', path.read_text()):
            assert re.fullmatch(r"\./[\w-]+\.js\?v=[0-9a-f]{8}", name), (path.name, name)


LEAST, EDITOR = 7_000, 450_000  # bytes: of what every page loads, and of the editor


def test_weights(running: Path) -> None:
    folder = running / "_static" / "run"
    assert (folder / "start.js").stat().st_size < LEAST
    assert (folder / "editor.js").stat().st_size < EDITOR
    assert (folder / "editor.LICENSE.txt").read_text().count("MIT License") >= 1


# --- before anything is loaded ------------------------------------------------------------------


def test_nothing_is_loaded_before_it_is_asked_for(watch: Watch) -> None:
    page, asked = watch.page, []
    page.on("request", lambda request: asked.append(request.url))
    open_page(watch, PAGE)
    of_it = [url for url in asked if re.search("/run/|/runtime/|run-cache", url)]
    assert [url.split("/")[-1].split("?")[0] for url in of_it] == ["start.js"]
    run_button(page).click()
    panel = page.get_by_role("dialog", name="Run this page")
    expect(panel).to_contain_text(f"The first time, {MEGABYTES} MB are loaded from this site")
    expect(panel).to_contain_text("Nothing leaves your device.")
    assert not [url for url in asked if "python.data" in url or "room.js" in url]
    panel.get_by_role("button", name="Not now").click()
    expect(panel).to_have_count(0)
    expect(page.locator(".run-bar")).to_have_count(0)
    run_button(page).click()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


OBSTACLES = {
    "too little memory": (
        "Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => 1 })",
        "than this device has (it says 1 GB)",
    ),
    "no WebAssembly": ("delete window.WebAssembly", "This browser cannot run Python"),
}  # fmt: skip


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_it_is_refused_politely(watch: Watch, obstacle: str) -> None:
    script, said = OBSTACLES[obstacle]
    watch.page.add_init_script(script)
    open_page(watch, PAGE)
    run_button(watch.page).click()
    panel = watch.page.get_by_role("dialog")
    expect(panel).to_contain_text(said)
    expect(panel.get_by_role("button", name="Start", exact=True)).to_have_count(0)
    panel.get_by_role("button", name="Close").click()
    assert watch.page.locator(".run-tools").count() == 0


def test_a_page_that_is_a_file_says_so(running: Path, context: BrowserContext) -> None:
    watch = Watch(context.new_page(), f"{running.resolve().as_uri()}/")
    open_page(watch, PAGE)
    run_button(watch.page).click()
    expect(watch.page.get_by_role("dialog")).to_contain_text("was opened as a file")
    assert watch.problems == []


MISSING = {
    "runtime.json": ("could not be loaded from this site", ["Close"]),
    "room.js": ("could not be made to run", ["Close"]),
    "python.data": ("python/python.data is missing.", ["Try again", "Back to the book"]),
    "worker.js": ("The worker that runs Python could", ["Try again", "Back to the book"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_file_is_told(context: BrowserContext, address: str, name: str) -> None:
    page = context.new_page()
    page.route(f"**/{name}*", lambda route: route.fulfill(status=404, body=""))
    page.goto(address + PAGE)
    run_button(page).click()
    said, buttons = MISSING[name]
    if name != "runtime.json":
        page.get_by_role("button", name="Start", exact=True).click()
    box = page.locator(".run-panel, .run-bar").last
    expect(box).to_contain_text(said)
    for button in buttons:
        expect(box.get_by_role("button", name=button)).to_be_visible()
    if "Try again" not in buttons:
        return
    page.unroute_all()
    box.get_by_role("button", name="Try again").click()
    ready(page)


# --- running ------------------------------------------------------------------------------------


def test_the_progress_of_loading(watch: Watch) -> None:
    held: list[Route] = []
    watch.page.route("**/python.data", lambda route: held.append(route))
    page = watch.page
    open_page(watch, PAGE)
    run_button(page).click()
    with page.expect_request("**/python.data"):
        page.get_by_role("button", name="Start", exact=True).click()
    expect(words(page)).to_have_text(f"Loading Python … 1 of {MEGABYTES} MB")
    filled = page.get_by_role("progressbar", name="Loading Python")
    expect(filled).to_be_visible()
    assert filled.evaluate("bar => bar.position") == pytest.approx(1 / 3)
    expect(page.locator(".run-tools")).to_have_count(0)
    held[0].continue_()
    ready(page)
    expect(page.locator(".run-bar progress")).to_be_hidden()
    assert (
        page.locator(".run-bar [role=status]")
        .inner_text()
        .startswith("Ready. Python 3.12.7, gmmlib 0.1.0")
    )


def test_run_all_shows_outputs_as_the_stored_ones(watch: Watch) -> None:
    page = start(watch)
    stored = (
        cell(page, 1)
        .locator(".cell_output pre")
        .evaluate("pre => pre.parentElement.parentElement.className")
    )
    bar(page, "Run all").click()
    expect(state(page, 6)).to_contain_text("running")
    expect(state(page, 7)).to_contain_text("waiting")
    expect(words(page)).to_have_text("Running cell 6 of 7")
    expect(bar(page, "Run all")).to_be_hidden()
    go(page)
    expect(words(page)).to_contain_text("Ready. 7 cells ran")
    expect(state(page, 7)).to_contain_text("done [7]")
    for number, same in [
        (1, "as in the book"),
        (2, "differs from the book"),
        (3, ""),
        (4, "as in the book"),
        (5, "as in the book"),
        (7, ""),
    ]:
        expect(cell(page, number).locator(".run-same")).to_have_text(same)
    output = cell(page, 1).locator(".cell_output")
    assert output.inner_text().strip() == "one"
    assert (
        output.locator("pre").evaluate("pre => pre.parentElement.parentElement.className") == stored
    )
    image = cell(page, 3).locator("figure#fig-white img")
    assert image.get_attribute("alt") == ALT
    assert image.get_attribute("src").startswith("data:image/png;base64,")
    assert image.evaluate("img => [img.naturalWidth, img.width, img.height]") == [8, 8, 4]
    expect(cell(page, 3).locator("figcaption")).to_contain_text("White.")
    expect(cell(page, 4).locator(".math mjx-container mjx-mfrac")).to_have_count(1)
    assert page.locator("article .math:not(:has(mjx-container))").count() == 0


def test_a_figure_that_can_be_touched_stays(watch: Watch) -> None:
    """What the code draws stands below it; Restore takes that away."""
    page = start(watch)
    figure = cell(page, 3).locator("figure")
    figure.evaluate(
        "node => node.insertAdjacentHTML('afterbegin', '<div class=touch-figure>T</div>')"
    )
    before = cell(page, 3).locator(".cell_output").inner_html()
    for _ in range(2):
        run_cell(page, 3)
        expect(figure.locator(".touch-figure")).to_have_text("T")
        assert not figure.locator("img").get_attribute("src").startswith("data:")
        expect(cell(page, 3).locator(".run-drawn + img")).to_have_count(1)
    page.get_by_role("button", name="Restore cell 3").click()
    assert cell(page, 3).locator(".cell_output").inner_html() == before


def test_a_check_line_leads_to_its_equation(watch: Watch) -> None:
    page = start(watch)
    equation = '<div id="equation-eq-a"><span class="eqno">(12)<a href="#">#</a></span></div>'
    place = "(node, html) => node.insertAdjacentHTML('afterend', html)"
    page.locator("article p").first.evaluate(place, equation)
    write(page, 1, 'print("✓ eq-a · numerical · 1 value agrees to 1e-12")')
    run_cell(page, 1)
    line = cell(page, 1).locator(".ledger-line")
    assert line.inner_text() == "✓ eq-a (12) · numerical · 1 value agrees to 1e-12"
    assert line.locator("a").get_attribute("href") == "#equation-eq-a"


def test_an_error_says_what_is_wrong_first(watch: Watch) -> None:
    page = start(watch)
    write(page, 2, "fail()")
    page.get_by_role("button", name="Run all", exact=True).click()
    expect(words(page)).to_have_text("Cell 2 failed, and the 5 behind it did not run.")
    expect(state(page, 2)).to_contain_text("✗ failed [2]")
    expect(state(page, 3)).to_contain_text("not run yet")
    failure = cell(page, 2).locator(".run-failure")
    assert failure.locator("p").inner_text() == "ValueError: no such thing: 7"
    assert (
        failure.locator("pre")
        .inner_text()
        .startswith("Traceback (most recent call last)\nValueError")
    )
    bar(page, "Show cell 2").click()
    expect(page.get_by_role("button", name="Run cell 2", exact=True)).to_be_focused()


def test_html_is_shown_where_it_can_do_nothing(context: BrowserContext, address: str) -> None:
    """Its script does not run, and its picture on another host is not loaded."""
    watch = Watch(context.new_page(), address)
    page = start(watch)
    ended = []
    page.on("requestfailed", lambda request: ended.append((request.url, request.failure)))
    page.on("requestfinished", lambda request: ended.append((request.url, "loaded")))
    write(page, 1, "html()")
    run_cell(page, 1)
    frame = cell(page, 1).frame_locator("iframe")
    expect(frame.locator("#inside")).to_have_text("of HTML")
    assert page.evaluate("window.foreign") is None
    assert cell(page, 1).locator("iframe").get_attribute("sandbox") == "allow-same-origin"
    foreign = [how for url, how in ended if "foreign.invalid" in url]
    assert foreign in ([], ["csp"]), foreign


def test_what_is_written_over_is_gone(watch: Watch) -> None:
    page = start(watch)
    write(page, 1, r'print("10%\r100%")')
    run_cell(page, 1)
    assert cell(page, 1).locator("pre:visible").last.inner_text().strip() == "100%"


@pytest.mark.parametrize("isolated", [False, True], ids=["by ending Python", "by an interrupt"])
def test_a_loop_that_never_ends_is_stopped(
    context: BrowserContext, address: str, isolated: bool
) -> None:
    watch = Watch(context.new_page(), address)
    if isolated:
        context.route("**/*", with_headers)
    page = start(watch)
    assert page.evaluate("crossOriginIsolated") is isolated
    run_cell(page, 1)
    write(page, 3, "while True: pass")
    page.get_by_role("button", name="Run cell 3").click()
    expect(state(page, 3)).to_contain_text("running")
    bar(page, "Stop").focus()
    if isolated:
        page.keyboard.press("Enter")
        expect(words(page)).to_have_text("Stopped at cell 3.")
        run_cell(page, 2)  # its variables are there
        return
    with page.workers[0].expect_event("close"):
        page.keyboard.press("Enter")
    expect(words(page)).to_have_text("Stopped at cell 3. The variables are gone.")
    expect(state(page, 1)).to_contain_text("not run yet")
    run_cell(page, 2, "failed")
    bar(page, "Show cell 2").wait_for()
    page.get_by_role("button", name="Run all above cell 3").click()
    expect(words(page)).to_contain_text("Ready. 2 cells ran")
    expect(state(page, 2)).to_contain_text("done")
    assert watch.problems == []


def with_headers(route: Route) -> None:
    """As a host sends it that sets the headers for SharedArrayBuffer."""
    answer = route.fetch()
    isolated = {
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
    }
    route.fulfill(response=answer, headers={**answer.headers, **isolated})


def test_after_a_stop_the_cells_above_are_offered(watch: Watch) -> None:
    page = start(watch)
    page.get_by_role("button", name="Run cell 6").click()
    expect(state(page, 6)).to_contain_text("running")
    bar(page, "Stop").click()
    bar(page, "Run all above cell 6").click()
    expect(words(page)).to_contain_text("Ready. 5 cells ran")


def test_restart_forgets_the_variables(watch: Watch) -> None:
    page = start(watch)
    run_cell(page, 1)
    bar(page, "Restart").click()
    expect(words(page)).to_contain_text("Python is new")
    run_cell(page, 2, "failed")
    assert "NameError" in cell(page, 2).locator(".run-error").inner_text()


def test_the_seconds_are_counted(watch: Watch) -> None:
    page = watch.page
    page.clock.install()
    start(watch)
    page.get_by_role("button", name="Run cell 6").click()
    expect(state(page, 6)).to_contain_text("running")
    page.clock.run_for(3000)
    expect(page.locator(".run-seconds")).to_have_text(re.compile(r" … ([3-9]|\d\d+) s"))
    assert (
        page.locator(".run-bar [role=status]").inner_text().startswith("Ready.")
    )  # nobody has to hear it


# --- editing ------------------------------------------------------------------------------------


def test_an_edited_cell_runs_and_is_restored(watch: Watch) -> None:
    page = start(watch)
    whole = cell(page, 1).locator(".cell_input .highlight pre").inner_html()
    write(page, 1, 'print("mine")')
    expect(cell(page, 1).locator(".run-changed")).to_have_text("changed")
    page.keyboard.press("Control+Enter")
    expect(state(page, 1)).to_contain_text("done [1]")
    expect(cell(page, 1).locator(".run-output")).to_have_text("mine\n")
    expect(editor(page, 1)).to_be_focused()
    page.get_by_role("button", name="Restore cell 1").click()
    expect(cell(page, 1).locator(".run-changed")).to_be_hidden()
    expect(editor(page, 1)).to_contain_text('print("one")')
    assert cell(page, 1).locator(".cell_output").inner_text().strip() == "one"
    assert cell(page, 1).locator(".cell_input .highlight pre").inner_html() == whole
    assert (
        page.evaluate(
            "Object.keys(localStorage).filter((key) => key.startsWith('run-here')).length"
        )
        == 0
    )


def test_shift_enter_runs_and_goes_on(watch: Watch) -> None:
    page = start(watch)
    editor(page, 1).click()
    page.keyboard.press("Shift+Enter")
    expect(state(page, 1)).to_contain_text("done")
    expect(editor(page, 2)).to_be_focused()
    editor(page, 4).click()
    page.keyboard.press("Shift+Enter")  # the next one's code is folded away
    expect(page.get_by_role("button", name="Run cell 5", exact=True)).to_be_focused()


FOCUSED = """(() => {
    const node = document.activeElement;
    return node.getAttribute("aria-label") || node.textContent;
})()"""


def test_the_keyboard_is_not_caught(watch: Watch) -> None:
    page = start(watch)
    editor(page, 1).click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert cell(page, 1).locator(".cm-line").last.inner_text() == "    "
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert not editor(page, 1).evaluate("box => box.contains(document.activeElement)")
    reached = set()
    for _ in range(60):  # by Tab alone, through all that is there
        page.keyboard.press("Tab")
        reached.add(page.evaluate(FOCUSED))
    for name in (
        "Code of cell 2",
        "Run cell 2",
        "Run all above cell 7",
        "Run all",
        "Back to the book",
    ):
        assert name in reached
    described = editor(page, 2).get_attribute("aria-describedby")
    assert "press Escape, and it leaves the editor" in page.locator(f"#{described}").text_content()


def test_the_code_that_is_copied_is_the_edited_one(watch: Watch, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = start(watch)
    write(page, 1, 'print("mine")')
    cell(page, 1).hover()
    cell(page, 1).locator(".cell_input button.copybtn").click(force=True)
    page.wait_for_function(
        "async () => (await navigator.clipboard.readText()).trim() === 'print(\"mine\")'"
    )


def test_an_editor_is_as_large_as_the_code(watch: Watch) -> None:
    page = watch.page
    open_page(watch, PAGE)
    before = cell(page, 6).locator(".cell_input").bounding_box()
    start(watch)
    expect(editor(page, 6)).to_be_visible()
    after = cell(page, 6).locator(".cell_input").bounding_box()
    assert before
    assert after
    assert abs(after["height"] - before["height"]) < 3
    assert after["width"] == before["width"]
    colours = page.evaluate("""() => {
        const colour = (node) => getComputedStyle(node).color;
        const cell = document.querySelectorAll("article div.cell")[5];
        const pre = cell.querySelector("pre");
        const stored = [...pre.querySelectorAll("span.nb, span.s2")].map(colour);
        const edited = [...cell.querySelectorAll(".cm-line span.nb, .cm-line span.s2")].map(colour);
        return [[...new Set(stored)].sort(), [...new Set(edited)].sort()];
    }""")
    assert colours[0] == colours[1]
    assert len(colours[0]) == 2


@pytest.mark.parametrize("way", ["outlined", "hidden"])
def test_code_that_is_folded_away_stays_so(watch: Watch, way: str) -> None:
    watch.page.add_init_script(f"localStorage.setItem('code', '{way}')")
    page = start(watch)
    run_cell(page, 1)
    if way == "hidden":
        assert not cell(page, 1).locator(".cm-editor").is_visible()
        assert not cell(page, 7).is_visible()
        return
    expect(cell(page, 6).locator(".cm-editor")).to_be_visible()
    low = cell(page, 6).locator(".cm-editor").bounding_box()
    cell(page, 6).locator(".code-more").click()
    high = cell(page, 6).locator(".cm-editor").bounding_box()
    assert low
    assert high
    assert low["height"] < high["height"] / 2


# --- what is kept -------------------------------------------------------------------------------


def test_changes_are_kept_on_reload(watch: Watch) -> None:
    page = start(watch)
    write(page, 1, 'print("mine")')
    write(page, 2, "x = 1")
    page.reload()
    expect(page.locator(".run-here")).to_contain_text("2 changed")
    assert (
        cell(page, 1).locator(".cell_input").inner_text().startswith("x = 1")
    )  # the book, for now
    run_button(page).click()
    expect(page.get_by_role("dialog")).to_contain_text("Your changes to 2 cells come back.")
    page.get_by_role("button", name="Start", exact=True).click()
    ready(page)
    expect(editor(page, 1)).to_have_text('print("mine")')
    expect(cell(page, 1).locator(".run-changed")).to_have_text("changed")
    run_cell(page, 1)
    expect(cell(page, 1).locator(".run-output")).to_have_text("mine\n")


CHOICES = {"Use my change": 'print("mine")', "Use the book's": 'x = 1print("one")'}


@pytest.mark.parametrize("choice", CHOICES)
def test_where_the_book_has_changed_too_both_are_offered(watch: Watch, choice: str) -> None:
    page = start(watch)
    write(page, 1, 'print("mine")')
    page.evaluate("""() => {
        const [key] = Object.keys(localStorage).filter((key) => key.startsWith("run-here"));
        const kept = { ...JSON.parse(localStorage[key]), book: "of an older book" };
        localStorage.setItem(key, JSON.stringify(kept));
    }""")
    page.reload()
    start(watch)
    note = cell(page, 1).locator(".run-note")
    expect(note).to_contain_text("since then the book has changed it too")
    expect(editor(page, 1)).to_contain_text('print("one")')
    note.get_by_role("button", name=choice).click()
    expect(note).to_have_count(0)
    expect(editor(page, 1)).to_have_text(CHOICES[choice])
    page.reload()
    expect(page.locator(".run-kept")).to_have_text(
        " · 1 changed" if choice == "Use my change" else ""
    )


BLOCKED = {
    "blocked": """() => Object.defineProperty(window, "localStorage", {
        get() { throw new DOMException("no", "SecurityError"); } })""",
    "full": """() => {
        Storage.prototype.setItem = () => { throw new DOMException("no", "QuotaExceededError"); };
    }""",
}


@pytest.mark.parametrize("how", BLOCKED)
def test_where_nothing_can_be_kept_it_is_said(
    context: BrowserContext, address: str, how: str
) -> None:
    watch = Watch(context.new_page(), address)
    page = start(watch)
    page.evaluate(BLOCKED[how])
    write(page, 1, 'print("mine")')
    expect(cell(page, 1).locator(".run-changed")).to_have_text("changed, not kept")
    run_cell(page, 1)
    assert watch.problems == []


# --- the book again -----------------------------------------------------------------------------

# but for what other scripts keep up to date
ARTICLE = r"""article => article.innerHTML
    .replace(/ tabindex="-?\d"/g, "").replace(/ aria-label="Copy[^"]*"/g, "")"""


@pytest.mark.parametrize("path", [PAGE, "chapters/engine.html"])
def test_back_to_the_book(watch: Watch, path: str) -> None:
    """To the last letter; and it can be run again."""
    page = watch.page
    open_page(watch, path)
    before = page.locator("article").evaluate(ARTICLE)
    run_button(page).click()
    page.get_by_role("button", name="Start", exact=True).click()
    ready(page)
    write(page, 1, 'print("mine")')
    bar(page, "Run all").click()
    if path == PAGE:
        expect(state(page, 2)).to_contain_text("failed")
    else:
        expect(words(page)).to_contain_text("Ready. 2 cells ran")
        assert cell(page, 2).locator(".run-output").inner_text().strip() == "second"
        expect(cell(page, 1).locator(".run-same")).to_have_text("differs from the book")
    bar(page, "Back to the book").click()
    expect(page.locator(".run-bar, .run-tools, .cm-editor, .run-output")).to_have_count(0)
    assert page.locator("article").evaluate(ARTICLE) == before
    expect(run_button(page)).to_be_focused()
    expect(page.locator(".run-here")).to_contain_text("1 changed")
    run_button(page).click()
    page.get_by_role("button", name="Start", exact=True).click()
    ready(page)
    expect(editor(page, 1)).to_have_text('print("mine")')


# --- offline ------------------------------------------------------------------------------------


@pytest.fixture
def keeping(browser: Browser) -> Iterator[BrowserContext]:
    """A browser with service workers."""
    context = new_context(browser, viewport=WIDE)
    yield context
    context.close()


KEPT = ["/01_one.html", "/book.css", "/start.js", "/room.js", "/editor.js", "/worker.js"]
KEPT += ["/01_one.json", "/runtime.json", "/python.data"]


def test_a_page_that_was_run_works_offline(running: Path, keeping: BrowserContext) -> None:
    with serve(running, "/some/where/") as address:
        watch = Watch(keeping.new_page(), address)
        page = start(watch)
        kept = """async (wanted) => {
            const names = (await caches.keys()).filter((name) => name.startsWith("run-here"));
            if (!names.length) return false;
            const requests = await (await caches.open(names[0])).keys();
            const paths = requests.map(({ url }) => new URL(url).pathname);
            return wanted.every((end) => paths.some((path) => path.endsWith(end)));
        }"""
        page.wait_for_function(kept, arg=KEPT)
        assert watch.problems == []
    keeping.set_offline(True)  # and the server is gone
    load_again(page)
    ready(page)
    run_cell(page, 1)
    expect(cell(page, 1).locator(".run-same")).to_have_text("as in the book")


def test_a_new_runtime_takes_the_place_of_the_old(
    running: Path, keeping: BrowserContext, tmp_path: Path
) -> None:
    site = tmp_path / "html"
    shutil.copytree(running, site)
    with serve(site, "/some/where/") as address:
        watch = Watch(keeping.new_page(), address)
        page = start(watch)
        old, *more = page.evaluate("caches.keys()")
        assert more == []
        version = run_here_site.add_runtime(site, b"b" * 1_000_000)
        open_page(watch, PAGE)
        run_button(page).click()
        expect(page.get_by_role("dialog")).to_contain_text("The first time, 1 MB")
        page.get_by_role("button", name="Start", exact=True).click()
        ready(page)
        assert page.evaluate("caches.keys()") == [old.rsplit(" ", 1)[0] + f" {version}"]
        fetched = page.evaluate(
            "async () => (await (await fetch('../_static/runtime/python/python.data')).text())[0]"
        )
        assert fetched == "b"
        assert watch.problems == []


def test_the_service_worker_leaves_others_alone(running: Path, keeping: BrowserContext) -> None:
    """Its scope is the site's folder, and what lies beside it on the same host is not its own."""
    with serve(running, "/some/where/") as address:
        watch = Watch(keeping.new_page(), address)
        page = start(watch)
        scope = page.evaluate(
            "navigator.serviceWorker.getRegistration().then((found) => found.scope)"
        )
        assert scope == address
        page.evaluate("fetch('/elsewhere.html').catch(() => 0)")
        names = page.evaluate("""async () => {
            const all = [];
            for (const name of await caches.keys())
                for (const request of await (await caches.open(name)).keys()) all.push(request.url);
            return all;
        }""")
        assert names
        assert all(name.startswith(address) for name in names)


# --- for everybody ------------------------------------------------------------------------------

BUTTONS = ".run-bar button, .run-tools button, .run-panel button"
SIZES = """(all) => all.filter((node) => node.checkVisibility()).map((node) => {
    const { width, height } = node.getBoundingClientRect();
    return [node.textContent, width, height];
})"""
LOOKS = [(size, dark) for size in (WIDE, NARROW) for dark in (False, True)]


@pytest.mark.parametrize(
    ("size", "dark"), LOOKS, ids=["1280 light", "1280 dark", "390 light", "390 dark"]
)
def test_how_it_looks(watch: Watch, size: dict[str, int], dark: bool) -> None:
    page = watch.page
    page.set_viewport_size(size)  # type: ignore[arg-type]
    open_page(watch, PAGE)
    if dark:
        darken(page)
    run_button(page).click()
    expect(page.get_by_role("dialog")).to_contain_text("Nothing leaves your device.")
    assert axe_problems(page, "dialog") == []
    page.get_by_role("button", name="Start", exact=True).click()
    ready(page)
    write(page, 2, "fail()")
    bar(page, "Run all").click()
    expect(state(page, 2)).to_contain_text("failed")
    write(page, 1, "while True: pass")
    assert axe_problems(page) == []
    assert contrast_problems(page) == []
    assert overflow_problems(page) == []
    sizes = page.eval_on_selector_all(BUTTONS, SIZES)
    assert [name for name, width, height in sizes if min(width, height) < 24] == []


def test_on_a_touch_screen_the_buttons_are_large(browser: Browser, address: str) -> None:
    context = new_context(
        browser, viewport=NARROW, has_touch=True, is_mobile=True, service_workers="block"
    )
    watch = Watch(context.new_page(), address)
    page = start(watch)
    sizes = page.eval_on_selector_all(BUTTONS, SIZES)
    assert [name for name, width, height in sizes if min(width, height) < 44] == []
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    covered = page.evaluate("""() => {
        const bar = document.querySelector(".run-bar").getBoundingClientRect();
        const all = [...document.querySelectorAll("article section p, article .cell")];
        const last = all.at(-1).getBoundingClientRect();
        return last.bottom > bar.top && last.top < bar.bottom;
    }""")
    assert not covered
    assert watch.problems == []
    context.close()


def test_on_paper_it_is_not_there(watch: Watch) -> None:
    page = start(watch)
    run_cell(page, 1)
    page.emulate_media(media="print")
    assert page.locator(".run-bar:visible, .run-tools:visible, .cm-editor:visible").count() == 0
    assert cell(page, 1).locator(".cell_input pre").is_visible()
    assert cell(page, 1).locator(".cell_output").is_visible()
