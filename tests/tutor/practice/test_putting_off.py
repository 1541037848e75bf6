"""Putting an item off: stored once, no evidence, and what rests until the session ends."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from tests.factories import (
    AT,
    answer_current,
    make_assignment,
    make_class,
    make_course,
    make_learner,
    make_organisation,
    start_session,
)
from tutor.accounts.models import Learner
from tutor.common.append_only import RowIsFinal
from tutor.content import grading
from tutor.practice import remarks, usecases
from tutor.practice import selectors as practice_selectors
from tutor.practice.errors import AlreadyAnswered, NoMoreSkips, NotWaiting, PresentationUnknown
from tutor.practice.models import SetAside
from tutor.responses.models import Response
from tutor.scheduling import decision_log, replaying
from tutor.scheduling.models import Decision
from tutor.tracing import selectors as tracing_selectors

pytestmark = pytest.mark.django_db
SKIP, UNLEARNT = SetAside.Kind.SKIP, SetAside.Kind.UNLEARNT


@pytest.fixture
def learner() -> Learner:
    return make_learner(organisation=make_organisation())


@pytest.fixture
def session(learner):
    course = make_course(organisation=learner.organisation)
    return start_session(learner=learner, course=course)


def put_off(session, kind, *, key=None, draw_seed=5, presentation=None, at=AT):
    row = usecases.put_off(
        learner=session.learner,
        wish=usecases.PutOff(
            presentation=presentation or session.current.public_id,
            client_key=key or uuid.uuid4(),
            kind=kind,
            at=at,
            draw_seed=draw_seed,
        ),
    )
    session.refresh_from_db()
    return row


def masteries(session):
    found = tracing_selectors.get_masteries(learner=session.learner, course=session.course, at=AT)
    return {pk: (one.prob, one.evidence_n) for pk, one in found.items()}


@pytest.mark.parametrize("kind", [SKIP, UNLEARNT])
class TestEither:
    def test_is_stored_and_leaves_mastery_and_the_log_as_they_were(self, session, kind):
        before = masteries(session)
        shown = session.current

        row = put_off(session, kind)

        assert (row.decision, row.session, row.kind) == (shown, session, kind)
        assert masteries(session) == before
        assert not Response.objects.exists()
        assert session.n_answered == 0
        assert session.current.follows == shown.public_id

    def test_sent_again_is_one_row_and_one_decision(self, session, kind):
        presentation, key = session.current.public_id, uuid.uuid4()

        rows = [put_off(session, kind, key=key, presentation=presentation) for _ in range(2)]
        rows.append(put_off(session, SKIP, presentation=presentation))

        assert {row.pk for row in rows} == {rows[0].pk}
        assert Decision.objects.filter(follows=presentation).count() == 1

    def test_of_an_answered_item_is_refused(self, session, kind):
        presentation = session.current.public_id
        answer_current(session)

        with pytest.raises(AlreadyAnswered):
            put_off(session, kind, presentation=presentation)

        assert not SetAside.objects.exists()

    def test_of_a_session_that_is_over_is_refused(self, session, kind):
        usecases.finish_practice(learner=session.learner, session=session, at=AT)

        with pytest.raises(NotWaiting):
            put_off(session, kind)

    def test_of_somebody_elses_item_is_refused(self, session, kind):
        stranger = make_learner(organisation=session.learner.organisation)
        wish = usecases.PutOff(session.current.public_id, uuid.uuid4(), kind, AT, 1)

        with pytest.raises(PresentationUnknown):
            usecases.put_off(learner=stranger, wish=wish)

    def test_is_kept_for_good(self, session, kind):
        row = put_off(session, kind)

        with pytest.raises(RowIsFinal):
            row.delete()

    def test_may_be_decided_again_from_what_is_stored(self, session, kind):
        later = [AT + dt.timedelta(minutes=number) for number in range(4)]
        answer_current(session, at=later[1])
        put_off(session, kind, at=later[2])
        answer_current(session, draw_seed=9, at=later[3])

        for decision in Decision.objects.filter(learner=session.learner, tracer__isnull=False):
            replaying.decide_again(decision)

        told = decision_log.Told()
        rows = list(decision_log.iterate_rows(course=session.course, at=later[3], told=told))
        assert not told.left_out
        # What was put off is an outcome of the choice and taught nothing; the last one waits.
        outcomes = ["answered", kind, "answered", "waiting"]
        assert [row["outcome"] for row in rows] == outcomes
        assert [row["reward"] for row in rows[1::2]] == [0.0, None]
        assert all(rows[place]["reward"] for place in (0, 2))
        assert told.unanswered == {kind: 1, "waiting": 1}
        # A day later nobody waits for it any more.
        next_day = later[3] + dt.timedelta(days=1)
        last = list(decision_log.iterate_rows(course=session.course, at=next_day))[-1]
        assert (last["outcome"], last["reward"]) == ("left", 0.0)

    def test_a_late_answer_to_it_counts_and_moves_nothing(self, session, kind):
        presentation = session.current.public_id
        item = practice_selectors.rendered_item(session.current)
        put_off(session, kind)
        waiting = session.current

        outcome = usecases.submit_answer(
            learner=session.learner,
            submission=usecases.Submission(presentation, uuid.uuid4(), grading.right_answer(item)),
            at=AT,
            draw_seed=3,
            source="practice",
        )

        session.refresh_from_db()
        assert outcome.following is None
        assert session.current == waiting
        # Whom it was new to may have seen one worked out: practice, and no proof.
        assert Response.objects.get().hints_seen == (kind == UNLEARNT)

    def test_does_not_come_back_in_sessions_of_the_next_day(self, session, kind):
        item = session.current.item_version.item_id
        put_off(session, kind)
        usecases.finish_practice(learner=session.learner, session=session, at=AT)

        soon = start_session(
            learner=session.learner, course=session.course, at=AT + dt.timedelta(minutes=1)
        )

        assert soon.resting == {"items": [item]}
        assert soon.current.item_version.item_id != item
        replaying.decide_again(soon.current)
        usecases.finish_practice(
            learner=session.learner, session=soon, at=AT + dt.timedelta(minutes=2)
        )
        later = start_session(
            learner=session.learner, course=session.course, at=AT + dt.timedelta(days=1)
        )
        assert later.resting == {}


class TestSkip:
    def test_sets_the_item_alone_aside_and_costs_one_of_two(self, session):
        first = session.current.item_version.item_id

        put_off(session, SKIP)
        put_off(session, SKIP)

        assert session.resting["items"][0] == first
        assert remarks.count_skips_left(session=session, at=AT) == 0
        with pytest.raises(NoMoreSkips):
            put_off(session, SKIP)
        assert SetAside.objects.count() == 2

    def test_does_not_bring_the_item_back_in_the_session(self, session):
        first = session.current.item_version.item_id
        put_off(session, SKIP)
        shown = []
        for seed in range(9):
            shown.append(session.current.item_version.item_id)
            answer_current(session, right=False, draw_seed=seed)
            if session.finished_at:
                break

        assert first not in shown

    def test_is_one_of_two_a_day_and_not_a_session(self, session):
        put_off(session, SKIP)
        put_off(session, SKIP)
        usecases.finish_practice(learner=session.learner, session=session, at=AT)

        again = start_session(learner=session.learner, course=session.course)

        with pytest.raises(NoMoreSkips):
            put_off(again, SKIP)
        tomorrow = timezone.localtime(AT).replace(hour=0, minute=0) + dt.timedelta(days=1)
        assert remarks.count_skips_left(session=again, at=tomorrow - dt.timedelta(minutes=1)) == 0
        assert remarks.count_skips_left(session=again, at=tomorrow) == 2


class TestUnlearnt:
    def test_rests_every_item_of_the_concept(self, session):
        concept = practice_selectors.main_concept_of(session.current)

        put_off(session, UNLEARNT)

        assert session.resting == {"concepts": [concept]}
        for seed in range(6):
            if session.finished_at:
                break
            shown = practice_selectors.get_presentation(
                learner=session.learner, public_id=session.current.public_id
            )
            assert concept not in shown.concept_ids
            answer_current(session, draw_seed=seed)

    def test_of_everything_ends_the_session_in_words_of_its_own(self, learner):
        course = make_course(organisation=learner.organisation)
        classroom = make_class(course=course, users=[learner.user])
        goal = course.concepts.get(slug="naming")
        assignment = make_assignment(classroom=classroom, concepts=[goal])
        session = start_session(learner=learner, course=course, assignment=assignment)

        put_off(session, UNLEARNT)

        assert session.finish_reason == "set-aside"
        assert session.finished_at == AT
