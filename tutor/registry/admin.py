"""Tracer versions in Django's admin, to look at."""

from django.contrib import admin

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.registry.models import Promotion, TracerVersion


@admin.register(TracerVersion)
class TracerVersionsAdmin(ReadOnlyAdmin):
    """What was learnt from which answers."""

    organisation_path = "course__organisation"
    list_display = ("course", "kind", "number", "created_at")
    list_select_related = ("course",)
    exclude = ("body",)
    ordering = ("-created_at",)


@admin.register(Promotion)
class PromotionsAdmin(ReadOnlyAdmin):
    """Which version was in use from when on."""

    organisation_path = "course__organisation"
    list_display = ("at", "course", "tracer", "reason")
    list_select_related = ("course", "tracer")
    ordering = ("-at",)
