"""Who is stuck on what: more of the same has not helped, and their teacher takes over."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from tutor.accounts.models import Learner
from tutor.scheduling import selectors
from tutor.scheduling.models import Decision, StuckRelease, concepts_of_stuck


@dataclass(frozen=True, slots=True)
class Waiting:
    """A learner who waits for their teacher on a concept, as their newest decision says.

    Attributes:
        learner_id, concept_id: who, and on what.
        decision: public id of that decision.
        at: when it was made.
    """

    learner_id: int
    concept_id: int
    decision: uuid.UUID
    at: dt.datetime


def list_waiting(*, course_id: int, learner_ids: Collection[int]) -> list[Waiting]:
    """Return who is stuck on what by their newest decision, the longest waiting first.

    Also those who still have something else to do; a release later than that decision counts.
    Two queries, each of a few index entries a learner: a class's decisions are as many as its
    answers, and a receipt is a few KB.
    """
    telling = selectors.list_telling(course_id=course_id).filter(learner=OuterRef("pk"))
    newest = Subquery(telling.order_by("-at", "-pk").values("pk")[:1])
    found = Learner.objects.filter(pk__in=learner_ids).annotate(newest=newest)
    ids = [pk for pk in found.values_list("newest", flat=True) if pk is not None]
    rows = Decision.objects.filter(pk__in=ids).order_by("at", "pk")
    columns = ("learner", "public_id", "at", "reason", "reason_facts", "receipt__stuck")
    waiting = [
        Waiting(learner, concept, public_id, at)
        for learner, public_id, at, reason, facts, told in rows.values_list(*columns)
        for concept in concepts_of_stuck(told=told, reason=reason, facts=facts)
    ]
    released = {
        (learner, concept): at
        for learner, concept, at in StuckRelease.objects.filter(
            learner__in={one.learner_id for one in waiting}, concept__course=course_id
        )
        .order_by("pk")
        .values_list("learner", "concept", "at")
    }
    return [
        one for one in waiting if released.get((one.learner_id, one.concept_id), one.at) <= one.at
    ]
