"""The rows that were not taken: summed up for the page, made safe for a spreadsheet."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FIRST = 5
REASONS = 12
# A cell that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file-like target that hands back what was written to it."""

    def write(self, text: str) -> str:
        return text


def summarise(path: Path) -> dict[str, Any]:
    """Return how many rows there are, for which reasons, and the first few, for JSON."""
    counts: Counter[tuple[str, str]] = Counter()
    first: list[dict[str, str]] = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            counts[row["field"], row["reason"]] += 1
            if len(first) < FIRST:
                first.append(row)
    reasons = [
        {"field": field, "reason": reason, "count": count}
        for (field, reason), count in counts.most_common(REASONS)
    ]
    return {"count": counts.total(), "reasons": reasons, "kinds": len(counts), "first": first}


def lines_for_a_spreadsheet(path: Path) -> Iterator[str]:
    """Yield the file's lines; a cell that a spreadsheet would calculate begins with an apostrophe.

    Begins with a byte order mark, without which some spreadsheets take UTF-8 for something else.
    """
    yield "\ufeff"
    writer = csv.writer(_Line())
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            yield writer.writerow([neutral(cell) for cell in row])


def neutral(cell: str) -> str:
    """Return the cell, with an apostrophe before what a spreadsheet would calculate.

    >>> neutral("=1+1"), neutral("-3"), neutral("Anna")
    ("'=1+1", "'-3", 'Anna')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
