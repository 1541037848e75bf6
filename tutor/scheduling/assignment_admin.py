"""Assignments in Django's admin: checked against what the course and the rules leave."""

from typing import Any

from django import forms
from django.http import HttpRequest
from typing_extensions import override

from tutor.accounts.administration import OrganisationAdmin
from tutor.classes.models import Classroom
from tutor.common import clock
from tutor.content import services as content_services
from tutor.scheduling import assigning
from tutor.scheduling.errors import InfeasibleAssignment
from tutor.tracing.errors import NoTracer


class AssignmentForm(forms.ModelForm):
    """An assignment whose concepts are of its class's course, and can be worked on."""

    def clean(self) -> dict[str, Any] | None:
        """Check that the concepts fit the class, and what the class's rules leave."""
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
        elif classroom is not None and (is_new or "concepts" in self.changed_data):
            self._require_feasible(classroom)
        return fields

    def _require_feasible(self, classroom: Classroom) -> None:
        # The admin's views are transactions: the class is locked until the assignment is stored.
        try:
            assigning.require_feasible(
                classroom=classroom,
                concepts=list(self.cleaned_data.get("concepts") or ()),
                at=clock.now(),
                assignment=self.instance if self.instance.pk else None,
            )
        except (InfeasibleAssignment, NoTracer) as problem:
            self.add_error("concepts", problem.message)


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
