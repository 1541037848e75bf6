"""Read fields of authors' data and say precisely what is wrong with them."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_SLUG = 100


def shown(value: object) -> str:
    """Return a value short enough for an error message."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def check_slug(slug: str, *, where: str, problems: list[str]) -> str:
    """Return the slug, after noting a problem if it is not lower-case-with-hyphens."""
    if slug and (len(slug) > MAX_SLUG or not _SLUG.fullmatch(slug)):
        problems.append(
            f"{where}: {shown(slug)} is not a slug. Use small letters, digits and single hyphens, "
            f"at most {MAX_SLUG}."
        )
    return slug


class Fields:
    """One mapping of an author's file; wrong fields are noted in `problems` and read as empty."""

    def __init__(self, data: object, *, where: str, problems: list[str]) -> None:
        """Keep the mapping and its place; anything but a mapping is noted."""
        self.where = where
        self.problems = problems
        self.data: Mapping[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            problems.append(f"{where}: {shown(data)} must be `field: value` lines.")

    def note(self, name: str, value: object, what: str) -> None:
        """Add a problem about one field."""
        self.problems.append(f"{self.where}, {name}: {shown(value)} {what}")

    def refuse_others(self, allowed: Sequence[str]) -> None:
        """Note every field that is not allowed, with the nearest allowed name."""
        for name in self.data:
            if name not in allowed:
                near = difflib.get_close_matches(str(name), allowed, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"Allowed: {', '.join(allowed)}."
                self.problems.append(f"{self.where}, {name}: there is no such field. {hint}")

    def text(self, name: str, *, default: str | None = None) -> str:
        """Return a text; a missing one is a problem unless there is a default."""
        value = self.data.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if default is None:
                self.problems.append(f"{self.where}, {name}: is missing. Write one.")
            return default or ""
        if isinstance(value, (dict, list)):
            self.note(name, value, "must be a text. Quote it.")
            return default or ""
        return str(value).strip()

    def list(self, name: str) -> Sequence[Any]:
        """Return a list, empty when absent."""
        value = self.data.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.note(name, value, "must be a list. Write [a, b] or lines that start with -.")
            return ()
        return value

    def texts(self, name: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of texts or numbers, as texts."""
        if default is None and name not in self.data:
            self.problems.append(f"{self.where}, {name}: is missing. Write a list.")
        found: list[str] = []
        for value in self.list(name):
            if value is None or isinstance(value, (dict, list)):
                self.note(name, value, "must be a text. Quote it.")
            else:
                found.append(str(value).strip())
        return tuple(found)

    def number(self, name: str, *, default: float, low: float, high: float) -> float:
        """Return a number within bounds."""
        value = self.data.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.note(name, value, f"must be a number from {low:g} to {high:g}.")
            return default
        if not low <= value <= high:
            self.note(name, value, f"is not between {low:g} and {high:g}.")
            return default
        return float(value)

    def flag(self, name: str) -> bool:
        """Return true or false; absent is false."""
        value = self.data.get(name, False)
        if not isinstance(value, bool):
            self.note(name, value, "must be true or false.")
            return False
        return value
