"""What a page says."""

from django.http import HttpResponse


def text(response: HttpResponse) -> str:
    """The page in one line, with single spaces."""
    return " ".join(response.content.decode().split())
