"""Estimates held against what learners answered, by class and concept.

Every decision keeps what the filter, the deep tracer and both together expected of the item given.
An answer counts here if it was the first to that showing, without help. What is compared is the
log loss: the deep tracer has earned its weight where filter and network together lose less than
the filter alone.
"""

import datetime as dt
import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
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
BINS = 10
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
    weight: Floats
    at: Floats
    tracer_id: Ints

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self.credit)

    def only(self, keep: npt.NDArray[np.bool_]) -> "Outcomes":
        """Return the answers where `keep` (R,) is true."""
        return Outcomes(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Score:
    """How well chances were stated, on the same answers.

    Attributes:
        n: answers, of `learners`.
        live, deep, pooled: mean log loss of each, nats.
        difference: of pooled less live: below 0 the network helps.
        error: its standard error, learners drawn as a whole; nan for fewer than two.
    """

    n: int
    learners: int
    live: float
    deep: float
    pooled: float
    difference: float
    error: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same stated chance: how many, what was stated, what came."""

    low: float
    high: float
    n: int
    expected: float
    right: float


# A row of them, as the database has it.
_ROW = np.dtype(
    [(name, np.int64) for name in ("learner", "version", "tracer")]
    + [(name, np.float64) for name in ("credit", "expected", "live", "deep", "weight", "at")]
)


def read_outcomes(
    *,
    course_id: int,
    since: dt.datetime,
    learner_ids: Collection[int] | None = None,
    tracer_ids: Collection[int] | None = None,
) -> Outcomes:
    """Return answers since then to items with stated chances.

    Args:
        learner_ids: whose; None: everybody's.
        course_id: the course.
        since: when the item was given, at the earliest.
        tracer_ids: only choices under one of these versions.
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
    if learner_ids is not None:
        rows = rows.filter(learner__in=learner_ids)
    if tracer_ids is not None:
        rows = rows.filter(tracer__in=tracer_ids)
    told = rows.annotate(credit=Subquery(first.values("credit")[:1])).filter(credit__isnull=False)
    columns = told.values_list(
        *("learner", "item_version", "tracer", "credit", "expected", "expected_live"),
        *("expected_deep", "prediction_weight", "at"),
    )
    # 72 bytes a row: a course has many.
    found = np.fromiter(map(_in_numbers, columns.iterator(chunk_size=2000)), dtype=_ROW)
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
        weight=weight,
        at=found["at"],
        tracer_id=found["tracer"],
    )


def _in_numbers(row: tuple[Any, ...]) -> tuple[Any, ...]:
    learner, version, tracer, *told, at = row
    floats = (math.nan if value is None else value for value in told)
    return (learner, version, -1 if tracer is None else tracer, *floats, at.timestamp())


def score(outcomes: Outcomes) -> Score | None:
    """Return how well the estimates did where the network had a say; None where it never had.

    Without weight both are the filter's, and their difference of 0 is no evidence for anything.
    """
    own = outcomes.only(np.isfinite(outcomes.deep) & (outcomes.weight > 0.0))
    if not len(own):
        return None
    losses = [log_losses(prob, own.credit) for prob in (own.live, own.deep, own.pooled)]
    live, _, pooled = losses
    difference, error = clustered_mean(pooled - live, own.learner_id)
    return Score(
        n=len(own),
        learners=len(np.unique(own.learner_id)),
        **dict(zip(("live", "deep", "pooled"), (float(x.mean()) for x in losses), strict=True)),
        difference=difference,
        error=error,
    )


def score_by_concept(outcomes: Outcomes) -> dict[int, Score]:
    """Return concept id -> score, for the concepts of which the network had a say."""
    found = {
        pk: score(outcomes.only(outcomes.concept_id == pk))
        for pk in np.unique(outcomes.concept_id).tolist()
    }
    return {pk: own for pk, own in found.items() if own is not None}


def calibrate(outcomes: Outcomes, *, bins: int = BINS) -> list[Bin]:
    """Return the stated chances that counted, in bins of equal width, beside what came."""
    place = np.minimum((outcomes.expected * bins).astype(int), bins - 1)
    return list(_bins(outcomes, place, bins))


def _bins(outcomes: Outcomes, place: Ints, bins: int) -> Iterator[Bin]:
    for number in range(bins):
        own = place == number
        if own.any():
            yield Bin(
                low=number / bins,
                high=(number + 1) / bins,
                n=int(own.sum()),
                expected=float(outcomes.expected[own].mean()),
                right=float(outcomes.credit[own].mean()),
            )


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


def clustered_mean(values: Floats, cluster: Ints | Sequence[int]) -> tuple[float, float]:
    """Return the mean of values and its standard error, clusters drawn as a whole.

    The sandwich of a mean (Liang & Zeger, 1986, doi 10.1093/biomet/73.1.13) with the usual factor
    G / (G - 1) for G clusters; nan for fewer than two.
    """
    mean = float(values.mean())
    _, place = np.unique(cluster, return_inverse=True)
    sums = np.bincount(place, weights=values - mean)
    clusters = len(sums)
    if clusters < 2:
        return mean, float("nan")
    spread = float(sums @ sums) * clusters / (clusters - 1)
    return mean, float(np.sqrt(spread)) / len(values)


def _logit(prob: Floats) -> Floats:
    inside = np.clip(prob, 1e-9, 1.0 - 1e-9)
    return np.log(inside) - np.log1p(-inside)


def _sigmoid(x: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
