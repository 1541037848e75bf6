"""Signing in, with a limit on wrong passwords."""

import hashlib
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from typing_extensions import override

from tutor.common.errors import TutorError

MOST_FAILURES = 10
WINDOW_S = 15 * 60


class TooManyTries(TutorError):
    """A name was tried with wrong passwords too often; it opens again after a while."""

    code = "config.too-many-tries"
    status = 429


class SignInForm(AuthenticationForm):
    """Django's form; after `MOST_FAILURES` failures of a name from an address it waits.

    The count is kept in Django's cache, so by each web process for itself. It ends `WINDOW_S`
    after the first failure, or when the person signs in.
    """

    @override
    def clean(self) -> dict[str, Any]:
        """Check name and password.

        Raises:
            TooManyTries: the limit is reached, whatever the password says.
        """
        key = _key(self.request, str(self.cleaned_data.get("username", "")))
        if cache.get(key, 0) >= MOST_FAILURES:
            raise TooManyTries(
                gettext(
                    "Too many wrong tries to sign in with this name. "
                    "Wait %(minutes)d minutes and try again."
                )
                % {"minutes": WINDOW_S // 60}
            )
        try:
            cleaned = super().clean()
        except ValidationError:
            _count_failure(key)
            raise
        cache.delete(key)
        return cleaned


def _count_failure(key: str) -> None:
    # `add` leaves the end of a window that has begun where it is.
    if not cache.add(key, 1, WINDOW_S):
        try:
            cache.incr(key)
        except ValueError:  # the window ended in between
            cache.set(key, 1, WINDOW_S)


def _key(request: HttpRequest | None, username: str) -> str:
    address = "" if request is None else request.META.get("REMOTE_ADDR", "")
    # Hashed: a name may hold what a key may not, and be of any length.
    digest = hashlib.sha256(f"{address}\n{username.casefold()}".encode(errors="replace"))
    return f"sign-in:{digest.hexdigest()}"
