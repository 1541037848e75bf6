"""Lists in pages: a cursor goes on where the last page ended, whatever was added meanwhile."""

from rest_framework.pagination import CursorPagination


class ByNumber(CursorPagination):
    """Oldest row first."""

    ordering = "pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500


class NewestFirst(ByNumber):
    """Newest row first."""

    ordering = "-pk"
    page_size = 50
    max_page_size = 200
