"""Buttons of the admin: they put work on the list, move items, and refuse in words."""

import pytest
from django.urls import reverse

from tests.factories import make_course, make_organisation, make_run, make_user
from tutor.accounts.models import AuditEntry
from tutor.calibration import working
from tutor.calibration.models import CalibrationJob
from tutor.common import clock
from tutor.content.models import Item, StatusChange
from tutor.registry import selectors as registry_selectors

pytestmark = pytest.mark.django_db

Kind = CalibrationJob.Kind


@pytest.fixture
def administrator(organisation, client):
    user = make_user(organisation=organisation, role="administrator")
    client.force_login(user)
    return user


def press(client, page, action, *rows, **fields):
    """Press an action's button for these rows; return what the page says then."""
    response = client.post(
        reverse(f"admin:{page}_changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows], **fields},
        follow=True,
    )
    return [str(message) for message in response.context["messages"]]


def test_calibrate_use_and_go_back(administrator, course, client):
    said = press(client, "calibration_calibratedcourse", "calibrate", course)
    assert "asked for" in said[0]
    assert CalibrationJob.objects.get().asked_by == administrator
    again = press(client, "calibration_calibratedcourse", "calibrate", course)
    assert "already" in again[0]
    working.work(at=clock.now())  # nobody has answered: it is refused, and the list is free again

    run = make_run(course=course)
    press(client, "calibration_calibrationrun", "use", run)
    working.work(at=clock.now())
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    assert live.body["calibration"]["run"] == run.pk
    job = CalibrationJob.objects.latest("pk")
    shown = client.get(reverse("admin:calibration_calibrationjob_change", args=[job.pk]))
    assert "items move or change their status" in shown.content.decode()
    listed = client.get(reverse("admin:calibration_calibratedcourse_changelist"))
    assert "1, of 2026-03-02" in listed.content.decode()

    press(client, "calibration_calibratedcourse", "roll_back", course)
    working.work(at=clock.now())
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    assert "calibration" not in live.body
    assert AuditEntry.objects.filter(actor=administrator).count() == 3


def test_one_run_at_a_time(administrator, course, client):
    runs = [make_run(course=course), make_run(course=course)]

    assert press(client, "calibration_calibrationrun", "use", *runs) == ["Choose one calibration."]


def test_items_are_moved_with_a_reason_and_back(administrator, course, client):
    items = list(Item.objects.filter(course=course).order_by("pk")[:2])

    said = press(client, "calibration_itemlife", "move", *items, status="pilot", reason="New.")
    assert len(said) == 2
    assert set(StatusChange.objects.values_list("after", "actor")) == {("pilot", administrator.pk)}
    refused = press(client, "calibration_itemlife", "move", items[0], status="operational")
    assert "Say why" in refused[0]

    change = StatusChange.objects.filter(item=items[0]).get()
    press(client, "content_statuschange", "take_back", change)
    items[0].refresh_from_db()
    assert items[0].status == "provisional"
    assert "moved on" in press(client, "content_statuschange", "take_back", change)[0]


def test_the_pilot_share_is_set_and_kept_in_range(administrator, course, client):
    address = reverse("admin:calibration_calibratedcourse_change", args=[course.pk])

    client.post(address, {"pilot_share": "0.1"})
    course.refresh_from_db()
    assert course.pilot_share == 0.1
    refused = client.post(address, {"pilot_share": "0.9"})
    assert refused.status_code == 200
    course.refresh_from_db()
    assert course.pilot_share == 0.1


def test_nothing_of_another_organisation_is_moved(administrator, client):
    other = make_course(organisation=make_organisation())
    item, run = Item.objects.filter(course=other).first(), make_run(course=other)

    press(client, "calibration_itemlife", "move", item, status="draft", reason="Mine.")
    press(client, "calibration_calibrationrun", "use", run)
    press(client, "calibration_calibratedcourse", "roll_back", other)

    item.refresh_from_db()
    assert item.status == "provisional"
    assert not CalibrationJob.objects.exists()
