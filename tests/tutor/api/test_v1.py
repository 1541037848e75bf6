"""The REST API as a client meets it; every failure is a problem document."""

import base64
import dataclasses
import datetime as dt
import io
import json
import uuid

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.authtoken.models import Token
from rest_framework.throttling import UserRateThrottle

from tests.factories import (
    make_assignment,
    make_class,
    make_course,
    make_learner,
    make_organisation,
    make_user,
    small_course_spec,
    start_session,
)
from tests.tutor.content.factories import number_item
from tutor import VERSION
from tutor.accounts.models import AuditEntry, Learner
from tutor.api.parsers import MOST_BYTES
from tutor.common import clock
from tutor.content import grading
from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.practice import selectors as practice_selectors
from tutor.practice import usecases
from tutor.responses.models import Response
from tutor.scheduling.models import Decision
from tutor.tracing import due

pytestmark = pytest.mark.django_db

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


class Api:
    """A client with a token."""

    def __init__(self, user):
        token = Token.objects.get_or_create(user=user)[0]
        self.headers = {"Authorization": f"Token {token.key}"}
        self.client = Client(raise_request_exception=False)

    def get(self, path, **query):
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers)

    def post(self, path, document):
        return self.send("post", path, json.dumps(document))

    def send(self, method, path, body, content_type="application/json"):
        act = getattr(self.client, method)
        return act(f"/api/v1/{path}", body, content_type=content_type, headers=self.headers)


@pytest.fixture
def school(organisation, course):
    class School:
        learner = make_learner(organisation=organisation, name="Pia Pupil")
        teacher = make_user(organisation=organisation, role="teacher")
        administrator = make_user(organisation=organisation, role="administrator")
        path = f"learners/{learner.pseudonym}"

    School.classroom = make_class(course=course, users=[School.learner.user, School.teacher])
    return School


@pytest.fixture
def api(school):
    return Api(school.learner.user)


def start(api, school):
    return api.post(f"{school.path}/sessions", {"course": "small"}).json()


def an_answer(school, session, **fields):
    presentation = uuid.UUID(session["next"]["presentation"])
    shown = practice_selectors.get_presentation(learner=school.learner, public_id=presentation)
    return {
        "presentation": str(presentation),
        "client_key": str(uuid.uuid4()),
        "answer": grading.right_answer(shown.item),
        **fields,
    }


def assert_problem(response, status, code):
    document = response.json()
    assert (response.status_code, document["title"]) == (status, code), document
    assert response["Content-Type"] == "application/problem+json"
    assert document["status"] == status
    assert document["type"] == f"urn:tutor:{code}"
    assert document["detail"]


class TestPractising:
    def test_goes_from_start_to_finish(self, api, school):
        session = start(api, school)
        assert start(api, school)["session"] == session["session"]
        count = 0
        while session["next"]:
            assert session["next"]["reason_text"].endswith((".", "!"))
            response = api.post(f"{school.path}/answers", an_answer(school, session))
            assert response.status_code == 201
            outcome = response.json()
            assert outcome["is_correct"]
            assert all(s["after_prob"] > s["before_prob"] for s in outcome["shifts"])
            session, count = outcome["session"], count + 1

        assert (session["finish_reason"], count) == ("limit-reached", 10)
        assert session["finish_text"]
        assert Response.objects.filter(source="api").count() == 10
        again = api.get(f"{school.path}/sessions/{session['session']}").json()
        assert again == session

    def test_stores_an_answer_sent_twice_once(self, api, school):
        sent = an_answer(school, start(api, school))

        first = api.post(f"{school.path}/answers", sent)
        again = api.post(f"{school.path}/answers", sent)

        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == {**first.json(), "is_repeat": True}

    def test_lists_what_changed_in_teaching_order(self, api, school):
        """PostgreSQL gives the keys of a JSON object back in an order of its own."""
        session, shifts = start(api, school), []
        while len(shifts) < 2:
            sent = an_answer(school, session)
            outcome = api.post(f"{school.path}/answers", sent).json()
            session, shifts = outcome["session"], outcome["shifts"]
        decision = Decision.objects.latest("pk")
        turned = dict(reversed(decision.shifts.items()))
        QuerySet(Decision).filter(pk=decision.pk).update(shifts=turned)

        again = api.post(f"{school.path}/answers", sent).json()["shifts"]

        assert again == shifts

    def test_names_the_right_answer_the_same_in_every_language(self, api, school, monkeypatch):
        item = number_item(["0.5", "2"])
        monkeypatch.setattr(content_selectors, "get_rendered_item", lambda **_: item)
        sent = an_answer(school, start(api, school))
        told = {}
        for language in ("en", "de"):
            api.headers["Accept-Language"] = language
            told[language] = api.post(f"{school.path}/answers", sent).json()

        assert told["de"]["is_repeat"]
        assert {document["right_answer"] for document in told.values()} == {"0.5 or 2"}

    def test_gives_hints_by_rung(self, api, school):
        presentation = start(api, school)["next"]["presentation"]
        asked = {"presentation": presentation, "level": 1}

        first, again = (api.post(f"{school.path}/hints", asked).json() for _ in range(2))

        assert first == again
        assert (first["level"], first["hints_left"]) == (1, 1)

    def test_ends_on_request(self, api, school):
        session = start(api, school)

        response = api.send("delete", f"{school.path}/sessions/{session['session']}", "")

        assert response.json()["finish_reason"] == "stopped"

    def test_takes_an_assignment(self, api, school):
        assignment = make_assignment(classroom=school.classroom, at=clock.now())

        response = api.post(f"{school.path}/sessions", {"assignment": str(assignment.public_id)})

        assert response.json()["assignment"] == str(assignment.public_id)

    def test_may_be_planned_in_minutes(self, api, school):
        response = api.post(f"{school.path}/sessions", {"course": "small", "minutes": 15})

        assert (response.json()["planned_minutes"], response.json()["planned_items"]) == (15, 15)
        refused = api.post(f"{school.path}/sessions", {"course": "small", "minutes": 0})
        assert refused.status_code == 400

    def test_is_open_to_an_administrators_token(self, school):
        assert start(Api(school.administrator), school)["next"]


class TestProblems:
    @pytest.mark.parametrize(
        ("fields", "status", "code"),
        [
            ({"answer": {"text": "?!"}}, None, None),
            ({"answer": {}}, 400, "api.invalid"),
            ({"answer": {"text": "1", "choice": "k0"}}, 400, "api.invalid"),
            ({"answer": {"text": "1\x00"}}, 400, "api.invalid"),
            ({"answer": {"text": "x" * 2001}}, 400, "api.invalid"),
            ({"answer": ["a"]}, 400, "api.invalid"),
            ({"presentation": "7"}, 400, "api.invalid"),
            ({"client_key": None}, 400, "api.invalid"),
            ({"elapsed_ms": -1}, 400, "api.invalid"),
            ({"answered_at": "yesterday"}, 400, "api.invalid"),
            ({"answered_at": "2999-01-01T00:00:00Z"}, 400, "responses.answered-in-the-future"),
            ({"answered_at": "0001-01-01T00:00:00+14:00"}, 400, None),
            ({"answered_at": "9999-12-31T23:59:59-14:00"}, 400, None),
            ({"presentation": str(uuid.uuid4())}, 404, "practice.presentation-unknown"),
        ],
    )
    def test_of_an_answer(self, api, school, fields, status, code):
        sent = an_answer(school, start(api, school), **fields)

        response = api.post(f"{school.path}/answers", sent)

        if status is not None:
            assert_problem(response, status, code or response.json()["title"])
        assert response.status_code < 500
        assert not Response.objects.exists() or status is None

    def test_of_an_answer_given_already(self, api, school):
        sent = an_answer(school, start(api, school))
        api.post(f"{school.path}/answers", sent)

        response = api.post(f"{school.path}/answers", {**sent, "client_key": str(uuid.uuid4())})

        assert_problem(response, 409, "practice.already-answered")

    def test_of_an_unreadable_answer(self, api, school):
        session = start(api, school)
        response = api.post(
            f"{school.path}/answers", an_answer(school, session, answer={"choice": "nothing"})
        )

        assert response.status_code in {400, 422}
        assert_problem(response, response.status_code, response.json()["title"])
        assert not Response.objects.exists()

    @pytest.mark.parametrize(
        ("body", "content_type", "status", "code"),
        [
            ("{", "application/json", 400, "api.parse-error"),
            ("[" * 30_000, "application/json", 400, "api.parse-error"),
            ('{"a":' * 10_000, "application/json", 400, "api.parse-error"),
            ("NaN", "application/json", 400, "api.parse-error"),
            (b"\xff\xfe", "application/json", 400, "api.parse-error"),
            ("[]", "application/json", 400, "api.invalid"),
            ("null", "application/json", 400, "api.invalid"),
            (" " * (MOST_BYTES + 1), "application/json", 413, "api.body-too-large"),
            ("a=1", "application/x-www-form-urlencoded", 415, "api.unsupported-media-type"),
            ("<a/>", "text/xml", 415, "api.unsupported-media-type"),
        ],
    )
    def test_of_a_body(self, api, school, body, content_type, status, code):
        response = api.send("post", f"{school.path}/sessions", body, content_type)

        assert_problem(response, status, code)

    def test_of_an_escaped_half_character(self, api, school):
        session = start(api, school)
        sent = json.dumps(an_answer(school, session, answer={"text": "HALF"}))

        response = api.send("post", f"{school.path}/answers", sent.replace("HALF", "\\ud800"))

        assert_problem(response, 400, "api.invalid")

    def test_of_a_method(self, api, school):
        assert_problem(
            api.send("put", f"{school.path}/sessions", "{}"), 405, "api.method-not-allowed"
        )

    @pytest.mark.parametrize("path", ["nothing", "learners/7", "../nothing", "learners/"])
    def test_of_an_address(self, api, path):
        assert_problem(api.get(path), 404, "common.not-found")

    def test_of_a_missing_or_wrong_token(self, client, school):
        for headers in ({}, {"Authorization": "Token wrong"}, {"Authorization": "Token \xff"}):
            response = client.get(f"/api/v1/{school.path}/mastery", headers=headers)
            assert response.status_code == 401
            assert response["Content-Type"] == "application/problem+json"
            assert response["WWW-Authenticate"] == "Token"

    def test_of_a_closed_account(self, api, school):
        school.learner.user.is_active = False
        school.learner.user.save()

        assert api.get(f"{school.path}/mastery").status_code == 401

    def test_of_a_teacher_who_answers(self, school):
        response = Api(school.teacher).post(f"{school.path}/sessions", {"course": "small"})

        assert_problem(response, 403, "common.not-allowed")

    @pytest.mark.parametrize("slug", ["other", "small%00", "a" * 101, ""])
    def test_of_a_course(self, api, school, slug):
        response = api.client.get(
            f"/api/v1/{school.path}/mastery?course={slug}", headers=api.headers
        )

        assert response.status_code in {400, 404}
        assert_problem(response, response.status_code, response.json()["title"])

    def test_of_too_many_requests(self, api, school, monkeypatch):
        monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "3/min"})
        statuses = [api.get("learners").status_code for _ in range(3)]

        response = api.get("learners")

        assert statuses == [200] * 3
        assert_problem(response, 429, "api.throttled")
        assert int(response["Retry-After"]) > 0

    def test_of_our_own(self, api, school, monkeypatch):
        def fail(**_):
            raise RuntimeError

        monkeypatch.setattr(usecases, "start_practice", fail)
        response = api.post(f"{school.path}/sessions", {"course": "small"})

        assert_problem(response, 500, "common.server-error")

    def test_of_a_wrong_host(self, api):
        response = api.client.get("/api/v1/health", headers={"Host": "evil.example"})

        assert_problem(response, 400, "api.bad-request")

    def test_of_what_the_client_wants_to_read(self, api):
        response = api.client.get(
            "/api/v1/learners", headers={**api.headers, "Accept": "text/html"}
        )

        assert_problem(response, 406, "api.not-acceptable")


class TestSessionCookie:
    def test_needs_the_csrf_token(self, school):
        client = Client(enforce_csrf_checks=True)
        client.force_login(school.learner.user)

        response = client.post(
            f"/api/v1/{school.path}/sessions", {"course": "small"}, "application/json"
        )

        assert_problem(response, 403, "api.permission-denied")

    def test_works_with_it(self, school):
        client = Client(enforce_csrf_checks=True)
        client.force_login(school.learner.user)
        client.get("/learn/")
        key = client.cookies["csrftoken"].value

        response = client.post(
            f"/api/v1/{school.path}/sessions",
            {"course": "small"},
            "application/json",
            headers={"X-CSRFToken": key},
        )

        assert response.status_code == 200


class TestMastery:
    def test_is_the_same_for_everybody_who_may_see_it(self, school, course):
        seen = [
            Api(user).get(f"{school.path}/mastery", course="small").json()["concepts"]
            for user in (school.learner.user, school.teacher, school.administrator)
        ]

        assert [c["concept"] for c in seen[0]] == ["adding", "doubling", "naming"]
        assert {c["band"] for c in seen[0]} == {"not-enough-evidence"}
        assert [[c["concept"] for c in one] for one in seen].count(
            [c["concept"] for c in seen[0]]
        ) == 3

    def test_of_a_colleagues_course_is_hidden_from_a_teacher(self, organisation, school):
        other = content_services.load_course(
            organisation=organisation, spec=dataclasses.replace(small_course_spec(), slug="second")
        ).course
        make_class(course=other, users=[school.learner.user], name="a colleague's")

        hidden = Api(school.teacher).get(f"{school.path}/mastery", course="second")
        assert_problem(hidden, 404, "common.not-found")
        [row] = Api(school.teacher).get("learners").json()["results"]
        assert [room["course"] for room in row["classes"]] == ["small"]
        [row] = Api(school.administrator).get("learners").json()["results"]
        assert [room["course"] for room in row["classes"]] == ["small", "second"]


class TestLearners:
    def test_are_found_by_user_name(self, school, organisation):
        make_learner(organisation=organisation)
        name = school.learner.user.username

        [found] = Api(school.administrator).get("learners", username=name).json()["results"]

        assert found == {
            "pseudonym": str(school.learner.pseudonym),
            "username": name,
            "name": "Pia Pupil",
            "classes": [{"id": str(school.classroom.public_id), "name": "7b", "course": "small"}],
        }

    def test_come_in_pages_without_gaps(self, school, organisation):
        Learner.objects.bulk_create(
            Learner(organisation=organisation, source_key=f"k{n}") for n in range(7)
        )
        api, seen = Api(school.administrator), []
        page = api.get("learners", page_size=3).json()
        while True:
            seen += [row["pseudonym"] for row in page["results"]]
            if page["next"] is None:
                break
            page = api.client.get(page["next"], headers=api.headers).json()

        assert len(seen) == len(set(seen)) == 8

    @pytest.mark.parametrize("page", ["learners", "decisions"])
    @pytest.mark.parametrize("place", ["p=x", "p=%00", "p=-1", "p=1.5", "p=" + "5" * 40, "o=x"])
    def test_have_no_page_at_a_broken_cursor(self, school, page, place):
        path = {"learners": "learners", "decisions": f"{school.path}/decisions"}[page]
        cursor = base64.b64encode(place.encode()).decode()

        answer = Api(school.administrator).get(path, cursor=cursor)

        assert_problem(answer, 404, "api.not-found")

    def test_are_read_with_few_queries(self, school, organisation, django_assert_max_num_queries):
        for _ in range(12):
            make_class(
                course=school.classroom.course, users=[make_learner(organisation=organisation).user]
            )
        api = Api(school.administrator)

        with django_assert_max_num_queries(4):
            assert len(api.get("learners").json()["results"]) == 13

    def test_are_none_of_another_school(self, school):
        elsewhere = make_organisation()
        make_course(organisation=elsewhere)
        stranger = Api(make_user(organisation=elsewhere, role="administrator"))

        assert stranger.get("learners").json()["results"] == []
        assert stranger.get(f"{school.path}/decisions").status_code == 404


class TestDecisions:
    def test_come_newest_first_with_their_receipts(self, api, school):
        session = start(api, school)
        for _ in range(2):
            outcome = api.post(f"{school.path}/answers", an_answer(school, session)).json()
            session = outcome["session"]

        page = Api(school.teacher).get(f"{school.path}/decisions", page_size=2).json()

        stored = list(Decision.objects.order_by("-pk"))
        assert [row["decision"] for row in page["results"]] == [
            str(decision.public_id) for decision in stored[:2]
        ]
        first = page["results"][0]
        assert first["receipt"] == stored[0].receipt
        assert first["follows"] == str(stored[1].public_id)
        assert first["reason_text"]
        rest = api.client.get(page["next"], headers=Api(school.teacher).headers).json()
        assert [row["decision"] for row in rest["results"]] == [str(stored[2].public_id)]
        assert rest["next"] is None

    def test_are_of_one_course_if_asked(self, api, school):
        start(api, school)

        assert api.get(f"{school.path}/decisions", course="small").json()["results"]
        assert api.get(f"{school.path}/decisions", course="other").json()["results"] == []


class TestHealth:
    def test_needs_no_sign_in(self, client):
        response = client.get("/api/v1/health")

        assert response.status_code == 200
        assert response.json() == {
            "status": "ok",
            "version": VERSION,
            "database": "ok",
            "broker": "ok",
            "tasks_waiting": 0,
            "queues": dict.fromkeys(["celery", "tracing", "training", "calibration", "lms"], 0),
            "deep_work": {"learners_waiting": 0, "oldest_s": None, "left_aside": 0},
            "rungs_last_hour": dict.fromkeys(["deep", "stale", "live", "difficulty", "order"], 0),
        }

    def test_counts_what_waits_in_every_queue(self, client):
        with current_app.connection_for_write() as broker:
            channel = broker.default_channel
            for name, count in (("tracing", 2), ("training", 1)):
                channel.queue_declare(name)
                producer = broker.Producer(channel)
                for _ in range(count):
                    producer.publish({}, routing_key=name, exchange="")
            try:
                found = client.get("/api/v1/health").json()
            finally:
                channel.queue_purge("tracing")
                channel.queue_purge("training")

        assert found["tasks_waiting"] == 3
        assert (found["queues"]["tracing"], found["queues"]["training"]) == (2, 1)

    def test_says_who_waits_and_what_choices_stood_on(self, client, school):
        organisation, now = school.learner.organisation, clock.now()
        course = Course.objects.get(organisation=organisation)
        start_session(learner=make_learner(organisation=organisation), course=course, at=now - DAY)
        start_session(learner=school.learner, course=course, at=now)
        learners = [make_learner(organisation=organisation).pk for _ in range(3)]
        due.mark_all(learner_ids=learners, course_id=course.pk, at=now - HOUR, refold=False)
        due.quarantine(due.claim(size=3), learner_id=learners[0], error="x", now=now)
        found = client.get("/api/v1/health").json()

        work = found["deep_work"]
        assert (work["learners_waiting"], work["left_aside"]) == (2, 1)
        assert 3600 <= work["oldest_s"] < 7200
        assert found["rungs_last_hour"]["difficulty"] == 1
        assert sum(found["rungs_last_hour"].values()) == 1

    def test_asks_the_tables_seldom(self, client, school, django_assert_max_num_queries):
        with django_assert_max_num_queries(3):
            client.get("/api/v1/health")
        with django_assert_max_num_queries(1):
            client.get("/api/v1/health")

    def test_says_that_the_database_is_gone(self, client, monkeypatch):
        def refuse(*_):
            raise OperationalError

        monkeypatch.setattr(connection, "cursor", refuse)
        response = client.get("/api/v1/health")

        assert (response.status_code, response.json()["status"]) == (503, "down")

    def test_says_that_the_broker_is_gone(self, client, monkeypatch):
        def refuse(**_):
            raise ConnectionRefusedError

        monkeypatch.setattr(current_app, "connection_for_write", refuse)
        response = client.get("/api/v1/health")

        assert (response.status_code, response.json()["status"]) == (200, "degraded")


class TestMetrics:
    def read(self, client, **headers):
        response = client.get("/api/v1/metrics", headers=headers)
        assert response.status_code == 200
        families = text_string_to_metric_families(response.content.decode())
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in families
            for sample in family.samples
        }

    def test_say_what_health_says(self, client, school):
        organisation, now = school.learner.organisation, clock.now()
        course = Course.objects.get(organisation=organisation)
        start_session(learner=school.learner, course=course, at=now)
        learners = [make_learner(organisation=organisation).pk for _ in range(3)]
        due.mark_all(learner_ids=learners, course_id=course.pk, at=now - HOUR, refold=False)
        due.quarantine(due.claim(size=3), learner_id=learners[0], error="x", now=now)

        found = self.read(client)

        assert found["tutor_info", VERSION] == 1
        assert found["tutor_part_up", "database"] == found["tutor_part_up", "broker"] == 1
        assert found["tutor_tasks_waiting", "training"] == 0
        assert found["tutor_deep_learners_waiting",] == 2
        assert found["tutor_deep_learners_left_aside",] == 1
        assert 3600 <= found["tutor_deep_oldest_seconds",] < 7200
        assert found["tutor_items_chosen_last_hour", "difficulty"] == 1

    def test_leave_out_what_cannot_be_known(self, client, monkeypatch):
        def refuse(*_, **__):
            raise OperationalError

        monkeypatch.setattr(connection, "cursor", refuse)
        found = self.read(client)

        assert found["tutor_part_up", "database"] == 0
        assert ("tutor_deep_learners_waiting",) not in found

    def test_come_in_the_form_that_is_asked_for(self, client):
        wanted = "application/openmetrics-text;version=1.0.0"
        response = client.get("/api/v1/metrics", headers={"Accept": wanted})

        assert response.headers["Content-Type"].startswith("application/openmetrics-text")
        assert response.content.endswith(b"# EOF\n")


class TestMakeApiToken:
    def make(self, *arguments):
        out = io.StringIO()
        call_command("make_api_token", *arguments, stdout=out)
        return out.getvalue().strip()

    def test_prints_a_token_that_works(self, client, school):
        key = self.make(school.administrator.username)

        response = client.get("/api/v1/learners", headers={"Authorization": f"Token {key}"})
        assert response.status_code == 200
        assert self.make(school.administrator.username) == key
        assert AuditEntry.objects.get().subject == school.administrator.username

    def test_renews_it(self, client, school):
        old = self.make(school.administrator.username)
        assert self.make(school.administrator.username, "--renew") != old

        response = client.get("/api/v1/learners", headers={"Authorization": f"Token {old}"})
        assert response.status_code == 401

    def test_refuses_the_unknown_and_the_closed(self, school):
        with pytest.raises(CommandError, match="No account"):
            self.make("nobody")
        school.teacher.is_active = False
        school.teacher.save()
        with pytest.raises(CommandError, match="closed"):
            self.make(school.teacher.username)
