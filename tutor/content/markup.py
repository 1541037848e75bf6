"""Turn the texts of items into HTML that is safe to put into a page.

Plain text knows paragraphs, line breaks, maths between dollar signs, **bold**, *italic*,
`code` and pictures of the course. Imported HTML keeps its tables, lists and simple formatting.
Neither loads anything from elsewhere.
"""

import functools
import html
import re
import urllib.parse

import nh3
from django.urls import reverse
from django.utils.translation import gettext

from tutor.content import maths, picture_text
from tutor.content.rendered import Markup

_INLINE = re.compile(
    rf"""\\(?P<escaped>[$*`\\!])
      | (?P<picture>{picture_text.RESOLVED})
      | \$\$(?P<display>.+?)(?<!\\)\$\$
      | \$(?P<math>(?:\\.|[^$\\])+)\$
      | `(?P<code>[^`]+)`
      | \*\*(?=\S)(?P<bold>.+?)(?<=\S)\*\*
      | (?<![\w*])\*(?=[^\s*])(?P<italic>[^*]*?)(?<=\S)\*(?![\w*])
      | (?P<newline>\n)
    """,
    re.VERBOSE | re.DOTALL,
)
_PARAGRAPH = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_FIGURE = re.compile(picture_text.RESOLVED, re.DOTALL)
# A picture wider than this does not fit beside a phone's edges, or not into a question's column.
PHONE_PX, COLUMN_PX = 300, 640

_TAG_NAMES = (
    "p br hr b strong i em u s sub sup code pre kbd samp blockquote ul ol li dl dt dd "
    "table caption thead tbody tfoot tr th td img h1 h2 h3 h4 h5 h6"
)
_REMOVED_NAMES = (
    "script style head title template noscript iframe object embed svg math textarea select "
    "noembed noframes xmp plaintext"
)
_IMAGE = re.compile(r'<img((?:\s+[a-z]+="[^"]*")*)\s*/?>')
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_HEADING = re.compile(r"<(/?)h[1-6]>")
_FORMULA_HOST = "latex.codecogs.com"


def render(text: str, markup: Markup = "text", *, inline: bool = False) -> str:
    """Return the HTML of an item's text.

    Args:
        text: stem, choice, hint or solution.
        markup: how it is written.
        inline: no paragraph around it, for a place inside a line such as a choice's label.
    """
    if markup == "html":
        return sanitize_html(text)
    if inline:
        return to_inline_html(text)
    return to_html(text, enlarge=gettext("Enlarge") if "](picture:" in text else "")


@functools.lru_cache(maxsize=4096)
def to_html(text: str, *, enlarge: str = "") -> str:
    """Return plain text as HTML paragraphs.

    A picture that is a paragraph of its own becomes a figure, and one that may not fit can be
    enlarged: it then stands in its full size in a box that scrolls.

    Args:
        text: in our markup.
        enlarge: the word on the control for that, in the reader's language.
    """
    paragraphs = (part.strip() for part in _PARAGRAPH.split(text.strip()))
    return "\n".join(_block(part, enlarge) for part in paragraphs if part)


def _block(part: str, enlarge: str) -> str:
    alone = _FIGURE.fullmatch(part)
    if alone is None:
        return f"<p>{_inline(part)}</p>"
    width = int(alone["width"])
    if width <= PHONE_PX or not enlarge:
        return f'<figure class="picture">{_picture(alone)}</figure>'
    size = "wide" if width > COLUMN_PX else "medium"
    control = f"<details><summary>{html.escape(enlarge)}</summary></details>"
    return f'<figure class="picture {size}">{_picture(alone)}{control}</figure>'


def _picture(match: re.Match[str]) -> str:
    # With its size the page leaves room for it and does not jump when it comes.
    return (
        f'<img src="{reverse("api:picture", args=[match["digest"]])}" '
        f'alt="{html.escape(picture_text.unescaped(match["alt"]))}" '
        f'width="{int(match["width"])}" height="{int(match["height"])}" decoding="async">'
    )


@functools.lru_cache(maxsize=4096)
def to_inline_html(text: str) -> str:
    """Return plain text as HTML without paragraphs."""
    return _inline(text.strip())


def _inline(text: str) -> str:
    written: list[str] = []
    at = 0
    for match in _INLINE.finditer(text):
        written += [html.escape(text[at : match.start()]), _piece(match)]
        at = match.end()
    written.append(html.escape(text[at:]))
    return "".join(written)


def _piece(match: re.Match[str]) -> str:
    kind, inner = match.lastgroup, match[match.lastgroup or 0]
    if kind == "picture":
        return _picture(match)
    if kind in ("display", "math"):
        return maths.to_mathml(inner.strip(), is_display=kind == "display")
    if kind in ("bold", "italic"):
        tag = "strong" if kind == "bold" else "em"
        return f"<{tag}>{_inline(inner)}</{tag}>"
    if kind == "code":
        return f"<code>{html.escape(inner)}</code>"
    return "<br>" if kind == "newline" else html.escape(inner)


@functools.lru_cache(maxsize=4096)
def sanitize_html(text: str) -> str:
    """Return imported HTML without scripts, styles, links and remote images.

    Formulas that were images of a LaTeX service become MathML. Any other image becomes a
    visible note with its alternative text: a student's page loads nothing from elsewhere.
    """
    cleaned = nh3.clean(
        text,
        tags=set(_TAG_NAMES.split()),
        clean_content_tags=set(_REMOVED_NAMES.split()),
        attributes={
            # By itself nh3 lets titles through, which may hold anything.
            "*": set(),
            "img": {"src", "alt"},
            "td": {"colspan", "rowspan"},
            "th": {"colspan", "rowspan"},
        },
        attribute_filter=_attribute,
        url_schemes={"http", "https"},
        link_rel=None,
    )
    # The cleaned text is well formed and all its quotes inside attributes are escaped, so a
    # pattern may look for images in it.
    cleaned = _IMAGE.sub(_image, cleaned)
    # Headings of a question must not enter the outline of the page.
    return _HEADING.sub(lambda m: "</strong></p>" if m[1] else "<p><strong>", cleaned).strip()


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag in ("td", "th") and not re.fullmatch(r"[1-9]\d?", value):
        return None
    if name == "src" and _FORMULA_HOST not in value:
        return None
    return value


def _image(match: re.Match[str]) -> str:
    found = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(match[1])}
    address, _, query = found.get("src", "").partition("?")
    if query and urllib.parse.urlsplit(address).hostname == _FORMULA_HOST:
        latex = urllib.parse.unquote(query).replace("&plus;", "+").replace("&space;", " ")
        return maths.to_mathml(latex)
    described = found.get("alt", "").strip() or "no description"
    return f"<em>[Image not shown: {html.escape(described)}]</em>"
