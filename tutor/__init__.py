"""The Django project: it keeps every answer, estimates mastery and chooses the next item."""

# As in pyproject.toml.
VERSION = "0.1.0"
