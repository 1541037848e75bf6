"""Sittings in Django's admin, to look at."""

from django.contrib import admin

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.practice.models import PracticeSession


@admin.register(PracticeSession)
class PracticeSessionsAdmin(ReadOnlyAdmin):
    """Sittings."""

    organisation_path = "learner__organisation"
    list_display = ("started_at", "learner", "course", "n_answered", "n_correct", "finish_reason")
    list_select_related = ("learner__user", "course")
    exclude = ("mastery_at_start",)
    ordering = ("-id",)
