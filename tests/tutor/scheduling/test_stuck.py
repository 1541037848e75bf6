"""A learner who keeps failing is handed over to the teacher, and goes on when released."""

import datetime as dt

import pytest

from tests.factories import (
    AT,
    answer_current,
    make_assignment,
    make_class,
    make_user,
    start_session,
)
from tests.tutor.histories import record, versions_of
from tutor.content import services as content_services
from tutor.content.models import Concept, Item
from tutor.scheduling import lately, monitor, replaying, steering
from tutor.scheduling.errors import NotStuck
from tutor.scheduling.models import Decision, StuckRelease
from tutor.scheduling.plans import Conduct
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
    assert {row.learner for row in waiting} == {failing}
    # Not the assignment's alone: every topic that more questions did not help with.
    assert {row.concept.slug for row in waiting} >= {"adding"}
    assert Decision.objects.latest("pk").reason_facts["concept"] == adding.get().pk

    for row in waiting:
        steering.release_learner(
            learner=failing,
            course=course,
            concept_id=row.concept.pk,
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


def show_often(course, learner, *, times, minutes=10):
    """The one template shown again and again, always answered wrong."""
    version = next(row for row in versions_of(course) if row.body["parameters"])
    for number in range(times):
        record(
            learner=learner,
            course=course,
            version=version,
            is_correct=False,
            credit=0.0,
            answered_at=AT - 2 * DAY + number * dt.timedelta(minutes=minutes),
            received_at=AT,
        )
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))
    return version


def test_a_new_showing_of_the_same_item_counts_though_nothing_came_between(course, learner):
    version = show_often(course, learner, times=15)

    decision = start_session(learner=learner, course=course).current

    situation = replaying.situation_of(decision)
    assert len(situation.recent.at) == 15
    assert situation.attempts.max() == 15
    assert set(decision.stuck_on) == set(version.concepts.values_list("pk", flat=True))


def test_a_newcomers_placement_ends_though_one_item_comes_again(course, learner, organisation):
    show_often(course, learner, times=8)
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    state = tracing_selectors.get_state(learner_id=learner.pk, tracer=tracer)

    assert not lately.may_be_new(state, Conduct(places=True))


@pytest.fixture
def classroom(course, learner, organisation):
    teacher = make_user(organisation=organisation, role="teacher")
    return make_class(course=course, users=[learner.user, teacher])


def waiting_in(classroom, learner, *, at=AT):
    return {
        row.concept.slug
        for row in monitor.watch(classroom=classroom, learners=[learner], at=at).stuck
    }


def test_is_handed_over_until_released_whatever_happens_meanwhile(
    course, learner, classroom, organisation
):
    teacher = make_user(organisation=organisation, role="teacher")
    stuck_on = set(show_often(course, learner, times=15).concepts.values_list("slug", flat=True))
    other = Concept.objects.filter(course=course, prerequisites=None).exclude(slug__in=stuck_on)

    # The sitting ends by its length.
    short = make_assignment(classroom=classroom, items_per_session=1)
    session = start_session(learner=learner, course=course, assignment=short)
    answer_current(session, at=AT + dt.timedelta(minutes=1))
    assert session.finish_reason == "limit-reached"
    assert waiting_in(classroom, learner) == stuck_on

    # Another topic is chosen.
    topic = make_assignment(classroom=classroom, concepts=[other.first()])
    at = AT + dt.timedelta(minutes=5)
    assert start_session(learner=learner, course=course, assignment=topic, at=at).current
    assert waiting_in(classroom, learner, at=at) == stuck_on

    # The course's order stands in.
    Decision.objects.create(
        **{
            name: getattr(Decision.objects.latest("pk"), name)
            for name in ("learner", "course", "policy", "course_revision", "seed", "reason")
        },
        at=at,
        fallback="error",
    )
    assert waiting_in(classroom, learner, at=at) == stuck_on

    for slug in stuck_on:
        steering.release_learner(
            learner=learner,
            course=course,
            concept_id=Concept.objects.get(course=course, slug=slug).pk,
            actor=teacher,
            at=at + dt.timedelta(minutes=1),
            note="talked",
        )
    assert not waiting_in(classroom, learner, at=at)


def test_who_has_used_up_all_there_is_is_handed_over_and_released(
    course, learner, classroom, organisation
):
    """Three wrong answers to each item that is no template: far below fifteen."""
    teacher = make_user(organisation=organisation, role="teacher")
    root = Concept.objects.get(course=course, slug="adding")
    versions = [
        row
        for row in versions_of(course)
        if [*row.concepts.all()] == [root] and not row.body["parameters"]
    ]
    Item.objects.filter(course=course, current__concepts=root).exclude(
        pk__in=[row.item_id for row in versions[:2]]
    ).update(status=Item.Status.EXCLUDED)
    content_services.raise_revision(course=course)
    course.refresh_from_db()
    for number in range(3):
        for place, version in enumerate(versions[:2]):
            record(
                learner=learner,
                course=course,
                version=version,
                is_correct=False,
                credit=0.0,
                answered_at=AT - (8 - 2 * number) * DAY + place * dt.timedelta(minutes=1),
                received_at=AT,
            )
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))
    assignment = make_assignment(classroom=classroom, concepts=[root])

    session = start_session(learner=learner, course=course, assignment=assignment)

    assert session.finish_reason == "stuck"
    assert waiting_in(classroom, learner) == {root.slug}
    steering.release_learner(
        learner=learner,
        course=course,
        concept_id=root.pk,
        actor=teacher,
        at=AT + dt.timedelta(minutes=5),
        note="",
    )
    again = start_session(
        learner=learner, course=course, assignment=assignment, at=AT + DAY, draw_seed=3
    )
    assert again.current.item_version_id is not None
    decision = Decision.objects.latest("pk")
    assert replaying.decide_again(decision).receipt() == decision.receipt
