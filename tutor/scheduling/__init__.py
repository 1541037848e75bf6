"""Decisions: which item comes next, and the receipt that says why."""
