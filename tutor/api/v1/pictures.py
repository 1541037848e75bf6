"""The pictures in items' texts, for pages and for clients with a token alike."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView
from typing_extensions import override

from tutor.api.v1.practice import PROBLEMS
from tutor.practice import pictures

# What is stored under a digest never changes. Not for caches that several people share.
_KEPT = "private, max-age=31536000, immutable"


class _Whatever(BaseContentNegotiation):
    """A picture comes as what it is, whichever kinds a browser says that it prefers."""

    @override
    def select_parser(self, request: Request, parsers: list[BaseRenderer]) -> BaseRenderer:
        return parsers[0]

    @override
    def select_renderer(
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class PictureDetail(APIView):
    """One picture."""

    content_negotiation_class = _Whatever

    @extend_schema(
        operation_id="get_picture",
        responses={
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            (200, "image/webp"): OpenApiTypes.BINARY,
            304: None,
            **{key: found for key, found in PROBLEMS.items() if key[0] in (401, 404, 405, 429)},
        },
    )
    def get(self, request: Request, digest: str) -> HttpResponse:
        """Return the picture, to whoever may see an item that shows it."""
        picture = pictures.access_picture(actor=request.user, digest=digest)
        tag = f'"{digest}"'
        if request.headers.get("If-None-Match") == tag:
            response = HttpResponse(status=304)
        else:
            response = HttpResponse(bytes(picture.data), content_type=picture.media_type)
            response.headers["Content-Disposition"] = "inline"
        # Opened by itself it is a document: it must not be able to load or run anything. A browser
        # that has it takes the headers of the 304 for those that it kept.
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = _KEPT
        return response
