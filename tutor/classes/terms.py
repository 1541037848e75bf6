"""What an assignment comes to for one learner: until when, on what, or not at all.

The one source of dates and goals for pages, practice, choices, forecasts, grades and the API. What
teachers decided is read once per revision of the course, so that an answer asks nothing more.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from tutor.accounts.models import Learner
from tutor.classes import selectors
from tutor.classes.models import Assignment, AssignmentOverride
from tutor.common.cache import new_cache
from tutor.content import selectors as content_selectors

Kind = AssignmentOverride.Kind
# None stands for everybody of the class.
Whom = int | None
_held = new_cache(capacity=64)
# Later than any date: of what is open again without end.
_ENDLESS = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(slots=True)
class Held:
    """What is decided of one assignment: by learner (None: everybody) the date, the excuses."""

    until: dict[Whom, dt.datetime | None] = field(default_factory=dict)
    excused: dict[int, set[int]] = field(default_factory=dict)
    wholly: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Terms:
    """An assignment as it is for one learner.

    Attributes:
        opens_at: from when it may be worked on.
        due_at: until when; None: without end. An override never takes time away.
        set_due_at: until when for whoever has no date of their own.
        goal: concept ids asked for, in teaching order; empty: the whole course.
        excused: concept ids left out of it for this learner.
        is_excused: nothing of it is asked for.
    """

    opens_at: dt.datetime
    due_at: dt.datetime | None
    set_due_at: dt.datetime | None
    goal: tuple[int, ...]
    excused: frozenset[int] = frozenset()
    is_excused: bool = False

    @property
    def has_own_date(self) -> bool:
        """Whether it ends later than it was set."""
        return self.due_at != self.set_due_at

    def is_closed(self, at: dt.datetime) -> bool:
        """Test whether its time is over."""
        return self.due_at is not None and self.due_at <= at

    def is_running(self, at: dt.datetime) -> bool:
        """Test whether it may be worked on."""
        return self.opens_at <= at and not self.is_closed(at) and not self.is_excused


def find(
    *,
    assignment: Assignment,
    learner_id: int,
    course_id: int,
    revision: int,
    as_of: int | None = None,
) -> Terms:
    """Return an assignment as it is for a learner; no query once the revision has been read.

    Args:
        assignment: of a class at the course.
        learner_id: whose; somebody not in the class has what everybody has.
        course_id, revision: of the course as it is known.
        as_of: an earlier revision, for what teachers had decided by then.
    """
    held = read(course_id=course_id, revision=as_of or revision).get(assignment.pk)
    asked = selectors.get_goal_concepts(assignment=assignment, revision=revision)
    if held is None:
        return as_set(assignment, goal=asked)
    left_out = held.excused.get(learner_id, set())
    wholly = learner_id in held.wholly
    if left_out and not wholly:
        asked = asked or _whole_course(course_id, revision)
        left_out = left_out.intersection(asked)
        asked = tuple(pk for pk in asked if pk not in left_out)
        wholly = not asked
    return Terms(
        opens_at=assignment.opens_at,
        due_at=_latest(assignment.due_at, held, learner_id),
        set_due_at=assignment.due_at,
        goal=asked,
        excused=frozenset(left_out),
        is_excused=wholly,
    )


def is_excused(*, assignment: Assignment, learner_id: int, course_id: int, revision: int) -> bool:
    """Test whether nothing of an assignment is asked of a learner; its goal is read only then."""
    if assignment.pk not in read(course_id=course_id, revision=revision):
        return False
    found = find(
        assignment=assignment, learner_id=learner_id, course_id=course_id, revision=revision
    )
    return found.is_excused


def as_set(assignment: Assignment, *, goal: tuple[int, ...] = ()) -> Terms:
    """Return an assignment as it was set, for whom nothing else was decided."""
    return Terms(assignment.opens_at, assignment.due_at, assignment.due_at, goal)


def list_of(*, learner: Learner, at: dt.datetime) -> list[tuple[Assignment, Terms]]:
    """Return the assignments of the learner's classes that have opened, the nearest due first.

    Also those that are over, or that the learner is excused from.
    """
    found = [
        (row, find_for(assignment=row, learner_id=learner.pk))
        for row in selectors.list_assignments_of(learner=learner, at=at)
    ]
    return sorted(found, key=lambda pair: (pair[1].due_at or _ENDLESS, pair[0].opens_at))


def find_for(*, assignment: Assignment, learner_id: int) -> Terms:
    """Return the same by the course as the assignment's class has it at hand."""
    course = assignment.classroom.course
    return find(
        assignment=assignment,
        learner_id=learner_id,
        course_id=course.pk,
        revision=course.revision,
    )


def _latest(due_at: dt.datetime | None, held: Held, learner_id: int) -> dt.datetime | None:
    """Return the latest of the assignment's date, the class's and the learner's own."""
    dates = [due_at, *(held.until[one] for one in (None, learner_id) if one in held.until)]
    known = [date for date in dates if date is not None]
    return max(known) if len(known) == len(dates) else None


def _whole_course(course_id: int, revision: int) -> tuple[int, ...]:
    bank = content_selectors.get_bank(course_id=course_id, revision=revision)
    return tuple(bank.concept_ids.tolist())


def read(*, course_id: int, revision: int) -> Mapping[int, Held]:
    """Return assignment id -> what was decided of it, as of a revision of the course."""
    return _held.get((course_id, revision), lambda: _read(course_id, revision))


def _read(course_id: int, revision: int) -> dict[int, Held]:
    rows = list_in_force(revision=revision).filter(classroom__course=course_id)
    found: dict[int, Held] = {}
    for row in rows.order_by("pk"):
        held = found.setdefault(row.assignment_id, Held())
        if row.kind != Kind.EXCUSE:
            held.until[row.learner_id] = row.until
        elif row.concept_id is None:
            held.wholly.add(row.learner_id)
        else:
            held.excused.setdefault(row.learner_id, set()).add(row.concept_id)
    return found


def list_in_force(*, revision: int | None = None) -> QuerySet[AssignmentOverride]:
    """Return the overrides of assignments in force, as of a revision or now."""
    rows = AssignmentOverride.objects.filter(reverts=None)
    if revision is None:
        return rows.filter(reverted_by=None)
    still = Q(reverted_by=None) | Q(reverted_by__revision__gt=revision)
    return rows.filter(still, revision__lte=revision)


def list_history(
    *, classroom_id: int, learner_id: int | None = None, most: int = 50
) -> Sequence[AssignmentOverride]:
    """Return what was decided in a class and taken back, newest first; of one learner or of all.

    Of a learner: what names them, or everybody.
    """
    rows = AssignmentOverride.objects.filter(classroom=classroom_id)
    if learner_id is not None:
        rows = rows.filter(Q(learner=learner_id) | Q(learner=None))
    related = ("assignment", "concept", "set_by", "learner__user", "reverts")
    return list(rows.select_related(*related).order_by("-pk")[:most])
