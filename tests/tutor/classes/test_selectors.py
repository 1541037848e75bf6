"""Classes, assignments and courses as each person sees them."""

import datetime as dt
import uuid

import pytest
from django.contrib.auth.models import AnonymousUser

from tests.factories import (
    AT,
    make_assignment,
    make_class,
    make_course,
    make_learner,
    make_organisation,
    make_user,
)
from tutor.classes import selectors
from tutor.common.errors import NotVisible
from tutor.content.models import Concept

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def teacher(organisation):
    return make_user(organisation=organisation, role="teacher")


@pytest.fixture
def classroom(course, teacher, learner):
    return make_class(course=course, users=[teacher, learner.user], name="own")


@pytest.fixture
def others(course):
    return make_class(course=course, name="others")


class TestListVisibleClasses:
    def test_shows_teachers_their_own(self, classroom, others, teacher):
        assert list(selectors.list_visible_classes(actor=teacher)) == [classroom]

    def test_shows_administrators_those_of_their_organisation(self, classroom, others):
        elsewhere = make_organisation()
        make_class(course=make_course(organisation=elsewhere))
        administrator = make_user(organisation=classroom.organisation, role="administrator")

        assert list(selectors.list_visible_classes(actor=administrator)) == [others, classroom]

    def test_shows_students_strangers_and_the_inactive_none(self, classroom, teacher, learner):
        stranger = make_user(organisation=make_organisation(), role="administrator")
        teacher.is_active = False

        for actor in (learner.user, stranger, teacher, AnonymousUser()):
            assert not selectors.list_visible_classes(actor=actor).exists()


class TestAccessClass:
    def test_hides_the_invisible_like_the_missing(self, classroom, others, teacher):
        assert selectors.access_class(actor=teacher, public_id=classroom.public_id) == classroom
        for public_id in (others.public_id, uuid.uuid4()):
            with pytest.raises(NotVisible, match="no such class"):
                selectors.access_class(actor=teacher, public_id=public_id)


class TestAssignmentsOf:
    def test_lists_what_has_opened_the_nearest_due_first(self, classroom, others, learner):
        endless = make_assignment(classroom=classroom, title="endless")
        later = make_assignment(classroom=classroom, title="later", due_at=AT + 9 * DAY)
        soon = make_assignment(classroom=classroom, title="soon", due_at=AT + DAY)
        make_assignment(classroom=classroom, title="not open", opens_at=AT + DAY)
        make_assignment(classroom=others, title="another class")

        found = list(selectors.list_assignments_of(learner=learner, at=AT))

        assert found == [soon, later, endless]

    def test_lets_in_only_to_those(self, classroom, others, learner):
        own = make_assignment(classroom=classroom)
        closed = make_assignment(classroom=classroom, opens_at=AT + DAY)
        foreign = make_assignment(classroom=others)

        found = selectors.access_assignment_of(learner=learner, public_id=own.public_id, at=AT)
        assert found == own
        for hidden in (closed.public_id, foreign.public_id, uuid.uuid4()):
            with pytest.raises(NotVisible):
                selectors.access_assignment_of(learner=learner, public_id=hidden, at=AT)


class TestLearnersOf:
    def test_are_those_of_the_class(self, classroom, others, learner, organisation):
        make_class(course=classroom.course, users=[make_learner(organisation=organisation).user])

        assert list(selectors.list_learners_of(classroom=classroom)) == [learner]
        found = selectors.access_learner_of(classroom=classroom, pseudonym=learner.pseudonym)
        assert found == learner
        with pytest.raises(NotVisible):
            selectors.access_learner_of(classroom=others, pseudonym=learner.pseudonym)


class TestGoalConcepts:
    def test_are_empty_for_the_whole_course(self, classroom):
        assignment = make_assignment(classroom=classroom)

        revision = classroom.course.revision
        assert selectors.get_goal_concepts(assignment=assignment, revision=revision) == ()

    def test_are_in_teaching_order(self, classroom, course):
        wanted = Concept.objects.filter(slug__in=["naming", "adding"]).order_by("-position")
        assignment = make_assignment(classroom=classroom, concepts=wanted)

        found = selectors.get_goal_concepts(assignment=assignment, revision=course.revision)

        assert [Concept.objects.get(pk=pk).slug for pk in found] == ["adding", "naming"]


class TestCoursesOf:
    def test_are_those_of_the_learners_classes_once(self, classroom, course, learner):
        make_class(course=course, users=[learner.user], name="second")

        assert list(selectors.list_courses_of(learner=learner)) == [course]
        assert selectors.access_course_of(learner=learner, slug="small") == course

    @pytest.mark.parametrize("slug", ["", "other", "small\x00", "x" * 500])
    def test_are_no_others(self, classroom, learner, slug):
        with pytest.raises(NotVisible):
            selectors.access_course_of(learner=learner, slug=slug)

    def test_are_none_without_a_class(self, course, learner):
        with pytest.raises(NotVisible):
            selectors.access_course_of(learner=learner, slug="small")
