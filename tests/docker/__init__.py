"""The containers, read and carried out without an engine."""
