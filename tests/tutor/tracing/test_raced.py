"""Several workers at one list: real connections on PostgreSQL, which lets them run side by side."""

import contextlib
import threading
import time

import pytest
from django.db import connection, transaction

from tests.factories import AT, make_course, make_learner, make_organisation
from tests.tutor.histories import record, tracer_of, versions_of
from tests.tutor.networks import give_network
from tests.tutor.tracing.test_deep import all_alike, answer, now
from tutor.accounts.models import Learner
from tutor.tracing import due, engine, forward, stale, working
from tutor.tracing.models import DeepPrediction, DueLearner, LearnerState

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def course():
    return make_course(organisation=make_organisation())


def mark(course, count):
    # Without accounts: to make a password takes long.
    learners = [Learner.objects.create(organisation=course.organisation) for _ in range(count)]
    due.mark_all(learner_ids=[one.pk for one in learners], course_id=course.pk, at=AT, refold=False)
    return {one.pk for one in learners}


def run_beside(*acts, join_s=60.0):
    """Run all in threads of their own that start together; raise what one of them raises."""
    barrier, failed = threading.Barrier(len(acts)), []

    def run(act):
        with contextlib.closing(connection):
            connection.ensure_connection()
            barrier.wait(20)
            try:
                act()
            except BaseException as error:  # noqa: BLE001 - raised below
                failed.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(join_s)
    if failed:
        raise failed[0]
    assert not any(thread.is_alive() for thread in threads)


def test_a_claim_waits_for_no_other_that_is_being_made(course):
    """One worker has locked its rows and not committed yet: the second passes over them."""
    everybody = mark(course, 5)
    found, is_locked, may_commit = {}, threading.Event(), threading.Event()

    def first():
        with transaction.atomic():
            found["first"] = due.claim(size=3)
            is_locked.set()
            assert may_commit.wait(20)

    def second():
        assert is_locked.wait(20)
        found["second"] = due.claim(size=3)
        # Reached while the first still holds its locks, or never.
        may_commit.set()

    run_beside(first, second)

    one, other = (set(found[name].marks) for name in ("first", "second"))
    assert (len(one), len(other)) == (3, 2)
    assert one | other == everybody


def test_a_refold_passes_over_whom_somebody_is_writing(course):
    """To wait for the row, with others locked already, is half of a deadlock."""
    learners = sorted(Learner.objects.create(organisation=course.organisation).pk for _ in "ab")
    tracer = tracer_of(course)
    for pk in learners:
        LearnerState.objects.create(
            learner_id=pk,
            tracer_id=tracer.tracer_id,
            state=engine.start(tracer).to_bytes(),
            stale_since=AT,
        )
    found, is_locked, may_commit = [], threading.Event(), threading.Event()

    def writer():
        with transaction.atomic():
            LearnerState.objects.filter(learner=learners[0]).update(n_responses=1)
            is_locked.set()
            assert may_commit.wait(20)

    def sweeper():
        assert is_locked.wait(20)
        found.extend(stale.put_last(tracer_id=tracer.tracer_id, learner_ids=learners, at=now()))
        # Reached while the writer still holds the row, or never.
        may_commit.set()

    run_beside(writer, sweeper)

    assert found == learners[1:]
    assert LearnerState.objects.get(stale_since=AT).learner_id == learners[0]


def test_claims_that_race_share_out_the_list(course):
    everybody = mark(course, 40)
    taken, found = [[], [], []], threading.Lock()

    def work(mine):
        while (held := due.claim(size=2)) is not None:
            with found:
                mine.append(set(held.marks))

    run_beside(*(lambda mine=mine: work(mine) for mine in taken))

    learners = [pk for mine in taken for held in mine for pk in held]
    assert len(learners) == len(set(learners)) == 40
    assert set(learners) == everybody
    assert sum(bool(mine) for mine in taken) >= 2


def test_an_answer_waits_for_no_claim(course):
    """A claim's locks are gone before the pass: an answer in the middle of it goes through."""
    [learner] = mark(course, 1)
    held = due.claim(size=1)
    began = time.monotonic()
    is_new = due.mark(learner_id=learner, course_id=course.pk, at=AT, refold=False)

    assert time.monotonic() - began < 5
    assert not is_new
    with transaction.atomic():
        due.finish(held, learner_ids=[learner], now=AT)
    assert DueLearner.objects.get().claim is None


def test_an_answer_waits_for_no_version_that_is_stored(course):
    """Weights of a network take a while to write, and the answer points at the same course."""
    learner = make_learner(organisation=course.organisation)
    version = versions_of(course)[0]
    is_stored, is_answered = threading.Event(), threading.Event()

    def store():
        with transaction.atomic():
            give_network(course)
            is_stored.set()
            assert is_answered.wait(20)

    def answer_it():
        assert is_stored.wait(60)
        record(learner=learner, course=course, version=version)
        is_answered.set()

    run_beside(store, answer_it)

    assert learner.responses.count() == 1


def test_two_workers_pass_everybody_once(course):
    give_network(course)
    learners = [make_learner(organisation=course.organisation) for _ in range(6)]
    for one in learners:
        answer(one, course, at=AT)
    # Loaded before the race: torch in two threads at once is not what is tried here.
    forward.try_out(tracer_of(course), now=AT)
    stored = []

    def work():
        stored.append(working.work_off(size=2, window=working.Window(), now=now))

    run_beside(work, work)

    assert sum(stored) == 6
    assert DeepPrediction.objects.count() == 6
    assert not DueLearner.objects.exists()
    assert set(all_alike(course).values()) == {True}
