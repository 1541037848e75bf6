"""Setting up the demo school, step by step; each step finds what an earlier run has done."""

import datetime as dt
import itertools
from collections.abc import Callable
from pathlib import Path

from django.db import transaction

from tutor.accounts import services as account_services
from tutor.accounts.models import AuditEntry, Learner, Organisation, User
from tutor.classes import services as class_services
from tutor.classes.models import Assignment, Classroom
from tutor.content import course_format
from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.content.models import Concept, Course
from tutor.demo import accounts, cohort
from tutor.registry import jobs as registry_jobs
from tutor.responses import services as response_services
from tutor.scheduling import assigning, steering
from tutor.tracing import adoption

COURSE_FOLDER = Path(__file__).resolve().parent.parent / "content" / "demo_course"
SLUG = "demo-school"
DONE = "demo.seeded"
CHUNK = 1000
HUNDREDTHS = 100
# CAKT with items as it is by default, but for more passes: the cohort is a small log.
NETWORK = {"training": {"epochs": 12}}
# Told the step that begins, and of how many parts it is, 0 if that is not known.
Say = Callable[[str, int], object]
# The steps before word problems and quadratics: what a first assignment asks for.
FIRST_GOAL = (
    "integer-addition",
    "integer-multiplication",
    "order-of-operations",
    "evaluating-expressions",
    "one-step-equations",
    "two-step-equations",
)


def is_done() -> bool:
    """Test whether the demo school stands."""
    return AuditEntry.objects.filter(action=DONE).exists()


def seed(
    *,
    at: dt.datetime,
    say: Say,
    progress: Callable[[int], object],
    cohort_size: int | None = None,
) -> None:
    """Set up what is not there yet. Killed and started again, it goes on.

    `progress` is called with the parts of the step that are done since its last call;
    `cohort_size` is that of the cohort, `cohort.LEARNERS` by default.
    """
    if is_done():
        return
    organisation, _ = Organisation.objects.get_or_create(
        slug=SLUG, defaults={"name": "Demo school"}
    )
    say("Loading the course", 0)
    course = content_services.load_course(
        organisation=organisation, spec=course_format.read_course(COURSE_FOLDER, seeds=1)
    ).course
    say("Creating the accounts", 0)
    classroom, learners = _people(organisation, course, at, cohort_size or cohort.LEARNERS)
    # Not the clock's day: a run that goes on after midnight must simulate the same cohort.
    end_at = organisation.created_at.replace(hour=0, minute=0, second=0, microsecond=0)
    say(f"Simulating {len(learners)} learners", 0)
    course.refresh_from_db()
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    lives = cohort.simulate(bank=bank, end_at=end_at, learners=len(learners))
    say("Writing their answers", len(lives.responses.learner))
    _write(bank, lives, [learner.pk for learner in learners], at, progress)
    say("Fitting the tracer and folding the answers", HUNDREDTHS + len(learners))
    version = adoption.fit_and_adopt(
        course=course, at=at, reason="demo", progress=progress, fitting=progress
    )
    with transaction.atomic():
        # A worker trains, judges and uses it: nobody waits for that before the first page.
        registry_jobs.ask_for_training(course=course, at=at, settings=NETWORK, is_to_be_used=True)
        account_services.record_audit(
            at=at,
            action=DONE,
            organisation=organisation,
            subject=classroom.name,
            facts={
                "course": course.pk,
                "cohort_seed": cohort.SEED,
                "cohort_learners": len(learners),
                "cohort_end_at": end_at.isoformat(),
                "tracer": version.pk,
            },
        )


@transaction.atomic
def _people(
    organisation: Organisation, course: Course, at: dt.datetime, size: int
) -> tuple[Classroom, list[Learner]]:
    """Return the class and the learners of the cohort; the first 30 are the class."""
    teacher = _account(organisation, accounts.TEACHER, User.Role.TEACHER, "Thea Teacher")
    _account(organisation, accounts.ADMINISTRATOR, User.Role.ADMINISTRATOR, "Alex Admin")
    newcomer = _account(organisation, accounts.NEWCOMER, User.Role.STUDENT, "Nia Newcomer")
    named = [
        _account(organisation, _username(index, name), User.Role.STUDENT, name)
        for index, name in enumerate(accounts.NAMES)
    ]
    class_learners = list(Learner.objects.filter(user__in=named).order_by("user"))
    classroom = class_services.ensure_class(
        organisation=organisation, name="Algebra 1", course=course
    )
    class_services.admit_users(classroom=classroom, users=[teacher, newcomer, *named])
    _assign(classroom, course, at)
    others = account_services.admit_learners(
        organisation=organisation,
        source=cohort.SOURCE,
        external_ids=[str(index) for index in range(len(named), size)],
    )
    rest = Learner.objects.in_bulk(list(others.values()))
    return classroom, class_learners + [rest[pk] for pk in others.values()]


def _username(index: int, name: str) -> str:
    return accounts.STUDENT if index == 0 else name.lower().replace(" ", ".")


def _account(organisation: Organisation, username: str, role: str, name: str) -> User:
    found = User.objects.filter(username=username).first()
    if found is not None:
        return found
    return account_services.create_user(
        organisation=organisation,
        username=username,
        # Thirty more hashes would take as long as the whole simulation.
        password=accounts.password(username) if username in accounts.CAN_SIGN_IN else None,
        role=role,
        name=name,
    )


def _assign(classroom: Classroom, course: Course, at: dt.datetime) -> None:
    if Assignment.objects.filter(classroom=classroom).exists():
        return
    assigning.create_assignment(
        classroom=classroom,
        at=at,
        title="Equations by the end of the month",
        opens_at=at - dt.timedelta(days=7),
        due_at=at + dt.timedelta(days=28),
        concepts=Concept.objects.filter(course=course, slug__in=FIRST_GOAL),
    )
    assigning.create_assignment(
        classroom=classroom,
        at=at,
        title="The whole course",
        opens_at=at - dt.timedelta(days=42),
    )
    # A class has to opt in; the demo shows what there is.
    steering.set_class_scheduling(
        classroom=classroom,
        actor=None,
        at=at,
        policy="automatic",
        explores=True,
        probes=True,
        kill_switch=False,
        reason="The demo school shows everything.",
    )


def _write(
    bank: content_selectors.CourseBank,
    lives: cohort.Cohort,
    learner_ids: list[int],
    at: dt.datetime,
    progress: Callable[[int], object],
) -> None:
    """Append the cohort's answers that are not there yet, chunk by chunk."""
    rows = cohort.iterate_responses(
        cohort=lives, bank=bank, learner_ids=learner_ids, received_at=at
    )
    while chunk := list(itertools.islice(rows, CHUNK)):
        response_services.append_new(rows=chunk)
        progress(len(chunk))
