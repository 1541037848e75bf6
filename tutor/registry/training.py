"""The door to kt_models' training, for workers and commands. The web process never loads it."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from kt_models import api
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.content.version_table import VersionTable, read_version_table
from tutor.registry import pinning, selectors, services
from tutor.registry.errors import TooFewAnswers
from tutor.registry.models import TracerVersion
from tutor.responses import columns as response_columns
from tutor.responses.columns import FoldColumns

Ints = npt.NDArray[np.int64]
ReferenceOffsets = Callable[[dict[int, float], float], dict[int, float]]

# Below this a fit says more about chance than about learners; the priors serve better.
MINIMUM_ANSWERS = 500
MINIMUM_LEARNERS = 10


def fit_filter(
    *,
    course: Course,
    reference_offsets: ReferenceOffsets,
    at: dt.datetime,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> TracerVersion:
    """Fit the psi-filter on the course's log and store it as a new tracer version.

    A calibration that the live version pins is pinned by the new one too. Answers that do not count
    in mastery teach the filter nothing: those to items on trial, and to excluded items.

    Its provenance says on how many answers and learners, how many answers were left out, from which
    sample of them the scalars come, and how many seconds reading and fitting took.

    Args:
        reference_offsets: from item offsets by version id and the intercept to the offset of each
            concept's reference item, by concept id.
        progress: called with the hundredths of the work done since its last call.

    Raises:
        TooFewAnswers: fewer than `MINIMUM_ANSWERS` answers or `MINIMUM_LEARNERS` learners.
    """
    began = time.perf_counter()
    whole = response_columns.read_whole_log(course_id=course.pk)
    answers = counted(course=course, answers=whole)
    log = log_of(course_id=course.pk, answers=answers)
    if len(log) < MINIMUM_ANSWERS or len(log.learner_keys) < MINIMUM_LEARNERS:
        raise TooFewAnswers(
            f"{len(log)} answers of {len(log.learner_keys)} learners are too few to fit on; it "
            f"takes {MINIMUM_ANSWERS} of {MINIMUM_LEARNERS}.",
            answers=len(log),
            learners=len(log.learner_keys),
        )
    fitted = api.fit_filter(log, seed=seed, fitted_on=at.date(), progress=progress)
    # Not a time of day: estimates of later fits start from how long this one took.
    seconds = round(time.perf_counter() - began, 2)
    body = {
        "parameters": fitted.parameters.to_dict(),
        "intercept": fitted.intercept,
        "item_offsets": {str(pk): float(offset) for pk, offset in fitted.item_offsets.items()},
    }
    return store_as_live(
        course=course,
        body=body,
        provenance={
            **fitted.provenance,
            "left_out": len(whole) - len(answers),
            "seconds": seconds,
        },
        reference_offsets=reference_offsets,
    )


def store_as_live(
    *,
    course: Course,
    body: Mapping[str, Any],
    provenance: dict[str, Any],
    reference_offsets: ReferenceOffsets,
) -> TracerVersion:
    """Store a fit as a version that pins the calibration that the live one pins, or none.

    Without one, answers to items that are excluded now count no more under it. The network that
    the live version uses is carried on too.
    """
    live = selectors.get_live_tracer(course_id=course.pk)
    whole = body_with(
        course=course,
        fit=body,
        deep=None if live is None else live.body.get("deep"),
        reference_offsets=reference_offsets,
    )
    return services.store_tracer(course=course, body=whole, provenance=provenance)


def body_with(
    *,
    course: Course,
    fit: Mapping[str, Any],
    deep: Mapping[str, Any] | None,
    reference_offsets: ReferenceOffsets,
) -> dict[str, Any]:
    """Return a fit's body with this deep part, or none, under the calibration of the live one."""
    live = selectors.get_live_tracer(course_id=course.pk)
    plain = {name: told for name, told in fit.items() if name != "deep"}
    if live is not None and "calibration" in live.body:
        fitted = pinning.pin(plain, pinning.PinnedRun.from_dict(live.body["calibration"]))
    else:
        excluded = content_selectors.list_excluded_versions(course_id=course.pk)
        fitted = pinning.leave_out(plain, excluded)
    offsets = {int(pk): offset for pk, offset in fitted["item_offsets"].items()}
    reference = reference_offsets(offsets, fitted["intercept"])
    whole = {**fitted, "reference_offsets": {str(pk): value for pk, value in reference.items()}}
    return whole if deep is None else {**whole, "deep": dict(deep)}


def read_log(*, course: Course) -> api.ResponseLog:
    """Return the answers that count in mastery as kt_models' arrays; items are versions, by id.

    Columns from the database on, about 150 bytes an answer; no answer becomes an object.
    """
    whole = response_columns.read_whole_log(course_id=course.pk)
    return log_of(course_id=course.pk, answers=counted(course=course, answers=whole))


def counted(*, course: Course, answers: FoldColumns) -> FoldColumns:
    """Return those of the course's answers that count in mastery.

    An answer given while its item was tried out does not, whatever became of the item since, nor
    does one to an item that is excluded now.
    """
    return not_excluded(course=course, answers=answers.only(~answers.is_pilot))


def not_excluded(*, course: Course, answers: FoldColumns) -> FoldColumns:
    """Return the answers without those to items that are excluded now."""
    excluded = content_selectors.list_excluded_versions(course_id=course.pk)
    return answers.only(~np.isin(answers.version_id, np.array(excluded, dtype=np.int64)))


def log_of(
    *, course_id: int, answers: FoldColumns, table: VersionTable | None = None
) -> api.ResponseLog:
    """Return answers of a course that have been read as kt_models' arrays, in their order.

    Args:
        course_id: the course.
        answers: what was read.
        table: its item versions, if they are at hand.
    """
    if table is None:
        table = read_version_table(course_id=course_id)
    met, item = np.unique(table.rows_of(answers.version_id), return_inverse=True)
    concept_ids, sets = _ranked(table.concepts[met])
    distinct, set_of_item = np.unique(sets, axis=0, return_inverse=True)
    starts, answered_at = answers.starts, answers.answered_at
    return api.ResponseLog(
        learner_keys=_names(answers.learner_id[starts[:-1]]),
        item_keys=_names(table.version_ids[met]),
        concept_keys=_names(concept_ids),
        starts=starts,
        item=item,
        concept_set=set_of_item.reshape(-1)[item],
        concept_sets=distinct,
        correct=answers.credit,
        shown_at=api.shown_times(answered_at=answered_at, starts=starts),
        answered_at=answered_at,
        # The same rule as in the live tracer: help explains a right answer.
        assisted=answers.assisted,
    )


def _ranked(concepts: Ints) -> tuple[Ints, Ints]:
    """Return the distinct ids (K,) and the rows as their indices, ascending, -1 at the end."""
    ids = np.unique(concepts[concepts >= 0])
    ranks = np.where(concepts >= 0, np.searchsorted(ids, concepts), len(ids))
    ranks.sort(axis=1)
    return ids, np.where(ranks < len(ids), ranks, -1)


def _names(ids: Ints) -> tuple[str, ...]:
    return tuple(map(str, ids.tolist()))
