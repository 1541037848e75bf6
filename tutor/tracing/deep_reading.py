"""What a pass of the deep tracer needs of some learners, read with a few queries."""

import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import F, FilteredRelation, Q

from tutor.responses import columns as response_columns
from tutor.responses.columns import FoldColumns
from tutor.responses.models import Response
from tutor.tracing.engine import TracedLearner
from tutor.tracing.models import DeepState, LearnerState


@dataclass(frozen=True, slots=True)
class Place:
    """How far a fold has come: the last answer, and how many there were."""

    last_answered_at: dt.datetime
    last_response_id: int
    n_responses: int


@dataclass(frozen=True, slots=True)
class Behind:
    """A learner before a pass.

    Attributes:
        learner_id: who.
        packed: the network's state as stored; None to begin anew.
        place: how far that state has come.
        live: the filter's state, with `live_place`; None for a learner without one.
    """

    learner_id: int
    packed: bytes | None
    place: Place | None
    live: TracedLearner | None
    live_place: Place | None


def count_to_read(
    *, course_id: int, tracer_id: int, learner_ids: Collection[int], anew: Collection[int]
) -> dict[int, int]:
    """Return learner id -> about how many answers a pass has to read of them, at least 1.

    The whole history of whoever begins anew; of others just a few.
    """
    begun = DeepState.objects.filter(tracer=tracer_id, learner__in=set(learner_ids) - set(anew))
    known = set(begun.values_list("learner", flat=True))
    whole = sorted(set(learner_ids) - known)
    counted = {}
    if whole:
        counted = response_columns.count_standing(course_id=course_id, learner_ids=whole)
    return {pk: max(counted.get(pk, 1), 1) for pk in sorted(learner_ids)}


def read_learners(
    *, tracer_id: int, learner_ids: Collection[int], anew: Collection[int]
) -> list[Behind]:
    """Return where the learners stand, ascending; those of `anew` as if never folded."""
    kept = set(learner_ids) - set(anew)
    columns = ("last_answered_at", "last_response_id", "n_responses")
    deep = {
        pk: (bytes(raw), Place(*place))
        for pk, raw, *place in DeepState.objects.filter(
            tracer=tracer_id, learner__in=kept
        ).values_list("learner", "state", *columns)
    }
    live = {
        pk: (TracedLearner.from_bytes(bytes(raw)), Place(*place))
        for pk, raw, *place in LearnerState.objects.filter(
            tracer=tracer_id, learner__in=learner_ids, stale_since__isnull=True
        ).values_list("learner", "state", *columns)
        if place[0] is not None
    }
    nothing = (None, None)
    return [
        Behind(pk, *deep.get(pk, nothing), *live.get(pk, nothing)) for pk in sorted(learner_ids)
    ]


def read_unseen(
    *, course_id: int, tracer_id: int, behind: Sequence[Behind]
) -> tuple[FoldColumns, FoldColumns]:
    """Return the answers still to be folded: (of those begun, of those to begin anew).

    Of those begun the last answer that was folded comes first: what follows is timed from it.
    """
    begun = [one.learner_id for one in behind if one.packed is not None]
    anew = [one.learner_id for one in behind if one.packed is None]
    return (
        _read_from_place(course_id, tracer_id, begun),
        response_columns.read_columns(course_id=course_id, learner_ids=anew),
    )


def _read_from_place(course_id: int, tracer_id: int, learner_ids: Sequence[int]) -> FoldColumns:
    # One range of the log's index per learner, however long the history before it.
    own = FilteredRelation(
        "learner__deep_states", condition=Q(learner__deep_states__tracer=tracer_id)
    )
    ids = (
        Response.objects.annotate(own=own)
        .filter(
            course=course_id,
            learner__in=learner_ids,
            answered_at__gte=F("own__last_answered_at"),
        )
        .filter(
            Q(answered_at__gt=F("own__last_answered_at")) | Q(pk__gte=F("own__last_response_id"))
        )
    )
    return response_columns.read_rows(rows=ids)


def split(columns: FoldColumns) -> dict[int, slice]:
    """Return learner id -> where their answers stand."""
    bounds = itertools.pairwise(columns.starts.tolist())
    return {int(columns.learner_id[first]): slice(first, last) for first, last in bounds}


def join(one: FoldColumns, other: FoldColumns) -> FoldColumns:
    """Return the answers of both, learner after learner; no learner is in both."""
    order = np.argsort(np.concatenate([one.learner_id, other.learner_id]), kind="stable")
    return FoldColumns(
        *(
            np.concatenate([getattr(one, name), getattr(other, name)])[order]
            for name in FoldColumns.__dataclass_fields__
        )
    )
