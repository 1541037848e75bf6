"""Reads of alerts. Whoever asks has been let into the classes before (`access_class`)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from tutor.accounts.models import Learner
from tutor.alerts import noticing, reading
from tutor.alerts.kinds import Kind, What
from tutor.alerts.models import AlertAction, AlertThresholds
from tutor.alerts.past import Past
from tutor.alerts.seen import Alert
from tutor.alerts.thresholds import DEFAULTS, NAMES, Thresholds
from tutor.classes.models import Classroom
from tutor.common.errors import NotVisible
from tutor.tracing.errors import NoTracer

# What was done longer ago keeps nothing away: nothing rests or is put off for so long.
ACTIONS_COUNT_FOR = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Need:
    """Somebody who needs their teacher: one learner, or the class as a whole.

    Attributes:
        classroom: where.
        learner: who; None for the whole class.
        alerts: why, the most urgent first; never empty.
    """

    classroom: Classroom
    learner: Learner | None
    alerts: tuple[Alert, ...]

    @property
    def lead(self) -> Alert:
        """The most urgent reason."""
        return self.alerts[0]

    @property
    def others(self) -> tuple[Alert, ...]:
        """The other reasons."""
        return self.alerts[1:]

    @property
    def evidence(self) -> dict[str, object]:
        """What is kept with an action: of a learner every reason, of the class the leading one."""
        about = self.alerts if self.learner is not None else self.alerts[:1]
        return {alert.kind.value: alert.evidence for alert in about}


def find_needs(*, classrooms: Sequence[Classroom], at: dt.datetime) -> dict[int, list[Need]]:
    """Return class id -> who needs their teacher at this moment, the most urgent first.

    As many queries for any number of learners, and for each course of the classes as many. A
    course without a tracer, of which nothing can be said, has nobody.
    """
    found: dict[int, list[Need]] = {one.pk: [] for one in classrooms}
    by_course: dict[int, list[Classroom]] = {}
    for one in classrooms:
        by_course.setdefault(one.course_id, []).append(one)
    for own in by_course.values():
        try:
            looked = reading.look(classrooms=own, at=at)
        except NoTracer:
            continue
        limits = map_thresholds(classrooms=own)
        acted = _list_acted(own, at)
        for one in own:
            past = Past(acted[one.pk], rest_days=limits[one.pk].rest_days)
            alerts = noticing.notice(
                looked=looked, class_id=one.pk, limits=limits[one.pk], past=past
            )
            found[one.pk] = _by_learner(alerts, one, looked)
    return found


def _by_learner(
    alerts: Sequence[Alert], classroom: Classroom, looked: reading.Looked
) -> list[Need]:
    """Return a row for each learner and one for the class, by the most urgent of each."""
    by_learner: dict[int | None, list[Alert]] = {}
    for alert in alerts:
        by_learner.setdefault(alert.learner_id, []).append(alert)
    return [
        Need(classroom, None if pk is None else looked.learners[pk], tuple(own))
        for pk, own in by_learner.items()
    ]


def order_needs(needs: dict[int, list[Need]]) -> list[Need]:
    """Return the needs of several classes, the most urgent first."""
    every = [need for own in needs.values() for need in own]
    return sorted(every, key=lambda need: need.lead.urgency)


def get_thresholds(*, classroom: Classroom) -> tuple[Thresholds, AlertThresholds | None]:
    """Return when the class's teachers are called, and the row that says so, if there is one."""
    row = AlertThresholds.objects.filter(classroom=classroom).order_by("-pk").first()
    return _thresholds(row), row


def map_thresholds(*, classrooms: Sequence[Classroom]) -> dict[int, Thresholds]:
    """Return class id -> when its teachers are called, in one query."""
    rows = AlertThresholds.objects.filter(classroom__in=classrooms).order_by("pk")
    newest = {row.classroom_id: row for row in rows}
    return {one.pk: _thresholds(newest.get(one.pk)) for one in classrooms}


def _thresholds(row: AlertThresholds | None) -> Thresholds:
    if row is None:
        return DEFAULTS
    return Thresholds(**{name: getattr(row, name) for name in NAMES}, off=frozenset(row.off))


def list_threshold_changes(*, classroom: Classroom, most: int = 20) -> list[AlertThresholds]:
    """Return how the thresholds changed, newest first."""
    rows = AlertThresholds.objects.filter(classroom=classroom).select_related("set_by")
    return list(rows.order_by("-pk")[:most])


def list_actions(*, classroom: Classroom, learner: Learner | None = None) -> QuerySet[AlertAction]:
    """Return what was done in a class, newest first, each with whether it was taken back."""
    rows = AlertAction.objects.filter(classroom=classroom).exclude(what=What.TAKEN_BACK)
    if learner is not None:
        rows = rows.filter(learner=learner)
    related = ("actor", "learner__user", "taken_back_by__actor")
    return rows.select_related(*related).order_by("-at", "-pk")


def access_action(*, classroom: Classroom, action_id: int) -> AlertAction:
    """Return an action of the class; whoever asks has been let into the class before.

    Raises:
        NotVisible: the class has no such action.
    """
    found = list_actions(classroom=classroom).filter(pk=action_id).first()
    if found is None:
        raise NotVisible("There is no such action in this class.", action=action_id)
    return found


def _list_acted(classrooms: Sequence[Classroom], at: dt.datetime) -> dict[int, list[AlertAction]]:
    """Return class id -> the actions that count, newest first."""
    rows = AlertAction.objects.filter(
        classroom__in=classrooms,
        at__gt=at - ACTIONS_COUNT_FOR,
        at__lte=at,
        taken_back_by__isnull=True,
    ).exclude(what=What.TAKEN_BACK)
    found: dict[int, list[AlertAction]] = {one.pk: [] for one in classrooms}
    for row in rows.order_by("-at", "-pk"):
        found[row.classroom_id].append(row)
    return found


def count_kinds(needs: Sequence[Need]) -> list[tuple[Kind, int]]:
    """Return how many needs are led by each kind, the most urgent kind first."""
    counts = dict.fromkeys(Kind, 0)
    for need in needs:
        counts[need.lead.kind] += 1
    return [(kind, n) for kind, n in counts.items() if n]
