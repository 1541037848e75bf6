"""What a student finds on their pages."""

import datetime as dt
import re
import uuid

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from tests.factories import (
    answer_current,
    make_assignment,
    start_session,
)
from tests.tutor.content.factories import number_item
from tests.tutor.pages import text
from tutor.common import clock
from tutor.content import grading
from tutor.content.models import Concept
from tutor.practice import selectors as practice_selectors
from tutor.practice.models import PracticeSession
from tutor.responses.models import Response

pytestmark = pytest.mark.django_db


def submit(client, session, **fields):
    presentation = session.current.public_id
    form = {"client_key": uuid.uuid4(), "kind": session.current.item_version.kind, **fields}
    return client.post(reverse("student:answer", args=[presentation]), form)


class TestHome:
    def test_says_what_to_do_without_a_class(self, student, client):
        assert "You are not in a class yet" in text(client.get("/learn/"))

    def test_offers_the_nearest_due_first_and_names_what_is_closed(
        self, student, classroom, client
    ):
        at = clock.now()
        for title, days in (("Someday", None), ("Soon", 2), ("Later", 9), ("Past", -1)):
            due_at = None if days is None else at + dt.timedelta(days=days)
            make_assignment(
                classroom=classroom, at=at - dt.timedelta(days=5), title=title, due_at=due_at
            )

        today = client.get("/learn/").context["today"]

        offered = [today.first, *today.others]
        assert [task.title for task in offered if task.assignment] == ["Soon", "Later", "Someday"]
        assert [row.title for row, _ in today.closed] == ["Past"]

    @pytest.mark.parametrize("has_session", [True, False])
    def test_has_one_primary_action(self, student, classroom, client, has_session):
        for title in ("One", "Two"):
            make_assignment(classroom=classroom, at=clock.now(), title=title)
        if has_session:
            start_session(learner=student.learner, course=classroom.course, at=clock.now())

        shown = text(client.get("/learn/"))

        assert shown.count("primary big") == shown.count("primary") == 1

    def test_states_each_band_in_words_on_the_map(self, student, session, client):
        answer_current(session, at=clock.now())

        shown = text(client.get("/learn/map/"))

        names = Concept.objects.filter(course=session.course).values_list("name", flat=True)
        assert shown.count('class="said"') == len(names)
        assert all(name in shown for name in names)


class TestStart:
    def test_of_a_closed_assignment_ends_in_a_stated_finish(self, student, classroom, client):
        at = clock.now()
        closed = make_assignment(
            classroom=classroom, at=at - dt.timedelta(days=5), due_at=at - dt.timedelta(days=1)
        )

        ended = client.post("/learn/start/", {"assignment": closed.public_id}, follow=True)

        assert ended.status_code == 200
        assert "This assignment is closed." in text(ended)
        assert "Practise some more" not in text(ended)

    def test_of_one_that_has_not_opened_shows_nothing_of_it(self, student, classroom, client):
        at = clock.now()
        coming = make_assignment(
            classroom=classroom, opens_at=at + dt.timedelta(days=1), title="Surprise"
        )

        refused = client.post("/learn/start/", {"assignment": coming.public_id})

        assert refused.status_code == 404
        assert "Surprise" not in text(client.get("/learn/"))

    @pytest.mark.parametrize("value", ["", "x", "../..", "\x00"])
    def test_of_nothing_in_particular_is_a_page_that_says_so(
        self, student, classroom, client, value
    ):
        refused = client.post("/learn/start/", {"assignment": value, "course": value})

        assert refused.status_code in (400, 404)
        assert "That did not work" in text(refused)

    def test_goes_on_with_the_open_session(self, student, session, client):
        answer = client.post("/learn/start/", {"course": session.course.slug})

        assert answer.headers["Location"] == reverse("student:practise", args=[session.public_id])
        assert PracticeSession.objects.count() == 1


class TestPractise:
    def test_gives_the_reason_and_where_the_session_is(self, session, client):
        shown = client.get(reverse("student:practise", args=[session.public_id]))

        assert shown.context["reason"].endswith(".")
        assert escape(shown.context["reason"]) in text(shown)
        assert "Question 1 of 10" in text(shown)
        assert "no-store" in shown.headers["Cache-Control"]

    def test_shows_neither_the_key_nor_the_solution(self, session, client):
        shown = practice_selectors.get_presentation(
            learner=session.learner, public_id=session.current.public_id
        )

        page = text(client.get(reverse("student:practise", args=[session.public_id])))

        if shown.item.kind != "self_marked":
            assert "worked solution" not in page
        assert not any(hint in page for hint in shown.item.hints)

    def test_of_a_finished_session_leads_to_its_summary(self, session, client):
        client.post(reverse("student:finish", args=[session.public_id]))

        led = client.get(reverse("student:practise", args=[session.public_id]), follow=True)

        assert "You stopped here" in text(led)


class TestAnswer:
    def test_that_cannot_be_read_is_asked_for_again_with_what_was_written(self, session, client):
        session.current.item_version.kind = "number"

        again = submit(client, session, text="three?!")

        assert again.status_code == 422
        assert "It was not counted" in text(again)
        assert not Response.objects.exists()

    @pytest.mark.parametrize("elapsed", ["", "x", "-5", "9" * 40, "1e9"])
    def test_with_a_strange_time_is_stored_all_the_same(self, session, client, elapsed):
        item = practice_selectors.rendered_item(session.current)
        given = grading.right_answer(item)
        fields = {
            "text": given.get("text", ""),
            "choice": given.get("choices", given.get("choice", "")),
        }

        answered = submit(client, session, elapsed_ms=elapsed, right="yes", **fields)

        assert answered.status_code == 302
        [stored] = Response.objects.all()
        assert stored.is_correct
        assert stored.elapsed_ms is not None

    def test_of_a_choice_that_was_not_offered_is_not_stored(self, session, client):
        strange = submit(client, session, kind="single_choice", choice="c99")

        assert strange.status_code in (400, 422)
        assert not Response.objects.exists()


class TestHelpUnderTheField:
    @pytest.mark.parametrize(
        ("item", "words"),
        [
            (number_item(["1", "2"], ordered=True), "in order, with a semicolon"),
            (number_item(["1", "2"]), "by “or” or a semicolon"),
            (number_item("1"), "You can write 3/4"),
        ],
    )
    def test_says_how_to_write_such_an_answer(self, item, words):
        assert words in render_to_string("student/input.html", {"item": item, "check": "Check"})


class TestAnswered:
    def test_says_that_help_makes_it_practice(self, session, client):
        presentation = session.current.public_id
        client.post(reverse("student:hint", args=[presentation]), {"level": "1"})
        answer_current(session, at=clock.now())

        told = text(client.get(reverse("student:answered", args=[presentation])))

        assert "counts as practice, not as proof" in told

    def test_shows_mastery_before_and_after(self, session, client):
        presentation = session.current.public_id
        answer_current(session, at=clock.now())

        [shift, *_] = client.get(reverse("student:answered", args=[presentation])).context["shifts"]

        assert shift.after > shift.before
        assert shift.word == "up"


class TestHint:
    def test_asked_for_twice_opens_once(self, session, client):
        address = reverse("student:hint", args=[session.current.public_id])

        for _ in range(2):
            shown = client.post(address, {"level": "1"}, headers={"HX-Request": "true"})

        assert text(shown).count("<li>") == 1
        assert "Hint 1" in text(shown)


class TestAddressOfAForm:
    @pytest.mark.parametrize("name", ["start", "answer", "retry", "hint", "finish"])
    def test_opened_without_one_leads_to_a_page(self, session, client, name):
        # As after signing in again, when the sign-in had expired before the form was sent.
        ids = {"finish": [session.public_id], "start": []}
        address = reverse(f"student:{name}", args=ids.get(name, [session.current.public_id]))
        client.logout()
        form = {"client_key": uuid.uuid4(), "course": session.course.slug}
        asked = client.post(address, form)
        client.force_login(session.learner.user)

        led = client.get(asked.headers["Location"].partition("next=")[2], follow=True)

        assert led.status_code == 200
        assert not Response.objects.exists()
        session.refresh_from_db()
        assert session.finished_at is None


class TestForgedForm:
    def test_is_refused_with_a_page_that_says_what_to_do(self, session):
        careful = Client(enforce_csrf_checks=True)
        careful.force_login(session.learner.user)

        refused = careful.post("/learn/start/", {"course": session.course.slug})

        assert refused.status_code == 403
        assert "Open the page again" in text(refused)


class TestEveryAnswer:
    def test_carries_a_policy_that_runs_no_inline_script(self, session, client):
        for path in ("/learn/", "/sign-in/", "/nothing/", "/api/v1/nothing"):
            policy = client.get(path).headers["Content-Security-Policy"]
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy

    def test_holds_no_inline_script_or_style(self, session, client):
        answer_current(session, at=clock.now())
        pages = ["/learn/", reverse("student:practise", args=[session.public_id])]
        for path in pages:
            shown = text(client.get(path))
            assert " style=" not in shown
            assert "<style" not in shown
            assert re.findall(r"<[^>]*\son\w+=", shown) == []
            assert re.findall(r"<script(?![^>]*\ssrc=)", shown) == []
