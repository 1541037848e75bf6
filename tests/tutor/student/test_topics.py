"""A topic of the learner's choice, and sittings whose length a teacher has planned."""

import datetime as dt
import re
import uuid

import pytest

from tests.factories import (
    answer_current,
    make_assignment,
)
from tests.tutor.histories import record, trace, versions_of
from tests.tutor.pages import text
from tutor.common import clock
from tutor.content import selectors as content_selectors
from tutor.content.models import Course, Item, ItemVersion
from tutor.practice import usecases
from tutor.practice.models import PracticeSession
from tutor.scheduling import replaying, ruling
from tutor.scheduling.models import Decision
from tutor.scheduling.rule_values import Order
from tutor.student import today, topics

pytestmark = pytest.mark.django_db


def begin(client, **form) -> PracticeSession:
    assert client.post("/learn/start/", form).status_code == 302
    return PracticeSession.objects.get(finished_at=None)


def concepts_of(decision: Decision) -> set[str]:
    ids = content_selectors.get_concepts_of_version(version_id=decision.item_version_id)
    return {decision.course.concepts.get(pk=pk).slug for pk in ids}


def master(student, course, slug, *, days):
    """Answer eight questions on a topic right, so many days ago each time."""
    versions = list(
        ItemVersion.objects.filter(concepts__slug=slug, item__course=course).order_by("pk")
    )
    for day in days:
        for number in range(8):
            response = record(
                learner=student.learner,
                course=course,
                version=versions[number % len(versions)],
                answered_at=clock.now() - dt.timedelta(days=day, hours=1, minutes=-number),
            )
            trace(response, course=course)


def offered(student, course, at) -> list[str]:
    found = topics.list_topics(learner=student.learner, courses=(course,), at=at)
    return [topic.slug for _, chosen in found for topic in chosen]


class TestATopicOfOnesChoice:
    def test_is_offered_on_today_and_on_the_map(self, client, classroom):
        for page in ("/learn/", "/learn/map/"):
            shown = text(client.get(page))
            assert '<option value="small/doubling">Doubling</option>' in shown
            assert shown.count("Practise this topic") == 1

    def test_is_none_that_is_mastered_until_it_is_due_nor_one_without_a_question(
        self, client, student, course, classroom
    ):
        master(student, course, "adding", days=(5, 2, 0))
        Item.objects.filter(course=course, versions__concepts__slug="naming").update(
            status="retired"
        )
        Course.objects.filter(pk=course.pk).update(revision=course.revision + 1)
        course.refresh_from_db()

        assert offered(student, course, clock.now()) == ["doubling"]
        assert offered(student, course, clock.now() + dt.timedelta(days=60)) == [
            "adding",
            "doubling",
        ]
        shown = text(client.get("/learn/"))
        assert 'value="small/adding"' not in shown
        assert "Practise this topic" not in text(client.get("/learn/progress/small/adding/"))

    def test_is_chosen_and_not_the_first_by_a_press(self, client, classroom):
        shown = text(client.get("/learn/"))

        assert re.search(r'<select id="topic"[^>]*required[^>]*><option value="">', shown)
        answer = client.post("/learn/start/", {"topic": ""})
        assert answer.headers["Location"] == "/learn/"
        assert not PracticeSession.objects.exists()

    def test_that_has_nothing_to_answer_leaves_what_is_open(
        self, client, student, course, classroom
    ):
        master(student, course, "naming", days=(5, 2, 0))
        assignment = make_assignment(classroom=classroom, at=clock.now())
        running = begin(client, assignment=assignment.public_id)
        answer_current(running, at=clock.now())

        led = client.post("/learn/start/", {"topic": "small/naming"}, follow=True)

        assert "Nothing to answer here" in text(led)
        assert begin(client, assignment=assignment.public_id) == running
        running.refresh_from_db()
        assert (running.finished_at, running.n_answered) == (None, 1)
        assert client.get("/learn/").context["today"].first.session == running

    def test_asks_for_nothing_else(self, client, student, classroom):
        session = begin(client, topic="small/naming")

        assert session.title == "Naming things"
        for _ in range(3):
            assert concepts_of(session.current) == {"naming"}
            answer_current(session, at=clock.now())
            session = PracticeSession.objects.get(pk=session.pk)
            if session.finished_at is not None:
                break
        assert session.n_answered >= 1

    def test_brings_in_what_it_builds_on_and_nothing_beside(self, client, student, classroom):
        session = begin(client, topic="small/doubling")

        answer_current(session, at=clock.now())

        asked = {
            slug
            for decision in Decision.objects.exclude(item_version=None)
            for slug in concepts_of(decision)
        }
        assert "adding" in asked
        assert "naming" not in asked

    def test_can_be_chosen_again_from_the_log(self, client, student, classroom):
        session = begin(client, topic="small/naming")
        answer_current(session, at=clock.now())

        for decision in Decision.objects.order_by("pk"):
            assert decision.reason_facts["topic"] == session.topic_id
            assert replaying.decide_again(decision).receipt() == decision.receipt

    def test_is_gone_on_with_and_ends_for_another(self, client, classroom):
        first = begin(client, topic="small/naming")

        assert begin(client, topic="small/naming") == first
        assert begin(client, topic="small/adding") != first
        first.refresh_from_db()
        assert first.finish_reason == "switched"
        assert begin(client, course="small").topic is None

    def test_stands_on_the_pages_while_it_goes_on(self, client, classroom):
        session = begin(client, topic="small/naming")

        home = client.get("/learn/")
        assert home.context["today"].first.title == "Naming things"
        # The whole course is still there as something else to do.
        assert [task.title for task in home.context["today"].others] == ["A small course"]
        assert "Your choice: Naming things" in text(
            client.get(f"/learn/practise/{session.public_id}/")
        )
        client.post(f"/learn/practise/{session.public_id}/finish/")
        summary = text(client.get(f"/learn/practise/{session.public_id}/summary/"))
        assert 'name="topic" value="small/naming"' in summary

    @pytest.mark.parametrize(
        "topic", ["small/nothing", "other/adding", "small/nam\x00ing", "sm\x00/naming"]
    )
    def test_that_is_none_of_theirs_is_not_there(self, client, classroom, topic):
        assert client.post("/learn/start/", {"topic": topic}).status_code == 404
        assert not PracticeSession.objects.exists()


def rule(classroom, **fields):
    ruling.set_rule(classroom=classroom, order=Order(**fields), actor=None, at=clock.now())


def answer_at(student, course, start, *, minutes):
    """Answer a question so many minutes after the start, each of them."""
    for minute in minutes:
        record(
            learner=student.learner,
            course=course,
            version=versions_of(course)[0],
            answered_at=start + dt.timedelta(minutes=minute),
        )


class TestMinutesThatATeacherPlanned:
    def test_are_told_on_today_and_while_practising_and_at_the_end(self, client, classroom):
        rule(classroom, kind="minutes", value=20)

        task = client.get("/learn/").context["today"].first
        assert task.minutes == 20
        assert "20 minutes, as your teacher planned for today." in text(client.get("/learn/"))

        session = begin(client, course="small")
        assert session.planned_minutes == 20
        assert session.planned_items == task.items
        page = text(client.get(f"/learn/practise/{session.public_id}/"))
        assert "20 of 20 minutes left" in page
        assert "Question 1 of" not in page
        assert "20 of the 20 minutes planned are left." in text(client.get("/learn/"))

        client.post(f"/learn/practise/{session.public_id}/finish/")
        summary = text(client.get(f"/learn/practise/{session.public_id}/summary/"))
        assert "20 minutes were planned; this took 0." in summary

    @pytest.mark.parametrize("away", [dt.timedelta(minutes=25), dt.timedelta(hours=17)])
    def test_do_not_run_while_somebody_is_away(self, client, student, classroom, away):
        rule(classroom, kind="minutes", value=20)
        session = begin(client, course="small")
        begun = clock.now() - away - dt.timedelta(minutes=8)
        PracticeSession.objects.filter(pk=session.pk).update(started_at=begun)
        answer_at(student, classroom.course, begun, minutes=(4, 8))

        shown = text(client.get(f"/learn/practise/{session.public_id}/"))
        assert "12 of 20 minutes left" in shown
        assert "12 of the 20 minutes planned are left." in text(client.get("/learn/"))
        client.post(f"/learn/practise/{session.public_id}/finish/")
        summary = text(client.get(f"/learn/practise/{session.public_id}/summary/"))
        assert "20 minutes were planned; this took 8." in summary

    def test_do_not_run_after_a_pause_until_the_next_answer(self, client, student, classroom):
        rule(classroom, kind="minutes", value=20)
        session = begin(client, course="small")
        begun = clock.now() - dt.timedelta(minutes=9)
        PracticeSession.objects.filter(pk=session.pk).update(started_at=begun)
        usecases.pause(
            learner=student.learner,
            presentation=session.current.public_id,
            client_key=uuid.uuid4(),
            at=begun + dt.timedelta(minutes=2),
        )

        shown = text(client.get(f"/learn/practise/{session.public_id}/"))

        assert "18 of 20 minutes left" in shown
        answer_current(session, at=clock.now())
        following = PracticeSession.objects.get(pk=session.pk).current
        assert following.minutes_left == pytest.approx(18.0, abs=0.1)

    @pytest.mark.parametrize("extra", [1.1, 2.0])
    def test_too_few_for_a_question_are_none(self, client, student, classroom, extra):
        rule(classroom, kind="minutes", value=2)
        rule(classroom, kind="time", value=extra, learners=[student.learner])
        noon = clock.now().replace(hour=12, minute=0)
        asked = {"learner": student.learner, "course": classroom.course, "assignment": None}
        answer_at(student, classroom.course, noon, minutes=(0, 0.5))

        # A question takes a minute, as long as nothing is known.
        assert today.find_minutes(**asked, at=noon + dt.timedelta(minutes=1)) == (
            2 if extra == 1.1 else None
        )

    def test_too_few_for_a_question_lock_nobody_out(self, client, student, classroom):
        rule(classroom, kind="minutes", value=1)
        rule(classroom, kind="time", value=1.5, learners=[student.learner])

        session = begin(client, course="small")
        assert session.planned_minutes is None
        answer_current(session, at=clock.now())
        session.refresh_from_db()
        assert session.finished_at is None

    def test_that_are_over_say_so(self, client, student, classroom):
        rule(classroom, kind="minutes", value=20)
        session = begin(client, course="small")
        begun = clock.now() - dt.timedelta(minutes=25)
        PracticeSession.objects.filter(pk=session.pk).update(started_at=begun)
        answer_at(student, classroom.course, begun, minutes=(5, 11, 18))

        assert "the planned time is over" in text(
            client.get(f"/learn/practise/{session.public_id}/")
        )
        assert "The open question is the last one." in text(client.get("/learn/"))
        answer_current(session, at=clock.now())
        assert PracticeSession.objects.get(pk=session.pk).finished_at is not None

    def test_are_of_a_day_and_less_what_was_practised_of_it(self, client, student, classroom):
        rule(classroom, kind="minutes", value=20)
        asked = {"learner": student.learner, "course": classroom.course, "assignment": None}
        noon = clock.now().replace(hour=12, minute=0)
        answer_at(student, classroom.course, noon, minutes=(0, 5, 9, 13))

        later = noon + dt.timedelta(minutes=14)
        assert today.find_minutes(**asked, at=later) == 20 - 13
        assert today.find_minutes(**asked, at=later + dt.timedelta(days=1)) == 20

    def test_once_practised_leave_whoever_wants_more_to_it(self, student, classroom):
        rule(classroom, kind="minutes", value=5)
        noon = clock.now().replace(hour=12, minute=0)
        answer_at(student, classroom.course, noon, minutes=(0, 5))
        asked = {"learner": student.learner, "course": classroom.course, "assignment": None}

        assert today.find_minutes(**asked, at=noon + dt.timedelta(minutes=6)) is None

    def test_hold_where_they_were_planned(self, client, student, classroom):
        assignment = make_assignment(classroom=classroom, at=clock.now())
        rule(classroom, kind="minutes", value=15, assignment=assignment)

        tasks = client.get("/learn/").context["today"]

        assert tasks.first.assignment == assignment
        assert tasks.first.minutes == 15
        assert [task.minutes for task in tasks.others] == [None]


class TestQuestionsThatATeacherPlanned:
    def test_are_what_today_tells(self, client, classroom):
        rule(classroom, kind="length", value=4)

        assert client.get("/learn/").context["today"].first.items == 4
        assert begin(client, course="small").planned_items == 4
