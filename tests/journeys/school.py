"""Sets up the small school in an installation: `python -m tests.journeys.school`.

In the installation's environment and in a process of its own, because the Django of the tests
belongs to another database.
"""

import datetime as dt
import json

import django

django.setup()

from tests import factories  # noqa: E402 - models need the set-up
from tutor.common import clock  # noqa: E402

USERS = {"student": "Sam Student", "other": "Olga Other", "teacher": "Thea Teacher"}
LATER = {"newcomer": "Nia Newcomer", "admin": "Alex Admin"}


def set_up() -> dict[str, str]:
    """Create the school; return ids that addresses are made of."""
    at = clock.now()
    organisation = factories.make_organisation(slug="small", name="Small school")
    roles = {"teacher": "teacher", "admin": "administrator"}
    users = {
        username: factories.make_user(
            organisation=organisation,
            username=username,
            name=name,
            role=roles.get(username, "student"),
        )
        for username, name in (USERS | LATER).items()
    }
    course = factories.make_course(organisation=organisation, at=at)
    members = [user for username, user in users.items() if username != "admin"]
    classroom = factories.make_class(course=course, users=members)
    factories.make_assignment(classroom=classroom, at=at, title="Everything")
    factories.make_assignment(
        classroom=classroom,
        at=at - dt.timedelta(days=9),
        title="Last week",
        due_at=at - dt.timedelta(days=2),
    )
    return {
        "class": str(classroom.public_id),
        "student": str(users["student"].learner.pseudonym),
    }


if __name__ == "__main__":
    print(json.dumps(set_up()))
