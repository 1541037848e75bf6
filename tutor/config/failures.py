"""What Django sends when a request fails before or outside a view: pages, and JSON for the API."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

API = "/api/"
CONTENT_TYPE = "application/problem+json"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return what is sent for a request that Django refuses, a wrong host for example."""
    if request.path_info.startswith(API):
        return _problem(400, "api.bad-request", "The request cannot be understood.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return what is sent when our own code failed; the log has the reason."""
    if request.path_info.startswith(API):
        return _problem(500, "common.server-error", "Something went wrong here. Try again later.")
    return defaults.server_error(request)


def _problem(status: int, code: str, detail: str) -> JsonResponse:
    body: dict[str, Any] = {"type": f"urn:tutor:{code}", "title": code, "status": status}
    return JsonResponse({**body, "detail": detail}, status=status, content_type=CONTENT_TYPE)
