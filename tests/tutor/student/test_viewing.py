"""A teacher looks at a learner's pages: nothing can be pressed, and nothing else is written."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import answer_current, make_assignment, make_class, make_user, start_session
from tests.tutor.pages import text
from tutor.accounts.models import AuditEntry
from tutor.common import clock

pytestmark = pytest.mark.django_db
PAGES = ("home", "map", "progress")


@pytest.fixture
def teacher(organisation):
    return make_user(organisation=organisation, role="teacher", name="Tea Cher")


@pytest.fixture
def room(course, student, teacher):
    return make_class(course=course, users=[student, teacher], name="7c")


def address(name, room, student):
    return reverse(f"student:seen-{name}", args=[room.public_id, student.learner.pseudonym])


@pytest.mark.parametrize("name", PAGES)
def test_is_the_learners_page_with_a_banner_and_writes_only_who_looked(
    client, room, student, teacher, name
):
    at = clock.now()
    make_assignment(classroom=room, at=at, title="Fractions")
    session = start_session(learner=student.learner, course=room.course, at=at)
    answer_current(session, at=at)
    own = text(client.get(reverse(f"student:{name}")))
    client.force_login(teacher)
    client.get(address(name, room, student))

    with CaptureQueriesContext(connection) as caught:
        seen = text(client.get(address(name, room, student)))

    assert "You see what Student" in seen or "You see what Sam Student sees" in seen
    heading = own.split("<h1>")[1].split("</h1>")[0]
    assert f"<h1>{heading}</h1>" in seen
    written = [
        q["sql"]
        for q in caught
        if not q["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE", "BEGIN"))
    ]
    assert all("accounts_auditentry" in sql for sql in written)
    entry = AuditEntry.objects.filter(action="learner.viewed-as").latest("pk")
    assert entry.actor == teacher
    assert str(student.learner.pseudonym) in entry.subject
    main = seen.split('<main id="main"')[1].split("</main>")[0]
    assert main.count("<button") == main.count("<button disabled") + main.count('" disabled>')
    assert "student:practise" not in main
    assert "/learn/practise/" not in main


@pytest.mark.parametrize("name", PAGES)
def test_takes_no_form_and_nobody_elses_eyes(client, room, student, teacher, name, organisation):
    assert client.get(address(name, room, student)).status_code == 404  # the learner's own account
    client.force_login(teacher)
    assert client.post(address(name, room, student)).status_code == 405
    client.force_login(make_user(organisation=organisation, role="teacher"))
    assert client.get(address(name, room, student)).status_code == 404
    assert not AuditEntry.objects.filter(action="learner.viewed-as").exists()


def test_leaves_out_what_concerns_another_class(client, room, student, teacher, course):
    elsewhere = make_class(course=course, users=[student], name="Club")
    secret = make_assignment(classroom=elsewhere, at=clock.now(), title="Secret plan")
    start_session(learner=student.learner, course=course, assignment=secret, at=clock.now())
    client.force_login(teacher)

    seen = text(client.get(address("home", room, student)))

    assert "Secret plan" not in seen
    assert "Club" not in seen
