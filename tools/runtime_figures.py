"""Print what ``make test-runtime`` measured: one row for each chapter that ran in the browser."""

import json
from pathlib import Path

MEASURED = Path(__file__).parents[1] / "_build" / "runtime-measured"
MEGABYTE = 1e6


def table(measured: list[dict[str, object]], starts: dict[str, float] | None) -> str:
    """The rows, and the sums below them."""
    lines = [
        f"{'chapter':28} {'cells':>5} {'as stored':>9} {'listed':>6} {'start s':>7} "
        f"{'cells s':>7} {'memory MB':>9}"
    ]
    for m in measured:
        lines.append(
            f"{m['chapter']:28} {m['cells']:5d} {m['as_stored']:9d} {m['listed']:6d} "
            f"{m['start_seconds']:7.1f} {m['cells_seconds']:7.1f} {m['memory'] / MEGABYTE:9.0f}"
        )
    total = {key: sum(m[key] for m in measured) for key in ("cells", "as_stored", "listed")}
    lines.append(
        f"{'all':28} {total['cells']:5d} {total['as_stored']:9d} {total['listed']:6d} "
        f"{'':7} {sum(m['cells_seconds'] for m in measured):7.1f} "
        f"{max(m['memory'] for m in measured) / MEGABYTE:9.0f}"
    )
    shown = ", ".join(f"{name} {v}" for name, v in measured[0]["versions"].items())
    lines.append(f"{measured[0]['bytes'] / MEGABYTE:.1f} MB for a first run. {shown}")
    if starts:
        lines.append(
            "seconds to the first output: "
            + ", ".join(f"{name} {seconds:.1f}" for name, seconds in starts.items())
        )
    return "\n".join(lines)


def main() -> None:
    chapters = sorted(MEASURED.glob("[0-9A]*.json"))
    if not chapters:
        raise SystemExit("Nothing has been measured: run make test-runtime")
    starts = MEASURED / "starts.json"
    found = [json.loads(path.read_text(encoding="utf-8")) for path in chapters]
    print(table(found, json.loads(starts.read_text()) if starts.is_file() else None))


if __name__ == "__main__":
    main()
