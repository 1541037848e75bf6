"""Somebody who has signed in, and what they practise in."""

import pytest

from tests.factories import make_class, make_course, make_user, start_session
from tutor.common import clock


@pytest.fixture
def student(client, organisation):
    """The account of somebody new, signed in and in no class."""
    user = make_user(organisation=organisation, name="Sam Student")
    client.force_login(user)
    return user


@pytest.fixture
def course(student):
    """The small course, of which they are in no class yet."""
    return make_course(organisation=student.organisation)


@pytest.fixture
def classroom(course, student):
    """A class with them in it."""
    return make_class(course=course, users=[student])


@pytest.fixture
def session(student, classroom):
    """A session of theirs that began just now; a question waits."""
    return start_session(learner=student.learner, course=classroom.course, at=clock.now())
