"""Two devices at once: real threads on PostgreSQL, which lets them run side by side."""

import contextlib
import threading
import uuid
from collections import Counter

import pytest
from django.db import connection

from tests.factories import AT, make_course, make_learner, make_organisation, start_session
from tests.tutor.histories import all_equal
from tutor.content import grading
from tutor.practice import selectors, usecases
from tutor.practice.errors import AlreadyAnswered
from tutor.practice.models import PracticeSession
from tutor.responses.models import HintRequest, Response
from tutor.scheduling.models import Decision

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

THREADS = 6


@pytest.fixture
def course():
    return make_course(organisation=make_organisation())


@pytest.fixture
def learner(course):
    return make_learner(organisation=course.organisation)


def at_once(act):
    """Call `act(number)` in several threads that start together; return what came of each."""
    barrier, found = threading.Barrier(THREADS), [None] * THREADS

    def run(number):
        with contextlib.closing(connection):
            connection.ensure_connection()
            barrier.wait(20)
            try:
                found[number] = act(number)
            except Exception as error:  # noqa: BLE001 - looked at by the test
                found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def submission(learner, session, **fields):
    shown = selectors.get_presentation(learner=learner, public_id=session.current.public_id)
    defaults = {
        "presentation": shown.decision.public_id,
        "client_key": uuid.uuid4(),
        "answer": grading.right_answer(shown.item),
    }
    return usecases.Submission(**{**defaults, **fields})


def submit(learner, sent, *, draw_seed):
    return usecases.submit_answer(
        learner=learner, submission=sent, at=AT, draw_seed=draw_seed, source="practice"
    )


def test_starting_opens_one_session(learner, course):
    found = at_once(lambda n: start_session(learner=learner, course=course, draw_seed=n))

    assert len({session.pk for session in found}) == 1
    assert (PracticeSession.objects.count(), Decision.objects.count()) == (1, 1)


def test_the_same_submission_is_stored_once(learner, course):
    sent = submission(learner, start_session(learner=learner, course=course))

    found = at_once(lambda n: submit(learner, sent, draw_seed=n))

    assert {(o.response.pk, o.following.pk) for o in found} == {
        (Response.objects.get().pk, Decision.objects.latest("pk").pk)
    }
    assert Counter(outcome.is_repeat for outcome in found) == {False: 1, True: THREADS - 1}
    assert Decision.objects.count() == 2
    assert all_equal(course) == {learner.pk: True}


def test_of_different_submissions_one_counts(learner, course):
    session = start_session(learner=learner, course=course)
    sent = [submission(learner, session) for _ in range(THREADS)]

    found = at_once(lambda n: submit(learner, sent[n], draw_seed=n))

    kinds = Counter(type(outcome).__name__ for outcome in found)
    assert kinds == {"Outcome": 1, AlreadyAnswered.__name__: THREADS - 1}
    assert (Response.objects.count(), Decision.objects.count()) == (1, 2)
    session.refresh_from_db()
    assert session.n_answered == 1
    assert all_equal(course) == {learner.pk: True}


def test_an_answer_and_a_finish_leave_a_whole_session(learner, course):
    session = start_session(learner=learner, course=course)
    sent = submission(learner, session)

    found = at_once(
        lambda n: (
            submit(learner, sent, draw_seed=n)
            if n % 2
            else usecases.finish_practice(learner=learner, session=session, at=AT)
        )
    )

    assert not [outcome for outcome in found if isinstance(outcome, Exception)]
    session.refresh_from_db()
    assert session.finish_reason == "stopped"
    assert Response.objects.count() == 1
    # Either the answer came first and moved the session on, or it came after the end.
    assert session.n_answered == Decision.objects.count() - 1


def test_a_hint_asked_for_by_its_rung_is_opened_once(learner, course):
    session = start_session(learner=learner, course=course)

    at_once(
        lambda _: usecases.take_hint(
            learner=learner, presentation=session.current.public_id, at=AT, level=1
        )
    )

    assert HintRequest.objects.count() == 1
