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
from formulas.run import Displays, displays_of

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


def run(displays: Displays, labels: list[str]) -> int:
    records = executed.run_all(displays, labels or displays.shown)
    for record in records.values():
        print(f"{record.label} {record.in_words}")
    wrong = [record for record in records.values() if not record.holds]
    nobody = [] if labels else list(executed.not_run(records, executed.reasons(displays)))
    for error in nobody:
        print(error)
    claims = [record for label, record in records.items() if label.startswith("eq-")]
    held = sum(record.holds for record in claims)
    print(f"{held} of {len(claims)} claims hold, {len(records) - len(claims)} definitions")
    return 1 if wrong or nobody else 0


# --- mutants --------------------------------------------------------------------------------------


def run_mutants(
    displays: Displays, labels: list[str], seed: int, each: int, held_back: bool
) -> int:
    operators = mutants.HELD_BACK if held_back else mutants.OPERATORS
    records = executed.run_all(displays, displays.shown)
    users = mutants.users_of({label: record.stands_on for label, record in records.items()})
    chosen = [
        mutant
        for label in labels or displays.shown
        if records[label].holds
        for mutant in mutants.sample(
            mutants.mutants_of(displays, label, operators), each or sys.maxsize, seed
        )
    ]
    with ProcessPoolExecutor(
        WORKERS, get_context("fork"), _take_mutants, (displays, chosen, users)
    ) as pool:
        reasons = pool.map(_refuse, range(len(chosen)), chunksize=8)
        return report(chosen, reasons, explained())


_MUTANTS: list[tuple[Displays, list[mutants.Mutant], dict[str, list[str]]]] = []


def _take_mutants(
    displays: Displays, chosen: list[mutants.Mutant], users: dict[str, list[str]]
) -> None:
    _MUTANTS[:] = [(displays, chosen, users)]


def _refuse(k: int) -> str:
    displays, chosen, users = _MUTANTS[0]
    return mutants.is_refused(displays, chosen[k], users)


def explained() -> dict[str, str]:
    """Mutants that survive, and why: they are true."""
    found = tomllib.loads(SURVIVORS.read_text(encoding="utf8"))
    return {name: reason for reason, names in found.items() for name in names}


def report(chosen: list[mutants.Mutant], reasons: Iterable[str], known: dict[str, str]) -> int:
    made, refused = Counter[str](), Counter[str]()
    unexplained = []
    for mutant, reason in zip(chosen, reasons, strict=True):
        made[mutant.operator] += 1
        refused[mutant.operator] += bool(reason)
        why = known.get(mutant.name)
        if reason and why:
            print(f"refused, though explained: {mutant.name}", flush=True)
        if not reason:
            print(f"survives: {mutant.name}{f' ({why})' if why else ''}", flush=True)
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
