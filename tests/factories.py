"""A small school for tests, made with the services that the real one is made with."""

import datetime as dt
import functools
import io
import itertools
import uuid
from pathlib import Path

from PIL import Image

from tutor.accounts import services as account_services
from tutor.accounts.models import Learner, Organisation, User
from tutor.calibration import services as calibration_services
from tutor.calibration.models import CalibrationRun
from tutor.classes import services as class_services
from tutor.classes.models import Assignment, Classroom
from tutor.content import course_format, grading
from tutor.content import services as content_services
from tutor.content.models import (
    Course,
    ItemVersion,
    ItemVersionConcept,
    Picture,
    VersionPicture,
)
from tutor.content.picture_files import read_picture
from tutor.intake.models import State, Upload
from tutor.practice import selectors as practice_selectors
from tutor.practice import usecases
from tutor.practice.models import PracticeSession
from tutor.responses.importing.mapping import ColumnMapping
from tutor.scheduling import steering
from tutor.scheduling.models import ClassScheduling
from tutor.tracing import services as tracing_services

SMALL_COURSE = Path(__file__).parent / "data" / "small_course"
AT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
PASSWORD = "correct horse"

SWITCHES = ("explores", "probes", "places", "kill_switch")

_numbers = itertools.count(1)


@functools.cache
def small_course_spec():
    """The course of `tests/data/small_course`, read once."""
    spec, problems = course_format.read_structure(SMALL_COURSE)
    assert problems == []
    return spec


def make_organisation(**fields) -> Organisation:
    number = next(_numbers)
    return Organisation.objects.create(
        **{"slug": f"school-{number}", "name": f"School {number}", **fields}
    )


def make_user(
    *, organisation: Organisation, role: str = User.Role.STUDENT, username: str = "", name: str = ""
) -> User:
    """An account that signs in with PASSWORD."""
    number = next(_numbers)
    return account_services.create_user(
        organisation=organisation,
        username=username or f"{role}-{number}",
        password=PASSWORD,
        role=role,
        name=name or f"{role.capitalize()} {number}",
    )


def make_learner(*, organisation: Organisation, **fields) -> Learner:
    """A learner with an account."""
    return make_user(organisation=organisation, **fields).learner


def make_course(*, organisation: Organisation, at: dt.datetime = AT) -> Course:
    """The small course: three concepts, every kind of item, and a first tracer."""
    course = content_services.load_course(
        organisation=organisation, spec=small_course_spec()
    ).course
    tracing_services.give_prior_tracer(course=course, at=at)
    course.refresh_from_db()
    return course


def make_picture(*, version: ItemVersion, colour: str = "teal") -> Picture:
    """A picture of one colour, in the texts of a version."""
    picture = store_picture(colour=colour)
    VersionPicture.objects.create(version=version, picture=picture)
    return picture


def make_pictured(*, version: ItemVersion, size: tuple[int, int] = (900, 300)) -> ItemVersion:
    """A later version of the same item, whose question shows a picture."""
    picture = store_picture(size=size)
    reference = [picture.digest, picture.width, picture.height]
    stem = f"![A line from 0 to 10](pictures/line.png)\n\n{version.body['stem']}"
    last = version.item.versions.order_by("number").last()
    pictured = ItemVersion.objects.create(
        item=version.item,
        number=last.number + 1,
        kind=version.kind,
        body={**version.body, "stem": stem, "pictures": {"pictures/line.png": reference}},
        content_hash=uuid.uuid4().hex,
        author_difficulty=version.author_difficulty,
    )
    VersionPicture.objects.create(version=pictured, picture=picture)
    for link in version.concept_links.all():
        ItemVersionConcept.objects.create(
            version=pictured, concept=link.concept, position=link.position
        )
    return pictured


def store_picture(*, colour: str = "teal", size: tuple[int, int] = (40, 30)) -> Picture:
    """A picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    found = read_picture(file.getvalue())
    picture, _ = Picture.objects.get_or_create(
        digest=found.digest,
        defaults={
            "media_type": found.media_type,
            "width": found.width,
            "height": found.height,
            "data": found.data,
        },
    )
    return picture


def make_class(*, course: Course, users: list[User] = (), name: str = "7b") -> Classroom:
    """A class with these students and teachers."""
    classroom = class_services.create_class(
        organisation=course.organisation, name=name, course=course
    )
    class_services.admit_users(classroom=classroom, users=users)
    return classroom


def make_assignment(
    *, classroom: Classroom, at: dt.datetime = AT, title: str = "Everything", **fields
) -> Assignment:
    """An assignment that is open at `at` and has no end, unless `fields` say otherwise."""
    assignment = class_services.create_assignment(
        classroom=classroom,
        title=title,
        **{"opens_at": at - dt.timedelta(days=1), **fields},
    )
    classroom.course.refresh_from_db()
    return assignment


def make_run(*, course: Course, at: dt.datetime = AT, **fields) -> CalibrationRun:
    """A calibration as if of 300 answers to every item of the course, of difficulty 0.5."""
    item = {
        "n": 300,
        "n_random": 12,
        "seen": 320,
        "correct": 0.6,
        "is_anchor": False,
        "difficulty": 0.5,
        "difficulty_se": 0.15,
        "discrimination": 1.1,
        "discrimination_se": 0.2,
        "prior_mean": 0.0,
        "prior_sd": 0.7,
        "prior_source": "author",
        "pooled_difficulty": 0.48,
        "pooled_se": 0.14,
    }
    versions = ItemVersion.objects.filter(item__course=course).order_by("pk")
    return calibration_services.store_run(
        course=course,
        fields={
            "sha256": "0" * 64,
            "data_sha256": "0" * 64,
            "settings": {"model": "2pl"},
            "census": {"calibrated": 300, "learners": 300},
            "fit": {"seconds": 1.0},
            "population": {"mean": 0.0, "sd": 1.0, "slope": 1.0},
            "prior": {},
            "gates": [],
            "passed": True,
            "created_at": at,
            **fields,
        },
        items=[{"version": version, **item} for version in versions],
    )


def set_scheduling(classroom: Classroom, *, at: dt.datetime = AT, **fields) -> ClassScheduling:
    """How the class's items are chosen from now on; what `fields` do not name is off."""
    given = {"policy": "automatic", **dict.fromkeys(SWITCHES, False)}
    row = steering.set_class_scheduling(
        classroom=classroom, actor=None, at=at, **{**given, **fields}
    )
    classroom.course.refresh_from_db()
    return row


def make_upload(*, actor: User, at: dt.datetime = AT, **fields) -> Upload:
    """An upload of an administrator whose plan waits to be agreed to."""
    counts = ("answers", "answers_known", "items_new", "learners", "learners_new", "items")
    return Upload.objects.create(
        **{
            "organisation": actor.organisation,
            "uploaded_by": actor,
            "file_name": "spring.csv",
            "size_bytes": 1,
            "sha256": "0" * 64,
            "created_at": at,
            "moved_at": at,
            "state": State.PLANNED,
            "course_slug": "spring",
            "course_title": "Spring",
            "mapping": ColumnMapping().to_dict(),
            "plan": {**dict.fromkeys(counts, 1), "concepts": 1, "mean_correct": 0.5, "rejects": 0},
            **fields,
        }
    )


def start_session(
    *,
    learner: Learner,
    course: Course,
    assignment: Assignment | None = None,
    at: dt.datetime = AT,
    draw_seed: int = 1,
    minutes: int | None = None,
) -> PracticeSession:
    """A session with an item that waits."""
    return usecases.start_practice(
        learner=learner,
        course=course,
        assignment=assignment,
        at=at,
        draw_seed=draw_seed,
        minutes=minutes,
    )


def answer_current(
    session: PracticeSession,
    *,
    right: bool = True,
    at: dt.datetime = AT,
    client_key: uuid.UUID | None = None,
    draw_seed: int = 2,
) -> usecases.Outcome:
    """Answer the item that waits in the session, and bring `session` up to date."""
    shown = practice_selectors.get_presentation(
        learner=session.learner, public_id=session.current.public_id
    )
    outcome = usecases.submit_answer(
        learner=session.learner,
        submission=usecases.Submission(
            presentation=session.current.public_id,
            client_key=client_key or uuid.uuid4(),
            answer=grading.right_answer(shown.item) if right else wrong_answer(shown.item),
        ),
        at=at,
        draw_seed=draw_seed,
        source="practice",
    )
    session.refresh_from_db()
    return outcome


def wrong_answer(item) -> dict[str, object]:
    """A readable wrong answer to an item of the small course."""
    wrong = [choice.id for choice in item.choices if not choice.is_correct]
    answers = {
        "single_choice": {"choice": wrong[0]} if wrong else {},
        "multiple_choice": {"choices": wrong},
        "self_marked": {"right": False},
        "number": {"text": "-777"},
        "expression": {"text": "x - 777"},
        "text": {"text": "pineapple"},
    }
    return answers[item.kind]
