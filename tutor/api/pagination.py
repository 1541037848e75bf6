"""Lists in pages: a cursor goes on where the last page ended, whatever was added meanwhile."""

from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from typing_extensions import override

LONGEST_ID = 19


class ByNumber(CursorPagination):
    """Oldest row first."""

    ordering = "pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500

    @override
    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor that was sent, if any.

        Raises:
            NotFound: it is none of ours: the place that it names is no row's number.
        """
        cursor: Cursor | None = super().decode_cursor(request)
        place = None if cursor is None else cursor.position
        if place is not None and not (
            place.isascii() and place.isdigit() and len(place) <= LONGEST_ID
        ):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class NewestFirst(ByNumber):
    """Newest row first."""

    ordering = "-pk"
    page_size = 50
    max_page_size = 200
