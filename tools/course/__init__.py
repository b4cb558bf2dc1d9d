"""The course kit: what a teacher takes away from the book."""
