"""Calibrations, and items' lives, in Django's admin."""

import functools
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override

from tutor.accounts.administration import OrganisationAdmin, ReadOnlyAdmin
from tutor.calibration import overrides, selectors, services, showing
from tutor.calibration.deciding import DifficultyForm, ReasonForm, decide_by_hand, told_of
from tutor.calibration.models import (
    CalibratedCourse,
    CalibrationJob,
    CalibrationRun,
    DifficultyOverride,
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
    exclude = ("groups",)
    readonly_fields = ("comparison_of_groups",)

    @admin.display(description="comparison of groups")
    def comparison_of_groups(self, run: CalibrationRun) -> str:
        """Return the items that were compared, the largest differences first, as a table."""
        return showing.as_html(showing.describe_groups(run), *showing.tabulate_groups(run))

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
    list_display += ("discrimination", "flags", "override")
    list_select_related = ("run", "version__item", "override")
    list_filter = (("run", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("version__item__slug",)
    ordering = ("-run", "version")
    action_form = DifficultyForm
    actions = ("set_by_hand", "keep", "lift")

    @admin.action(description="Set the difficulty by hand")
    def set_by_hand(self, request: HttpRequest, queryset: QuerySet[ItemCalibration]) -> None:
        """Decide how hard one item version is."""
        rows = list(queryset.select_related("version__item__course")[:2])
        told = told_of(request)
        if len(rows) != 1:
            self.message_user(request, "Choose one item.", messages.ERROR)
        elif told is None:
            text = "Give a difficulty and its standard error, both in logits."
            self.message_user(request, text, messages.ERROR)
        else:
            setting = functools.partial(overrides.set_difficulty, version=rows[0].version, **told)
            decide_by_hand(self, request, rows[0], setting)

    @admin.action(description="Keep this run's difficulty")
    def keep(self, request: HttpRequest, queryset: QuerySet[ItemCalibration]) -> None:
        """Keep what the run says of the items, whatever later ones say."""
        for row in queryset.select_related("run", "version__item__course"):
            keeping = functools.partial(overrides.keep_difficulty, version=row.version, run=row.run)
            decide_by_hand(self, request, row, keeping)

    @admin.action(description="Lift what was decided by hand")
    def lift(self, request: HttpRequest, queryset: QuerySet[ItemCalibration]) -> None:
        """Let the calibration alone say again how hard the items are."""
        for row in queryset.select_related("version__item__course"):
            decide_by_hand(
                self, request, row, functools.partial(overrides.lift, version=row.version)
            )


@admin.register(DifficultyOverride)
class DifficultyOverridesAdmin(ReadOnlyAdmin):
    """What persons have decided about items' difficulties, and why; the newest of an item holds."""

    organisation_path = "version__item__course__organisation"
    list_display = ("at", "version", "rule", "difficulty", "se", "run", "actor", "reason")
    list_select_related = ("version__item", "run", "actor")
    list_filter = ("rule", ("version__item__course", admin.RelatedOnlyFieldListFilter))
    search_fields = ("version__item__slug",)
    ordering = ("-pk",)
    action_form = ReasonForm
    actions = ("lift",)

    @admin.action(description="Lift what was decided by hand")
    def lift(self, request: HttpRequest, queryset: QuerySet[DifficultyOverride]) -> None:
        """Let the calibration alone say again how hard the items are."""
        for row in queryset.select_related("version__item__course"):
            decide_by_hand(
                self, request, row, functools.partial(overrides.lift, version=row.version)
            )


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
    readonly_fields = ("history",)
    action_form = StatusForm
    actions = ("move",)

    @admin.display(description="history of its difficulty")
    def history(self, item: Item) -> str:
        """Return what every run found, and what persons have decided, newest first, as a table."""
        return showing.as_html([], *showing.tabulate_history(item))

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
