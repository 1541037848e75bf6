"""Classes and assignments: what is written, what is refused."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from tests.factories import AT, make_class, make_course, make_learner, make_organisation, make_user
from tutor.classes import selectors, services
from tutor.classes.errors import ConceptOfAnotherCourse, DatesReversed
from tutor.classes.models import Assignment
from tutor.content.models import Concept

pytestmark = pytest.mark.django_db


@pytest.fixture
def classroom(course):
    return make_class(course=course)


class TestAdmitUsers:
    def test_enrols_students_and_lets_others_teach(self, classroom, organisation):
        student, teacher = (
            make_user(organisation=organisation, role=r) for r in ("student", "teacher")
        )

        for _ in range(2):
            services.admit_users(classroom=classroom, users=[student, teacher])

        assert [learner.user for learner in classroom.learners.all()] == [student]
        assert list(classroom.teachers.all()) == [teacher]


class TestEnrol:
    def test_keeps_those_who_are_in(self, classroom, organisation):
        learners = [make_learner(organisation=organisation) for _ in range(3)]

        services.enrol(classroom=classroom, learners=learners[:2])
        services.enrol(classroom=classroom, learners=learners)

        assert classroom.learners.count() == 3


class TestCreateAssignment:
    def test_raises_the_revision_of_the_course(self, classroom, course):
        before = course.revision

        services.create_assignment(classroom=classroom, title="All", opens_at=AT)

        course.refresh_from_db()
        assert course.revision > before

    def test_refuses_a_concept_of_another_course(self, classroom):
        make_course(organisation=make_organisation())
        strange = Concept.objects.exclude(course=classroom.course)

        with pytest.raises(ConceptOfAnotherCourse):
            services.create_assignment(
                classroom=classroom, title="Mixed", opens_at=AT, concepts=strange
            )
        assert not Assignment.objects.exists()

    @pytest.mark.parametrize("days", [0, -1])
    def test_refuses_to_end_before_it_begins(self, classroom, days):
        due_at = AT + dt.timedelta(days=days)

        with pytest.raises(DatesReversed):
            services.create_assignment(
                classroom=classroom, title="Reversed", opens_at=AT, due_at=due_at
            )
        with pytest.raises(IntegrityError), transaction.atomic():
            Assignment.objects.create(
                classroom=classroom, title="Reversed", opens_at=AT, due_at=due_at
            )


class TestEnsureClass:
    def test_makes_one_of_a_name(self, course, organisation):
        first = services.ensure_class(organisation=organisation, name="7b", course=course)
        again = services.ensure_class(organisation=organisation, name="7b", course=course)

        assert first == again
        assert (
            list(selectors.list_courses_of(learner=make_learner(organisation=organisation))) == []
        )
