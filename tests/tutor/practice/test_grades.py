"""Grades by the class's rule: from awards, words and answers, the same on every surface."""

import csv
import datetime as dt
import io

import pytest
from django.urls import reverse
from django.utils.html import escape

from tests.factories import (
    AT,
    answer_current,
    make_assignment,
    make_class,
    make_learner,
    make_user,
    set_scheduling,
    start_session,
)
from tests.tutor.pages import text
from tutor.classes import grade_rules, overriding, stating
from tutor.classes.errors import OverrideUnusable
from tutor.classes.models import GradeRule
from tutor.classes.overriding import By
from tutor.common import clock
from tutor.practice import grades
from tutor.responses.models import Response
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.models import AwardStep

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
BY = By(None, AT, "because")


@pytest.fixture
def teacher(organisation):
    return make_user(organisation=organisation, role="teacher")


@pytest.fixture
def other(organisation):
    return make_learner(organisation=organisation)


@pytest.fixture
def classroom(course, learner, other, teacher):
    found = make_class(course=course, users=[learner.user, other.user, teacher])
    set_scheduling(found)
    return found


@pytest.fixture
def assignment(classroom):
    return make_assignment(classroom=classroom, due_at=AT + 2 * DAY)


def award(learner, course, slug, *, at):
    """An award as an answer at that moment gives it."""
    session = start_session(learner=learner, course=course, at=at)
    answer_current(session, at=at)
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    AwardStep.objects.create(
        learner=learner,
        concept=course.concepts.get(slug=slug),
        percent=70,
        step=AwardStep.Step.AWARD,
        response=Response.objects.latest("pk"),
        tracer_id=tracer.tracer_id,
        lower_prob=0.8,
        met_rule=True,
        at=at,
        given_at=at,
    )


def choose(classroom, kind, number=None):
    return grade_rules.set_rule(classroom=classroom, kind=kind, number=number, by=BY)


def grade(classroom, learner, assignment, at=AT + 9 * DAY):
    classroom.course.refresh_from_db()
    _, _, found = grades.list_class(classroom=classroom, learners=[learner], at=at)
    return found.get((learner.pk, assignment.pk))


class TestRules:
    def test_without_one_there_are_no_grades(self, classroom, learner, assignment):
        assert grade(classroom, learner, assignment) is None
        choose(classroom, "awarded")
        choose(classroom, "none")
        assert grade(classroom, learner, assignment) is None

    @pytest.mark.parametrize(
        ("kind", "percent", "reached"),
        [("awarded", 67, 2), ("by-date", 33, 1), ("late-half", 50, 1.5)],
    )
    def test_late_awards_count_as_the_rule_says(
        self, classroom, learner, assignment, course, kind, percent, reached
    ):
        award(learner, course, "adding", at=AT + DAY)
        award(learner, course, "naming", at=AT + 3 * DAY)
        choose(classroom, kind)

        found = grade(classroom, learner, assignment)

        assert (found.percent, found.reached, found.whole) == (percent, reached, 3)

    def test_the_learners_own_date_counts(self, classroom, learner, assignment, course):
        award(learner, course, "adding", at=AT + 3 * DAY)
        choose(classroom, "by-date")
        assert grade(classroom, learner, assignment).percent == 0

        overriding.set_date(assignment=assignment, learners=[learner], until=AT + 4 * DAY, by=BY)

        assert grade(classroom, learner, assignment).percent == 33

    def test_halves_are_rounded_upwards(self, classroom, learner, assignment):
        # 1 of 8 answers is 12.5 %.
        choose(classroom, "answers", 8)
        session = start_session(
            learner=learner, course=classroom.course, assignment=assignment, at=AT
        )
        answer_current(session, right=False, at=AT)

        assert grade(classroom, learner, assignment).percent == 13

    def test_more_answers_than_asked_are_not_more_than_all(self, classroom, learner, assignment):
        choose(classroom, "answers", 1)
        session = start_session(
            learner=learner, course=classroom.course, assignment=assignment, at=AT
        )
        for step in range(2):
            answer_current(session, at=AT + dt.timedelta(minutes=step))

        assert grade(classroom, learner, assignment).percent == 100

    def test_excuses_and_words_count(self, classroom, learner, other, assignment, course):
        choose(classroom, "by-date")
        naming, adding = (course.concepts.get(slug=slug) for slug in ("naming", "adding"))
        overriding.excuse(assignment=assignment, learners=[learner], concept=naming, by=BY)
        overriding.excuse(assignment=assignment, learners=[other], by=BY)
        stating.state_mastery(
            classroom=classroom, learner=learner, concept=adding, is_known=True, by=BY
        )

        found = grade(classroom, learner, assignment)

        assert (found.percent, found.reached, found.whole) == (50, 1, 2)
        assert grade(classroom, other, assignment) == grades.Grade(None, is_excused=True)

    def test_a_second_click_stores_nothing_and_nonsense_is_refused(self, classroom):
        assert choose(classroom, "awarded") == choose(classroom, "awarded")
        assert GradeRule.objects.count() == 1
        for kind, number in (("best", None), ("answers", None), ("answers", 0)):
            with pytest.raises(OverrideUnusable):
                choose(classroom, kind, number)

    def test_a_class_of_any_size_takes_as_many_queries(
        self, classroom, learner, assignment, organisation, django_assert_num_queries
    ):
        choose(classroom, "late-half")
        grade(classroom, learner, assignment)
        many = [learner, *(make_learner(organisation=organisation) for _ in range(5))]
        with django_assert_num_queries(6) as asked:
            grades.list_class(classroom=classroom, learners=[learner], at=AT)
        with django_assert_num_queries(len(asked)):
            grades.list_class(classroom=classroom, learners=many, at=AT)


def test_pages_file_and_api_say_the_same_to_the_digit(
    client, classroom, learner, teacher, assignment, course, monkeypatch
):
    monkeypatch.setattr(clock, "now", lambda: AT + 9 * DAY)
    award(learner, course, "adding", at=AT + DAY)
    award(learner, course, "naming", at=AT + 3 * DAY)
    client.force_login(teacher)
    chosen = reverse("teacher:grades-set", args=[classroom.public_id])
    page = text(client.post(chosen, {"rule": "awarded"}, follow=True))

    assert "67 % <span" in page
    file = client.get(reverse("teacher:export-csv", args=[classroom.public_id, "grades"]))
    rows = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
    own = next(row for row in rows if row["Pseudonym"] == str(learner.pseudonym))
    assert own["Grade, %"] == "67"
    client.force_login(learner.user)
    assert "<dd>67 %</dd>" in text(client.get("/learn/"))
    address = reverse("api:assignments", args=[learner.pseudonym])
    [told] = client.get(address, {"course": course.slug}).json()["assignments"]
    assert told["grade"] == 67
    assert escape(told["grade_rule"]) in page
