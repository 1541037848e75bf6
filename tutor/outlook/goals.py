"""The goal that an assignment is to one learner: by their own date, without what they need not.

Nor with what a teacher says that they know: there is nothing left to forecast of it.
"""

from tutor.classes import stated, terms
from tutor.classes.models import Assignment
from tutor.common.cache import new_cache
from tutor.outlook import engine
from tutor.tracing.engine import CourseTracer

_goals = new_cache(capacity=4096)


def find(
    *, assignment: Assignment, learner_id: int, tracer: CourseTracer, revision: int
) -> engine.Goal | None:
    """Return the goal; None for who is excused, without a date, or with nothing to practise.

    Args:
        assignment: of a class at the tracer's course.
        learner_id: whose.
        tracer: the live one.
        revision: of the course.
    """
    own = terms.find(
        assignment=assignment,
        learner_id=learner_id,
        course_id=tracer.bank.course_id,
        revision=revision,
    )
    if own.is_excused or own.due_at is None or own.due_at <= own.opens_at:
        return None
    said = stated.of(learner_id=learner_id, course_id=tracer.bank.course_id, revision=revision)
    known = frozenset(pk for pk, one in said.items() if one.is_known)
    asked = own.goal
    if known:
        asked = tuple(pk for pk in asked or tracer.bank.concept_ids.tolist() if pk not in known)
        if not asked:
            return None
    opens_at, due_at = own.opens_at.timestamp(), own.due_at.timestamp()
    # Most of a class have the same.
    return _goals.get(
        (tracer.tracer_id, revision, asked, opens_at, due_at),
        lambda: engine.goal_of(tracer, asked, opens_at=opens_at, due_at=due_at),
    )
