"""In which language a page comes: the person's, else the device's, else the browser's."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from tutor.accounts import services as account_services
from tutor.accounts.models import User

# Their texts are not marked for translators: half a page in another language helps nobody.
ONE_LANGUAGE = {"teacher", "intake", "admin"}
A_YEAR_S = 365 * 24 * 60 * 60


class PersonLanguage:
    """Middleware, after Django's own for the browser's language and after signing in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Take the language that the person has chosen, and pass the request on."""
        # Without the cookie nobody is signed in, and the session need not be looked at.
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            chosen = getattr(request.user, "language", "")
            if chosen in dict(settings.LANGUAGES):
                _activate(request, chosen)
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Keep pages that are not translated in the language that they are written in."""
        match = request.resolver_match
        if match is not None and ONE_LANGUAGE & set(match.app_names):
            _activate(request, settings.LANGUAGE_CODE)
            request.in_one_language = True  # type: ignore[attr-defined]


def _activate(request: HttpRequest, language: str) -> None:
    translation.activate(language)
    request.LANGUAGE_CODE = translation.get_language()  # type: ignore[attr-defined]


def _find_way_back(request: HttpRequest) -> str:
    """Return where the person is: what the browser says, else where the form was drawn.

    The two differ where the page has changed in part since, as from a question to what came of it.
    """
    for address in (request.headers.get("Referer", ""), request.POST.get("next", "")):
        if url_has_allowed_host_and_scheme(
            address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        ):
            return address
    return reverse("front")


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep the choice: with the account, or on the device of whoever is not signed in."""
    language = request.POST.get("language", "")
    response = redirect(_find_way_back(request))
    if request.user.is_authenticated:
        account_services.set_language(user=cast(User, request.user), language=language)
    elif language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=A_YEAR_S,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
