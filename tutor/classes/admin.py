"""Classes in Django's admin. Assignments are in `tutor.scheduling`, whose rules bound them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from typing_extensions import override

from tutor.accounts.administration import OrganisationAdmin, OrganisationInline
from tutor.classes.models import Classroom, Enrolment, Teaching


class EnrolmentInline(OrganisationInline):
    """Learners of a class."""

    model = Enrolment
    organisation_path = "classroom__organisation"
    autocomplete_fields = ("learner",)


class TeachingInline(OrganisationInline):
    """Teachers of a class."""

    model = Teaching
    organisation_path = "classroom__organisation"
    autocomplete_fields = ("teacher",)


@admin.register(Classroom)
class ClassroomsAdmin(OrganisationAdmin):
    """Classes with their learners and teachers."""

    list_display = ("name", "course", "created_at")
    list_select_related = ("course",)
    search_fields = ("name",)
    ordering = ("name",)
    inlines = (TeachingInline, EnrolmentInline)

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields; a class belongs to the organisation of its course."""
        return ("name", "course")

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what is settled: answers were given to this course."""
        return ("course",) if obj else ()

    @override
    def save_model(self, request: HttpRequest, obj: Classroom, form: Any, change: bool) -> None:
        """Store the class in the organisation of its course."""
        obj.organisation = obj.course.organisation
        super().save_model(request, obj, form, change)
