"""Courses in Django's admin, to look at: content comes from course folders and imports."""

from django.contrib import admin

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.content.models import Concept, Course, Item


@admin.register(Course)
class CoursesAdmin(ReadOnlyAdmin):
    """Courses."""

    list_display = ("title", "slug", "language", "created_at")
    ordering = ("title",)


@admin.register(Concept)
class ConceptsAdmin(ReadOnlyAdmin):
    """Concepts in teaching order."""

    organisation_path = "course__organisation"
    list_display = ("name", "slug", "course", "position")
    list_select_related = ("course",)
    list_filter = (("course", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("name", "slug")
    ordering = ("course", "position")


@admin.register(Item)
class ItemsAdmin(ReadOnlyAdmin):
    """Items and where they are in their life."""

    organisation_path = "course__organisation"
    list_display = ("slug", "course", "status", "current")
    list_select_related = ("course", "current__item")
    list_filter = ("status", ("course", admin.RelatedOnlyFieldListFilter))
    search_fields = ("slug",)
    ordering = ("course", "slug")
