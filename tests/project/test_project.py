"""The project around the book: what git tracks, what is installed, the Makefile, the workflows."""

import ast
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import flit_core.buildapi
import jsonschema
import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import book
import colab
import gmmlib
import lowest
from course import handouts, plain
from website import serve

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PYPROJECT_TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads(PYPROJECT_TEXT)
PROJECT = PYPROJECT["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PYTHONS = ("3.11", "3.12", "3.13")
ALWAYS = PROJECT["dependencies"]


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


# ---- what git tracks -----------------------------------------------------------------------

HOSTS = (
    r"pypi\.(org|python\.org)",
    r"pythonhosted\.org",
    r"npmjs\.(org|com)",
    r"(deb|security|snapshot)\.debian\.org",
    r"(archive|security)\.ubuntu\.com",
    r"cdn\.jsdelivr|jsdelivr\.net|unpkg\.com|cdnjs\.|conda\.anaconda\.org",
)
HOST = re.compile("|".join(HOSTS))
# of a machine: /home/somebody/…; a site's own address, https://…/work/, is none
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|home|root|Users|tmp)/[.\w]|\b[A-Z]:\\\\?Users\b")
# MathJax names its own hosts; the two tests have examples of what is looked for.
EXEMPT = ("assets/mathjax/", "tests/project/test_project.py", "tests/book/test_chapter_rules.py")
UNWANTED = re.compile(
    r"(^|/)(_build|\.venv|__pycache__|\.ipynb_checkpoints|\.\w+_cache|\.hypothesis|htmlcov|dist|"
    r"node_modules)/|\.egg-info/|\.pyc$|(^|/)\.coverage|\.DS_Store$"
)


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    # a container may not own the folder it is given
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    names = subprocess.run(git, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def lines_with(pattern: re.Pattern[str], name: str, content: bytes) -> list[str]:
    if b"\0" in content:
        return []
    lines = content.decode("utf-8").splitlines()
    return [f"{name}:{i}: {line[:120]}" for i, line in enumerate(lines, 1) if pattern.search(line)]


@pytest.mark.parametrize("pattern", [HOST, MACHINE_PATH], ids=["package host", "machine's path"])
def test_no_file_names_a(pattern: re.Pattern[str], tracked: list[str]) -> None:
    wrong = []
    for name in tracked:
        if not name.startswith(EXEMPT):
            wrong += lines_with(pattern, name, (ROOT / name).read_bytes())
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (HOST, "--index-url https://pypi.org/simple"),
        (HOST, "https://files.pythonhosted.org/packages/x.whl"),
        (HOST, "registry.npmjs.org"),
        (HOST, "URIs: http://deb.debian.org/debian"),
        (HOST, "https://cdn.jsdelivr.net/npm/mathjax@3"),
        (MACHINE_PATH, 'File "/home/ann/book/gmmlib/em.py"'),
        (MACHINE_PATH, "/root/.cache"),
        (MACHINE_PATH, "/Users/ann/book"),
        (MACHINE_PATH, "(/tmp/ipykernel_1/2.py)"),
        (MACHINE_PATH, r"C:\Users\ann"),
    ],
)
def test_such_a_line_is_found(pattern: re.Pattern[str], text: str) -> None:
    assert lines_with(pattern, "f", f"first\n{text}\n".encode()) == [f"f:2: {text}"]


def test_only_sources_are_tracked(tracked: list[str]) -> None:
    assert len(tracked) > 30
    assert [name for name in tracked if UNWANTED.search(name)] == []


@pytest.mark.parametrize(
    "name",
    ["_build/html/index.html", ".venv/complete", "gmmlib/__pycache__/em.cpython-311.pyc",
     ".ruff_cache/x", "chapters/.ipynb_checkpoints/a.ipynb", ".coverage", "gmmlib.egg-info/x"],
)  # fmt: skip
def test_such_a_file_is_unwanted_and_ignored(name: str, tracked: list[str]) -> None:
    assert UNWANTED.search(name)
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "check-ignore", "-q", name]
    assert subprocess.run(git).returncode == 0


# ---- 32-bit platforms ----------------------------------------------------------------------


COUNTING = {"bincount", "repeat", "reduceat", "choose", "put"}  # there they refuse int64


def drawn(node: ast.AST) -> bool:
    """Whether this calls a generator for whole numbers, which are int64 unless it says so."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("integers", "choice")
        and "dtype" not in [keyword.arg for keyword in node.keywords]
    )


def counted_as_drawn(code: str) -> list[str]:
    """The calls that get whole numbers as they were drawn, by a name or directly."""
    nodes = list(ast.walk(ast.parse(code)))
    values = [node for node in nodes if isinstance(node, ast.Assign) and drawn(node.value)]
    names = {t.id for node in values for t in node.targets if isinstance(t, ast.Name)}
    calls = [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    return [
        ast.unparse(call)
        for call in calls
        if call.func.attr in COUNTING
        and any(drawn(a) or (isinstance(a, ast.Name) and a.id in names) for a in call.args)
    ]


def test_whole_numbers_are_drawn_in_the_size_of_an_index(tracked: list[str]) -> None:
    files = [ROOT / name for name in tracked if name.endswith((".py", ".ipynb"))]
    assert {"mixture.py", "03_hidden_labels.ipynb", "06.ipynb"} <= {path.name for path in files}
    found = {path.name: counted_as_drawn(code_of(path)) for path in files}
    assert {name: calls for name, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("t = rng.integers(1, 4, size=9)\nnp.repeat(X, t, axis=0)", 1),
        ("np.bincount(rng.choice(3, 9), minlength=3)", 1),
        ("t = rng.integers(1, 4, size=9, dtype=np.intp)\nnp.repeat(X, t)", 0),
        ("t = rng.choice(3, 9).astype(np.intp)\nnp.bincount(t)", 0),
        ("t = rng.choice(3, 9)\nX[t]", 0),
    ],
)
def test_what_is_counted_as_drawn_is_found(code: str, number: int) -> None:
    assert len(counted_as_drawn(code)) == number


# ---- dependencies --------------------------------------------------------------------------


def direct_dependencies() -> list[Requirement]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [r for group in groups for r in map(Requirement, group) if r.name != "gmmlib"]


def locked() -> list[Requirement]:
    found = [Requirement(line) for line in re.findall(r"^(\w.*?) \\$", LOCK, re.MULTILINE)]
    assert len(found) > 50
    return found


def test_the_lock_is_in_step_with_pyproject() -> None:
    wrong = []
    for wanted in direct_dependencies():
        entries = [
            r for r in locked() if canonicalize_name(r.name) == canonicalize_name(wanted.name)
        ]
        versions = [s.version for r in entries for s in r.specifier]
        if not versions or not all(wanted.specifier.contains(v) for v in versions):
            wrong.append(f"{wanted} is locked at {versions or 'nothing'}: run make lock")
    assert not wrong, "\n".join(wrong)


def test_the_lock_pins_one_version_for_each_python() -> None:
    for python in PYTHONS:
        here = {"python_full_version": f"{python}.0", "python_version": python}
        names = [r.name for r in locked() if r.marker is None or r.marker.evaluate(here)]
        assert len(names) == len(set(names))


def test_every_locked_file_has_a_hash() -> None:
    entries = re.split(r"^(?=\w)", LOCK, flags=re.MULTILINE)[1:]
    assert [e.split()[0] for e in entries if "--hash=sha256:" not in e] == []


def test_make_lock_writes_the_lock_that_is_there() -> None:
    said = re.search(r"^#    uv (.*)$", LOCK, re.MULTILINE)
    assert said
    recipe = MAKEFILE.replace("\\\n", " ").replace("--quiet $(UPGRADE) ", "")
    assert f"uv {said[1]}" in " ".join(recipe.split())


def test_what_is_installed_is_what_is_locked() -> None:
    wrong = []
    for pinned in locked():
        if pinned.marker is None or pinned.marker.evaluate():
            version = importlib.metadata.version(pinned.name)
            if version not in pinned.specifier:
                wrong.append(f"{pinned} is installed as {version}")
    assert not wrong, "\n".join(wrong)


def code_of(path: Path) -> str:
    """The text of a module, or of a notebook's cells."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def imported(path: Path) -> set[str]:
    """The packages behind the import statements of a module or a chapter."""
    found = set()
    for node in ast.walk(ast.parse(code_of(path))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name.split(".")[0] for name in found}


FOLDERS = ("tests", "tools", "benchmarks")


def unlocked(packages: set[str]) -> set[str]:
    """The packages that .venv may happen to have, but the lock does not bring."""
    names = {canonicalize_name(r.name) for r in locked()}
    modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    ours = {path.parent.name if path.stem == "__init__" else path.stem for path in modules}
    distributions = importlib.metadata.packages_distributions()
    return {
        package
        for package in packages - ours - {"gmmlib"} - sys.stdlib_module_names
        if not names & {canonicalize_name(d) for d in distributions.get(package, [])}
    }


# A project in small. ``gmmlib[test]`` asks for all of them, each in another way.
PROJECT_IN_SMALL = """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[project]
name = "gmmlib"
version = "1"
description = "in small"
dependencies = ["plain"]
[project.optional-dependencies]
book = ["inner[toml]"]
test = ["gmmlib[book]", "outer"]
[tool.flit.module]
name = "gmmlib"
"""
PACKAGES = {  # name, version -> its METADATA
    ("plain", "1.0"): "",
    ("inner", "1.0"): 'Provides-Extra: toml\nRequires-Dist: reader; extra == "toml"\n',
    ("inner", "1.1"): 'Provides-Extra: toml\nRequires-Dist: reader; extra == "toml"\n',
    ("outer", "1.0"): "Requires-Dist: inner[toml]\nRequires-Dist: below\n",
    ("reader", "1.0"): "",
    ("below", "1.0"): "",
}


def write_wheel(folder: Path, name: str, version: str, metadata: str) -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    return path


@pytest.fixture(scope="module")
def in_small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the project in small, its packages in the folder wheels, an empty .venv."""
    folder = clone(tmp_path_factory.mktemp("small"))
    wheels = folder / "wheels"
    wheels.mkdir()
    for (name, version), metadata in PACKAGES.items():
        write_wheel(wheels, name, version, metadata)
    backend = importlib.metadata.distribution("flit_core")
    with zipfile.ZipFile(wheels / f"flit_core-{backend.version}-py3-none-any.whl", "w") as archive:
        for file in backend.files or ():
            if "__pycache__" not in file.parts:
                archive.write(file.locate(), str(file))
    (folder / "pyproject.toml").write_text(PROJECT_IN_SMALL)
    (folder / "gmmlib").mkdir()
    (folder / "gmmlib/__init__.py").write_text('"""In small."""\n')
    subprocess.run([sys.executable, "-m", "venv", ".venv"], cwd=folder, check=True)
    (folder / ".venv/complete").write_text(f"{folder}\n")
    return folder


def install_in_small(
    monkeypatch: pytest.MonkeyPatch, start: Path, folder: Path, lacks: str = ""
) -> subprocess.CompletedProcess[str]:
    """make .venv/complete from a lock of all the versions 1.0, with one package missing."""
    shutil.copytree(start, folder, symlinks=True)
    (folder / ".venv/complete").write_text(f"{folder}\n")
    lines = []
    for wheel in sorted((folder / "wheels").iterdir()):
        name, version, _ = wheel.name.split("-", 2)
        if name != lacks and version != "1.1":
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            lines.append(f"{name}=={version} --hash=sha256:{digest}\n")
    (folder / "requirements.lock").write_text("".join(lines))
    later = (folder / ".venv/complete").stat().st_mtime + 10
    os.utime(folder / "requirements.lock", (later, later))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", (folder / "wheels").as_uri())
    return make(".venv/complete", folder=folder)


def test_a_lock_outlives_a_newer_release(
    in_small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = install_in_small(monkeypatch, in_small, tmp_path / "ein Büchlein")
    assert run.returncode == 0, run.stderr
    installed = {path.name for path in tmp_path.glob("*/.venv/lib/*/site-packages/*.dist-info")}
    assert "inner-1.0.dist-info" in installed
    assert "gmmlib-1.dist-info" in installed


@pytest.mark.parametrize("lacks", sorted({name for name, _ in PACKAGES}))
def test_a_lock_with_one_package_missing_is_refused(
    in_small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    run = install_in_small(monkeypatch, in_small, tmp_path / "ein Büchlein", lacks)
    assert run.returncode != 0
    assert re.search(rf"No matching distribution found for {lacks}\b", run.stderr)
    assert "make lock" in run.stderr


def test_binder_installs_as_make_does() -> None:
    assert "\t@tools/install.sh $(RUN) --editable\n" in MAKEFILE
    script = ROOT / "binder/postBuild"
    assert script.read_text().splitlines()[-1] == "tools/install.sh python"
    assert os.access(script, os.X_OK)
    # Binder would install it without --no-deps
    assert not (ROOT / "binder/requirements.txt").exists()


def test_everything_that_is_imported_is_locked() -> None:
    files = [p for f in ("gmmlib", "tests", "tools") for p in (ROOT / f).rglob("*.py")]
    files += (ROOT / "chapters").glob("*.ipynb")
    packages = set().union(*map(imported, files))
    assert {"numpy", "sympy", "pytest"} <= packages
    assert unlocked(packages) == set()


def test_the_extensions_of_the_website_are_locked() -> None:
    extensions = set(load("_config.yml")["sphinx"]["config"]["extensions"])
    roots = {name.split(".")[0] for name in extensions - {"sphinxcontrib.bibtex"}}
    assert roots
    assert unlocked(roots) == set()


def test_what_is_not_locked_is_found() -> None:
    assert unlocked({"numpy", "os", "pip", "no_such_package"}) == {"pip", "no_such_package"}


# Beside gmmlib, what the library's tests may import: make lowest installs no more.
LIBRARY_NEEDS = {
    "numpy", "scipy", "sklearn", "joblib", "threadpoolctl", "numba", "matplotlib", "sympy",
    "mpmath", "pytest", "hypothesis", "pandas", "tqdm",
}  # fmt: skip
HELPERS = {"bad_data", "gmmlib", "roads", "strategies"}


def test_the_room_of_the_library_needs_the_library_alone() -> None:
    """And whoever needs no more is in that room, which make lowest runs."""
    alone = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        packages = imported(path) - sys.stdlib_module_names
        if "gmmlib" in packages and packages <= LIBRARY_NEEDS | HELPERS:
            alone.add(path.stem)
    assert alone == {path.stem for path in (ROOT / "tests/library").glob("test_*.py")}
    assert len(alone) > 10
    assert "-p roads tests/library" in make("-n", "lowest", f"PYTHON={sys.executable}").stdout


def test_no_test_imports_another() -> None:
    """What several need is in tests/support."""
    tests = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    support = {path.stem for path in (ROOT / "tests/support").glob("*.py")}
    assert not tests & support
    for path in (ROOT / "tests").rglob("*.py"):
        assert not imported(path) & tests, path.name
    assert {"roads", "site_checks"} <= support


def test_the_lowest_versions_are_those_of_pyproject() -> None:
    pins = set(lowest.pinned(PROJECT))
    assert {"numpy==2.0", "numba==0.61", "pytest==9.0"} <= pins
    assert {pin.split("==")[0] for pin in pins} >= {r.name for r in map(Requirement, ALWAYS)}


def test_a_dependency_without_a_lowest_version_is_refused() -> None:
    extras = {"fast": [], "plots": [], "checks": [], "test": []}
    with pytest.raises(SystemExit, match=r"'numpy' .* names no lowest version: write name>=1\.2"):
        lowest.pinned({"dependencies": ["numpy"], "optional-dependencies": extras})


def test_every_dependency_has_its_reason() -> None:
    listed = re.search(r"^dependencies = .*?^\[tool", PYPROJECT_TEXT, re.MULTILINE | re.DOTALL)
    assert listed
    lines = re.findall(r'^(?:  |\w+ = \[)"(?!gmmlib).*$', listed[0], re.MULTILINE)
    assert len(lines) == len(direct_dependencies())
    assert [line for line in lines if not re.search(r"# \w.{5,}", line)] == []


# ---- gmmlib on its own ---------------------------------------------------------------------

ALONE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"matplotlib", "sympy", "IPython", "nbformat", "pytest", "numba"}:
            raise ModuleNotFoundError(f"{name} is not part of pip install .", name=name)

sys.meta_path.insert(0, Absent())
sys.path.insert(0, sys.argv[1])
import gmmlib, gmmlib.bound, gmmlib.datasets, gmmlib.initialization
assert gmmlib.__file__.startswith(sys.argv[1]), gmmlib.__file__
X = gmmlib.datasets.old_faithful()
start = gmmlib.initialization.k_means_plus_plus(X, 2, random_state=0)
model = gmmlib.GaussianMixture(2, random_state=0).fit(X)
print(round(gmmlib.fit(X, start).log_likelihood, 3), round(model.log_likelihoods_[-1], 3))
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return folder / flit_core.buildapi.build_wheel(str(folder))


def test_pip_install_brings_only_what_the_library_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("METADATA"))
        lines = archive.read(name).decode().splitlines()
    needed = [Requirement(line[15:]) for line in lines if line.startswith("Requires-Dist: ")]
    always = {r.name for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})}
    assert always == {"numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl", "tqdm"}
    assert f"Version: {gmmlib.__version__}" in lines


def test_the_library_works_without_matplotlib_sympy_and_numba(wheel: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(wheel)], capture_output=True, text=True
    )
    assert run.stdout == "-1130.264 -1130.264\n", run.stderr


def test_the_wheel_has_the_types_the_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {"gmmlib/py.typed", "gmmlib/data/old_faithful.csv"} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"gmmlib"}


def test_pythons_are_the_same_everywhere() -> None:
    listed = {c.rsplit(" ", 1)[1] for c in PROJECT["classifiers"] if ":: 3." in c}
    assert listed == set(PYTHONS)
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert [minor for minor in range(30) if f"3.{minor}.0" in allowed] == [11, 12, 13]
    matrix = load(".github/workflows/tests.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == list(PYTHONS)
    assert "Python 3.11, 3.12 or 3.13" in README
    assert "Python 3.11, 3.12 or 3.13" in MAKEFILE


# ---- citation, changelog, licences, address ------------------------------------------------

CFF_PERSON = {
    "type": "object",
    "anyOf": [{"required": ["name"]}, {"required": ["family-names", "given-names"]}],
}
CFF = {
    "type": "object",
    "required": ["cff-version", "message", "title", "authors", "version", "date-released"],
    "properties": {
        "cff-version": {"const": "1.2.0"},
        "message": {"type": "string", "minLength": 1},
        "title": {"type": "string", "minLength": 1},
        "type": {"enum": ["software", "dataset"]},
        "authors": {"type": "array", "minItems": 1, "items": CFF_PERSON},
        "version": {"type": "string"},
        "date-released": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "license": {"type": "string"},
        "keywords": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "repository-code": {"type": "string", "pattern": "^https://"},
        "url": {"type": "string", "pattern": "^https://"},
    },
    "additionalProperties": False,
}


def test_the_citation_file_is_valid() -> None:
    jsonschema.validate(load("CITATION.cff"), CFF)


def test_the_version_is_the_same_everywhere() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = re.findall(r"^## \[(\d.*?)\] - (\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)
    cff = load("CITATION.cff")
    assert entries[0] == (cff["version"], cff["date-released"])
    assert cff["version"] == gmmlib.__version__
    assert entries == sorted(entries, key=lambda e: e[1], reverse=True)
    assert "## [Unreleased]" in changelog


def test_the_licences_are_the_ones_that_are_named() -> None:
    mit = (ROOT / "LICENSE").read_text(encoding="utf-8")
    text = (ROOT / "LICENSE-text").read_text(encoding="utf-8")
    assert mit.startswith("MIT License\n")
    assert "2026 The authors of Gaussian Mixtures, Executed" in mit
    assert text.startswith("Creative Commons Attribution 4.0 International\n")
    assert [int(n) for n in re.findall(r"^Section (\d) –", text, re.MULTILINE)] == [*range(1, 9)]
    assert PROJECT["license"] == load("CITATION.cff")["license"] == "MIT"


def test_there_is_one_address_or_none() -> None:
    """It is set in _config.yml. Until then nothing may point to a repository of this project."""
    address = load("_config.yml")["repository"]["url"]
    others = {
        load("CITATION.cff").get("repository-code"),
        *PROJECT.get("urls", {}).values(),
        *re.findall(r"https://git\w*\.\w+/[\w.-]+/[\w.-]+", README),
    }
    assert others <= {None, address}


# ---- workflows -----------------------------------------------------------------------------

TEXT = {"type": "string", "minLength": 1}
STEP = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "id": TEXT,
        "run": TEXT,
        "uses": {"type": "string", "pattern": r"^[\w-]+/[\w/-]+@(v\d+(\.\d+)*|[0-9a-f]{40})$"},
        "with": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
        "if": TEXT,
    },
    "oneOf": [{"required": ["run"]}, {"required": ["uses"]}],
    "dependentRequired": {"with": ["uses"]},
    "additionalProperties": False,
}
PERMISSIONS = {
    "type": "object",
    "propertyNames": {"enum": ["contents", "pages", "id-token"]},
    "additionalProperties": {"enum": ["read", "write"]},
}
JOB = {
    "type": "object",
    "required": ["runs-on", "timeout-minutes", "steps"],
    "properties": {
        "name": TEXT,
        "needs": TEXT,
        "runs-on": {"const": "ubuntu-latest"},
        "container": TEXT,
        "timeout-minutes": {"type": "integer", "minimum": 1, "maximum": 120},
        "permissions": PERMISSIONS,
        "environment": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": TEXT, "url": TEXT},
            "additionalProperties": False,
        },
        "strategy": {
            "type": "object",
            "required": ["matrix"],
            "properties": {"fail-fast": {"type": "boolean"}, "matrix": {"type": "object"}},
            "additionalProperties": False,
        },
        "steps": {"type": "array", "minItems": 1, "items": STEP},
    },
    "additionalProperties": False,
}
TRIGGER = {
    "type": "object",
    "minProperties": 1,
    "properties": {
        "push": {"type": "object", "properties": {"branches": {"type": "array"}}},
        "pull_request": {"type": "null"},
        "workflow_dispatch": {"type": "null"},
    },
    "additionalProperties": False,
}
# Narrower than what a workflow may contain: a word that is not here is a slip, or a reason to
# add it here.
WORKFLOW = {
    "type": "object",
    "required": ["name", "on", "permissions", "jobs"],
    "properties": {
        "name": TEXT,
        "on": TRIGGER,
        "permissions": PERMISSIONS,
        "concurrency": {
            "type": "object",
            "required": ["group"],
            "properties": {"group": TEXT, "cancel-in-progress": {"type": "boolean"}},
            "additionalProperties": False,
        },
        "jobs": {"type": "object", "minProperties": 1, "additionalProperties": JOB},
    },
    "additionalProperties": False,
}
WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())


def workflow_of(text: str) -> Any:
    parsed = yaml.safe_load(text)
    return {"on" if key is True else key: value for key, value in parsed.items()}  # YAML 1.1's on


def wrong_in_workflow(text: str) -> list[str]:
    workflow = workflow_of(text)
    wrong = [e.message for e in jsonschema.Draft202012Validator(WORKFLOW).iter_errors(workflow)]
    for name, job in workflow.get("jobs", {}).items():
        if "needs" in job and job["needs"] not in workflow["jobs"]:
            wrong.append(f"{name} needs {job['needs']}, which is no job")
        known = {f"matrix.{key}" for key in job.get("strategy", {}).get("matrix", {})}
        known |= {"github.ref"}
        known |= {f"steps.{s['id']}.outputs.page_url" for s in job.get("steps", []) if "id" in s}
        wrong += [
            f"{name} reads {used}, which is not set"
            for used in re.findall(r"\$\{\{ *(.*?) *\}\}", str(job))
            if used not in known
        ]
    return wrong


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_workflow_is_valid(path: Path) -> None:
    assert wrong_in_workflow(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("tests.yml", "runs-on:", "run-on:"),
        ("tests.yml", "matrix.python }}-bookworm", "matrix.pyton }}-bookworm"),
        ("tests.yml", "actions/checkout@v4", "actions/checkout"),
        ("tests.yml", "actions/checkout@v4", "actions/checkout@main"),
        ("tests.yml", "steps:", "stesp:"),
        ("tests.yml", "run: make book", "runs: make book"),
        ("tests.yml", "pull_request:", "pull_requests:"),
        ("tests.yml", "timeout-minutes: 60", "timeout-minutes: soon"),
        ("pages.yml", "needs: build", "needs: built"),
        ("pages.yml", "steps.deployment.", "steps.deploy."),
        ("pages.yml", "id-token: write", "id-tokens: write"),
        ("pages.yml", "jobs:", "job:"),
    ],
)
def test_a_slip_in_a_workflow_is_found(file: str, old: str, new: str) -> None:
    text = (ROOT / ".github/workflows" / file).read_text(encoding="utf-8")
    assert old in text
    assert wrong_in_workflow(text.replace(old, new)) != []


def runs(file: str) -> list[str]:
    jobs = workflow_of((ROOT / ".github/workflows" / file).read_text(encoding="utf-8"))["jobs"]
    return [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]


def test_everybody_types_the_commands_of_the_readme() -> None:
    two = README[README.index("## Two commands") : README.index("## The page is the program")]
    (block,) = re.findall(r"```bash\n(.*?)```", two, re.DOTALL)
    commands = [line.split("#")[0].strip() for line in block.splitlines()]
    assert commands == ["make book", "make test"]
    assert [run for run in runs("tests.yml") if run.startswith("make")] == [
        *commands,
        "make lowest",
        "make processors",
        "make test-runtime",
    ]
    assert runs("pages.yml") == commands[:1]
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert re.findall(r"^make .*$", script, re.MULTILINE) == commands
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_published_folder_is_the_built_one() -> None:
    jobs = workflow_of((ROOT / ".github/workflows/pages.yml").read_text(encoding="utf-8"))["jobs"]
    (path,) = (s["with"]["path"] for s in jobs["build"]["steps"] if "with" in s)
    assert f"PAGE := {path}/index.html" in MAKEFILE


def test_the_notebooks_for_colab_install_the_project_first(tmp_path: Path) -> None:
    config = load("_config.yml")
    with pytest.raises(ValueError, match=r"repository\.url in _config\.yml is empty"):
        colab.install(ROOT)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT_TEXT, encoding="utf-8")
    config["repository"] = {"url": "https://github.com/a/b", "branch": "main"}
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    line = colab.install(tmp_path)
    here = '"gmmlib[checks,dask,fast,plots] @ git+https://github.com/a/b@main"'
    assert line.startswith(f"%pip install --quiet {here} ")
    needed = [Requirement(text) for text in re.findall('"(.*?)"', line)]
    wanted = [Requirement(text) for text in PROJECT["optional-dependencies"]["chapters"]]
    wanted = [one for one in wanted if one.name != "jupyterlab"]
    assert [one.name for one in needed] == [one.name for one in wanted]
    assert [one.specifier for one in needed] == [one.specifier for one in wanted]


def test_a_notebook_for_colab_is_the_one_of_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(colab, "install", lambda root: "%pip install it")
    paths = colab.write(tmp_path)
    chapters = sorted(path.name for path in (ROOT / "chapters").glob("*.ipynb"))
    assert sorted(path.name for path in paths) == chapters
    read = book.read_book(ROOT)
    page = read.chapters[6]
    made = nbformat.read(tmp_path / f"{page.name}.ipynb", as_version=4)
    nbformat.validate(made)
    assert made.cells.pop(1).source == "%pip install it"
    site = handouts.solved(page, plain.Numbers(read))
    assert [cell.source for cell in made.cells] == [cell.source for cell in site.cells]


def test_the_container_has_what_a_bare_debian_needs() -> None:
    """But for what the image itself has."""
    settings = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    recipe = (ROOT / ".devcontainer" / settings["build"]["dockerfile"]).read_text(encoding="utf-8")
    (packages,) = re.findall(r"--no-install-recommends \\\n +(.*?) \\", recipe)
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    wanted = set(" ".join(re.findall(r"missing\+=\((.*?)\)", script)).split())
    in_the_image = {"make", "git", "python3", "python3-venv", "ca-certificates"}
    assert set(packages.split()) == wanted - in_the_image
    assert f"USER {settings['remoteUser']}\n" in recipe
    assert settings["postCreateCommand"] == "make .venv/complete"
    (image,) = re.findall("FROM python:(.*)-bookworm", recipe)
    assert image in PYTHONS


def test_pre_commit_downloads_nothing() -> None:
    settings = load(".pre-commit-config.yaml")
    assert [repo["repo"] for repo in settings["repos"]] == ["local"]
    hooks = settings["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    for hook in hooks:
        named = [w for w in hook["entry"].split() if w.startswith("tests/")]
        assert [name for name in named if not (ROOT / name).is_file()] == []
        assert hook["entry"].startswith(".venv/bin/python -m ")


# ---- the Makefile --------------------------------------------------------------------------

# What make test itself hands down would change what a make inside a test does.
HANDED_DOWN = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "PYTHON", "CHROMIUM", "RUNTIME")


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in HANDED_DOWN}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def targets() -> set[str]:
    phony = re.search(r"^\.PHONY: (help .*)$", MAKEFILE, re.MULTILINE)
    assert phony
    return set(phony[1].split()) - {"browser"}  # a step of test


def test_help_lists_every_target() -> None:
    listed = re.findall(r"^make ([\w-]+) +\w.{10,}$", make().stdout, re.MULTILINE)
    assert sorted(listed) == sorted(targets())
    assert make("help").stdout == make().stdout


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "index.md"])
def test_every_command_that_is_named_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^)make ([\w-]+)", text, re.MULTILINE))
    assert named
    assert named <= targets()


FAKE_PYTHON = """#!/bin/sh
echo "$*" >> calls
case "$*" in
  *sys.version_info*) exec "{python}" -c "import sys; sys.version_info = {version}; ${{2#*; }}" ;;
  --version) echo "Python {version}" ;;
  *ensurepip*) exit {no_venv} ;;
  "-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  *"-r requirements.lock"*) exit {no_network} ;;
esac
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with a Makefile in which nothing is installed, and a Python that only pretends."""
    return clone(tmp_path)


def clone(parent: Path) -> Path:
    folder = parent / "ein Büchlein"  # a space and an umlaut, as folders may have
    (folder / "tools").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "pyproject.toml", "tools/install.sh"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def pretend(folder: Path, version: tuple[int, int] = (3, 12), **lacks: bool) -> None:
    lacking = {name: int(lacks.get(name, False)) for name in ("no_venv", "no_network")}
    fake = folder / "fake"
    fake.write_text(FAKE_PYTHON.format(python=sys.executable, version=version, **lacking))
    fake.chmod(0o755)


def calls(folder: Path) -> str:
    said = (folder / "calls").read_text() if (folder / "calls").exists() else ""
    (folder / "calls").unlink(missing_ok=True)
    return said


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 14)])
def test_a_python_that_will_not_do(bare: Path, version: tuple[int, int]) -> None:
    pretend(bare, version)
    run = make("lint", "PYTHON=./fake", folder=bare)
    assert run.returncode != 0
    assert f"is Python {version}, but this needs Python 3.11, 3.12 or 3.13." in run.stderr
    assert not (bare / ".venv").exists()


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_a_python_that_will_do(bare: Path, version: tuple[int, int]) -> None:
    pretend(bare, version)
    run = make("lint", "PYTHON=./fake", folder=bare)
    assert run.returncode == 0, run.stderr


def test_a_python_without_venv(bare: Path) -> None:
    pretend(bare, no_venv=True)
    run = make("lint", "PYTHON=./fake", folder=bare)
    assert run.returncode != 0
    assert "sudo apt install python3-venv" in run.stderr
    assert not (bare / ".venv").exists()


def test_no_python(bare: Path) -> None:
    run = make("lint", "PYTHON=no-such-python", folder=bare)
    assert run.returncode != 0
    assert "There is no no-such-python." in run.stderr


def test_a_whole_environment_is_kept(bare: Path) -> None:
    pretend(bare)
    assert make("lint", "PYTHON=./fake", folder=bare).returncode == 0
    assert "-m venv .venv" in calls(bare)
    assert make("lint", "PYTHON=./fake", folder=bare).returncode == 0
    assert "venv" not in calls(bare)


def test_a_python_whose_path_has_a_space(bare: Path) -> None:
    pretend(bare)
    (bare / "a b").mkdir()
    (bare / "fake").rename(bare / "a b/python3")
    assert make("lint", "PYTHON=./a b/python3", folder=bare).returncode == 0
    assert "-m venv .venv" in calls(bare)
    assert make("lint", "PYTHON=./a b/python3", folder=bare).returncode == 0
    assert "venv" not in calls(bare)


def test_an_environment_follows_the_lock(bare: Path) -> None:
    pretend(bare)
    make("lint", "PYTHON=./fake", folder=bare)
    calls(bare)
    later = (bare / ".venv/complete").stat().st_mtime + 10
    os.utime(bare / "requirements.lock", (later, later))
    make("lint", "PYTHON=./fake", folder=bare)
    said = calls(bare)
    assert "--require-hashes -r requirements.lock" in said
    assert "-m venv" not in said


def test_a_half_made_environment_is_made_anew(bare: Path) -> None:
    pretend(bare, no_network=True)
    assert make("lint", "PYTHON=./fake", folder=bare).returncode != 0
    assert (bare / ".venv/bin/python").exists()
    (bare / ".venv/left-over").touch()
    pretend(bare)
    assert make("lint", "PYTHON=./fake", folder=bare).returncode == 0
    assert not (bare / ".venv/left-over").exists()


def test_a_half_updated_environment_is_made_anew(bare: Path) -> None:
    pretend(bare)
    make("lint", "PYTHON=./fake", folder=bare)
    (bare / ".venv/left-over").touch()
    pretend(bare, no_network=True)
    (bare / ".venv/bin/python").write_bytes((bare / "fake").read_bytes())
    later = (bare / ".venv/complete").stat().st_mtime + 10
    os.utime(bare / "requirements.lock", (later, later))
    assert make("lint", "PYTHON=./fake", folder=bare).returncode != 0
    pretend(bare)
    assert make("lint", "PYTHON=./fake", folder=bare).returncode == 0
    assert not (bare / ".venv/left-over").exists()


def test_an_environment_that_was_moved_is_made_anew(bare: Path) -> None:
    pretend(bare)
    make("lint", "PYTHON=./fake", folder=bare)
    moved = bare.rename(bare.with_name("moved"))
    calls(moved)
    assert make("lint", "PYTHON=./fake", folder=moved).returncode == 0
    assert "-m venv .venv" in calls(moved)


def test_without_chromium_the_tests_say_so(bare: Path) -> None:
    pretend(bare)
    run = make("test", "PYTHON=./fake", "CHROMIUM=", folder=bare)
    assert run.returncode != 0
    assert "sudo apt install chromium" in run.stderr
    assert "pytest" not in calls(bare)


# ---- make book RUNTIME=folder --------------------------------------------------------------


@pytest.fixture
def workshop(bare: Path) -> Path:
    """A clone whose jupyter-book only says with which runtime it was called, and two runtimes."""
    pretend(bare)
    for name in ("assets", "chapters", "course", "gmmlib", "one", "two"):
        (bare / name).mkdir()
    for name in ("_config.yml", "_toc.yml", "index.md", "references.bib"):
        (bare / name).touch()
    for name in ("one", "two"):
        (bare / name / "pyodide-lock.json").touch()
    assert make("lint", "PYTHON=./fake", folder=bare).returncode == 0
    build = bare / ".venv/bin/jupyter-book"
    build.write_text(
        '#!/bin/sh\necho "built with $RUNTIME" >> calls\n'
        "mkdir -p _build/html; echo page > _build/html/index.html\n"
    )
    build.chmod(0o755)
    return bare


def test_a_site_with_another_runtime_is_built_anew(workshop: Path) -> None:
    def built(*arguments: str) -> list[str]:
        calls(workshop)
        run = make(*arguments, "PYTHON=./fake", folder=workshop)
        assert run.returncode == 0, run.stderr
        return [line for line in calls(workshop).splitlines() if line.startswith("built")]

    assert built("book") == ["built with "]
    assert built("book") == []
    assert built("book", "RUNTIME=one") == ["built with one"]
    assert built("book", "RUNTIME=one") == []
    assert built("serve") == built("course") == []
    assert built("book", "RUNTIME=two") == ["built with two"]
    later = (workshop / "_build/html/index.html").stat().st_mtime + 10
    os.utime(workshop / "two/pyodide-lock.json", (later, later))
    assert built("book", "RUNTIME=two") == ["built with two"]
    assert built("book") == ["built with "]
    assert built("serve") == []


# ---- make lab, make serve ------------------------------------------------------------------


@pytest.fixture
def laboratory(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with its environment, and an ``id`` that says what ``$USER_ID`` holds."""
    pretend(bare)
    (bare / "id").write_text('#!/bin/sh\necho "$USER_ID"\n')
    (bare / "id").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bare}:{os.environ['PATH']}")
    return bare


@pytest.mark.parametrize(
    ("user", "options", "called"),
    [
        ("1000", "", "-m jupyterlab chapters"),
        ("1000", "--port 9000", "-m jupyterlab --port 9000 chapters"),
        ("0", "--no-browser --allow-root", "-m jupyterlab --no-browser --allow-root chapters"),
        ("0", "--port 9000", None),
        ("0", "", None),
    ],
)
def test_make_lab(
    laboratory: Path,
    monkeypatch: pytest.MonkeyPatch,
    user: str,
    options: str,
    called: str | None,
) -> None:
    monkeypatch.setenv("USER_ID", user)
    run = make("lab", "PYTHON=./fake", f"ARGS={options}", folder=laboratory)
    if called:
        assert calls(laboratory).splitlines()[-1] == called
    else:
        assert run.returncode != 0
        assert "make lab ARGS=--allow-root" in run.stderr
        assert "jupyterlab" not in calls(laboratory)


def test_a_wrong_address_gets_the_book_s_own_page(tmp_path: Path) -> None:
    (tmp_path / "404.html").write_text("There is no such page in the book.")
    with serve.serve(tmp_path) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        for path in ("/gone.html", "/chapters/gone/too/"):
            with pytest.raises(urllib.error.HTTPError) as answer:
                urllib.request.urlopen(address + path)
            assert answer.value.code == 404
            assert answer.value.read() == b"There is no such page in the book."
        server.shutdown()


def test_two_servers_take_two_ports_of_this_machine_only(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("the book")
    with serve.serve(tmp_path) as first, serve.serve(tmp_path) as second:
        assert serve.FIRST_PORT <= first.server_port < second.server_port
        for server in (first, second):
            assert server.server_address[0] == "127.0.0.1"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
                assert answer.read() == b"the book"
            server.shutdown()


def test_ctrl_c_ends_the_server_quietly(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tools/website/serve.py"), str(tmp_path)]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "make book" in refused.stderr
    (tmp_path / "index.html").write_text("the book")
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # tests that run in the background hand down that Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert server.stdout
    assert "http://127.0.0.1:80" in server.stdout.readline()
    server.send_signal(signal.SIGINT)
    assert server.communicate(timeout=30)[1] == ""
    assert server.returncode == 0
