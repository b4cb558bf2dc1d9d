"""The course kit: what a teacher takes away, made from the chapters (``tools/make_course.py``)."""
