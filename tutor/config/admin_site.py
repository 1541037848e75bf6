"""Django's admin, open to administrators by their role, with our own sign-in page."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from typing_extensions import override

from tutor.accounts.administration import is_administrator
from tutor.common.errors import NotVisible


class TutorAdminSite(admin.AdminSite):
    """The admin of the tutor."""

    site_header = "Manage the tutor"
    site_title = "Tutor"
    index_title = "What would you like to change?"

    @override
    def has_permission(self, request: HttpRequest) -> bool:
        """Test whether the person administers anything."""
        return is_administrator(request.user)

    @override
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send to the sign-in of all.

        Raises:
            NotVisible: the person is signed in, but this is not for them.
        """
        if request.user.is_authenticated and not self.has_permission(request):
            raise NotVisible("This page is for administrators.")
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
