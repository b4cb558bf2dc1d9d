"""A release of Pyodide in a folder: what it holds, what packages need, whether it is whole.

The folder is what the archive of an official release unpacks to: Pyodide's own files, the lock
``pyodide-lock.json``, and the packages that the lock names, each with its hash.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

LOCK = "pyodide-lock.json"
CORE = ("pyodide.mjs", "pyodide.asm.wasm", "python_stdlib.zip", LOCK)
MODULES = ("pyodide.asm.js", "pyodide.asm.mjs")  # the second in later releases
ADVICE = (
    "RUNTIME is to be the folder of an unpacked release of Pyodide, pyodide-VERSION.tar.bz2 from "
    "its page of releases (not the one called pyodide-core, which has no packages)."
)


class RuntimeFolderError(ValueError):
    """The folder is no release of Pyodide, or not all of one."""

    def __init__(self, folder: Path, wrong: str) -> None:
        super().__init__(f"{folder} cannot be the runtime of *Run this page*: {wrong}. {ADVICE}")


@dataclass(frozen=True)
class Release:
    """A release of Pyodide.

    Attributes
    ----------
    folder : Path
    core : tuple of str
        The files that every start needs, the lock not among them.
    info, packages : dict
        The two halves of its lock.
    """

    folder: Path
    core: tuple[str, ...]
    info: dict[str, Any]
    packages: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> "Release":
        """Look at the folder, and refuse one that is no release.

        Raises
        ------
        RuntimeFolderError
            Where a file is missing, or the lock is none.
        """
        if not folder.is_dir():
            raise RuntimeFolderError(folder, "there is no such folder")
        lacking = [name for name in CORE if not (folder / name).is_file()]
        modules = [name for name in MODULES if (folder / name).is_file()]
        if lacking or not modules:
            lacking += [] if modules else [MODULES[0]]
            raise RuntimeFolderError(folder, f"it lacks {', '.join(lacking)}")
        try:
            lock = json.loads((folder / LOCK).read_text(encoding="utf-8"))
            info = {**lock["info"]}
            packages = {canonicalize_name(name): {**p} for name, p in lock["packages"].items()}
            info["version"], info["python"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RuntimeFolderError(folder, f"its {LOCK} cannot be read ({error!r})") from error
        core = tuple(name for name in CORE if name != LOCK)
        return cls(folder, (*core, modules[0]), info, packages)

    @property
    def version(self) -> str:
        return str(self.info["version"])

    def closure(self, wanted: Iterable[str], given: Iterable[str] = ()) -> list[str]:
        """The packages, and whatever they need; those ``given`` come from elsewhere.

        Raises
        ------
        RuntimeFolderError
            Where the release has no such package.
        """
        given = {canonicalize_name(name) for name in given}
        found: dict[str, None] = {}
        waiting = [canonicalize_name(name) for name in wanted]
        lacking = []
        while waiting:
            name = waiting.pop()
            if name in found or name in given:
                continue
            if name not in self.packages:
                lacking.append(name)
                continue
            found[name] = None
            waiting += [canonicalize_name(other) for other in self.packages[name]["depends"]]
        if lacking:
            wrong = f"its lock has no {', '.join(sorted(set(lacking)))}"
            raise RuntimeFolderError(self.folder, wrong)
        return sorted(found)

    def package(self, name: str) -> bytes:
        """The file of a package, as the lock has it.

        Raises
        ------
        RuntimeFolderError
            Where the file is missing, or another one than the lock's.
        """
        entry = self.packages[canonicalize_name(name)]
        path = self.folder / entry["file_name"]
        if not path.is_file():
            raise RuntimeFolderError(self.folder, f"it lacks {path.name}, which its lock names")
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest != entry["sha256"]:
            wrong = f"{path.name} is not the file that its lock means (sha256 {digest})"
            raise RuntimeFolderError(self.folder, wrong)
        return content
