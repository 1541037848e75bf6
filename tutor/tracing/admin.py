"""The deep tracer's work list and its standings in Django's admin."""

from collections import defaultdict
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.common import clock
from tutor.tracing import releasing
from tutor.tracing.models import DeepStanding, DueLearner, FilterStanding, Standing


class IsAside(admin.SimpleListFilter):
    """Those who were left aside, or those who wait for a worker."""

    title = "state"
    parameter_name = "state"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the two."""
        return [("aside", "left aside"), ("waiting", "waiting")]

    @override
    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DueLearner]
    ) -> QuerySet[DueLearner]:
        """Return the rows of the one that was chosen."""
        if self.value() is None:
            return queryset
        return queryset.filter(quarantined_at__isnull=self.value() != "aside")


@admin.register(DueLearner)
class DueLearnersAdmin(ReadOnlyAdmin):
    """Whose deep estimate lies behind, and who was left aside with which error; no names."""

    organisation_path = "course__organisation"
    list_display = ("course", "pseudonym", "since", "tries", "quarantined_at", "last_line")
    list_select_related = ("course", "learner")
    list_filter = (IsAside, ("course", admin.RelatedOnlyFieldListFilter))
    search_fields = ("learner__pseudonym",)
    fields = ("course", "pseudonym", "since", "marks", "refold", "claimed_at", "tries")
    fields += ("quarantined_at", "error")
    readonly_fields = ("pseudonym",)
    # Whoever was left aside waits for a person, the others for a worker.
    ordering = ("quarantined_at", "since", "pk")
    actions = ("release",)

    @admin.display(description="learner", ordering="learner__pseudonym")
    def pseudonym(self, row: DueLearner) -> str:
        """Return the learner's pseudonym."""
        return str(row.learner.pseudonym)

    @admin.display(description="error")
    def last_line(self, row: DueLearner) -> str:
        """Return what the error says, without where it was raised."""
        return row.error.strip().rpartition("\n")[2][:200]

    @admin.action(description="Release: try again whoever was left aside")
    def release(self, request: HttpRequest, queryset: QuerySet[DueLearner]) -> None:
        """Take learners out of quarantine, course by course."""
        chosen = defaultdict(list)
        for row in queryset.select_related("course__organisation"):
            chosen[row.course].append(row.learner_id)
        for course, learner_ids in chosen.items():
            count = releasing.release(
                course=course, learner_ids=learner_ids, at=clock.now(), actor=request.user
            )
            if count:
                self.message_user(request, f"{course.slug}: {count} released, to be tried again.")
            else:
                text = f"{course.slug}: none of them was left aside; workers will come to them."
                self.message_user(request, text, messages.ERROR)


@admin.register(DeepStanding, FilterStanding)
class StandingsAdmin(ReadOnlyAdmin):
    """Where the network, or the filter, was taken out and came back, and on what evidence."""

    organisation_path = "course__organisation"
    list_display = ("at", "course", "place", "topic", "counts", "tracer", "answers", "difference")
    list_select_related = ("course", "classroom", "concept", "tracer")
    list_filter = ("counts",)
    ordering = ("-pk",)

    @admin.display(description="where", ordering="classroom")
    def place(self, row: Standing) -> str:
        """Return the class, or that it is the course as a whole."""
        return row.classroom.name if row.classroom else "whole course"

    @admin.display(description="topic", ordering="concept")
    def topic(self, row: Standing) -> str:
        """Return the concept's name, or that it holds for all."""
        return row.concept.name if row.concept else "all"

    @admin.display(description="answers")
    def answers(self, row: Standing) -> int | None:
        """Return on how many answers it was decided."""
        return row.evidence.get("n")

    @admin.display(description="loss with it less loss without")
    def difference(self, row: Standing) -> str:
        """Return the difference with its standard error, nats."""
        found = row.evidence
        if "difference" not in found:
            return ""
        return f"{found['difference']:.3f} ± {found['error']:.3f}"
