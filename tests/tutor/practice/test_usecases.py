"""Practising, with everything that learners do twice, late or out of order."""

import dataclasses
import datetime as dt
import io
import uuid

import pytest
from django.core.management import CommandError, call_command

from tests.factories import (
    AT,
    answer_current,
    make_assignment,
    make_class,
    make_learner,
    small_course_spec,
    start_session,
    wrong_answer,
)
from tests.tutor.histories import all_equal
from tutor.content import grading
from tutor.content import services as content_services
from tutor.content.grading import UnreadableAnswer
from tutor.content.models import Concept
from tutor.practice import correcting, selectors, usecases
from tutor.practice.errors import (
    AlreadyAnswered,
    NoMoreHints,
    NothingToRetry,
    PresentationUnknown,
)
from tutor.practice.models import PracticeSession
from tutor.responses.errors import AnsweredInTheFuture, ArrivedTooLate, ClientKeyReused
from tutor.responses.models import HintRequest, Response
from tutor.scheduling.models import Decision
from tutor.tracing import engine
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing import services as tracing_services
from tutor.tracing.models import LearnerState

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def session(learner, course):
    return start_session(learner=learner, course=course)


def shown_in(session):
    return selectors.get_presentation(learner=session.learner, public_id=session.current.public_id)


def submission(session, *, right=True, **fields):
    shown = shown_in(session)
    defaults = {
        "presentation": shown.decision.public_id,
        "client_key": uuid.uuid4(),
        "answer": grading.right_answer(shown.item) if right else wrong_answer(shown.item),
    }
    return usecases.Submission(**{**defaults, **fields})


def submit(session, sent, *, at=AT + MINUTE, draw_seed=5):
    outcome = usecases.submit_answer(
        learner=session.learner, submission=sent, at=at, draw_seed=draw_seed, source="practice"
    )
    session.refresh_from_db()
    return outcome


def retry(session, sent, *, at=AT + 2 * MINUTE):
    return usecases.retry_answer(learner=session.learner, submission=sent, at=at, source="practice")


class TestAnswerTime:
    def test_is_never_before_the_question_was_shown(self, session):
        sent = submission(session, answered_at=AT - DAY)

        submit(session, sent)

        assert Response.objects.get().answered_at == session_shown_at(sent)


def session_shown_at(sent):
    return Decision.objects.get(public_id=sent.presentation).at


class TestHintsSeen:
    def test_counts_what_was_opened_after_the_page_was_read(self, session, monkeypatch):
        sent = submission(session)
        showing = selectors.get_showing(learner=session.learner, public_id=sent.presentation)
        # The page was read before the hint was opened, and the answer comes after it.
        monkeypatch.setattr(selectors, "get_showing", lambda **_: showing)
        usecases.take_hint(learner=session.learner, presentation=sent.presentation, at=AT)

        submit(session, sent)

        assert Response.objects.get().hints_seen == 1


class TestCorrectAnswer:
    def test_appends_a_row_and_folds_it_in_place_of_the_first(self, session):
        submit(session, submission(session, right=False))
        first = Response.objects.get()
        before = masteries(session)

        correcting.correct_answer(
            response=first,
            is_correct=True,
            client_key=uuid.uuid4(),
            at=AT + DAY,
            source="correction",
        )

        assert Response.objects.get(pk=first.pk).is_correct is False
        assert Response.objects.get(corrects=first).is_correct is True
        [(pk, after)] = [(pk, m) for pk, m in masteries(session).items() if m.evidence_n]
        assert after.prob > before[pk].prob

    def test_by_command_twice_is_once(self, session):
        submit(session, submission(session, right=False))
        first = Response.objects.get()

        call_command("correct_response", first.pk, "--right", stdout=io.StringIO())
        call_command("correct_response", first.pk, "--right", stdout=io.StringIO())

        assert Response.objects.count() == 2
        out = io.StringIO()
        call_command("rebuild_states", "--check", stdout=out)

    def test_refuses_a_second_one(self, session):
        submit(session, submission(session, right=False))
        first = Response.objects.get()
        call_command("correct_response", first.pk, "--right", stdout=io.StringIO())

        with pytest.raises(CommandError, match="correction"):
            call_command("correct_response", first.pk, "--wrong")


def masteries(session):
    course = type(session.course).objects.get(pk=session.course_id)
    return tracing_selectors.get_masteries(learner=session.learner, course=course, at=AT + DAY)


class TestStartPractice:
    def test_twice_opens_one_session_with_one_item(self, learner, course, session):
        again = start_session(learner=learner, course=course, draw_seed=99)

        assert again == session
        assert again.current == session.current
        assert Decision.objects.count() == 1

    def test_of_another_assignment_closes_the_first(self, learner, course, session):
        classroom = make_class(course=course, users=[learner.user])
        assignment = make_assignment(classroom=classroom)

        other = start_session(learner=learner, course=course, assignment=assignment)

        session.refresh_from_db()
        assert (session.finished_at, session.finish_reason) == (AT, "switched")
        assert other.finished_at is None

    def test_draws_only_from_the_assigned_concepts(self, learner, course):
        classroom = make_class(course=course, users=[learner.user])
        naming = Concept.objects.get(slug="naming")
        assignment = make_assignment(classroom=classroom, concepts=[naming], items_per_session=3)
        session = start_session(learner=learner, course=course, assignment=assignment)

        while session.finished_at is None:
            assert shown_in(session).concept_ids == (naming.pk,)
            answer_current(session, at=AT + DAY)

    def test_of_a_closed_assignment_states_a_finish(self, learner, course):
        classroom = make_class(course=course, users=[learner.user])
        assignment = make_assignment(classroom=classroom, due_at=AT + DAY)

        session = start_session(
            learner=learner, course=course, assignment=assignment, at=AT + 2 * DAY
        )

        assert (session.finished_at, session.finish_reason) == (AT + 2 * DAY, "closed")
        assert session.current.item_version is None

    def test_ends_when_the_assignment_closes_meanwhile(self, learner, course):
        classroom = make_class(course=course, users=[learner.user])
        assignment = make_assignment(classroom=classroom, due_at=AT + MINUTE)
        session = start_session(learner=learner, course=course, assignment=assignment)

        outcome = submit(session, submission(session), at=AT + 2 * MINUTE)

        assert outcome.following.reason == session.finish_reason == "closed"
        assert Response.objects.count() == 1


class TestCourseWithNothingToGive:
    def load(self, organisation, spec):
        course = content_services.load_course(organisation=organisation, spec=spec).course
        tracing_services.give_prior_tracer(course=course, at=AT)
        course.refresh_from_db()
        return course

    def test_without_items_states_a_finish(self, organisation, learner):
        empty = dataclasses.replace(small_course_spec(), items=())

        session = start_session(learner=learner, course=self.load(organisation, empty))

        assert session.finish_reason == "assignment-empty"

    def test_without_concepts_states_a_finish(self, organisation, learner):
        empty = dataclasses.replace(small_course_spec(), items=(), concepts=())

        session = start_session(learner=learner, course=self.load(organisation, empty))

        assert session.finish_reason == "assignment-empty"

    def test_with_every_item_retired_states_a_finish(self, organisation, learner, session):
        answer_current(session)
        retired = self.load(organisation, dataclasses.replace(small_course_spec(), items=()))

        # The item on the screen can still be answered, and then nothing follows.
        outcome = answer_current(session)
        assert outcome.following.reason == session.finish_reason == "assignment-empty"

        again = start_session(learner=learner, course=retired)
        assert again.finish_reason == "assignment-empty"
        assert all_equal(retired) == {learner.pk: True}


class TestSubmitAnswer:
    def test_records_traces_and_decides(self, learner, session):
        first = session.current

        outcome = submit(session, submission(session))

        response = Response.objects.get()
        assert response == outcome.response
        assert (response.presentation, response.item_version) == (
            first.public_id,
            first.item_version,
        )
        assert (response.is_correct, response.attempt, response.source) == (True, 1, "practice")
        assert response.elapsed_ms == 60_000
        assert LearnerState.objects.get().n_responses == 1
        assert outcome.following == session.current != first
        assert outcome.following.follows == first.public_id
        [shift] = outcome.following.shifts.values() or [None]
        assert shift[2] > shift[0]
        assert (session.n_answered, session.n_correct) == (1, 1)

    def test_twice_gives_the_same_outcome_and_one_row(self, session):
        sent = submission(session)

        first, again = submit(session, sent), submit(session, sent, draw_seed=99)

        assert again.is_repeat
        assert not first.is_repeat
        assert (again.response, again.following) == (first.response, first.following)
        assert Response.objects.count() == 1
        assert Decision.objects.count() == 2
        assert session.n_answered == 1

    def test_twice_even_after_more_answers(self, session):
        sent = submission(session)
        first = submit(session, sent)
        for _ in range(3):
            answer_current(session)

        again = submit(session, sent)

        assert (again.response, again.following) == (first.response, first.following)
        assert Response.objects.count() == 4

    def test_again_under_another_key_is_refused(self, session):
        sent = submission(session)
        submit(session, sent)

        with pytest.raises(AlreadyAnswered) as caught:
            submit(session, dataclasses.replace(sent, client_key=uuid.uuid4()))
        assert caught.value.status == 409
        assert Response.objects.count() == 1

    def test_under_the_key_of_another_item_is_refused(self, session):
        key = uuid.uuid4()
        submit(session, submission(session, client_key=key))
        before = session.current

        with pytest.raises(ClientKeyReused) as caught:
            submit(session, submission(session, client_key=key))
        assert caught.value.status == 409
        session.refresh_from_db()
        assert session.current == before
        assert Response.objects.count() == 1

    @pytest.mark.parametrize(
        "answer", [{}, {"text": ""}, {"choice": "k9"}, {"choices": 3}, {"right": "yes"}, [], None]
    )
    def test_unreadable_stores_nothing_and_may_be_sent_anew(self, session, answer):
        key = uuid.uuid4()

        with pytest.raises(UnreadableAnswer):
            submit(session, submission(session, answer=answer, client_key=key))

        assert not Response.objects.exists()
        assert Decision.objects.count() == 1
        assert not submit(session, submission(session, client_key=key)).is_repeat

    def test_after_the_finish_is_kept_without_a_decision(self, learner, session):
        sent = submission(session)
        usecases.finish_practice(learner=learner, session=session, at=AT)

        outcome = submit(session, sent)

        assert outcome.following is None
        assert Response.objects.count() == LearnerState.objects.get().n_responses == 1
        assert Decision.objects.count() == 1
        assert session.finish_reason == "stopped"

    def test_to_another_learners_item_is_unknown(self, organisation, session):
        other = make_learner(organisation=organisation)

        for learner, presentation in (
            (other, session.current.public_id),
            (session.learner, uuid.uuid4()),
        ):
            with pytest.raises(PresentationUnknown) as caught:
                usecases.submit_answer(
                    learner=learner,
                    submission=submission(session, presentation=presentation),
                    at=AT,
                    draw_seed=1,
                    source="practice",
                )
            assert caught.value.status == 404
        assert not Response.objects.exists()

    def test_to_a_finish_is_unknown(self, learner, session):
        for _ in range(session.planned_items):
            answer_current(session)

        with pytest.raises(PresentationUnknown):
            selectors.get_presentation(learner=learner, public_id=session.current.public_id)

    def test_held_back_takes_its_place(self, learner, session):
        # The tablet keeps its answer back; meanwhile the learner goes on with another device.
        late = submission(session, answered_at=AT + MINUTE)
        usecases.finish_practice(learner=session.learner, session=session, at=AT + MINUTE)
        other = start_session(learner=session.learner, course=session.course, at=AT + 2 * MINUTE)
        submit(other, submission(other), at=AT + 2 * MINUTE)

        submit(session, late, at=AT + DAY)

        moments = Response.objects.order_by("pk").values_list("answered_at", "received_at")
        assert list(moments) == [
            (AT + 2 * MINUTE, AT + 2 * MINUTE),
            (AT + MINUTE, AT + DAY),
        ]
        assert all_equal(session.course) == {learner.pk: True}

    @pytest.mark.parametrize(
        ("answered_at", "error"), [(AT + DAY, AnsweredInTheFuture), (AT - 31 * DAY, ArrivedTooLate)]
    )
    def test_out_of_the_window_is_refused(self, session, answered_at, error):
        with pytest.raises(error):
            submit(session, submission(session, answered_at=answered_at))
        assert not Response.objects.exists()

    @pytest.mark.parametrize(
        ("sent_ms", "kept_ms"), [(1500, 1500), (10**15, 60_000), (None, 60_000), (-1, 60_000)]
    )
    def test_believes_no_longer_time_than_has_passed(self, session, sent_ms, kept_ms):
        assert (
            submit(session, submission(session, elapsed_ms=sent_ms)).response.elapsed_ms == kept_ms
        )

    def test_calls_a_day_a_break(self, session):
        assert submit(session, submission(session), at=AT + DAY).response.elapsed_ms == 3_600_000


class TestSession:
    def test_ends_at_its_limit_with_a_stated_finish(self, learner, course):
        classroom = make_class(course=course, users=[learner.user])
        assignment = make_assignment(classroom=classroom, items_per_session=4)
        session = start_session(learner=learner, course=course, assignment=assignment)

        for number in range(4):
            assert session.finished_at is None
            outcome = answer_current(session, right=bool(number % 2), at=AT + number * DAY)

        assert session.finish_reason == outcome.following.reason == "limit-reached"
        assert (session.n_answered, session.n_correct) == (4, 2)
        assert session.finished_at == AT + 3 * DAY

    def test_never_ends_in_an_error(self, learner, course):
        """Day by day until everything is mastered and reviewed; then a finish, not an error."""
        reasons = set()
        for day in range(60):
            session = start_session(
                learner=learner, course=course, at=AT + day * DAY, draw_seed=day
            )
            while session.finished_at is None:
                answer_current(session, right=day % 7 != 3, at=AT + day * DAY, draw_seed=day)
            reasons.add(session.finish_reason)

        assert reasons >= {"limit-reached"}
        assert reasons <= {"limit-reached", "all-mastered", "exhausted-for-now"}
        assert all_equal(course) == {learner.pk: True}

    def test_of_two_courses_do_not_meet(self, organisation, learner, session):
        second = dataclasses.replace(small_course_spec(), slug="second")
        course = content_services.load_course(organisation=organisation, spec=second).course
        tracing_services.give_prior_tracer(course=course, at=AT)
        course.refresh_from_db()

        other = start_session(learner=learner, course=course)
        answer_current(other)

        session.refresh_from_db()
        assert session.finished_at is None
        assert session.n_answered == 0

    def test_ends_once(self, learner, session):
        usecases.finish_practice(learner=learner, session=session, at=AT)
        again = usecases.finish_practice(learner=learner, session=session, at=AT + DAY)

        assert (again.finished_at, again.finish_reason) == (AT, "stopped")
        assert PracticeSession.objects.count() == 1


class TestRetryAnswer:
    @pytest.fixture
    def failed(self, session):
        """The submission of a wrong answer."""
        sent = submission(session, right=False)
        submit(session, sent)
        return sent

    def right(self, session, failed, **fields):
        shown = selectors.get_presentation(learner=session.learner, public_id=failed.presentation)
        return dataclasses.replace(
            failed, client_key=uuid.uuid4(), answer=grading.right_answer(shown.item), **fields
        )

    def test_is_kept_as_the_second_attempt_without_upward_evidence(self, session, failed):
        tracer_state = LearnerState.objects.get()
        before = bytes(tracer_state.state)
        decisions = Decision.objects.count()

        outcome = retry(session, self.right(session, failed))

        assert (outcome.response.attempt, outcome.response.is_correct) == (2, True)
        assert outcome.following is None
        assert Decision.objects.count() == decisions
        after = LearnerState.objects.get()
        assert bytes(after.state) != before
        old, new = (self.evidence(raw) for raw in (before, bytes(after.state)))
        assert new[0] == old[0]
        assert (new[1] == old[1]).all()
        assert all_equal(session.course) == {session.learner.pk: True}

    def evidence(self, raw):
        state = engine.TracedLearner.from_bytes(raw).filter
        return state.ability_mean, state.evidence_counts

    def test_sent_twice_is_stored_once(self, session, failed):
        sent = self.right(session, failed)

        first, again = retry(session, sent), retry(session, sent)

        assert (again.response, again.is_repeat) == (first.response, True)
        assert Response.objects.count() == 2

    def test_counts_on_while_it_stays_wrong(self, session, failed):
        for attempt in (2, 3):
            sent = dataclasses.replace(failed, client_key=uuid.uuid4())
            assert retry(session, sent).response.attempt == attempt

    def test_is_only_for_what_was_answered_wrong(self, session):
        with pytest.raises(NothingToRetry):
            retry(session, submission(session))
        sent = submission(session)
        submit(session, sent)
        with pytest.raises(NothingToRetry):
            retry(session, dataclasses.replace(sent, client_key=uuid.uuid4()))
        assert Response.objects.count() == 1

    def test_ends_when_it_is_solved(self, session, failed):
        retry(session, self.right(session, failed))

        with pytest.raises(NothingToRetry):
            retry(session, self.right(session, failed))

    def test_unreadable_stores_nothing(self, session, failed):
        with pytest.raises(UnreadableAnswer):
            retry(session, dataclasses.replace(failed, client_key=uuid.uuid4(), answer={}))
        assert Response.objects.count() == 1


class TestTakeHint:
    def take(self, session, **fields):
        return usecases.take_hint(
            learner=session.learner, presentation=session.current.public_id, at=AT, **fields
        )

    def test_opens_rung_after_rung_and_no_more(self, session):
        assert [self.take(session).level for _ in range(2)] == [1, 2]
        with pytest.raises(NoMoreHints):
            self.take(session)
        assert shown_in(session).hints_left == 0

    def test_asked_for_twice_opens_one_rung(self, session):
        first, again = self.take(session, level=1), self.take(session, level=1)

        assert first == again
        assert HintRequest.objects.count() == 1

    def test_is_remembered_with_the_answer(self, session):
        self.take(session)

        outcome = submit(session, submission(session))

        assert outcome.response.hints_seen == 1
        assert shown_in(session).hints == ()

    def test_is_over_when_the_item_is_solved(self, session):
        presentation = session.current.public_id
        submit(session, submission(session))

        with pytest.raises(AlreadyAnswered):
            usecases.take_hint(learner=session.learner, presentation=presentation, at=AT)

    def test_of_another_learner_is_unknown(self, organisation, session):
        with pytest.raises(PresentationUnknown):
            usecases.take_hint(
                learner=make_learner(organisation=organisation),
                presentation=session.current.public_id,
                at=AT,
            )
        assert not HintRequest.objects.exists()
