"""The built site in a real browser: what its pages do. What they look like is in test_pages.py."""

import re
import time
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, Page

import site_checks
from book import read_book
from course.question_files import question_files
from site_checks import CHAPTER, Watch, open_page, page_problems, pages_of, transferred
from site_fixtures import built

ROOT = Path(__file__).parents[2]
FILMSTRIP = "chapters/08_several_dimensions.html"
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
BASE = CONFIG["html"]["baseurl"].rstrip("/")  # empty while the site has no address
FIRST_PAGE_BYTES, FIRST_PAGE_SECONDS = 1_500_000, 2.0


def test_every_link(site: Path) -> None:
    problems = site_checks.link_problems(site)
    assert not problems, "\n".join(problems)


def test_the_questions_can_be_downloaded(site: Path, address: str, page: Page) -> None:
    open_page(Watch(page, address), "course/teach.html")
    links = page.eval_on_selector_all("a[href*='questions/']", "all => all.map(a => a.href)")
    files = question_files(read_book())
    assert [link.removeprefix(address) for link in links] == [f"questions/{f}" for f in files]
    for name, content in files.items():
        assert (site / "questions" / name).read_bytes() == content


def test_search_finds_a_word_of_the_book(address: str, page: Page) -> None:
    watch = Watch(page, address)
    open_page(watch, "search.html?q=worked%20example")
    page.wait_for_selector("#search-results li a")
    links = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.href)")
    assert any(CHAPTER in link for link in links), links
    open_page(watch, "search.html?q=xylophone")
    page.wait_for_function("document.body.innerText.includes('did not match any documents')")
    assert not watch.problems


def test_search_opens_from_a_page(address: str, page: Page) -> None:
    open_page(Watch(page, address), CHAPTER)
    page.keyboard.press("Control+k")
    page.keyboard.type("responsibility")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")


def test_hover_texts(address: str, page: Page) -> None:
    page.clock.install()
    open_page(Watch(page, address), CHAPTER)
    term = page.locator("a:has(.std-term)", has_text="responsibility").first
    tip = page.locator(f"#{term.get_attribute('aria-describedby')}")
    assert not tip.is_visible()

    term.hover()
    tip.wait_for(state="visible")
    assert "probability that point" in tip.inner_text()
    tip.locator("mjx-container").first.wait_for(state="attached")  # its formulas are set too
    tip.hover()  # it stays while the pointer is on it
    page.clock.run_for(400)
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert not tip.is_visible()

    page.mouse.move(0, 0)
    term.evaluate("link => link.focus()")
    tip.wait_for(state="visible")
    box, room = tip.bounding_box(), page.viewport_size
    assert box
    assert room
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= room["width"]
    assert 0 <= box["y"] < room["height"]
    page.keyboard.press("Tab")
    assert not tip.is_visible()


@pytest.mark.parametrize("kind", ["equation-", "bibliography.html#"])
def test_equations_and_references_show_what_they_are(address: str, page: Page, kind: str) -> None:
    open_page(Watch(page, address), CHAPTER)
    link = page.locator(f'a[aria-describedby][href*="{kind}"]').first
    tip = page.locator(f"#{link.get_attribute('aria-describedby')}")
    link.evaluate("link => link.focus()")
    tip.wait_for(state="visible")
    assert tip.inner_text().strip()
    assert tip.locator("a").count() == 0  # nothing in it asks to be clicked


def test_a_first_tap_shows_and_a_second_follows(address: str, browser: Browser) -> None:
    context = site_checks.new_context(browser, viewport=site_checks.NARROW, has_touch=True)
    page = context.new_page()
    open_page(Watch(page, address), CHAPTER)
    term = page.locator("a:has(.std-term)").first
    tip = page.locator(f"#{term.get_attribute('aria-describedby')}")
    term.tap()
    tip.wait_for(state="visible")
    assert page.url.endswith(CHAPTER)
    term.tap()
    page.wait_for_url("**/glossary.html#term-*")
    context.close()


def test_a_check_line_leads_to_its_equation(address: str, page: Page) -> None:
    open_page(Watch(page, address), CHAPTER)
    line = page.locator(".ledger-line a").first
    label = line.inner_text()
    line.click()
    assert page.url.endswith(f"#equation-{label}")
    assert page.locator(f'[id="equation-{label}"]').is_visible()


def test_a_filmstrip_is_stepped_and_played_by_hand(address: str, page: Page) -> None:
    page.clock.install()
    watch = Watch(page, address)
    open_page(watch, FILMSTRIP)
    player = page.locator(".filmstrip-player").first
    status, still = player.locator("output"), player.locator("img")
    page.clock.run_for(5000)
    assert status.inner_text() == "1 of 8"  # nothing moves by itself
    player.get_by_role("button", name="Next frame").focus()
    page.keyboard.press("Enter")
    assert status.inner_text() == "2 of 8"
    player.get_by_role("button", name="Previous frame").click()
    assert status.inner_text() == "1 of 8"
    player.get_by_role("button", name="Play").click()
    page.clock.run_for(2000)
    assert status.inner_text() == "3 of 8"
    player.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
    assert status.inner_text() == "3 of 8"
    player.get_by_role("slider").focus()
    page.keyboard.press("End")
    assert status.inner_text() == "8 of 8"
    assert not still.is_visible()
    player.get_by_role("button", name="Show all frames").click()
    assert still.is_visible()
    page.emulate_media(media="print")
    assert still.is_visible()
    assert not player.get_by_role("slider").is_visible()
    assert not watch.problems


def test_a_filmstrip_without_script_is_a_strip(address: str, browser: Browser) -> None:
    context = site_checks.new_context(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(address + FILMSTRIP)
    assert page.locator("img.filmstrip").first.is_visible()
    assert page.locator(".filmstrip-player").count() == 0
    context.close()


def test_the_ledger_page_shows_every_equation(address: str, page: Page) -> None:
    import ledger

    book = ledger.read_ledger()
    open_page(Watch(page, address), "chapters/ledger.html")
    shown = page.locator(".ledger-head code").all_inner_texts()
    assert shown == [equation.label for equation in book.equations]
    open_page(Watch(page, address), "index.html")
    text = page.locator("article").inner_text()
    for name in ("equations", "claims", "checks"):
        assert str(book.counts[name]) in text


def test_the_site_works_below_a_path(site: Path, page: Page) -> None:
    with site_checks.serve(site, "/some/where/") as address:
        problems = page_problems(Watch(page, address), CHAPTER)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", ["index.html", CHAPTER, "chapters/ledger.html", "404.html"])
def test_the_site_works_as_files(site: Path, page: Page, name: str) -> None:
    problems = page_problems(Watch(page, f"{site.resolve().as_uri()}/"), name)
    assert not problems, "\n".join(problems)


def test_the_search_works_as_files(site: Path, page: Page) -> None:
    watch = Watch(page, f"{site.resolve().as_uri()}/")
    open_page(watch, "search.html?q=worked%20example")
    page.locator("#search-results li a").first.wait_for()
    page.locator("#search-results li a[href*='07_worked_example']").first.click()
    page.wait_for_url(f"**/{CHAPTER}*")
    assert not watch.problems


@pytest.mark.parametrize("wrong", ["nothing.html", "chapters/nothing.html", "chapters/a/b"])
def test_a_wrong_address_is_answered(site: Path, page: Page, wrong: str) -> None:
    with site_checks.serve(site, "/some/where/") as address:
        watch = Watch(page, address)
        open_page(watch, wrong)
        assert page.locator("h1").inner_text() == "There is no such page"
        # the browser says so too on its console
        asked = [f"status 404: {address}{wrong}", "console error: Failed to load resource"]
        rest = [p for p in watch.problems if not p.startswith(tuple(asked))]
        assert (rest, len(watch.problems)) == ([], 2)
        if BASE:
            hrefs = page.locator("a").evaluate_all("all => all.map((link) => link.href)")
            assert all(href.startswith(f"{BASE}/") for href in hrefs)
            return
        page.locator("a", has_text="Gaussian Mixtures, Executed").click()
        page.wait_for_url(f"{address}index.html")
        page.goto(address + wrong)
        page.locator("nav a", has_text="The worked example").click()
        page.wait_for_url(f"{address}{CHAPTER}")
        page.goto(address + wrong)
        page.get_by_role("searchbox").fill("likelihood")
        page.keyboard.press("Enter")
        page.locator("#search-results li a").first.wait_for()


def test_the_first_page_is_light(address: str, page: Page) -> None:
    sizes = transferred(page, address + "index.html")
    assert sum(sizes.values()) < FIRST_PAGE_BYTES, sizes
    assert address + "index.html" in sizes
    assert not any("mathjax" in url or "search-index" in url for url in sizes)


def test_the_first_page_is_soon_ready(address: str, browser: Browser) -> None:
    """Loaded, and a control answers: once in ten times, for the machine has other things to do."""
    taken: list[float] = []
    while not taken or (min(taken) > FIRST_PAGE_SECONDS and len(taken) < 10):
        context = site_checks.new_context(browser, viewport=site_checks.WIDE)
        page = context.new_page()
        start = time.perf_counter()
        page.goto(address + "index.html", wait_until="load")
        page.locator(".theme-switch-button").first.click()
        page.wait_for_function("document.documentElement.dataset.mode !== 'auto'")
        taken.append(time.perf_counter() - start)
        context.close()
    assert min(taken) < FIRST_PAGE_SECONDS, taken


def test_the_keyboard_leads_through_a_whole_page(address: str, page: Page) -> None:
    """From the head of a chapter to its foot: nothing on the way keeps the focus."""
    open_page(Watch(page, address), CHAPTER)
    last = page.locator(".prev-next-footer a").last
    for _ in range(600):
        page.keyboard.press("Tab")
        if last.evaluate("node => node === document.activeElement"):
            break
    else:
        pytest.fail("600 times Tab do not lead to the foot of the page")


def test_a_heavy_page_is_found(tmp_path: Path, page: Page) -> None:
    (tmp_path / "big.js").write_text(" " * FIRST_PAGE_BYTES)
    (tmp_path / "page.html").write_text("<!DOCTYPE html><script src='big.js'></script>")
    with site_checks.serve(tmp_path) as address:
        sizes = transferred(page, address + "page.html")
    assert sizes[address + "big.js"] > FIRST_PAGE_BYTES
    assert sum(sizes.values()) > FIRST_PAGE_BYTES


def test_without_script_the_page_has_its_colours(address: str, browser: Browser) -> None:
    context = site_checks.new_context(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(address + CHAPTER)
    colours = page.locator("article p > a").evaluate_all(
        "links => links.map((link) => getComputedStyle(link).color)"
    )
    assert "rgb(11, 92, 148)" in colours
    assert site_checks.brightness(page) > 0.9
    assert page.locator("article .solution p").last.is_visible()  # nothing stays folded up
    context.close()


def test_the_first_paint_has_the_colours_of_the_system(address: str, browser: Browser) -> None:
    """Also where the theme's script is slow to come."""
    context = site_checks.new_context(browser, color_scheme="dark")
    page = context.new_page()
    page.route("**/scripts/*.js*", lambda route: route.abort())
    page.goto(address + "index.html")
    assert site_checks.brightness(page) < 0.2
    context.close()


def test_every_page_says_what_it_is(site: Path) -> None:
    """For search engines, and for other sites that show a card of it."""
    seen: dict[str, set[str]] = {"title": set(), "description": set()}
    names = pages_of(site)
    for name in names:
        head = (site / name).read_text(encoding="utf-8").partition("</head>")[0]
        title = re.findall("<title>(.*?)</title>", head)
        tags = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', head))
        assert len(title) == 1
        assert "Gaussian Mixtures, Executed" in title[0]
        assert len(re.findall('<meta name="description"', head)) == 1
        assert 20 <= len(tags["description"]) <= 300, (name, tags["description"])
        seen["title"].add(title[0])
        seen["description"].add(tags["description"])
        for wanted in ("title", "description", "type", "site_name", "image", "image:alt"):
            assert tags[f"og:{wanted}"], name
        assert tags["twitter:card"] == "summary_large_image"
        image = tags["og:image"]
        folder = site if BASE else (site / name).parent
        picture = folder / image.removeprefix(f"{BASE}/")
        assert picture.read_bytes().startswith(b"\x89PNG")
        icon = re.findall(r'<link rel="icon" href="([^"]+)"', head)
        assert len(icon) == 1
        assert icon[0].startswith("data:") or ((site / name).parent / icon[0]).is_file()
        assert ('rel="canonical"' in head) == (bool(BASE) and name not in ("404.html",))
    assert all(len(values) == len(names) for values in seen.values())
    assert (site / "sitemap.xml").exists() == bool(BASE)


def test_every_chapter_has_what_belongs_to_it(site: Path) -> None:
    chapters = [name for name in pages_of(site) if re.search(r"/(\d\d|A)_", name)]
    assert len(chapters) >= 10
    for name in chapters:
        text = (site / name).read_text(encoding="utf-8")
        article, _, foot = text.partition("</article>")
        assert "You need first:" in article, name
        assert article.count("Further reading") == 1, name
        assert 'class="book-tip"' in article, name
        assert "left-prev" in foot, name
        assert "right-next" in foot, name
        links = re.findall(r'<a href="([^"]+)" download', article)
        notebooks = [((site / name).parent / link).read_text(encoding="utf-8") for link in links]
        assert ["**Solution of" in notebook for notebook in notebooks] == [True, False], name
        assert "index.html#run-the-chapters" in article, name


def test_a_site_that_is_not_built_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="make book"):
        built(tmp_path)


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("#gone", "#gone leads to no anchor"),
        ("other.html#gone", "other.html#gone leads to no anchor"),
        ("gone.html", "gone.html leads to no file"),
        ("/other.html", "works only at the root"),
    ],
)
def test_a_broken_link_is_found(tmp_path: Path, link: str, problem: str) -> None:
    target = '<!DOCTYPE html><title>A page</title><p id="there"><img src="dot.svg" alt="A dot.">'
    (tmp_path / "other.html").write_text(target)
    (tmp_path / "dot.svg").touch()
    page = tmp_path / "index.html"
    page.write_text('<!DOCTYPE html><p id="here"><a href="other.html#there">There</a>')
    assert site_checks.link_problems(tmp_path) == []
    page.write_text(f'<!DOCTYPE html><p id="here"><a href="{link}">nowhere</a>')
    found = site_checks.link_problems(tmp_path)
    assert len(found) == 1
    assert problem in found[0]
