"""Template filters for items' texts and numbers."""

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import pgettext

from tutor.content import markup, picture_text
from tutor.content.rendered import RenderedItem
from tutor.tracing.bands import percent_of

register = template.Library()


@register.filter
def rendered(text: str, item: RenderedItem) -> SafeString:
    """Return a text of the item as HTML: paragraphs, maths as MathML, sanitised if imported."""
    return mark_safe(markup.render(text, item.markup))  # noqa: S308 - markup escapes and sanitises


@register.filter
def rendered_inline(text: str, item: RenderedItem) -> SafeString:
    """Return a short text of the item, such as a choice, without a paragraph around it."""
    return mark_safe(markup.render(text, item.markup, inline=True))  # noqa: S308 - as above


@register.filter
def without_pictures(text: str) -> str:
    """Return a text of the item without its pictures."""
    return picture_text.left_out(text)


@register.filter
def has_pictures(text: str) -> bool:
    """Test whether a text of the item shows pictures."""
    return picture_text.has_pictures(text)


@register.filter
def percent(prob: float) -> str:
    """Return a probability as a whole percentage."""
    shown = pgettext("a percentage", "%(number)d %%") % {"number": percent_of(prob)}
    return shown.replace(" ", "\N{NO-BREAK SPACE}")
