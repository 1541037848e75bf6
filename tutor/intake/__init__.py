"""Bringing data in and out: logs and content by command and, for administrators, in the browser."""
