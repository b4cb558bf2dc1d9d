"""Grading every answer to every assignment takes minutes: only with COURSE=1 (make course-test)."""

import os

collect_ignore = [] if os.environ.get("COURSE") == "1" else ["test_all_assignments.py"]
