"""Decisions in Django's admin, to look at."""

from django.contrib import admin

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.scheduling.models import (
    ClassScheduling,
    Decision,
    DelayedProbe,
    PolicyNight,
    PolicyPromotion,
    PolicyVersion,
    StuckRelease,
)


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
