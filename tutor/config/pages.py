"""The front door: to each person their own start page, and errors as pages."""

from collections.abc import Callable
from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from tutor.accounts.models import User
from tutor.common.errors import NotAllowed, TutorError


@login_required
def front(request: HttpRequest) -> HttpResponse:
    """Send a person to where they work."""
    user = cast(User, request.user)
    if user.organisation_id is None:
        # Whoever runs the installation belongs to no school.
        return redirect("admin:index") if user.may_administer else _nowhere(request)
    return redirect("student:home" if user.role == User.Role.STUDENT else "teacher:classes")


def _nowhere(request: HttpRequest) -> HttpResponse:
    problem = NotAllowed(
        gettext("This account belongs to no school yet. Ask whoever gave it to you.")
    )
    return render(request, "error.html", {"error": problem}, status=problem.status)


class TutorErrorPages:
    """Middleware: an anticipated failure becomes a page that says what to do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page of an anticipated failure; leave the others to Django."""
        if not isinstance(error, TutorError):
            return None
        page = render(request, "error.html", {"error": error}, status=error.status)
        if 400 <= error.status < 500 and error.status != 429:
            # A page that holds an answer for sending need not try it again (student/posting.py).
            page.headers["X-Tutor-Answer"] = "refused"
        return page
