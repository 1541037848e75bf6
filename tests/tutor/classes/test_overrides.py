"""What teachers decide otherwise: another date, an excuse, a word on what somebody knows."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import (
    AT,
    answer_current,
    make_assignment,
    make_class,
    make_course,
    make_learner,
    make_organisation,
    make_user,
    set_scheduling,
    start_session,
)
from tutor.accounts.models import AuditEntry
from tutor.classes import overriding, stated, stating, terms
from tutor.classes.errors import Excused, OverrideTakenBack, OverrideUnusable
from tutor.classes.models import AssignmentOverride, StatedMastery
from tutor.classes.overriding import By
from tutor.common.errors import NotVisible
from tutor.outlook import goals
from tutor.scheduling import replaying
from tutor.scheduling.models import Decision
from tutor.student import today
from tutor.tracing import class_masteries
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.bands import Band

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def teacher(organisation):
    return make_user(organisation=organisation, role="teacher", name="Tea Cher")


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
    return make_assignment(classroom=classroom, due_at=AT + DAY)


def by(teacher=None, reason="ill", at=AT):
    return By(teacher, at, reason)


def concept(course, slug):
    return course.concepts.get(slug=slug)


def due(assignment, learner):
    assignment.classroom.course.refresh_from_db()
    return terms.find_for(assignment=assignment, learner_id=learner.pk).due_at


class TestDates:
    def test_one_learner_has_longer_and_nobody_else(self, assignment, learner, other, teacher):
        [row] = overriding.set_date(
            assignment=assignment, learners=[learner], until=AT + 3 * DAY, by=by(teacher)
        )

        assert (row.kind, row.set_by, row.reason) == ("extend", teacher, "ill")
        assert due(assignment, learner) == AT + 3 * DAY
        assert due(assignment, other) == AT + DAY

    def test_the_class_and_one_of_it_have_the_later_of_the_two(self, assignment, learner, other):
        overriding.set_date(assignment=assignment, learners=[], until=AT + 5 * DAY, by=by())
        overriding.set_date(assignment=assignment, learners=[learner], until=AT + 3 * DAY, by=by())

        assert due(assignment, learner) == due(assignment, other) == AT + 5 * DAY

    def test_a_newer_date_of_the_same_learner_takes_the_place_even_if_earlier(
        self, assignment, learner
    ):
        for days in (5, 2):
            overriding.set_date(
                assignment=assignment, learners=[learner], until=AT + days * DAY, by=by()
            )

        assert due(assignment, learner) == AT + 2 * DAY
        assert terms.list_in_force().count() == 1

    def test_what_is_over_is_open_again_also_without_end(self, assignment, learner, other):
        later = by(at=AT + 2 * DAY)
        [row] = overriding.set_date(assignment=assignment, learners=[learner], until=None, by=later)

        assert row.kind == "reopen"
        assert due(assignment, learner) is None
        assert due(assignment, other) == AT + DAY

    @pytest.mark.parametrize(
        ("until", "said"),
        [
            (AT - DAY, "still to come"),
            (AT + DAY, "not due before that"),
            (None, "Give the new due date"),
            (AT.replace(year=9999), "still to come"),
        ],
    )
    def test_a_date_that_gives_nothing_is_refused(self, assignment, learner, until, said):
        with pytest.raises(OverrideUnusable, match=said):
            overriding.set_date(assignment=assignment, learners=[learner], until=until, by=by())
        assert not AssignmentOverride.objects.exists()

    def test_of_what_has_no_date_there_is_none_to_change(self, classroom, learner):
        endless = make_assignment(classroom=classroom)

        with pytest.raises(OverrideUnusable, match="no due date"):
            overriding.set_date(assignment=endless, learners=[learner], until=AT + DAY, by=by())

    def test_somebody_of_another_class_is_not_found(self, assignment, course, organisation):
        stranger = make_learner(organisation=organisation)
        make_class(course=course, users=[stranger.user], name="8a")

        with pytest.raises(NotVisible):
            overriding.set_date(
                assignment=assignment, learners=[stranger], until=AT + 2 * DAY, by=by()
            )


class TestOnce:
    def test_a_second_click_finds_what_the_first_one_stored(self, assignment, learner, teacher):
        first, second = (
            overriding.set_date(
                assignment=assignment, learners=[learner], until=AT + 3 * DAY, by=by(teacher)
            )
            for _ in range(2)
        )
        excused = [
            overriding.excuse(assignment=assignment, learners=[learner], by=by(teacher))
            for _ in range(2)
        ]

        assert first == second
        assert excused[0] == excused[1]
        assert AssignmentOverride.objects.count() == 2
        assert AuditEntry.objects.filter(action="override.set").count() == 2

    def test_taking_back_twice_is_one_row_and_says_who_and_why(
        self, classroom, assignment, learner, teacher
    ):
        [row] = overriding.excuse(assignment=assignment, learners=[learner], by=by())

        undone = [
            overriding.take_back(
                classroom=classroom, override_id=row.pk, by=by(teacher, "back again", AT + DAY)
            )
            for _ in range(2)
        ]

        assert undone[0] == undone[1]
        assert (undone[0].set_by, undone[0].reason, undone[0].at) == (
            teacher,
            "back again",
            AT + DAY,
        )
        assert not terms.list_in_force().exists()
        assert AuditEntry.objects.filter(action="override.taken-back").count() == 1

    def test_another_class_has_nothing_to_take_back(self, classroom, assignment, learner, course):
        [row] = overriding.excuse(assignment=assignment, learners=[learner], by=by())
        elsewhere = make_class(course=course, name="8a")

        with pytest.raises(OverrideTakenBack):
            overriding.take_back(classroom=elsewhere, override_id=row.pk, by=by())
        assert terms.list_in_force().count() == 1


class TestExcuses:
    def test_nothing_is_asked_of_who_is_excused(self, assignment, learner, other, course):
        overriding.excuse(assignment=assignment, learners=[learner], by=by())
        course.refresh_from_db()

        plan = today.plan(learner=learner, at=AT)
        assert [task.assignment for task in (plan.first, *plan.others)] == [None]
        assert [(one.title, one.topics) for one in plan.excused] == [("Everything", ())]
        with pytest.raises(Excused):
            start_session(learner=learner, course=course, assignment=assignment)
        assert today.plan(learner=other, at=AT).first.assignment == assignment

    def test_a_sitting_that_is_open_ends_with_the_next_answer(self, assignment, learner, course):
        session = start_session(learner=learner, course=course, assignment=assignment)
        overriding.excuse(assignment=assignment, learners=[learner], by=by())

        answer_current(session, at=AT + MINUTE)

        session.refresh_from_db()
        assert session.finish_reason == "closed"

    def test_of_one_topic_leaves_the_others(self, assignment, learner, course):
        naming = concept(course, "naming")
        overriding.excuse(assignment=assignment, learners=[learner], concept=naming, by=by())
        course.refresh_from_db()

        own = terms.find_for(assignment=assignment, learner_id=learner.pk)
        assert naming.pk not in own.goal
        assert len(own.goal) == 2
        assert not own.is_excused
        assert today.plan(learner=learner, at=AT).excused[0].topics == ("Naming things",)

    def test_of_every_topic_is_of_the_whole(self, classroom, learner, course):
        naming = concept(course, "naming")
        only = make_assignment(classroom=classroom, concepts=[naming], due_at=AT + DAY)
        overriding.excuse(assignment=only, learners=[learner], concept=naming, by=by())
        only.classroom.course.refresh_from_db()

        assert terms.find_for(assignment=only, learner_id=learner.pk).is_excused

    def test_of_a_topic_that_is_not_asked_for_is_refused(self, classroom, learner, course):
        only = make_assignment(classroom=classroom, concepts=[concept(course, "naming")])

        with pytest.raises(OverrideUnusable, match="does not ask"):
            overriding.excuse(
                assignment=only, learners=[learner], concept=concept(course, "adding"), by=by()
            )

    def test_a_forecast_has_the_learners_own_goal(self, assignment, learner, other, course):
        naming = concept(course, "naming")
        overriding.excuse(assignment=assignment, learners=[learner], concept=naming, by=by())
        overriding.set_date(assignment=assignment, learners=[learner], until=AT + 3 * DAY, by=by())
        course.refresh_from_db()
        tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
        given = {"assignment": assignment, "tracer": tracer, "revision": course.revision}

        own, whole = (goals.find(learner_id=one.pk, **given) for one in (learner, other))

        assert own.due_at == (AT + 3 * DAY).timestamp()
        assert whole.due_at == (AT + DAY).timestamp()
        assert set(whole.concept_ids) - set(own.concept_ids) == {naming.pk}


class TestChoices:
    def test_are_made_again_after_what_they_knew_is_undone(
        self, classroom, assignment, learner, course
    ):
        [row] = overriding.set_date(
            assignment=assignment, learners=[learner], until=AT + 9 * DAY, by=by()
        )
        stating.state_mastery(
            classroom=classroom,
            learner=learner,
            concept=concept(course, "adding"),
            is_known=True,
            by=by(),
        )
        course.refresh_from_db()
        session = start_session(learner=learner, course=course, assignment=assignment, at=AT)
        decision = session.current
        overriding.take_back(classroom=classroom, override_id=row.pk, by=by())
        word = StatedMastery.objects.get()
        stating.take_back(classroom=classroom, learner=learner, stated_id=word.pk, by=by())

        decision = Decision.objects.get(pk=decision.pk)
        situation = replaying.situation_of(decision)
        assert situation.closes_at == (AT + 9 * DAY).timestamp()
        assert replaying.decide_again(decision).receipt() == decision.receipt

    def test_cost_no_query_more(self, classroom, assignment, learner, course):
        def statements(at):
            session = start_session(
                learner=learner, course=course, assignment=assignment, at=at, draw_seed=7
            )
            answer_current(session, at=at + MINUTE)
            with CaptureQueriesContext(connection) as caught:
                answer_current(session, at=at + 2 * MINUTE)
            return len(caught)

        without = statements(AT)
        overriding.set_date(assignment=assignment, learners=[learner], until=AT + 9 * DAY, by=by())
        stating.state_mastery(
            classroom=classroom,
            learner=learner,
            concept=concept(course, "naming"),
            is_known=True,
            by=by(),
        )
        course.refresh_from_db()
        assert statements(AT + 3 * MINUTE) <= without


class TestWords:
    def say(self, classroom, learner, slug, *, is_known, **of):
        row = stating.state_mastery(
            classroom=classroom,
            learner=learner,
            concept=concept(classroom.course, slug),
            is_known=is_known,
            by=by(**of),
        )
        classroom.course.refresh_from_db()
        return row

    def test_are_shown_beside_the_estimate(self, classroom, learner, other):
        course = classroom.course
        before = tracing_selectors.get_masteries(learner=learner, course=course, at=AT)
        self.say(classroom, learner, "adding", is_known=True)
        self.say(classroom, learner, "naming", is_known=False)

        found = tracing_selectors.get_masteries(learner=learner, course=course, at=AT)
        adding, naming = (found[concept(course, slug).pk] for slug in ("adding", "naming"))
        assert (adding.band, adding.estimated_band) == (Band.MASTERED, Band.NOT_ENOUGH_EVIDENCE)
        assert naming.band is Band.LEARNING
        assert adding.prob == before[adding.concept_id].prob
        assert adding.evidence_n == 0
        whole = class_masteries.read_class(learner_ids=[other.pk, learner.pk], course=course, at=AT)
        column = whole.concept_ids.tolist().index(adding.concept_id)
        assert whole.rank[:, column].tolist() == [0, Band.MASTERED.rank]
        assert whole.is_stated[:, column].tolist() == [False, True]

    def test_what_is_known_opens_what_builds_on_it_and_is_not_asked(self, classroom, learner):
        course = classroom.course
        only = make_assignment(classroom=classroom, concepts=[concept(course, "doubling")])
        self.say(classroom, learner, "adding", is_known=True)

        session = start_session(learner=learner, course=course, assignment=only)

        assert session.current.reason_facts["concept"] == concept(course, "doubling").pk

    def test_what_is_not_known_yet_holds_that_back(self, classroom, learner):
        course = classroom.course
        only = make_assignment(classroom=classroom, concepts=[concept(course, "doubling")])
        self.say(classroom, learner, "adding", is_known=True)
        self.say(classroom, learner, "adding", is_known=False)

        session = start_session(learner=learner, course=course, assignment=only)

        assert session.current.reason_facts["concept"] == concept(course, "adding").pk

    def test_give_no_award(self, classroom, learner):
        self.say(classroom, learner, "adding", is_known=True)

        assert tracing_selectors.list_awards(learner=learner, course=classroom.course) == {}

    def test_the_newest_holds_is_stored_once_and_taken_back_once(
        self, classroom, learner, course, teacher
    ):
        self.say(classroom, learner, "adding", is_known=True)
        row = self.say(classroom, learner, "adding", is_known=False, teacher=teacher)
        again = self.say(classroom, learner, "adding", is_known=False, teacher=teacher)

        assert row == again
        elsewhere = make_class(course=course, users=[learner.user], name="8a")
        undone = [
            stating.take_back(classroom=elsewhere, learner=learner, stated_id=row.pk, by=by())
            for _ in range(2)
        ]
        assert undone[0] == undone[1]
        course.refresh_from_db()
        assert stated.of(learner_id=learner.pk, course_id=course.pk, revision=course.revision) == {}

    def test_need_a_reason_and_a_topic_of_the_course(self, classroom, learner, organisation):
        with pytest.raises(OverrideUnusable, match="why"):
            self.say(classroom, learner, "adding", is_known=True, reason="  ")
        foreign = make_class(course=make_course(organisation=make_organisation()), name="x")
        with pytest.raises(OverrideUnusable, match="another course"):
            stating.state_mastery(
                classroom=classroom,
                learner=learner,
                concept=concept(foreign.course, "adding"),
                is_known=True,
                by=by(),
            )
