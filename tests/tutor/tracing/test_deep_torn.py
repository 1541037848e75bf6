"""Deep states of versions that come into use: what came out of order is never lost."""

import datetime as dt
import uuid

import pytest

from tests.factories import AT, make_learner
from tests.tutor.histories import bulk_history, record, trace, tracer_of, versions_of
from tests.tutor.networks import POOL, give_network
from tutor.practice.correcting import correct_answer
from tutor.registry import jobs
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.tracing import (
    adoption,
    deep_checking,
    deep_folding,
    deep_services,
    due,
    holding,
    promoting,
    pruning,
    rebuilding,
    selectors,
    working,
)
from tutor.tracing.models import DeepPrediction, DeepState, DueLearner

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def answers(learner, course, count, *, start=0):
    made = []
    for number in range(start, start + count):
        version = versions_of(course)[number % 3]
        moment = AT + dt.timedelta(minutes=number)
        made.append(record(learner=learner, course=course, version=version, answered_at=moment))
        trace(made[-1], course=course)
    return made


def flip(response, course):
    course.refresh_from_db()
    response.refresh_from_db()
    correct_answer(
        response=response, is_correct=False, client_key=uuid.uuid4(), at=AT + HOUR, source="test"
    )


def late(learner, course):
    version = versions_of(course)[0]
    moment = AT + dt.timedelta(seconds=30)
    wrong = {"is_correct": False, "credit": 0.0}
    answer = record(learner=learner, course=course, version=version, answered_at=moment, **wrong)
    trace(answer, course=course)


def differing(course):
    found = deep_checking.find_differences(tracer=tracer_of(course), now=AT + DAY)
    return [pk for pk, is_alike in found if not is_alike]


def another(course, *, lags=(0.5,)):
    """Another version with the live one's network."""
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    deep = {**live.body["deep"], "pool": {**POOL, "lags": list(lags)}}
    return registry_services.store_tracer(
        course=course, body={**live.body, "deep": deep}, provenance={}
    )


def promote(course, tracer, *, at=AT + HOUR, **arguments):
    promoting.promote(course=course, tracer=tracer, at=at, forced_because="test", **arguments)
    course.refresh_from_db()


@pytest.fixture
def plain(course):
    return registry_selectors.get_live_tracer(course_id=course.pk)


@pytest.fixture
def deep(plain, course, learner):
    """Live, with five answers folded."""
    version = give_network(course)
    answers(learner, course, 5)
    working.work_off()
    assert differing(course) == []
    return version


@pytest.mark.parametrize("how", ["corrected", "late"])
class TestTorn:
    def tear(self, how, learner, course):
        course.refresh_from_db()
        if how == "late":
            late(learner, course)
        else:
            flip(learner.responses.order_by("pk")[0], course)

    def test_while_a_version_comes_into_use(self, how, deep, course, learner):
        def looking(_):
            self.tear(how, learner, course)
            working.work_off()

        promote(course, another(course), looking=looking)
        working.work_off()

        assert not DueLearner.objects.exists()
        assert differing(course) == []

    def test_while_it_was_out_of_use(self, how, plain, deep, course, learner):
        promote(course, plain)
        self.tear(how, learner, course)
        answers(learner, course, 2, start=8)
        promote(course, deep)
        working.work_off()

        assert not DueLearner.objects.exists()
        assert differing(course) == []

    def test_before_its_states_are_taken_over(self, how, deep, course, learner):
        """No worker has been there since, and the new version takes the states of the old."""
        self.tear(how, learner, course)
        promote(course, another(course))

        assert differing(course) == []

    def test_while_a_pass_is_under_way(self, how, deep, course, learner):
        answers(learner, course, 1, start=8)
        held = due.claim(size=8)
        self.tear(how, learner, course)

        assert working.advance_held(held) == 0
        assert DueLearner.objects.get().refold
        working.work_off()
        assert differing(course) == []


def test_states_that_are_whole_are_gone_on_from(deep, plain, course, learner, monkeypatch):
    promote(course, plain)
    answers(learner, course, 2, start=8)
    assert selectors.list_deep_torn(tracer_id=deep.pk) == []
    seen = []
    advance = working.forward.advance
    monkeypatch.setattr(
        working.forward, "advance", lambda **given: seen.append(given["anew"]) or advance(**given)
    )
    promote(course, deep)

    assert seen == [[]]
    assert differing(course) == []


def test_a_promotion_that_folded_a_correction_need_not_do_it_again(deep, course, learner):
    flip(learner.responses.order_by("pk")[0], course)
    version = another(course)
    promote(course, version)

    assert selectors.list_deep_torn(tracer_id=version.pk) == []
    assert not DueLearner.objects.exclude(learner=learner).exists()


def test_killed_after_the_switch_whoever_is_behind_is_marked(deep, course, organisation):
    other = make_learner(organisation=organisation)
    version = another(course)

    def looking(_):
        answers(other, course, 1)
        DueLearner.objects.all().delete()

    def killed(*_, **__):
        raise SystemExit

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adoption.cache, "clear_all", killed)
        with pytest.raises(SystemExit):
            promote(course, version, looking=looking)

    assert registry_selectors.get_live_tracer(course_id=course.pk) == version
    assert DueLearner.objects.get().learner == other


def test_the_late_are_folded_before_anybody_is_held(deep, course, learner, monkeypatch):
    """Under everybody's lock only those are folded who answered after that."""
    folded, fold, promoted = [], rebuilding.fold, registry_services.promote

    def folding(*, tracer, learner_ids):
        folded.append(sorted(learner_ids))
        yield from fold(tracer=tracer, learner_ids=learner_ids)

    def promoting_(**given):
        folded.append("switch")
        promoted(**given)

    monkeypatch.setattr(rebuilding, "fold", folding)
    monkeypatch.setattr(registry_services, "promote", promoting_)
    promote(course, another(course), looking=lambda _: answers(learner, course, 1, start=8))

    assert folded == [[learner.pk], [learner.pk], [], [], "switch", []]


def test_states_are_taken_over_in_pieces(deep, course, organisation, monkeypatch):
    for _ in range(4):
        answers(make_learner(organisation=organisation), course, 1)
    working.work_off()
    monkeypatch.setattr(deep_folding, "PIECE", 2)
    stored = list(DeepState.objects.order_by("learner").values_list("learner", "state"))
    version = another(course)
    monkeypatch.setattr(selectors, "list_unpredicted", lambda **_: [])
    promote(course, version)

    own = DeepState.objects.filter(tracer=version).order_by("learner")
    assert list(own.values_list("learner", "state")) == stored
    assert differing(course) == []


def test_predictions_tell_when_they_were_made(course, organisation, monkeypatch):
    give_network(course)
    for _ in range(2):
        bulk_history(learner=make_learner(organisation=organisation), course=course, size=3)
    monkeypatch.setattr(deep_folding, "CHUNK_LEARNERS", 1)
    list(rebuilding.fold_everybody(tracer=tracer_of(course)))
    ticks = iter([AT, AT + HOUR])
    deep_folding.fold_everybody(tracer=tracer_of(course), before=None, now=lambda: next(ticks))

    made = DeepPrediction.objects.order_by("pk").values_list("made_at", flat=True)
    assert list(made) == [AT, AT + HOUR]


def test_whoever_was_marked_meanwhile_is_not_struck_off(deep, course, learner):
    answers(learner, course, 1, start=8)
    held = due.claim(size=1)
    answers(learner, course, 1, start=9)
    deep_services.strike_off(held=held, now=AT)
    assert DueLearner.objects.get().claim is None

    deep_services.strike_off(held=due.claim(size=1), now=AT)
    assert not DueLearner.objects.exists()


class TestPruning:
    def test_states_of_versions_long_out_of_use(self, plain, deep, course):
        promote(course, plain, at=AT + DAY)

        assert pruning.prune_states(now=AT + 7 * DAY) == 0
        assert pruning.prune_states(now=AT + 9 * DAY) == 1
        promote(course, deep, at=AT + 9 * DAY)
        assert differing(course) == []
        assert pruning.prune_states(now=AT + 90 * DAY) == 0

    def test_states_of_versions_that_were_only_looked_at(self, deep, course):
        version = another(course)
        adoption.fold_in_shadow(course=course, version=version, at=AT)

        assert pruning.prune_states(now=version.created_at + 6 * DAY) == 0
        assert pruning.prune_states(now=version.created_at + 8 * DAY) == 1
        assert DeepState.objects.get().tracer == deep

    def test_what_was_just_folded_for_a_switch_stays(self, deep, course):
        """Asked for at four, folded, and pruned at ten past: it is not in use yet."""
        version = another(course)
        adoption.fold_in_shadow(course=course, version=version, at=AT)
        late = version.created_at + 30 * DAY
        job = jobs.ask_for_switch(
            course=course, kind="promote", tracer=version, at=late, forced_because="A test."
        )
        assert pruning.prune_states(now=late) == 0

        jobs.end_switch(job=job, at=late)
        assert pruning.prune_states(now=late + 6 * DAY) == 0
        with holding.hold(course):
            assert pruning.prune_states(now=late + 8 * DAY) == 0
        assert pruning.prune_states(now=late + 8 * DAY) == 1


def test_only_the_order_of_one_learner_s_ids_counts(deep, course, organisation):
    """Another learner's answer, or one in another course, tears nothing."""
    answers(make_learner(organisation=organisation), course, 1)

    assert selectors.list_deep_torn(tracer_id=deep.pk) == []
