"""Thresholds and actions, for staff to look at. What teachers wrote stays with them."""

from django.contrib import admin

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.alerts.models import AlertAction, AlertThresholds


@admin.register(AlertThresholds)
class AlertThresholdsAdmin(ReadOnlyAdmin):
    """When a class's teachers are called, each change with who and when."""

    organisation_path = "classroom__organisation"
    list_display = ("at", "classroom", "set_by")
    list_select_related = ("classroom", "set_by")
    ordering = ("-id",)


@admin.register(AlertAction)
class AlertActionsAdmin(ReadOnlyAdmin):
    """What was done about alerts."""

    organisation_path = "classroom__organisation"
    # As with notes: the text is for those who teach the class.
    exclude = ("text", "client_key")
    list_display = ("at", "classroom", "learner", "kind", "what", "actor")
    list_select_related = ("classroom", "learner__user", "actor")
    list_filter = ("kind", "what")
    ordering = ("-id",)
