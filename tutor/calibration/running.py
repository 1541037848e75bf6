"""Calibrate a course and store the run. For workers and commands; no web process loads it."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import transaction

from tutor.calibration import (
    collecting,
    engine,
    options,
    recording,
    selectors,
    services,
)
from tutor.calibration.errors import CalibrationBusy, CalibrationImpossible, NothingToCalibrate
from tutor.calibration.fingerprint import hash_inputs
from tutor.calibration.models import CalibrationRun
from tutor.common.alone import alone
from tutor.content.models import Course
from tutor.responses import grouping
from tutor.tracing.holding import lock_name

Progress = Callable[[str, int], object]
# Steps as the library names them, and how much of the whole is done when each begins: hundredths.
STEPS = {
    "reading the log": 0,
    "selecting first attempts": 5,
    "linking to the anchors": 10,
    "fitting by py-irt": 20,
    "fitting by em": 20,
    "holding it against the other engine": 55,
    "judging the fit": 70,
    "comparing groups": 80,
    "weighing what was expected beforehand": 85,
    "counting options": 90,
    "storing": 95,
}


@contextmanager
def hold(course: Course) -> Iterator[None]:
    """Hold the course's lock.

    Raises:
        CalibrationBusy: another calibration or promotion of the course is under way.
    """
    with alone(lock_name(course)) as is_held:
        if not is_held:
            raise CalibrationBusy("This course is being calibrated or promoted.", course=course.pk)
        yield


def calibrate_course(
    *,
    course: Course,
    at: dt.datetime,
    settings: engine.Settings | None = None,
    again: bool = False,
    group_by: grouping.By = grouping.By.AUTO,
    progress: Progress = lambda *_: None,
) -> CalibrationRun:
    """Calibrate the course's items on its log and store the run.

    Nothing changes for anybody until the run is promoted. A killed run leaves nothing behind.

    Args:
        course: whose log.
        at: the present.
        settings: model, engine, seed; a 2PL by py-irt by default.
        again: also where nothing has changed that the newest run was made from.
        group_by: which groups of learners items are compared between.
        progress: called with each step's name and the hundredths of the work that are done.

    Raises:
        CalibrationBusy: another calibration or promotion of the course is under way.
        NothingToCalibrate: no unassisted first attempt, or nothing new since the newest run.
        CalibrationImpossible: the library refuses the log or the settings, and says why.
    """
    with hold(course):
        return calibrate_held(
            course=course,
            at=at,
            settings=settings,
            again=again,
            group_by=group_by,
            progress=progress,
        )


def calibrate_held(
    *,
    course: Course,
    at: dt.datetime,
    settings: engine.Settings | None = None,
    again: bool = False,
    group_by: grouping.By = grouping.By.AUTO,
    progress: Progress = lambda *_: None,
    stored: Callable[[CalibrationRun], object] = lambda _: None,
) -> CalibrationRun:
    """Do as `calibrate_course`, for a caller that holds the lock.

    Args:
        stored: called with the run in the transaction that stores it.
    """
    began = time.perf_counter()
    progress("reading the log", 0)
    collected = collecting.collect_log(course=course)
    taken = collecting.first_attempts(collected.log)
    if not len(taken):
        raise NothingToCalibrate("Nobody has answered an item for the first time without help.")
    newest = selectors.get_newest_run(course_id=course.pk)
    asked = _gather(course, settings or engine.Settings(), group_by)
    reference = asked.reference
    data = hash_inputs(collected=collected, taken=taken, inputs=asked.inputs)
    if newest is not None and not again:
        _require_news(newest, reference, data)
    try:
        found = engine.calibrate_log(
            collected.log,
            inputs=asked.inputs,
            reference=collecting.known_of(reference),
            in_use=reference == selectors.get_pinned_run(course_id=course.pk),
            earlier=collecting.known_of(newest),
            progress=lambda step: progress(step, STEPS.get(step, 0)),
        )
    except engine.CurriculumError as error:
        raise CalibrationImpossible(error.message, **error.facts) from error
    progress("counting options", STEPS["counting options"])
    tables = options.tabulate(course=course, collected=collected, taken=taken, run=found.run)
    progress("storing", STEPS["storing"])
    fields = recording.fields_of(found, asked, collected)
    fields["fit"]["seconds"] = round(time.perf_counter() - began, 2)
    fields |= {"data_sha256": data, "created_at": at}
    rows = recording.rows_of(found, asked, collected, taken, tables)
    with transaction.atomic():
        run = services.store_run(course=course, fields=fields, items=rows)
        stored(run)
    return run


def _gather(course: Course, settings: engine.Settings, group_by: grouping.By) -> recording.Asked:
    """Return what the course's calibration is made from beside its log."""
    reference = selectors.get_reference(course_id=course.pk)
    by_hand, elsewhere = selectors.list_overrides(course_id=course.pk, run=reference)
    groups = grouping.find_groups(course=course, by=group_by)
    has_guessing = settings.model is engine.ItemModel.THREE
    return recording.Asked(
        inputs=engine.Inputs(
            settings=settings,
            beforehand=collecting.describe_items(course=course),
            guessing=collecting.chances_of_guessing(course=course) if has_guessing else {},
            decided=collecting.decided_of(by_hand),
            groups=None if groups is None else groups.groups,
        ),
        reference=reference,
        by_hand=by_hand,
        elsewhere=elsewhere,
        grouping=groups,
    )


def _require_news(newest: CalibrationRun, reference: CalibrationRun | None, data: str) -> None:
    """Refuse to make the newest run once more: from the same data, on the same scale."""
    is_same_scale = reference in (newest, newest.reference)
    if newest.data_sha256 == data and is_same_scale:
        raise NothingToCalibrate(
            f"No new first attempt since calibration {newest.number}, and nothing else that it "
            "was made from has changed.",
            newest=newest.number,
        )
