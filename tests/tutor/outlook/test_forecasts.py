"""Forecasts of running assignments: made at night, read by class, told in words."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from curriculum.outlook.features import NAMES
from curriculum.outlook.fitting import fit_hazard
from curriculum.outlook.hazard import Hazard
from curriculum.outlook.histories import DAY_S
from tests.curriculum.outlook.factories import drawn
from tests.factories import (
    AT,
    make_assignment,
    make_class,
    make_course,
    make_learner,
    make_organisation,
    make_user,
)
from tests.tutor.histories import bulk_history, record, tracer_of, versions_of
from tutor.classes import services as class_services
from tutor.classes.models import Enrolment
from tutor.common import clock
from tutor.outlook import engine, learning, nights, selectors, services, tasks, wording
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


def store_version(course, *, counts=True, threshold=0.5, **fields) -> OutlookVersion:
    """A version with weights of learners drawn from a known hazard."""
    version = OutlookVersion(
        course=course,
        tracer_id=tracer_of(course).tracer_id,
        at=AT,
        body={
            "hazard": hazard().to_dict() | fields,
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

    def test_a_log_that_was_too_thin_is_not_traced_anew_before_it_has_grown(
        self, classroom, assignment, monkeypatch
    ):
        learner = join(classroom, size=20)
        tries = []
        monkeypatch.setattr(
            learning, "learn", lambda **_: tries.append(1) or (_ for _ in ()).throw(THIN)
        )

        for night in range(3):
            nights.forecast_course(course=classroom.course, at=AT + night * DAY)
        assert len(tries) == 1
        assert "too thin" in OutlookVersion.objects.get().provenance["refused"]
        bulk_history(learner=learner, course=classroom.course, size=10, seed=9)
        nights.forecast_course(course=classroom.course, at=AT + 4 * DAY)

        assert len(tries) == 2

    def test_a_version_of_other_features_is_learnt_anew_or_gives_way_to_the_rule(
        self, classroom, assignment
    ):
        store_version(classroom.course, features=["other"])
        join(classroom, size=20)

        assert nights.forecast_course(course=classroom.course, at=AT) == 1

        assert Forecast.objects.get().version is None
        assert "refused" in OutlookVersion.objects.latest("pk").provenance

    def test_a_class_is_read_and_stored_in_pieces(self, classroom, assignment, monkeypatch):
        learners = [join(classroom, size=2, seed=seed) for seed in range(5)]
        monkeypatch.setattr(nights, "PIECE_LEARNERS", 2)
        read, read_histories = [], engine.read_histories
        monkeypatch.setattr(
            engine,
            "read_histories",
            lambda *, tracer, learner_ids: (
                read.append(len(learner_ids))
                or read_histories(tracer=tracer, learner_ids=learner_ids)
            ),
        )
        store_version(classroom.course, counts=False)

        assert nights.forecast_course(course=classroom.course, at=AT) == 5

        assert read == [2, 2, 1]
        assert {row.learner for row in Forecast.objects.all()} == set(learners)

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
        other = self.another(classroom)
        self.breaks(monkeypatch, classroom.course, RuntimeError("broken"))

        assert nights.forecast_all(at=AT) == 1
        assert Forecast.objects.get().assignment == other

    def test_a_database_that_fails_is_told_of_after_the_others_to_be_tried_again(
        self, classroom, assignment, monkeypatch
    ):
        other = self.another(classroom)
        self.breaks(monkeypatch, classroom.course, OperationalError("gone"))

        with pytest.raises(OperationalError, match="gone"):
            nights.forecast_all(at=AT)
        assert Forecast.objects.get().assignment == other

    def test_a_night_tried_again_later_is_the_same_night(self, classroom, assignment, monkeypatch):
        join(classroom, size=5)
        for minutes in (40, 55):
            now = dt.datetime(AT.year, AT.month, AT.day, 4, tzinfo=dt.UTC) + DAY
            now += dt.timedelta(minutes=minutes)
            monkeypatch.setattr(clock, "now", lambda now=now: now)
            assert tasks.forecast_goals() == 1

        assert Forecast.objects.count() == 1

    @pytest.mark.parametrize(("hour", "day"), [(3, 4), (4, 5), (23, 5)])
    def test_the_night_is_of_the_newest_four_o_clock(self, hour, day):
        now = dt.datetime(2026, 3, 5, hour, 30, tzinfo=dt.UTC)

        assert nights.night_of(now) == dt.datetime(2026, 3, day, 4, tzinfo=dt.UTC)

    @staticmethod
    def another(classroom):
        """An assignment of another course, with a learner before it."""
        organisation = make_organisation()
        other = make_class(course=make_course(organisation=organisation))
        join(classroom, size=5)
        join(other, size=5)
        return make_assignment(classroom=other, due_at=AT + 14 * DAY)

    @staticmethod
    def breaks(monkeypatch, course, reason):
        forecast_course = nights.forecast_course

        def fails(*, course: object, at: dt.datetime, _broken=course) -> int:
            if course == _broken:
                raise reason
            return forecast_course(course=course, at=at)

        monkeypatch.setattr(nights, "forecast_course", fails)


THIN = learning.TooFewLooks("too thin")


class TestChanges:
    def cells(self, *rows):
        """Cells of days a week: low, high, share, looks, learners."""
        return {"days_per_week": {"thirds": [], "cells": [[list(row) for row in rows]]}}

    def told(self, course, *rows, days_per_week=1.0):
        body = store_version(course, threshold=0.3).body | {"associations": self.cells(*rows)}
        features = np.zeros(len(NAMES))
        features[NAMES.index("days_per_week")] = days_per_week
        return engine._change(engine.Fitted.from_body(body), features, 14.0, 20.5)

    def test_only_one_that_like_learners_bear_out_is_told_with_how_many_they_were(self, course):
        found = self.told(course, (0.0, 2.5, 0.2, 90, 30), (2.5, 7.0, 0.6, 80, 20))

        [step] = found["steps"]
        assert step["then"] > 2.5
        assert step["like"] == [[0.2, 30], [0.6, 20]]

    @pytest.mark.parametrize(
        "rows",
        [
            [(0.0, 7.0, 0.4, 90, 30)],
            [(0.0, 2.5, 0.6, 90, 30), (2.5, 7.0, 0.6, 80, 20)],
            [(0.0, 2.5, 0.2, 90, 30), (2.5, 7.0, 0.6, 80, 3)],
            [(2.5, 7.0, 0.6, 80, 20)],
        ],
        ids=["the same quarter", "as often", "too few", "none like now"],
    )
    def test_without_evidence_none_is_told(self, course, rows):
        assert self.told(course, *rows) == {"later_days": 7}

    def test_a_larger_one_is_told_where_the_smallest_is_not_borne_out(self, course):
        whole = self.told(course, (0.0, 1.5, 0.2, 90, 30), (1.5, 7.0, 0.5, 90, 30))
        first = whole["steps"][0]["then"]
        found = self.told(
            course,
            *((0.0, first - 0.5, 0.2, 90, 30), (first - 0.5, first + 0.5, 0.1, 90, 30)),
            (first + 0.5, 7.0, 0.5, 90, 30),
        )

        assert found["steps"][0]["then"] == first + 1.0


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

    def test_a_past_assignment_is_looked_at_from_when_a_learner_was_in_the_class(self, classroom):
        past = make_assignment(classroom=classroom, due_at=AT + 9 * DAY)
        early, middle, late = (join(classroom) for _ in range(3))
        for learner, since in ((early, -5), (middle, 3), (late, 20)):
            Enrolment.objects.filter(learner=learner).update(created_at=AT + since * DAY)

        found = learning._past_looks(classroom.course, tracer_of(classroom.course), AT + 30 * DAY)

        opens_at = past.opens_at.timestamp()
        days = [(look.at - opens_at) / DAY_S for look in found[early.pk]]
        assert days == pytest.approx([0.5, 2.5, 5.0, 7.5])
        assert found[middle.pk] == found[early.pk][2:]
        assert late.pk not in found

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

    def test_a_forecast_of_another_date_says_nothing(self, classroom, assignment):
        put(join(classroom), assignment, chance=0.1)
        assignment.due_at += dt.timedelta(hours=1)
        assignment.save()

        assert selectors.list_at_risk(classroom=classroom, at=AT) == []

    def test_a_forecast_of_other_topics_says_nothing(self, classroom, assignment):
        put(join(classroom), assignment, chance=0.1)
        assignment.concepts.set(classroom.course.concepts.order_by("pk")[:1])

        assert selectors.list_at_risk(classroom=classroom, at=AT) == []

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
        facts=FACTS
        | {
            "days_left": round((assignment.due_at - at) / DAY, 2),
            "goal": engine.name_goal(goal_of(assignment).concept_ids),
        },
        drivers=[["distance", -0.8], ["practice", 0.3], ["untouched", -0.2]],
        change={
            "steps": [
                {
                    "feature": "days_per_week",
                    "now": 1.0,
                    "then": 3.0,
                    "like": [[0.2, 50], [0.6, 50]],
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

    def test_who_never_answered_has_no_answer_yet(self):
        nobody = FACTS | {"recent": 0, "right": 0.0, "helped": 0, "on_goal": 0, "idle_days": 12.0}

        said = wording.say_drivers([["idle", -0.9], ["success", 0.3], ["pace", -0.1]], nobody)

        assert said == (
            "speaks against it: no answer yet",
            "speaks against it: 1 topic mastered in the last two weeks",
        )

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
            "more often (60% among 40 learners against 20% among 50); with that the forecast would "
            "be 62%. What goes together need not be the cause."
        )

    def test_a_change_without_evidence_is_not_told(self):
        step = {"feature": "days_per_week", "now": 1.0, "then": 3.0, "like": None}

        assert wording.say_change({"steps": [step], "chance": 0.62}) == ""

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
