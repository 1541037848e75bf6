"""Rebuilds, looks and switches beside workers that go on: nobody's newer state is replaced."""

import datetime as dt

import pytest
from django.db import connection

from tests.factories import AT, make_learner
from tests.tutor.histories import bulk_history, tracer_of
from tests.tutor.networks import give_network
from tests.tutor.tracing.test_deep_torn import another, answers, differing, flip, promote
from tutor.registry.models import Promotion, SwitchJob
from tutor.responses import columns as response_columns
from tutor.responses import services as response_services
from tutor.tracing import (
    deep_folding,
    deep_services,
    due,
    forward,
    rebuilding,
    selectors,
    sweep,
    switching,
    working,
)
from tutor.tracing.models import DeepPrediction, DeepState, DueLearner, LearnerState

pytestmark = pytest.mark.django_db

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def now():
    return AT + DAY


@pytest.fixture
def deep(course, learner):
    """Live, with five answers folded."""
    version = give_network(course)
    answers(learner, course, 5)
    working.work_off(now=now)
    return version


def while_it_computes(monkeypatch, act):
    """Have something happen between what the next pass reads and what it stores."""
    advance = forward.advance

    def once(**given):
        found = advance(**given)
        monkeypatch.setattr(forward, "advance", advance)
        act()
        return found

    monkeypatch.setattr(forward, "advance", once)


def rebuild(course):
    deep_folding.rebuild_everybody(tracer=tracer_of(course), now=now)


class TestRebuild:
    def test_replaces_no_newer_state(self, deep, course, learner, monkeypatch):
        def answer():
            answers(learner, course, 1, start=8)
            assert working.work_off(now=now) == 1

        while_it_computes(monkeypatch, answer)
        rebuild(course)

        assert DeepState.objects.get().n_responses == 6
        assert differing(course) == []

    def test_is_not_undone_by_a_pass_that_began_before(self, deep, course, learner, monkeypatch):
        wrong = self.state_of_somebody_else(course)
        DeepState.objects.filter(learner=learner).update(state=wrong)
        assert differing(course) == [learner.pk]
        answers(learner, course, 1, start=8)
        held = due.claim(size=8)
        while_it_computes(monkeypatch, lambda: rebuild(course))

        assert working.advance_held(held, now=now) == 0
        working.work_off(now=now)
        assert not DueLearner.objects.exists()
        assert differing(course) == []

    def state_of_somebody_else(self, course):
        other = make_learner(organisation=course.organisation)
        answers(other, course, 2)
        working.work_off(now=now)
        return bytes(DeepState.objects.get(learner=other).state)

    def test_whoever_had_no_state_is_looked_at_afterwards(
        self, deep, course, organisation, monkeypatch
    ):
        """Two first states: neither has a row that could be compared."""
        other = make_learner(organisation=organisation)
        answers(other, course, 1)
        lock = deep_services._lock_states

        def then_a_worker(**given):
            found = lock(**given)
            monkeypatch.setattr(deep_services, "_lock_states", lock)
            answers(other, course, 1, start=1)
            working.work_off(now=now)
            return found

        monkeypatch.setattr(deep_services, "_lock_states", then_a_worker)
        rebuild(course)

        assert DueLearner.objects.get().learner == other
        working.work_off(now=now)
        assert differing(course) == []


class TestLiveVersion:
    @pytest.fixture
    def floors(self, deep, learner):
        floors = {"1": ["mastered", AT.timestamp()]}
        LearnerState.objects.update(floors=floors)
        return floors

    def test_a_look_at_it_writes_nothing(self, deep, course, floors, monkeypatch):
        monkeypatch.setattr(rebuilding, "fold", None)
        monkeypatch.setattr(forward, "advance", None)
        job = SwitchJob.objects.create(
            course=course, kind=SwitchJob.Kind.COMPARE, tracer=deep, asked_at=AT
        )
        switching.work(at=AT)

        job.refresh_from_db()
        assert (job.finished_at is not None, job.problem) == (True, "")
        assert job.difference
        assert LearnerState.objects.get().floors == floors

    def test_promoted_again_nobody_s_floors_fall(self, deep, course, floors):
        promote(course, deep)

        assert LearnerState.objects.get().floors == floors
        assert Promotion.objects.filter(tracer=deep).count() == 2

    def test_promoted_again_whoever_is_behind_is_folded(self, deep, course, organisation, floors):
        other = make_learner(organisation=organisation)
        bulk_history(learner=other, course=course, size=4)
        promote(course, deep)

        assert LearnerState.objects.get(learner=other).n_responses == 4
        assert [row.learner for row in DueLearner.objects.all()] == [other]


class TestSwitch:
    def test_counts_nobody_s_answers_under_the_locks(
        self, deep, course, learner, organisation, monkeypatch
    ):
        """Everybody who practises waits meanwhile, and counting takes as long as the log is."""
        answers(make_learner(organisation=organisation), course, 2)
        working.work_off(now=now)
        outside, seen = len(connection.savepoint_ids), []

        def note(owner, name):
            original = getattr(owner, name)

            def noted(*args, **given):
                if len(connection.savepoint_ids) > outside:
                    seen.append(given.get("learner_ids"))
                return original(*args, **given)

            monkeypatch.setattr(owner, name, noted)

        note(response_columns, "count_standing")
        note(selectors, "list_deep_behind")
        note(selectors, "list_deep_torn")
        of_both, lock = [], response_services.lock_learners

        def answer_then_lock(*, learner_ids):
            of_both.extend([1] if len(learner_ids) == 2 else [])
            # While everybody was folded, to catch up, and at the switch.
            if len(of_both) == 3:
                of_both.append(1)
                answers(learner, course, 1, start=8)
            lock(learner_ids=learner_ids)

        monkeypatch.setattr(response_services, "lock_learners", answer_then_lock)
        promote(course, another(course))

        assert None not in seen
        assert {pk for given in seen for pk in given} == {learner.pk}

    @pytest.mark.parametrize("how", ["answered", "corrected"])
    def test_marks_whoever_was_behind_before_it_and_in_it(self, how, deep, course, learner):
        def meanwhile(_):
            if how == "answered":
                answers(learner, course, 1, start=8)
            else:
                flip(learner.responses.order_by("pk")[0], course)
            DueLearner.objects.all().delete()

        promote(course, another(course), looking=meanwhile)

        assert DueLearner.objects.get().learner == learner
        working.work_off(now=now)
        assert differing(course) == []


class TestOlderRowsThanTheFilterHas:
    """An import brings somebody's earlier answers while they practise."""

    @pytest.fixture
    def lagging(self, deep, course, learner):
        bulk_history(learner=learner, course=course, size=3, start=AT - 30 * DAY)
        answers(learner, course, 1, start=8)
        assert LearnerState.objects.get().n_responses == 6
        return learner

    def test_are_not_folded_again_and_again(self, lagging, course, monkeypatch):
        passes, advance = [], forward.advance
        monkeypatch.setattr(
            forward, "advance", lambda **given: passes.append(1) or advance(**given)
        )
        working.work_off(now=now, turn_s=3)

        # Its state is torn; then it is made anew, and what lags is the filter.
        assert len(passes) == 2
        assert DeepState.objects.get().n_responses == 9
        assert not DueLearner.objects.exists()
        assert LearnerState.objects.get().stale_since is not None

    def test_are_folded_by_the_filter_and_predicted_from(self, lagging, course):
        working.work_off(now=now)
        assert DeepPrediction.objects.latest("pk").n_responses == 5
        sweep.refold_stale(at=AT + DAY)
        working.work_off(now=now)

        assert LearnerState.objects.get().n_responses == 9
        assert DeepPrediction.objects.latest("pk").n_responses == 9
        assert differing(course) == []
