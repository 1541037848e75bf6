"""People and organisations in Django's admin."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from typing_extensions import override

from tutor.accounts import services
from tutor.accounts.administration import OrganisationAdmin, ReadOnlyAdmin
from tutor.accounts.models import AuditEntry, Learner, Organisation, User

# Roles decide here; groups of permissions would say something else.
admin.site.unregister(Group)


@admin.register(Organisation)
class OrganisationsAdmin(OrganisationAdmin):
    """Only whoever runs the installation opens or renames an organisation."""

    organisation_path = "pk"
    list_display = ("name", "slug", "created_at")
    fields = ("name", "slug")

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let superusers add."""
        return bool(request.user.is_superuser)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers change."""
        return bool(request.user.is_superuser)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: everything hangs on it."""
        return False


@admin.register(User)
class AccountsAdmin(OrganisationAdmin, UserAdmin):
    """Accounts. They are deactivated, not deleted: answers and acts name them."""

    list_display = ("username", "first_name", "last_name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    ordering = ("username",)
    filter_horizontal = ()
    personal = ("first_name", "last_name", "email", "role", "is_active")

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the organisation's accounts; those of superusers only to superusers."""
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(is_superuser=False)

    @override
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields; the organisation is chosen once, and by superusers only."""
        with_organisation = ("organisation",) if request.user.is_superuser else ()
        if obj is None:
            passwords = ("username", "usable_password", "password1", "password2")
            return [(None, {"fields": (*passwords, *self.personal[:-1], *with_organisation)})]
        return [(None, {"fields": ("username", "password", *self.personal, *with_organisation)})]

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what is settled: the organisation, and one's own role."""
        if obj is None:
            return ()
        return ("organisation", *(("role", "is_active") if obj.pk == request.user.pk else ()))

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    @override
    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Store the account in the own organisation; a student gets a learner."""
        if not change and not request.user.is_superuser:
            obj.organisation = request.user.organisation
        super().save_model(request, obj, form, change)
        services.ensure_learner(user=obj)


@admin.register(Learner)
class LearnersAdmin(ReadOnlyAdmin):
    """Learners with their pseudonyms, needed to put them into classes."""

    list_display = ("label", "pseudonym", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__first_name", "user__last_name", "pseudonym")
    exclude = ("source_key",)
    readonly_fields = ("pseudonym",)
    ordering = ("-created_at",)


@admin.register(AuditEntry)
class AuditEntriesAdmin(ReadOnlyAdmin):
    """What was done."""

    list_display = ("at", "action", "subject", "actor")
    list_select_related = ("actor",)
    ordering = ("-at",)
