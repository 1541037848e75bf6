"""Decisions in Django's admin, to look at; assignments, to change."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.classes.models import Assignment
from tutor.scheduling.assignment_admin import AssignmentsAdmin
from tutor.scheduling.models import (
    ClassScheduling,
    Decision,
    DelayedProbe,
    GroupComparison,
    ItemExposure,
    PolicyNight,
    PolicyPromotion,
    PolicyVersion,
    SteeringRule,
    StuckRelease,
)

admin.site.register(Assignment, AssignmentsAdmin)


@admin.register(Decision)
class DecisionsAdmin(ReadOnlyAdmin):
    """Every choice of the next item, with its receipt."""

    organisation_path = "learner__organisation"
    list_display = ("at", "learner", "item_version", "reason", "propensity", "policy")
    list_select_related = ("learner__user", "item_version__item")
    list_filter = ("reason",)
    ordering = ("-id",)


@admin.register(ClassScheduling)
class ClassSchedulingAdmin(ReadOnlyAdmin):
    """How the items of classes were chosen, and since when."""

    organisation_path = "classroom__organisation"
    list_display = ("at", "classroom", "policy", "explores", "probes", "kill_switch", "set_by")
    list_select_related = ("classroom", "set_by")
    ordering = ("-id",)


@admin.register(PolicyVersion)
class PolicyVersionsAdmin(ReadOnlyAdmin):
    """What policies have learnt, and what their gates said."""

    organisation_path = "course__organisation"
    list_display = ("created_at", "course", "policy", "number", "sha256")
    list_select_related = ("course",)
    ordering = ("-id",)


@admin.register(PolicyPromotion)
class PolicyPromotionsAdmin(ReadOnlyAdmin):
    """Which version served from when on."""

    organisation_path = "course__organisation"
    list_display = ("at", "course", "version", "reason")
    list_select_related = ("course", "version")
    ordering = ("-id",)


@admin.register(PolicyNight)
class PolicyNightsAdmin(ReadOnlyAdmin):
    """What the nights came to, gate by gate."""

    organisation_path = "course__organisation"
    list_display = ("at", "course")
    list_select_related = ("course",)
    ordering = ("-id",)


@admin.register(DelayedProbe)
class DelayedProbesAdmin(ReadOnlyAdmin):
    """What is, or was, asked again after a day or more."""

    organisation_path = "course__organisation"
    list_display = ("due_at", "learner", "concept", "expected", "credit", "answered_at")
    list_select_related = ("learner__user", "concept")
    ordering = ("-id",)


@admin.register(StuckRelease)
class StuckReleasesAdmin(ReadOnlyAdmin):
    """Who was let go on by whom."""

    organisation_path = "concept__course__organisation"
    list_display = ("at", "learner", "concept", "released_by", "note")
    list_select_related = ("learner__user", "concept", "released_by")
    ordering = ("-id",)


@admin.register(SteeringRule)
class SteeringRulesAdmin(ReadOnlyAdmin):
    """What teachers asked for and took back; set on the class's own page."""

    organisation_path = "classroom__organisation"
    list_display = ("at", "classroom", "kind", "item", "concept", "value", "set_by", "reason")
    list_select_related = ("classroom", "item", "concept", "set_by")
    list_filter = ("kind",)
    ordering = ("-id",)


@admin.register(GroupComparison)
class GroupComparisonsAdmin(ReadOnlyAdmin):
    """How groups of learners fared, each with how many there are; none below ten is measured."""

    organisation_path = "course__organisation"
    list_display = ("at", "course", "by", "alarms")
    list_select_related = ("course",)
    ordering = ("-id",)
    fields = ("course", "at", "by", "gaps")
    readonly_fields = fields

    @admin.display(description="Alarms")
    def alarms(self, row: GroupComparison) -> int:
        """Return how many intervals lie wholly beyond the tolerated gap."""
        return sum(gap["alarm"] for gaps in row.body.values() for gap in gaps)

    @admin.display(description="Gaps")
    def gaps(self, row: GroupComparison) -> SafeString:
        """Return every group against all others, measure by measure."""
        lines = [
            (measure, gap["group"], gap["learners"], *_in_words(gap))
            for measure, gaps in row.body.items()
            for gap in gaps
        ]
        rows = format_html_join("", f"<tr>{'<td>{}</td>' * 6}</tr>", lines)
        return format_html(
            "<table><thead><tr><th>Measure</th><th>Group</th><th>Learners</th><th>Mean</th>"
            "<th>Less the others (95 % interval)</th><th>Alarm</th></tr></thead>"
            "<tbody>{}</tbody></table>",
            rows,
        )


@admin.register(ItemExposure)
class ItemExposuresAdmin(ReadOnlyAdmin):
    """How many learners of a course were given each item before a night."""

    organisation_path = "course__organisation"
    list_display = ("day", "course", "learners")
    list_select_related = ("course",)
    ordering = ("-id",)


def _in_words(gap: dict[str, Any]) -> tuple[str, str, str]:
    if gap["mean"] is None:
        return "–", "too few learners", ""
    interval = f"{gap['gap']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})"
    return f"{gap['mean']:.3f}", interval, "yes" if gap["alarm"] else "no"
