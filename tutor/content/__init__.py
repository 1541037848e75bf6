"""Courses, concepts, prerequisites, items and their immutable versions, grading."""
