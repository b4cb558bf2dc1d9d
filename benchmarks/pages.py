"""How soon a page of the website stands on a slow processor, what moves meanwhile, what it weighs.

    python benchmarks/pages.py [--site FOLDER] [--slow 4] [--runs 3] [PAGE …]

Each page is opened in Chromium with the processor slowed down, as a phone (390 × 844) and as a
laptop (1280 × 800), and a line is printed:

- first: seconds from navigation until every formula of the first screen is drawn, in its fonts;
- figures: seconds until every figure that can be touched is in its picture's place;
- shift: the sum of all layout shifts, as the Layout Instability API counts them;
- layout, style, script: seconds that the page's main thread spent on each;
- nodes: elements and texts in the document;
- html, gzip: the page itself in kilobytes, as it is and compressed.

Of several runs the quickest counts for the times, the worst for the shift.
"""

import argparse
import gzip
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import site_checks  # noqa: E402 - it is found in that folder

SCREENS = {
    "phone": {"width": 390, "height": 844},
    "laptop": {"width": 1280, "height": 800},
}

WATCH = """
window.seen = { shift: 0, first: null, figures: null };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
(function look() {
  const article = document.querySelector(".bd-article");
  const below = article && article.getBoundingClientRect().bottom > innerHeight;
  if (article && (below || document.readyState !== "loading")) {
    const drawn = { contentVisibilityAuto: true }; // a box of another would be worked out first
    const shown = [...article.querySelectorAll(".math")].filter((node) => {
      if (!node.checkVisibility(drawn)) return false;
      const box = node.getBoundingClientRect();
      return box.width && box.top < innerHeight && box.bottom > 0 && !node.closest(".book-tip");
    });
    const set = shown.every((node) => node.querySelector("mjx-c"));
    if (set && seen.first === null && document.fonts.status === "loaded")
      requestAnimationFrame(() => { seen.first ??= performance.now(); });
    const stills = [...document.querySelectorAll("img.touch")];
    if (document.readyState !== "loading" && seen.figures === null
        && stills.every((still) => still.classList.contains("touch-mounted")))
      seen.figures = stills.length ? performance.now() : 0;
  }
  requestAnimationFrame(look);
})();
"""

QUIET = """
async () => {
  if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
  await document.fonts.ready;
  const idle = (call) => requestIdleCallback(call);
  for (let k = 0; k < 5; k++) await new Promise((done) => requestAnimationFrame(() => idle(done)));
}
"""


def look(browser: Browser, url: str, screen: dict[str, int], slow: float) -> dict[str, float]:
    context = browser.new_context(viewport=screen)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(WATCH)
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slow})
    session.send("Performance.enable")
    page.goto(url, wait_until="load")
    page.evaluate(QUIET)
    page.wait_for_function("seen.first !== null && seen.figures !== null")
    seen: dict[str, Any] = page.evaluate("seen")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    return {
        "first": seen["first"] / 1000,
        "figures": seen["figures"] / 1000,
        "shift": seen["shift"],
        "layout": metrics["LayoutDuration"],
        "style": metrics["RecalcStyleDuration"],
        "script": metrics["ScriptDuration"],
        "nodes": metrics["Nodes"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="How soon the website's pages stand.")
    parser.add_argument("pages", nargs="*", help="such as index.html; all, if none is given")
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--slow", type=float, default=4, help="how many times slower")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if not (options.site / "index.html").is_file():
        raise SystemExit(f"{options.site} has no index.html. Build the website first: make book")
    pages = options.pages or [
        path.relative_to(options.site).as_posix()
        for path in [options.site / "index.html", *sorted(options.site.glob("chapters/*.html"))]
    ]
    names = ["first", "figures", "shift", "layout", "style", "script", "nodes"]
    print(f"{'page':36}{'screen':8}" + "".join(f"{n:>9}" for n in [*names, "html", "gzip"]))
    with site_checks.serve(options.site) as address, site_checks.open_browser() as browser:
        for name in pages:
            data = (options.site / name).read_bytes()
            weight = [len(data) / 1000, len(gzip.compress(data)) / 1000]
            for screen, size in SCREENS.items():
                runs = [
                    look(browser, address + name, size, options.slow) for _ in range(options.runs)
                ]
                best = {n: (max if n == "shift" else min)(run[n] for run in runs) for n in names}
                figures = [f"{best[n]:9.3f}" if n != "nodes" else f"{best[n]:9.0f}" for n in names]
                kilobytes = [f"{w:9.1f}" for w in weight]
                print(f"{name:36}{screen:8}" + "".join(figures + kilobytes), flush=True)


if __name__ == "__main__":
    main()
