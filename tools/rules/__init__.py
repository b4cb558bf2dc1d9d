"""The house's rules: each is a small function that returns what is wrong, in words.

A module holds one family of rules; ``tables`` lists those that look at a chapter, and those that
look at the whole book. A new rule is a function, an entry and a breaking that it finds
(tests/book/test_chapter_rules.py, tests/book/test_labels.py).
"""
