"""What an export holds, counted while it is written."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from tutor.responses.exporting.columns import Column
from tutor.responses.exporting.records import Record


class Summary:
    """Counts of the records that have passed."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Start from nothing; `columns` are those of the records."""
        names = [column.name for column in columns]
        self._moment = names.index("answered_at") if "answered_at" in names else None
        self.answers = 0
        self.learners = 0
        self.first_at: dt.datetime | None = None
        self.last_at: dt.datetime | None = None
        self._newest = ""
        # Item -> number of answers and sum of credit.
        self._items: dict[str, list[float]] = {}

    def add(self, records: Sequence[Record]) -> None:
        """Count records; a learner's come one after the other."""
        items, newest = self._items, self._newest
        for record in records:
            if record[0] != newest:
                newest = record[0]
                self.learners += 1
            tally = items.get(record[1])
            if tally is None:
                tally = items[record[1]] = [0, 0.0]
            tally[0] += 1
            tally[1] += record[2]
        self.answers += len(records)
        self._newest = newest
        if self._moment is not None and records:
            moments = [record[self._moment] for record in records]
            self.first_at = min(self.first_at or moments[0], *moments)
            self.last_at = max(self.last_at or moments[0], *moments)

    @property
    def mean_correct(self) -> float:
        """The mean of `correct` over all answers, 0..1; 0 where there is none."""
        total = sum(credit for _, credit in self._items.values())
        return total / self.answers if self.answers else 0.0

    def counts(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        return {
            "answers": self.answers,
            "learners": self.learners,
            "items": len(self._items),
            "mean_correct": round(self.mean_correct, 4),
            "first_answered_at": _text(self.first_at),
            "last_answered_at": _text(self.last_at),
        }

    def items(self) -> dict[str, dict[str, float]]:
        """Return item -> number of answers and mean of `correct`, by the item's name."""
        return {
            item: {"answers": int(answers), "mean_correct": round(credit / answers, 4)}
            for item, (answers, credit) in sorted(self._items.items())
        }


def _text(moment: dt.datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat()}Z"
