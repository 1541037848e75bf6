"""Numbers and codes as words."""

from django import template

from tutor.intake import wording
from tutor.responses.importing import kinds

register = template.Library()


@register.filter
def thousands(number: int) -> str:
    """Return a whole number with thin marks between thousands.

    >>> thousands(1234567)
    '1,234,567'
    """
    return f"{number:,}"


@register.filter
def size(size_bytes: int) -> str:
    """Return a size in decimal units, as the limit is given.

    >>> size(500_000_000), size(54_321), size(812)
    ('500 MB', '54 KB', '812 bytes')
    """
    if size_bytes >= 1_000_000:
        return f"{size_bytes / 1e6:.3g} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:.3g} GB"
    return f"{size_bytes // 1000} KB" if size_bytes >= 1000 else f"{size_bytes} bytes"


@register.filter
def format_name(code: str) -> str:
    """Return what a format is called."""
    return kinds.LABELS.get(code, code)


@register.filter
def field_name(code: str) -> str:
    """Return what a field is called; a column of the file has its own name."""
    return wording.FIELDS[code][0] if code in wording.FIELDS else code


@register.filter
def duration(seconds: float) -> str:
    """Return a duration in round words.

    >>> duration(4), duration(75), duration(4000)
    ('a few seconds', 'about 1 minute', 'about 1 hour')
    """
    if seconds < 20:
        return "a few seconds"
    if seconds < 60:
        return "less than a minute"
    unit, size = ("hour", 3600) if seconds >= 3600 else ("minute", 60)
    count = round(seconds / size)
    return f"about {count} {unit}{'' if count == 1 else 's'}"
