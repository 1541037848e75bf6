"""Classes and assignments in Django's admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from typing_extensions import override

from tutor.accounts.administration import OrganisationAdmin, OrganisationInline
from tutor.classes.models import Assignment, Classroom, Enrolment, Teaching
from tutor.content import services as content_services


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


class AssignmentForm(forms.ModelForm):
    """An assignment whose concepts are of its class's course."""

    def clean(self) -> dict[str, Any] | None:
        """Check that the concepts fit the class."""
        fields = super().clean()
        # Not in the form once the assignment exists; missing if it was refused.
        is_new = self.instance.pk is None
        classroom = self.cleaned_data.get("classroom") if is_new else self.instance.classroom
        strangers = [
            concept.name
            for concept in self.cleaned_data.get("concepts") or ()
            if classroom is not None and concept.course_id != classroom.course_id
        ]
        if strangers:
            self.add_error("concepts", f"Of another course: {', '.join(strangers)}.")
        return fields


@admin.register(Assignment)
class AssignmentsAdmin(OrganisationAdmin):
    """Assignments. No concept chosen means the whole course."""

    form = AssignmentForm
    organisation_path = "classroom__organisation"
    list_display = ("title", "classroom", "opens_at", "due_at", "items_per_session")
    list_select_related = ("classroom",)
    search_fields = ("title",)
    filter_horizontal = ("concepts",)
    fields = ("classroom", "title", "concepts", "opens_at", "due_at", "items_per_session")

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what is settled: the class."""
        return ("classroom",) if obj else ()

    @override
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Store the concepts and tell the caches that the goal may be another one."""
        super().save_related(request, form, formsets, change)
        content_services.raise_revision(course=form.instance.classroom.course)
