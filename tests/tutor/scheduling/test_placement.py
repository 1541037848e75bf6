"""A newcomer is placed by a few questions, and nobody else is."""

import datetime as dt

import pytest

from tests.factories import (
    AT,
    answer_current,
    make_assignment,
    make_class,
    set_scheduling,
    start_session,
)
from tests.tutor.histories import record, versions_of
from tutor.content.models import Item
from tutor.practice import usecases
from tutor.scheduling import replaying, ruling
from tutor.scheduling.engine import RULES
from tutor.scheduling.models import Decision
from tutor.scheduling.rule_values import Order
from tutor.tracing import rebuilding
from tutor.tracing import selectors as tracing_selectors

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def classroom(course, learner):
    return make_class(course=course, users=[learner.user])


def sit(learner, course, *, answers=10, at=AT):
    """Reasons of the questions of a sitting; every choice is made again."""
    course.refresh_from_db()
    session = start_session(learner=learner, course=course, at=at, draw_seed=3)
    first = session.current_id
    for number in range(answers):
        if session.finished_at is None:
            right = number % 2 == 0
            answer_current(session, right=right, at=at + (number + 1) * MINUTE, draw_seed=number)
    if session.finished_at is None:
        usecases.finish_practice(learner=learner, session=session, at=at + answers * MINUTE)
    found = list(Decision.objects.filter(learner=learner, pk__gte=first).order_by("pk"))
    for decision in found:
        assert replaying.decide_again(decision).receipt() == decision.receipt
    return [row.reason for row in found if row.item_version is not None]


def test_the_first_questions_place_a_newcomer(classroom, learner, course):
    reasons = sit(learner, course)

    assert reasons[: RULES.placement_items] == ["placement"] * RULES.placement_items
    assert "placement" not in reasons[RULES.placement_items :]


def test_goes_on_where_it_was_left(classroom, learner, course):
    first, second = sit(learner, course, answers=1), sit(learner, course, at=AT + DAY)

    # The second question of the first day was not answered.
    assert first == ["placement"] * 2
    assert second.count("placement") == RULES.placement_items - 1


def test_whoever_has_a_history_is_not_placed(classroom, learner, course):
    record(learner=learner, course=course, version=versions_of(course)[0], answered_at=AT - DAY)
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))

    assert "placement" not in sit(learner, course)


def test_a_class_may_do_without(classroom, learner, course):
    set_scheduling(classroom, places=False)

    assert "placement" not in sit(learner, course)


def test_is_begun_by_switching_it_on_only_for_newcomers(classroom, learner, course):
    set_scheduling(classroom, places=False)
    sit(learner, course, answers=2)
    set_scheduling(classroom, places=True)

    assert "placement" not in sit(learner, course, at=AT + DAY)


def test_practice_without_a_class_begins_at_the_beginning(learner, course):
    assert "placement" not in sit(learner, course)


def test_a_pin_comes_first_and_the_placement_goes_on(classroom, learner, course):
    wanted = Item.objects.filter(course=course, current__concepts__slug="adding").first()
    ruling.set_rule(classroom=classroom, order=Order(kind="pin", item=wanted), actor=None, at=AT)

    reasons = sit(learner, course)

    assert reasons[0] == "teacher-pick"
    assert reasons[1:8] == ["placement"] * 7


def test_nothing_is_tried_out_meanwhile(classroom, learner, course):
    set_scheduling(classroom, places=True, explores=True)
    pilots = Item.objects.filter(course=course).order_by("-pk")[:3]
    Item.objects.filter(pk__in=[item.pk for item in pilots]).update(status=Item.Status.PILOT)
    type(course).objects.filter(pk=course.pk).update(pilot_share=0.2)
    course.refresh_from_db()

    reasons = sit(learner, course)

    assert reasons[:8] == ["placement"] * 8


@pytest.mark.parametrize("days", [4.0, 2.0, 0.5])
def test_a_newcomer_can_start_before_a_date(classroom, learner, course, days):
    ruling.set_rule(
        classroom=classroom,
        order=Order(kind="exam", value=AT + days * DAY),
        actor=None,
        at=AT,
    )

    assert sit(learner, course, answers=2) == ["placement"] * 3


def test_the_kill_switch_stops_it(classroom, learner, course):
    set_scheduling(classroom, places=True, kill_switch=True)

    assert "placement" not in sit(learner, course)
    assert not any(row.receipt["placing"] for row in Decision.objects.filter(learner=learner))


def test_nothing_is_drawn_at_random_meanwhile(classroom, learner, course):
    set_scheduling(classroom, places=True, explores=True)

    sit(learner, course, answers=2)

    told = [row.receipt for row in Decision.objects.filter(learner=learner)]
    assert {(receipt["epsilon"], receipt["explored"]) for receipt in told} == {(0.0, False)}


def test_a_finish_of_an_earlier_version_is_made_again(classroom, learner, course):
    """Nobody was placed then, and its receipt does not say so."""
    set_scheduling(classroom, places=False)
    assignment = make_assignment(classroom=classroom, opens_at=AT + DAY)
    course.refresh_from_db()
    start_session(learner=learner, course=course, assignment=assignment, at=AT)
    finish = Decision.objects.get(learner=learner)
    assert finish.receipt.pop("placing") is False

    assert replaying.conduct_of(finish).places is False
    replaying.decide_again(finish)
