"""The log in Django's admin, to look at."""

from django.contrib import admin

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.responses.models import LogImport, Response


@admin.register(Response)
class ResponsesAdmin(ReadOnlyAdmin):
    """Answers; a correction is a new row, never a change here."""

    organisation_path = "learner__organisation"
    list_display = ("answered_at", "learner", "item_version", "is_correct", "attempt", "hints_seen")
    list_select_related = ("learner__user", "item_version__item")
    list_filter = ("is_correct",)
    ordering = ("-id",)


@admin.register(LogImport)
class LogImportsAdmin(ReadOnlyAdmin):
    """Imported logs."""

    list_display = ("started_at", "format", "course", "rows_added", "rows_known", "finished_at")
    list_select_related = ("course",)
    ordering = ("-started_at",)
