"""Refolds go on in turns: neither many learners nor one that breaks the fold stops them."""

import dataclasses
import datetime as dt
import time

import pytest

from tests.factories import AT, make_learner, small_course_spec
from tests.tutor.histories import all_equal, bulk_history, tracer_of
from tests.tutor.networks import give_network
from tutor.content import services as content_services
from tutor.tracing import bulk, engine, rebuilding, selectors, services, stale, sweep
from tutor.tracing.models import DueLearner, LearnerState

pytestmark = pytest.mark.django_db

ANSWERS = 12
NIGHT = AT + dt.timedelta(days=1)


class PowerCut(BaseException):
    """Ends a worker wherever it is."""


@pytest.fixture
def marked(organisation, course, monkeypatch):
    """Five learners whose states lack everything; the newest has waited longest."""
    monkeypatch.setattr(rebuilding, "CHUNK_ANSWERS_STREAMED", ANSWERS)
    learners = [make_learner(organisation=organisation) for _ in range(5)]
    tracer = tracer_of(course)
    for number, learner in enumerate(learners):
        bulk_history(learner=learner, course=course, size=ANSWERS, seed=number)
        LearnerState.objects.create(
            learner=learner,
            tracer_id=tracer.tracer_id,
            state=engine.start(tracer).to_bytes(),
            stale_since=AT - number * dt.timedelta(minutes=1),
        )
    return [learner.pk for learner in reversed(learners)]


@pytest.fixture
def pieces(monkeypatch):
    """What was folded, in order; each piece takes four seconds of a clock that nobody waits for."""
    seen, fold, clock = [], rebuilding.fold_chunk, [0.0]

    def timed(*, folder, learner_ids):
        clock[0] += 4.0
        seen.append(list(learner_ids))
        fold(folder=folder, learner_ids=learner_ids)

    monkeypatch.setattr(rebuilding, "fold_chunk", timed)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return seen


def waiting(course):
    rows = LearnerState.objects.filter(stale_since__isnull=False)
    return set(rows.values_list("learner", flat=True))


def test_a_turn_ends_and_the_next_goes_on(marked, pieces, course, monkeypatch):
    monkeypatch.setattr(sweep, "BATCH", 2)

    assert sweep.refold_stale(at=NIGHT, turn_s=10.0) == 3
    # Whoever waited longest came first, two at a time.
    assert pieces == [[marked[1]], [marked[0]], [marked[3]]]
    assert waiting(course) == {marked[2], marked[4]}
    assert sweep.refold_stale(at=NIGHT, turn_s=10.0) == 2
    assert sweep.refold_stale(at=NIGHT, turn_s=10.0) == 0

    assert sorted(pk for [pk] in pieces) == sorted(marked)
    assert all_equal(course) == dict.fromkeys(marked, True)


def test_a_killed_one_s_learner_is_not_met_first_again(marked, pieces, course, monkeypatch):
    fold = rebuilding.fold_chunk

    def cut(*, folder, learner_ids):
        if learner_ids == [marked[1]]:
            raise PowerCut
        fold(folder=folder, learner_ids=learner_ids)

    monkeypatch.setattr(rebuilding, "fold_chunk", cut)
    monkeypatch.setattr(sweep, "BATCH", 1)
    with pytest.raises(PowerCut):
        sweep.refold_stale(at=NIGHT)
    assert waiting(course) == set(marked[1:])
    with pytest.raises(PowerCut):
        sweep.refold_stale(at=NIGHT, turn_s=100.0)

    assert [pk for [pk] in pieces] == [marked[0], *marked[2:]]
    assert waiting(course) == {marked[1]}


def test_what_breaks_the_fold_holds_up_nobody(marked, course, monkeypatch):
    monkeypatch.setattr(rebuilding, "CHUNK_ANSWERS_STREAMED", 1000)
    fold = services.fold_learners

    def broken(*, tracer, learner_ids):
        if marked[2] in learner_ids:
            raise ValueError("These data are damaged.")
        return fold(tracer=tracer, learner_ids=learner_ids)

    with monkeypatch.context() as patch:
        patch.setattr(services, "fold_learners", broken)
        with pytest.raises(ValueError, match="damaged"):
            sweep.refold_stale(at=NIGHT)
    assert waiting(course) == {marked[2]}

    assert sweep.refold_stale(at=NIGHT) == 1
    assert all_equal(course) == dict.fromkeys(marked, True)


@pytest.mark.parametrize(("owner", "name"), [(selectors, "get_tracer"), (bulk, "make_folder")])
def test_a_course_that_cannot_be_folded_holds_up_no_other(
    marked, organisation, course, monkeypatch, owner, name
):
    spec = dataclasses.replace(small_course_spec(), slug="other")
    other = content_services.load_course(organisation=organisation, spec=spec).course
    services.give_prior_tracer(course=other, at=AT)
    tracer = tracer_of(other)
    # Whoever waits longest waits in both.
    LearnerState.objects.create(
        learner_id=marked[0],
        tracer_id=tracer.tracer_id,
        state=engine.start(tracer).to_bytes(),
        stale_since=AT,
    )
    usual = getattr(owner, name)

    def broken(**given):
        pk = given["course_id"] if "course_id" in given else given["tracer"].bank.course_id
        if pk == course.pk:
            raise ValueError("These data are damaged.")
        return usual(**given)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, broken)
        with pytest.raises(ValueError, match="damaged"):
            sweep.refold_stale(at=NIGHT)
    # The other's learner without an answer has no state any more.
    left = LearnerState.objects.exclude(stale_since=None)
    assert {*left.values_list("tracer__course", "stale_since")} == {(course.pk, NIGHT)}
    assert waiting(course) == set(marked)

    assert sweep.refold_stale(at=NIGHT) == len(marked)


def test_the_network_is_told_with_each_piece(organisation, course, monkeypatch):
    give_network(course)
    tracer = tracer_of(course)
    learners = sorted(make_learner(organisation=organisation).pk for _ in range(2))
    for pk in learners:
        LearnerState.objects.create(
            learner_id=pk,
            tracer_id=tracer.tracer_id,
            state=engine.start(tracer).to_bytes(),
            stale_since=AT,
        )
    monkeypatch.setattr(rebuilding, "CHUNK_LEARNERS", 1)
    fold, seen = rebuilding.fold_chunk, []

    def cut(*, folder, learner_ids):
        seen.append(learner_ids)
        if len(seen) == 2:
            raise PowerCut
        fold(folder=folder, learner_ids=learner_ids)

    monkeypatch.setattr(rebuilding, "fold_chunk", cut)
    with pytest.raises(PowerCut):
        sweep.refold_stale(at=NIGHT)

    due = DueLearner.objects.get()
    assert (due.learner_id, due.refold) == (learners[0], True)


def test_of_versions_out_of_use_nobody_waits(marked, course):
    give_network(course)

    assert stale.find_oldest(passing_over=[], size=5) is None
    assert sweep.refold_stale(at=NIGHT) == 0
