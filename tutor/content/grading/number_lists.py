"""Take apart a text with several numbers: "2 or -3", "x = 2; x = -3", "2, -3", "(1,5; 3)"."""

import itertools
import re
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from tutor.content.grading.errors import UnreadableAnswer
from tutor.content.rendered import NumberAnswer

# In every language that the pages come in: what an answer is worth must not depend on the page's.
_NONE = re.compile(
    r"(?:no|none|nothing)(?:\s+(?:real\s+)?(?:solutions?|roots?|answers?|values?))?"
    r"|(?:keine?|nichts)(?:\s+(?:reellen?\s+)?(?:lösung(?:en)?|nullstellen?|antwort|werte?))?"
    r"|∅|\{\s*\}",
    re.IGNORECASE,
)
_SPLIT = re.compile(r";|\b(?:or|and|oder|und)\b|\n", re.IGNORECASE)
_BETWEEN_DIGITS = re.compile(r"(?<=\d),(?=\d)")
_SURELY_BETWEEN_NUMBERS = re.compile(r"(?<!\d),|,(?!\d)")
_NAMED = re.compile(r"^\s*([A-Za-z])(?:[_ ]?\d)?\s*=\s*(.*)$", re.DOTALL)
MAX_VALUES = 8


@dataclass(frozen=True, slots=True)
class Way:
    """One way to take a text apart.

    Attributes:
        parts: each number as typed.
        is_likely: a wrong answer may be judged by it; by any other way only a right one is.
    """

    parts: tuple[str, ...]
    is_likely: bool = True


def says_none(text: str) -> bool:
    """Test whether a text says that there is no solution."""
    return _NONE.fullmatch(text.strip().rstrip(".")) is not None


def ways(spec: NumberAnswer, text: str) -> tuple[Way, ...]:
    """Return the ways in which a text may be several numbers, the likeliest first.

    A comma between two digits marks a decimal or separates. Beside another separator it marks a
    decimal. Where the count of numbers is known, as of coordinates, only what has it counts.
    How many solutions there are decides the order of the ways alone, never which are likely.

    Raises:
        UnreadableAnswer: it is empty, has more than `MAX_VALUES` or not as many as asked for.
    """
    text = text.strip().strip("{}[]() ").strip()
    decimal = _split(text, _SURELY_BETWEEN_NUMBERS)
    found = [decimal]
    is_marked = bool(_SPLIT.search(text) or _SURELY_BETWEEN_NUMBERS.search(text))
    if _BETWEEN_DIGITS.search(text):
        found.append(_split(text, re.compile(",")))
    if not decimal:
        raise UnreadableAnswer(gettext("The answer is empty. Write the numbers."))
    short = [parts for parts in found if len(parts) <= MAX_VALUES]
    if not short:
        raise UnreadableAnswer(
            gettext("Give at most %(max_values)s numbers.") % {"max_values": MAX_VALUES}
        )
    if spec.ordered:
        return tuple(Way(parts) for parts in _as_many_as_asked_for(spec, short))
    if is_marked:
        return tuple(Way(parts, is_likely=parts is short[0]) for parts in short)
    return tuple(Way(parts) for parts in sorted(short, key=lambda p: len(p) != len(spec.values)))


def numbers_of(spec: NumberAnswer, parts: tuple[str, ...]) -> list[str]:
    """Return the text of each number, without its name, in the order of `spec.names` if it has any.

    Raises:
        UnreadableAnswer: a name is missing or strange.
    """
    ordered = _by_name(parts, spec.names) if spec.ordered and spec.names else list(parts)
    return [_unnamed(part) for part in _signed(ordered)]


def _split(text: str, comma: re.Pattern[str]) -> tuple[str, ...]:
    pieces = (part.strip() for chunk in _SPLIT.split(text) for part in comma.split(chunk))
    return tuple(piece for piece in pieces if piece)


def _as_many_as_asked_for(
    spec: NumberAnswer, found: list[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    asked = len(spec.values)
    fitting = [parts for parts in found if len(_signed(parts)) == asked]
    if fitting:
        return fitting
    if spec.names and any(_NAMED.match(part) for part in found[0]):
        raise UnreadableAnswer(_each_name(spec.names))
    raise UnreadableAnswer(count_asked_for(spec))


def count_asked_for(spec: NumberAnswer) -> str:
    """Return the sentence that says how many numbers are asked for."""
    asked = len(spec.values)
    told = ngettext("Give %(n)d number.", "Give %(n)d numbers, in order.", asked)
    return told % {"n": asked}


def _by_name(parts: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    """Return the parts in the order of `names` when every part says its name."""
    named = [match for part in parts if (match := _NAMED.match(part))]
    if not named:
        return list(parts)
    found = {match[1].casefold(): match[2] for match in named}
    wanted = [name.casefold() for name in names]
    if len(named) < len(parts) or sorted(found) != sorted(wanted):
        raise UnreadableAnswer(_each_name(names))
    return [found[name] for name in wanted]


def _each_name(names: tuple[str, ...]) -> str:
    return gettext("Give a value for each of %(names)s.") % {"names": ", ".join(names)}


def _signed(parts: tuple[str, ...] | list[str]) -> list[str]:
    return list(itertools.chain.from_iterable(_both_signs(part) for part in parts))


def _both_signs(part: str) -> list[str]:
    match = re.match(r"^(.*?)(?:±|\+\s*/?\s*-)\s*(.+)$", part)
    if match is None:
        return [part]
    return [f"{match[1]}{match[2]}", f"{match[1]}-{match[2]}"]


def _unnamed(part: str) -> str:
    named = _NAMED.match(part)
    return named[2] if named else part
