"""The practice page's other ways on, its help, and the parts that it swaps."""

import datetime as dt
import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import (
    answer_current,
    make_course,
    make_user,
    start_session,
    wrong_answer,
)
from tests.tutor.pages import text
from tutor.classes.models import Classroom
from tutor.common import clock
from tutor.content import grading
from tutor.content import selectors as content_selectors
from tutor.practice import remarks, usecases
from tutor.practice import selectors as practice_selectors
from tutor.practice.models import ItemReport, Pause, PracticeSession, SetAside, TeacherNote
from tutor.responses.models import Response

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def address(name, session):
    ids = {"pause": session.public_id, "stuck": session.public_id, "practise": session.public_id}
    return reverse(f"student:{name}", args=[ids.get(name, session.current.public_id)])


def form(session, **fields):
    answer = grading.right_answer(practice_selectors.rendered_item(session.current))
    given = {"text": answer.get("text", ""), "right": "yes"}
    given["choice"] = answer.get("choices", answer.get("choice", ""))
    kind = session.current.item_version.kind
    return {"client_key": uuid.uuid4(), "kind": kind, **given, **fields}


class TestAnswerInAnOpenPage:
    def test_gives_the_feedback_at_once_under_its_own_address(self, session, client):
        told = client.post(address("answer", session), form(session), headers=HTMX)

        assert told.status_code == 200
        assert told.headers["HX-Push-Url"] == address("answered", session)
        assert "✓ Right" in text(told)
        assert "<html" not in text(told)
        assert "<title>Right" in text(told)
        assert "HX-Request" in told.headers["Vary"]

    def test_sent_twice_gives_the_same_and_stores_one(self, session, client):
        sent = form(session)
        told = [client.post(address("answer", session), sent, headers=HTMX) for _ in range(2)]

        # Keys and tokens are new each time.
        same = [re.sub(r'value="[^"]+"', "", text(one)) for one in told]
        assert same[0] == same[1]
        assert Response.objects.count() == 1

    def test_that_cannot_be_read_gives_the_question_again(self, session, client):
        sent = form(session, kind="single_choice", choice="")

        again = client.post(address("answer", session), sent, headers=HTMX)

        assert again.status_code == 422
        assert "It was not counted" in text(again)
        assert "<html" not in text(again)

    def test_gives_a_whole_page_when_the_browser_goes_back(self, session, client):
        headers = {**HTMX, "HX-History-Restore-Request": "true"}

        assert "<html" in text(client.get(address("practise", session), headers=headers))

    @pytest.mark.parametrize(
        ("age_ms", "minutes"), [("", 0), ("900", 0), (str(7 * 60_000), 7), ("-1", 0), ("x", 0)]
    )
    def test_that_was_held_back_counts_from_when_it_was_given(
        self, student, client, age_ms, minutes
    ):
        course = make_course(organisation=student.organisation)
        before = clock.now() - dt.timedelta(hours=1)
        session = start_session(learner=student.learner, course=course, at=before)

        client.post(address("answer", session), form(session, age_ms=age_ms), headers=HTMX)

        [stored] = Response.objects.all()
        assert stored.received_at - stored.answered_at == dt.timedelta(minutes=minutes)


class TestWhatBecameOfAnAnswer:
    """A page deletes the answer that it holds only when this mark says what became of it."""

    def test_is_marked_on_what_was_stored_and_on_its_repeats(self, session, client):
        sent, other = form(session), form(session)

        told = [
            client.post(address("answer", session), one, headers=HTMX)
            for one in (sent, sent, other)
        ]

        assert [one.headers["X-Tutor-Answer"] for one in told] == ["stored"] * 3

    def test_is_marked_on_what_cannot_be_read_even_when_the_question_is_gone(self, session, client):
        to, sent = address("answer", session), form(session, kind="single_choice", choice="")

        again = client.post(to, sent, headers=HTMX)
        client.post(address("skip", session), {"client_key": uuid.uuid4()})
        gone = client.post(to, sent, headers=HTMX)

        assert again.headers["X-Tutor-Answer"] == gone.headers["X-Tutor-Answer"] == "asked-again"
        # No redirect that a browser follows by itself: the mark would get lost on the way.
        assert gone.status_code == 200
        assert gone.headers["HX-Redirect"] == address("practise", session)

    @pytest.mark.parametrize("age_ms", [31 * 24 * 3600 * 1000, 999_999_999_999_999])
    def test_is_marked_on_what_comes_too_late(self, session, client, age_ms):
        late = client.post(
            address("answer", session), form(session, age_ms=str(age_ms)), headers=HTMX
        )

        assert late.status_code == 400
        assert late.headers["X-Tutor-Answer"] == "refused"
        assert "30 days late" in text(late)
        assert not Response.objects.exists()

    def test_is_marked_on_another_try(self, session, client):
        shown = session.current
        item = practice_selectors.rendered_item(shown)
        client.post(address("answer", session), form(session, **wrong_answer(item)), headers=HTMX)
        to = reverse("student:retry", args=[shown.public_id])

        told = client.post(to, form(session), headers=HTMX)

        assert told.headers["X-Tutor-Answer"] == "stored"

    def test_is_not_marked_where_the_sign_in_is_asked_for_or_a_form_is_forged(self, session):
        guest, forged = Client(), Client(enforce_csrf_checks=True)
        forged.force_login(session.learner.user)

        for one in (guest, forged):
            told = one.post(address("answer", session), form(session), headers=HTMX)
            assert "X-Tutor-Answer" not in told.headers


class TestPutOff:
    @pytest.mark.parametrize("name", ["unlearnt", "skip"])
    def test_is_stored_once_and_leads_on(self, session, client, name):
        sent, to = {"client_key": uuid.uuid4()}, address(name, session)

        ended = [client.post(to, sent, follow=True) for _ in range(2)]

        assert [one.status_code for one in ended] == [200, 200]
        assert SetAside.objects.get().kind == name
        assert not Response.objects.exists()

    def test_shows_a_worked_example_to_whom_it_is_new(self, session, client):
        item = practice_selectors.rendered_item(session.current)

        led = client.post(address("unlearnt", session), {"client_key": uuid.uuid4()}, follow=True)

        assert "New to you" in text(led)
        if item.parameters:
            assert "worked out" in text(led)
            assert led.context["example"].stem != item.stem

    def test_keeps_the_solution_of_the_very_question_to_itself(self, session, client):
        for seed in range(200):
            item = practice_selectors.rendered_item(session.current)
            if not item.parameters:
                break
            usecases.finish_practice(learner=session.learner, session=session, at=clock.now())
            session = start_session(
                learner=session.learner, course=session.course, at=clock.now(), draw_seed=seed
            )
        assert not item.parameters

        led = client.post(address("unlearnt", session), {"client_key": uuid.uuid4()}, follow=True)

        assert led.context["example"] is None
        assert item.stem not in text(led)
        assert "Your teacher can show you" in text(led)

    def test_states_the_cost_of_skipping_and_stops_at_two(self, session, client):
        for left in (2, 1):
            page = text(client.get(address("practise", session)))
            assert f"{left} skip{'s' if left > 1 else ''} left today" in page
            client.post(address("skip", session), {"client_key": uuid.uuid4()})
            session.refresh_from_db()

        assert "No skips left" in text(client.get(address("practise", session)))

    @pytest.mark.parametrize("name", ["unlearnt", "skip"])
    def test_under_the_key_of_another_is_refused(self, session, client, name):
        sent = {"client_key": uuid.uuid4()}
        client.post(address("skip", session), sent)
        session.refresh_from_db()

        refused = client.post(address(name, session), sent)

        assert refused.status_code == 409
        assert "open it again" in text(refused)
        assert SetAside.objects.count() == 1

    @pytest.mark.parametrize(
        ("name", "said"), [("unlearnt", "It was new to you"), ("skip", "You skipped it")]
    )
    def test_is_told_among_the_last_questions(self, session, client, name, said):
        client.post(address(name, session), {"client_key": uuid.uuid4()})

        told = text(client.get(reverse("student:how")))

        assert said in told

    def test_of_an_answered_question_shows_its_feedback(self, session, client):
        to = address("skip", session)
        answer_current(session, at=clock.now())

        led = client.post(to, {"client_key": uuid.uuid4()}, follow=True)

        assert "✓ Right" in text(led)

    def test_without_a_key_is_refused(self, session, client):
        assert client.post(address("skip", session)).status_code == 400

    def test_is_shown_to_the_teacher(self, session, client):
        client.post(address("unlearnt", session), {"client_key": uuid.uuid4()})
        classroom = Classroom.objects.get()
        teacher = make_user(organisation=session.course.organisation, role="administrator")
        client.force_login(teacher)

        page = client.get(
            reverse("teacher:learner", args=[classroom.public_id, session.learner.pseudonym])
        )

        assert "Has not learnt this yet" in text(page)


class TestReport:
    def test_is_stored_and_thanked_for_once(self, session, client):
        sent = {"client_key": uuid.uuid4(), "kind": "unclear", "text": "What <b>is</b> asked?"}

        for _ in range(2):
            thanked = client.post(address("report", session), sent, follow=True)

        assert text(thanked).count("Thank you") == 1
        assert ItemReport.objects.get().text == "What <b>is</b> asked?"

    def test_in_an_open_page_swaps_the_form_for_the_thanks(self, session, client):
        sent = {"client_key": uuid.uuid4(), "kind": "other"}

        thanked = client.post(address("report", session), sent, headers=HTMX, follow=True)

        assert "Thank you" in text(thanked)
        assert "<form" not in text(thanked)

    def test_with_a_nul_is_stored_without_it(self, session, client):
        said = {"client_key": uuid.uuid4(), "text": "a\x00b"}

        client.post(address("report", session), {**said, "kind": "other"})
        client.post(address("stuck", session), said)

        assert ItemReport.objects.get().text == TeacherNote.objects.get().text == "a\ufffdb"


class TestStuck:
    def test_takes_a_note_and_shows_it_to_the_teacher(self, session, client):
        sent = {"client_key": uuid.uuid4(), "text": "I do not get <i>halves</i>"}

        for _ in range(2):
            thanked = client.post(address("stuck", session), sent, follow=True)

        assert "with your teacher now" in text(thanked)
        assert TeacherNote.objects.get().text == "I do not get <i>halves</i>"

    def test_is_found_by_the_teacher_without_opening_the_learner(
        self, session, client, django_assert_num_queries
    ):
        client.post(
            address("stuck", session), {"client_key": uuid.uuid4(), "text": "What is <b>half</b>?"}
        )
        classroom = Classroom.objects.get()
        page = reverse("teacher:classroom", args=[classroom.public_id])
        refused = client.get(page)
        client.force_login(
            make_user(organisation=session.course.organisation, role="administrator")
        )

        shown, hidden = client.get(page), client.get(page, {"names": "hidden"})
        at = clock.now()
        with django_assert_num_queries(1):
            [note] = remarks.list_fresh_notes(classroom=classroom, at=at)
            assert note.learner.label == "Sam Student"
        later = remarks.list_fresh_notes(classroom=classroom, at=at + remarks.NOTES_FRESH_FOR)

        bank = content_selectors.get_bank(
            course_id=session.course_id, revision=session.course.revision
        )
        assert note.concept_name in bank.concept_names
        assert f"{note.concept_name} (" in text(shown)
        assert "What is &lt;b&gt;half" in text(shown)
        assert reverse(
            "teacher:learner", args=[classroom.public_id, note.learner.pseudonym]
        ) in text(shown)
        assert "What is" not in text(hidden)
        assert "What is" not in text(refused)
        assert not later

    @pytest.mark.parametrize("reason", ["stuck", "blocked", "set-aside"])
    def test_is_where_a_session_ends_that_needs_a_teacher(self, session, client, reason):
        PracticeSession.objects.filter(pk=session.pk).update(
            finished_at=clock.now(), finish_reason=reason
        )

        led = client.get(address("practise", session), follow=True)

        assert "you kept at it" in text(led)
        assert reverse("student:summary", args=[session.public_id]) in text(led)


class TestPause:
    def test_leads_to_the_start_page_and_leaves_the_question_waiting(self, session, client):
        led = client.post(address("pause", session), {"client_key": uuid.uuid4()}, follow=True)

        assert address("practise", session) in text(led)
        assert Pause.objects.get().decision == session.current
        session.refresh_from_db()
        assert session.finished_at is None


class TestHelp:
    def test_goes_from_hints_by_steps_to_an_example(self, student, client):
        # In no class, so that nobody is placed first: any item may come.
        course = make_course(organisation=student.organisation)
        session = start_session(learner=student.learner, course=course, at=clock.now())
        for seed in range(300):
            if session.current.item_version.item.slug == "add-two":
                break
            client.post(reverse("student:finish", args=[session.public_id]))
            session = start_session(
                learner=session.learner, course=session.course, at=clock.now(), draw_seed=seed
            )
        for level, told in enumerate(("Hint 1", "Hint 2", "In smaller steps"), start=1):
            shown = client.post(address("hint", session), {"level": level}, headers=HTMX)
            assert told in text(shown)
        step = practice_selectors.rendered_item(session.current).steps[0]
        sent = {"step": 1, "client_key": uuid.uuid4()}

        wrong = client.post(address("step", session), {**sent, "text": "-5"}, headers=HTMX)
        unreadable = client.post(
            address("step", session),
            {"step": 1, "text": "?!", "client_key": uuid.uuid4()},
            headers=HTMX,
        )
        right = client.post(
            address("step", session),
            {**sent, "client_key": uuid.uuid4(), **grading.right_answer(step)},
            headers=HTMX,
        )
        example = client.post(address("hint", session), {"level": 4}, headers=HTMX)

        assert "is not it yet" in text(wrong)
        assert 'role="alert"' in text(unreadable)
        assert "Step 2" in text(right)
        assert "worked out" in text(example)
        assert not Response.objects.exists()


class TestPreview:
    def test_gives_maths_and_stores_nothing(self, session, client):
        shown = client.get(address("preview", session), {"text": "1/2"})

        assert shown.status_code == 200
        if session.current.item_version.kind == "number":
            assert "<mfrac>" in text(shown)
        assert not Response.objects.exists()
