"""How long somebody has practised, and how long one question takes them.

From a session's start and from answer to answer. A longer gap is a break, and so is what follows a
pause until the next answer: neither a learner who goes home for the night nor one who presses
Pause has used up the minutes that were planned.
"""

import datetime as dt

import numpy as np
from django.db.models import QuerySet

from tutor.accounts.models import Learner
from tutor.classes.models import Assignment
from tutor.content.models import Course
from tutor.practice.models import Pause, PracticeSession
from tutor.responses import pace
from tutor.responses.models import Response
from tutor.scheduling import conduct as conducts
from tutor.scheduling import wishes
from tutor.scheduling.plans import FREE_PRACTICE, RULES


def get_minutes_since(*, learner: Learner, course: Course, since: dt.datetime) -> float:
    """Return the minutes that a learner has practised in a course since then."""
    own = PracticeSession.objects.filter(learner=learner, course=course, started_at__gte=since)
    starts = list(own.values_list("started_at", flat=True))
    marks = sorted([*starts, *_answers(learner.pk, course.pk, since)])
    return _without_breaks(marks, learner.pk, course.pk, since)


def get_minutes_taken(*, session: PracticeSession, learner_id: int, at: dt.datetime) -> float:
    """Return the minutes that a session has taken, to its end or until now."""
    since, until = session.started_at, session.finished_at or at
    answers = _answers(learner_id, session.course_id, since).filter(answered_at__lte=until)
    marks = [since, *sorted(answers), until]
    return _without_breaks(marks, learner_id, session.course_id, since)


def find_minutes_left(
    *, session: PracticeSession, learner_id: int, at: dt.datetime
) -> float | None:
    """Return what is left of a session planned in minutes, below 0 once they are over."""
    if session.planned_minutes is None:
        return None
    taken = get_minutes_taken(session=session, learner_id=learner_id, at=at)
    return session.planned_minutes - taken


def get_planned_items(*, session: PracticeSession) -> int:
    """Return after how many answers a session ends, by the rules that its newest choice kept to.

    Not what it began with: a teacher may have set a length since, or taken one back. Of a session
    planned in minutes, what was expected to fit when it began.
    """
    if session.planned_minutes is not None:
        return session.planned_items
    own = FREE_PRACTICE if session.assignment is None else session.assignment.items_per_session
    kept = session.current.steering
    rules = conducts.read_wishes(rule_ids=kept) if kept else ()
    return min(own, wishes.longest_of(rules) or own)


def find_item_minutes(*, learner: Learner, course: Course, assignment: Assignment | None) -> float:
    """Return the minutes that a question of usual length takes this learner, extra time counted."""
    conduct, _ = conducts.find_or_stand_in(
        learner_id=learner.pk,
        course_id=course.pk,
        assignment=assignment,
        revision=course.revision,
    )
    usual = float(np.median([*conduct.minutes.values()] or [RULES.minutes_per_item]))
    extra = max((wish.value for wish in conduct.wishes if wish.kind == "time"), default=1.0)
    return usual * max(extra, 1.0)


def _answers(
    learner_id: int, course_id: int, since: dt.datetime
) -> QuerySet[Response, dt.datetime]:
    own = Response.objects.filter(learner=learner_id, course=course_id, answered_at__gte=since)
    return own.values_list("answered_at", flat=True)


def _without_breaks(
    marks: list[dt.datetime], learner_id: int, course_id: int, since: dt.datetime
) -> float:
    """Return the minutes from the first mark to the last; `marks` ascend."""
    if not marks:
        return 0.0
    pauses = set(
        Pause.objects.filter(
            learner=learner_id, decision__course=course_id, at__gte=since, at__lte=marks[-1]
        ).values_list("at", flat=True)
    )
    return pace.sum_minutes(sorted([*marks, *pauses]), breaks=pauses)
