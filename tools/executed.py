"""What came of running each display: records that can be stored, for the ledger and its page.

``outcomes`` runs the displays of a book, once: the records lie in ``_build`` until a display, the
notation or the code that runs them changes. ``who_runs`` says which claims a definition is run by.
"""

import hashlib
import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import book
import declared
from formulas import letters, run, wording

STORE = Path("_build") / "executed.json"
PROCESSES = 2
SHOWN = 8  # worlds of which the sizes are told
FEW = 8  # displays that are not worth a second process


@dataclass(frozen=True)
class Executed:
    """A display that was run: in which worlds it held, with which numbers, or why not.

    ``worlds``: for each world its chains of relations, as tools/formulas/wording.py tells them.
    ``stands_on``: the other displays whose formulas were run for it.
    """

    label: str
    error: str
    sizes: list[dict[str, int]]
    worlds: list[list[wording.Chain]]
    stands_on: list[str]
    beside: list[str] = field(default_factory=list)
    axes: str = "nKd"

    @property
    def holds(self) -> bool:
        return not self.error

    @property
    def in_words(self) -> str:
        if not self.holds:
            return self.error
        sizes = "; ".join(", ".join(str(s[a]) for a in self.axes) for s in self.sizes[:SHOWN])
        sizes += "; …" if len(self.sizes) > SHOWN else ""
        letters_ = ", ".join(self.axes)
        if len(self.sizes) == 1:
            return f"held in one world, that of its printed numbers: {letters_} = {sizes}"
        return f"held in {len(self.sizes)} worlds: {letters_} = {sizes}"


def outcomes(root: Path) -> dict[str, Executed]:
    """Every labelled display of the book that is stored there, run or remembered."""
    displays = displays_of(root)
    store, key = root / STORE, _key(displays, root)
    if store.is_file():
        stored = json.loads(store.read_text(encoding="utf8"))
        if stored["key"] == key:
            return {label: Executed(**record) for label, record in stored["records"].items()}
    records = run_all(displays, displays.shown)
    store.parent.mkdir(exist_ok=True)
    content = {"key": key, "records": {k: asdict(record) for k, record in records.items()}}
    # moved there whole: the tests read it in two processes
    begun = store.with_name(f"{store.name}.{os.getpid()}")
    begun.write_text(json.dumps(content, ensure_ascii=False), encoding="utf8")
    begun.replace(store)
    return records


def displays_of(root: Path) -> run.Displays:
    return run.displays_of(book.read_book(root).pages, root)


def execute(displays: run.Displays, label: str) -> Executed:
    """One display, run."""
    try:
        outcome = displays.run(label)
        beside = declared.beside(displays, label, outcome.used)
    except Exception as error:
        # whatever it is, the display did not run; the ledger says so and goes on
        why = f"cannot be run: {type(error).__name__}: {error}"
        return Executed(label, why, [], [], [])
    return Executed(
        label,
        outcome.error,
        outcome.sizes,
        [wording.chains(links) for links in outcome.sides],
        [name for name in displays.shown if name in outcome.definitions and name != label],
        beside,
        "nKdT" if "T" in outcome.used else "nKd",
    )


# --- which claim stands on which definition -------------------------------------------------------


def who_runs(records: dict[str, Executed]) -> dict[str, list[str]]:
    """Definition -> the claims that run it."""
    found: dict[str, list[str]] = {label: [] for label in records if label.startswith("def-")}
    for record in records.values():
        if record.label in found:
            continue
        for label in record.stands_on:
            if label in found:
                found[label].append(record.label)
    return found


OF_ITS_OWN = "its two sides are held against each other, the left one by code of its own"


def reasons(displays: run.Displays) -> dict[str, str]:
    """Definition -> why no claim has to run it, as the notation says."""
    checked = {label for label, options in displays.worlds.items() if options.get("checked")}
    found = {label: options.get("unused", "") for label, options in displays.worlds.items()}
    for row in displays.rows:
        if "unused" in row and "defined" in row:
            found[row["defined"]] = row["unused"]
    said = {label: str(reason) for label, reason in found.items() if reason}
    return dict.fromkeys(checked, OF_ITS_OWN) | said


def errors(records: dict[str, Executed], why_unused: dict[str, str]) -> Iterator[str]:
    """Displays that do not hold or are not read; definitions that nobody runs, without a reason."""
    for record in records.values():
        if not record.holds:
            yield f"{record.label} {record.error}"
    yield from not_run(records, why_unused)


def not_run(records: dict[str, Executed], why_unused: dict[str, str]) -> Iterator[str]:
    """Definitions that no claim runs and that do not say why, or say so and are run."""
    for label, claims in who_runs(records).items():
        if not claims and label not in why_unused:
            yield (
                f"{label} is run by no claim. Run it, or say why not: "
                "unused = 'reason' in its row of chapters/notation.toml"
            )
        elif claims and why_unused.get(label, OF_ITS_OWN) != OF_ITS_OWN:
            yield f"{label} is said to be unused, and {claims[0]} runs it"


# --- running --------------------------------------------------------------------------------------


def run_all(displays: run.Displays, labels: Iterable[str]) -> dict[str, Executed]:
    """What comes of each display, worked out in two processes."""
    wanted = list(labels)
    if len(wanted) < FEW:
        return {label: execute(displays, label) for label in wanted}
    # spawned, since a process that builds the site may have threads, which a fork does not copy
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, spawn, _begin, (displays,)) as pool:
        return dict(zip(wanted, pool.map(_execute, wanted), strict=True))


_DISPLAYS: list[run.Displays] = []  # of a process of the pool


def _begin(displays: run.Displays) -> None:
    _DISPLAYS[:] = [displays]


def _execute(label: str) -> Executed:
    return execute(_DISPLAYS[0], label)


def _key(displays: run.Displays, root: Path) -> str:
    shown: list[Any] = [(s.label, s.chapter, s.latex) for s in displays.shown.values()]
    digest = hashlib.sha256(json.dumps([shown, displays.given]).encode())
    digest.update((root / letters.FILE).read_bytes())
    for path in sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sources() -> list[Path]:
    """The code that runs displays and puts what came of it into words."""
    here = Path(__file__).parent
    own = [here / f"{name}.py" for name in ("declared", "executed")]
    return [*own, *sorted((here / "formulas").glob("*.py"))]
