"""From a run to what learners meet, and back. For workers and commands.

A promoted run is part of a tracer version: everybody is folded under that version first, and in one
transaction it becomes the live one and the items move on in their lives. Rolling back is the same
switch to the calibration before.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from tutor.calibration import running, selectors, services
from tutor.calibration.errors import NothingToRollBack
from tutor.calibration.models import CalibrationRun
from tutor.calibration.preparing import (
    Prepared,
    find_moves,
    make_ready,
    pinned_run,
    prepare,
    run_of,
)
from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.registry.errors import TracerOutdated
from tutor.registry.models import Promotion, TracerVersion
from tutor.tracing import adoption

__all__ = [
    "Prepared",
    "find_moves",
    "pinned_run",
    "prepare",
    "promote",
    "promote_held",
    "roll_back",
    "roll_back_held",
]

Folded = Callable[[int], object]
Switching = Callable[[TracerVersion], object]


def promote(
    *,
    course: Course,
    run: CalibrationRun,
    at: dt.datetime,
    force: bool = False,
    progress: Folded = lambda _: None,
) -> TracerVersion:
    """Make the run the one that everybody's estimates and the scheduler use.

    Killed on the way, nothing has changed but states that nobody reads yet; started again, it goes
    on from there.

    Args:
        course: the run's course.
        run: the run.
        at: the present.
        force: also if a gate failed.
        progress: called with the number of learners folded since its last call.

    Raises:
        CalibrationBusy: a calibration or promotion of the course is under way.
        RunRefused: see `prepare`.
    """
    with running.hold(course):
        return promote_held(course=course, run=run, at=at, force=force, progress=progress)


def promote_held(
    *,
    course: Course,
    run: CalibrationRun,
    at: dt.datetime,
    force: bool = False,
    progress: Folded = lambda _: None,
    switching: Switching = lambda _: None,
) -> TracerVersion:
    """Do as `promote`, for a caller that holds the lock.

    Where somebody excludes an item, or the tracer is fitted anew, while learners are folded, it
    begins again; what items move is looked up at the switch.

    Args:
        switching: called with the version in the transaction of the switch.
    """

    def attempt() -> TracerVersion:
        ready = prepare(course=course, run=run, force=force)
        version = _store(course, ready)

        def switch() -> None:
            _hold_still(course, ready)
            services.apply_moves(run=run, moves=find_moves(course=course, run=run))
            switching(version)

        adoption.adopt(
            course=course,
            version=version,
            at=at,
            reason=f"calibration {run.number}",
            progress=progress,
            switching=switch,
        )
        return version

    return adoption.until_still(attempt)


def _store(course: Course, ready: Prepared) -> TracerVersion:
    return registry_services.store_tracer(
        course=course, body=ready.body, provenance=ready.provenance
    )


def _hold_still(course: Course, ready: Prepared) -> None:
    """Lock the course until the switch is done, if it still is as it was made ready for."""
    content_services.lock_course(course=course)
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    if live != ready.live:
        raise TracerOutdated(
            "The tracer was replaced while learners were folded; try again.", course=course.pk
        )
    if ready.uncounted != content_selectors.list_excluded_versions(course_id=course.pk):
        raise TracerOutdated(
            "Items were excluded, or admitted again, while learners were folded; try again.",
            course=course.pk,
        )
    by_hand, _ = selectors.list_overrides(course_id=course.pk, run=ready.run)
    if ready.by_hand != tuple(sorted(row.pk for row in by_hand.values())):
        raise TracerOutdated(
            "Difficulties were set by hand while learners were folded; try again.", course=course.pk
        )


def roll_back(
    *, course: Course, at: dt.datetime, progress: Folded = lambda _: None
) -> TracerVersion:
    """Go back to the calibration that was in use before the one that is, or to none.

    Where the tracer was fitted anew meanwhile, the fit stays and only what it pins goes back. What
    the calibration moved in items' lives is taken back with it, unless somebody has moved the item
    since. Rolling back twice leads to where one was.

    Returns:
        The tracer version that is live then.

    Raises:
        CalibrationBusy: a calibration or promotion of the course is under way.
        NothingToRollBack: no other calibration, and not none, was ever in use.
    """
    with running.hold(course):
        return roll_back_held(course=course, at=at, progress=progress)


def roll_back_held(
    *,
    course: Course,
    at: dt.datetime,
    progress: Folded = lambda _: None,
    switching: Switching = lambda _: None,
) -> TracerVersion:
    """Do as `roll_back`, for a caller that holds the lock.

    Args:
        switching: called with the version in the transaction of the switch.
    """

    def attempt() -> TracerVersion:
        live, before = _versions_of_way_back(course)
        run = CalibrationRun.objects.filter(pk=run_of(before)).first()
        ready = make_ready(course, live, run)
        # The very version that was live, unless there is another fit or something was excluded.
        is_same = _without_reference(ready.body) == _without_reference(before.body)
        version = before if is_same else _store(course, ready)

        def switch() -> None:
            _hold_still(course, ready)
            _move_items(course, live, version)
            switching(version)

        adoption.adopt(
            course=course,
            version=version,
            at=at,
            reason="rolled back",
            progress=progress,
            switching=switch,
        )
        return version

    return adoption.until_still(attempt)


def _versions_of_way_back(course: Course) -> tuple[TracerVersion, TracerVersion]:
    """Return the live version, and the newest that was live with another calibration or none."""
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    rows = Promotion.objects.filter(course=course).select_related("tracer").order_by("-pk")
    for promotion in rows:
        if live is not None and run_of(promotion.tracer) != run_of(live):
            return live, promotion.tracer
    raise NothingToRollBack("No other calibration was ever in use here.", course=course.pk)


def _without_reference(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told for name, told in body.items() if name != "reference_offsets"}


def _move_items(course: Course, live: TracerVersion, before: TracerVersion) -> None:
    left = live.body.get("calibration")
    found = before.body.get("calibration")
    if left is not None and (found is None or found["run"] != left["run"]):
        services.take_moves_back(
            course=course, number=left["number"], reason=f"calibration {left['number']} rolled back"
        )
    if found is not None and (left is None or found["number"] > left["number"]):
        # Back to a later calibration: its moves are made again from its own figures.
        run = CalibrationRun.objects.get(pk=found["run"])
        services.apply_moves(run=run, moves=find_moves(course=course, run=run))
