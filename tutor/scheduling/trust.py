"""Estimates held against what learners answered, by class and concept.

Every decision keeps what the filter, the deep tracer and both together expected of the item given.
An answer counts here if it was the first to that showing, without help. What is made of them stands
in `scoring` and `calibrating`.
"""

import datetime as dt
import math
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery

from tutor.classes.models import Classroom
from tutor.content import selectors as content_selectors
from tutor.responses.models import Response
from tutor.scheduling.models import Decision
from tutor.tracing.deep import Rung

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOOKS_BACK = dt.timedelta(days=30)
# Chances nearer to 0 or 1 than that cost no more.
EDGE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Answers to items of which chances were stated before; R of them.

    Attributes:
        learner_id: (R,)
        concept_id: (R,) the item's main concept.
        credit: (R,) 0..1.
        expected: (R,) chance that counted.
        live: (R,) the filter's.
        deep: (R,) the network's alone; nan where there was no prediction.
        pooled: (R,) both, also where the network was not trusted; nan likewise.
        difficulty: (R,) of a learner of whom nothing is known; nan where it was not kept.
        weight: (R,) of the network's shift in `pooled`: 0 where it had nothing to say of the item,
            or too old a thing to count; nan where there was no prediction.
        at: (R,) when the item was given, epoch seconds.
        tracer_id: (R,) version that the choice was made under, -1 for none.
    """

    learner_id: Ints
    concept_id: Ints
    credit: Floats
    expected: Floats
    live: Floats
    deep: Floats
    pooled: Floats
    difficulty: Floats
    weight: Floats
    at: Floats
    tracer_id: Ints

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self.credit)

    def only(self, keep: npt.NDArray[np.bool_] | Ints) -> "Outcomes":
        """Return the answers where `keep` (R,) is true, or those in the rows that it names."""
        return Outcomes(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


# A row of them, as the database has it.
_ROW = np.dtype(
    [(name, np.int64) for name in ("learner", "version", "tracer")]
    + [
        (name, np.float64)
        for name in ("credit", "expected", "live", "deep", "difficulty", "weight", "at")
    ]
)
# Read at once: a course of a million answers a month is never held as a whole.
CHUNK = 20_000


def read_outcomes(
    *,
    course_id: int,
    since: dt.datetime,
    learner_ids: Collection[int] | None = None,
    tracer_ids: Collection[int] | None = None,
) -> Outcomes:
    """Return answers since then to items with stated chances: of a class; 88 bytes each.

    Args:
        learner_ids: whose; None: everybody's.
        course_id: the course.
        since: when the item was given, at the earliest.
        tracer_ids: only choices under one of these versions.
    """
    chunks = list(
        iterate_outcomes(
            course_id=course_id, since=since, learner_ids=learner_ids, tracer_ids=tracer_ids
        )
    )
    names = Outcomes.__dataclass_fields__
    return Outcomes(*(np.concatenate([getattr(one, name) for one in chunks]) for name in names))


def iterate_outcomes(
    *,
    course_id: int,
    since: dt.datetime,
    until: dt.datetime | None = None,
    learner_ids: Collection[int] | None = None,
    tracer_ids: Collection[int] | None = None,
) -> Iterator[Outcomes]:
    """Yield the same in pieces of `CHUNK` at most, in no order; one at least, be it empty.

    `until`: when the item was given, at the latest; None: whenever.
    """
    corrected = Response.objects.filter(corrects=OuterRef("pk"))
    first = Response.objects.filter(
        ~Exists(corrected),
        presentation=OuterRef("public_id"),
        attempt=1,
        corrects__isnull=True,
        hints_seen=0,
    )
    rows = Decision.objects.filter(course=course_id, at__gte=since, expected__isnull=False)
    if until is not None:
        rows = rows.filter(at__lte=until)
    if learner_ids is not None:
        rows = rows.filter(learner__in=learner_ids)
    if tracer_ids is not None:
        rows = rows.filter(tracer__in=tracer_ids)
    # Those without an answer are dropped below: to ask for others here would look twice at each.
    told = rows.annotate(credit=Subquery(first.values("credit")[:1]))
    columns = told.values_list(
        *("learner", "item_version", "tracer", "credit", "expected", "expected_live"),
        *("expected_deep", "expected_difficulty", "prediction_weight", "at"),
    )
    # No order of rows is asked for: there is nothing to sort.
    read = map(_in_numbers, columns.order_by().iterator(chunk_size=2000))
    is_first = True
    while True:
        found = np.fromiter(islice(read, CHUNK), dtype=_ROW)
        if len(found) or is_first:
            yield _outcomes_of(found)
        if len(found) < CHUNK:
            return
        is_first = False


def _outcomes_of(found: npt.NDArray[np.void]) -> Outcomes:
    found = found[np.isfinite(found["credit"])]
    versions, place = np.unique(found["version"], return_inverse=True)
    main = [content_selectors.get_concepts_of_version(version_id=pk)[0] for pk in versions.tolist()]
    live, deep, weight = found["live"], found["deep"], found["weight"]
    return Outcomes(
        learner_id=found["learner"],
        concept_id=np.array(main, dtype=np.int64)[place],
        credit=found["credit"],
        expected=found["expected"],
        live=live,
        deep=deep,
        pooled=_sigmoid(_logit(live) + weight * (_logit(deep) - _logit(live))),
        difficulty=found["difficulty"],
        weight=weight,
        at=found["at"],
        tracer_id=found["tracer"],
    )


def _in_numbers(row: tuple[Any, ...]) -> tuple[Any, ...]:
    learner, version, tracer, *told, at = row
    floats = (math.nan if value is None else value for value in told)
    return (learner, version, -1 if tracer is None else tracer, *floats, at.timestamp())


@dataclass(frozen=True, slots=True)
class Freshness:
    """The predictions that choices from one rung stood on: their medians.

    Attributes:
        age_s: seconds from the prediction to the choice.
        lag: answers that it had not seen.
    """

    age_s: float
    lag: float


def measure_freshness(*, classroom: Classroom, since: dt.datetime) -> dict[str, Freshness]:
    """Return by rung how old the predictions were that a class's items were chosen from."""
    rows = _chosen(classroom, since).filter(
        rung__in=[Rung.DEEP, Rung.STALE], prediction__isnull=False
    )
    found: dict[str, list[tuple[float, int]]] = {}
    for rung, at, made_at, lag in rows.values_list(
        "rung", "at", "prediction__made_at", "prediction_lag"
    ).iterator(chunk_size=2000):
        found.setdefault(rung, []).append(((at - made_at).total_seconds(), lag))
    medians = {rung: np.median(np.array(own), axis=0) for rung, own in found.items()}
    return {
        rung: Freshness(max(float(age), 0.0), float(lag)) for rung, (age, lag) in medians.items()
    }


def count_rungs(*, classroom: Classroom, since: dt.datetime) -> Counter[str]:
    """Return by rung how many of a class's items were chosen from it since then."""
    rows = _chosen(classroom, since)
    return Counter(dict(rows.values_list("rung").annotate(n=Count("pk")).order_by()))


def _chosen(classroom: Classroom, since: dt.datetime) -> QuerySet[Decision]:
    return Decision.objects.filter(
        learner__enrolments__classroom=classroom,
        course=classroom.course_id,
        at__gte=since,
        item_version__isnull=False,
    )


def count_newest_rungs(*, since: dt.datetime, most: int = 5000) -> Counter[str]:
    """Return by rung how many items were chosen since then, whoever's, among the `most` newest.

    They are read by key from the newest on: no table of any size makes this slow.
    """
    newest = Decision.objects.order_by("-pk").values_list("rung", "at", "item_version")[:most]
    return Counter(rung for rung, at, item in newest if at >= since and item is not None)


def log_losses(prob: Floats, credit: Floats) -> Floats:
    """Return (R,) -credit log p - (1 - credit) log(1 - p), nats."""
    inside = np.clip(prob, EDGE, 1.0 - EDGE)
    return np.asarray(-credit * np.log(inside) - (1.0 - credit) * np.log1p(-inside))


def _logit(prob: Floats) -> Floats:
    inside = np.clip(prob, 1e-9, 1.0 - 1e-9)
    return np.log(inside) - np.log1p(-inside)


def _sigmoid(x: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
