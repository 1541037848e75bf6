"""Sittings in Django's admin, to look at."""

from django.contrib import admin

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.practice.models import ItemReport, PracticeSession, SetAside, TeacherNote


@admin.register(PracticeSession)
class PracticeSessionsAdmin(ReadOnlyAdmin):
    """Sittings."""

    organisation_path = "learner__organisation"
    list_display = ("started_at", "learner", "course", "n_answered", "n_correct", "finish_reason")
    list_select_related = ("learner__user", "course")
    exclude = ("mastery_at_start",)
    ordering = ("-id",)


class SaidAdmin(ReadOnlyAdmin):
    """What learners said, the newest first."""

    organisation_path = "learner__organisation"
    ordering = ("-id",)


@admin.register(ItemReport)
class ItemReportsAdmin(SaidAdmin):
    """Problems with items."""

    list_display = ("at", "kind", "item", "text", "learner")
    list_select_related = ("learner__user", "decision__item_version__item")
    list_filter = ("kind",)

    @admin.display(description="item")
    def item(self, row: ItemReport) -> str:
        """Return which item, and in which of its versions."""
        version = row.decision.item_version
        return f"{version.item.slug} v{version.number}" if version else ""


@admin.register(TeacherNote)
class TeacherNotesAdmin(SaidAdmin):
    """Calls for a teacher's help."""

    list_display = ("at", "learner", "text")
    list_select_related = ("learner__user",)


@admin.register(SetAside)
class SetAsideAdmin(SaidAdmin):
    """Items put off."""

    list_display = ("at", "learner", "kind", "item")
    list_select_related = ("learner__user", "decision__item_version__item")
    list_filter = ("kind",)

    @admin.display(description="item")
    def item(self, row: SetAside) -> str:
        """Return which item."""
        version = row.decision.item_version
        return version.item.slug if version else ""
