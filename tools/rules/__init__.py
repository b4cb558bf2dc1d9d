"""The house's rules: each is a small function that returns what is wrong, in words.

A module holds one family of rules; ``tables`` lists those that look at a chapter, those that look
at the whole book, and those that wait until the book keeps to them. A new rule is a function, an
entry and a breaking that it finds (tests/book).
"""
