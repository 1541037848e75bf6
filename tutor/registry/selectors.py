"""Reads of tracer versions."""

from django.db.models import Exists, Max, OuterRef, QuerySet

from tutor.common import clock
from tutor.registry import claims
from tutor.registry.models import Promotion, SwitchJob, TracerVersion, TrainingJob


def get_live_tracer(*, course_id: int) -> TracerVersion | None:
    """Return the version that the course's estimates come from, if one was ever promoted."""
    newest = (
        Promotion.objects.filter(course=course_id).select_related("tracer").order_by("-pk").first()
    )
    return newest.tracer if newest else None


def list_live_tracers() -> QuerySet[TracerVersion]:
    """Return the versions that estimates come from now, one of each course with any."""
    newest = Promotion.objects.order_by().values("course").annotate(newest=Max("pk"))
    return TracerVersion.objects.filter(promotions__in=newest.values("newest"))


def get_open_training(*, course_id: int) -> TrainingJob | None:
    """Return the course's training that waits or runs, if there is one."""
    return TrainingJob.objects.filter(course=course_id, state__in=claims.OPEN).first()


def get_newest_candidate(*, course_id: int) -> TracerVersion | None:
    """Return the tracer version that the newest training has made, if there is one."""
    rows = TrainingJob.objects.filter(course=course_id, candidate__isnull=False)
    newest = rows.select_related("candidate").order_by("-pk").first()
    return newest.candidate if newest else None


def network_of(version: TracerVersion) -> int | None:
    """Return the id of the network that the version uses, or None."""
    deep = version.body.get("deep")
    return None if deep is None else int(deep["network"])


def list_failed_gates(*, tracer: TracerVersion) -> list[str]:
    """Return the names of the gates that the version's network did not pass.

    A network was judged by the training that made it; a version that carries it on is not judged
    again.
    """
    network = network_of(tracer)
    if network is None:
        return []
    job = TrainingJob.objects.filter(network=network, finished_at__isnull=False).order_by("-pk")
    newest = job.first()
    # Nobody has judged it: that is no pass.
    if newest is None:
        return ["not judged"]
    return [gate["name"] for gate in newest.gates if not gate["passed"]]


def list_trainings_to_take() -> QuerySet[TrainingJob]:
    """Return the trainings that no living worker is at by the database's clock, oldest first."""
    free = claims.is_free(now=clock.of_database())
    return TrainingJob.objects.filter(free, state__in=claims.OPEN).order_by("pk")


def list_open_switches() -> QuerySet[SwitchJob]:
    """Return the switches that wait or run, oldest first."""
    states = (SwitchJob.State.WAITING, SwitchJob.State.RUNNING)
    rows = SwitchJob.objects.filter(state__in=states).select_related("course__organisation")
    return rows.select_related("course__organisation", "tracer").order_by("pk")


def list_trainings_to_follow_up() -> QuerySet[TrainingJob]:
    """Return the newest training of each course with a candidate that nobody has looked at yet."""
    later = TrainingJob.objects.filter(
        course=OuterRef("course"), pk__gt=OuterRef("pk"), candidate__isnull=False
    )
    # The same log and seed give the same candidate again: what was asked for an earlier training is
    # no answer to this one.
    looked_at = SwitchJob.objects.filter(
        tracer=OuterRef("candidate"), asked_at__gte=OuterRef("finished_at")
    )
    rows = TrainingJob.objects.filter(~Exists(looked_at), ~Exists(later), candidate__isnull=False)
    return rows.select_related("course__organisation", "candidate").order_by("pk")
