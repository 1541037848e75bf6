"""Deep states: what workers fold piece by piece is what the log gives at once."""

import datetime as dt
import random

import numpy as np
import pytest
from django.db import DataError, OperationalError
from django.db.models import F

from tests.factories import AT, make_course, make_learner, make_organisation
from tests.tutor.histories import bulk_history, correct, record, trace, tracer_of, versions_of
from tests.tutor.networks import give_network
from tutor.common import cache
from tutor.tracing import deep_checking, deep_folding, due, rebuilding, selectors, working
from tutor.tracing.deep import Shifts, lay_over
from tutor.tracing.models import DeepPrediction, DeepState, DueLearner

pytestmark = pytest.mark.django_db

NOW = AT + dt.timedelta(days=2)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


def now():
    return NOW


def lost(*_, **__):
    """End as a process that is killed does: nothing is caught and nothing let go of."""
    raise SystemExit


@pytest.fixture
def deep_course(course):
    give_network(course)
    return course


def answer(learner, course, *, at, version=None, **fields):
    version = version or versions_of(course)[0]
    response = record(learner=learner, course=course, version=version, answered_at=at, **fields)
    trace(response, course=course)
    return response


def age_claims(by):
    """As if the claims had been made so long ago, or by a clock that was ahead."""
    DueLearner.objects.filter(claim__isnull=False).update(claimed_at=F("claimed_at") - by)


def all_alike(course):
    return dict(deep_checking.find_differences(tracer=tracer_of(course), now=NOW))


def test_an_answer_marks_its_learner(deep_course, learner):
    answer(learner, deep_course, at=AT)
    answer(learner, deep_course, at=AT + MINUTE)

    [row] = DueLearner.objects.all()
    assert (row.learner, row.course, row.marks, row.refold) == (learner, deep_course, 2, False)


def test_nobody_is_marked_without_a_network(course, learner):
    answer(learner, course, at=AT)

    assert not DueLearner.objects.exists()


def test_a_worker_strikes_off_what_it_did(deep_course, learner):
    answer(learner, deep_course, at=AT)

    assert working.work_off(now=now) == 1

    assert not DueLearner.objects.exists()
    state = DeepState.objects.get()
    prediction = DeepPrediction.objects.get()
    assert (state.learner, state.n_responses) == (learner, 1)
    assert (prediction.n_responses, prediction.made_at) == (1, NOW)
    shifts = Shifts.from_bytes(bytes(prediction.shifts))
    assert len(shifts.version_ids) > 0
    assert all_alike(deep_course) == {learner.pk: True}


def test_states_in_pieces_are_those_of_the_whole_log(deep_course, organisation):
    rng = random.Random(1)
    learners = [make_learner(organisation=organisation) for _ in range(6)]
    versions = versions_of(deep_course)
    for step in range(60):
        learner = rng.choice(learners)
        answer(
            learner,
            deep_course,
            at=AT + step * MINUTE,
            version=rng.choice(versions),
            is_correct=(right := rng.random() < 0.6),
            credit=float(right),
            hints_seen=int(rng.random() < 0.2),
            is_pilot=rng.random() < 0.1,
        )
        if step % 7 == 0:
            working.work_off(size=4, now=now)
    working.work_off(now=now)

    found = all_alike(deep_course)
    assert len(found) == 6
    assert all(found.values())
    assert not DueLearner.objects.exists()


def test_long_histories_are_folded_in_segments(deep_course, learner, organisation, monkeypatch):
    monkeypatch.setattr("tutor.tracing.forward.SEGMENT", 16)
    other = make_learner(organisation=organisation)
    bulk_history(learner=learner, course=deep_course, size=150)
    bulk_history(learner=other, course=deep_course, size=3)
    tracer = tracer_of(deep_course)
    list(rebuilding.fold_everybody(tracer=tracer))
    deep_folding.mark_behind(tracer=tracer, at=NOW)
    working.work_off(now=now)
    monkeypatch.undo()

    assert all_alike(deep_course) == {learner.pk: True, other.pk: True}


def test_an_answer_out_of_order_begins_anew(deep_course, learner):
    for step in (0, 2):
        answer(learner, deep_course, at=AT + step * MINUTE)
    working.work_off(now=now)
    answer(learner, deep_course, at=AT + MINUTE, is_correct=False, credit=0.0)

    assert DueLearner.objects.get().refold
    working.work_off(now=now)

    assert all_alike(deep_course) == {learner.pk: True}
    assert DeepState.objects.get().n_responses == 3


def test_a_correction_begins_anew(deep_course, learner):
    first = answer(learner, deep_course, at=AT)
    answer(learner, deep_course, at=AT + MINUTE)
    working.work_off(now=now)
    before = bytes(DeepState.objects.get().state)
    trace(correct(first), course=deep_course)

    working.work_off(now=now)

    assert bytes(DeepState.objects.get().state) != before
    assert all_alike(deep_course) == {learner.pk: True}


def test_pilots_are_passed_over_but_counted(deep_course, learner):
    answer(learner, deep_course, at=AT)
    working.work_off(now=now)
    before = DeepState.objects.get()
    answer(learner, deep_course, at=AT + MINUTE, is_pilot=True)
    working.work_off(now=now)

    after = DeepState.objects.get()
    assert bytes(after.state) == bytes(before.state)
    assert (before.n_responses, after.n_responses) == (1, 2)
    assert DeepPrediction.objects.order_by("-pk")[0].n_responses == 2


def test_items_that_came_later_are_known_by_what_came_before(course, learner):
    versions = versions_of(course)
    give_network(course, versions=versions[:-2])
    answer(learner, course, at=AT, version=versions[-1])

    working.work_off(now=now)

    told = Shifts.from_bytes(bytes(DeepPrediction.objects.get().shifts)).version_ids
    assert not {versions[-1].pk, versions[-2].pk} & set(told.tolist())
    assert all_alike(course) == {learner.pk: True}


class TestPooling:
    def test_a_prediction_changes_estimates_by_its_weight(self, deep_course, learner):
        answer(learner, deep_course, at=AT)
        alone = selectors.get_masteries(learner=learner, course=deep_course, at=NOW)
        working.work_off(now=now)
        pooled = selectors.get_masteries(learner=learner, course=deep_course, at=NOW)

        tracer = tracer_of(deep_course)
        found = selectors.get_prediction(learner_id=learner.pk, tracer=tracer)
        _, concepts, _ = lay_over(found.shifts, tracer.bank)
        for index, pk in enumerate(tracer.bank.concept_ids.tolist()):
            moved = _logit(pooled[pk].prob) - _logit(alone[pk].prob)
            assert moved == pytest.approx(concepts[index], abs=1e-9)
        assert np.abs(concepts).max() > 0.05

    def test_without_network_and_workers_all_is_as_before(self, course, learner):
        answer(learner, course, at=AT)
        before = selectors.get_masteries(learner=learner, course=course, at=NOW)
        give_network(course)
        cache.clear_all()
        # Nobody is folded under the new version yet: the filter begins anew and nothing fails.
        list(rebuilding.fold_everybody(tracer=tracer_of(course)))

        assert selectors.get_masteries(learner=learner, course=course, at=NOW) == before


def _logit(prob):
    return np.log(prob / (1 - prob))


class TestClaims:
    def test_two_workers_never_have_the_same_learner(self, deep_course, organisation):
        for _ in range(5):
            answer(make_learner(organisation=organisation), deep_course, at=AT)
        one = due.claim(size=3)
        other = due.claim(size=3)

        assert len(one.marks) == 3
        assert len(other.marks) == 2
        assert not one.marks.keys() & other.marks.keys()
        assert due.claim(size=3) is None

    def test_an_answer_during_the_pass_stays_due(self, deep_course, learner):
        answer(learner, deep_course, at=AT)
        held = due.claim(size=8)
        answer(learner, deep_course, at=AT + MINUTE)
        working.advance_held(held, now=now)

        row = DueLearner.objects.get()
        assert row.claim is None
        assert working.work_off(now=now) == 1
        assert not DueLearner.objects.exists()
        assert all_alike(deep_course) == {learner.pk: True}

    @pytest.mark.parametrize("ago", [dt.timedelta(minutes=2), -dt.timedelta(hours=1)])
    def test_a_dead_workers_claim_is_void(self, deep_course, learner, ago):
        answer(learner, deep_course, at=AT)
        due.claim(size=8)
        assert due.claim(size=8) is None
        age_claims(ago)

        assert due.claim(size=8) is not None

    def test_a_late_worker_stores_nothing(self, deep_course, learner):
        answer(learner, deep_course, at=AT)
        late = due.claim(size=8)
        age_claims(2 * due.claim_lasts())
        due.claim(size=8)

        assert working.advance_held(late, now=now) == 0
        assert not DeepState.objects.exists()


class TestPoison:
    @pytest.fixture
    def learners(self, deep_course, organisation):
        found = [make_learner(organisation=organisation) for _ in range(7)]
        for one in found:
            answer(one, deep_course, at=AT)
        return found

    @pytest.fixture
    def poisoned(self, learners, deep_course, monkeypatch):
        """The fourth learner's stored state is of another network: unpacking it raises."""
        working.work_off(now=now)
        bad = learners[3]
        row = DeepState.objects.get(learner=bad)
        row.state = bytes(row.state)[:-4]
        row.save()
        for one in learners:
            answer(one, deep_course, at=AT + MINUTE)
        return bad

    def test_neighbours_go_on(self, learners, poisoned, deep_course):
        assert working.work_off(now=now) == 6

        [row] = DueLearner.objects.all()
        assert row.learner == poisoned
        assert row.quarantined_at == NOW
        assert "bytes" in row.error
        assert all(ok for pk, ok in all_alike(deep_course).items() if pk != poisoned.pk)

    def test_released_it_begins_anew(self, learners, poisoned, deep_course):
        working.work_off(now=now)
        answer(poisoned, deep_course, at=AT + 2 * MINUTE)
        assert working.work_off(now=now) == 0

        assert due.release(course_id=deep_course.pk) == 1
        assert working.work_off(now=now) == 1
        assert all_alike(deep_course)[poisoned.pk]

    def test_after_an_hour_they_are_tried_again_alone(self, learners, poisoned, deep_course):
        working.work_off(now=now)
        assert due.try_again(now=NOW + dt.timedelta(minutes=50)) == 0
        assert due.try_again(now=NOW + dt.timedelta(minutes=70)) == 1

        assert working.work_off(now=now) == 1
        assert all_alike(deep_course)[poisoned.pk]

    def test_a_correction_releases(self, learners, poisoned, deep_course):
        working.work_off(now=now)
        first = poisoned.responses.order_by("pk").first()
        trace(correct(first), course=deep_course)

        assert working.work_off(now=now) == 1
        assert all_alike(deep_course)[poisoned.pk]

    def test_what_breaks_for_all_is_nobodys_fault(self, learners, deep_course, monkeypatch):
        def broken(**_):
            raise ValueError("the pass itself")

        monkeypatch.setattr("tutor.tracing.forward.advance", broken)
        with pytest.raises(ValueError, match="the pass itself"):
            working.work_off(now=now)

        rows = DueLearner.objects.all()
        assert len(rows) == 7
        assert all(row.claim is None and not row.tries and not row.quarantined_at for row in rows)

    def test_who_kills_workers_is_passed_alone_and_then_left_aside(
        self, learners, deep_course, monkeypatch
    ):
        for _ in range(due.TRIES_TOGETHER):
            assert len(due.claim(size=8).marks) == 7
            age_claims(2 * due.claim_lasts())
        for _ in range(due.MOST_TRIES - due.TRIES_TOGETHER):
            held = due.claim(size=8)
            assert len(held.marks) == 1
            DueLearner.objects.filter(claim=held.token).update(claim=None, claimed_at=None)
        # Where a made-up learner passes, they are tried once more, and then it is their data.
        with monkeypatch.context() as patch:
            patch.setattr("tutor.tracing.forward.advance", lost)
            with pytest.raises(SystemExit):
                working.advance_held(due.claim(size=8), now=now)
        age_claims(2 * due.claim_lasts())
        assert working.advance_held(due.claim(size=8), now=now) == 0

        [left] = DueLearner.objects.filter(quarantined_at__isnull=False)
        assert "lost 7 times" in left.error
        working.work_off(now=now)
        assert DueLearner.objects.count() == 1

    def test_a_machine_that_kills_every_worker_is_nobodys_fault(
        self, learners, deep_course, monkeypatch
    ):
        """A GPU that breaks as it is first touched, and a container that is always restarted."""
        with monkeypatch.context() as patch:
            patch.setattr("tutor.tracing.forward.advance", lost)
            patch.setattr("tutor.tracing.forward.try_out", lost)
            for _ in range(30):
                with pytest.raises(SystemExit):
                    working.work_off(now=now)
                age_claims(2 * due.claim_lasts())
        assert not DueLearner.objects.filter(quarantined_at__isnull=False).exists()

        assert working.work_off(now=now) == 7
        assert not DueLearner.objects.exists()

    def test_an_absent_database_is_nobodys_fault(self, learners, deep_course, monkeypatch):
        let_go, state = due.let_go, {"away": False}

        def away(**_):
            state["away"] = True
            raise OperationalError("gone")

        def give_back(*held, **more):
            if state["away"]:
                raise OperationalError("still gone")
            let_go(*held, **more)

        monkeypatch.setattr("tutor.tracing.due.let_go", give_back)
        with monkeypatch.context() as patch:
            patch.setattr("tutor.tracing.forward.advance", away)
            for _ in range(2 * due.MOST_TRIES):
                state["away"] = False
                with pytest.raises(OperationalError):
                    working.work_off(now=now)
        state["away"] = False
        assert max(DueLearner.objects.values_list("tries", flat=True)) <= 1

        assert working.work_off(now=now) == 7

    def test_whom_workers_were_lost_with_alike_is_tried_more_often(self, learners, deep_course):
        DueLearner.objects.update(tries=due.MOST_TRIES + 2)

        assert working.work_off(now=now) > 0
        # Only for the last there is nobody left to compare with.
        assert DueLearner.objects.filter(quarantined_at__isnull=False).count() <= 3

    def test_what_breaks_for_most_is_nobodys_fault(self, learners, deep_course, monkeypatch):
        forward, few = working.forward.advance, {one.pk for one in learners[:3]}

        def broken(*, learner_ids, **more):
            if not few.issuperset(learner_ids):
                raise RuntimeError("CUDA out of memory")
            return forward(learner_ids=learner_ids, **more)

        monkeypatch.setattr("tutor.tracing.forward.advance", broken)
        with pytest.raises(RuntimeError, match="CUDA"):
            working.work_off(now=now)

        rows = DueLearner.objects.all()
        assert {row.learner_id for row in rows} == {one.pk for one in learners[3:]}
        assert not any(row.quarantined_at or row.tries for row in rows)

    def test_want_of_memory_for_one_is_found_by_halving(self, learners, deep_course, monkeypatch):
        """A bot's millions of answers kept everybody behind it waiting."""
        forward, bot = working.forward.advance, learners[2].pk

        def greedy(*, learner_ids, **more):
            if bot in learner_ids:
                raise MemoryError
            return forward(learner_ids=learner_ids, **more)

        monkeypatch.setattr("tutor.tracing.forward.advance", greedy)
        assert working.work_off(now=now) == 6

        [row] = DueLearner.objects.all()
        assert row.learner_id == bot
        assert row.quarantined_at == NOW
        assert "MemoryError" in row.error

    def test_what_cannot_be_stored_is_found_by_halving(self, learners, deep_course, monkeypatch):
        store, bad = working.deep_services.store_pass, learners[5].pk

        def refuse(*, done, **more):
            if bad in {one.learner_id for one in done}:
                raise DataError("value out of range")
            return store(done=done, **more)

        monkeypatch.setattr("tutor.tracing.deep_services.store_pass", refuse)
        assert working.work_off(now=now) == 6

        [row] = DueLearner.objects.all()
        assert row.learner_id == bad
        assert "out of range" in row.error

    def test_everybody_left_aside_is_tried_again_daily_at_last(self, learners, poisoned):
        working.work_off(now=now)
        waits = []
        for _ in range(8):
            at = DueLearner.objects.get().quarantined_at
            hours = next(
                hours for hours in range(1, 48) if due.try_again(now=at + hours * HOUR + MINUTE)
            )
            waits.append(hours)
            held = due.claim(size=8)
            assert held.is_retry
            due.quarantine(held, learner_id=poisoned.pk, error="broken", now=at)
        assert waits == [1, 2, 4, 8, 16, 24, 24, 24]

    def test_who_kills_the_worker_when_tried_again_stays_aside(
        self, learners, poisoned, deep_course, monkeypatch
    ):
        working.work_off(now=now)
        due.try_again(now=NOW + 2 * HOUR)
        with monkeypatch.context() as patch:
            patch.setattr("tutor.tracing.forward.advance", lost)
            with pytest.raises(SystemExit):
                working.work_off(now=now)
        age_claims(2 * due.claim_lasts())
        assert due.claim(size=8) is None
        assert due.measure().quarantined == 1

        due.try_again(now=NOW + 3 * HOUR)
        assert working.work_off(now=now) == 1
        assert not DueLearner.objects.exists()

    def test_past_its_turn_a_pass_hands_over(self, learners, deep_course, monkeypatch):
        monkeypatch.setattr("tutor.tracing.working.PIECE_ANSWERS", 2)
        assert working.advance_held(due.claim(size=8), now=now, until=0.0) == 2

        rows = DueLearner.objects.all()
        assert len(rows) == 5
        assert not any(row.claim or row.tries for row in rows)

    def test_one_broken_course_keeps_nobody_else_waiting(
        self, learners, deep_course, organisation, monkeypatch
    ):
        other = make_course(organisation=make_organisation())
        give_network(other)
        learner = make_learner(organisation=other.organisation)
        answer(learner, other, at=AT + MINUTE)
        forward = working.forward.advance

        def broken(*, tracer, **more):
            if tracer.bank.course_id == deep_course.pk:
                raise ValueError("the pass itself")
            return forward(tracer=tracer, **more)

        monkeypatch.setattr("tutor.tracing.forward.advance", broken)
        with pytest.raises(ValueError, match="the pass itself"):
            working.work_off(now=now)

        assert not DueLearner.objects.filter(course=other).exists()
        assert DueLearner.objects.filter(course=deep_course, tries=0).count() == 7

    def test_a_broken_network_is_not_the_only_learners_fault(
        self, deep_course, learner, monkeypatch
    ):
        answer(learner, deep_course, at=AT)

        def broken(*_, **__):
            raise RuntimeError("CUDA error")

        monkeypatch.setattr("kt_models.models.cakt_item.CaktItem.advance", broken)
        with pytest.raises(RuntimeError, match="CUDA"):
            working.work_off(now=now)

        assert DueLearner.objects.get().quarantined_at is None

    def test_long_refolds_are_passed_in_pieces(self, learners, deep_course, monkeypatch):
        monkeypatch.setattr("tutor.tracing.working.PIECE_ANSWERS", 2)
        renewed = []
        monkeypatch.setattr("tutor.tracing.due.renew", renewed.append)
        assert working.work_off(now=now) == 7

        assert len(renewed) == 3
        assert not DueLearner.objects.exists()
        assert all(all_alike(deep_course).values())


def test_an_item_with_more_concepts_than_the_network_has_seen(course, learner):
    plain = [v for v in versions_of(course) if v.concept_links.count() == 1]
    wide = next(v for v in versions_of(course) if v.concept_links.count() > 1)
    give_network(course, versions=plain)
    answer(learner, course, at=AT, version=wide)
    answer(learner, course, at=AT + MINUTE, version=plain[0])

    assert working.work_off(now=now) == 1
    assert not DueLearner.objects.exists()
    assert all_alike(course) == {learner.pk: True}


def test_a_prediction_that_cannot_be_read_is_done_without(deep_course, learner):
    answer(learner, deep_course, at=AT)
    before = selectors.get_masteries(learner=learner, course=deep_course, at=NOW)
    working.work_off(now=now)
    DeepPrediction.objects.update(shifts=b"XXXX" + b"0" * 20)

    assert selectors.get_prediction(learner_id=learner.pk, tracer=tracer_of(deep_course)) is None
    assert selectors.get_masteries(learner=learner, course=deep_course, at=NOW) == before


def test_only_the_first_of_waiting_answers_nudges(deep_course, learner):
    first, second = (
        trace(
            record(
                learner=learner,
                course=deep_course,
                version=versions_of(deep_course)[0],
                answered_at=AT + number * MINUTE,
            ),
            course=deep_course,
        )
        for number in range(2)
    )
    assert (first.is_due, second.is_due) == (True, False)
    working.work_off(now=now)
    third = record(
        learner=learner,
        course=deep_course,
        version=versions_of(deep_course)[0],
        answered_at=AT + 5 * MINUTE,
    )
    assert trace(third, course=deep_course).is_due
