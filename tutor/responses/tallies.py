"""Sums over the answers of some learners, made by the database: how many, how right, how long.

Every sum reads the rows of its learners within its dates by the index of a learner's history, and
takes two queries for any number of learners.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import Least, TruncDate

from tutor.responses.models import Response

# Of an answer that took longer only so much is counted: nobody knows who was still at it.
LONGEST_MS = 300_000
CONCEPT = "item_version__concept_links__concept"
ITEM = "item_version__item"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose answers are meant: some learners' in a course, from `since` until before `until`.

    `concept_id` narrows them to the answers on one concept, `item_id` to those to one item.
    """

    course_id: int
    learner_ids: tuple[int, ...]
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    concept_id: int | None = None
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over some answers.

    Attributes:
        answers: first tries.
        right: of these, right without a hint.
        helped: of these, given after a hint, right or not.
        hints: hints seen before first tries.
        spent_ms: time on all tries, each at most `LONGEST_MS`.
        timed: tries that have a time.
        learners: how many answered.
        last_at: when the newest was given.
    """

    answers: int = 0
    right: int = 0
    helped: int = 0
    hints: int = 0
    spent_ms: int = 0
    timed: int = 0
    learners: int = 0
    last_at: dt.datetime | None = None

    @property
    def share_right(self) -> float | None:
        """Share of the first tries that were right without help; None without any."""
        return self.right / self.answers if self.answers else None

    @property
    def seconds(self) -> int | None:
        """Mean time of a try in whole seconds; None where no time is known."""
        return round(self.spent_ms / self.timed / 1000) if self.timed else None

    @property
    def time(self) -> str:
        """Time on task in words."""
        hours, minutes = divmod(self.minutes, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"

    @property
    def minutes(self) -> int:
        """Time on task in whole minutes."""
        return round(self.spent_ms / 60_000)


NOTHING = Tally()


def tally(scope: Scope) -> Tally:
    """Return the sums over all answers of the scope."""
    [found] = list(_sums(list_standing_in(scope).order_by().annotate(key=Value(0)))) or [{}]
    return _read(found) if found else NOTHING


def tally_by_learner(scope: Scope) -> dict[int, Tally]:
    """Return learner id -> sums, for those who have answered."""
    return _by(list_standing_in(scope), "learner")


def tally_by_concept(scope: Scope) -> dict[int, Tally]:
    """Return concept id -> sums; an answer on two concepts is in both."""
    return _by(list_standing_in(scope), CONCEPT)


def tally_by_item(scope: Scope) -> dict[int, Tally]:
    """Return item id -> sums over all of its versions."""
    return _by(list_standing_in(scope), ITEM)


def tally_by_day(scope: Scope) -> dict[dt.date, Tally]:
    """Return day, by the calendar of the time zone in force -> sums."""
    rows = list_standing_in(scope).annotate(day=TruncDate("answered_at"))
    return _by(rows, "day")


def count_days(scope: Scope) -> dict[int, int]:
    """Return learner id -> on how many days they answered."""
    rows = list_standing_in(scope).annotate(day=TruncDate("answered_at")).order_by()
    found = rows.values("learner").annotate(days=Count("day", distinct=True))
    return dict(found.values_list("learner", "days"))


def list_active_by_day(scope: Scope) -> list[tuple[dt.date, int]]:
    """Return (day, learner id) for each day on which a learner answered."""
    rows = list_standing_in(scope).annotate(day=TruncDate("answered_at")).order_by()
    return list(rows.values_list("day", "learner").distinct())


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A wrong first answer as it was given to one showing of an item, and how often."""

    version_id: int
    seed: int
    answer: dict[str, Any]
    misconception: str
    learner_id: int
    n: int


def list_wrong_answers(scope: Scope) -> list[WrongAnswer]:
    """Return the wrong first tries of the scope, alike ones of a learner together."""
    rows = list_standing_in(scope).filter(attempt=1, is_correct=False)
    columns = ("item_version", "seed", "answer", "misconception", "learner")
    found = rows.order_by().values(*columns).annotate(n=Count("pk"))
    return [WrongAnswer(*row) for row in found.values_list(*columns, "n")]


def list_standing_in(scope: Scope) -> QuerySet[Response]:
    """Return the scope's answers that no later correction replaces."""
    own = Response.objects.filter(course=scope.course_id, learner__in=scope.learner_ids)
    # Few ids, found by the index of corrections: asking of every answer whether one replaces it
    # would read the log twice.
    replaced = own.filter(corrects__isnull=False).values_list("corrects", flat=True)
    rows = own.exclude(pk__in=list(replaced))
    if scope.since is not None:
        rows = rows.filter(answered_at__gte=scope.since)
    if scope.until is not None:
        rows = rows.filter(answered_at__lt=scope.until)
    if scope.concept_id is not None:
        rows = rows.filter(**{CONCEPT: scope.concept_id})
    if scope.item_id is not None:
        rows = rows.filter(**{ITEM: scope.item_id})
    return rows


def _by(rows: QuerySet[Response], key: str) -> dict[Any, Tally]:
    found = _sums(rows.order_by().annotate(key=F(key)))
    return {row["key"]: _read(row) for row in found}


def _sums(rows: QuerySet[Response, Any]) -> QuerySet[Response, dict[str, Any]]:
    first = Q(attempt=1)
    return rows.values("key").annotate(
        answers=Count("pk", filter=first),
        right=Count("pk", filter=first & Q(is_correct=True, hints_seen=0)),
        helped=Count("pk", filter=first & Q(hints_seen__gt=0)),
        hints=Sum("hints_seen", filter=first),
        spent_ms=Sum(Least("elapsed_ms", Value(LONGEST_MS))),
        timed=Count("elapsed_ms"),
        learners=Count("learner", distinct=True),
        last_at=Max("answered_at"),
    )


def _read(row: dict[str, Any]) -> Tally:
    return Tally(
        answers=row["answers"],
        right=row["right"],
        helped=row["helped"],
        hints=row["hints"] or 0,
        spent_ms=row["spent_ms"] or 0,
        timed=row["timed"],
        learners=row["learners"],
        last_at=row["last_at"],
    )
