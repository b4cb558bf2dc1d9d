"""Print requirements that pin the lowest versions that pyproject.toml declares for the library.

``make lowest`` installs them and runs the library's tests: so the bounds stay true.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
EXTRAS = ("fast", "plots", "checks")
TOOLS = ("pytest", "hypothesis", "pandas")  # of the extra test: what the library's tests import


def pinned(project: dict[str, Any]) -> list[str]:
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [line for extra in EXTRAS for line in extras[extra]]
    wanted += [line for line in extras["test"] if re.split(r"[<>=]", line)[0] in TOOLS]
    pins = []
    for line in wanted:
        bound = re.fullmatch(r"([\w-]+)>=([\d.]+)(,<[\d.]+)?", line)
        if not bound:
            raise SystemExit(f"{line!r} in pyproject.toml names no lowest version: write name>=1.2")
        pins.append(f"{bound[1]}=={bound[2]}")
    return pins


if __name__ == "__main__":
    print("\n".join(pinned(tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"])))
