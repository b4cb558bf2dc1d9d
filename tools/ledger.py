"""The ledger: which equations the book displays, and the checks that hold them.

An equation is a displayed formula with a label: ``def-…`` is a definition, ``eq-…`` a claim, and
each claim is checked in its own chapter. ``read_ledger`` returns the equations with their checks,
and what is wrong with them. Each is also run from its display (tools/executed.py).
``python tools/ledger.py`` prints the ledger with both, and exits with 1 if anything is wrong.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import book
import executed
from book import ROOT, Page
from check_calls import Check
from gmmlib import checks

CLAIM = checks.LABEL
DEFINITION = re.compile(rf"def-{checks.NAME}")


@dataclass(frozen=True)
class Equation:
    """A displayed equation with a label, and its checks."""

    label: str
    kind: str  # definition, claim
    latex: str
    chapter: Page
    checks: tuple[Check, ...] = ()


@dataclass
class Ledger:
    """The equations in reading order, and what is wrong with them (nothing, if all is well)."""

    equations: list[Equation] = field(default_factory=list)
    chapters: list[Page] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        kinds = Counter(equation.kind for equation in self.equations)
        return {
            "equations": len(self.equations),
            "definitions": kinds["definition"],
            "claims": kinds["claim"],
            "checks": sum(len(equation.checks) for equation in self.equations),
        }


def read_ledger(root: Path = ROOT) -> Ledger:
    """The ledger of the book that is stored there."""
    ledger = Ledger()
    where: dict[str, str] = {}
    for page in book.read_book(root).pages:
        ledger.chapters.append(page)
        errors = list(page.check_errors)
        for label, latex in page.equations:
            if r"\label" in latex or r"\tag" in latex:
                errors.append(f"{label or 'an equation'} is numbered by \\label or \\tag")
            if not label:
                continue
            if label in where:
                errors.append(f"{label} is displayed twice, first in {where[label]}")
                continue
            where[label] = page.file
            own = tuple(check for check in page.checks if check.label == label)
            if DEFINITION.fullmatch(label):
                ledger.equations.append(Equation(label, "definition", latex, page, own))
            elif CLAIM.fullmatch(label):
                ledger.equations.append(Equation(label, "claim", latex, page, own))
                if not page.has_code:
                    errors.append(f"{label} is a claim, and this page has no code to check it")
                elif not own:
                    errors.append(f"{label} is a claim, and no check in this chapter names it")
            else:
                errors.append(f"label {label}: neither def-… (a definition) nor eq-… (a claim)")
        labels = {label for label, _ in page.equations}
        for label in dict.fromkeys(check.label for check in page.checks):
            if label not in labels:
                errors.append(f"{label} is checked, but no equation of this chapter has that label")
        ledger.errors += [f"{page.file}: {error}" for error in errors]
    return ledger


def lines(ledger: Ledger, root: Path) -> Iterator[str]:
    """The ledger as the command prints it; what the displays did is added to its errors."""
    records = executed.outcomes(root)
    run_by, unused = executed.who_runs(records), executed.reasons(executed.displays_of(root))
    for equation in ledger.equations:
        label, record = equation.label, records[equation.label]
        yield f"{equation.chapter.file}  {label}  ({equation.kind})"
        yield f"    run from its display: {record.in_words}"
        for name, items in (
            ("declared beside it", record.beside),
            ("stands on", record.stands_on),
            ("run by", run_by.get(label, [])),
        ):
            if items:
                yield f"    {name}: {'; '.join(items)}"
        if label in unused and not run_by.get(label):
            yield f"    run by no claim: {unused[label]}"
        for check in equation.checks:
            yield f"    {check.in_words}"
    counts = ledger.counts | {"executed": sum(record.holds for record in records.values())}
    yield ", ".join(f"{count} {name}" for name, count in counts.items())
    ledger.errors += executed.errors(records, unused)


def main(root: Path = ROOT) -> int:
    ledger = read_ledger(root)
    for line in lines(ledger, root):
        print(line)
    for error in ledger.errors:
        print(f"error: {error}", file=sys.stderr)
    return 1 if ledger.errors else 0


if __name__ == "__main__":
    sys.exit(main())
