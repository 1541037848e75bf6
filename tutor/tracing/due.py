"""The work list of the deep tracer: marking, claiming, letting go.

Whoever holds a claim holds no lock: an answer of the learner only adds to `marks` and never waits
for a forward pass. What a claim found done is written by `finish`, which takes only rows that still
bear it: a worker that was thought dead and comes back late changes nothing.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Min, Q
from django.db.models.functions import Greatest

from tutor.common import clock, turns
from tutor.common.prepared import execute_hot, own_connection
from tutor.tracing.models import DueLearner

# Claims that came to nothing before a learner is passed alone: killed workers leave no error.
TRIES_TOGETHER = 3
# And before somebody looks whether it is them, and not the machine.
MOST_TRIES = 6
# Whoever was left aside is tried again after so long, each time twice as long and at last daily.
TRIED_AGAIN = dt.timedelta(hours=1)
TRIED_DAILY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """Learners of a course that one worker has in hand.

    Attributes:
        token: what their rows bear.
        course_id: the course.
        marks: learner id -> marks when it was claimed.
        refold: learners whose whole history has to be folded.
        tries: most claims of them that came to nothing before.
        oldest: since when the oldest of their answers has waited.
        is_retry: whether it is a single learner who was left aside until now.
    """

    token: uuid.UUID
    course_id: int
    marks: Mapping[int, int]
    refold: frozenset[int]
    tries: int
    oldest: dt.datetime
    is_retry: bool = False


def mark(*, learner_id: int, course_id: int, at: dt.datetime, refold: bool) -> bool:
    """Note, in the transaction of the answer, that the learner has work waiting.

    A refold, for whatever was corrected, also takes a learner out of quarantine.

    Returns:
        Whether nothing was waiting before: then a worker is to be nudged. Else one was nudged
        already, has the learner in hand and will look again, or the sweep will find them; so there
        are never more messages than learners.
    """
    values = (learner_id, course_id, _moment(at), refold)
    cursor = execute_hot(own_connection(), f"{_MARK} RETURNING marks", values)
    return bool(cursor.fetchone()[0] == 1)


def _moment(at: dt.datetime) -> Any:
    return DueLearner._meta.get_field("since").get_db_prep_value(at, connection)  # noqa: SLF001


def mark_all(
    *, learner_ids: Collection[int], course_id: int, at: dt.datetime, refold: bool
) -> None:
    """Note the same of many learners."""
    moment = _moment(at)
    with connection.cursor() as cursor:
        cursor.executemany(_MARK, [(pk, course_id, moment, refold) for pk in sorted(learner_ids)])


# By hand: the ORM's upsert cannot add to what is stored.
_MARK = """
INSERT INTO tracing_duelearner
    (learner_id, course_id, since, marks, refold, tries, error)
VALUES (%s, %s, %s, 1, %s, 0, '')
ON CONFLICT (learner_id, course_id) DO UPDATE SET
    marks = tracing_duelearner.marks + 1,
    refold = tracing_duelearner.refold OR excluded.refold,
    quarantined_at = CASE WHEN excluded.refold THEN NULL ELSE tracing_duelearner.quarantined_at END,
    tries = CASE WHEN excluded.refold THEN 0 ELSE tracing_duelearner.tries END,
    error = CASE WHEN excluded.refold THEN '' ELSE tracing_duelearner.error END
"""


@turns.atomic_turn()
def claim(*, size: int, passing_over: Collection[int] = ()) -> Claim | None:
    """Take up to `size` learners of the course that has waited longest; None if nobody is due.

    Args:
        size: learners.
        passing_over: courses that are left alone for now.
    """
    now = clock.of_database()
    free = DueLearner.objects.filter(_is_free(now), quarantined_at__isnull=True)
    free = free.exclude(course__in=passing_over)
    first = free.order_by("since", "pk").values("course", "tries").first()
    if first is None:
        return None
    own = free.filter(course=first["course"])
    if first["tries"] >= TRIES_TOGETHER:
        # Whoever kills workers must not take neighbours along.
        size = 1
    else:
        own = own.filter(tries__lt=TRIES_TOGETHER)
    rows = list(own.order_by("since", "pk").select_for_update(skip_locked=True)[:size])
    if not rows:
        return None
    token = uuid.uuid4()
    # Counted before the pass: of a worker that is killed nothing else is left.
    DueLearner.objects.filter(pk__in=[row.pk for row in rows]).update(
        claim=token, claimed_at=now, tries=F("tries") + 1
    )
    return Claim(
        token=token,
        course_id=first["course"],
        marks={row.learner_id: row.marks for row in rows},
        refold=frozenset(row.learner_id for row in rows if row.refold),
        tries=max(row.tries for row in rows),
        oldest=min(row.since for row in rows),
        is_retry=size == 1 and rows[0].tries >= TRIES_TOGETHER and bool(rows[0].error),
    )


@turns.atomic_turn()
def renew(held: Claim) -> None:
    """Say that the claim is alive: another piece of a long pass is done."""
    DueLearner.objects.filter(claim=held.token).update(claimed_at=clock.of_database())


def claim_lasts() -> dt.timedelta:
    """Return after how long a claim is void: its worker was killed, or hangs."""
    return dt.timedelta(seconds=settings.DEEP_CLAIM_S)


def _is_free(now: dt.datetime) -> Q:
    # A claim from the future is one from before the clock was set back.
    lasts = claim_lasts()
    return (
        Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - lasts) | Q(claimed_at__gt=now + lasts)
    )


def lock_held(held: Claim, *, learner_ids: Sequence[int]) -> list[int]:
    """Lock the rows that still bear the claim; return whose. For the transaction that writes."""
    rows = DueLearner.objects.filter(claim=held.token, learner__in=learner_ids)
    locked = rows.select_for_update().order_by("learner")
    return list(locked.values_list("learner", flat=True))


def finish(held: Claim, *, learner_ids: Collection[int], now: dt.datetime) -> None:
    """Strike out those with nothing new; the others stay due, for the answers that came since.

    For the transaction that wrote their states.
    """
    rows = DueLearner.objects.filter(claim=held.token, learner__in=learner_ids)
    unmoved = [
        pk
        for pk, learner, marks in rows.values_list("pk", "learner", "marks")
        if marks == held.marks[learner]
    ]
    DueLearner.objects.filter(pk__in=unmoved).delete()
    # An answer since may have asked for a refold: that flag stays, and costs a fold at most.
    fresh = {"claim": None, "claimed_at": None, "quarantined_at": None}
    rows.update(**fresh, tries=0, error="", since=now)


@turns.atomic_turn()
def let_go(held: Claim, *, learner_ids: Collection[int], now: dt.datetime) -> None:
    """Give learners back whose work was not done, through no fault of theirs.

    They go to the end of the list, so that others are not kept waiting by them.
    """
    rows = DueLearner.objects.filter(claim=held.token, learner__in=learner_ids, tries__gt=0)
    given_back = {"claim": None, "claimed_at": None, "quarantined_at": None}
    rows.update(**given_back, tries=F("tries") - 1, since=now)


@turns.atomic_turn()
def recount(held: Claim, *, tries: int) -> None:
    """Say how many claims of the learners in hand came to nothing, with this one or without."""
    DueLearner.objects.filter(claim=held.token).update(tries=tries)


@turns.atomic_turn()
def keep_aside(held: Claim, *, now: dt.datetime) -> None:
    """Leave the learners in hand aside while they are tried: a worker that is lost says nothing.

    `finish` takes them back, and so does `let_go`.
    """
    DueLearner.objects.filter(claim=held.token).update(quarantined_at=now)


def count_lost(*, besides: Collection[int]) -> int:
    """Return how many other learners, passed alone, workers were lost with; of all courses."""
    rows = DueLearner.objects.filter(
        tries__gt=TRIES_TOGETHER, error="", quarantined_at__isnull=True
    )
    return rows.exclude(learner__in=besides).count()


@turns.atomic_turn()
def quarantine(held: Claim, *, learner_id: int, error: str, now: dt.datetime) -> None:
    """Leave a learner alone, with the reason, until they are released."""
    DueLearner.objects.filter(claim=held.token, learner=learner_id).update(
        claim=None, claimed_at=None, quarantined_at=now, error=error[:4000]
    )


@turns.atomic_turn()
def release(*, course_id: int, learner_ids: Collection[int] | None = None) -> int:
    """Take learners out of quarantine, all of the course by default; return how many."""
    rows = DueLearner.objects.filter(course=course_id, quarantined_at__isnull=False)
    if learner_ids is not None:
        rows = rows.filter(learner__in=learner_ids)
    return rows.update(quarantined_at=None, tries=0, error="", refold=True)


@turns.atomic_turn()
def try_again(*, now: dt.datetime) -> int:
    """Release whoever was left aside a while ago, to be passed alone; return how many.

    What broke the pass may have been repaired since, in the log, in the code or in the machine. So
    nobody stays out for want of a person: the next try comes after twice as long as the one before,
    and at last daily.
    """
    rows = DueLearner.objects.filter(_has_waited(now))
    tries = Greatest(F("tries"), TRIES_TOGETHER)
    return rows.update(quarantined_at=None, tries=tries, refold=True)


def _has_waited(now: dt.datetime) -> Q:
    found = Q(quarantined_at__lt=now - TRIED_DAILY)
    wait, tries = TRIED_AGAIN, TRIES_TOGETHER
    while wait < TRIED_DAILY:
        found |= Q(quarantined_at__lt=now - wait, tries__lte=tries)
        wait, tries = 2 * wait, tries + 1
    return found


def count_unclaimed() -> tuple[int, dt.datetime | None]:
    """Return how many learners nobody has in hand, and since when the oldest waits."""
    rows = DueLearner.objects.filter(claim__isnull=True, quarantined_at__isnull=True)
    found = rows.aggregate(learners=Count("pk"), oldest=Min("since"))
    return found["learners"], found["oldest"]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: learners, since when the oldest, and how many are in quarantine."""

    learners: int
    oldest: dt.datetime | None
    quarantined: int


def measure(*, course_id: int | None = None) -> Backlog:
    """Return what waits, in a course or in all."""
    rows = (
        DueLearner.objects.all()
        if course_id is None
        else DueLearner.objects.filter(course=course_id)
    )
    waiting = Q(quarantined_at__isnull=True)
    found = rows.aggregate(
        learners=Count("pk", filter=waiting),
        oldest=Min("since", filter=waiting),
        quarantined=Count("pk", filter=~waiting),
    )
    return Backlog(**found)
