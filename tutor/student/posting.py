"""Addresses that only take forms, and what a page that holds answers back is told of them."""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

# A page deletes the answer that it holds only when this says what became of it: whatever else
# answers at the address (a proxy, a captive portal) does not know it.
MARK = "X-Tutor-Answer"
STORED, ASKED_AGAIN = "stored", "asked-again"

View = Callable[..., HttpResponse]


def marked(response: HttpResponse, outcome: str) -> HttpResponse:
    """Return the response to a page that is open with what became of the answer on it.

    A redirect becomes one that the page follows itself: the browser would follow it unseen, and
    the mark would be lost.
    """
    if 300 <= response.status_code < 400:
        response = HttpResponseClientRedirect(response.headers["Location"])
    response.headers[MARK] = outcome
    return response


def form_only(*, else_to: str) -> Callable[[View], View]:
    """Return a decorator: whoever opens the address without a form is led to the page `else_to`.

    That happens after signing in again: an expired sign-in sends back to where the form went.
    """

    def decorate(view: View) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @functools.wraps(view)
        def led(request: HttpRequest, **arguments: Any) -> HttpResponse:
            if request.method != "POST":
                return redirect(else_to, **arguments)
            return view(request, **arguments)

        return led

    return decorate
