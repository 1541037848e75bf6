r"""Pictures inside texts: how an author names one, and how a shown text does.

An author writes `![alternative](pictures/line.png)`, a path inside the course. A text that is shown
names the picture by its digest and size instead, `![alternative](picture:DIGEST:WIDTHxHEIGHT)`, so
that it can be drawn without looking anything up.

>>> [found.path for found in find(r"Look: ![A line from 0 to [[n]]](pictures/line_[[n]].png)")]
['pictures/line_[[n]].png']
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tutor.content.errors import PictureMissing

_HOLE = r"\[\[[^\[\]]*\]\]"
# An alternative may hold \] and holes, a path holes.
AUTHORED = re.compile(
    rf"(?<!\\)!\[(?P<alt>(?:\\.|{_HOLE}|[^\]\\])*)\]\((?P<path>(?:{_HOLE}|[^()\[\]])*)\)", re.DOTALL
)
# What a shown text holds.
RESOLVED = (
    r"!\[(?P<alt>(?:\\.|[^\]\\])*)\]"
    r"\(picture:(?P<digest>[0-9a-f]{64}):(?P<width>\d+)x(?P<height>\d+)\)"
)
_RESOLVED = re.compile(RESOLVED, re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_HOLES = re.compile(_HOLE)


@dataclass(frozen=True, slots=True)
class PictureRef:
    """A picture as a version of an item names it: digest of the author's file, size in pixels."""

    digest: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Named:
    """A picture named in an author's text; alternative and path may hold `[[...]]`."""

    alternative: str
    path: str


def find(text: str) -> Iterator[Named]:
    """Yield the pictures that a text of a course file names."""
    if "](" in text:
        for match in AUTHORED.finditer(text):
            yield Named(" ".join(match["alt"].split()), match["path"].strip())


def path_pattern(path: str) -> re.Pattern[str]:
    """Return a pattern for the paths that a path with holes may become."""
    return re.compile("[^/]+".join(map(re.escape, _HOLES.split(path))))


def resolve(text: str, pictures: Mapping[str, PictureRef]) -> str:
    """Return a text whose holes are filled with its pictures named by digest and size.

    Raises:
        PictureMissing: the path is none of `pictures`.
    """
    if not pictures or "](" not in text:
        return text

    def named(match: re.Match[str]) -> str:
        found = pictures.get(match["path"].strip())
        if found is None:
            raise PictureMissing(f"there is no picture {match['path']!r} in the course.")
        return f"![{match['alt']}](picture:{found.digest}:{found.width}x{found.height})"

    return AUTHORED.sub(named, text)


def unescaped(alternative: str) -> str:
    """Return an alternative as it is read out."""
    return " ".join(_ESCAPED.sub(r"\1", alternative).split())


def has_pictures(text: str) -> bool:
    """Test whether a shown text has pictures.

    >>> has_pictures("Read it off: ![A line](pictures/line.png)")  # an author's text
    False
    """
    return _RESOLVED.search(text) is not None


def left_out(text: str) -> str:
    """Return a shown text without its pictures."""
    return _RESOLVED.sub("", text)


def in_words(text: str) -> str:
    """Return a shown text with each picture replaced by its alternative in brackets."""
    return _RESOLVED.sub(lambda match: f"[{unescaped(match['alt'])}]", text)
