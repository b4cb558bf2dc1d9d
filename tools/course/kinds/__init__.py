"""The tasks with numbers, by what they are about. ``course.numerical`` has them in order."""
