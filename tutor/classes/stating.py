"""Writes of what teachers say of learners: they know a concept, or not yet, and taking it back."""

from django.db import transaction

from tutor.accounts.models import Learner
from tutor.classes import stated
from tutor.classes.errors import OverrideTakenBack, OverrideUnusable
from tutor.classes.models import Classroom, StatedMastery
from tutor.classes.overriding import (
    REPLACED,
    By,
    check_learners,
    clean_reason,
    lock_class,
    note,
)
from tutor.content import services as content_services
from tutor.content.models import Concept


@transaction.atomic
def state_mastery(
    *, classroom: Classroom, learner: Learner, concept: Concept, is_known: bool, by: By
) -> StatedMastery:
    """Say that a learner knows a concept, or does not know it yet; it holds until taken back.

    It takes the place of what was said before of the two, in whichever class. The estimate goes on
    beside it, and an award is neither given nor taken.

    Raises:
        OverrideUnusable: the class's course has no such concept, or no reason is given.
        NotVisible: the learner is not in the class.
    """
    lock_class(classroom)
    # Two classes of a course may say something of the same learner at once.
    content_services.lock_course(course=classroom.course)
    check_learners(classroom, [learner])
    if concept.course_id != classroom.course_id:
        raise OverrideUnusable("That is a topic of another course.", field="concept")
    reason = clean_reason(by.reason)
    if not reason:
        raise OverrideUnusable("Say why: it stands beside the estimate.", field="reason")
    before = list(stated.list_in_force().filter(learner=learner, concept=concept).order_by("pk"))
    if before and _is_same(before[-1], classroom, is_known=is_known, reason=reason):
        return before[-1]
    content_services.raise_revision(course=classroom.course)
    for old in before:
        _undo(old, classroom, by=By(by.actor, by.at, REPLACED))
    row = StatedMastery.objects.create(
        classroom=classroom,
        learner=learner,
        concept=concept,
        is_known=is_known,
        revision=classroom.course.revision,
        at=by.at,
        set_by=by.actor,
        reason=reason,
    )
    note(row, "mastery.stated", classroom, by)
    return row


@transaction.atomic
def take_back(*, classroom: Classroom, learner: Learner, stated_id: int, by: By) -> StatedMastery:
    """Undo what was said of a learner of the class; undone already, that row is returned.

    Whichever of the learner's classes of the course it was said in: there is one word on the two.

    Raises:
        OverrideTakenBack: nothing of the kind was said.
    """
    lock_class(classroom)
    content_services.lock_course(course=classroom.course)
    row = StatedMastery.objects.filter(
        learner=learner, concept__course=classroom.course_id, pk=stated_id, reverts=None
    ).first()
    if row is None:
        raise OverrideTakenBack("Nothing of the kind was said of this learner.", stated=stated_id)
    undone = StatedMastery.objects.filter(reverts=row).first()
    if undone is not None:
        return undone
    content_services.raise_revision(course=classroom.course)
    found = _undo(row, classroom, by=by)
    note(found, "mastery.taken-back", classroom, by)
    return found


def _is_same(row: StatedMastery, classroom: Classroom, *, is_known: bool, reason: str) -> bool:
    return (row.classroom_id, row.is_known, row.reason) == (classroom.pk, is_known, reason)


def _undo(old: StatedMastery, classroom: Classroom, *, by: By) -> StatedMastery:
    return StatedMastery.objects.create(
        classroom=classroom,
        learner_id=old.learner_id,
        concept_id=old.concept_id,
        is_known=old.is_known,
        revision=classroom.course.revision,
        at=by.at,
        set_by=by.actor,
        reason=clean_reason(by.reason),
        reverts=old,
    )
