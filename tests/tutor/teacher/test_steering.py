"""A teacher steers how questions are chosen: settings, the kill switch, what came of it."""

import pytest
from django.urls import reverse

from tests.factories import (
    answer_current,
    make_learner,
    start_session,
)
from tests.tutor.pages import text
from tutor.classes import services as class_services
from tutor.common import clock
from tutor.scheduling.models import ClassScheduling, Decision

pytestmark = pytest.mark.django_db


def page(client, classroom):
    return client.get(reverse("teacher:steering", args=[classroom.public_id]))


def send(client, classroom, **form):
    address = reverse("teacher:steering-set", args=[classroom.public_id])
    return client.post(address, form, follow=True)


def practise(classroom, *, answers=3):
    learner = make_learner(organisation=classroom.organisation, name="Lea Rner")
    class_services.enrol(classroom=classroom, learners=[learner])
    classroom.course.refresh_from_db()
    session = start_session(learner=learner, course=classroom.course, at=clock.now())
    for _ in range(answers):
        answer_current(session, at=clock.now())
    return learner


def test_settings_are_kept_with_who_when_and_why(client, classroom):
    shown = text(
        send(client, classroom, policy="zpdes", explores="on", probes="on", reason="a trial")
    )

    row = ClassScheduling.objects.get()
    assert (row.policy, row.explores, row.probes, row.kill_switch) == ("zpdes", True, True, False)
    assert "Where success is rising" in shown
    assert "Questions chosen by “Where success is rising”; random questions on" in shown
    assert "Tea Cher" in shown
    assert "a trial" in shown


def test_the_kill_switch_leaves_the_other_settings_alone(client, classroom):
    send(client, classroom, policy="zpdes", explores="on")

    stopped = text(send(client, classroom, do="stop"))
    assert "<strong>Stopped.</strong>" in stopped
    assert "Stop choosing" not in stopped
    going = text(send(client, classroom, do="go"))

    assert "<strong>Stopped.</strong>" not in going
    row = ClassScheduling.objects.latest("pk")
    assert (row.policy, row.explores, row.kill_switch) == ("zpdes", True, False)


def test_an_unknown_policy_is_refused_in_words(client, classroom):
    answer = send(client, classroom, policy="oracle")

    assert answer.status_code == 400
    assert "serves classes: choose one of" in text(answer)
    assert not ClassScheduling.objects.exists()


def test_the_month_is_told_in_a_picture_and_in_numbers(client, classroom):
    began = clock.now()
    practise(classroom, answers=2)
    send(client, classroom, do="stop")
    practise(classroom, answers=1)

    shown = text(page(client, classroom))

    questions = Decision.objects.filter(item_version__isnull=False)
    ordered = questions.filter(fallback="kill-switch").count()
    assert ordered >= 2
    assert f"{questions.count()} questions: 0 drawn at random, {ordered} in your order" in shown
    assert 'class="planned"' in shown
    assert 'class="teacher"' in shown
    # Two days, where a midnight came meanwhile.
    assert any(f"{at:%-d %b}" in shown for at in (began, clock.now()))


def test_a_quiet_class_is_told_so(client, classroom):
    shown = text(page(client, classroom))

    assert "No question has been chosen yet." in shown
    assert "No delayed check has been answered without help yet." in shown
