"""Writes about classes."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext

from tutor.accounts.models import Learner, Organisation, User
from tutor.classes import selectors
from tutor.classes.errors import (
    ConceptOfAnotherCourse,
    DatesReversed,
    GoalOutOfRange,
    NoteUnusable,
    RuleOutOfRange,
)
from tutor.classes.models import (
    Assignment,
    AwardRule,
    Classroom,
    Enrolment,
    LearnerNote,
    Teaching,
    WeeklyGoal,
)
from tutor.common.errors import NotVisible
from tutor.content import services as content_services
from tutor.content.models import Concept, Course


@transaction.atomic
def create_class(
    *, organisation: Organisation, name: str, course: Course, teachers: Iterable[User] = ()
) -> Classroom:
    """Create a class with its teachers."""
    classroom = Classroom.objects.create(organisation=organisation, name=name, course=course)
    Teaching.objects.bulk_create(
        Teaching(classroom=classroom, teacher=teacher) for teacher in teachers
    )
    content_services.raise_revision(course=course)
    return classroom


def ensure_class(*, organisation: Organisation, name: str, course: Course) -> Classroom:
    """Return the organisation's class of that name and course, created where there is none."""
    return Classroom.objects.get_or_create(organisation=organisation, name=name, course=course)[0]


@transaction.atomic
def admit_users(*, classroom: Classroom, users: Iterable[User]) -> None:
    """Put students into the class and let everybody else teach it; repeating changes nothing."""
    members = list(users)
    students = [user for user in members if user.role == User.Role.STUDENT]
    enrol(classroom=classroom, learners=Learner.objects.filter(user__in=students))
    Teaching.objects.bulk_create(
        [Teaching(classroom=classroom, teacher=user) for user in members if user not in students],
        ignore_conflicts=True,
    )


def enrol(*, classroom: Classroom, learners: Iterable[Learner]) -> None:
    """Enrol learners; those already in the class stay."""
    Enrolment.objects.bulk_create(
        [Enrolment(classroom=classroom, learner=learner) for learner in learners],
        ignore_conflicts=True,
        batch_size=500,
    )


@transaction.atomic
def create_assignment(
    *,
    classroom: Classroom,
    title: str,
    opens_at: dt.datetime,
    due_at: dt.datetime | None = None,
    concepts: Iterable[Concept] = (),
    items_per_session: int = 10,
) -> Assignment:
    """Store that a class is to work on the course, or some of its concepts.

    Whether it can, by what the course and the teachers' rules leave, is checked above
    (`tutor.scheduling.assigning.create_assignment`).

    Raises:
        ConceptOfAnotherCourse: a concept is not of the class's course.
        DatesReversed: `due_at` is not after `opens_at`.
    """
    chosen = list(concepts)
    check_concepts(classroom=classroom, concepts=chosen)
    if due_at is not None and due_at <= opens_at:
        raise DatesReversed("The assignment would be due before it opens.")
    assignment = Assignment.objects.create(
        classroom=classroom,
        title=title,
        opens_at=opens_at,
        due_at=due_at,
        items_per_session=items_per_session,
    )
    assignment.concepts.set(chosen)
    content_services.raise_revision(course=classroom.course)
    return assignment


def check_concepts(*, classroom: Classroom, concepts: Iterable[Concept]) -> None:
    """Refuse concepts that are not of the class's course.

    Raises:
        ConceptOfAnotherCourse: names them.
    """
    strangers = [c.slug for c in concepts if c.course_id != classroom.course_id]
    if strangers:
        raise ConceptOfAnotherCourse("These concepts are of another course.", concepts=strangers)


@transaction.atomic
def set_award_rule(
    *, classroom: Classroom, percent: int, actor: User | None, at: dt.datetime
) -> AwardRule:
    """Say how sure it has to be that a learner knows a concept to be awarded it, from now on.

    What was awarded stays. `manage.py give_awards` gives what a lower rule makes up for.

    Raises:
        RuleOutOfRange: below 50 or above 95 percent.
    """
    if not 50 <= percent <= 95:
        raise RuleOutOfRange("Choose from 50 to 95 percent.", percent=percent)
    rule = AwardRule.objects.create(classroom=classroom, percent=percent, at=at, set_by=actor)
    content_services.raise_revision(course=classroom.course)
    return rule


def set_weekly_goal(*, learner: Learner, days: int, at: dt.datetime) -> WeeklyGoal:
    """Keep on how many days a week the learner means to practise.

    Raises:
        GoalOutOfRange: a week has not so many days.
    """
    if not 1 <= days <= 7:
        raise GoalOutOfRange(gettext("Choose from 1 to 7 days a week."), days=days)
    return WeeklyGoal.objects.create(learner=learner, days=days, at=at)


LONGEST_NOTE = 2000


def write_note(
    *, classroom: Classroom, learner: Learner, author: User, text: str, at: dt.datetime
) -> LearnerNote:
    """Keep what a teacher of the class says about one of its learners.

    Raises:
        NotVisible: `author` does not teach the class, or the learner is not in it.
        NoteUnusable: it says nothing, or more than `LONGEST_NOTE` characters.
    """
    if not selectors.does_teach(actor=author, classroom=classroom):
        raise NotVisible("Only the teachers of a class keep notes about its learners.")
    selectors.access_learner_of(classroom=classroom, pseudonym=learner.pseudonym)
    # PostgreSQL keeps no NUL. Browsers send a new line as two characters, and count it as one.
    said = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not said:
        raise NoteUnusable("Write something, then keep the note.")
    if len(said) > LONGEST_NOTE:
        message = f"A note has at most {LONGEST_NOTE} characters; this one has {len(said)}."
        raise NoteUnusable(message, characters=len(said))
    return LearnerNote.objects.create(
        classroom=classroom, learner=learner, author=author, text=said, at=at
    )
