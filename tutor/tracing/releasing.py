"""Letting learners out whom the deep tracer left aside, with a line in the audit log."""

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from tutor.accounts import services as account_services
from tutor.accounts.models import User
from tutor.common import turns
from tutor.content.models import Course
from tutor.tracing import due, queue


def release(
    *, course: Course, learner_ids: Collection[int], at: dt.datetime, actor: User | None = None
) -> int:
    """Have learners of a course tried again whose data broke the pass; return how many were aside.

    Their whole histories are folded: what broke the pass may have been repaired in the log.
    """
    with turns.atomic_turn():
        count = due.release(course_id=course.pk, learner_ids=learner_ids)
        if count:
            account_services.record_audit(
                at=at,
                action="tracing.release",
                organisation=course.organisation,
                actor=actor,
                subject=course.slug,
                facts={"learners": count},
            )
            transaction.on_commit(queue.nudge)
    return count
