"""A class's settings decide how its next item is chosen, at once."""

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
from tutor.scheduling import conduct, engine, replaying, steering
from tutor.scheduling.errors import UnknownPolicy
from tutor.scheduling.models import ClassScheduling, Decision, PolicyPromotion, PolicyVersion

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def classroom(course, learner):
    return make_class(course=course, users=[learner.user])


def sitting(learner, course, *, at=AT, **fields):
    """Answer a whole sitting, every fourth wrong, and return its decisions with an item."""
    course.refresh_from_db()
    session = start_session(learner=learner, course=course, at=at, **fields)
    number = 0
    while session.finished_at is None:
        number += 1
        answer_current(
            session, right=number % 4 != 0, at=at + number * MINUTE, draw_seed=7 * number
        )
    return list(Decision.objects.filter(learner=learner, item_version__isnull=False).order_by("pk"))


class TestSettings:
    def test_without_any_the_program_chooses_and_draws_nothing_at_random(
        self, learner, course, classroom
    ):
        decisions = sitting(learner, course)

        assert {row.policy.rpartition("-")[0] for row in decisions} == {"gain-softmax"}
        assert all(row.receipt["exploring"] == "not-allowed" for row in decisions)
        assert not any(row.settings_id for row in decisions)

    @pytest.mark.slow
    @pytest.mark.parametrize("policy", sorted(set(engine.SERVING) - {"automatic"}))
    def test_every_policy_serves_and_every_receipt_is_made_again(
        self, learner, course, classroom, policy
    ):
        row = set_scheduling(classroom, policy=policy, explores=True)

        decisions = sitting(learner, course)

        for decision in decisions:
            assert decision.policy.rpartition("-")[0] == policy
            assert decision.fallback == ""
            assert decision.settings_id == row.pk
            assert replaying.decide_again(decision).receipt() == decision.receipt

    def test_opting_in_leaves_every_fitting_question_a_chance(self, learner, course, classroom):
        set_scheduling(classroom, explores=True)

        first = sitting(learner, course)[0]

        assert first.receipt["exploring"] is None
        assert first.receipt["epsilon"] == pytest.approx(0.05)

    def test_the_kill_switch_stops_a_sitting_that_is_under_way(self, learner, course, classroom):
        set_scheduling(classroom, explores=True)
        session = start_session(learner=learner, course=course, draw_seed=3)
        set_scheduling(classroom, explores=True, kill_switch=True)

        answer_current(session, at=AT + MINUTE)

        decision = Decision.objects.latest("pk")
        assert decision.fallback == "kill-switch"
        assert decision.propensity == 1.0
        assert replaying.decide_again(decision).receipt() == decision.receipt

    def test_switching_on_again_brings_the_policy_back(self, learner, course, classroom):
        set_scheduling(classroom, kill_switch=True)
        set_scheduling(classroom, kill_switch=False)

        assert all(row.fallback == "" for row in sitting(learner, course))

    def test_one_class_that_forbids_forbids_practice_without_an_assignment(
        self, learner, course, classroom
    ):
        other = make_class(course=course, users=[learner.user], name="7c")
        set_scheduling(classroom, explores=True)
        set_scheduling(other, explores=False, kill_switch=True)
        assignment = make_assignment(classroom=classroom)
        course.refresh_from_db()

        def found(assignment):
            return conduct.find_conduct(
                learner_id=learner.pk,
                course_id=course.pk,
                assignment=assignment,
                revision=course.revision,
            )

        assert (found(None).explores, found(None).kill_switch) == (False, True)
        assert (found(assignment).explores, found(assignment).kill_switch) == (True, False)

    def test_a_form_does_not_bring_back_what_somebody_has_stopped(self, classroom):
        """Two teachers: one stops, the other saves a page that was opened before."""
        set_scheduling(classroom, explores=True, kill_switch=True)

        steering.set_class_scheduling(
            classroom=classroom, actor=None, at=AT, policy="zpdes", explores=False
        )

        row = ClassScheduling.objects.latest("pk")
        assert (row.policy, row.explores, row.kill_switch) == ("zpdes", False, True)

    @pytest.mark.parametrize("name", ["oracle", "maximum-information", "uniform", "thompson"])
    def test_a_policy_that_serves_no_class_is_refused(self, classroom, name):
        with pytest.raises(UnknownPolicy, match="choose one of automatic"):
            set_scheduling(classroom, policy=name)

        assert not ClassScheduling.objects.exists()


class TestFallback:
    def test_a_policy_that_fails_gives_way_to_the_order_and_says_why(
        self, learner, course, classroom, monkeypatch
    ):
        def rate(self, choices):
            raise ZeroDivisionError("no arms")

        monkeypatch.setattr(engine.GainSoftmaxPolicy, "rate", rate)
        # To place a newcomer no policy is asked.
        set_scheduling(classroom)

        decision = sitting(learner, course)[0]

        assert decision.fallback == "error"
        assert decision.receipt["fallback"] == "ZeroDivisionError: no arms"
        assert decision.propensity == 1.0

    def test_a_body_of_another_program_gives_way_to_the_defaults(self):
        found = engine.policy_from("linear-softmax", {"parameters": {"coefficients": [1.0]}})

        assert found.version == engine.policy_from("linear-softmax").version


def promote(course, *, policy, parameters=None, minutes=None):
    version = PolicyVersion.objects.create(
        course=course,
        policy=policy,
        number=1,
        body={"parameters": parameters or {}, "minutes": minutes or {}},
        sha256="",
        provenance={},
        created_at=AT,
    )
    PolicyPromotion.objects.create(course=course, version=version, at=AT)
    return version


class TestVersions:
    def test_automatic_takes_what_was_learnt_once_it_is_promoted(self, learner, course, classroom):
        set_scheduling(classroom)
        version = promote(course, policy="linear-softmax")

        decisions = sitting(learner, course)

        assert {row.policy_version_id for row in decisions} == {version.pk}
        assert {row.policy.rpartition("-")[0] for row in decisions} == {"linear-softmax"}

    def test_minutes_of_a_version_enter_the_choice(self, learner, course, classroom):
        minutes = {str(item.current_id): 4.0 for item in course.items.all()}
        promote(course, policy="gain-softmax", minutes=minutes)

        decision = sitting(learner, course)[0]
        situation = replaying.situation_of(decision)

        assert set(situation.item_minutes.tolist()) == {4.0}


def test_a_class_that_is_new_makes_what_is_cached_old(course):
    before = course.revision
    make_class(course=course)
    assert course.revision > before
