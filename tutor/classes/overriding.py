"""Writes of what teachers decide otherwise: another date, an excuse, and taking either back.

Every decision and every undoing is a row with who, when and why. Sent twice it is stored once: what
is in force already with the same words is found and left alone.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from tutor.accounts import services as account_services
from tutor.accounts.models import Learner, User
from tutor.classes import selectors, terms
from tutor.classes.errors import OverrideTakenBack, OverrideUnusable
from tutor.classes.models import Assignment, AssignmentOverride, Classroom, Override
from tutor.content import services as content_services
from tutor.content.models import Concept

Kind = AssignmentOverride.Kind
LONGEST_REASON = 200
# Of what comes later, not every time zone can tell the day.
LAST_YEAR = 2999
REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class By:
    """Who decides, when and why."""

    actor: User | None
    at: dt.datetime
    reason: str = ""


@transaction.atomic
def set_date(
    *,
    assignment: Assignment,
    learners: Iterable[Learner],
    until: dt.datetime | None,
    by: By,
) -> list[AssignmentOverride]:
    """Give learners, or where none is named the class, longer; what was over is open again.

    It takes the place of an earlier date of the same learner, or of the class.

    Args:
        assignment: which.
        learners: of its class.
        until: the new end; None: no end, only where the time is over.
        by: who, when and why.

    Raises:
        OverrideUnusable: the date is over, or gives nobody more time.
        NotVisible: somebody named is not in the class.
    """
    classroom, whom = _lock(assignment, learners)
    if until is not None and (until <= by.at or until.year > LAST_YEAR):
        raise OverrideUnusable("Give a date and time that is still to come.", field="date")
    if assignment.due_at is None:
        raise OverrideUnusable("This assignment has no due date to change.", field="date")
    if until is not None and until <= assignment.due_at:
        raise OverrideUnusable("It is not due before that anyway: give a later date.", field="date")
    rows = []
    for learner in whom or [None]:
        now = _terms(assignment, learner)
        kind = Kind.REOPEN if now.is_closed(by.at) else Kind.EXTEND
        if kind is Kind.EXTEND and until is None:
            message = "Give the new due date: without one only what is over can be opened again."
            raise OverrideUnusable(message, field="date")
        rows.append(AssignmentOverride(kind=kind, learner=learner, until=until))
    return _store(classroom, assignment, rows, by=by)


@transaction.atomic
def excuse(
    *,
    assignment: Assignment,
    learners: Iterable[Learner],
    by: By,
    concept: Concept | None = None,
) -> list[AssignmentOverride]:
    """Excuse learners from an assignment, or from one of its concepts.

    Raises:
        OverrideUnusable: nobody is named, or the assignment does not ask for the concept.
        NotVisible: somebody named is not in the class.
    """
    classroom, whom = _lock(assignment, learners)
    if not whom:
        raise OverrideUnusable("Choose who is excused.", field="learners")
    if concept is not None:
        goal = selectors.get_goal_concepts(
            assignment=assignment, revision=classroom.course.revision
        )
        if concept.course_id != classroom.course_id or (goal and concept.pk not in goal):
            raise OverrideUnusable("The assignment does not ask for this topic.", field="concept")
    rows = [
        AssignmentOverride(kind=Kind.EXCUSE, learner=learner, concept=concept) for learner in whom
    ]
    return _store(classroom, assignment, rows, by=by)


@transaction.atomic
def take_back(*, classroom: Classroom, override_id: int, by: By) -> AssignmentOverride:
    """Undo one decision by a row of its own; undone already, that row is returned.

    Raises:
        OverrideTakenBack: the class has no such row, or it is an undoing itself.
    """
    lock_class(classroom)
    row = AssignmentOverride.objects.filter(classroom=classroom, pk=override_id).first()
    if row is None or row.reverts_id is not None:
        raise OverrideTakenBack("There is no such decision in this class.", override=override_id)
    undone = AssignmentOverride.objects.filter(reverts=row).first()
    if undone is not None:
        return undone
    content_services.raise_revision(course=classroom.course)
    found = _undo(row, classroom, by=by)
    note(found, "override.taken-back", classroom, by, kind=row.kind)
    return found


def lock_class(classroom: Classroom) -> None:
    """Make whoever decides in the class meanwhile wait, and bring its course up to date."""
    Classroom.objects.select_for_update().get(pk=classroom.pk)
    classroom.course.refresh_from_db()


def check_learners(classroom: Classroom, learners: Iterable[Learner]) -> list[Learner]:
    """Return the learners, each once, if all are in the class.

    Raises:
        NotVisible: one is not.
    """
    return [
        selectors.access_learner_of(classroom=classroom, pseudonym=learner.pseudonym)
        for learner in {one.pk: one for one in learners}.values()
    ]


def clean_reason(text: str) -> str:
    """Return a reason as it is kept: PostgreSQL keeps no NUL."""
    return text.replace("\x00", "").strip()[:LONGEST_REASON]


def note(row: Override, action: str, classroom: Classroom, by: By, **facts: Any) -> None:
    """Keep in the audit log that it was done; for whom and why stands in the row."""
    account_services.record_audit(
        at=by.at,
        action=action,
        organisation=classroom.organisation,
        actor=by.actor,
        subject=f"class {classroom.public_id}",
        facts={"override": row.pk, **facts},
    )


def _lock(assignment: Assignment, learners: Iterable[Learner]) -> tuple[Classroom, list[Learner]]:
    classroom = assignment.classroom
    lock_class(classroom)
    assignment.refresh_from_db(fields=["opens_at", "due_at"])
    return classroom, check_learners(classroom, learners)


def _terms(assignment: Assignment, learner: Learner | None) -> terms.Terms:
    # Nobody has the number 0: whoever is not named has what everybody has.
    return terms.find_for(assignment=assignment, learner_id=0 if learner is None else learner.pk)


def _store(
    classroom: Classroom,
    assignment: Assignment,
    rows: Sequence[AssignmentOverride],
    *,
    by: By,
) -> list[AssignmentOverride]:
    """Store what is not in force already, each in the place of what it replaces."""
    current = list(terms.list_in_force().filter(assignment=assignment))
    pairs = [(row, [old for old in current if _is_replaced(old, row)]) for row in rows]
    reason = clean_reason(by.reason)
    same = {
        id(row): old
        for row, olds in pairs
        for old in olds
        if old.until == row.until and old.reason == reason
    }
    if len(same) < len(rows):
        content_services.raise_revision(course=classroom.course)
    kept = []
    for row, olds in pairs:
        if id(row) in same:
            kept.append(same[id(row)])
            continue
        for old in olds:
            _undo(old, classroom, by=By(by.actor, by.at, REPLACED))
        row.classroom, row.assignment = classroom, assignment
        row.revision, row.at = classroom.course.revision, by.at
        row.set_by, row.reason = by.actor, reason
        row.save()
        note(row, "override.set", classroom, by, kind=row.kind)
        kept.append(row)
    return kept


def _is_replaced(old: AssignmentOverride, new: AssignmentOverride) -> bool:
    if old.learner_id != (new.learner.pk if new.learner else None):
        return False
    if new.kind in AssignmentOverride.DATES:
        return old.kind in AssignmentOverride.DATES
    return old.kind == new.kind and old.concept_id == (new.concept.pk if new.concept else None)


def _undo(old: AssignmentOverride, classroom: Classroom, *, by: By) -> AssignmentOverride:
    return AssignmentOverride.objects.create(
        classroom=classroom,
        assignment_id=old.assignment_id,
        learner_id=old.learner_id,
        kind=old.kind,
        concept_id=old.concept_id,
        until=old.until,
        revision=classroom.course.revision,
        at=by.at,
        set_by=by.actor,
        reason=clean_reason(by.reason),
        reverts=old,
    )
