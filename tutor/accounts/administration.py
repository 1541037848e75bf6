"""What an administrator sees of Django's admin: their own organisation, never another.

Superusers, who run the installation, see everything. For everybody else the role decides, not
Django's permissions: there is one place that says who administers.
"""

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey, ManyToManyField, Model, QuerySet
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.http import HttpRequest
from typing_extensions import override

from tutor.accounts.models import User


def is_administrator(user: object) -> bool:
    """Test whether a person administers an organisation or runs the installation."""
    return isinstance(user, User) and user.may_administer


class _OwnOrganisation:
    """Rows and choices of the own organisation. `organisation_path` leads to its id."""

    organisation_path = "organisation"

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the person's organisation."""
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        if request.user.is_superuser:
            return rows
        if not is_administrator(request.user):
            return rows.none()
        return rows.filter(**{self.organisation_path: request.user.organisation_id})

    @override
    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        """Offer, and accept, only rows that the person sees."""
        kwargs.setdefault("queryset", self._seen(db_field, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    @override
    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        """Offer, and accept, only rows that the person sees."""
        kwargs.setdefault("queryset", self._seen(db_field, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    def _seen(self, db_field: Any, request: HttpRequest) -> QuerySet[Any]:
        target = db_field.remote_field.model
        found = self.admin_site._registry.get(target)  # type: ignore[attr-defined]  # noqa: SLF001
        return found.get_queryset(request) if found else target._default_manager.none()  # noqa: SLF001

    @override
    def has_module_permission(self, request: HttpRequest) -> bool:
        """Let administrators in."""
        return is_administrator(request.user)

    @override
    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let administrators look; which rows, the query set decides."""
        return is_administrator(request.user)


class OrganisationAdmin(_OwnOrganisation, admin.ModelAdmin):
    """Rows that an administrator may look at and change."""

    show_full_result_count = False

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let administrators add."""
        return is_administrator(request.user)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let administrators change."""
        return is_administrator(request.user)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let administrators delete; what answers hang on is protected by the database."""
        return is_administrator(request.user)


class ReadOnlyAdmin(_OwnOrganisation, admin.ModelAdmin):
    """Rows that are looked at here and written elsewhere, if at all."""

    show_full_result_count = False

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False


class OrganisationInline(_OwnOrganisation, admin.TabularInline):
    """Rows inside another's form."""

    extra = 0

    @override
    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let administrators add."""
        return is_administrator(request.user)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let administrators change."""
        return is_administrator(request.user)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let administrators take out."""
        return is_administrator(request.user)
