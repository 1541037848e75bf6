"""Decisions in Django's admin, to look at."""

from django.contrib import admin

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.scheduling.models import Decision


@admin.register(Decision)
class DecisionsAdmin(ReadOnlyAdmin):
    """Every choice of the next item, with its receipt."""

    organisation_path = "learner__organisation"
    list_display = ("at", "learner", "item_version", "reason", "propensity", "policy")
    list_select_related = ("learner__user", "item_version__item")
    list_filter = ("reason",)
    ordering = ("-id",)
