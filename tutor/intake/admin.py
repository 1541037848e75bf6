"""Uploads in Django's admin, to look at: they are moved on by their own pages."""

from django.contrib import admin

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.intake.models import Upload


@admin.register(Upload)
class UploadsAdmin(ReadOnlyAdmin):
    """What was brought in the browser, with what the file held left out."""

    list_display = ("file_name", "course_title", "state", "uploaded_by", "created_at")
    list_select_related = ("uploaded_by",)
    list_filter = ("state",)
    ordering = ("-created_at",)
    fields = ("file_name", "size_bytes", "sha256", "course_title", "state", "problem")
    fields += ("uploaded_by", "created_at", "moved_at", "agreed_at", "rows_added")
