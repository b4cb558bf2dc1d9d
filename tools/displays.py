"""Run the displayed equations from their own LaTeX.

    python tools/displays.py [--chapters DIR] [LABEL …]
    python tools/displays.py --mutants [--seed S] [LABEL …]

The first runs each labelled display of the notebooks in DIR (chapters) in random worlds, and
prints a line for each: its label, and in how many worlds of which n, K and d it held, or why not.
It exits with 1 if a display does not hold, is not read, uses a letter that the notation does not
have, or is run by nobody. The second changes each display in small ways and reports how many of
the changed ones are refused.
"""

import argparse
import sys
import time
from pathlib import Path

import book
from book import ROOT
from formulas.run import displays_of


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chapters", type=Path, default=ROOT / "chapters")
    parser.add_argument("labels", nargs="*")
    arguments = parser.parse_args()
    pages = book.read_book(ROOT).pages
    displays = displays_of(pages, ROOT)
    wrong = 0
    for label in arguments.labels or displays.shown:
        start = time.perf_counter()
        outcome = displays.run(label)
        sizes = "; ".join(
            f"{s['n']}, {s['K']}, {s['d']}" for s in outcome.sizes
        )
        took = time.perf_counter() - start
        if outcome.holds:
            print(f"{label}: holds in {len(outcome.sizes)} worlds (n, K, d = {sizes}) {took:.2f}")
        else:
            wrong += 1
            print(f"{label}: {outcome.error} {took:.2f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
