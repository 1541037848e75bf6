"""What is told about answers that are judged otherwise now than when they were stored."""

import uuid

import pytest
from django.urls import reverse

from tests.factories import (
    AT,
    answer_current,
    make_class,
    make_user,
    start_session,
    wrong_answer,
)
from tutor.content import grading
from tutor.practice import feedback, selectors, usecases
from tutor.responses.models import Response

pytestmark = pytest.mark.django_db


@pytest.fixture
def classroom(learner, course):
    return make_class(course=course, users=[learner.user])


@pytest.fixture
def session(learner, course, classroom):
    return start_session(learner=learner, course=course)


@pytest.fixture
def answered(session):
    """A wrong answer, and the showing that it is to."""
    public_id = session.current.public_id
    outcome = answer_current(session, right=False)
    shown = selectors.get_presentation(learner=session.learner, public_id=public_id)
    return outcome.response, shown


def told_now(shown):
    return feedback.explain(shown, shown.responses[0])


def refuse(item, answer):
    raise grading.UnreadableAnswer("This may be read in two ways.")


class TestAnAnswerThatCannotBeReadAnyMore:
    def test_is_told_as_typed_with_its_verdict(self, answered, monkeypatch):
        before = told_now(answered[1])
        monkeypatch.setattr(grading, "grade", refuse)

        after = told_now(answered[1])

        assert (after.given, after.is_correct, after.credit) == (before.given, False, 0)
        assert after.given
        assert after.remark == ""

    def test_has_its_page(self, answered, session, client, monkeypatch):
        monkeypatch.setattr(grading, "grade", refuse)
        client.force_login(session.learner.user)

        page = client.get(reverse("student:answered", args=[answered[0].presentation]))

        assert page.status_code == 200
        assert "Not yet" in page.content.decode()

    def test_is_in_the_teachers_receipt(self, answered, session, client, course, monkeypatch):
        monkeypatch.setattr(grading, "grade", refuse)
        teacher = make_user(organisation=course.organisation, role="teacher")
        own = make_class(course=course, users=[teacher, session.learner.user])
        client.force_login(teacher)

        page = client.get(
            reverse(
                "teacher:receipt",
                args=[own.public_id, session.learner.pseudonym, answered[0].presentation],
            )
        )

        assert page.status_code == 200
        assert "✗ wrong" in page.content.decode()

    @pytest.mark.parametrize("send", [usecases.submit_answer, usecases.retry_answer])
    def test_is_found_when_it_is_sent_again(self, session, monkeypatch, send):
        sent = usecases.Submission(
            session.current.public_id,
            uuid.uuid4(),
            wrong_answer(selectors.rendered_item(session.current)),
        )
        fields = {"learner": session.learner, "at": AT, "source": "practice"}
        usecases.submit_answer(submission=sent, draw_seed=1, **fields)
        monkeypatch.setattr(grading, "grade", refuse)
        fields |= {"draw_seed": 1} if send is usecases.submit_answer else {}

        again = send(submission=sent, **fields)

        assert again.is_repeat
        assert Response.objects.count() == 1
        new = usecases.Submission(sent.presentation, uuid.uuid4(), sent.answer)
        with pytest.raises(grading.UnreadableAnswer):
            send(submission=new, **fields)


def test_a_remark_that_the_verdict_then_contradicts_is_not_made(answered, monkeypatch):
    now = grading.Grade(is_correct=False, credit=0.5, feedback="The value is right.")
    monkeypatch.setattr(grading, "grade", lambda item, answer: now)
    assert told_now(answered[1]).remark == ""

    monkeypatch.setattr(
        grading,
        "grade",
        lambda item, answer: grading.Grade(is_correct=False, credit=0.0, feedback="Near."),
    )
    assert told_now(answered[1]).remark == "Near."
