"""Addresses that only take forms, for people who come to them without one."""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

View = Callable[..., HttpResponse]


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
