"""The teacher's page of rules: set, seen with who and why, taken back; refused in words."""

import pytest
from django.urls import reverse

from tests.factories import (
    make_assignment,
    make_class,
    make_learner,
    make_user,
    set_scheduling,
    start_session,
)
from tests.tutor.pages import text
from tutor.classes import services as class_services
from tutor.common import clock
from tutor.content.models import Item
from tutor.scheduling import ruling
from tutor.scheduling.models import Decision, SteeringRule
from tutor.scheduling.rule_values import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(classroom):
    learner = make_learner(organisation=classroom.organisation, name="Ann Learner")
    class_services.enrol(classroom=classroom, learners=[learner])
    return learner


def send(client, classroom, **form):
    address = reverse("teacher:rules-set", args=[classroom.public_id])
    return client.post(address, form, follow=True)


def in_force():
    return SteeringRule.objects.get(reverts=None, reverted_by=None)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"kind": "pin", "topic": "doubling"}, "First “Doubling” until it is mastered"),
        ({"kind": "ban", "topic": "naming"}, "Never “Naming things”"),
        ({"kind": "quota", "topic": "adding", "number": "5"}, "At most 5 on “Adding”"),
        (
            {"kind": "order", "place-adding": "2", "place-naming": "1"},
            "In this order: Naming things, Adding",
        ),
        ({"kind": "exam", "date": "2099-05-03T10:00"}, "Exam on 3 May 2099, 10:00"),
        ({"kind": "minutes", "number": "25"}, "25 minutes a day until the date"),
        ({"kind": "length", "number": "8"}, "At most 8 questions a sitting"),
    ],
)
def test_a_rule_stands_there_with_who_when_and_why_and_is_taken_back(client, classroom, form, said):
    shown = text(send(client, classroom, reason="before the holidays", **form))

    assert said in shown
    assert "Everybody" in shown
    assert "Tea Cher" in shown
    assert "before the holidays" in shown

    undo = reverse("teacher:rules-undo", args=[classroom.public_id, in_force().pk])
    after = text(client.post(undo, follow=True))
    assert "None: the tutor chooses freely." in after
    assert f"Taken back: {said}" in after
    assert client.post(undo).status_code == 409


def test_a_ban_says_what_it_takes_out(client, classroom):
    slug = Item.objects.filter(course=classroom.course).earliest("pk").slug
    whole = Item.objects.filter(course=classroom.course).count()

    shown = text(send(client, classroom, kind="ban", question=slug))

    assert f"Never the question “{slug}”" in shown
    assert f"takes out 1 of {whole} questions" in shown


def test_an_accommodation_is_for_the_learners_ticked(client, classroom, ann):
    shown = text(
        send(client, classroom, kind="bar", needs=["sound", "drag"], learner=[ann.pseudonym])
    )

    assert "No question that needs sound or dragging with a pointer" in shown
    assert "takes out 0 of" in shown
    assert list(in_force().learners.all()) == [ann]
    client.force_login(ann.user)
    for address in ("rules", "steering"):
        page = client.get(reverse(f"teacher:{address}", args=[classroom.public_id]))
        assert page.status_code == 404


def test_a_rule_of_an_assignment_and_a_test(client, classroom, ann):
    assignment = make_assignment(classroom=classroom, at=clock.now(), title="Quiz")

    shown = text(send(client, classroom, kind="test", assignment=assignment.public_id))

    assert "A test: nothing is drawn at random" in shown
    assert "Everybody, in “Quiz”" in shown


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"kind": "pin"}, 400, "Choose a topic, or name one question"),
        ({"kind": "pin", "question": "nothing"}, 400, "The course has no question “nothing”."),
        ({"kind": "pin", "question": "a\x00b"}, 400, "The course has no question"),
        ({"kind": "ban", "topic": "flying"}, 400, "The course has no topic “flying”."),
        ({"kind": "length", "number": "many"}, 400, "Give a whole number from 1 to 200."),
        ({"kind": "exam", "date": "soon"}, 400, "Give a date and time that is still to come."),
        ({"kind": "order", "place-adding": "x"}, 400, "is no place in an order."),
        ({"kind": "steady"}, 400, "Choose the learners that this is for."),
        ({"kind": "pin", "topic": "adding", "learner": "x"}, 400, "is not in this class"),
        ({"kind": "pin", "topic": "adding", "assignment": "x"}, 400, "no such assignment"),
        (
            {"kind": "order", "place-doubling": "1", "place-adding": "2"},
            409,
            "“Doubling” cannot come before “Adding”: it builds on it.",
        ),
        ({}, 400, "There is no rule"),
    ],
)
def test_what_cannot_be_is_refused_in_words(client, classroom, form, status, said):
    answer = send(client, classroom, **form)

    assert answer.status_code == status
    assert said in text(answer)
    assert not SteeringRule.objects.exists()


def test_a_pin_that_can_no_longer_be_kept_is_told(client, classroom):
    item = Item.objects.filter(course=classroom.course).earliest("pk")
    send(client, classroom, kind="pin", question=item.slug)
    Item.objects.filter(pk=item.pk).update(status=Item.Status.RETIRED)
    type(classroom.course).objects.filter(pk=classroom.course.pk).update(revision=99)

    page = client.get(reverse("teacher:rules", args=[classroom.public_id]))

    assert "cannot be given first: it is not in use." in text(page)


def test_the_receipt_names_the_rules_that_held(client, classroom, ann):
    item = Item.objects.filter(course=classroom.course).earliest("pk")
    send(client, classroom, kind="pin", question=item.slug)
    classroom.course.refresh_from_db()
    start_session(learner=ann, course=classroom.course, at=clock.now())
    decision = Decision.objects.get()

    page = client.get(
        reverse("teacher:receipt", args=[classroom.public_id, ann.pseudonym, decision.public_id])
    )

    assert f"Your rule held: First the question “{item.slug}”." in text(page)
    assert f"?question={item.slug}" in text(page)


def test_newcomers_are_placed_unless_the_class_says_no(client, classroom, ann):
    address = reverse("teacher:steering-set", args=[classroom.public_id])
    shown = text(client.post(address, {"policy": "automatic"}, follow=True))

    assert "newcomers begin at the beginning" in shown.lower()
    again = text(client.post(address, {"policy": "automatic", "places": "on"}, follow=True))
    assert "Newcomers placed first" in again


def test_another_class_s_rules_and_accommodations_are_not_told(client, classroom, ann):
    item = Item.objects.filter(course=classroom.course).earliest("pk")
    colleague = make_user(organisation=classroom.organisation, role="teacher")
    other = make_class(course=classroom.course, users=[colleague, ann.user], name="8c")
    for one in (classroom, other):
        set_scheduling(one, explores=True)
    for order in (Order("pin", item=item), Order("steady", learners=[ann])):
        ruling.set_rule(classroom=other, order=order, actor=colleague, at=clock.now())
    send(client, classroom, kind="length", number="8")
    classroom.course.refresh_from_db()
    start_session(learner=ann, course=classroom.course, at=clock.now())
    decision = Decision.objects.get()
    assert decision.receipt["exploring"] == "flagged"

    def read(one, name):
        return client.get(
            reverse(f"teacher:{name}", args=[one.public_id, ann.pseudonym, decision.public_id])
        )

    mine, record = text(read(classroom, "receipt")), read(classroom, "receipt-record").json()
    assert "Your rule held: At most 8 questions a sitting." in mine
    assert mine.count("A rule of another class held.") == 2
    assert "Your rule held: First" not in mine
    assert "this learner is exempt" not in mine
    assert record["receipt"]["exploring"] == "another-class"

    client.force_login(colleague)
    theirs = text(read(other, "receipt"))
    assert f"Your rule held: First the question “{item.slug}”." in theirs
    assert "this learner is exempt" in theirs
    assert "At most 8 questions" not in theirs
    assert read(other, "receipt-record").json()["receipt"]["exploring"] == "flagged"
    assert read(classroom, "receipt").status_code == 404
