"""Many students at the pages at once; then the log is held against what they were told."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.factories import wrong_answer
from tests.load.students import Account, Key, Student
from tests.servers.site import Site
from tutor.content import grading
from tutor.content.templates import instantiate

PASSWORD = "a-password-for-a-crowd"
CLASS_SIZE = 25
MAKE_STUDENTS = """
from django.contrib.auth.hashers import make_password
from tutor.accounts import services as account_services
from tutor.accounts.models import User
from tutor.classes import services as class_services
from tutor.content.models import Course
course = Course.objects.order_by("id").first()
users = [
    account_services.create_user(
        organisation=course.organisation, username=f"crowd-{{number:03d}}", password=None,
        role="student", name=f"Student {{number}}",
    )
    for number in range({students})
]
# Hashed once: a hash costs a fifth of a second.
User.objects.filter(username__startswith="crowd-").update(password=make_password({password!r}))
for first in range(0, {students}, {size}):
    classroom = class_services.create_class(
        organisation=course.organisation, name=f"Crowd {{first}}", course=course
    )
    class_services.admit_users(classroom=classroom, users=users[first : first + {size}])
"""
# Signing in costs much of a core on purpose; a crowd does not do it all in one second.
SIGNING_IN = 8


@dataclass(frozen=True)
class Found:
    """What became of a crowd's answers.

    `lost` were acknowledged and are not in the log, `double` are there more than once, `extra` are
    there though nobody was told so.
    """

    students: int
    seconds: float
    acknowledged: int
    lost: int
    double: int
    extra: int
    errors: list[str]
    deeds: dict[str, int]
    answered_ms: list[float]
    opened_ms: list[float]


def run(site: Site, *, students: int, seconds: float, think_s: float) -> Found:
    """Let so many students practise for so long, thinking `think_s` between steps on average."""
    account = Account()
    before = _keys(site)
    crowd = _signed_in(site, students, account=account, think_s=think_s)
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=one.practise, args=(until,)) for one in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = _keys(site) - before
    return Found(
        students=students,
        seconds=seconds,
        acknowledged=len(account.stored),
        lost=len(account.stored - log.keys()),
        double=sum(count - 1 for count in log.values()),
        extra=len(log.keys() - account.stored),
        errors=account.errors,
        deeds=account.deeds,
        answered_ms=account.answered_ms,
        opened_ms=account.opened_ms,
    )


def make_students(site: Site, students: int) -> list[str]:
    """Add newcomers to the demo's course, in classes; return the names they sign in with."""
    code = MAKE_STUDENTS.format(password=PASSWORD, students=students, size=CLASS_SIZE)
    site.place.manage("shell", "--no-imports", "-c", code)
    return [f"crowd-{number:03d}" for number in range(students)]


def _signed_in(site: Site, students: int, *, account: Account, think_s: float) -> list[Student]:
    names = make_students(site, students)

    def enter(number: int) -> Student:
        student = Student(site.url, key=key_of(site), account=account, seed=number, think_s=think_s)
        student.sign_in(names[number], PASSWORD)
        return student

    with ThreadPoolExecutor(SIGNING_IN) as pool:
        return list(pool.map(enter, range(students)))


def _keys(site: Site) -> Counter[str]:
    """Count every practised answer in the log by the key that its client chose."""
    rows = site.place.query("SELECT client_key FROM responses_response WHERE source = 'practice'")
    return Counter(str(key).replace("-", "") for (key,) in rows)


def key_of(site: Site) -> Key:
    """Return what tells the fields of a right or wrong answer to a presentation."""

    def fields(presentation: str, is_right: bool) -> dict[str, Any]:
        is_postgres = site.place.postgres_url is not None
        [(body, seed)] = site.place.query(
            "SELECT v.body, d.item_seed FROM scheduling_decision d "
            "JOIN content_itemversion v ON v.id = d.item_version_id WHERE d.public_id = ?",
            presentation if is_postgres else presentation.replace("-", ""),
        )
        item = instantiate(json.loads(body) if isinstance(body, str) else body, seed=seed)
        return _as_form(grading.right_answer(item) if is_right else wrong_answer(item))

    return fields


def _as_form(answer: dict[str, Any]) -> dict[str, Any]:
    if "right" in answer:
        return {"right": "yes" if answer["right"] else "no"}
    if "text" in answer:
        return {"text": answer["text"]}
    return {"choice": answer.get("choices", answer.get("choice"))}
