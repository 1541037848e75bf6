"""How a class's items have been chosen of late: chance, plan, fallbacks, probes, who is stuck.

Sums are made by the database; a class of a hundred with a month of answers is one pass over an
index of its learners' decisions.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from tutor.accounts.models import Learner
from tutor.classes.models import Classroom
from tutor.content.models import Concept
from tutor.scheduling import stuck
from tutor.scheduling.models import Decision, DelayedProbe

LOOKS_BACK = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Day:
    """One day's questions, and how many of them chance or the teacher's order chose."""

    date: dt.date
    questions: int
    explored: int
    teacher_order: int

    @property
    def planned(self) -> int:
        """Return how many the policy chose."""
        return self.questions - self.explored - self.teacher_order


@dataclass(frozen=True, slots=True)
class Probes:
    """What delayed probes have said.

    Attributes:
        waiting: not asked yet.
        answered: answered without help.
        helped: answered with help, which measures nothing.
        lost: asked and never answered, or never asked in time: those that went badly may be
            among them, so what the others show is an upper end.
        right: mean credit of those without help, 0..1; None for none.
        expected: mean success expected of the same just before.
        error: standard error of `right` less `expected`.
    """

    waiting: int
    answered: int
    helped: int
    lost: int
    right: float | None
    expected: float | None
    error: float | None


@dataclass(frozen=True, slots=True)
class Stuck:
    """A learner with many answers on a concept that have not helped."""

    learner: Learner
    concept: Concept | None
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Monitor:
    """The last thirty days of a class.

    Attributes:
        days: those with questions, oldest first.
        modes: questions by what they were given for.
        errors: questions chosen by the teacher's order because a policy failed.
        probes: what delayed probes have said, of all time.
        stuck: who waits for the teacher.
    """

    days: tuple[Day, ...]
    modes: dict[str, int]
    errors: int
    probes: Probes
    stuck: tuple[Stuck, ...]

    @property
    def questions(self) -> int:
        """Return how many questions were chosen."""
        return sum(day.questions for day in self.days)

    @property
    def explored(self) -> int:
        """Return how many were drawn at random."""
        return sum(day.explored for day in self.days)

    @property
    def teacher_order(self) -> int:
        """Return how many the teacher's order chose."""
        return sum(day.teacher_order for day in self.days)


def watch(*, classroom: Classroom, learners: Sequence[Learner], at: dt.datetime) -> Monitor:
    """Return how the class's items were chosen in the last thirty days."""
    rows = Decision.objects.filter(
        learner__in=learners, course=classroom.course_id, at__gt=at - LOOKS_BACK, at__lte=at
    )
    questions = rows.filter(item_version__isnull=False)
    by_day = (
        questions.annotate(date=TruncDate("at"))
        .values("date")
        .annotate(
            n=Count("pk"),
            explored=Count("pk", filter=Q(reason="explore")),
            teacher_order=Count("pk", filter=~Q(fallback="")),
        )
        .order_by("date")
    )
    modes = questions.values("mode").annotate(n=Count("pk")).order_by("-n")
    return Monitor(
        days=tuple(
            Day(row["date"], row["n"], row["explored"], row["teacher_order"]) for row in by_day
        ),
        modes={row["mode"]: row["n"] for row in modes if row["mode"]},
        errors=questions.filter(fallback="error").count(),
        probes=_probes(classroom, learners, at),
        stuck=_stuck(classroom, learners),
    )


def _probes(classroom: Classroom, learners: Sequence[Learner], at: dt.datetime) -> Probes:
    rows = DelayedProbe.objects.filter(learner__in=learners, course=classroom.course_id)
    answered = rows.filter(answered_at__isnull=False)
    scored = answered.filter(credit__isnull=False)
    pairs = list(scored.values_list("credit", "expected"))
    differences = [credit - expected for credit, expected in pairs]
    return Probes(
        waiting=rows.filter(asked__isnull=True, expires_at__gt=at).count(),
        answered=len(pairs),
        helped=answered.filter(credit__isnull=True).count(),
        lost=rows.filter(answered_at=None, expires_at__lte=at).count(),
        right=_mean([credit for credit, _ in pairs]),
        expected=_mean([expected for _, expected in pairs]),
        error=_standard_error(differences),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _standard_error(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return math.sqrt(variance / len(values))


def _stuck(classroom: Classroom, learners: Sequence[Learner]) -> tuple[Stuck, ...]:
    """Return who waits for the teacher on what, the longest waiting first."""
    by_id = {learner.pk: learner for learner in learners}
    waiting = stuck.list_waiting(course_id=classroom.course_id, learner_ids=list(by_id))
    concepts = Concept.objects.in_bulk({one.concept_id for one in waiting})
    return tuple(
        Stuck(by_id[one.learner_id], concepts.get(one.concept_id), one.at) for one in waiting
    )
