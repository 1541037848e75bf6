"""Sums over the answers of some learners, made by the database: how many, how right, how long.

Each reads the rows of its learners within its dates once, by the index of a learner's history, or
those of its items, and takes as many queries for any number of learners.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from django.db.models import Count, F, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Least, TruncDate

from tutor.content.models import ItemVersion, ItemVersionConcept
from tutor.responses.models import Response

# Of an answer that took longer only so much is counted: nobody knows who was still at it.
LONGEST_MS = 300_000
CONCEPT = "item_version__concept_links__concept"
ITEM = "item_version__item"

Key = TypeVar("Key", bound=Hashable)
Other = TypeVar("Other", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose answers are meant: some learners' in a course, from `since` until before `until`.

    `concept_id` narrows them to the answers on one concept, `concept_ids` to those on any of some,
    `item_id` to those to one item.
    """

    course_id: int
    learner_ids: tuple[int, ...]
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    concept_id: int | None = None
    item_id: int | None = None
    concept_ids: frozenset[int] | None = None


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
# The columns of `Sums.values`.
NUMBERS = ("answers", "right", "helped", "hints", "spent_ms", "timed")


@dataclass(frozen=True, slots=True, eq=False)
class Sums(Generic[Key]):
    """N rows of sums, one for each learner and key: a day, a concept or an item.

    Attributes:
        learners: (N,) learner ids.
        keys: (N,).
        values: (N, 6) in the order of `NUMBERS`.
        last_at: (N,) when the newest answer was given.
    """

    learners: list[int]
    keys: list[Key]
    values: npt.NDArray[np.int64]
    last_at: list[dt.datetime]

    def by_learner(self) -> dict[int, Tally]:
        """Return learner id -> sums over all keys, for those who have answered."""
        return self._by(self.learners)

    def by_key(self) -> dict[Key, Tally]:
        """Return key -> sums over all learners."""
        return self._by(self.keys)

    def whole(self) -> Tally:
        """Return the sums over everything; of concepts an answer may be in several."""
        return self._by([0] * len(self.keys)).get(0, NOTHING)

    def count_keys(self) -> dict[int, int]:
        """Return learner id -> how many keys they have: on how many days they answered, say."""
        return dict(Counter(self.learners))

    def under(self, to_key: Callable[[Key], Other]) -> "Sums[Other]":
        """Return the sums by a coarser key, such as weeks instead of days."""
        pairs = [(learner, to_key(key)) for learner, key in zip(*self._heads, strict=True)]
        codes, found = _encode(pairs)
        return Sums(
            learners=[learner for learner, _ in found],
            keys=[key for _, key in found],
            values=_add(self.values, codes, len(found)),
            last_at=_newest(self.last_at, codes, len(found)),
        )

    @property
    def _heads(self) -> tuple[list[int], list[Key]]:
        return self.learners, self.keys

    def _by(self, heads: list[Other]) -> dict[Other, Tally]:
        codes, found = _encode(heads)
        values = _add(self.values, codes, len(found)).tolist()
        last_at = _newest(self.last_at, codes, len(found))
        who: list[set[int]] = [set() for _ in found]
        for code, learner in zip(codes, self.learners, strict=True):
            who[code].add(learner)
        return {
            head: Tally(*row, learners=len(own), last_at=at)
            for head, row, own, at in zip(found, values, who, last_at, strict=True)
        }


def _encode(heads: list[Other]) -> tuple[list[int], list[Other]]:
    """Return the place of each head among the different ones, and these."""
    places: dict[Other, int] = {}
    codes = [places.setdefault(head, len(places)) for head in heads]
    return codes, list(places)


def _add(values: npt.NDArray[np.int64], codes: list[int], size: int) -> npt.NDArray[np.int64]:
    total = np.zeros((size, len(NUMBERS)), dtype=np.int64)
    np.add.at(total, np.array(codes, dtype=np.int64), values)
    return total


def _newest(moments: list[dt.datetime], codes: list[int], size: int) -> list[dt.datetime]:
    newest: list[Any] = [None] * size
    for code, moment in zip(codes, moments, strict=True):
        if newest[code] is None or moment > newest[code]:
            newest[code] = moment
    return newest


def sum_by_day(scope: Scope) -> Sums[dt.date]:
    """Return the sums by learner and day, by the calendar of the time zone in force."""
    return _sums(scope, TruncDate("answered_at"))


def sum_by_concept(scope: Scope) -> Sums[int]:
    """Return the sums by learner and concept id; an answer on two concepts is in both."""
    return _sums(scope, F(CONCEPT))


def sum_by_item(scope: Scope) -> Sums[int]:
    """Return the sums by learner and item id, over all of an item's versions."""
    return _sums(scope, F(ITEM))


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
    """Return the wrong first tries of the scope, alike ones of a learner together.

    They stand by version, seed, answer and learner, in the same order in every database.
    """
    rows = list_standing_in(scope).filter(attempt=1, is_correct=False)
    columns = ("item_version", "seed", "answer", "misconception", "learner")
    found = rows.order_by().values(*columns).annotate(n=Count("pk"))
    rows_found = (WrongAnswer(*row) for row in found.values_list(*columns, "n"))
    # Not by the database: each orders JSON in a way of its own.
    return sorted(rows_found, key=_place_of)


def _place_of(row: WrongAnswer) -> tuple[Any, ...]:
    answer = json.dumps(row.answer, sort_keys=True)
    return (row.version_id, row.seed, answer, row.learner_id, row.misconception)


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
    # By the ids of the versions, so that the database knows how few rows that leaves.
    if scope.concept_id is not None:
        links = ItemVersionConcept.objects.filter(concept=scope.concept_id)
        rows = rows.filter(item_version__in=list(links.values_list("version", flat=True)))
    if scope.concept_ids is not None:
        links = ItemVersionConcept.objects.filter(concept__in=scope.concept_ids)
        versions_on = links.values_list("version", flat=True).distinct()
        rows = rows.filter(item_version__in=list(versions_on))
    if scope.item_id is not None:
        versions = ItemVersion.objects.filter(item=scope.item_id)
        rows = rows.filter(item_version__in=list(versions.values_list("pk", flat=True)))
    return rows


def _sums(scope: Scope, key: Any) -> Sums[Any]:
    first = Q(attempt=1)
    rows = (
        list_standing_in(scope)
        .order_by()
        .annotate(key=key)
        .values("learner", "key")
        .annotate(
            answers=Count("pk", filter=first),
            right=Count("pk", filter=first & Q(is_correct=True, hints_seen=0)),
            helped=Count("pk", filter=first & Q(hints_seen__gt=0)),
            hints=Coalesce(Sum("hints_seen", filter=first), 0),
            # PostgreSQL's LEAST leaves unknown times out of account, and so would count the most.
            spent_ms=Coalesce(
                Sum(Least("elapsed_ms", Value(LONGEST_MS)), filter=Q(elapsed_ms__isnull=False)), 0
            ),
            timed=Count("elapsed_ms"),
            last_at=Max("answered_at"),
        )
        .values_list("learner", "key", "last_at", *NUMBERS)
    )
    found = list(rows)
    return Sums(
        learners=[row[0] for row in found],
        keys=[row[1] for row in found],
        values=np.array([row[3:] for row in found], dtype=np.int64).reshape(-1, len(NUMBERS)),
        last_at=[row[2] for row in found],
    )
