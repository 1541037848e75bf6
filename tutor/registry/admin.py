"""Tracer versions, networks and their trainings in Django's admin."""

from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.models import Course
from tutor.registry import jobs, selectors, wording
from tutor.registry.models import (
    Network,
    Promotion,
    SwitchJob,
    TracedCourse,
    TracerVersion,
    TrainingJob,
)

Kind = SwitchJob.Kind
SWITCHES = "How far it is stands under switch jobs."


def ask(
    page: admin.ModelAdmin,
    request: HttpRequest,
    course: Course,
    what: Callable[[], object],
    where: str,
) -> None:
    """Put something on a list of work and say so, or why not."""
    try:
        what()
    except TutorError as error:
        page.message_user(request, f"{course.slug}: {error.message}", messages.ERROR)
    else:
        page.message_user(request, f"{course.slug}: asked for. {where}")


@admin.register(TracedCourse)
class TracedCoursesAdmin(ReadOnlyAdmin):
    """Courses with the tracer in use; here a network is trained for one, and left again."""

    list_display = ("slug", "title", "in_use", "network")
    fields = ("slug", "title", "in_use", "network")
    readonly_fields = ("in_use", "network")
    ordering = ("slug",)
    actions = ("train", "roll_back")

    @admin.display(description="tracer in use")
    def in_use(self, course: Course) -> str:
        """Return the live version."""
        live = selectors.get_live_tracer(course_id=course.pk)
        return "none" if live is None else f"v{live.number}"

    @admin.display(description="network in use")
    def network(self, course: Course) -> str:
        """Return the network of the live version."""
        live = selectors.get_live_tracer(course_id=course.pk)
        found = live and selectors.network_of(live)
        return "none" if not found else str(Network.objects.defer("weights").get(pk=found))

    @admin.action(description="Train a network (CAKT with items)")
    def train(self, request: HttpRequest, queryset: QuerySet[Course]) -> None:
        """Put trainings on the list of work."""
        for course in queryset.select_related("organisation"):

            def what(course: Course = course) -> None:
                jobs.ask_for_training(course=course, at=clock.now(), actor=request.user)

            ask(self, request, course, what, "How far it is stands under training jobs.")

    @admin.action(description="Go back to the tracer that was in use before")
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Course]) -> None:
        """Put the way back on the list of work."""
        for course in queryset.select_related("organisation"):

            def what(course: Course = course) -> None:
                jobs.ask_for_switch(
                    course=course, kind=Kind.ROLL_BACK, at=clock.now(), actor=request.user
                )

            ask(self, request, course, what, SWITCHES)


class InsistForm(ActionForm):
    """Why a version is used though a gate failed."""

    reason = forms.CharField(
        max_length=150, required=False, label="Why, though a gate failed (else leave empty)"
    )


@admin.register(TracerVersion)
class TracerVersionsAdmin(ReadOnlyAdmin):
    """What was learnt from which answers; here a version comes into use."""

    organisation_path = "course__organisation"
    list_display = ("course", "kind", "number", "network", "gates", "created_at")
    list_select_related = ("course",)
    list_filter = (("course", admin.RelatedOnlyFieldListFilter),)
    exclude = ("body",)
    ordering = ("-created_at",)
    action_form = InsistForm
    actions = ("compare", "use")

    @admin.display(description="network")
    def network(self, version: TracerVersion) -> str:
        """Return the number of the network that it uses."""
        return str(version.provenance.get("network") or "") if "deep" in version.body else ""

    @admin.display(description="gates")
    def gates(self, version: TracerVersion) -> str:
        """Return which gates failed."""
        if "deep" not in version.body:
            return ""
        failed = selectors.list_failed_gates(tracer=version)
        return f"failed: {', '.join(failed)}" if failed else "passed"

    @admin.action(description="Show what using this version would change")
    def compare(self, request: HttpRequest, queryset: QuerySet[TracerVersion]) -> None:
        """Put the comparison of one version on the list of work."""
        self._ask(request, queryset, Kind.COMPARE)

    @admin.action(description="Use this version")
    def use(self, request: HttpRequest, queryset: QuerySet[TracerVersion]) -> None:
        """Put the promotion of one version on the list of work."""
        self._ask(request, queryset, Kind.PROMOTE)

    def _ask(
        self, request: HttpRequest, queryset: QuerySet[TracerVersion], kind: SwitchJob.Kind
    ) -> None:
        chosen = list(queryset.select_related("course__organisation")[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one version.", messages.ERROR)
            return
        version = chosen[0]

        def what() -> None:
            jobs.ask_for_switch(
                course=version.course,
                kind=kind,
                tracer=version,
                forced_because=request.POST.get("reason", "") if kind == Kind.PROMOTE else "",
                at=clock.now(),
                actor=request.user,
            )

        ask(self, request, version.course, what, SWITCHES)


@admin.register(Network)
class NetworksAdmin(ReadOnlyAdmin):
    """Trained networks."""

    organisation_path = "course__organisation"
    list_display = ("course", "number", "model", "created_at")
    list_select_related = ("course",)
    fields = ("course", "number", "model", "sha256", "provenance", "created_at")
    ordering = ("-pk",)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Network]:
        """Leave the weights and the vocabulary where they are: megabytes that nobody reads."""
        return super().get_queryset(request).defer("weights", "description")


@admin.register(TrainingJob)
class TrainingJobsAdmin(ReadOnlyAdmin):
    """What is trained, how far it is, and what the network is worth."""

    organisation_path = "course__organisation"
    list_display = ("course", "model", "state", "stage", "progress", "passed", "asked_at")
    list_display += ("problem",)
    list_select_related = ("course",)
    list_filter = ("state", ("course", admin.RelatedOnlyFieldListFilter))
    ordering = ("-pk",)
    exclude = ("scores", "gates", "claim", "done", "total")
    readonly_fields = ("progress", "what_was_measured", "what_the_gates_say")
    actions = ("call_off",)

    @admin.display(description="progress")
    def progress(self, job: TrainingJob) -> str:
        """Return how many parts of the step are done."""
        return f"{job.done} of {job.total}" if job.total and job.finished_at is None else ""

    @admin.display(description="on learners kept aside")
    def what_was_measured(self, job: TrainingJob) -> str:
        """Return the figures in lines."""
        return "\n".join(wording.describe_scores(job.scores))

    @admin.display(description="gates")
    def what_the_gates_say(self, job: TrainingJob) -> str:
        """Return the gates in lines."""
        return "\n".join(wording.describe_gates(job.gates))

    @admin.action(description="Call off")
    def call_off(self, request: HttpRequest, queryset: QuerySet[TrainingJob]) -> None:
        """End trainings that wait or run."""
        for job in queryset.select_related("course__organisation"):
            if jobs.call_off(job=job, at=clock.now(), actor=request.user):
                self.message_user(request, f"{job.course.slug}: called off.")
            else:
                text = f"{job.course.slug}: this training has ended already."
                self.message_user(request, text, messages.ERROR)


@admin.register(SwitchJob)
class SwitchJobsAdmin(ReadOnlyAdmin):
    """What was asked for, how far it is, and what it changes."""

    organisation_path = "course__organisation"
    list_display = ("course", "kind", "tracer", "state", "stage", "hundredths", "asked_at")
    list_display += ("problem",)
    list_select_related = ("course", "tracer")
    list_filter = ("kind", "state")
    ordering = ("-pk",)
    exclude = ("difference",)
    readonly_fields = ("what_changes",)

    @admin.display(description="what it changes")
    def what_changes(self, job: SwitchJob) -> str:
        """Return the difference in lines."""
        return "\n".join(job.difference)


@admin.register(Promotion)
class PromotionsAdmin(ReadOnlyAdmin):
    """Which version was in use from when on."""

    organisation_path = "course__organisation"
    list_display = ("at", "course", "tracer", "reason")
    list_select_related = ("course", "tracer")
    ordering = ("-at",)
