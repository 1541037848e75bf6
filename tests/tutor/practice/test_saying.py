"""Reports, notes, pauses, steps and examples: stored once, never an answer."""

import datetime as dt
import uuid

import pytest

from tests.factories import (
    AT,
    answer_current,
    make_course,
    make_learner,
    make_organisation,
    start_session,
    wrong_answer,
)
from tutor.content import grading
from tutor.practice import remarks, usecases
from tutor.practice import selectors as practice_selectors
from tutor.practice.errors import KeyReused, NoMoreHints, NoSuchStep, PresentationUnknown
from tutor.practice.models import ItemReport, Pause, StepAnswer, TeacherNote
from tutor.responses.models import HintRequest, Response

pytestmark = pytest.mark.django_db


@pytest.fixture
def session():
    learner = make_learner(organisation=make_organisation())
    return start_session(learner=learner, course=make_course(organisation=learner.organisation))


def shown(session):
    return practice_selectors.get_presentation(
        learner=session.learner, public_id=session.current.public_id
    )


def show_item(session, slug):
    """Go on with answering until this item waits."""
    for seed in range(200):
        if session.finished_at:
            session = start_session(learner=session.learner, course=session.course, draw_seed=seed)
        if session.current.item_version.item.slug == slug:
            return session
        usecases.finish_practice(learner=session.learner, session=session, at=AT)
        session.refresh_from_db()
    raise AssertionError(slug)


class TestReportItem:
    def report(self, session, key, **fields):
        given = {"kind": "mistake", "text": " The key is wrong. ", **fields}
        presentation = given.pop("presentation", session.current.public_id)
        return usecases.report_item(
            learner=session.learner, presentation=presentation, client_key=key, at=AT, **given
        )

    def test_is_stored_once(self, session):
        key = uuid.uuid4()

        rows = [self.report(session, key) for _ in range(2)]

        assert rows[0].pk == rows[1].pk
        assert ItemReport.objects.count() == 1
        assert (rows[0].kind, rows[0].text) == ("mistake", "The key is wrong.")

    @pytest.mark.parametrize(
        ("given", "stored"), [({"kind": "nonsense"}, "other"), ({"text": "x" * 5000}, "x" * 1000)]
    )
    def test_takes_what_a_form_may_hold(self, session, given, stored):
        row = self.report(session, uuid.uuid4(), **given)

        assert stored in (row.kind, row.text)

    def test_refuses_the_key_of_another_items_report(self, session):
        key, first = uuid.uuid4(), session.current.public_id
        self.report(session, key)
        answer_current(session)

        with pytest.raises(KeyReused):
            self.report(session, key)

        assert self.report(session, key, presentation=first).pk

    def test_refuses_an_item_that_was_never_shown(self, session):
        with pytest.raises(PresentationUnknown):
            self.report(session, uuid.uuid4(), presentation=uuid.uuid4())


class TestWriteNote:
    def test_is_stored_once_and_listed_for_the_teacher(self, session):
        key = uuid.uuid4()
        for _ in range(2):
            usecases.write_note(
                learner=session.learner, session=session, client_key=key, text=" Help ", at=AT
            )

        [note] = TeacherNote.objects.all()
        assert note.text == "Help"
        found = remarks.list_remarks(learner=session.learner, course_id=session.course_id)
        assert found.notes == (note,)
        assert found.any


class TestPause:
    def pause(self, session):
        return usecases.pause(
            learner=session.learner,
            presentation=session.current.public_id,
            client_key=uuid.uuid4(),
            at=AT,
        )

    def submit(self, session, *, hours, **fields):
        return usecases.submit_answer(
            learner=session.learner,
            submission=usecases.Submission(
                session.current.public_id,
                uuid.uuid4(),
                grading.right_answer(shown(session).item),
                **fields,
            ),
            at=AT + dt.timedelta(hours=hours),
            draw_seed=1,
            source="practice",
        ).response

    def test_leaves_the_same_item_waiting(self, session):
        waiting = session.current

        self.pause(session)

        again = start_session(learner=session.learner, course=session.course)
        assert (again.pk, again.current) == (session.pk, waiting)
        assert Pause.objects.get().decision == waiting

    def test_makes_the_time_spent_unknown_unless_it_was_measured(self, session):
        self.pause(session)

        assert self.submit(session, hours=1).elapsed_ms is None
        session.refresh_from_db()
        self.pause(session)
        assert self.submit(session, hours=2, elapsed_ms=7000).elapsed_ms == 7000


class TestOpenRung:
    def open(self, session, level):
        return usecases.open_rung(
            learner=session.learner, presentation=session.current.public_id, level=level, at=AT
        )

    def test_leads_by_hints_and_steps_to_an_example_with_other_numbers(self, session):
        session = show_item(session, "add-two")
        ladder = []
        while shown(session).next_rung:
            ladder.append(shown(session).next_rung)
            self.open(session, len(ladder))

        assert ladder == ["hint", "hint", "steps", "example"]
        found = shown(session)
        sibling = practice_selectors.get_sibling(shown=found)
        assert sibling.stem != found.item.stem
        assert found.hints == found.item.hints

    def test_makes_the_answer_practice(self, session):
        for level in (1, 2):
            self.open(session, level)

        assert answer_current(session).response.hints_seen == 2

    def test_opens_no_rung_before_those_below_it(self, session):
        with pytest.raises(NoMoreHints):
            self.open(session, 2)

        assert not HintRequest.objects.exists()

    def test_opens_each_once(self, session):
        assert self.open(session, 1) == self.open(session, 1)

    def test_leaves_no_hint_for_the_api_after_the_last(self, session):
        session = show_item(session, "add-two")
        for level in (1, 2, 3, 4):
            self.open(session, level)

        with pytest.raises(NoMoreHints):
            usecases.take_hint(
                learner=session.learner, presentation=session.current.public_id, at=AT
            )


class TestAnswerStep:
    @pytest.fixture
    def at_steps(self, session):
        session = show_item(session, "add-two")
        for level in (1, 2, 3):
            usecases.open_rung(
                learner=session.learner, presentation=session.current.public_id, level=level, at=AT
            )
        return session

    def answer(self, session, text, *, step=1, key=None):
        return usecases.answer_step(
            learner=session.learner,
            presentation=session.current.public_id,
            client_key=key or uuid.uuid4(),
            step=step,
            answer={"text": text},
            at=AT,
        )

    def test_is_graded_and_stored_beside_the_log(self, at_steps):
        step = shown(at_steps).item.steps[0]
        right, wrong = grading.right_answer(step)["text"], wrong_answer(step)["text"]

        rows = [self.answer(at_steps, text) for text in (wrong, right)]

        assert [row.is_correct for row in rows] == [False, True]
        assert not Response.objects.exists()
        found = remarks.list_step_answers(shown=shown(at_steps))
        assert found == {1: rows}

    def test_sent_again_is_one_row(self, at_steps):
        key = uuid.uuid4()

        assert self.answer(at_steps, "1", key=key) == self.answer(at_steps, "2", key=key)
        assert StepAnswer.objects.count() == 1

    def test_that_cannot_be_read_is_not_stored(self, at_steps):
        with pytest.raises(grading.UnreadableAnswer):
            self.answer(at_steps, "?!")

        assert not StepAnswer.objects.exists()

    @pytest.mark.parametrize("step", [0, 9])
    def test_needs_a_step_that_is_there(self, at_steps, step):
        with pytest.raises(NoSuchStep):
            self.answer(at_steps, "1", step=step)

    def test_needs_the_steps_to_be_open(self, session):
        session = show_item(session, "add-two")

        with pytest.raises(NoSuchStep):
            self.answer(session, "1")
