"""Reads of the log, always in fold order: (answered_at, id)."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from django.db.models import Exists, Max, OuterRef, QuerySet

from tutor.accounts.models import Learner
from tutor.common.prepared import Prepared, slot
from tutor.responses.models import HintRequest, Response

FOLD_ORDER = ("answered_at", "id")
FOLD_COLUMNS = (
    "pk",
    "learner",
    "item_version",
    "item_version__item",
    "credit",
    "attempt",
    "hints_seen",
    "answered_at",
    "is_pilot",
)


class FoldRow(NamedTuple):
    """What a tracer needs to know of one answer."""

    id: int
    learner_id: int
    version_id: int
    item_id: int
    credit: float
    attempt: int
    hints_seen: int
    answered_at: dt.datetime
    # Given while the item was tried out; last, because most rows are not.
    is_pilot: bool = False


def list_standing(*, course_id: int) -> QuerySet[Response]:
    """Return the responses of a course that no later correction replaces."""
    corrected = Response.objects.filter(corrects=OuterRef("pk"))
    return Response.objects.filter(~Exists(corrected), course=course_id)


def iterate_fold_rows(
    *, course_id: int, learner_ids: Sequence[int] | None = None
) -> Iterator[FoldRow]:
    """Yield the standing answers by learner, each learner's in fold order."""
    rows = list_standing(course_id=course_id)
    if learner_ids is not None:
        rows = rows.filter(learner__in=learner_ids)
    values = rows.order_by("learner", *FOLD_ORDER).values_list(*FOLD_COLUMNS)
    yield from map(FoldRow._make, values.iterator(chunk_size=5000))


def list_fold_rows_then(*, course_id: int, learner_id: int, at: dt.datetime) -> list[FoldRow]:
    """Return a learner's answers as they stood at `at`, in fold order: without what came later."""
    replaced = Response.objects.filter(corrects=OuterRef("pk"), received_at__lte=at)
    rows = Response.objects.filter(
        ~Exists(replaced), course=course_id, learner=learner_id, received_at__lte=at
    )
    return list(map(FoldRow._make, rows.order_by(*FOLD_ORDER).values_list(*FOLD_COLUMNS)))


def list_fold_rows_on(
    *, course_id: int, learner_id: int, concept_ids: Collection[int], since: dt.datetime | None
) -> list[tuple[int, FoldRow]]:
    """Return (concept id, row) of a learner's standing answers on some concepts, in fold order.

    Args:
        course_id, learner_id: whose, and of which course.
        concept_ids: an answer on two of them comes twice.
        since: only answers given later than that.
    """
    rows = list_standing(course_id=course_id).filter(
        learner=learner_id, item_version__concept_links__concept__in=concept_ids
    )
    if since is not None:
        rows = rows.filter(answered_at__gt=since)
    found = rows.order_by(*FOLD_ORDER).values_list(
        "item_version__concept_links__concept", *FOLD_COLUMNS
    )
    return [(concept, FoldRow._make(row)) for concept, *row in found]


def list_first_tries(
    *, learner_id: int, course_id: int, since: float, before: float
) -> list[tuple[int, float]]:
    """Return (item id, when) of the first answers to showings within a span, in fold order.

    All times are epoch seconds, `before` is left out.
    """
    span = [dt.datetime.fromtimestamp(moment, tz=dt.UTC) for moment in (since, before)]
    rows = list_standing(course_id=course_id).filter(
        learner=learner_id, attempt=1, answered_at__gte=span[0], answered_at__lt=span[1]
    )
    found = rows.order_by(*FOLD_ORDER).values_list("item_version__item", "answered_at")
    return [(item, moment.timestamp()) for item, moment in found]


def count_standing(*, course_id: int) -> int:
    """Return how many answers of the course count."""
    return list_standing(course_id=course_id).count()


def list_imported(*, course_id: int) -> QuerySet[Learner]:
    """Return the learners of other systems' logs who have answers in the course."""
    answered = Response.objects.filter(learner=OuterRef("pk"), course=course_id)
    return Learner.objects.exclude(source_key="").filter(Exists(answered))


def get_newest_id(*, course_id: int) -> int:
    """Return the id of the newest row of the course, 0 where there is none."""
    newest = Response.objects.filter(course=course_id).order_by("-pk").values_list("pk", flat=True)
    return newest.first() or 0


def list_newest_ids(*, course_id: int, learner_ids: Collection[int]) -> dict[int, int]:
    """Return learner id -> the id of their newest row in the course, for those who have any."""
    rows = Response.objects.filter(course=course_id, learner__in=learner_ids)
    newest = rows.order_by().values("learner").annotate(newest=Max("pk"))
    return dict(newest.values_list("learner", "newest"))


def list_learners_since(*, course_id: int, response_id: int) -> list[int]:
    """Return the learners with rows of a later id, corrections too, in order of their ids."""
    rows = Response.objects.filter(course=course_id, pk__gt=response_id)
    return list(rows.order_by("learner").values_list("learner", flat=True).distinct())


def list_for_presentation(*, learner_id: int, presentation: uuid.UUID) -> list[Response]:
    """Return the answers to one showing of an item, first attempt first."""
    rows = _FOR_PRESENTATION.all(presentation=presentation)
    return [row for row in rows if row.learner_id == learner_id and row.corrects_id is None]


def map_for_presentations(
    *, presentations: Collection[uuid.UUID]
) -> dict[tuple[int, uuid.UUID], list[Response]]:
    """Return (learner id, showing) -> the answers to it, first attempt first, in one query."""
    rows = Response.objects.filter(presentation__in=presentations).order_by("attempt", "pk")
    found: dict[tuple[int, uuid.UUID], list[Response]] = {}
    for row in rows:
        if row.presentation is not None and row.corrects_id is None:
            found.setdefault((row.learner_id, row.presentation), []).append(row)
    return found


def count_hints(*, presentation: uuid.UUID) -> int:
    """Return how many rungs of the hint ladder were opened."""
    return len(_HINTS.all(presentation=presentation))


# The presentation alone: SQLite takes "corrects is NULL" for the rarer of two conditions and would
# read the whole log.
_FOR_PRESENTATION = Prepared(
    lambda: Response.objects.filter(presentation=slot("presentation", Response)).order_by("attempt")
)
_HINTS = Prepared(
    lambda: HintRequest.objects.filter(presentation=slot("presentation", HintRequest)).only("level")
)


def get_hint(*, presentation: uuid.UUID, level: int) -> HintRequest:
    """Return the opening of a rung that is known to be open."""
    return HintRequest.objects.get(presentation=presentation, level=level)
