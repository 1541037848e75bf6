"""Sittings planned in minutes; learners who need longer, or cannot be given some questions."""

import dataclasses
import datetime as dt

import pytest

from tests.factories import (
    AT,
    answer_current,
    make_class,
    set_scheduling,
    small_course_spec,
    start_session,
)
from tutor.content import services as content_services
from tutor.content.item_spec import NEEDS
from tutor.content.models import Item
from tutor.content.selectors import bits_of, get_bank
from tutor.responses.importing.stored_course import read_spec
from tutor.scheduling import engine, replaying, ruling
from tutor.scheduling.errors import InfeasibleRule
from tutor.scheduling.models import Decision
from tutor.scheduling.rule_values import Order

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def classroom(course, learner):
    found = make_class(course=course, users=[learner.user])
    set_scheduling(found)
    return found


def sit(learner, course, *, every=MINUTE, most=30, **fields):
    """A sitting with an answer `every` so often; each choice is made again."""
    course.refresh_from_db()
    session = start_session(learner=learner, course=course, draw_seed=5, **fields)
    first = session.current_id
    for number in range(most):
        if session.finished_at is None:
            answer_current(session, at=AT + (number + 1) * every, draw_seed=number)
    found = list(Decision.objects.filter(learner=learner, pk__gte=first).order_by("pk"))
    for decision in found:
        assert replaying.decide_again(decision).receipt() == decision.receipt
    return session, found


def ask(classroom, kind, **fields):
    return ruling.set_rule(classroom=classroom, order=Order(kind=kind, **fields), actor=None, at=AT)


class TestMinutes:
    def test_a_sitting_lasts_as_long_as_planned(self, classroom, learner, course):
        session, found = sit(learner, course, minutes=5)

        assert (session.planned_minutes, session.planned_items) == (5, 5)
        assert session.finish_reason == "limit-reached"
        # After four minutes one is left, which is what a question takes; after five none.
        assert session.n_answered == 5
        assert [round(row.minutes_left) for row in found] == [5, 4, 3, 2, 1, 0]
        assert "time-left" in found[-1].receipt["removed"]

    def test_is_not_ended_by_a_number_of_questions(self, classroom, learner, course):
        session, _ = sit(learner, course, minutes=15, every=MINUTE / 3, most=14)

        assert session.finished_at is None
        assert session.n_answered == 14

    def test_extra_time_leaves_room_for_fewer(self, classroom, learner, course):
        ask(classroom, "time", value=2.0, learners=[learner])

        session, found = sit(learner, course, minutes=5)

        # With a minute and less left, two are needed.
        assert session.n_answered == 4
        assert replaying.situation_of(found[0]).minutes_left == 2.5

    def test_a_sitting_has_one_question_however_short_it_is(self, classroom, learner, course):
        ask(classroom, "time", value=2.0, learners=[learner])

        session, found = sit(learner, course, minutes=1)

        assert (session.n_answered, session.finish_reason) == (1, "limit-reached")
        # The choice that would have been the end is not kept.
        assert [row.minutes_left for row in found] == [None, 0.0]

    def test_is_planned_with_the_teachers_limit(self, classroom, learner, course):
        ask(classroom, "length", value=3)

        session, _ = sit(learner, course, minutes=8)

        assert (session.planned_items, session.n_answered) == (3, 3)

    def test_a_sitting_in_questions_knows_no_minutes(self, classroom, learner, course):
        session, found = sit(learner, course, most=3)

        assert session.planned_minutes is None
        assert {row.minutes_left for row in found} == {None}


@pytest.fixture
def noisy(course):
    """Slugs of the items that now need sound to be heard; the others need nothing."""
    spec = small_course_spec()
    noisy = {item.slug for item in spec.items if item.concepts[0] == "naming"}
    items = tuple(
        dataclasses.replace(item, needs=("sound",)) if item.slug in noisy else item
        for item in spec.items
    )
    content_services.load_course(
        organisation=course.organisation, spec=dataclasses.replace(spec, items=items)
    )
    course.refresh_from_db()
    return noisy


class TestNeeds:
    def test_are_part_of_the_bank_and_of_the_course_read_back(self, course, noisy):
        bank = get_bank(course_id=course.pk, revision=course.revision)
        slugs = dict(Item.objects.filter(course=course).values_list("pk", "slug"))
        told = {slugs[pk] for pk in bank.item_ids[bank.needs == bits_of(["sound"])].tolist()}

        assert told == noisy
        assert bits_of(NEEDS) == 2 ** len(NEEDS) - 1
        again = read_spec(course=course)
        assert {item.slug for item in again.items if item.needs == ("sound",)} == noisy

    def test_what_a_learner_cannot_be_given_never_comes(self, classroom, learner, course, noisy):
        ask(classroom, "bar", value=["sound"], learners=[learner])

        _, found = sit(learner, course)

        given = {row.item_version.item.slug for row in found if row.item_version}
        assert given
        assert not given & noisy
        assert found[0].receipt["removed"]["accommodation"] == len(noisy)

    def test_nor_where_the_choice_fails(self, classroom, learner, course, noisy, monkeypatch):
        ask(classroom, "bar", value=["sound"], learners=[learner])
        ask(classroom, "ban", concept=course.concepts.get(slug="adding"))

        def broken(*_, **__):
            raise ZeroDivisionError("injected")

        monkeypatch.setattr(engine, "_memory", broken)
        course.refresh_from_db()
        current = start_session(learner=learner, course=course).current

        assert current.item_version is None or current.item_version.item.slug not in noisy

    def test_a_pin_that_a_learner_cannot_be_given_is_refused(
        self, classroom, learner, course, noisy
    ):
        ask(classroom, "bar", value=["sound"], learners=[learner])
        course.refresh_from_db()
        wanted = Item.objects.get(course=course, slug=min(noisy))

        with pytest.raises(InfeasibleRule, match=f"cannot be given .for {learner.label}."):
            ask(classroom, "pin", item=wanted)

    def test_an_order_does_not_wait_for_what_a_learner_cannot_be_given(
        self, classroom, learner, course, noisy
    ):
        order = [course.concepts.get(slug=slug).pk for slug in ("naming", "adding")]
        ask(classroom, "order", value=order)
        ask(classroom, "bar", value=["sound"], learners=[learner])

        _, found = sit(learner, course, most=2)

        assert [row.item_version.item.slug in noisy for row in found] == [False] * 3
