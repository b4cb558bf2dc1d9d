"""What *Run this page* loads, written into the site: the runtime, its manifest, the worker."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from website.run_here.packages import Wheel, archive, installed_wheel, own_wheel
from website.run_here.runtime import Release

RUNTIME, RUN = "runtime", "run"  # folders beside each other, in the site's _static
MANIFEST = "runtime.json"
WORKER = Path(__file__).parent / "worker"

# What the kernel and the chapters need, by their names in Pyodide's lock.
WANTED = ("ipython", "matplotlib", "matplotlib-inline", "numpy", "scikit-learn", "scipy")
# Pure Python, of the versions that the stored outputs come from.
OURS = ("mpmath", "sympy", "tqdm")
# Fetched where a cell imports it: chapter 18. A cluster cannot be had, it needs sockets.
LATER = ("dask", "click", "cloudpickle", "fsspec", "locket", "partd", "pyyaml", "toolz")
# The files that cells and Matplotlib read, at their places in the tree.
BOOK_FILES = ("chapters/matplotlibrc", "benchmarks/results/distributed.json")


@dataclass(frozen=True)
class File:
    """A file of the runtime; ``later`` where no first run needs it."""

    name: str
    content: bytes
    later: bool = False

    def about(self) -> dict[str, Any]:
        digest = hashlib.sha256(self.content).hexdigest()
        return {"name": self.name, "bytes": len(self.content), "sha256": digest}


def write(release: Release, root: Path, static: Path) -> dict[str, Any]:
    """Write ``runtime/`` and ``run/`` into the folder ``static``.

    Parameters
    ----------
    release : Release
        Pyodide's.
    root : Path
        The source tree of the book.
    static : Path
        The site's ``_static``.

    Returns
    -------
    dict
        The manifest, as it stands in ``runtime/runtime.json``.

    Raises
    ------
    RuntimeFolderError
        Where the release lacks something.
    """
    files, manifest = collect(release, root)
    for file in files:
        path = static / RUNTIME / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    text = json.dumps(manifest, indent=1) + "\n"
    (static / RUNTIME / MANIFEST).write_text(text, encoding="utf-8")
    (static / RUN).mkdir(exist_ok=True)
    for name in ("worker.js", "kernel.py"):
        (static / RUN / name).write_bytes((WORKER / name).read_bytes())
    return manifest


def collect(release: Release, root: Path) -> tuple[list[File], dict[str, Any]]:
    """All files of the runtime, and the manifest that lists them."""
    python = str(release.info["python"])
    now = [own_wheel(root, python), *(installed_wheel(name, python) for name in OURS)]
    later = [installed_wheel(name, python) for name in LATER]
    ours = [wheel.name for wheel in (*now, *later)]
    wanted = [*WANTED, *(name for wheel in now for name in wheel.depends)]
    for_all = release.closure(wanted, ours)
    for_some = release.closure((name for w in later for name in w.depends), [*ours, *for_all])

    # One folder for each release: nothing of another one can come from a cache by its name.
    folder = f"pyodide-{release.version}"
    core = [File(f"{folder}/{n}", (release.folder / n).read_bytes()) for n in release.core]
    packages = [_packed(release, folder, name, name in for_some) for name in (*for_all, *for_some)]
    made = [File(f"{folder}/{w.file_name}", w.content, w in later) for w in (*now, *later)]
    lock = _lock(release, (*for_all, *for_some), (*now, *later))
    book = archive({name: (root / name).read_bytes() for name in BOOK_FILES})
    named = [_by_hash(folder, "pyodide-lock", lock, "json"), _by_hash(folder, "book", book, "zip")]
    files = [*core, *named, *packages, *made]
    manifest = {
        **_manifest(files),
        "pyodide": release.version,
        "python": python,
        "folder": f"{folder}/",
        "lock": named[0].name,
        "book": named[1].name,
        "packages": sorted([*for_all, *(wheel.name for wheel in now)]),
        "later": {
            "modules": sorted({module for wheel in later for module in wheel.imports}),
            "packages": [wheel.name for wheel in later],
        },
    }
    return files, manifest


def _packed(release: Release, folder: str, name: str, later: bool) -> File:
    file_name = Path(release.packages[name]["file_name"]).name
    return File(f"{folder}/{file_name}", release.package(name), later)


def _by_hash(folder: str, stem: str, content: bytes, suffix: str) -> File:
    return File(f"{folder}/{stem}.{hashlib.sha256(content).hexdigest()[:8]}.{suffix}", content)


def _lock(release: Release, names: tuple[str, ...], wheels: tuple[Wheel, ...]) -> bytes:
    """Pyodide's lock with the packages that are here, and no other."""
    packages = {name: release.packages[name] for name in names}
    for entry in packages.values():
        entry["file_name"] = Path(entry["file_name"]).name
    packages |= {wheel.name: wheel.entry() for wheel in wheels}
    ordered = {name: packages[name] for name in sorted(packages)}
    return json.dumps({"info": release.info, "packages": ordered}).encode()


def _manifest(files: list[File]) -> dict[str, Any]:
    listed = [file.about() for file in sorted(files, key=lambda file: file.name)]
    needed = sorted(file.name for file in files if not file.later)
    lines = "".join(f"{about['name']} {about['sha256']}\n" for about in listed)
    return {
        "version": hashlib.sha256(lines.encode()).hexdigest()[:16],
        "files": listed,
        "bytes": sum(about["bytes"] for about in listed),
        "needed": needed,
        "needed_bytes": sum(about["bytes"] for about in listed if about["name"] in needed),
    }
