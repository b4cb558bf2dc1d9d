"""Run the displayed equations from their own LaTeX.

    python tools/displays.py [--chapters DIR] [LABEL …]
    python tools/displays.py --mutants [--seed S] [--each N] [--held-back] [LABEL …]

The first runs each labelled display of the notebooks in DIR (chapters) in random worlds, and
prints a line for each: its label, and in how many worlds of which n, K and d it held, or why not.
It exits with 1 if a display does not hold, is not read, uses a letter that the notation does not
have, or is run by nobody. The second changes each display in small ways, N of them for each
(0: all), and reports how many of the changed ones are refused. It exits with 1 where one survives
that tools/formulas/survivors.toml does not explain.
"""

import argparse
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import book
import executed
from book import ROOT, Page
from formulas import mutants
from formulas.run import Displays, Outcome, displays_of

SURVIVORS = Path(__file__).parent / "formulas" / "survivors.toml"
WORKERS = 2


def pages_in(folder: Path) -> list[Page]:
    """The notebooks of a folder, in the order of the book where it is the book's own."""
    if folder.resolve() == (ROOT / "chapters").resolve():
        return list(book.read_book(ROOT).pages)
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise FileNotFoundError(f"there is no notebook in {folder}")
    return [Page(path, path.read_text(encoding="utf8"), k) for k, path in enumerate(paths)]


def run_all(displays: Displays, labels: Iterable[str]) -> dict[str, Outcome]:
    """The outcome of each display, worked out in two processes."""
    wanted = list(labels)
    if len(wanted) < 8:
        return {label: displays.run(label) for label in wanted}
    with ProcessPoolExecutor(WORKERS, get_context("fork"), _take, (displays,)) as pool:
        return dict(zip(wanted, pool.map(_run, wanted, chunksize=4), strict=True))


_DISPLAYS: list[Displays] = []


def _take(displays: Displays) -> None:
    _DISPLAYS[:] = [displays]


def _run(label: str) -> Outcome:
    return _DISPLAYS[0].run(label).plain()


def run_by_nobody(displays: Displays, outcomes: dict[str, Outcome]) -> list[str]:
    """Definitions that no claim was worked out with, and that give no reason."""
    claims = [o for label, o in outcomes.items() if label.startswith("eq-")]
    used = {label for outcome in claims for label in outcome.definitions}
    known = executed.reasons(displays)
    definitions = [label for label in outcomes if label.startswith("def-")]
    return [label for label in definitions if label not in used and label not in known]


def line(outcome: Outcome) -> str:
    label = outcome.shown.label
    if not outcome.holds:
        return f"{label} {outcome.error}"
    worlds = "; ".join(f"{s['n']}, {s['K']}, {s['d']}" for s in outcome.sizes)
    count = len(outcome.sizes)
    return f"{label} holds in {count} {'world' if count == 1 else 'worlds'}: n, K, d = {worlds}"


def run(displays: Displays, labels: list[str]) -> int:
    outcomes = run_all(displays, labels or displays.shown)
    for outcome in outcomes.values():
        print(line(outcome))
    wrong = sum(not outcome.holds for outcome in outcomes.values())
    nobody = [] if labels else run_by_nobody(displays, outcomes)
    for label in nobody:
        print(f"{label} is run by nobody")
    claims = [label for label in outcomes if label.startswith("eq-")]
    held = sum(outcomes[label].holds for label in claims)
    print(f"{held} of {len(claims)} claims hold, {len(outcomes) - len(claims)} definitions")
    return 1 if wrong or nobody else 0


# --- mutants --------------------------------------------------------------------------------------


def run_mutants(
    displays: Displays, labels: list[str], seed: int, each: int, held_back: bool
) -> int:
    operators = mutants.HELD_BACK if held_back else mutants.OPERATORS
    outcomes = run_all(displays, displays.shown)
    users = mutants.users_of(outcomes)
    chosen = [
        mutant
        for label in labels or displays.shown
        if outcomes[label].holds
        for mutant in mutants.sample(
            mutants.mutants_of(displays, label, operators), each or sys.maxsize, seed
        )
    ]
    with ProcessPoolExecutor(
        WORKERS, get_context("fork"), _take_mutants, (displays, chosen, users)
    ) as pool:
        reasons = list(pool.map(_refuse, range(len(chosen)), chunksize=8))
    return report(chosen, reasons, explained())


_MUTANTS: list[tuple[list[mutants.Mutant], dict[str, list[str]]]] = []


def _take_mutants(
    displays: Displays, chosen: list[mutants.Mutant], users: dict[str, list[str]]
) -> None:
    _take(displays)
    _MUTANTS[:] = [(chosen, users)]


def _refuse(k: int) -> str:
    chosen, users = _MUTANTS[0]
    return mutants.is_refused(_DISPLAYS[0], chosen[k], users)


def explained() -> dict[str, str]:
    """Mutants that survive, and why: they are true."""
    found = tomllib.loads(SURVIVORS.read_text(encoding="utf8"))
    return {name: reason for name, reason in found.items() if isinstance(reason, str)}


def report(chosen: list[mutants.Mutant], reasons: list[str], known: dict[str, str]) -> int:
    made, refused = Counter[str](), Counter[str]()
    unexplained = []
    for mutant, reason in zip(chosen, reasons, strict=True):
        made[mutant.operator] += 1
        refused[mutant.operator] += bool(reason)
        if not reason:
            why = known.get(mutant.name)
            print(f"survives: {mutant.name}{f' ({why})' if why else ''}")
            unexplained += [] if why else [mutant.name]
    for operator in made:
        print(f"{operator}: {refused[operator]} of {made[operator]} refused")
    total, all_refused = made.total(), refused.total()
    share = 100 * all_refused / total if total else 100
    print(f"{all_refused} of {total} refused ({share:.1f} %), {len(unexplained)} not explained")
    return 1 if unexplained else 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--chapters", type=Path, default=ROOT / "chapters", metavar="DIR")
    parser.add_argument("--mutants", action="store_true", help="change displays, and see")
    parser.add_argument("--held-back", action="store_true", help="with the operators kept aside")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", type=int, default=0, metavar="N", help="mutants of each display")
    parser.add_argument("labels", nargs="*", metavar="LABEL")
    given = parser.parse_args(arguments)
    displays = displays_of(pages_in(given.chapters), ROOT)
    unknown = [label for label in given.labels if label not in displays.shown]
    if unknown:
        parser.error(f"{', '.join(unknown)}: no display of {given.chapters} has that label")
    if given.mutants or given.held_back:
        return run_mutants(displays, given.labels, given.seed, given.each, given.held_back)
    return run(displays, given.labels)


if __name__ == "__main__":
    sys.exit(main())
