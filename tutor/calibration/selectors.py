"""Reads of runs, and of what a course's items were before anybody answered them. Light."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import QuerySet

from tutor.accounts.models import User
from tutor.calibration.models import (
    CalibrationJob,
    CalibrationRun,
    DifficultyOverride,
    ItemCalibration,
)
from tutor.common.errors import NotVisible
from tutor.content.models import Course, Item, ItemVersion, StatusChange
from tutor.registry import selectors as registry_selectors
from tutor.responses.models import Response
from tutor.scheduling.models import Decision

# Reasons of choices that were drawn at random among what was allowed.
RANDOM = ("explore", "pilot")


def get_newest_run(*, course_id: int) -> CalibrationRun | None:
    """Return the course's newest run."""
    return CalibrationRun.objects.filter(course=course_id).order_by("-number").first()


def get_pinned_run(*, course_id: int) -> CalibrationRun | None:
    """Return the run that the live tracer version pins."""
    live = registry_selectors.get_live_tracer(course_id=course_id)
    pinned = None if live is None else live.body.get("calibration")
    return None if pinned is None else CalibrationRun.objects.get(pk=pinned["run"])


def get_reference(*, course_id: int) -> CalibrationRun | None:
    """Return the run whose scale the next one shall be on: the pinned, else the newest passed."""
    pinned = get_pinned_run(course_id=course_id)
    if pinned is not None:
        return pinned
    return CalibrationRun.objects.filter(course=course_id, passed=True).order_by("-number").first()


def get_scale(*, run: CalibrationRun) -> int:
    """Return what names the run's scale: the id of the run that founded it."""
    return _scales(course_id=run.course_id)[run.pk]


def _scales(*, course_id: int) -> dict[int, int]:
    """Return run -> the run that founded its scale, for all runs of the course."""
    founders: dict[int, int] = {}
    # A run is stored after its reference, so the reference's founder is known.
    runs = CalibrationRun.objects.filter(course=course_id).order_by("pk")
    for run, reference in runs.values_list("pk", "reference"):
        founders[run] = run if reference is None else founders[reference]
    return founders


def get_newest_override(*, version: ItemVersion) -> DifficultyOverride | None:
    """Return what was decided last about the item version's difficulty, a lifting too."""
    rows = DifficultyOverride.objects.filter(version=version)
    return rows.select_related("run").order_by("-pk").first()


def list_overrides(
    *, course_id: int, run: CalibrationRun | None
) -> tuple[dict[int, DifficultyOverride], int]:
    """Return what holds by hand on the run's scale, by item version, and how many hold on others.

    Without a run all are on others.
    """
    rows = DifficultyOverride.objects.filter(version__item__course=course_id)
    newest = {row.version_id: row for row in rows.select_related("run").order_by("pk")}
    standing = [row for row in newest.values() if row.rule != DifficultyOverride.Rule.LIFTED]
    scales = _scales(course_id=course_id) if standing else {}
    own = None if run is None else scales.get(run.pk)
    here = {row.version_id: row for row in standing if scales[row.run_id] == own}
    return here, len(standing) - len(here)


def list_runs(*, courses: QuerySet[Course]) -> QuerySet[CalibrationRun]:
    """Return the runs of these courses, newest first."""
    return CalibrationRun.objects.filter(course__in=courses).order_by("-pk")


def list_items(*, run: CalibrationRun) -> QuerySet[ItemCalibration]:
    """Return what the run says of every item version."""
    return run.items.select_related("version__item").order_by("version__item__slug", "version")


def list_open_jobs() -> QuerySet[CalibrationJob]:
    """Return what a worker has to do, oldest first."""
    is_open = (CalibrationJob.State.WAITING, CalibrationJob.State.RUNNING)
    return CalibrationJob.objects.filter(state__in=is_open).order_by("pk")


def list_courses_with_new_answers(*, since: dt.datetime) -> list[Course]:
    """Return the courses with answers that came in after `since`."""
    ids = Response.objects.filter(received_at__gt=since).values("course").distinct()
    return list(Course.objects.filter(pk__in=ids).order_by("pk"))


def list_manageable_courses(*, actor: object) -> QuerySet[Course]:
    """Return the courses whose items `actor` may manage: an administrator's organisation's."""
    if not isinstance(actor, User) or not actor.may_administer:
        return Course.objects.none()
    if actor.is_superuser:
        return Course.objects.all()
    return Course.objects.filter(organisation=actor.organisation_id)


def access_course(*, actor: object, course_id: int) -> Course:
    """Return a course whose items `actor` may manage.

    Raises:
        NotVisible: there is no such course, or not for this person.
    """
    found = list_manageable_courses(actor=actor).filter(pk=course_id).first()
    if found is None:
        raise NotVisible("There is no such course.", course=course_id)
    return found


def list_random_answers(*, course_id: int) -> set[int]:
    """Return the ids of answers to items that were drawn at random among what was allowed."""
    drawn = Decision.objects.filter(course=course_id, reason__in=RANDOM).values("public_id")
    rows = Response.objects.filter(course=course_id, presentation__in=drawn)
    return set(rows.values_list("pk", flat=True))


def list_flagged_by_hand(*, items: Iterable[int]) -> set[int]:
    """Return those of the items whose newest change was a person's, to "flagged"."""
    newest: dict[int, bool] = {}
    rows = StatusChange.objects.filter(item__in=list(items)).order_by("pk")
    for item, after, actor in rows.values_list("item", "after", "actor"):
        newest[item] = after == Item.Status.FLAGGED and actor is not None
    return {item for item, is_by_hand in newest.items() if is_by_hand}
