"""What an import leaves out, and why: a person must be able to check it line by line."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("problem", "step", "reason", "detail")
LONGEST_DETAIL = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Unfit(Exception):
    """A step cannot become an item; `reason` is one of a few, `detail` is about this step."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Listed:
    """One thing that was left out. `step` is "" when it is about a whole problem."""

    problem: str
    step: str
    reason: str
    detail: str = ""


def write_listed(*, rows: Iterable[Listed], path: Path) -> None:
    """Write the list as a CSV with the columns `COLUMNS`.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            detail = _CONTROL.sub(" ", row.detail)[:LONGEST_DETAIL]
            writer.writerow([_cell(text) for text in (row.problem, row.step, row.reason, detail)])


def _cell(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
