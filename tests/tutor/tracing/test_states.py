"""Learner states: always the fold of the log, whatever the order in which answers come."""

import datetime as dt
import random
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import AT, make_course, make_learner, make_organisation
from tests.tutor.histories import (
    all_equal,
    bulk_history,
    moments,
    record,
    trace,
    tracer_of,
    versions_of,
)
from tutor.responses import services as response_services
from tutor.tracing import engine, rebuilding, selectors, services, sweep
from tutor.tracing.models import LearnerState

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HOUR = dt.timedelta(hours=1)


def random_history(*, learner, course, seed, size=40):
    """Answers, retries, answers with hints and corrections; some late. All traced as they come."""
    rng, versions = random.Random(seed), versions_of(course)
    recorded = []
    for moment, _ in zip(moments(rng), range(size), strict=False):
        if recorded and rng.random() < 0.15:
            wrong = recorded.pop(rng.randrange(len(recorded)))
            response = response_services.record_correction(
                learner=learner,
                corrected=wrong,
                is_correct=not wrong.is_correct,
                credit=1.0 - wrong.credit,
                client_key=uuid.uuid4(),
                received_at=moment,
                source="teacher",
            )
        else:
            credit = rng.choice([0.0, 0.0, 0.5, 1.0, 1.0])
            response = record(
                learner=learner,
                course=course,
                version=rng.choice(versions),
                credit=credit,
                is_correct=credit == 1.0,
                answered_at=moment,
                attempt=rng.choice([1, 1, 1, 2]),
                hints_seen=rng.choice([0, 0, 1]),
            )
            recorded.append(response)
        trace(response, course=course)


class TestAdvance:
    @pytest.mark.parametrize("seed", range(6))
    def test_equals_the_fold_of_the_log_whatever_the_order(self, organisation, course, seed):
        learners = [make_learner(organisation=organisation) for _ in range(2)]

        for number, learner in enumerate(learners):
            random_history(learner=learner, course=course, seed=100 * seed + number)

        assert all_equal(course) == {learner.pk: True for learner in learners}

    def test_depends_on_the_order_of_the_answers(self, organisation, course):
        """The partner of the test above: a fold that ignored the order would pass that one."""
        version = versions_of(course)[0]
        states = set()
        for first_right in (True, False):
            learner = make_learner(organisation=organisation)
            for right, moment in ((first_right, AT), (not first_right, AT + 50 * HOUR)):
                response = record(
                    learner=learner,
                    course=course,
                    version=version,
                    is_correct=right,
                    credit=float(right),
                    answered_at=moment,
                )
                trace(response, course=course)
            states.add(bytes(LearnerState.objects.get(learner=learner).state))

        assert len(states) == 2

    def test_folds_an_answer_in_order_without_reading_the_history(self, learner, course):
        version = versions_of(course)[0]
        queries = []
        for number in range(30):
            response = record(
                learner=learner, course=course, version=version, answered_at=AT + number * HOUR
            )
            response.item_version.item  # noqa: B018 - at hand, as in practice
            tracer_of(course)
            with CaptureQueriesContext(
                connection,
            ) as captured:
                trace(response, course=course)
            # What a proof of mastery is held against, the rules once and its steps, comes beside.
            queries.append(
                sum(
                    "award" not in query["sql"] and "classes_classroom" not in query["sql"]
                    for query in captured
                )
            )
            assert not number or not any(
                "responses_response" in query["sql"] for query in captured.captured_queries
            )

        assert len(set(queries[2:])) == 1

    def test_takes_a_late_answer_in_its_place_at_once(self, learner, course):
        version = versions_of(course)[0]
        for moment in (AT, AT + 2 * HOUR):
            trace(
                record(learner=learner, course=course, version=version, answered_at=moment),
                course=course,
            )

        late = trace(
            record(
                learner=learner,
                course=course,
                version=version,
                answered_at=AT + HOUR,
                received_at=AT + 3 * HOUR,
            ),
            course=course,
        )

        assert not late.is_stale
        assert all_equal(course) == {learner.pk: True}
        assert LearnerState.objects.get().n_responses == 3

    def test_has_no_upward_evidence_in_a_second_try(self, learner, course):
        version = versions_of(course)[0]
        for attempt, right in ((1, False), (2, True)):
            response = record(
                learner=learner,
                course=course,
                version=version,
                attempt=attempt,
                is_correct=right,
                credit=float(right),
                answered_at=AT + attempt * HOUR,
            )
            trace(response, course=course)

        tracer = tracer_of(course)
        state = selectors.get_state(learner_id=learner.pk, tracer=tracer)
        [mastery] = [
            m
            for m in selectors.masteries_of(tracer, state, at=AT + 3 * HOUR).values()
            if m.evidence_n
        ]
        assert mastery.evidence_n == 1
        before = engine.start(tracer)
        assert state.filter.ability_mean < before.filter.ability_mean


class TestStaleHistory:
    @pytest.fixture
    def long(self, learner, course, monkeypatch):
        """A learner with a history longer than what is folded again at once."""
        monkeypatch.setattr(services, "REFOLD_AT_ONCE", 20)
        bulk_history(learner=learner, course=course, size=30)
        for _ in rebuilding.fold_everybody(tracer=tracer_of(course)):
            pass
        return learner

    def late(self, learner, course):
        return trace(
            record(
                learner=learner,
                course=course,
                version=versions_of(course)[0],
                is_correct=False,
                credit=0.0,
                answered_at=AT - HOUR,
                received_at=AT + HOUR,
            ),
            course=course,
        )

    def test_is_marked_and_waits(self, long, course):
        before = bytes(LearnerState.objects.get().state)

        advanced = self.late(long, course)

        assert advanced.is_stale
        assert LearnerState.objects.get().stale_since == AT + HOUR
        assert bytes(LearnerState.objects.get().state) == before
        assert all_equal(course) == {long.pk: False}

    def test_goes_on_with_what_comes_in_order(self, long, course):
        self.late(long, course)
        before = bytes(LearnerState.objects.get().state)

        response = record(
            learner=long,
            course=course,
            version=versions_of(course)[0],
            answered_at=AT + 20 * HOUR,
        )
        advanced = trace(response, course=course)

        stored = LearnerState.objects.get()
        assert advanced.after.to_bytes() == bytes(stored.state) != before
        assert stored.stale_since is not None

    def test_is_folded_by_the_sweep(self, long, course):
        self.late(long, course)
        trace(
            record(
                learner=long,
                course=course,
                version=versions_of(course)[0],
                answered_at=AT + 20 * HOUR,
            ),
            course=course,
        )

        assert sweep.refold_stale(at=AT) == 1

        assert all_equal(course) == {long.pk: True}
        stored = LearnerState.objects.get()
        assert (stored.stale_since, stored.n_responses) == (None, 32)
        assert sweep.refold_stale(at=AT) == 0

    def test_is_swept_in_every_course_with_a_tracer(self, long, course):
        make_course(organisation=make_organisation())
        self.late(long, course)

        assert sweep.refold_stale(at=AT) == 1


class TestSize:
    def test_is_the_same_for_10_and_10000_answers(self, organisation, course):
        tracer = tracer_of(course)
        sizes = {}
        for size in (engine.RECENT_ANSWERS, 10_000):
            learner = make_learner(organisation=organisation)
            bulk_history(learner=learner, course=course, size=size)
            list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))
            sizes[size] = len(LearnerState.objects.get(learner=learner).state)

        # What differs is which of the three concepts were ever mastered: 8 bytes each.
        assert abs(sizes[10_000] - sizes[engine.RECENT_ANSWERS]) <= 3 * 8
        assert sizes[10_000] < 6 * 1024


class TestTracedLearner:
    def test_tells_another_try_from_a_new_showing(self, learner, course):
        for minute, attempt in ((0, 1), (1, 2), (12, 1)):
            record(
                learner=learner,
                course=course,
                version=versions_of(course)[0],
                is_correct=False,
                credit=0.0,
                attempt=attempt,
                answered_at=AT + dt.timedelta(minutes=minute),
            )
        list(rebuilding.fold(tracer=tracer_of(course), learner_ids=[learner.pk]))
        state = engine.TracedLearner.from_bytes(bytes(LearnerState.objects.get().state))

        assert state.recent["again"].tolist() == [False, True, False]

        # Of a state of before, by the time between.
        old = state.recent[["item", "at", "credit"]].astype(
            [("item", "<i4"), ("at", "<f8"), ("credit", "<f4")]
        )
        start = 12 + state.recent.nbytes
        raw = state.to_bytes()
        before = b"TLS2" + raw[4:12] + old.tobytes() + raw[start:]
        assert engine.TracedLearner.from_bytes(before).to_bytes() == raw

    def test_comes_back_from_its_bytes(self, learner, course):
        random_history(learner=learner, course=course, seed=3)
        raw = bytes(LearnerState.objects.get().state)

        assert engine.TracedLearner.from_bytes(raw).to_bytes() == raw

    def test_refuses_other_bytes(self):
        with pytest.raises(ValueError, match="rebuild_states"):
            engine.TracedLearner.from_bytes(b"XXXX" + bytes(60))


class TestMasteries:
    def test_are_read_for_a_class_with_one_query(self, organisation, course):
        learners = [make_learner(organisation=organisation) for _ in range(5)]
        for learner in learners[:4]:
            random_history(learner=learner, course=course, seed=learner.pk, size=5)
        tracer_of(course)
        # What teachers say is read once per revision of the course.
        selectors.list_masteries(learners=learners[:1], course=course, at=AT + 900 * HOUR)

        with CaptureQueriesContext(connection) as captured:
            found = selectors.list_masteries(learners=learners, course=course, at=AT + 900 * HOUR)

        assert len(captured) == 1
        for learner in learners:
            assert found[learner.pk] == selectors.get_masteries(
                learner=learner, course=course, at=AT + 900 * HOUR
            )
        assert {m.evidence_n for m in found[learners[4].pk].values()} == {0}

    def test_stand_in_teaching_order(self, learner, course):
        tracer = tracer_of(course)
        found = selectors.get_masteries(learner=learner, course=course, at=AT)

        assert list(found) == tracer.bank.concept_ids.tolist()


class TestFindDifferences:
    def test_sees_a_position_that_is_not_the_log_s(self, learner, course):
        random_history(learner=learner, course=course, seed=4)
        tracer = tracer_of(course)
        assert dict(rebuilding.find_differences(tracer=tracer)) == {learner.pk: True}

        LearnerState.objects.filter(learner=learner).update(last_response_id=1)

        assert dict(rebuilding.find_differences(tracer=tracer)) == {learner.pk: False}
