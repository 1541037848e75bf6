"""Forecasts of running assignments: made at night, read by class, told in words."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from curriculum.outlook.fitting import fit_hazard
from curriculum.outlook.hazard import Hazard
from tests.curriculum.outlook.factories import drawn
from tests.factories import (
    AT,
    make_assignment,
    make_class,
    make_learner,
    make_user,
)
from tests.tutor.histories import bulk_history, record, tracer_of, versions_of
from tutor.classes import services as class_services
from tutor.common import clock
from tutor.outlook import engine, learning, nights, selectors, services, wording
from tutor.outlook.models import Forecast, OutlookVersion
from tutor.tracing import services as tracing_services

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
EVIDENCE = {
    "learners": {"train": 60, "valid": 20, "test": 20},
    "methods": {
        "hazard": {"precision": {"value": 0.8}, "recall": {"value": 0.7}, "brier": {"value": 0.1}},
        "behind": {"brier": {"value": 0.2}},
        "pace": {"brier": {"value": 0.2}},
        "usual-pace": {"brier": {"value": 0.2}},
    },
    "against": {name: {"high": 0.1} for name in ("behind", "pace", "usual-pace")},
    "calibration": [[k / 5, (k + 1) / 5, 40, k / 5 + 0.1, k / 5 + 0.1] for k in range(5)],
}


@pytest.fixture
def classroom(course):
    return make_class(course=course)


@pytest.fixture
def assignment(classroom):
    return make_assignment(classroom=classroom, due_at=AT + 14 * DAY)


def join(classroom, *, size: int = 0, seed: int = 0, start=AT - 3 * DAY):
    """A learner of the class with so many answers in the log."""
    learner = make_learner(organisation=classroom.organisation)
    class_services.enrol(classroom=classroom, learners=[learner])
    bulk_history(learner=learner, course=classroom.course, size=size, seed=seed, start=start)
    return learner


def store_version(course, *, counts=True, threshold=0.5) -> OutlookVersion:
    """A version with weights of learners drawn from a known hazard."""
    version = OutlookVersion(
        course=course,
        tracer_id=tracer_of(course).tracer_id,
        at=AT,
        body={
            "hazard": hazard().to_dict(),
            "threshold": threshold,
            "ranges": {"days_per_week": [0.0, 7.0]},
            "associations": {
                "days_per_week": {
                    "thirds": [-1.0, 1.0],
                    "cells": [[[0.0, 3.0, 0.2, 50, 20], [3.0, 7.0, 0.6, 50, 20]]] * 3,
                }
            },
        },
        evidence=EVIDENCE,
        provenance={"answers": 10_000, "learners": 100},
        counts=counts,
    )
    return services.store_version(version)


def hazard() -> Hazard:
    return fit_hazard(drawn(learners=100))


class TestTheNight:
    def test_tells_everybody_once_by_the_rule_of_thumb_where_the_log_is_thin(
        self, classroom, assignment
    ):
        learners = [join(classroom, size=20, seed=3), join(classroom)]

        made = nights.forecast_course(course=classroom.course, at=AT)

        rows = Forecast.objects.filter(assignment=assignment)
        assert made == 2
        assert {row.learner_id for row in rows} == {one.pk for one in learners}
        assert all(row.version is None and row.chance is None for row in rows)
        assert not OutlookVersion.objects.exists()

    def test_a_version_that_counts_gives_chances_with_their_interval(self, classroom, assignment):
        version = store_version(classroom.course)
        learner = join(classroom, size=20)

        nights.forecast_course(course=classroom.course, at=AT)

        row = Forecast.objects.get(learner=learner, assignment=assignment)
        assert row.version == version
        assert 0.0 <= row.low <= row.chance <= row.high <= 1.0
        assert len(row.drivers) == 3

    def test_one_that_did_no_better_than_the_rules_does_not(self, classroom, assignment):
        store_version(classroom.course, counts=False)
        join(classroom, size=20)

        nights.forecast_course(course=classroom.course, at=AT)

        assert Forecast.objects.get().version is None

    def test_the_same_moment_twice_is_one_row(self, classroom, assignment):
        join(classroom, size=5)

        for _ in range(2):
            nights.forecast_course(course=classroom.course, at=AT)

        assert Forecast.objects.count() == 1

    def test_only_answers_before_the_moment_are_known(self, classroom, assignment):
        store_version(classroom.course)
        learner = join(classroom, size=20)
        nights.forecast_course(course=classroom.course, at=AT)
        bulk_history(learner=learner, course=classroom.course, size=30, seed=5, start=AT + DAY)

        seen = engine.look_now(
            engine.read_histories(tracer=tracer_of(classroom.course), learner_ids=[learner.pk])[
                learner.pk
            ],
            engine.tracing_of(tracer_of(classroom.course)),
            [goal_of(assignment)],
            at=AT.timestamp(),
        )

        assert engine.facts_of(seen.standings[0]) == Forecast.objects.get().facts

    def test_what_is_over_or_has_no_date_is_not_forecast(self, classroom):
        make_assignment(classroom=classroom)
        make_assignment(classroom=classroom, due_at=AT - DAY / 2)
        join(classroom, size=5)

        assert nights.forecast_course(course=classroom.course, at=AT) == 0
        assert nights.list_courses(at=AT) == []

    def test_reads_a_class_with_as_many_queries_as_one_learner(self, classroom, assignment):
        store_version(classroom.course)
        # Every item is met, so that no query is only that of an item's concepts.
        join(classroom, size=200)
        nights.forecast_course(course=classroom.course, at=AT)
        with CaptureQueriesContext(connection) as for_one:
            nights.forecast_course(course=classroom.course, at=AT + DAY)
        for seed in range(4):
            join(classroom, size=5, seed=seed)

        with CaptureQueriesContext(connection) as for_five:
            nights.forecast_course(course=classroom.course, at=AT + 2 * DAY)

        assert len(for_five) == len(for_one)

    def test_a_course_that_fails_holds_up_no_other(self, classroom, assignment, monkeypatch):
        join(classroom, size=5)
        monkeypatch.setattr(
            nights, "forecast_course", lambda **_: (_ for _ in ()).throw(RuntimeError("broken"))
        )

        assert nights.forecast_all(at=AT) == 0


def goal_of(assignment):
    return engine.goal_of(
        tracer_of(assignment.classroom.course),
        (),
        opens_at=assignment.opens_at.timestamp(),
        due_at=assignment.due_at.timestamp(),
    )


class TestTheStateIsTheSame:
    def test_what_is_traced_here_is_what_the_tracer_keeps(self, classroom):
        learner = join(classroom, size=100)
        version = versions_of(classroom.course)[0]
        for number in range(30):
            moment = AT + dt.timedelta(minutes=number)
            record(learner=learner, course=classroom.course, version=version, answered_at=moment)
        tracer = tracer_of(classroom.course)
        [(_, folded)] = tracing_services.fold_learners(tracer=tracer, learner_ids=[learner.pk])
        history = engine.read_histories(tracer=tracer, learner_ids=[learner.pk])[learner.pk]

        traced = engine.trace(history, engine.tracing_of(tracer), [clock.now().timestamp()])

        [(state, _)] = traced.states.values()
        assert state == folded.learner.filter
        assert sorted(traced.reached_at) == folded.learner.mastered.tolist()
        assert traced.reached_at


class TestLearning:
    def test_a_thin_log_is_refused_with_what_it_lacks(self, classroom):
        join(classroom, size=20)

        with pytest.raises(learning.TooFewLooks, match="20 and 50 are needed"):
            learning.learn(course=classroom.course, tracer=tracer_of(classroom.course), at=AT + DAY)

    def test_is_due_with_a_fifth_more_answers_or_another_tracer(self, course):
        version = store_version(course)
        tracer = tracer_of(course)

        assert not learning.is_due(course=course, tracer=tracer, answers=11_999)
        assert learning.is_due(course=course, tracer=tracer, answers=12_000)
        assert version.tracer_id == tracer.tracer_id

    def test_does_better_means_nearer_chances_than_every_rule(self):
        assert learning.does_better(EVIDENCE)
        worse = EVIDENCE["methods"] | {"pace": {"brier": {"value": 0.05}}}
        assert not learning.does_better(EVIDENCE | {"methods": worse})
        surely = EVIDENCE["against"] | {"pace": {"high": -0.01}}
        assert not learning.does_better(EVIDENCE | {"against": surely})


class TestReading:
    def test_lists_those_at_risk_the_likeliest_to_miss_first(self, classroom, assignment):
        people = [join(classroom) for _ in range(3)]
        for learner, chance in zip(people, (0.4, 0.1, 0.9), strict=True):
            put(learner, assignment, chance=chance)

        rows = selectors.list_at_risk(classroom=classroom, at=AT)

        assert [row.learner for row in rows] == [people[1], people[0]]
        assert "40 forecasts between" in rows[0].record

    def test_the_newest_holds(self, classroom, assignment):
        learner = join(classroom)
        put(learner, assignment, chance=0.1, at=AT - DAY)
        put(learner, assignment, chance=0.9)

        assert selectors.list_at_risk(classroom=classroom, at=AT) == []

    def test_who_has_reached_the_goal_since_is_not_listed(self, classroom, assignment):
        learner = join(classroom, size=400)
        put(learner, assignment, chance=0.1)
        assert selectors.list_at_risk(classroom=classroom, at=AT)
        tracer = tracer_of(classroom.course)
        folded = dict(tracing_services.fold_learners(tracer=tracer, learner_ids=[learner.pk]))
        mastered = np.array(sorted(tracer.bank.concept_ids.tolist()), dtype="<i8")
        state = folded[learner.pk].learner
        whole = type(state)(state.filter, state.recent, mastered)
        tracing_services.store_folded(
            tracer_id=tracer.tracer_id,
            folded={learner.pk: dataclasses.replace(folded[learner.pk], learner=whole)},
        )

        assert selectors.list_at_risk(classroom=classroom, at=AT) == []

    @pytest.mark.parametrize("days", [8, 15])
    def test_an_old_forecast_or_one_of_a_date_that_is_over_says_nothing(
        self, classroom, assignment, days
    ):
        put(join(classroom), assignment, chance=0.1)

        assert selectors.list_at_risk(classroom=classroom, at=AT + days * DAY) == []

    def test_of_another_class_nothing_is_told(self, classroom, assignment):
        learner = join(classroom)
        put(learner, assignment, chance=0.1)
        other = make_class(course=classroom.course, name="8a")
        class_services.enrol(classroom=other, learners=[learner])

        assert selectors.list_at_risk(classroom=other, at=AT) == []

    def test_who_has_left_the_class_is_not_told_of(self, classroom, assignment):
        learner = join(classroom)
        put(learner, assignment, chance=0.1)
        learner.enrolments.all().delete()

        assert selectors.list_at_risk(classroom=classroom, at=AT) == []


def put(learner, assignment, *, chance, at=AT) -> Forecast:
    course = assignment.classroom.course
    version = OutlookVersion.objects.filter(course=course).first() or store_version(course)
    return Forecast.objects.create(
        learner=learner,
        assignment=assignment,
        version=version,
        at=at,
        chance=chance,
        low=max(chance - 0.1, 0.0),
        high=min(chance + 0.1, 1.0),
        median_at=at + 20 * DAY,
        is_at_risk=chance < 0.5,
        facts=FACTS,
        drivers=[["distance", -0.8], ["practice", 0.3], ["untouched", -0.2]],
        change={
            "steps": [
                {
                    "feature": "days_per_week",
                    "now": 1.0,
                    "then": 3.0,
                    "like": [[0.2, 50], [0.6, 50]],
                    "against": False,
                }
            ],
            "chance": 0.6,
        },
    )


FACTS = {
    "left": 2,
    "wanted": 3,
    "untouched": 1,
    "days_left": 14.0,
    "days_per_week": 1.0,
    "answers_per_day": 2.5,
    "idle_days": 3.0,
    "recent": 20,
    "right": 9.0,
    "helped": 4,
    "on_goal": 10,
    "lately_mastered": 1,
    "pace_days": 20.0,
    "behind": 0.2,
}


class TestWords:
    def test_every_driver_has_some(self):
        for name in engine.explaining.DRIVERS:
            assert wording.say_driver(name, FACTS)

    def test_a_change_is_told_of_others_and_claims_no_cause(self):
        said = wording.say_change(
            {
                "steps": [
                    {
                        "feature": "days_per_week",
                        "now": 1.0,
                        "then": 3.0,
                        "like": [[0.2, 50], [0.6, 40]],
                    }
                ],
                "chance": 0.62,
            }
        )

        assert said == (
            "Learners like this who had 3 days of practice a week instead of 1 reached such goals "
            "more often (60% of 40 against 20% of 50); with that the forecast would be 62%. What "
            "goes together need not be the cause."
        )

    def test_where_no_habit_does_it_the_date_is_spoken_of(self):
        assert "the date 3 days later" in wording.say_change({"later_days": 3})
        assert wording.say_change(None) == ""


class TestLearnerPage:
    def test_shows_the_forecast_with_its_interval_drivers_and_record(
        self, client, classroom, monkeypatch
    ):
        teacher = make_user(organisation=classroom.organisation, role="teacher")
        class_services.admit_users(classroom=classroom, users=[teacher])
        now = clock.now()
        assignment = make_assignment(classroom=classroom, at=now, due_at=now + 14 * DAY)
        learner = join(classroom)
        put(learner, assignment, chance=0.3, at=now - dt.timedelta(hours=3))
        client.force_login(teacher)

        shown = client.get(
            reverse("teacher:learner", args=[classroom.public_id, learner.pseudonym])
        )

        text = " ".join(shown.content.decode().split())
        assert "<strong>30 %</strong>" in text
        assert "at risk" in text
        assert "Speaks against it: how far what is left lies from mastery" in text
        assert "Of 40 forecasts between 20% and 40% of learners kept apart, 30% came true." in text
        assert "need not be the cause" in text
