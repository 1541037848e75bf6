"""The night's work on policies: every course, one worker at a time, none twice a day."""

import datetime as dt
import logging

from tutor.common.alone import alone
from tutor.content.models import Course
from tutor.scheduling import learning, steering
from tutor.scheduling.models import Decision, PolicyNight

logger = logging.getLogger(__name__)

LOCK = "learn-policies"


def learn_all(*, at: dt.datetime) -> int:
    """Learn in every course with new decisions; return how many versions were promoted.

    A course that fails is told of and does not hold up the others. What a killed worker has
    promoted stays, and the next one goes on with the rest.
    """
    promoted = 0
    with alone(LOCK) as is_alone:
        if not is_alone:
            return 0
        for course in Course.objects.order_by("pk"):
            if not is_due(course=course, at=at):
                continue
            try:
                found = learning.learn_course(course=course, at=at)
            except Exception:
                logger.exception("Policies of course %s could not learn.", course.slug)
                continue
            # Last: a night that was cut off before is done again.
            steering.note_night(course=course, at=at, found=[one.to_dict() for one in found])
            promoted += sum(one.promoted for one in found)
    return promoted


def is_due(*, course: Course, at: dt.datetime) -> bool:
    """Test whether there are decisions since the last night that came to its end, not today."""
    newest = PolicyNight.objects.filter(course=course).order_by("-pk").first()
    decisions = Decision.objects.filter(course=course)
    if newest is None:
        return decisions.exists()
    today = newest.at.date() == at.date()
    return not today and decisions.filter(at__gt=newest.at).exists()
