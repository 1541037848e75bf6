"""Courses from elsewhere: pure functions from files to a `CourseSpec` and what was left out."""
