"""What a choice looks back at beside the learner's state, read only where it can matter."""

import datetime as dt
import logging

from django.db import DatabaseError

from tutor.responses import selectors as response_selectors
from tutor.scheduling import engine, exposures, lately, remembering, selectors
from tutor.scheduling.engine import Conduct, Recent
from tutor.tracing import engine as tracing_engine

logger = logging.getLogger(__name__)


def find_recent(
    *,
    learner_id: int,
    tracer: tracing_engine.CourseTracer,
    conduct: Conduct,
    seen: tracing_engine.Seen,
    at: dt.datetime,
    last_reason: str = "",
) -> Recent:
    """Return what the rules look back at, as far as it can matter: each look is a query."""
    course_id = tracer.bank.course_id
    # Only what was mastered once is reviewed, and only reviews have a share to keep to.
    reviews = len(seen.state.mastered) > 0
    waiting = lately.list_possibly_stuck(seen, tracer.bank)
    window = dt.timedelta(days=engine.RULES.exposure_days)
    return Recent(
        modes=selectors.list_recent_modes(learner_id=learner_id, course_id=course_id)
        if reviews
        else (),
        explored=selectors.count_explored(
            learner_id=learner_id, course_id=course_id, since=at - window
        )
        if conduct.explores
        else 0,
        released=selectors.list_releases(learner_id=learner_id, concept_ids=waiting)
        if waiting
        else {},
        placing=lately.may_be_new(seen.state, conduct)
        and _is_placing(learner_id, course_id, seen, last_reason),
        earlier=_earlier(learner_id, course_id, conduct, seen),
        stability=_stability(learner_id, tracer, seen),
        exposure=exposures.find_counts(course_id=course_id, at=at),
    )


def _stability(
    learner_id: int, tracer: tracing_engine.CourseTracer, seen: tracing_engine.Seen
) -> dict[int, float]:
    """Return the memory of facts; of none where it cannot be folded, which ends no lesson."""
    try:
        return remembering.read_stability(learner_id=learner_id, tracer=tracer, seen=seen)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("The memory of facts could not be read: recent answers stand in.")
        return {}


def _is_placing(
    learner_id: int, course_id: int, seen: tracing_engine.Seen, last_reason: str
) -> bool:
    if not last_reason and len(seen.state.recent):
        last_reason = selectors.get_last_reason(learner_id=learner_id, course_id=course_id)
    return lately.is_placing(seen.state, last_reason)


def _earlier(
    learner_id: int, course_id: int, conduct: Conduct, seen: tracing_engine.Seen
) -> tuple[tuple[int, float], ...]:
    """Return answers that teachers' rules count and the state no longer holds."""
    if not conduct.wishes:
        return ()
    span = lately.cut_off_at(seen.state, conduct)
    if span is None:
        return ()
    rows = response_selectors.list_first_tries(
        learner_id=learner_id, course_id=course_id, since=span[0], before=span[1]
    )
    return tuple(rows)
