"""A log on its way in: read rows, checked and put in order, in a temporary SQLite database.

SQLite keeps it in a file that has no name and goes with the process, and sorts it there, so that
a log of any length takes the same memory. Only the names of learners, items and concepts are
held.
"""

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import NamedTuple

from tutor.responses.importing.cells import EPOCH, to_microseconds
from tutor.responses.importing.dates import EARLIEST
from tutor.responses.importing.incoming import Reject
from tutor.responses.importing.log_rows import LogRow

# Where a log has no times, answers are a minute apart from here on: the order is kept. Times that
# count from a start of the log's own count from here.
TIMELESS_START = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
TIMELESS_STEP_US = 60_000_000
# So much of a value stands in the file of rejects.
LONGEST_SHOWN = 200
_BUFFER = 5_000
# Of a row that was rejected and only keeps its place.
_NO_ITEM = -1
_START_US = to_microseconds(TIMELESS_START)

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32000;
CREATE TABLE read (
    seq INTEGER PRIMARY KEY, learner INTEGER, item INTEGER, concepts INTEGER, credit REAL,
    at INTEGER, is_moment INTEGER, ord REAL, elapsed_ms INTEGER, hints INTEGER, attempt INTEGER,
    presented_at INTEGER, answer TEXT, extra TEXT, line INTEGER, file INTEGER, is_pilot INTEGER
);
CREATE TABLE rejects (line INTEGER, file INTEGER, field TEXT, value TEXT, reason TEXT);
"""
_NUMBERED = """
CREATE TABLE numbered AS SELECT
    seq, learner, item, concepts, credit,
    ? + ? * (row_number() OVER (PARTITION BY learner ORDER BY ord, seq) - 1) AS at,
    is_moment, ord, elapsed_ms, hints, attempt, presented_at, answer, extra, line, file, is_pilot
FROM read
"""
_SORTED = """
CREATE TABLE answers AS SELECT
    learner, item, concepts, credit, at, elapsed_ms, hints, attempt, presented_at, answer, extra,
    line, file, ord, seq, is_pilot
FROM read ORDER BY learner, at, ord, seq
"""
_FIELDS = """
    learner, item, credit, at, elapsed_ms, hints, attempt, presented_at, answer, extra, line, file,
    is_pilot
"""


class StagedAnswer(NamedTuple):
    """One answer, ready to be written; learner and item are places in the staging's names.

    `at` and `presented_at` are microseconds since 1970; `answer` and `extra` as in `LogRow`;
    `is_pilot` is 1 or 0, or None where the log does not say.
    """

    learner: int
    item: int
    credit: float
    at: int
    elapsed_ms: int | None
    hints: int
    attempt: int
    presented_at: int | None
    answer: str
    extra: str
    line: int
    file: int
    is_pilot: int | None


class Counts(NamedTuple):
    """What the staged answers are together; the days are None where there are no answers."""

    answers: int
    learners: int
    items: int
    mean_credit: float
    first_at: int | None
    last_at: int | None


class Staging:
    """Holds a log while it is read, planned and written; closing it forgets everything.

    Attributes:
        learners: names, by the place that a staged answer gives.
        items: likewise.
        concepts_of: for each item the concepts of its first row (all of its rows, if merged).
        is_timed: whether answers have times; known after `settle`.
    """

    def __init__(self) -> None:
        self.learners: list[str] = []
        self.items: list[str] = []
        self.concepts_of: list[tuple[str, ...]] = []
        self.disagreeing: set[int] = set()
        self.warnings: list[str] = []
        self.is_timed = False
        self.repeated_skills = 0
        self._learner_ids: dict[str, int] = {}
        self._item_ids: dict[str, int] = {}
        self._concept_ids: dict[tuple[str, ...], int] = {}
        self._all_concepts: list[dict[str, None]] = []
        self._files: list[str] = [""]
        self._file = 0
        self._rows: list[tuple[object, ...]] = []
        self._rejected: list[tuple[object, ...]] = []
        self._kinds = {"none": 0, "offset": 0, "moment": 0}
        self._count = 0
        self._previous: tuple[int, int, int, float] | None = None
        # An empty name is a temporary file of SQLite's own.
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript(_TABLES)
        self._base.execute("BEGIN")

    def __enter__(self) -> "Staging":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._base.close()

    def begin_file(self, name: str) -> None:
        """Say that what comes now stands in another file of the input."""
        self._files.append(name)
        self._file += 1

    def add(self, row: LogRow) -> None:
        """Take one answer."""
        (
            line, name, item_name, credit, named, at, is_moment, order, elapsed_ms, hints, attempt,
            presented_at, answer, extra, is_pilot,
        ) = row  # fmt: skip
        learner = self._learner_ids.get(name)
        if learner is None:
            learner = self._new_learner(name)
        item = self._item_ids.get(item_name)
        concepts = self._concept_ids.get(named)
        if concepts is None:
            concepts = self._concept_ids[named] = len(self._concept_ids)
        if item is None:
            item = self._item_ids[item_name] = len(self.items)
            self.items.append(item_name)
            self.concepts_of.append(named)
            self._all_concepts.append(dict.fromkeys(named))
        elif named != self.concepts_of[item]:
            self.disagreeing.add(item)
            self._all_concepts[item].update(dict.fromkeys(named))
        self._kinds["none" if at is None else "moment" if is_moment else "offset"] += 1
        if at is None and order is None:
            self._watch_skills(learner, item, concepts, credit)
        self._count += 1
        self._rows.append(
            (
                self._count, learner, item, concepts, credit, at, is_moment, order, elapsed_ms,
                hints, attempt, presented_at, answer, extra, line, self._file, is_pilot,
            )
        )  # fmt: skip
        if len(self._rows) >= _BUFFER:
            self._flush()

    def _new_learner(self, name: str) -> int:
        place = self._learner_ids[name] = len(self.learners)
        self.learners.append(name)
        return place

    def _watch_skills(self, learner: int, item: int, concepts: int, credit: float) -> None:
        """Without times, rows that follow each other and differ in the skill alone are one."""
        before, self._previous = self._previous, (learner, item, concepts, credit)
        if before is not None and before != self._previous:
            same = (before[0], before[1], before[3]) == (learner, item, credit)
            self.repeated_skills += same

    def reject(
        self,
        line: int,
        field: str,
        value: str,
        reason: str,
        *,
        learner: str = "",
        order: float | None = None,
    ) -> None:
        """Note a row that cannot be taken.

        Where a log has no times, an answer is known again by its place among its learner's rows.
        A rejected row keeps its place if its `learner` is given, so that it can be mended later.
        """
        if learner:
            place = self._learner_ids.get(learner)
            if place is None:
                place = self._new_learner(learner)
            self._count += 1
            row = (self._count, place, _NO_ITEM, 0, 0.0, None, 0, order, None, 0, 1, None, "", "")
            self._rows.append((*row, line, self._file, None))
        # The first of them are kept with the plan, and PostgreSQL stores no NUL.
        shown, named = value[:LONGEST_SHOWN].replace("\x00", "?"), field.replace("\x00", "?")
        self._rejected.append((line, self._file, named, shown, reason))
        if len(self._rejected) >= _BUFFER:
            self._flush()

    def _flush(self) -> None:
        marks = ",".join("?" * 17)
        self._base.executemany(f"INSERT INTO read VALUES ({marks})", self._rows)  # noqa: S608
        self._base.executemany("INSERT INTO rejects VALUES (?, ?, ?, ?, ?)", self._rejected)
        self._rows.clear()
        self._rejected.clear()

    def settle(self, *, merge_skills: bool) -> None:
        """Put the answers in order, after the last one was added.

        All times are moments, or all count from a start of the log's own, or there are none; a
        row that differs is rejected. With `merge_skills`, rows of one learner, item, time and
        order with one result are one answer, and an item has the concepts of all its rows.
        """
        self._flush()
        self._settle_times()
        if merge_skills:
            self._merge()
        if not self.is_timed:
            self._number_rows()
        self._base.execute(_SORTED)
        self._base.execute("DROP TABLE read")

    def _number_rows(self) -> None:
        """Give every answer the moment of its place among its learner's rows."""
        self._base.execute(_NUMBERED, (_START_US, TIMELESS_STEP_US))
        self._base.execute("DROP TABLE read")
        self._base.execute("ALTER TABLE numbered RENAME TO read")
        self._base.execute("DELETE FROM read WHERE item = ?", (_NO_ITEM,))

    def _settle_times(self) -> None:
        timed = self._kinds["offset"] + self._kinds["moment"]
        self.is_timed = timed > 0
        if not self.is_timed:
            if self._count:
                self.warnings.append(
                    "No times in this log: the order counts, forgetting cannot be traced."
                )
            return
        self._base.execute("DELETE FROM read WHERE item = ?", (_NO_ITEM,))
        self._refuse("at IS NULL", "''", "empty, while other rows have a time")
        if self._kinds["moment"]:
            reason = f"before {EARLIEST.year} as epoch seconds, while other rows are not"
            self._refuse("is_moment = 0", "printf('%g', at / 1e6)", reason)
            return
        self._base.execute("UPDATE read SET at = at + ?", (_START_US,))
        self.warnings.append(
            f"Times count from a start of their own: it is taken to be {TIMELESS_START:%Y-%m-%d}."
        )

    def _refuse(self, condition: str, value: str, reason: str) -> None:
        self._base.execute(
            "INSERT INTO rejects SELECT line, file, 'answered_at', "  # noqa: S608 - our own words
            f"{value}, ? FROM read WHERE {condition} ORDER BY seq",
            (reason,),
        )
        self._base.execute(f"DELETE FROM read WHERE {condition}")  # noqa: S608

    def _merge(self) -> None:
        self.concepts_of = [tuple(names) for names in self._all_concepts]
        self.disagreeing.clear()
        merged = self._base.execute(
            "DELETE FROM read WHERE item >= 0 AND seq NOT IN "
            "(SELECT min(seq) FROM read GROUP BY learner, item, at, ord, credit)"
        ).rowcount
        if merged:
            self.warnings.append(
                f"{merged} rows repeat an answer for another skill; each answer comes in once."
            )

    def keep_items(self, known: set[str], *, slug: str) -> None:
        """Reject the answers to items that the course of that slug does not have."""
        names = [
            (place, name[:LONGEST_SHOWN])
            for place, name in enumerate(self.items)
            if name not in known
        ]
        if not names:
            return
        self._base.execute("CREATE TEMP TABLE strange (item INTEGER PRIMARY KEY, name TEXT)")
        self._base.executemany("INSERT INTO strange VALUES (?, ?)", names)
        self._base.execute(
            "INSERT INTO rejects SELECT line, file, 'item', name, ? "
            "FROM answers JOIN strange USING (item)",
            (f"the course {slug} has no such item",),
        )
        self._base.execute("DELETE FROM answers WHERE item IN (SELECT item FROM strange)")

    def counts(self) -> Counts:
        """Return what the settled answers are together."""
        row = self._base.execute(
            "SELECT count(*), count(DISTINCT learner), count(DISTINCT item), avg(credit), "
            "min(at), max(at) FROM answers"
        ).fetchone()
        return Counts(row[0], row[1], row[2], row[3] or 0.0, row[4], row[5])

    def count_on_trial(self, items: set[str]) -> int:
        """Return how many answers are on trial: by their own word, or without one to `items`."""
        places = [(place,) for place, name in enumerate(self.items) if name in items]
        self._base.execute("CREATE TEMP TABLE trial (item INTEGER PRIMARY KEY)")
        self._base.executemany("INSERT INTO trial VALUES (?)", places)
        row = self._base.execute(
            "SELECT count(*) FROM answers WHERE is_pilot = 1 "
            "OR (is_pilot IS NULL AND item IN (SELECT item FROM trial))"
        ).fetchone()
        self._base.execute("DROP TABLE trial")
        return int(row[0])

    def count_repeats(self) -> tuple[int, int]:
        """Return how many answers repeat a learner, item and second, and for another skill."""
        if not self.is_timed:
            return 0, self.repeated_skills
        row = self._base.execute(
            "SELECT sum(n - 1), sum((n - 1) * differ) FROM ("
            "SELECT count(*) AS n, min(concepts) <> max(concepts) AS differ FROM answers "
            "GROUP BY learner, at / 1000000, item HAVING n > 1)"
        ).fetchone()
        return row[0] or 0, row[1] or 0

    def answered(self) -> tuple[set[int], set[int]]:
        """Return the learners and the items that there are answers of."""
        learners = self._base.execute("SELECT DISTINCT learner FROM answers")
        items = self._base.execute("SELECT DISTINCT item FROM answers")
        return {row[0] for row in learners}, {row[0] for row in items}

    def iterate(self) -> Iterator[StagedAnswer]:
        """Yield the answers by learner, each learner's in fold order."""
        cursor = self._base.execute(f"SELECT {_FIELDS} FROM answers ORDER BY rowid")  # noqa: S608
        cursor.arraysize = _BUFFER
        while rows := cursor.fetchmany():
            yield from map(StagedAnswer._make, rows)

    def iterate_places(self) -> Iterator[tuple[int, int]]:
        """Yield (learner, item) of every answer, in the same order."""
        yield from self._base.execute("SELECT learner, item FROM answers ORDER BY rowid")

    def count_rejects(self) -> int:
        """Return how many rows were not taken."""
        found: int = self._base.execute("SELECT count(*) FROM rejects").fetchone()[0]
        return found

    def count_off_scale(self) -> int:
        """Return how many rows were rejected for a result beyond the full score."""
        found: int = self._base.execute(
            "SELECT count(*) FROM rejects WHERE reason LIKE 'not from 0 to %'"
        ).fetchone()[0]
        return found

    def iterate_rejects(self) -> Iterator[Reject]:
        """Yield the rows that were not taken, by file and line."""
        rows = self._base.execute(
            "SELECT line, file, field, value, reason FROM rejects ORDER BY file, line, rowid"
        )
        for line, file, field, value, reason in rows:
            yield Reject(line, field, value, reason, self._files[file])


def days_of(moments: Iterable[int | None]) -> list[str]:
    """Return microseconds since 1970 as days in UTC, '' for None."""
    return [
        "" if at is None else (EPOCH + dt.timedelta(microseconds=at)).date().isoformat()
        for at in moments
    ]
