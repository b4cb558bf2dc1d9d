"""A page with the button, the panel and the bar, and Python itself behind them."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import run_here_site
from run_here import ROOT
from run_here_reader import bar, cell, load_again, run_cell, start, state, words, write
from run_here_site import ALT, code, printed, shown
from site_checks import Watch, new_context, serve
from website.run_here.folder import write as write_runtime
from website.run_here.runtime import Release

DRAWN = "import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.show()"
FIVE = "from gmmlib import datasets\n\nx = datasets.worked_example()\nprint(x)"
HALF = "import sympy as sp\n\nsp.Rational(1, 2)"
CHECK = "from gmmlib import checks; checks.numerical('eq-a', sum([1.0, 2.0]), 3.0)"
CELLS = [
    run_here_site.words(run_here_site.OPENING),
    code("five", FIVE, printed("[0.9 0.7 1.2 2.4 1.8]\n")),
    code("half", HALF, shown(text_latex=run_here_site.LATEX, text_plain="1/2")),
    code("drawn", DRAWN, shown(image_png=run_here_site.png()), mystnb=run_here_site.FIGURE),
    code("size", "print(len(x))", printed("5\n")),
]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("book")
    run_here_site.write_sources(root, CELLS)
    site = run_here_site.build(root, "website.run_here.pages")
    write_runtime(Release.read(Path(os.environ["RUNTIME"])), ROOT, site / "_static")
    return site


def test_a_reader_runs_a_page(browser: Browser, real: Path) -> None:
    """From the button to the last cell; a loop is stopped; then without a network."""
    context = new_context(browser)
    with serve(real, "/some/where/") as address:
        watch = Watch(context.new_page(), address)
        page = start(watch)
        bar(page, "Run all").click()
        expect(words(page)).to_contain_text("Ready. 4 cells ran")
        for number in (1, 2, 4):
            expect(cell(page, number).locator(".run-same")).to_have_text("as in the book")
        expect(cell(page, 2).locator("mjx-mfrac")).to_have_count(1)
        image = cell(page, 3).locator("figure#fig-white img")
        assert image.get_attribute("alt") == ALT
        assert image.evaluate("image => image.naturalWidth") > 100

        write(page, 4, CHECK)
        run_cell(page, 4)
        expect(cell(page, 4).locator(".ledger-line")).to_contain_text("✓ eq-a · numerical")

        write(page, 4, "while True: pass")
        page.get_by_role("button", name="Run cell 4", exact=True).click()
        expect(state(page, 4)).to_contain_text("running")
        bar(page, "Stop").click()
        bar(page, "Run all above cell 4").click()
        expect(words(page)).to_contain_text("Ready. 3 cells ran")
        write(page, 4, "print(x.summ())")
        run_cell(page, 4, "failed")
        error = cell(page, 4).locator(".run-error")
        expect(error).to_contain_text("AttributeError: 'numpy.ndarray' object has no attribute")
        assert watch.problems == []
    context.set_offline(True)  # and the server is gone
    load_again(page)
    run_cell(page, 1)
    context.close()
