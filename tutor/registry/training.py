"""The door to kt_models' training, for workers and commands. The web process never loads it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np

from kt_models import api
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.registry import services
from tutor.registry.errors import TooFewAnswers
from tutor.registry.models import TracerVersion
from tutor.responses import selectors as response_selectors

# Below this a fit says more about chance than about learners; the priors serve better.
MINIMUM_ANSWERS = 500
MINIMUM_LEARNERS = 10


def fit_filter(
    *,
    course: Course,
    reference_offsets: Callable[[dict[int, float], float], dict[int, float]],
    at: dt.datetime,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> TracerVersion:
    """Fit the psi-filter on the course's whole log and store it as a new tracer version.

    Args:
        reference_offsets: from item offsets by version id and the intercept to the offset of each
            concept's reference item, by concept id.
        progress: called with the hundredths of the work done since its last call.

    Raises:
        TooFewAnswers: fewer than `MINIMUM_ANSWERS` answers or `MINIMUM_LEARNERS` learners.
    """
    log = read_log(course=course)
    if len(log) < MINIMUM_ANSWERS or len(log.learner_keys) < MINIMUM_LEARNERS:
        raise TooFewAnswers(
            f"{len(log)} answers of {len(log.learner_keys)} learners are too few to fit on; it "
            f"takes {MINIMUM_ANSWERS} of {MINIMUM_LEARNERS}.",
            answers=len(log),
            learners=len(log.learner_keys),
        )
    fitted = api.fit_filter(log, seed=seed, fitted_on=at.date(), progress=progress)
    offsets = {int(key): float(value) for key, value in fitted.item_offsets.items()}
    return services.store_tracer(
        course=course,
        body={
            "parameters": fitted.parameters.to_dict(),
            "intercept": fitted.intercept,
            "item_offsets": {str(pk): offset for pk, offset in offsets.items()},
            "reference_offsets": {
                str(pk): offset
                for pk, offset in reference_offsets(offsets, fitted.intercept).items()
            },
        },
        provenance=dict(fitted.provenance),
    )


def read_log(*, course: Course) -> Any:
    """Return the course's log as kt_models' arrays; items are versions, by database id."""
    concepts = content_selectors.get_concepts_of_version
    rows = list(response_selectors.iterate_fold_rows(course_id=course.pk))
    return api.build_log(
        learners=[str(row.learner_id) for row in rows],
        items=[str(row.version_id) for row in rows],
        concepts=[tuple(str(pk) for pk in concepts(version_id=row.version_id)) for row in rows],
        correct=np.array([row.credit for row in rows], dtype=np.float64),
        answered_at=np.array([row.answered_at.timestamp() for row in rows], dtype=np.float64),
        # The same rule as in the live tracer: help explains a right answer.
        assisted=np.array([row.hints_seen > 0 or row.attempt > 1 for row in rows], dtype=np.bool_),
    )
