"""Delayed probes: noted by a coin, asked a day later, scored without help, lost never."""

import datetime as dt

import pytest

from tests.factories import AT, answer_current, make_class, set_scheduling, start_session
from tests.tutor.histories import record
from tutor.practice import usecases
from tutor.practice.errors import NoMoreHints
from tutor.scheduling import monitor, probing, reasons, replaying
from tutor.scheduling.models import Decision, DelayedProbe
from tutor.tracing import rebuilding
from tutor.tracing import selectors as tracing_selectors

pytestmark = pytest.mark.django_db

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@pytest.fixture
def classroom(course, learner, monkeypatch):
    found = make_class(course=course, users=[learner.user])
    set_scheduling(found, probes=True)
    course.refresh_from_db()
    monkeypatch.setattr(probing, "SHARE", 1.0)
    return found


def practise_once(learner, course, *, at=AT):
    session = start_session(learner=learner, course=course, at=at)
    answer_current(session, at=at + MINUTE)
    usecases.finish_practice(learner=learner, session=session, at=at + 2 * MINUTE)
    return DelayedProbe.objects.get()


class TestNoting:
    def test_what_was_practised_is_asked_a_day_later(self, learner, course, classroom):
        probe = practise_once(learner, course)

        first = Decision.objects.earliest("pk")
        assert probe.practised == first
        assert probe.concept_id == first.reason_facts["concept"]
        assert probe.due_at == AT + MINUTE + DAY
        assert probe.asked is None

    def test_a_concept_waits_once_and_a_learner_for_few(self, learner, course, classroom):
        session = start_session(learner=learner, course=course)
        for number in range(1, 9):
            answer_current(session, at=AT + number * MINUTE, draw_seed=number)

        waiting = DelayedProbe.objects.values_list("concept", flat=True)
        assert 1 <= len(waiting) <= probing.MOST_WAITING
        assert len(set(waiting)) == len(waiting)

    def test_about_one_in_ten_is_noted(self):
        chosen = sum(probing.engine.toss(seed, share=0.1) for seed in range(5000))

        assert chosen == pytest.approx(500, abs=4 * (5000 * 0.1 * 0.9) ** 0.5)

    def test_a_class_that_has_not_opted_in_has_none(self, learner, course, monkeypatch):
        make_class(course=course, users=[learner.user])
        monkeypatch.setattr(probing, "SHARE", 1.0)
        session = start_session(learner=learner, course=course)

        answer_current(session, at=AT + MINUTE)

        assert not DelayedProbe.objects.exists()


class TestAsking:
    def ask(self, learner, course, *, days=1):
        probe = practise_once(learner, course)
        session = start_session(learner=learner, course=course, at=AT + days * DAY + 5 * MINUTE)
        probe.refresh_from_db()
        return probe, session

    def test_a_sitting_begins_with_it_on_another_item(self, learner, course, classroom):
        probe, session = self.ask(learner, course)

        decision = session.current
        assert decision.reason == "asked-again"
        assert probe.asked == decision
        assert probe.expected == pytest.approx(decision.reason_facts["item_prob"])
        assert decision.item_version_id != probe.practised.item_version_id
        bank = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision).bank
        assert "see what has stayed" in reasons.sentence(decision, bank)
        assert replaying.decide_again(decision).receipt() == decision.receipt

    def test_not_before_its_time_nor_long_after(self, learner, course, classroom):
        practise_once(learner, course)

        early = start_session(learner=learner, course=course, at=AT + 0.5 * DAY)
        assert early.current.reason != "asked-again"
        usecases.finish_practice(learner=learner, session=early, at=AT + 0.6 * DAY)
        late = start_session(learner=learner, course=course, at=AT + 20 * DAY)
        assert late.current.reason != "asked-again"

    def test_an_answer_without_help_scores_it(self, learner, course, classroom):
        probe, session = self.ask(learner, course)

        answer_current(session, right=False, at=AT + DAY + 6 * MINUTE)

        probe.refresh_from_db()
        assert (probe.credit, probe.answered_at) == (0.0, AT + DAY + 6 * MINUTE)

    def test_no_help_is_given_before_the_answer(self, learner, course, classroom):
        _, session = self.ask(learner, course)
        presentation = session.current.public_id

        with pytest.raises(NoMoreHints):
            usecases.take_hint(learner=learner, presentation=presentation, at=AT + DAY + 6 * MINUTE)

    def test_waits_until_the_concept_has_rested(self, learner, course, classroom):
        """Practised again meanwhile it would measure what is fresh."""
        probe = practise_once(learner, course)
        tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
        at = AT + 1.1 * DAY
        version = probe.practised.item_version
        record(learner=learner, course=course, version=version, answered_at=at - 0.2 * DAY)
        list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))

        soon = start_session(learner=learner, course=course, at=at)

        assert soon.current.reason != "asked-again"

    def test_one_that_is_never_answered_is_counted(self, learner, course, classroom):
        self.ask(learner, course)

        watched = monitor.watch(classroom=classroom, learners=[learner], at=AT + 40 * DAY)

        assert (watched.probes.lost, watched.probes.answered) == (1, 0)

    def test_the_rest_of_the_sitting_is_as_ever(self, learner, course, classroom):
        _, session = self.ask(learner, course)

        answer_current(session, at=AT + DAY + 6 * MINUTE)

        assert session.current.reason != "asked-again"
