"""Groups of learners held against each other: counted right, and none that is too small."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import (
    AT,
    answer_current,
    make_class,
    make_learner,
    make_user,
    set_scheduling,
    start_session,
)
from tests.tutor.histories import versions_of
from tutor.scheduling import groups, steering
from tutor.scheduling.models import Decision, GroupComparison
from tutor.scheduling.plans import RULES

pytestmark = pytest.mark.django_db


def fill(course, name, *, learners, right, seconds=60):
    """A class in which everybody answers two questions, right or wrong, each after so long."""
    members = [make_learner(organisation=course.organisation) for _ in range(learners)]
    classroom = make_class(course=course, users=[one.user for one in members], name=name)
    set_scheduling(classroom)
    course.refresh_from_db()
    for number, learner in enumerate(members):
        session = start_session(learner=learner, course=course, draw_seed=number)
        for step in range(2):
            at = AT + (step + 1) * dt.timedelta(seconds=seconds)
            answer_current(session, right=right, at=at, draw_seed=step)
    return members


def test_a_gap_is_measured_and_told_with_how_many(course):
    fill(course, "7a", learners=10, right=True)
    fill(course, "7b", learners=10, right=False)

    found = groups.compare_course(course=course, at=AT + dt.timedelta(hours=1))

    assert found.by == "class"
    gained = {gap["group"]: gap for gap in found.body[groups.MASTERY_A_MINUTE]}
    assert [gap["learners"] for gap in gained.values()] == [10, 10]
    assert gained["7a"]["low"] > 0 > gained["7b"]["high"]
    beyond = {gap["group"]: gap for gap in found.body[groups.CREDIT_BEYOND]}
    assert beyond["7a"]["mean"] > 0 > beyond["7b"]["mean"]
    assert beyond["7a"]["alarm"]
    # Nobody has opted in to chance.
    assert {gap["mean"] for gap in found.body[groups.AT_RANDOM]} == {0.0}
    assert not any(gap["alarm"] for gap in found.body[groups.AT_RANDOM])


def test_values_are_those_of_the_log(course):
    [learner] = fill(course, "7a", learners=1, right=True)

    rows = groups.read_rows(course=course, at=AT + dt.timedelta(hours=1))

    last = Decision.objects.filter(learner=learner).latest("pk")
    gain = sum(after - before for before, _, after, _ in last.shifts.values())
    assert rows[groups.MASTERY_A_MINUTE][1][-1] == pytest.approx(gain / RULES.minutes_per_item)
    expected = [row.expected for row in Decision.objects.filter(learner=learner).order_by("pk")]
    assert sorted(rows[groups.CREDIT_BEYOND][1]) == pytest.approx(
        sorted(1.0 - chance for chance in expected[:2])
    )
    assert rows[groups.AT_RANDOM] == ([learner.pk] * 3, [0.0] * 3)


def test_a_group_gains_nothing_by_being_quick(course):
    """The same answers in half the time are the same gain: speed is not what is learnt."""
    for name, seconds in (("7a", 20), ("7b", 120)):
        fill(course, name, learners=10, right=True, seconds=seconds)

    found = groups.compare_course(course=course, at=AT + dt.timedelta(hours=1))

    quick, slow = found.body[groups.MASTERY_A_MINUTE]
    assert quick["mean"] == pytest.approx(slow["mean"], rel=0.2)
    assert not any((quick["alarm"], slow["alarm"]))


def test_minutes_are_those_that_the_policy_expected_of_the_item(course):
    minutes = {version.pk: 4.0 for version in versions_of(course)}
    version = steering.store_policy_version(
        course=course, policy="gain-softmax", parameters={}, minutes=minutes, provenance={}, at=AT
    )
    steering.promote_policy(version=version, at=AT, reason="by hand")
    [learner] = fill(course, "7a", learners=1, right=True)

    rows = groups.read_rows(course=course, at=AT + dt.timedelta(hours=1))

    last = Decision.objects.filter(learner=learner).latest("pk")
    gain = sum(after - before for before, _, after, _ in last.shifts.values())
    assert rows[groups.MASTERY_A_MINUTE][1][-1] == pytest.approx(gain / 4.0)


def test_groups_below_ten_are_named_and_not_measured(course):
    fill(course, "7a", learners=2, right=True)
    fill(course, "7b", learners=2, right=False)

    found = groups.compare_course(course=course, at=AT + dt.timedelta(hours=1))

    for gaps in found.body.values():
        assert [(gap["learners"], gap["mean"], gap["alarm"]) for gap in gaps] == [
            (2, None, False)
        ] * 2


def test_without_two_groups_nothing_is_stored(course):
    fill(course, "7a", learners=1, right=True)

    assert groups.compare_all(at=AT) == 0
    assert not GroupComparison.objects.exists()


def test_a_course_that_fails_does_not_hold_up_the_others(course, monkeypatch):
    def broken(**_):
        raise ValueError("torn")

    monkeypatch.setattr(groups.grouping, "find_groups", broken)

    assert groups.compare_all(at=AT) == 0


def test_administrators_see_it(course):
    fill(course, "7a", learners=2, right=True)
    fill(course, "7b", learners=2, right=False)
    row = groups.compare_course(course=course, at=AT + dt.timedelta(hours=1))
    boss = make_user(organisation=course.organisation, role="administrator")
    client = Client()
    client.force_login(boss)

    page = client.get(
        reverse("admin:scheduling_groupcomparison_change", args=[row.pk])
    ).content.decode()

    assert "mastery a minute" in page
    assert "too few learners" in page
