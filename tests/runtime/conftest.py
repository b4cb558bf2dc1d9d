"""A Python in the browser needs a release of Pyodide: only with RUNTIME (make test-runtime)."""

import os

from run_fixtures import context, run_site

__all__ = ["context", "run_site"]

collect_ignore_glob = [] if os.environ.get("RUNTIME") else ["test_*.py"]
