"""The work list in the admin: who was left aside and why, and letting them out again."""

import pytest
from django.urls import reverse

from tests.factories import AT, make_class, make_learner, make_organisation, make_user
from tests.tutor.calibration.test_admin import press
from tutor.accounts.models import AuditEntry, User
from tutor.registry import selectors as registry_selectors
from tutor.tracing import due, queue
from tutor.tracing.models import DeepStanding, DueLearner

pytestmark = pytest.mark.django_db

ERROR = "Traceback:\n  secret/place.py\nFloatingPointError: not finite"


@pytest.fixture
def nudges(monkeypatch):
    found = []
    monkeypatch.setattr(queue, "nudge", lambda: found.append(1))
    return found


@pytest.fixture
def rows(course, organisation):
    """Three who are due, the first of whom was left aside."""
    user = make_user(organisation=organisation)
    User.objects.filter(pk=user.pk).update(first_name="Zoltana")
    learners = [user.learner, *(make_learner(organisation=organisation) for _ in range(2))]
    ids = [learner.pk for learner in learners]
    due.mark_all(learner_ids=ids, course_id=course.pk, at=AT, refold=False)
    held = due.claim(size=3)
    due.quarantine(held, learner_id=ids[0], error=ERROR, now=AT)
    due.let_go(held, learner_ids=ids, now=AT)
    return [DueLearner.objects.get(learner=pk) for pk in ids]


@pytest.fixture
def administrator(organisation, client):
    user = make_user(organisation=organisation, role="administrator")
    client.force_login(user)
    return user


def listed(client, **query):
    return client.get(reverse("admin:tracing_duelearner_changelist"), query)


def test_shows_pseudonyms_and_errors(administrator, client, rows):
    page = listed(client).content.decode()
    aside = rows[0].learner

    assert str(aside.pseudonym) in page
    assert "FloatingPointError: not finite" in page
    assert "secret/place.py" not in page
    one = client.get(reverse("admin:tracing_duelearner_change", args=[rows[0].pk]))
    assert "secret/place.py" in one.content.decode()
    for content in (page, one.content.decode()):
        assert "Zoltana" not in content
        assert aside.user.username not in content

    shown = listed(client, state="aside").context["cl"].result_list
    assert [row.pk for row in shown] == [rows[0].pk]
    shown = listed(client, state="waiting").context["cl"].result_list
    assert {row.pk for row in shown} == {row.pk for row in rows[1:]}


def test_releases_with_a_line_in_the_audit_log(
    administrator, client, rows, nudges, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        said = press(client, "tracing_duelearner", "release", *rows)

    assert "1 released" in said[0]
    row = DueLearner.objects.get(pk=rows[0].pk)
    assert (row.quarantined_at, row.error, row.tries, row.refold) == (None, "", 0, True)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("tracing.release", administrator)
    assert (entry.subject, entry.facts) == (row.course.slug, {"learners": 1})
    assert nudges == [1]

    again = press(client, "tracing_duelearner", "release", *rows)
    assert "none of them was left aside" in again[0]
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("role", ["student", "teacher", "administrator"])
def test_nobody_else_releases(role, client, organisation, rows, nudges):
    school = make_organisation() if role == "administrator" else organisation
    client.force_login(make_user(organisation=school, role=role))

    client.post(
        reverse("admin:tracing_duelearner_changelist"),
        {"action": "release", "_selected_action": [row.pk for row in rows]},
    )

    assert DueLearner.objects.get(pk=rows[0].pk).quarantined_at is not None
    assert not AuditEntry.objects.exists()
    assert not nudges


def test_the_list_takes_as_many_queries_for_any_length(
    administrator, client, rows, course, organisation, django_assert_max_num_queries
):
    learners = [make_learner(organisation=organisation).pk for _ in range(10)]
    due.mark_all(learner_ids=learners, course_id=course.pk, at=AT, refold=False)
    listed(client)
    with django_assert_max_num_queries(8):
        listed(client)


def test_standings_are_shown_with_their_evidence(administrator, client, course):
    concept = course.concepts.first()
    evidence = {"n": 128, "difference": 0.0525, "error": 0.0109}
    for classroom in (make_class(course=course), None):
        DeepStanding.objects.create(
            course=course,
            classroom=classroom,
            concept=concept,
            counts=False,
            tracer=registry_selectors.get_live_tracer(course_id=course.pk),
            at=AT,
            evidence=evidence,
        )
    page = client.get(reverse("admin:tracing_deepstanding_changelist")).content.decode()

    assert concept.name in page
    assert "whole course" in page
    assert "128" in page
    assert "0.052 ± 0.011" in page or "0.053 ± 0.011" in page
