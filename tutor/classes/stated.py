"""What teachers say that learners know, or not yet: read once per revision of the course."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from tutor.classes.models import StatedMastery
from tutor.common.cache import new_cache

_stated = new_cache(capacity=64)


@dataclass(frozen=True, slots=True)
class Stated:
    """A teacher's word on a learner and a concept; `since` is in epoch seconds."""

    is_known: bool
    since: float


Of = Mapping[int, Stated]
_NOTHING: Of = {}


def read(*, course_id: int, revision: int) -> Mapping[int, Of]:
    """Return learner id -> concept id -> what was said, as of a revision of the course."""
    return _stated.get((course_id, revision), lambda: _read(course_id, revision))


def of(*, learner_id: int, course_id: int, revision: int) -> Of:
    """Return concept id -> what was said of a learner; no query once the revision was read."""
    return read(course_id=course_id, revision=revision).get(learner_id, _NOTHING)


def _read(course_id: int, revision: int) -> dict[int, dict[int, Stated]]:
    rows = list_in_force(revision=revision).filter(concept__course=course_id)
    found: dict[int, dict[int, Stated]] = {}
    # The newest of a learner and concept, whichever class it was said in.
    for learner, concept, is_known, at in rows.order_by("pk").values_list(
        "learner", "concept", "is_known", "at"
    ):
        found.setdefault(learner, {})[concept] = Stated(is_known, at.timestamp())
    return found


def list_in_force(*, revision: int | None = None) -> QuerySet[StatedMastery]:
    """Return what was said and not taken back, as of a revision or now."""
    rows = StatedMastery.objects.filter(reverts=None)
    if revision is None:
        return rows.filter(reverted_by=None)
    still = Q(reverted_by=None) | Q(reverted_by__revision__gt=revision)
    return rows.filter(still, revision__lte=revision)


def list_history(*, classroom_id: int, learner_id: int, most: int) -> Sequence[StatedMastery]:
    """Return what a class's teachers said of a learner and took back, newest first."""
    rows = StatedMastery.objects.filter(classroom=classroom_id, learner=learner_id)
    return list(rows.select_related("concept", "set_by").order_by("-pk")[:most])
