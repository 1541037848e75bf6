"""A learner who keeps failing is handed over to the teacher, and goes on when released."""

import datetime as dt

import pytest

from tests.factories import AT, make_assignment, make_class, make_user, start_session
from tests.tutor.histories import record, versions_of
from tutor.content.models import Concept
from tutor.scheduling import monitor, replaying, steering
from tutor.scheduling.errors import NotStuck
from tutor.scheduling.models import Decision, StuckRelease
from tutor.tracing import rebuilding
from tutor.tracing import selectors as tracing_selectors

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def failing(course, learner):
    """A learner with many wrong answers on everything, days ago and below every cap."""
    return fail_often(course, learner, age=10 * DAY)


def fail_often(course, learner, *, age):
    # Only templates may be answered so often: they come with other numbers.
    versions = [version for version in versions_of(course) if version.body["parameters"]]
    for number in range(18):
        for place, version in enumerate(versions):
            record(
                learner=learner,
                course=course,
                version=version,
                is_correct=False,
                credit=0.0,
                answered_at=AT - age + dt.timedelta(hours=number, minutes=place),
                received_at=AT,
            )
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))
    return learner


def test_the_sitting_ends_with_the_teacher_and_goes_on_when_released(course, failing, organisation):
    teacher = make_user(organisation=organisation, role="teacher")
    classroom = make_class(course=course, users=[failing.user, teacher])
    adding = Concept.objects.filter(course=course, slug="adding")
    assignment = make_assignment(classroom=classroom, concepts=adding)
    course.refresh_from_db()

    session = start_session(learner=failing, course=course, assignment=assignment)

    assert session.finish_reason == "stuck"
    waiting = monitor.watch(classroom=classroom, learners=[failing], at=AT).stuck
    assert [row.learner for row in waiting] == [failing]
    first = Decision.objects.latest("pk").reason_facts["concept"]
    assert waiting[0].concept.pk == first

    steering.release_learner(
        learner=failing,
        course=course,
        concept_id=first,
        actor=teacher,
        at=AT + dt.timedelta(minutes=5),
        note="talked",
    )
    # At once, and not only when they practise again.
    assert not monitor.watch(classroom=classroom, learners=[failing], at=AT).stuck
    again = start_session(
        learner=failing, course=course, assignment=assignment, at=AT + DAY, draw_seed=9
    )

    assert again.current.item_version_id is not None
    assert not monitor.watch(classroom=classroom, learners=[failing], at=AT + DAY).stuck


def test_nobody_is_released_from_what_they_never_met(course, learner, organisation):
    teacher = make_user(organisation=organisation, role="teacher")

    with pytest.raises(NotStuck):
        steering.release_learner(
            learner=learner, course=course, concept_id=0, actor=teacher, at=AT, note=""
        )

    assert not StuckRelease.objects.exists()


def test_who_comes_back_after_months_is_not_stuck_by_what_was_then(course, learner):
    fail_often(course, learner, age=90 * DAY)

    session = start_session(learner=learner, course=course)

    assert session.current.item_version_id is not None


def test_who_has_something_else_to_do_waits_for_the_teacher_too(course, failing, organisation):
    teacher = make_user(organisation=organisation, role="teacher")
    classroom = make_class(course=course, users=[failing.user, teacher])

    session = start_session(learner=failing, course=course)

    assert session.current.item_version_id is not None
    assert monitor.watch(classroom=classroom, learners=[failing], at=AT).stuck


def test_another_try_at_the_same_item_is_no_further_failure(course, learner):
    version = versions_of(course)[0]
    for attempt in range(1, 4):
        record(
            learner=learner,
            course=course,
            version=version,
            is_correct=False,
            credit=0.0,
            attempt=attempt,
            answered_at=AT - 2 * DAY + attempt * dt.timedelta(minutes=1),
            received_at=AT,
        )
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))

    decision = start_session(learner=learner, course=course).current

    situation = replaying.situation_of(decision)
    assert situation.recent.correct.tolist() == [0.0]
    assert situation.attempts.max() == 1
