# From a fresh clone: make book, make test. Everything is installed into .venv, nothing elsewhere.

SHELL := bash
.SHELLFLAGS := -o pipefail -ec
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The Python that .venv is made from: make book PYTHON=python3.12
PYTHON ?= python3
RUN := .venv/bin/python
PAGE := _build/html/index.html

# The browser that the tests open the website in.
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
export CHROMIUM

# Small matrix products on a few busy cores are many times slower with threads of BLAS's own.
export OPENBLAS_NUM_THREADS := 1
# Where joblib cannot count the cores, as in some containers, it would warn into a chapter.
export LOKY_MAX_CPU_COUNT ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Activated environments and stray paths must not lend their packages to .venv.
unexport PYTHONPATH PYTHONHOME

# The folder of an unpacked release of Pyodide: with it, each chapter has Run this page. Whoever only
# uses the site takes the one that is there.
BUILT_WITH := $(shell cat _build/runtime 2>/dev/null)
RUNTIME ?= $(if $(filter serve course,$(MAKECMDGOALS)),$(BUILT_WITH))
export RUNTIME

.PHONY: help book test test-runtime browser serve lab notebooks ledger bench course course-test lowest processors lint lock clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1 \2/p' $(firstword $(MAKEFILE_LIST)) | \
	  while read -r name text; do printf 'make %-12s %s\n' "$$name" "$$text"; done

book: $(PAGE) ## build the website, warnings as errors: _build/html/index.html

test: browser lint $(PAGE) ## lint, then test the library, the chapters and the website
	$(RUN) -m pytest -n 2 --cov=gmmlib --cov-branch --cov-fail-under=95

# Not a part of make test: it takes some minutes, and 80 MB from the package index the first time.
test-runtime: browser .venv/complete ## run every chapter in a browser's own Python (RUNTIME=folder: in that one)
	@folder="$(RUNTIME)"; [ -n "$$folder" ] || folder="$$($(RUN) tools/pinned_runtime.py)"; \
	  RUNTIME="$$folder" $(RUN) -m pytest -n 2 tests/runtime
	$(RUN) tools/runtime_figures.py

browser:
	@command -v "$(CHROMIUM)" >/dev/null || { echo "The tests of the website need Chromium," \
	  "and $(if $(CHROMIUM),$(CHROMIUM) cannot be run,none was found). On Debian: sudo apt install chromium." \
	  "Elsewhere, name one: make test CHROMIUM=/path/to/it" >&2; exit 1; }

serve: $(PAGE) ## show the website on this machine; Ctrl-C ends it
	@exec $(RUN) tools/website/serve.py _build/html

lab: .venv/complete ## open the chapters in JupyterLab (its own options: ARGS="--port 9000")
	@if [ "$$(id -u)" = 0 ] && [[ " $(ARGS) " != *" --allow-root"* ]]; then \
	  echo "JupyterLab does not run as root. Run make lab as another user," \
	    "or, where root is all there is, as in a container: make lab ARGS=--allow-root" >&2; exit 1; fi
	@exec $(RUN) -m jupyterlab $(ARGS) chapters

notebooks: .venv/complete ## execute every chapter anew, in place, and the solutions for teachers
	$(RUN) tools/run_notebooks.py
	$(RUN) tools/run_notebooks.py --folder course/solutions

ledger: .venv/complete ## print every equation: the worlds in which it ran, and its checks
	$(RUN) tools/ledger.py

bench: .venv/complete ## time gmmlib and its peers, measure its accuracy: benchmarks/results
	$(RUN) benchmarks/bench.py
	$(RUN) benchmarks/accuracy.py

# Each solution, each stub and each wrong answer is graded: some minutes, so not a part of make test.
course: $(PAGE) ## make the course kit: _build/course (one part: PARTS="quiz")
	$(RUN) tools/make_course.py $(PARTS)

course-test: .venv/complete ## build the assignments and grade right and wrong answers to each
	COURSE=1 $(RUN) -m pytest tests/course

# The tests of the library need gmmlib alone: what builds the book is not installed there.
lowest: ## test the library with the lowest versions that it declares (Python 3.11, in .venv-lowest)
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo "The lowest versions are those for Python 3.11, and $(PYTHON) is another." \
	  "Name one: make lowest PYTHON=python3.11" >&2; exit 1; }
	rm -rf .venv-lowest
	"$(PYTHON)" -m venv .venv-lowest
	"$(PYTHON)" tools/lowest.py > .venv-lowest/requirements.txt
	.venv-lowest/bin/python -m pip install --quiet -r .venv-lowest/requirements.txt \
	  --editable '.[fast,plots,checks]'
	.venv-lowest/bin/python -m pytest --quiet --noconftest -o addopts= -p roads tests/library

# NumPy, OpenBLAS and Numba choose their instructions by the processor, and the last digits follow.
OTHER := env NPY_DISABLE_CPU_FEATURES="AVX512_SPR AVX512_ICL X86_V4
processors: .venv/complete ## test the chapters as three other processors compute them
	$(OTHER)" OPENBLAS_CORETYPE=Haswell NUMBA_CPU_NAME=haswell $(RUN) -m pytest -q -n 2 chapters course/solutions
	$(OTHER)" OPENBLAS_CORETYPE=Zen NUMBA_CPU_NAME=znver3 $(RUN) -m pytest -q -n 2 chapters course/solutions
	$(OTHER) X86_V3" OPENBLAS_CORETYPE=Nehalem NUMBA_CPU_NAME=nehalem $(RUN) -m pytest -q -n 2 chapters course/solutions

lint: .venv/complete ## check format, style and types
	$(RUN) -m ruff format --check
	$(RUN) -m ruff check
	$(RUN) -m mypy

lock: ## make requirements.lock anew from pyproject.toml (UPGRADE=--upgrade: newest versions)
	@command -v uv >/dev/null || { echo "make lock needs uv, which is not on the PATH." \
	  "Install it first, for example with: pipx install uv" >&2; exit 1; }
	uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --extra test --generate-hashes \
	  --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock

clean: ## remove .venv, the website and all caches
	rm -rf .venv .venv-lowest _build .coverage .coverage.* htmlcov dist .hypothesis .mypy_cache .ruff_cache .pytest_cache
	find . -name .git -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -exec rm -rf {} +

# What the pages are made of.
SOURCES := _config.yml _toc.yml index.md references.bib $(shell find assets chapters course gmmlib tools \
  -type f -not -path '*/__pycache__/*' -not -path '*/.ipynb_checkpoints/*')

# Jupyter Book can succeed without writing a page, and keeps old ones: so they go first, and
# the page must be there afterwards.
$(PAGE): .venv/complete $(SOURCES)
	rm -rf _build/html _build/.doctrees _build/runtime
	.venv/bin/jupyter-book build -W -n --keep-going .
	@test -s $@ || { echo "jupyter-book ended well but wrote no $@." \
	  "Is jupyter-book 1 installed ($(RUN) -m pip show jupyter-book)?" >&2; exit 1; }
	@$(if $(RUNTIME),echo '$(RUNTIME)' > _build/runtime)

# A site that was built with another runtime, or another release in its folder, is built anew.
$(PAGE): $(if $(RUNTIME),$(wildcard $(RUNTIME)/pyodide-lock.json))
ifneq ($(RUNTIME),$(BUILT_WITH))
$(PAGE): anew
endif

# The file is written when all else has succeeded, so a half-made .venv is made anew. It holds the
# folder, because an environment does not survive being moved.
.venv/complete: requirements.lock pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON)." \
	  "Install Python 3.11, 3.12 or 3.13, or name one: make book PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "$(PYTHON) is $$("$(PYTHON)" --version 2>&1), but this needs Python 3.11, 3.12 or 3.13." \
	  "Name one: make book PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: its venv module is missing." \
	  "On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@$(if $(UNUSABLE),$(if $(wildcard .venv),echo "Making .venv anew: $(UNUSABLE).";) \
	  rm -rf .venv; "$(PYTHON)" -m venv .venv)
	@rm -f $@
	@echo "Installing requirements.lock into .venv. The first time this takes a minute or two."
	@tools/install.sh $(RUN) --editable
	@$(RUN) -m pip check
	@echo '$(CURDIR)' > $@

# Why the .venv that is there, if any, cannot be used.
ifneq ($(shell test -x $(RUN) && cat .venv/complete 2>/dev/null),$(CURDIR))
UNUSABLE := it is not complete, or was made in another folder
else ifneq ($(filter command environment,$(origin PYTHON)),)
VERSION := -c 'import sys; print(sys.version)' 2>&1
ifneq ($(shell "$(PYTHON)" $(VERSION)),$(shell $(RUN) $(VERSION)))
UNUSABLE := it was made with another Python
endif
endif
$(if $(UNUSABLE),.venv/complete: anew)
.PHONY: anew
