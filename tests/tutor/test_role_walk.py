"""Who gets what at every address of the pages and the API: a table, and a walk over all of it."""

import uuid

import pytest
from django.core.cache import cache as django_cache
from django.db import transaction
from django.urls import get_resolver, reverse

from tests.factories import (
    make_assignment,
    make_class,
    make_course,
    make_organisation,
    make_picture,
    make_upload,
    make_user,
    set_scheduling,
    start_session,
)
from tutor.alerts import services as alert_services
from tutor.alerts.thresholds import DEFAULTS, NAMES
from tutor.classes import overriding
from tutor.classes.overriding import By
from tutor.common import cache, clock
from tutor.content import grading
from tutor.intake import storage
from tutor.practice import selectors as practice_selectors
from tutor.scheduling import ruling
from tutor.scheduling.rule_values import Order

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path):
    settings.UPLOAD_DIR = tmp_path / "uploads"


ROLES = (
    "anonymous",
    "own student",
    "other student",
    "own teacher",
    "other teacher",
    "own administrator",
    "other administrator",
)
SIGN_IN = "sign-in"  # a redirect to the sign-in page
# Address -> method and what each of ROLES gets; 302 is a redirect elsewhere.
OWN_PAGE = (SIGN_IN, 200, 404, 404, 404, 404, 404)
# Of every student, each about themselves.
STUDENT_PAGE = (SIGN_IN, 200, 200, 404, 404, 404, 404)
STUDENT_ACT = (SIGN_IN, 302, 302, 404, 404, 404, 404)
OWN_ACT = (SIGN_IN, 302, 404, 404, 404, 404, 404)
CLASS_PAGE = (SIGN_IN, 404, 404, 200, 404, 200, 404)
CLASS_ACT = (SIGN_IN, 404, 404, 302, 404, 302, 404)
IMPORT_LIST = (SIGN_IN, 404, 404, 404, 404, 200, 200)
IMPORT_PAGE = (SIGN_IN, 404, 404, 404, 404, 200, 404)
IMPORT_ACT = (SIGN_IN, 404, 404, 404, 404, 302, 404)
API_LOOK = (401, 200, 404, 200, 404, 200, 404)
API_ACT = (401, 200, 404, 403, 404, 200, 404)
TABLE = {
    "front": ("get", (SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "sign-in": ("get", (200, 200, 200, 200, 200, 200, 200)),
    "sign-out": ("post", (302, 302, 302, 302, 302, 302, 302)),
    "language": ("post", (302, 302, 302, 302, 302, 302, 302)),
    "student:home": ("get", (SIGN_IN, 200, 200, 404, 404, 404, 404)),
    "student:map": ("get", STUDENT_PAGE),
    "student:progress": ("get", STUDENT_PAGE),
    # As a teacher of the class sees them.
    "student:seen-home": ("get", CLASS_PAGE),
    "student:seen-map": ("get", CLASS_PAGE),
    "student:seen-progress": ("get", CLASS_PAGE),
    "student:reviews": ("get", STUDENT_PAGE),
    "student:how": ("get", STUDENT_PAGE),
    # Nobody has answered anything on it: it leads back to the list.
    "student:concept": ("get", STUDENT_ACT),
    "student:goal": ("post", STUDENT_ACT),
    "student:start": ("post", OWN_ACT),
    "student:practise": ("get", OWN_PAGE),
    "student:finish": ("post", OWN_ACT),
    # The session goes on: its summary leads back to it.
    "student:summary": ("get", OWN_ACT),
    "student:answer": ("post", OWN_ACT),
    # Not answered yet: the feedback leads back to the question.
    "student:answered": ("get", OWN_ACT),
    "student:retry": ("post", OWN_ACT),
    "student:hint": ("post", OWN_ACT),
    "student:preview": ("get", OWN_PAGE),
    # Its steps are not open.
    "student:step": ("post", (SIGN_IN, 404, 404, 404, 404, 404, 404)),
    "student:unlearnt": ("post", OWN_ACT),
    # It was not put off: back to the question.
    "student:example": ("get", OWN_ACT),
    "student:skip": ("post", OWN_ACT),
    "student:report": ("post", OWN_ACT),
    "student:pause": ("post", OWN_ACT),
    "student:stuck": ("post", OWN_ACT),
    "teacher:classes": ("get", (SIGN_IN, 200, 200, 200, 200, 200, 200)),
    "teacher:classroom": ("get", CLASS_PAGE),
    "teacher:needs": ("get", CLASS_PAGE),
    # Nothing that was seen goes along: refused in words.
    "teacher:needs-act": ("post", (SIGN_IN, 404, 404, 400, 404, 400, 404)),
    "teacher:needs-done": ("get", CLASS_PAGE),
    "teacher:needs-undo": ("post", CLASS_ACT),
    "teacher:needs-when": ("get", CLASS_PAGE),
    "teacher:needs-when-set": ("post", CLASS_ACT),
    "teacher:activity": ("get", CLASS_PAGE),
    "teacher:concept": ("get", CLASS_PAGE),
    "teacher:item": ("get", CLASS_PAGE),
    "teacher:export-csv": ("get", CLASS_PAGE),
    "teacher:export-xlsx": ("get", CLASS_PAGE),
    "teacher:export-learner": ("get", CLASS_PAGE),
    "teacher:learner": ("get", CLASS_PAGE),
    "teacher:learner-concept": ("get", CLASS_PAGE),
    # For those who teach the class alone: administrators see its pages, not its notes.
    "teacher:note": ("post", (SIGN_IN, 404, 404, 302, 404, 404, 404)),
    "teacher:steering": ("get", CLASS_PAGE),
    "teacher:trust": ("get", CLASS_PAGE),
    "teacher:steering-set": ("post", CLASS_ACT),
    "teacher:assignments": ("get", CLASS_PAGE),
    "teacher:assignment-save": ("post", CLASS_ACT),
    "teacher:grades": ("get", CLASS_PAGE),
    "teacher:grades-set": ("post", CLASS_ACT),
    "teacher:override-set": ("post", CLASS_ACT),
    "teacher:override-undo": ("post", CLASS_ACT),
    "teacher:extra-time": ("post", CLASS_ACT),
    "teacher:mastery-set": ("post", CLASS_ACT),
    "teacher:rules": ("get", CLASS_PAGE),
    "teacher:rules-set": ("post", CLASS_ACT),
    "teacher:rules-undo": ("post", CLASS_ACT),
    # Nobody is stuck there: refused in words.
    "teacher:release": ("post", (SIGN_IN, 404, 404, 409, 404, 409, 404)),
    "teacher:receipt": ("get", CLASS_PAGE),
    "teacher:receipt-record": ("get", CLASS_PAGE),
    "intake:uploads": ("get", IMPORT_LIST),
    # A form without a file: refused in words.
    "intake:bring": ("post", (SIGN_IN, 404, 404, 404, 404, 400, 400)),
    "intake:upload": ("get", IMPORT_PAGE),
    # Asked by a page that is open already: to sign in, it has to load anew.
    "intake:progress": ("get", (401, *IMPORT_PAGE[1:])),
    "intake:act": ("post", IMPORT_ACT),
    "intake:rejects": ("get", IMPORT_PAGE),
    # No account is named, and nothing imported yet.
    "intake:class": ("post", (SIGN_IN, 404, 404, 404, 404, 409, 404)),
    # It waits for a plan to be agreed to, not for its columns.
    "intake:mapping": ("post", IMPORT_ACT),
    "intake:mapping-file": ("get", IMPORT_PAGE),
    "intake:read-again": ("post", (SIGN_IN, 404, 404, 404, 404, 409, 404)),
    "api:openapi": ("get", (200, 200, 200, 200, 200, 200, 200)),
    "api:sessions": ("post", API_ACT),
    # Practising is for whoever may answer; a teacher looks at mastery.
    "api:session": ("get", API_ACT),
    "api:answers": ("post", (401, 201, 404, 403, 404, 201, 404)),
    "api:hints": ("post", (401, 201, 404, 403, 404, 201, 404)),
    "api:mastery": ("get", API_LOOK),
    "api:decisions": ("get", API_LOOK),
    "api:assignments": ("get", API_LOOK),
    # Of the question that waits: of a course that several teach, shown to one of its students.
    "api:picture": ("get", (401, 200, 404, 200, 200, 200, 404)),
    "api:learners": ("get", (401, 200, 200, 200, 200, 200, 200)),
    "api:health": ("get", (200, 200, 200, 200, 200, 200, 200)),
    "api:metrics": ("get", (200, 200, 200, 200, 200, 200, 200)),
}


class World:
    """Two schools, and in the first a student with a question that waits."""

    def __init__(self):
        own, other = make_organisation(), make_organisation()
        self.users = {
            "own student": make_user(organisation=own),
            "other student": make_user(organisation=own),
            "own teacher": make_user(organisation=own, role="teacher"),
            "other teacher": make_user(organisation=own, role="teacher"),
            "own administrator": make_user(organisation=own, role="administrator"),
            "other administrator": make_user(organisation=other, role="administrator"),
        }
        at = clock.now()
        course = make_course(organisation=own, at=at)
        self.learner = self.users["own student"].learner
        members = [self.users["own student"], self.users["own teacher"]]
        self.classroom = make_class(course=course, users=members)
        make_class(course=course, users=[self.users["other teacher"], self.users["other student"]])
        self.assignment = make_assignment(classroom=self.classroom, at=at)
        # To begin with the question that the forms below answer.
        set_scheduling(self.classroom, at=at)
        self.rule = ruling.set_rule(
            classroom=self.classroom, order=Order(kind="length", value=9), actor=None, at=at
        )
        [self.override] = overriding.excuse(
            assignment=make_assignment(classroom=self.classroom, at=at, title="Not for her"),
            learners=[self.learner],
            by=By(None, at),
        )
        self.action = alert_services.record_action(
            classroom=self.classroom,
            actor=self.users["own teacher"],
            kind="help",
            what="talked",
            at=at,
            learner=self.learner,
        )
        course.refresh_from_db()
        rejects = storage.new_name("rejects.csv")
        storage.path_of(rejects).write_text("line,field,value,reason\n2,correct,x,no number\n")
        self.upload = make_upload(actor=self.users["own administrator"], rejects_name=rejects)
        self.session = start_session(
            learner=self.learner, course=course, assignment=self.assignment, at=at
        )
        self.picture = make_picture(version=self.session.current.item_version)

    def address(self, name: str) -> str:
        """Return the address under this name with everything of the first school's student."""
        session, presentation = self.session.public_id, self.session.current.public_id
        arguments = {
            "session": session,
            "presentation": presentation,
            "class_id": self.classroom.public_id,
            "pseudonym": self.learner.pseudonym,
            "decision": presentation,
            "upload": self.upload.public_id,
            "rule": self.rule.pk,
            "action": self.action.pk,
            "override": self.override.pk,
            "digest": self.picture.digest,
            "course": self.session.course.slug,
            "concept": self.session.course.concepts.first().slug,
            "item": self.session.current.item_version.item.slug,
            "table": "estimates",
        }
        wanted = parameters_of(name)
        address = reverse(name, kwargs={key: arguments[key] for key in wanted})
        by_course = name in {"api:mastery", "api:assignments"}
        return f"{address}?course={self.session.course.slug}" if by_course else address

    def fields(self, name: str) -> dict[str, object]:
        """Return a fitting form, or a document for the API."""
        presentation, key = str(self.session.current.public_id), str(uuid.uuid4())
        decision = self.session.current
        answer = grading.right_answer(practice_selectors.rendered_item(decision))
        form = {"client_key": key, "kind": self.kind, "text": "5", **answer}
        fields = {
            "student:start": {"assignment": self.assignment.public_id},
            "student:answer": form,
            "student:hint": {"level": "1"},
            "teacher:rules-set": {"kind": "minutes", "number": "20", "reason": "a week to go"},
            "teacher:override-set": {
                "do": "excuse",
                "assignment": str(self.assignment.public_id),
                "learner": str(self.learner.pseudonym),
            },
            "teacher:extra-time": {"factor": "1.5"},
            "teacher:grades-set": {"rule": "by-date"},
            "teacher:assignment-save": {"title": "New", "opens": "2026-01-01T08:00", "items": "5"},
            "teacher:mastery-set": {"topic": "adding", "knows": "yes", "reason": "said so"},
            "student:goal": {"days": "3"},
            "teacher:needs-when-set": {"base": "0"}
            | {name: getattr(DEFAULTS, name) for name in NAMES},
            "language": {"language": "en"},
            "intake:act": {"do": "import"},
            "api:sessions": {"assignment": str(self.assignment.public_id)},
            "api:answers": {"presentation": presentation, "client_key": key, "answer": answer},
            "api:hints": {"presentation": presentation},
        }
        return fields.get(name, form)

    @property
    def kind(self) -> str:
        return self.session.current.item_version.kind


def patterns(resolver, prefix=""):
    """Yield every named address below a resolver, and the names of its parameters."""
    for entry in resolver.url_patterns:
        if hasattr(entry, "url_patterns"):
            inner = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            if entry.namespace != "admin":  # tests/tutor/accounts/test_admin.py walks the admin
                yield from patterns(entry, inner)
        elif entry.name:
            yield f"{prefix}{entry.name}", tuple(entry.pattern.converters)


def parameters_of(name: str) -> tuple[str, ...]:
    return dict(patterns(get_resolver()))[name]


def status(client, world, name: str, role: str) -> object:
    """Return what `role` gets at this address."""
    if role != "anonymous":
        client.force_login(world.users[role])
    method, _ = TABLE[name]
    extra = {"content_type": "application/json"} if name.startswith("api:") else {}
    if method == "get":
        response = client.get(world.address(name))
    else:
        response = client.post(world.address(name), world.fields(name), **extra)
    to = response.headers.get("Location", "")
    if response.status_code == 302 and to.startswith("/sign-in/?next="):
        return SIGN_IN
    return response.status_code


def test_the_table_knows_every_address():
    assert {name for name, _ in patterns(get_resolver())} == set(TABLE)


@pytest.mark.parametrize("area", sorted({name.partition(":")[0] for name in TABLE}))
def test_each_role_gets_what_the_table_says(area, client):
    world, wrong = World(), {}

    for name, (_, expected) in TABLE.items():
        if name.partition(":")[0] != area:
            continue
        for role, wanted in zip(ROLES, expected, strict=True):
            with transaction.atomic():  # what one role did, the next does not find
                found = status(client, world, name, role)
                transaction.set_rollback(True)
            client.logout()
            # Nor what it left in a cache.
            cache.clear_all()
            django_cache.clear()
            if found != wanted:
                wrong[name, role] = f"{found} instead of {wanted}"

    assert wrong == {}


def test_an_api_address_that_does_not_exist_is_a_problem_document(client):
    missing = client.get("/api/v1/nothing")

    assert missing.status_code == 404
    assert missing.headers["Content-Type"] == "application/problem+json"
