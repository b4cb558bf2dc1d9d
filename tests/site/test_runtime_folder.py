"""What make book RUNTIME=folder takes from a release of Pyodide, and adds: on one in small."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gmmlib
from website.run_here import folder as run_folder
from website.run_here.packages import archive, installed_wheel, own_wheel
from website.run_here.runtime import Release, RuntimeFolderError

ROOT = Path(__file__).parents[2]
DEPENDS = {
    "ipython": ["traitlets", "matplotlib_inline"],
    "traitlets": [],
    "matplotlib-inline": ["traitlets"],
    "matplotlib": ["numpy", "Pillow", "packaging"],
    "pillow": [],
    "packaging": [],
    "numpy": [],
    "scipy": ["numpy", "openblas"],
    "openblas": [],
    "scikit-learn": ["scipy", "joblib", "threadpoolctl"],
    "joblib": [],
    "threadpoolctl": [],
    "pandas": ["numpy"],  # which nobody asks for
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A release of Pyodide in which every file is short."""
    release = tmp_path / "pyodide"
    release.mkdir()
    for name in ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"):
        (release / name).write_text(f"the file {name}")
    packages = {}
    for name, depends in DEPENDS.items():
        content = f"the package {name}".encode()
        file_name = f"{name}-1.0-cp312.whl"
        (release / file_name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        packages[name] = {"name": name, "version": "1.0", "file_name": file_name}
        packages[name] |= {"sha256": digest, "depends": depends, "imports": [name]}
    info = {"version": "0.99.1", "python": "3.12.7"}
    (release / "pyodide-lock.json").write_text(json.dumps({"info": info, "packages": packages}))
    return release


@pytest.fixture
def written(small: Path, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    static = tmp_path / "_static"
    return static, run_folder.write(Release.read(small), ROOT, static)


def test_the_manifest_tells_what_is_there(written: tuple[Path, dict[str, Any]]) -> None:
    static, manifest = written
    runtime = static / "runtime"
    assert json.loads((runtime / "runtime.json").read_text()) == manifest
    for file in manifest["files"]:
        content = (runtime / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            file["bytes"],
            file["sha256"],
        )
    there = {p.relative_to(runtime).as_posix() for p in runtime.rglob("*") if p.is_file()}
    assert there == {file["name"] for file in manifest["files"]} | {"runtime.json"}
    sizes = {file["name"]: file["bytes"] for file in manifest["files"]}
    assert manifest["bytes"] == sum(sizes.values())
    assert manifest["needed_bytes"] == sum(sizes[name] for name in manifest["needed"])
    assert {path.name for path in (static / "run").iterdir()} == {"worker.js", "kernel.py"}


def test_only_what_is_needed_is_there(written: tuple[Path, dict[str, Any]]) -> None:
    _, manifest = written
    names = {file["name"].partition("/")[2] for file in manifest["files"]}
    stems = {name.partition("-")[0] for name in names if name.endswith(".whl")}
    ours = {"gmmlib", "sympy", "mpmath", "tqdm", *run_folder.LATER}
    assert stems == {name.partition("-")[0] for name in DEPENDS} - {"pandas"} | ours
    needed = {name.partition("/")[2].partition("-")[0] for name in manifest["needed"]}
    assert {"gmmlib", "sympy", "pillow"} <= needed
    assert not needed & set(run_folder.LATER)


def test_the_lock_names_the_files_that_are_there(written: tuple[Path, dict[str, Any]]) -> None:
    static, manifest = written
    lock = json.loads((static / "runtime" / manifest["lock"]).read_text())
    assert set(lock["packages"]) >= set(manifest["packages"]) | set(manifest["later"]["packages"])
    for package in lock["packages"].values():
        content = (static / "runtime" / manifest["folder"] / package["file_name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == package["sha256"]
        assert {name.lower().replace("_", "-") for name in package["depends"]} <= set(
            lock["packages"]
        )


def test_the_same_sources_give_the_same_version(small: Path) -> None:
    first, second = (run_folder.collect(Release.read(small), ROOT)[1] for _ in range(2))
    assert first == second
    (small / "pyodide.mjs").write_text("another")
    assert run_folder.collect(Release.read(small), ROOT)[1]["version"] != first["version"]


def without(name: str) -> Callable[[Path], None]:
    return lambda release: (release / name).unlink()


def lock_without(name: str) -> Callable[[Path], None]:
    def change(release: Path) -> None:
        lock = json.loads((release / "pyodide-lock.json").read_text())
        del lock["packages"][name]
        (release / "pyodide-lock.json").write_text(json.dumps(lock))

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("pyodide.mjs"), "it lacks pyodide.mjs"),
        (without("pyodide.asm.js"), "it lacks pyodide.asm.js"),
        (without("pyodide-lock.json"), "it lacks pyodide-lock.json"),
        (lambda r: (r / "pyodide-lock.json").write_text("{"), "its pyodide-lock.json cannot be"),
        (lambda r: (r / "pyodide-lock.json").write_text("[1]"), "its pyodide-lock.json cannot be"),
        (lock_without("scipy"), "its lock has no scipy"),
        (lock_without("openblas"), "its lock has no openblas"),
        (without("numpy-1.0-cp312.whl"), "it lacks numpy-1.0-cp312.whl, which its lock names"),
        (
            lambda r: (r / "pillow-1.0-cp312.whl").write_text("x"),
            "not the file that its lock means",
        ),
    ],
)
def test_a_folder_that_is_no_release_is_refused(
    small: Path, change: Callable[[Path], object], said: str
) -> None:
    change(small)
    with pytest.raises(RuntimeFolderError, match=re.escape(said)) as error:
        run_folder.collect(Release.read(small), ROOT)
    assert str(small) in str(error.value)
    assert "RUNTIME is to be the folder of an unpacked release of Pyodide" in str(error.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFolderError, match="there is no such folder"):
        Release.read(tmp_path / "nowhere")


def names_in(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        return read.namelist()


def test_the_library_is_built_from_its_sources() -> None:
    wheel = own_wheel(ROOT, "3.12.7")
    names = names_in(wheel.content)
    assert (wheel.name, wheel.version) == ("gmmlib", gmmlib.__version__)
    assert {"gmmlib/em.py", "gmmlib/data/old_faithful.csv", "gmmlib/py.typed"} <= set(names)
    assert {"numpy", "tqdm"} <= set(wheel.depends)
    assert not {"numba", "dask", "sympy"} & set(wheel.depends)


def test_a_package_comes_without_its_tests_and_what_is_compiled() -> None:
    wheel = installed_wheel("pyyaml", "3.12.7")
    names = names_in(wheel.content)
    assert "yaml/__init__.py" in names
    assert not [name for name in names if name.endswith((".so", ".pyc"))]
    assert "sympy/core/add.py" in names_in(installed_wheel("sympy", "3.12.7").content)
    assert not [n for n in names_in(installed_wheel("sympy", "3.12.7").content) if "/tests/" in n]


def test_only_what_is_asked_of_the_browser_is_needed() -> None:
    assert installed_wheel("tqdm", "3.12.7").depends == ()  # colorama is for Windows
    assert "importlib-metadata" not in installed_wheel("dask", "3.12.7").depends
    assert "importlib-metadata" in installed_wheel("dask", "3.11.9").depends


def test_an_archive_depends_on_its_files_alone() -> None:
    assert archive({"a": b"1", "b": b"2"}) == archive({"b": b"2", "a": b"1"})
    assert archive({"a": b"1"}) != archive({"a": b"2"})


SETUP = """
import sys
sys.path.insert(0, "tools")
from website import run_here
class App:
    connected = []
    def connect(self, event, function): self.connected.append(event)
    def setup_extension(self, name): pass
run_here.setup(App())
print(App.connected)
"""


def set_up(runtime: str | None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "RUNTIME"}
    environment |= {} if runtime is None else {"RUNTIME": runtime}
    command = [sys.executable, "-c", SETUP]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_without_runtime_nothing_is_done(small: Path, tmp_path: Path) -> None:
    assert set_up(None).stdout == set_up("").stdout == "[]\n"
    assert "build-finished" in set_up(str(small)).stdout
    wrong = set_up(str(tmp_path / "nowhere"))
    assert wrong.returncode != 0
    assert "there is no such folder" in wrong.stderr
