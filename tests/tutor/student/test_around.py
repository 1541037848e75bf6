"""The pages around practising say what is so, to each learner about themselves."""

import datetime as dt

import pytest
from django.urls import reverse

from tests.factories import (
    answer_current,
    make_assignment,
    make_class,
    make_course,
    make_organisation,
    make_user,
    start_session,
)
from tests.tutor.histories import record, trace, versions_of
from tests.tutor.pages import text
from tutor.classes import selectors as class_selectors
from tutor.common import clock
from tutor.practice import progress_lines, usecases
from tutor.practice.models import PracticeSession
from tutor.responses import pace
from tutor.scheduling import reviews
from tutor.scheduling.models import Decision
from tutor.student import review_calendar, summaries, today
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing import trajectories
from tutor.tracing.bands import Band

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def course(course, student):
    """The course, with them in a class of it."""
    make_class(course=course, users=[student])
    return course


def practise(student, course, *, ago, gap_s=60, answers=8, right=True, **facts):
    """Answer so many questions so many days ago, one every so many seconds."""
    versions = versions_of(course)
    for number in range(answers):
        at = clock.now() - ago * DAY + dt.timedelta(seconds=gap_s * number)
        response = record(
            learner=student.learner,
            course=course,
            version=versions[number % len(versions)],
            answered_at=at,
            is_correct=right,
            credit=float(right),
            **facts,
        )
        trace(response, course=course)


class TestToday:
    def test_reckons_with_the_learners_own_pace(self, student, course):
        practise(student, course, ago=2, gap_s=90, answers=20)

        first = today.plan(learner=student.learner, at=clock.now()).first

        assert first.is_own_pace
        assert (first.items, first.low) == (10, 15)
        # Measured to the microsecond, and rounded up.
        assert first.high in (15, 16)

    def test_takes_the_courses_pace_for_a_new_learner_and_says_so(self, student, course, client):
        other = make_user(organisation=student.organisation)
        practise(other, course, ago=2, gap_s=120, answers=20)

        first = today.plan(learner=student.learner, at=clock.now()).first

        assert not first.is_own_pace
        assert first.low == 20
        assert first.high in (20, 21)
        assert "by the pace of others" in text(client.get("/learn/"))

    def test_leaves_breaks_out_and_gives_a_range_where_the_pace_varies(self, student, course):
        practise(student, course, ago=3, gap_s=30, answers=15)
        practise(student, course, ago=2, gap_s=110, answers=15)

        found = pace.get_pace(learner=student.learner, course=course, at=clock.now())
        low, high = found.minutes(10)

        assert 30 <= found.median_s <= 110
        assert low < 10 * found.median_s / 60 < high

    def test_goes_on_with_the_question_that_waits(self, student, course, client):
        session = start_session(learner=student.learner, course=course, at=clock.now())
        answer_current(session, at=clock.now())

        shown = client.get("/learn/")

        assert shown.context["today"].first.session == session
        assert shown.context["today"].first.items == session.planned_items - 1
        assert reverse("student:practise", args=[session.public_id]) in text(shown)

    def test_offers_at_most_four_others_and_none_twice(self, student, course):
        classroom = course.classes.get()
        for number in range(7):
            make_assignment(classroom=classroom, at=clock.now(), title=str(number))
        start_session(learner=student.learner, course=course, at=clock.now())

        plan = today.plan(learner=student.learner, at=clock.now())

        assert len(plan.others) == 4
        assert all(task.assignment for task in plan.others)

    def test_says_what_to_do_with_an_empty_class(self, student, client):
        assert "You are not in a class yet" in text(client.get("/learn/map/"))


class TestMap:
    def test_shows_the_award_beside_an_estimate_that_has_fallen(self, student, course, client):
        for ago in (430, 428, 426, 424):
            practise(student, course, ago=ago, answers=24)
        practise(student, course, ago=400, answers=30, right=False)
        awarded = tracing_selectors.list_awards(learner=student.learner, course=course)
        assert awarded

        drawn = client.get("/learn/map/").context["map"]

        nodes = [node for node in drawn.nodes if node.awarded_at]
        assert drawn.n_awarded == len(nodes) == len(awarded)
        assert any(node.mastery.band is not Band.MASTERED for node in nodes)
        assert all(node.is_learned for node in nodes)
        assert "not enough evidence" in text(client.get("/learn/map/"))


class TestProgress:
    def test_counts_first_tries_by_week_and_days_against_the_goal(self, student, course, client):
        practise(student, course, ago=8, answers=6)
        practise(student, course, ago=8, answers=2, attempt=2)
        client.post("/learn/goal/", {"days": "5"})

        shown = client.get("/learn/progress/")

        assert sum(week.answers for week in shown.context["weeks"]) == 6
        assert sum(week.days for week in shown.context["weeks"]) in (1, 2)
        assert shown.context["week"].goal == 5

    @pytest.mark.parametrize("days", ["0", "8", "", "-1", "²", "9" * 40])
    def test_refuses_a_goal_that_no_week_has(self, student, course, client, days):
        refused = client.post("/learn/goal/", {"days": days})

        assert refused.status_code == 400
        assert "1 to 7" in text(refused)
        assert class_selectors.get_weekly_goal(learner=student.learner) == 3

    def test_a_topics_table_says_what_its_picture_shows(self, student, course, client):
        for ago in (9, 5, 2):
            practise(student, course, ago=ago)
        [line, *_] = progress_lines.list_lines(
            learner=student.learner, course=course, at=clock.now()
        )

        shown = client.get(reverse("student:concept", args=[course.slug, line.slug]))

        assert len(shown.context["picture"].marks) == len(line.points) + 1
        assert text(shown).count('<th scope="row">') == len(line.points) + 1
        for point in line.points:
            assert 0 <= point.lower < point.prob < point.upper <= 1
            assert point.right <= point.answers

    def test_a_line_ends_where_the_estimate_stood(self, student, course):
        practise(student, course, ago=0, answers=9)
        tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
        found = trajectories.list_trajectories(
            learner=student.learner, course=course, to_day=lambda at: at.date()
        )

        newest = clock.now() + dt.timedelta(seconds=60 * 8)
        now = tracing_selectors.masteries_of(
            tracer,
            tracing_selectors.get_state(learner_id=student.learner.pk, tracer=tracer),
            at=newest,
        )
        for pk, points in found.items():
            assert points[-1].prob == pytest.approx(now[pk].prob, abs=1e-3)

    def test_of_another_school_is_not_there(self, student, course, client):
        other = make_course(organisation=make_organisation())
        concept = other.concepts.first()
        other.slug = "elsewhere"
        other.save()

        for path in (
            reverse("student:concept", args=["elsewhere", concept.slug]),
            "/learn/map/?course=elsewhere",
            "/learn/how/?course=elsewhere",
            reverse("student:concept", args=[course.slug, "no-such-topic"]),
        ):
            assert client.get(path).status_code == 404, path


class TestReviews:
    def test_names_the_day_on_which_the_scheduler_will_review(self, student, course, client):
        for ago in (3, 1):
            practise(student, course, ago=ago, answers=30)
        at = clock.now()

        found = reviews.list_reviews(learner=student.learner, course=course, at=at, days=40)

        dated = [review for review in found if review.due_on]
        assert dated
        review = dated[0]
        on_day = dt.timedelta(days=(review.due_on - at.date()).days)
        decision = start_session(
            learner=student.learner, course=course, at=at + on_day, draw_seed=5
        ).current
        assert Decision.objects.get(pk=decision.pk).mode in {"review", "learn", "practise"}
        for before in range(on_day.days):
            earlier = reviews.list_reviews(
                learner=student.learner, course=course, at=at + before * DAY, days=1
            )
            assert not next(r for r in earlier if r.concept_id == review.concept_id).is_due
        then = reviews.list_reviews(learner=student.learner, course=course, at=at + on_day, days=1)
        assert next(r for r in then if r.concept_id == review.concept_id).is_due

    def test_the_calendar_and_its_list_say_the_same(self, student, course, client):
        for ago in (40, 38):
            practise(student, course, ago=ago, answers=30)

        made = review_calendar.make(learner=student.learner, course=course, at=clock.now())

        in_weeks = [name for week in made.weeks for day in week for name in day.names]
        assert in_weeks == [name for day in made.days for name in day.names]
        assert made.n_due
        shown = text(client.get("/learn/reviews/"))
        assert all(name in shown for name in in_weeks)

    def test_is_empty_before_anything_is_mastered(self, student, course, client):
        assert "Nothing yet" in text(client.get("/learn/reviews/"))


class TestHow:
    def test_tells_the_latest_choices_with_what_was_expected_and_came(
        self, student, course, client
    ):
        session = start_session(learner=student.learner, course=course, at=clock.now())
        answer_current(session, right=True, at=clock.now())
        answer_current(session, right=False, at=clock.now(), draw_seed=3)

        latest = client.get("/learn/how/").context["latest"]

        assert [told.came for told in latest] == ["open", "wrong", "right"]
        assert all(told.reason and 0 <= told.expected_in_ten <= 10 for told in latest)

    def test_shows_ten_at_most_and_of_nobody_else(self, student, course, client):
        other = make_user(organisation=student.organisation)
        start_session(learner=other.learner, course=course, at=clock.now())

        assert client.get("/learn/how/").context["latest"] == []


class TestSummary:
    def test_says_of_each_topic_what_came_and_what_is_next(self, student, course, client):
        session = start_session(learner=student.learner, course=course, at=clock.now())
        for number in range(4):
            answer_current(session, right=number != 1, at=clock.now(), draw_seed=number)
        client.post(reverse("student:finish", args=[session.public_id]))

        shown = client.get(reverse("student:summary", args=[session.public_id]))

        changes = shown.context["changes"]
        assert changes
        assert all(shift.why for shift in changes)
        assert shown.context["following"]
        session.refresh_from_db()
        tallies = summaries._count(session)
        assert sum(sum(tally.values()) for tally in tallies.values()) >= 4

    def test_of_an_old_session_says_what_it_said_then(self, student, course, client):
        start = clock.now() - dt.timedelta(days=9)
        session = start_session(learner=student.learner, course=course, at=start)
        for number in range(6):
            answer_current(session, at=start, draw_seed=number)
            if session.finished_at:
                break
        usecases.finish_practice(learner=student.learner, session=session, at=start)
        session = PracticeSession.objects.get(pk=session.pk)
        told = summaries.describe_session(session, at=start)
        later = start_session(learner=student.learner, course=course, at=clock.now())
        for number in range(6):
            if later.finished_at:
                break
            answer_current(later, right=False, at=clock.now(), draw_seed=number)

        assert told
        assert summaries.describe_session(session, at=clock.now()) == told
