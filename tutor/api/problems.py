"""Errors as application/problem+json (RFC 9457): one shape for every failure."""

import math
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from tutor.common.errors import TutorError

CONTENT_TYPE = "application/problem+json"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the problem document of an anticipated failure; others stay errors of the server."""
    del context
    problem = _describe(error)
    if problem is not None:
        set_rollback()
    return problem


def _describe(error: Exception) -> Response | None:
    if isinstance(error, TutorError):
        return _problem(error.status, error.code, error.message, facts=error.facts)
    if isinstance(error, exceptions.ValidationError):
        return _problem(
            400, "api.invalid", "The request is not valid; see `errors`.", errors=error.detail
        )
    if isinstance(error, exceptions.APIException):
        return _describe_api(error)
    known = {Http404: (404, "common.not-found"), PermissionDenied: (403, "common.not-allowed")}
    for kind, (status, code) in known.items():
        if isinstance(error, kind):
            return _problem(status, code, "There is nothing here for you.")
    return None


def _describe_api(error: exceptions.APIException) -> Response:
    code = f"api.{str(error.default_code).replace('_', '-')}"
    response = _problem(error.status_code, code, str(error.detail))
    if getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        response["Retry-After"] = str(math.ceil(error.wait))
    return response


def _problem(status: int, code: str, detail: str, **extra: Any) -> Response:
    body = {"type": f"urn:tutor:{code}", "title": code, "status": status, "detail": detail}
    body |= {name: value for name, value in extra.items() if value}
    return Response(body, status=status, content_type=CONTENT_TYPE)


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Return the problem document for an address of the API that does not exist."""
    del request, exception
    body = {
        "type": "urn:tutor:common.not-found",
        "title": "common.not-found",
        "status": 404,
        "detail": "There is nothing at this address.",
    }
    return JsonResponse(body, status=404, content_type=CONTENT_TYPE)
