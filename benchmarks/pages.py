"""How soon a page of the website stands on a slow processor, what moves meanwhile, what it weighs.

    python benchmarks/pages.py [--site FOLDER] [--slow 4] [--runs 3] [PAGE …]

Each page is opened in Chromium with the processor slowed down, as a phone (390 × 844) and as a
laptop (1280 × 800), and a line is printed:

- formulas: how many are on the first screen;
- first: seconds from navigation until all of them are there, in their fonts (on a page without
  formulas: until the first text is painted);
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
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tools")]

import site_checks  # noqa: E402 - it is found in that folder
from browser import open_browser  # noqa: E402

SCREENS = {
    "phone": {"width": 390, "height": 844},
    "laptop": {"width": 1280, "height": 800},
}

COUNTS = ("formulas", "nodes")

# Nothing here asks for a layout that the page would not make for itself.
WATCH = """
window.seen = { shift: 0, figures: 0, entered: new Map() };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
const screen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target, time } of entries)
    if (isIntersecting && !seen.entered.has(target)) seen.entered.set(target, time);
});
new MutationObserver((changes) => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes) if (node.classList?.contains("math")) screen.observe(node);
}).observe(document, { childList: true, subtree: true });
(function look() {
  const stills = [...document.querySelectorAll("img.touch")];
  const mounted = stills.every((still) => still.classList.contains("touch-mounted"));
  if (document.readyState === "loading" || !mounted) setTimeout(look, 20);
  else if (stills.length) seen.figures = performance.now();
})();
"""

# when the last formula of the first screen came into it, and its face was there
FIRST = """
() => {
  const shown = [...document.querySelectorAll(".bd-article .math")].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width && box.top < innerHeight && box.bottom > 0 && !node.closest(".book-tip");
  });
  const late = shown.filter((node) => !seen.entered.has(node));
  if (late.length) throw new Error(`never seen: ${late.map((node) => node.textContent)}`);
  const paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  const times = shown.map((node) => seen.entered.get(node));
  const families = new Set(shown.flatMap((node) => [...node.querySelectorAll("mjx-c")])
    .flatMap((node) => getComputedStyle(node, "::before").fontFamily.split(/, */)));
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
  const faces = rules
    .filter((rule) => rule instanceof CSSFontFaceRule && families.has(rule.style.fontFamily))
    .map((rule) => rule.style.src.match(/[^/"]+[.]woff2?/)?.[0]);
  const come = performance.getEntriesByType("resource")
    .filter(({ name }) => faces.includes(name.split("/").pop())).map((one) => one.responseEnd);
  return { formulas: shown.length, first: Math.max(paint, ...times, ...come),
    shift: seen.shift, figures: seen.figures };
}
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
    page.wait_for_function("!document.querySelector('img.touch') || seen.figures")
    seen: dict[str, Any] = page.evaluate(FIRST)
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    return {
        "formulas": seen["formulas"],
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
    names = ["formulas", "first", "figures", "shift", "layout", "style", "script", "nodes"]
    print(f"{'page':36}{'screen':8}" + "".join(f"{n:>9}" for n in [*names, "html", "gzip"]))
    with site_checks.serve(options.site) as address, open_browser() as browser:
        for name in pages:
            data = (options.site / name).read_bytes()
            weight = [len(data) / 1000, len(gzip.compress(data)) / 1000]
            for screen, size in SCREENS.items():
                runs = [
                    look(browser, address + name, size, options.slow) for _ in range(options.runs)
                ]
                best = {n: (max if n == "shift" else min)(run[n] for run in runs) for n in names}
                figures = [f"{best[n]:9.{0 if n in COUNTS else 3}f}" for n in names]
                kilobytes = [f"{w:9.1f}" for w in weight]
                print(f"{name:36}{screen:8}" + "".join(figures + kilobytes), flush=True)


if __name__ == "__main__":
    main()
