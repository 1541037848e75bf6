"""Decisions: stored with all that is needed to make them again, and said in a sentence."""

import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest
from django.db import OperationalError

from curriculum.scheduler import FinishCode, ReasonCode, ReceiptDiffers, replay
from tests.factories import (
    AT,
    answer_current,
    make_assignment,
    make_class,
    set_scheduling,
    start_session,
)
from tests.tutor.histories import tracer_of
from tutor.content import course_format
from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.content.models import Concept, Item
from tutor.scheduling import engine, reasons, replaying, ruling
from tutor.scheduling.models import Decision
from tutor.scheduling.rule_values import Order
from tutor.tracing import engine as tracing_engine
from tutor.tracing import services as tracing_services

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
DEMO_COURSE = course_format.__file__.rsplit("/", 1)[0] + "/demo_course"


def practise(learner, course, *, sessions=4, **fields):
    """Sessions on several days, with some wrong answers."""
    for day in range(sessions):
        session = start_session(
            learner=learner, course=course, at=AT + day * DAY, draw_seed=day, **fields
        )
        number = 0
        while session.finished_at is None:
            number += 1
            at = AT + day * DAY + number * dt.timedelta(minutes=1)
            answer_current(session, right=number % 4 != 0, at=at, draw_seed=1000 * day + number)


class TestReceipt:
    def test_is_made_again_from_the_log_and_the_seed(self, learner, course):
        practise(learner, course)

        decisions = list(Decision.objects.order_by("pk"))
        for decision in decisions:
            again = replaying.decide_again(decision)
            assert again.receipt() == decision.receipt

        assert len(decisions) > 30
        assert len({decision.reason for decision in decisions}) > 2

    def test_is_made_again_for_an_assignment(self, learner, course):
        classroom = make_class(course=course, users=[learner.user])
        assignment = make_assignment(
            classroom=classroom,
            concepts=Concept.objects.filter(slug__in=["adding", "doubling"]),
            items_per_session=5,
        )
        course.refresh_from_db()
        practise(learner, course, sessions=2, assignment=assignment)

        for decision in Decision.objects.order_by("pk"):
            replaying.decide_again(decision)

    def test_is_not_made_from_another_situation(self, learner, course):
        practise(learner, course, sessions=1)
        decision = Decision.objects.exclude(item_version=None).latest("pk")
        situation = replaying.situation_of(decision)

        with pytest.raises(ReceiptDiffers):
            replay(
                dataclasses.replace(
                    situation, logit_mean=situation.logit_mean + 1.0, prob=situation.prob * 0.5
                ),
                receipt=decision.receipt,
            )

    def test_says_what_the_row_says(self, learner, course):
        practise(learner, course, sessions=1)

        for decision in Decision.objects.exclude(item_version=None):
            receipt = decision.receipt
            assert receipt["item"] == decision.item_version.item_id
            assert receipt["seed"] == decision.seed
            assert receipt["propensity"] == pytest.approx(decision.propensity, abs=1e-6)
            assert 0 < decision.propensity <= 1
            assert receipt["reason"]["code"] == decision.reason
            assert sum(receipt["arms"]["propensity"]) == pytest.approx(1, abs=1e-4)
            assert decision.tracer.course == course

    def test_is_the_same_for_the_same_seed(self, learner, course):
        tracer = tracer_of(course)
        state = tracing_services.open_state(learner_id=learner.pk, tracer=tracer).learner
        seen = tracing_engine.see(tracer, state, at=AT.timestamp())
        plan = engine.Plan(goal_concepts=(), answered=0, planned=10)

        def choose(seed):
            return engine.choose(
                tracer=tracer,
                seen=seen,
                plan=plan,
                conduct=engine.Conduct(explores=True),
                recent=engine.Recent(),
                at=AT.timestamp(),
                seed=seed,
            )

        assert choose(5).receipt() == choose(5).receipt()
        assert len({choose(seed).item_id for seed in range(30)}) > 1

    def test_is_small_on_the_demo_course(self, organisation, learner):
        spec, problems = course_format.read_structure(Path(DEMO_COURSE))
        assert problems == []
        course = content_services.load_course(organisation=organisation, spec=spec).course
        tracing_services.give_prior_tracer(course=course, at=AT)
        course.refresh_from_db()
        practise_wrong_and_right(learner, course)

        sizes = [len(json.dumps(decision.receipt)) for decision in Decision.objects.all()]
        assert len(sizes) > 20
        assert max(sizes) < 4096


def practise_wrong_and_right(learner, course):
    """Twenty answers on the demo course, each the key of its item."""
    for day in range(2):
        session = start_session(learner=learner, course=course, at=AT + day * DAY, draw_seed=day)
        while session.finished_at is None:
            answer_current(session, at=AT + day * DAY, draw_seed=session.n_answered)


class TestSentence:
    @pytest.fixture
    def bank(self, course):
        return content_selectors.get_bank(course_id=course.pk, revision=course.revision)

    @pytest.mark.parametrize("code", list(ReasonCode))
    @pytest.mark.parametrize("facts", [{}, {"evidence_n": 3, "days_since": 9.5}])
    def test_is_one_for_every_reason(self, bank, code, facts):
        adding, doubling, _ = bank.concept_ids.tolist()
        decision = Decision(
            item_version_id=1,
            reason=code.value,
            reason_facts={"concept": doubling, "for_concept": adding, **facts},
        )

        text = reasons.sentence(decision, bank)

        assert code.value in reasons.CHIPS
        assert text[0].isupper() or text[0] == "“"
        assert text.endswith(".")
        assert text.count(". ") == 0
        assert not text.startswith("Next:")
        assert "this topic" not in text.lower()
        assert "None" not in text

    @pytest.mark.parametrize("code", [*FinishCode, "stopped", "switched"])
    def test_is_one_for_every_finish(self, bank, code):
        text = reasons.sentence(Decision(reason=str(code)), bank)

        assert text == reasons.FINISHES[str(code)]
        assert text.endswith(".")

    def test_survives_a_concept_that_is_gone(self, bank):
        decision = Decision(item_version_id=1, reason="practise", reason_facts={"concept": 10**9})

        assert "this topic" in reasons.sentence(decision, bank).lower()


class TestFaults:
    """A mistake in the choice, or in what it is made from, ends no lesson."""

    @pytest.mark.parametrize(
        "broken_at",
        [
            "tutor.scheduling.conduct.find_conduct",
            "tutor.scheduling.conduct.conduct_of",
            "tutor.scheduling.plans.resting_of",
            "tutor.scheduling.looking_back.find_recent",
            "tutor.scheduling.engine._memory",
            "tutor.scheduling.engine.count_attempts",
            "tutor.scheduling.engine._item_minutes",
            "tutor.scheduling.engine._recent_answers",
            "curriculum.scheduler.arms.look_ahead",
            "curriculum.scheduler.deciding.assess",
        ],
    )
    def test_the_courses_order_stands_in(self, learner, course, monkeypatch, broken_at):
        def broken(*_, **__):
            raise ZeroDivisionError("injected")

        monkeypatch.setattr(broken_at, broken)
        session = start_session(learner=learner, course=course, draw_seed=3)
        first = session.current
        answer_current(session, right=True, at=AT + dt.timedelta(minutes=1), draw_seed=4)

        for decision in (first, session.current):
            assert (decision.fallback, decision.propensity) == ("error", 1.0)
            assert decision.receipt["fallback"] == "ZeroDivisionError: injected"
            assert decision.item_version is not None
        assert first.item_version.item_id == Item.objects.filter(course=course).first().pk
        assert session.current.item_version_id != first.item_version_id

    def test_even_where_the_estimates_are_broken(self, learner, course, monkeypatch):
        def unreadable(*_, **__):
            raise ValueError("no estimates")

        monkeypatch.setattr("tutor.scheduling.engine.make_situation", unreadable)
        monkeypatch.setattr("tutor.scheduling.fallback._mastery", unreadable)

        decision = start_session(learner=learner, course=course, draw_seed=3).current

        assert (decision.fallback, decision.propensity) == ("error", 1.0)
        assert decision.receipt["fallback"] == "ValueError: no estimates"

    def test_even_where_the_goal_and_the_rules_cannot_be_found(self, learner, course, monkeypatch):
        """What is asked for is unknown then, so that it is the course; its dates still hold."""
        classroom = make_class(course=course, users=[learner.user])
        assignment = make_assignment(
            classroom=classroom, concepts=Concept.objects.filter(slug="doubling")
        )
        course.refresh_from_db()

        def broken(*_, **__):
            raise KeyError("injected")

        monkeypatch.setattr("tutor.classes.selectors.get_goal_concepts", broken)
        with monkeypatch.context() as more:
            more.setattr("tutor.scheduling.conduct.find_conduct", broken)
            more.setattr("tutor.scheduling.conduct.list_rules", broken)
            first = start_session(
                learner=learner, course=course, assignment=assignment, draw_seed=3
            ).current

        assert (first.fallback, first.propensity) == ("error", 1.0)
        assert first.receipt["fallback"] == "KeyError: 'injected'"
        assert first.item_version.item_id == Item.objects.filter(course=course).first().pk
        assert first.assignment == assignment

    def test_a_probe_that_cannot_be_looked_up_ends_no_lesson(self, learner, course, monkeypatch):
        set_scheduling(make_class(course=course, users=[learner.user]), probes=True)
        course.refresh_from_db()

        def broken(*_, **__):
            raise ValueError("no probes")

        monkeypatch.setattr("tutor.scheduling.selectors.list_due_probes", broken)

        decision = start_session(learner=learner, course=course, draw_seed=3).current

        assert (decision.fallback, decision.propensity) == ("error", 1.0)
        assert decision.receipt["fallback"] == "ValueError: no probes"

    def test_a_teachers_ban_holds_though_the_settings_cannot_be_found(
        self, learner, course, organisation, monkeypatch
    ):
        classroom = make_class(course=course, users=[learner.user])
        first = Item.objects.filter(course=course).first()
        ruling.set_rule(
            classroom=classroom, order=Order(kind="ban", item=first), actor=None, at=AT - HOUR
        )
        course.refresh_from_db()

        def broken(*_, **__):
            raise ZeroDivisionError("injected")

        monkeypatch.setattr("tutor.scheduling.conduct.find_conduct", broken)

        decision = start_session(learner=learner, course=course, draw_seed=3).current

        assert decision.fallback == "error"
        assert decision.item_version.item_id != first.pk
        assert len(decision.steering) == 1

    @pytest.mark.parametrize(
        "broken_at",
        [
            "tutor.scheduling.conduct.find_conduct",
            "tutor.scheduling.conduct.conduct_of",
            "tutor.classes.selectors.get_goal_concepts",
            "tutor.scheduling.selectors.list_due_probes",
            "tutor.scheduling.looking_back.find_recent",
            "tutor.scheduling.engine._memory",
        ],
    )
    def test_an_error_of_the_database_rolls_everything_back(
        self, learner, course, monkeypatch, broken_at
    ):
        """After it nothing can be stored on PostgreSQL: half an answer would be lost."""
        classroom = make_class(course=course, users=[learner.user])
        set_scheduling(classroom, probes=True)
        assignment = make_assignment(classroom=classroom)
        course.refresh_from_db()

        def broken(*_, **__):
            raise OperationalError("gone")

        monkeypatch.setattr(broken_at, broken)

        with pytest.raises(OperationalError, match="gone"):
            start_session(learner=learner, course=course, assignment=assignment, draw_seed=3)

        assert not Decision.objects.exists()
