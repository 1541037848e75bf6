"""A class and its teacher, who has signed in."""

import pytest

from tests.factories import make_class, make_user


@pytest.fixture
def classroom(client, course, organisation):
    """A class at the small course in which nobody is but its teacher."""
    teacher = make_user(organisation=organisation, role="teacher", name="Tea Cher")
    client.force_login(teacher)
    return make_class(course=course, users=[teacher])
