"""Calibrations, and items' lives, in Django's admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override

from tutor.accounts.administration import OrganisationAdmin, ReadOnlyAdmin
from tutor.calibration import selectors, services
from tutor.calibration.models import (
    CalibratedCourse,
    CalibrationJob,
    CalibrationRun,
    ItemCalibration,
    ItemLife,
)
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.models import Course, Item, StatusChange

Kind = CalibrationJob.Kind


def ask(
    page: admin.ModelAdmin,
    request: HttpRequest,
    *,
    course: Course,
    kind: str,
    run: CalibrationRun | None = None,
) -> None:
    """Put a job on the list of work and say so."""
    try:
        services.ask_for(course=course, kind=kind, run=run, at=clock.now(), actor=request.user)
    except TutorError as error:
        page.message_user(request, f"{course.slug}: {error.message}", messages.ERROR)
    else:
        text = f"{course.slug}: asked for. How far it is stands under calibration jobs."
        page.message_user(request, text)


@admin.register(CalibratedCourse)
class CalibratedCoursesAdmin(OrganisationAdmin):
    """Courses with the calibration in use and the share of choices in which items are tried out."""

    list_display = ("slug", "title", "in_use", "pilot_share")
    ordering = ("slug",)
    fields = ("slug", "title", "in_use", "pilot_share")
    readonly_fields = ("slug", "title", "in_use")
    actions = ("calibrate", "roll_back")

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: courses come from course folders and imports."""
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    @override
    def save_model(self, request: HttpRequest, obj: Course, form: Any, change: bool) -> None:
        """Store the pilot share and tell the caches."""
        services.set_pilot_share(course=obj, share=obj.pilot_share)

    @admin.display(description="calibration in use")
    def in_use(self, course: Course) -> str:
        """Return the run that the live tracer pins."""
        run = selectors.get_pinned_run(course_id=course.pk)
        return "none" if run is None else f"{run.number}, of {run.created_at:%Y-%m-%d}"

    @admin.action(description="Calibrate now")
    def calibrate(self, request: HttpRequest, queryset: QuerySet[Course]) -> None:
        """Put calibrations on the list of work."""
        for course in queryset:
            ask(self, request, course=course, kind=Kind.CALIBRATE)

    @admin.action(description="Go back to what was in use before")
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Course]) -> None:
        """Put the way back on the list of work."""
        for course in queryset:
            ask(self, request, course=course, kind=Kind.ROLL_BACK)


@admin.register(CalibrationRun)
class CalibrationRunsAdmin(ReadOnlyAdmin):
    """Calibrations: what went in, the scale, and whether it may be used."""

    organisation_path = "course__organisation"
    list_display = ("course", "number", "passed", "first_attempts", "reference", "created_at")
    list_select_related = ("course", "reference")
    list_filter = (("course", admin.RelatedOnlyFieldListFilter), "passed")
    ordering = ("-pk",)
    actions = ("use",)

    @admin.display(description="first attempts")
    def first_attempts(self, run: CalibrationRun) -> int:
        """Return how many answers were calibrated."""
        return int(run.census["calibrated"])

    @admin.action(description="Use this calibration")
    def use(self, request: HttpRequest, queryset: QuerySet[CalibrationRun]) -> None:
        """Put the promotion of one run on the list of work."""
        runs = list(queryset.select_related("course")[:2])
        if len(runs) == 1:
            ask(self, request, course=runs[0].course, kind=Kind.PROMOTE, run=runs[0])
        else:
            self.message_user(request, "Choose one calibration.", messages.ERROR)


@admin.register(ItemCalibration)
class ItemCalibrationsAdmin(ReadOnlyAdmin):
    """What each run found out about each item."""

    organisation_path = "run__course__organisation"
    list_display = ("version", "run", "n", "n_random", "difficulty", "difficulty_se")
    list_display += ("discrimination", "flags")
    list_select_related = ("run", "version__item")
    list_filter = (("run", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("version__item__slug",)
    ordering = ("-run", "version")


@admin.register(CalibrationJob)
class CalibrationJobsAdmin(ReadOnlyAdmin):
    """What was asked for, how far it is, and what using a run would change."""

    organisation_path = "course__organisation"
    list_display = ("course", "kind", "state", "stage", "hundredths", "asked_at", "problem")
    list_select_related = ("course",)
    list_filter = ("kind", "state")
    ordering = ("-pk",)
    exclude = ("difference",)
    readonly_fields = ("what_changes",)

    @admin.display(description="what using it changes")
    def what_changes(self, job: CalibrationJob) -> str:
        """Return the difference in lines."""
        return "\n".join(job.difference)


class StatusForm(ActionForm):
    """Where to move items, and why."""

    status = forms.ChoiceField(choices=Item.Status.choices, required=False)
    reason = forms.CharField(max_length=300, required=False)


@admin.register(ItemLife)
class ItemLivesAdmin(ReadOnlyAdmin):
    """Items and where they are in their lives."""

    organisation_path = "course__organisation"
    list_display = ("slug", "course", "status", "current")
    list_select_related = ("course", "current__item")
    list_filter = ("status", ("course", admin.RelatedOnlyFieldListFilter))
    search_fields = ("slug",)
    ordering = ("course", "slug")
    action_form = StatusForm
    actions = ("move",)

    @admin.action(description="Move to the status chosen")
    def move(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        """Move items on, each with the person's reason."""
        status, reason = request.POST.get("status", ""), request.POST.get("reason", "")
        for item in queryset.select_related("course"):
            try:
                services.set_status(item=item, status=status, actor=request.user, reason=reason)
            except TutorError as error:
                self.message_user(request, f"{item.slug}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, f"{item.slug}: {status}.")


@admin.register(StatusChange)
class StatusChangesAdmin(ReadOnlyAdmin):
    """What moved items on in their lives, and back."""

    organisation_path = "item__course__organisation"
    list_display = ("at", "item", "before", "after", "actor", "calibration", "reason")
    list_select_related = ("item", "actor")
    list_filter = ("after", ("item__course", admin.RelatedOnlyFieldListFilter))
    search_fields = ("item__slug",)
    ordering = ("-pk",)
    actions = ("take_back",)

    @admin.action(description="Take back")
    def take_back(self, request: HttpRequest, queryset: QuerySet[StatusChange]) -> None:
        """Take changes back, newest first."""
        for change in queryset.select_related("item__course").order_by("-pk"):
            try:
                services.take_back(change=change, actor=request.user, reason="")
            except TutorError as error:
                self.message_user(request, f"{change.item.slug}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, f"{change.item.slug}: {change.before} again.")
