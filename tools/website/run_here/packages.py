"""Packages that the build makes for the runtime: gmmlib, and pure Python of this environment.

SymPy and its like are taken from here, not from Pyodide's release, so that a page prints what the
stored outputs have: their versions are the book's.
"""

import base64
import hashlib
import importlib.metadata
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from flit_core.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LEFT_OUT = {"tests", "__pycache__"}  # folders that no reader needs
COMPILED = (".so", ".pyd", ".dylib", ".pyc")
DAY = (1980, 1, 1, 0, 0, 0)  # of every entry, so that the same files make the same archive


@dataclass(frozen=True)
class Wheel:
    """A package of pure Python.

    Attributes
    ----------
    name, version : str
    content : bytes
        The archive.
    depends : tuple of str
        The packages that it needs.
    imports : tuple of str
        What it is imported as.
    """

    name: str
    version: str
    content: bytes
    depends: tuple[str, ...]
    imports: tuple[str, ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def file_name(self) -> str:
        """With some of its hash as the build's number: another content has another address."""
        stem = self.name.replace("-", "_")
        return f"{stem}-{self.version}-1{self.sha256[:8]}-py3-none-any.whl"

    def entry(self) -> dict[str, Any]:
        """The package as Pyodide's lock has it."""
        return {
            "name": self.name,
            "version": self.version,
            "file_name": self.file_name,
            "install_dir": "site",
            "sha256": self.sha256,
            "package_type": "package",
            "imports": list(self.imports),
            "depends": list(self.depends),
            "unvendored_tests": False,
        }


def archive(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of the files, the same for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            made.writestr(entry, files[name])
    return out.getvalue()


def own_wheel(root: Path, python: str) -> Wheel:
    """The library of the source tree, as its build backend makes it."""
    out = io.BytesIO()
    builder = WheelBuilder.from_ini_path(root / "pyproject.toml", out)
    builder.build()
    with zipfile.ZipFile(out) as made:
        files = {name: made.read(name) for name in made.namelist()}
    metadata = builder.metadata
    needed = _needed(metadata.requires_dist, python)
    return _wheel(metadata.name, metadata.version, files, needed)


@cache
def installed_wheel(name: str, python: str) -> Wheel:
    """A package of this environment, without its tests and whatever is compiled.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        Where it is not installed.
    """
    found = importlib.metadata.distribution(name)
    files = {}
    for file in found.files or ():
        path = PurePosixPath(file.as_posix())
        unwanted = path.suffix in COMPILED or LEFT_OUT & set(path.parts) or ".." in path.parts
        if not unwanted and path.name not in ("RECORD", "INSTALLER", "REQUESTED"):
            files[str(path)] = Path(str(file.locate())).read_bytes()
    return _wheel(name, found.version, files, _needed(found.requires or (), python))


def _wheel(name: str, version: str, files: dict[str, bytes], depends: tuple[str, ...]) -> Wheel:
    about = next(PurePosixPath(f).parts[0] for f in files if ".dist-info/" in f)
    files = {f: content for f, content in files.items() if f != f"{about}/RECORD"}
    files[f"{about}/RECORD"] = _record(files, about)
    tops = {PurePosixPath(file).parts[0] for file in files}
    imports = {top.removesuffix(".py") for top in tops if not top.endswith(".dist-info")}
    content = archive(files)
    return Wheel(canonicalize_name(name), version, content, depends, tuple(sorted(imports)))


def _record(files: Mapping[str, bytes], about: str) -> bytes:
    lines = []
    for name in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=")
        lines.append(f"{name},sha256={digest.decode()},{len(files[name])}\n")
    return "".join([*lines, f"{about}/RECORD,,\n"]).encode()


def _needed(requirements: Iterable[str], python: str) -> tuple[str, ...]:
    """The names of what is needed in the browser, by any package that asks for no extra."""
    here = {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "platform_system": "Emscripten",
        "sys_platform": "emscripten",
        "os_name": "posix",
        "extra": "",
    }
    read = map(Requirement, requirements)
    wanted = [r.name for r in read if r.marker is None or r.marker.evaluate(here)]
    return tuple(sorted({canonicalize_name(name) for name in wanted}))
