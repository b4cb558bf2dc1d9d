"""A Python in the browser needs a release of Pyodide: only with RUNTIME (make test-runtime)."""

import os

collect_ignore_glob = [] if os.environ.get("RUNTIME") else ["test_*.py"]
