"""Awards: two proofs a day apart, for good, and provable from the log."""

import datetime as dt
import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import (
    AT,
    make_class,
    make_course,
    make_organisation,
    make_user,
)
from tests.tutor.histories import record, trace, versions_of
from tutor.classes import services as class_services
from tutor.classes.errors import RuleOutOfRange
from tutor.content import selectors as content_selectors
from tutor.responses.models import Response
from tutor.tracing import rebuilding, selectors, tasks
from tutor.tracing.bands import Band
from tutor.tracing.models import AwardStep, LearnerState

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def student():
    return make_user(organisation=make_organisation())


@pytest.fixture
def classroom(student):
    return make_class(course=make_course(organisation=student.organisation), users=[student])


def practise(student, course, *, days, right=True, answers=5, **facts):
    """Answer the same items some times on each of these days; return when the last one was."""
    at = AT
    versions = versions_of(course)
    for day in days:
        at = AT + day * DAY
        for number in range(answers):
            at += dt.timedelta(minutes=1)
            response = record(
                learner=student.learner,
                course=course,
                version=versions[number % len(versions)],
                is_correct=right,
                credit=float(right),
                answered_at=at,
                **facts,
            )
            trace(response, course=course)
    return at


def awards(student, classroom):
    classroom.course.refresh_from_db()
    return selectors.list_awards(learner=student.learner, course=classroom.course)


def test_one_evening_gives_none_and_a_day_later_gives_one(student, classroom):
    practise(student, classroom.course, days=[0], answers=18)
    assert AwardStep.objects.filter(step=1).exists()
    assert awards(student, classroom) == {}

    practise(student, classroom.course, days=[1, 2], answers=18)

    steps = AwardStep.objects.filter(step=2)
    assert steps.exists()
    assert set(awards(student, classroom)) == {step.concept_id for step in steps}
    for step in steps:
        first = AwardStep.objects.get(
            learner=step.learner, concept=step.concept, percent=step.percent, step=1
        )
        assert step.at - first.at >= DAY
        assert min(step.lower_prob, first.lower_prob) >= 0.70


def test_an_award_stays_when_the_estimate_falls(student, classroom):
    practise(student, classroom.course, days=[0, 1, 2], answers=18)
    given = awards(student, classroom)
    assert given

    at = practise(student, classroom.course, days=[3, 4, 5], right=False, answers=10)

    masteries = selectors.get_masteries(
        learner=student.learner, course=classroom.course, at=at + 200 * DAY
    )
    assert all(masteries[pk].band is not Band.MASTERED for pk in given)
    assert awards(student, classroom).items() >= given.items()


def test_help_wrong_answers_and_pilots_prove_nothing(student, classroom):
    practise(student, classroom.course, days=[0, 2, 4], right=False, answers=18)
    practise(student, classroom.course, days=[5, 7, 9], answers=18, hints_seen=1)
    practise(student, classroom.course, days=[11, 13], answers=18, attempt=2)
    practise(student, classroom.course, days=[15, 17], answers=18, is_pilot=True)

    assert not AwardStep.objects.exists()


def test_the_fold_in_the_request_and_the_log_give_the_same(student, classroom):
    practise(student, classroom.course, days=[0, 1, 2], answers=18)
    live = snapshot()
    assert live
    AwardStep.objects.all()._raw_delete(AwardStep.objects.db)

    call_command("give_awards", stdout=StringIO())
    assert snapshot() == live

    call_command("give_awards", stdout=StringIO())
    assert snapshot() == live


def snapshot():
    rows = AwardStep.objects.order_by("concept", "percent", "step")
    return [
        (*row[:-1], pytest.approx(row[-1], abs=1e-9))
        for row in rows.values_list("concept", "percent", "step", "response", "at", "lower_prob")
    ]


def test_awards_survive_a_rebuild_of_the_states(student, classroom):
    practise(student, classroom.course, days=[0, 1, 2], answers=18)
    given = awards(student, classroom)
    tracer = selectors.get_tracer(course_id=classroom.course_id, revision=classroom.course.revision)

    list(rebuilding.fold_everybody(tracer=tracer))

    assert given
    assert awards(student, classroom) == given


def test_the_check_proves_every_step_and_finds_a_made_up_one(student, classroom):
    practise(student, classroom.course, days=[0, 1, 2], answers=18)
    out = StringIO()
    call_command("give_awards", "--check", stdout=out)
    total = AwardStep.objects.count()
    assert f"{total} of {total} steps" in out.getvalue()

    real = AwardStep.objects.filter(step=2).first()
    early = Response.objects.order_by("answered_at").first()
    AwardStep.objects.create(
        learner=real.learner,
        concept_id=real.concept_id,
        percent=90,
        step=2,
        response=early,
        tracer=real.tracer,
        lower_prob=0.93,
        at=early.answered_at,
        given_at=real.given_at,
    )
    with pytest.raises(CommandError, match="1 steps"):
        call_command("give_awards", "--check", stdout=StringIO(), stderr=StringIO())


def test_a_class_may_ask_for_more_and_what_was_given_before_stays(student, classroom):
    practise(student, classroom.course, days=[0, 1, 2], answers=18)
    given = awards(student, classroom)

    class_services.set_award_rule(classroom=classroom, percent=95, actor=None, at=AT + 3 * DAY)
    practise(student, classroom.course, days=[4, 6], answers=18)

    assert awards(student, classroom).items() >= given.items()
    assert {*AwardStep.objects.filter(at__gte=AT + 3 * DAY).values_list("percent", flat=True)} <= {
        95
    }
    with pytest.raises(RuleOutOfRange):
        class_services.set_award_rule(classroom=classroom, percent=20, actor=None, at=AT)


@pytest.mark.parametrize("is_read_again", [False, True])
def test_another_class_or_a_stricter_rule_hides_no_award(student, classroom, is_read_again):
    course = classroom.course
    stricter = make_class(course=course)
    class_services.set_award_rule(classroom=classroom, percent=50, actor=None, at=AT - DAY)
    class_services.set_award_rule(classroom=stricter, percent=95, actor=None, at=AT - DAY)
    course.refresh_from_db()
    practise(student, course, days=[0, 1], answers=9)
    if is_read_again:
        # The same, where the log is read later on.
        AwardStep.objects.all()._raw_delete(AwardStep.objects.db)
        call_command("give_awards", stdout=StringIO())
    given = awards(student, classroom)
    only_by_the_milder = AwardStep.objects.filter(step=2, percent=50).exclude(
        concept__in=AwardStep.objects.filter(step=2, percent=95).values("concept")
    )
    assert only_by_the_milder.filter(met_rule=True).exists()

    class_services.admit_users(classroom=stricter, users=[student])
    classroom.enrolments.filter(learner=student.learner).delete()
    class_services.set_award_rule(classroom=classroom, percent=95, actor=None, at=AT + 9 * DAY)

    assert awards(student, stricter) == given


def test_an_award_by_a_rule_of_another_class_alone_does_not_count(student, classroom):
    milder = make_class(course=classroom.course)
    class_services.set_award_rule(classroom=milder, percent=50, actor=None, at=AT - DAY)
    class_services.set_award_rule(classroom=classroom, percent=95, actor=None, at=AT - DAY)
    classroom.course.refresh_from_db()
    practise(student, classroom.course, days=[0, 1], answers=9)

    steps = AwardStep.objects.filter(step=2)
    assert steps.filter(percent=50, met_rule=False).exists()
    assert set(awards(student, classroom)) == {step.concept_id for step in steps.filter(percent=95)}


def test_a_rule_that_asks_less_counts_from_its_day_and_is_made_up_for(student, classroom):
    class_services.set_award_rule(classroom=classroom, percent=95, actor=None, at=AT - DAY)
    practise(student, classroom.course, days=[0, 1], answers=18)
    assert awards(student, classroom) == {}

    class_services.set_award_rule(
        classroom=classroom, percent=50, actor=None, at=AT - dt.timedelta(hours=1)
    )
    call_command("give_awards", stdout=StringIO())

    assert awards(student, classroom)


def test_a_rule_that_asks_less_later_counts_what_was_proved_before(student, classroom):
    class_services.set_award_rule(classroom=classroom, percent=95, actor=None, at=AT - DAY)
    practise(student, classroom.course, days=[0, 1], answers=18)
    assert awards(student, classroom) == {}

    class_services.set_award_rule(classroom=classroom, percent=50, actor=None, at=AT + 3 * DAY)
    call_command("give_awards", stdout=StringIO())
    found = awards(student, classroom)
    class_services.set_award_rule(classroom=classroom, percent=95, actor=None, at=AT + 4 * DAY)

    assert found
    # And it stays.
    assert awards(student, classroom) == found


def test_only_an_answer_that_proves_something_asks_the_table(student, classroom):
    with CaptureQueriesContext(connection) as captured:
        practise(student, classroom.course, days=[0], answers=18, hints_seen=1)
        practise(student, classroom.course, days=[1], answers=3)
    assert not [query for query in captured if "awardstep" in query["sql"]]

    practise(student, classroom.course, days=[2, 4], answers=18)
    with CaptureQueriesContext(connection) as captured:
        practise(student, classroom.course, days=[6], answers=1)
    assert len([query for query in captured if "awardstep" in query["sql"]]) == 1


def test_another_learner_sees_none(student, classroom):
    practise(student, classroom.course, days=[0, 1, 2], answers=18)
    other = make_user(organisation=student.organisation, username=f"o-{uuid.uuid4().hex[:6]}")
    class_services.admit_users(classroom=classroom, users=[other])

    assert selectors.list_awards(learner=other.learner, course=classroom.course) == {}


def test_a_late_right_answer_gives_its_award_and_keeps_the_floors(student, classroom):
    course = classroom.course
    practise(student, course, days=[0], answers=18)
    proved = AwardStep.objects.order_by("concept").values_list("concept", flat=True)
    other, concept = proved.first(), proved.last()
    assert other != concept
    version_of = {
        pk: version
        for version in versions_of(course)
        for pk in content_selectors.get_concepts_of_version(version_id=version.pk)
    }

    def answer(pk, *, at, received_at):
        response = record(
            learner=student.learner,
            course=course,
            version=version_of[pk],
            answered_at=at,
            received_at=received_at,
        )
        trace(response, course=course)
        return response

    answer(other, at=AT + 4 * DAY, received_at=AT + 4 * DAY)
    floors = LearnerState.objects.get(learner=student.learner).floors
    assert str(other) in floors

    late = answer(concept, at=AT + 2 * DAY, received_at=AT + 4 * DAY + dt.timedelta(hours=1))

    assert AwardStep.objects.get(concept=concept, step=2).response == late
    kept = LearnerState.objects.get(learner=student.learner).floors
    assert kept.keys() >= {*floors, str(concept)}
    assert kept[str(other)] == floors[str(other)]


def test_a_late_wrong_answer_lifts_the_floors(student, classroom):
    course = classroom.course
    practise(student, course, days=[0, 4], answers=18)
    assert LearnerState.objects.get(learner=student.learner).floors

    late = record(
        learner=student.learner,
        course=course,
        version=versions_of(course)[1],
        is_correct=False,
        credit=0.0,
        answered_at=AT + 2 * DAY,
        received_at=AT + 5 * DAY,
    )
    trace(late, course=course)

    assert LearnerState.objects.get(learner=student.learner).floors == {}


def test_every_night_gives_what_came_another_way(student, classroom):
    practise(student, classroom.course, days=[0, 1, 2], answers=18)
    live = snapshot()
    AwardStep.objects.all()._raw_delete(AwardStep.objects.db)

    assert tasks.give_awards() == len(live) > 0
    assert snapshot() == live
    assert tasks.give_awards() == 0
