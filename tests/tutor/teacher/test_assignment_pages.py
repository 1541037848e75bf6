"""A teacher sets an assignment and changes it; what could not be worked on is refused in words."""

import pytest
from django.urls import reverse

from tests.tutor.pages import text
from tutor.accounts.models import AuditEntry
from tutor.classes.models import Assignment
from tutor.content.models import Item

pytestmark = pytest.mark.django_db

FORM = {
    "do": "save",
    "title": "Sums",
    "opens": "2026-03-01T08:00",
    "due": "2026-04-01T18:00",
    "items": "7",
    "concept": ["adding"],
}


def send(client, classroom, **form):
    address = reverse("teacher:assignment-save", args=[classroom.public_id])
    return client.post(address, {**FORM, **form}, follow=True)


def test_is_set_once_and_changed(client, classroom):
    for _ in range(2):
        shown = text(send(client, classroom))

    row = Assignment.objects.get()
    assert (row.title, row.items_per_session) == ("Sums", 7)
    assert [one.slug for one in row.concepts.all()] == ["adding"]
    assert "Sums" in shown
    place = reverse("teacher:assignments", args=[classroom.public_id])
    assert 'value="2026-04-01T18:00"' in text(client.get(place, {"change": row.public_id}))
    send(client, classroom, assignment=row.public_id, title="More sums", due="", concept=[])
    row.refresh_from_db()
    assert (row.title, row.due_at, row.concepts.count()) == ("More sums", None, 0)
    told = AuditEntry.objects.filter(action__startswith="assignment.").order_by("pk")
    assert [one.action for one in told] == ["assignment.created", "assignment.changed"]
    assert told[1].facts["before"]["concepts"] == ["adding"]


def test_what_has_no_question_is_refused_with_topic_and_difficulty(client, classroom):
    Item.objects.filter(current__concepts__slug="naming").update(status=Item.Status.RETIRED)
    course = classroom.course
    course.revision += 1
    course.save()

    refused = send(client, classroom, concept=["adding", "naming"])

    assert refused.status_code == 409
    said = text(refused)
    assert "“Naming things” has no question in use: write one of difficulty" in said
    assert 'value="Sums"' in said
    assert not Assignment.objects.exists()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"title": " "}, "Give a title"),
        ({"items": "0"}, "questions a sitting"),
        ({"opens": ""}, "when it opens"),
        ({"due": "someday"}, "Write a date and time"),
        ({"due": "2026-02-01T08:00"}, "due before it opens"),
        ({"concept": ["x\x00"]}, "not of this course"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(client, classroom, form, said):
    refused = send(client, classroom, **form)

    assert refused.status_code == 400
    assert said in text(refused)
    assert not Assignment.objects.exists()
