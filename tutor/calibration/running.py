"""Calibrate a course and store the run. For workers and commands; no web process loads it."""

import datetime as dt
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
from django.db import transaction

from tutor.calibration import collecting, engine, options, selectors, services
from tutor.calibration.errors import CalibrationBusy, CalibrationImpossible, NothingToCalibrate
from tutor.calibration.fingerprint import hash_inputs
from tutor.calibration.models import CalibrationRun
from tutor.common.alone import alone
from tutor.content.models import Course

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
    "weighing what was expected beforehand": 85,
    "counting options": 90,
    "storing": 95,
}


def lock_name(course: Course) -> str:
    """Return the name of the lock under which a course is calibrated, promoted or rolled back."""
    return f"calibration-{course.pk}"


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
    progress: Progress = lambda *_: None,
) -> CalibrationRun:
    """Calibrate the course's items on its log and store the run.

    Nothing changes for anybody until the run is promoted. A killed run leaves nothing behind.

    Args:
        course: whose log.
        at: the present.
        settings: model, engine, seed; a 2PL by py-irt by default.
        again: also where nothing has changed that the newest run was made from.
        progress: called with each step's name and the hundredths of the work that are done.

    Raises:
        CalibrationBusy: another calibration or promotion of the course is under way.
        NothingToCalibrate: no unassisted first attempt, or nothing new since the newest run.
        CalibrationImpossible: the library refuses the log or the settings, and says why.
    """
    with hold(course):
        return calibrate_held(
            course=course, at=at, settings=settings, again=again, progress=progress
        )


def calibrate_held(
    *,
    course: Course,
    at: dt.datetime,
    settings: engine.Settings | None = None,
    again: bool = False,
    progress: Progress = lambda *_: None,
    stored: Callable[[CalibrationRun], object] = lambda _: None,
) -> CalibrationRun:
    """Do as `calibrate_course`, for a caller that holds the lock.

    Args:
        stored: called with the run in the transaction that stores it.
    """
    settings = settings or engine.Settings()
    began = time.perf_counter()
    progress("reading the log", 0)
    collected = collecting.collect_log(course=course)
    taken = collecting.first_attempts(collected.log)
    if not len(taken):
        raise NothingToCalibrate("Nobody has answered an item for the first time without help.")
    newest = selectors.get_newest_run(course_id=course.pk)
    reference = selectors.get_reference(course_id=course.pk)
    beforehand = collecting.describe_items(course=course)
    guessing = (
        collecting.chances_of_guessing(course=course)
        if settings.model is engine.ItemModel.THREE
        else {}
    )
    data = hash_inputs(
        collected=collected,
        taken=taken,
        settings=settings,
        beforehand=beforehand,
        guessing=guessing,
    )
    if newest is not None and not again:
        _require_news(newest, reference, data)
    try:
        found = engine.calibrate_log(
            collected.log,
            beforehand=beforehand,
            settings=settings,
            reference=collecting.known_of(reference),
            in_use=reference == selectors.get_pinned_run(course_id=course.pk),
            earlier=collecting.known_of(newest),
            guessing_by_item=guessing,
            progress=lambda step: progress(step, STEPS.get(step, 0)),
        )
    except engine.CurriculumError as error:
        raise CalibrationImpossible(error.message, **error.facts) from error
    progress("counting options", STEPS["counting options"])
    tables = options.tabulate(course=course, collected=collected, taken=taken, run=found.run)
    progress("storing", STEPS["storing"])
    fields = _fields(found, reference, data)
    fields["census"]["excluded"] = collected.left_out
    fields["fit"]["seconds"] = round(time.perf_counter() - began, 2)
    rows = _rows(found, beforehand, collected, taken, tables)
    with transaction.atomic():
        run = services.store_run(course=course, fields={**fields, "created_at": at}, items=rows)
        stored(run)
    return run


def _require_news(newest: CalibrationRun, reference: CalibrationRun | None, data: str) -> None:
    """Refuse to make the newest run once more: from the same data, on the same scale."""
    is_same_scale = reference in (newest, newest.reference)
    if newest.data_sha256 == data and is_same_scale:
        raise NothingToCalibrate(
            f"No new first attempt since calibration {newest.number}, and nothing else that it "
            "was made from has changed.",
            newest=newest.number,
        )


def _fields(
    found: engine.Calibrated, reference: CalibrationRun | None, data: str
) -> dict[str, Any]:
    run, priors = found.run, found.priors
    census = asdict(run.census)
    census.pop("seen")
    return {
        "sha256": run.version,
        "data_sha256": data,
        "settings": plain(asdict(run.settings)),
        "census": census,
        "population": {**asdict(run.population), "slope": found.slope},
        "fit": {"log_likelihood": run.log_likelihood, "iterations": run.iterations},
        "reference": None if run.link is None else reference,
        "link": None if run.link is None else plain(asdict(run.link)),
        "prior": plain(
            {
                "sources": priors.sources,
                "sd": float(priors.sd.max(initial=0.0)),
                "tried_on": priors.tried_on,
                "rmse": priors.rmse,
                "rmse_without": priors.rmse_without,
            }
        ),
        "gates": plain([asdict(gate) for gate in found.gates]),
        "passed": all(gate.passed or not gate.blocks for gate in found.gates),
    }


def _rows(
    found: engine.Calibrated,
    beforehand: engine.Beforehand,
    collected: collecting.Collected,
    taken: engine.Ints,
    tables: Mapping[str, list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    by_name = {one.item: one for one in found.run.items}
    drawn = taken[np.isin(collected.row_ids[taken], list(collected.random_ids))]
    random = collecting.count_by_item(drawn, collected.log)
    source = "+".join(found.priors.sources) or "mean"
    inherits = found.priors.sd < found.learnt_sd
    rows = []
    for k, name in enumerate(beforehand.items):
        one = by_name.get(name)
        row = {
            "version_id": int(name),
            "prior_mean": float(found.priors.mean[k]),
            "prior_sd": float(found.priors.sd[k]),
            "prior_source": "version before" if inherits[k] else source[:40],
            "pooled_difficulty": float(found.difficulty[k]),
            "pooled_se": float(found.pooled_se[k]),
        }
        is_excluded = row["version_id"] in collected.excluded
        told = _nothing("excluded" if is_excluded else "unseen")
        rows.append(row | (told if one is None else _seen(one, found.se[name])))
        rows[-1]["n_random"] = random.get(name, 0)
        rows[-1]["options"] = tables.get(name, [])
    return rows


def _nothing(why: str) -> dict[str, Any]:
    return {"n": 0, "seen": 0, "is_anchor": False, "flags": [why]}


def _seen(one: Any, se: float) -> dict[str, Any]:
    figures = ("infit", "outfit", "item_rest", "s_x2", "s_x2_df", "s_x2_p", "block")
    return plain(
        {
            "n": one.n,
            "seen": one.seen,
            "correct": one.correct,
            "difficulty": one.difficulty,
            "difficulty_se": se,
            "discrimination": one.discrimination,
            "discrimination_se": one.discrimination_se,
            "guessing": one.guessing,
            "is_anchor": one.anchor,
            "flags": [str(flag) for flag in one.flags],
            "figures": {name: getattr(one, name) for name in figures},
        }
    )


def plain(value: Any) -> Any:
    """Return JSON values; what is no number (nan, inf) is null: JSON has no word for it."""
    if isinstance(value, dict):
        return {key: plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [plain(own) for own in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
