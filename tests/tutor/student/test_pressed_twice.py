"""A button pressed twice at once: real threads on PostgreSQL, and each page shows the feedback."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_class, make_course, make_organisation, make_user, start_session
from tests.tutor.practice.test_at_once import THREADS, at_once
from tutor.common import clock
from tutor.content import grading
from tutor.practice import selectors as practice_selectors
from tutor.practice.models import PracticeSession
from tutor.responses.models import Response

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("tabs", [1, 2])
@pytest.mark.parametrize("is_open_page", [False, True])
def test_every_press_leads_to_the_feedback_and_one_counts(tabs, is_open_page):
    """Of the same page, or of two tabs whose forms have keys of their own."""
    user = make_user(organisation=make_organisation())
    course = make_course(organisation=user.organisation)
    make_class(course=course, users=[user])
    session = start_session(learner=user.learner, course=course, at=clock.now())
    shown = practice_selectors.get_presentation(
        learner=user.learner, public_id=session.current.public_id
    )
    assert grading.right_answer(shown.item) == {"right": True}
    fields = {"kind": "self_marked", "right": "yes"}
    keys = [uuid.uuid4() for _ in range(tabs)]
    clients = [
        Client(headers={"HX-Request": "true"} if is_open_page else None) for _ in range(THREADS)
    ]
    for client in clients:
        client.force_login(user)
    address = reverse("student:answer", args=[session.current.public_id])

    def press(number):
        form = {**fields, "client_key": keys[number % tabs]}
        return clients[number].post(address, form, follow=True)

    came = at_once(press)

    feedback = reverse("student:answered", args=[session.current.public_id])
    for response in came:
        assert response.status_code == 200
        assert "student/answered.html" in [one.name for one in response.templates]
        told = response.headers["HX-Push-Url"] if is_open_page else response.request["PATH_INFO"]
        assert told == feedback
    assert Response.objects.get().client_key in keys
    assert PracticeSession.objects.get().n_answered == 1
