"""Read a number as learners write it: 1/2, 0.5, .5, 0,5, 50 %, 1 1/2, 3 x 10^5, 3 cm, $4."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd
from typing import Literal

from django.utils import formats
from django.utils.translation import gettext, gettext_noop

from tutor.content.grading import units
from tutor.content.grading.errors import UnreadableAnswer

Form = Literal["integer", "decimal", "fraction", "mixed", "scientific"]
MAX_DIGITS = 40
MAX_EXPONENT = 60

_CLEAN = str.maketrans(
    {
        **dict.fromkeys("−–—﹣-", "-"),
        **dict.fromkeys("⁄∕÷", "/"),
        **dict.fromkeys("×·∙⋅", "*"),
        **dict.fromkeys("\u00a0\u2009\u202f\u2007\t\n", " "),
        "’": "'",
    }
)
_VULGAR = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅕": "1/5",
    "⅖": "2/5",
    "⅗": "3/5",
    "⅘": "4/5",
    "⅙": "1/6",
    "⅚": "5/6",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
    "⅒": "1/10",
}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_PREFIX = re.compile(r"^(?:[A-Za-z]\s*)?=\s*")
_SEVERAL = re.compile(r"\d\s*(?:;|\b(?:or|and|oder|und)\b|,\s)\s*[+-]?[\d.]")
# One mark before three digits: thousands, or decimals.
ONE_GROUP = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_CURRENCY = "$€£"
_AMOUNT = r"(?:\d[\d.,' ]*\d|\d|[.,]\d+)"
_NUMBER = re.compile(
    rf"""^(?P<sign>[+-]?)\s*
    (?:(?P<whole>\d+)\s+(?P<mixed_top>\d+)\s*/\s*(?P<mixed_bottom>\d+)
      |\(?(?P<top>[+-]?\s*{_AMOUNT})\)?\s*/\s*\(?(?P<bottom>[+-]?\s*{_AMOUNT})\)?
      |(?P<amount>{_AMOUNT}\.?)
       (?:\s*(?:[eE]|[*xX]\s*10\s*\^?)\s*\(?\{{?(?P<exponent>[+-]?\s*\d+)\)?\}}?)?
    )\s*(?P<unit>.*)$""",
    re.VERBOSE | re.ASCII,
)
_UNIT = re.compile(r"(?:(?=[^\W\d_]|[%°¢$€£])(?:[^\W\d_]|[%°¢$€£/²³ .]|\^[23]|(?<=[a-z])[23]$)+)?")


@dataclass(frozen=True, slots=True)
class NumberReading:
    """A number as written.

    Attributes:
        value: exact; the per cent sign is not applied (it is a unit).
        form: how it was written.
        is_reduced: a fraction in lowest terms with a denominator above 1; a decimal or integer
            always is.
        unit: canonical unit, or None for a bare number.
        doubtful: digits with one mark before the last three, which may separate thousands
            ("1,234", "1.000"), or "". `value` takes the mark for a decimal one.
        grouped: the value with thousands there, or None.
    """

    value: Fraction
    form: Form
    is_reduced: bool
    unit: str | None
    doubtful: str = ""
    grouped: Fraction | None = None


def read_number(text: str) -> NumberReading:
    """Return the one number in `text`.

    Raises:
        UnreadableAnswer: with a sentence on how to write it.
    """
    cleaned = _PREFIX.sub("", _clean(text))
    sign = ""
    if match := re.match(rf"^([+-]?)\s*([{_CURRENCY}])\s*(.*)$", cleaned):
        sign, symbol, rest = match.groups()
        cleaned = f"{sign}{rest} {symbol}"
    match = None if _SEVERAL.search(cleaned) else _NUMBER.match(cleaned)
    if match is None:
        raise UnreadableAnswer(_why_not(cleaned))
    unit_text = match["unit"].strip()
    if not _UNIT.fullmatch(unit_text):
        raise UnreadableAnswer(_why_not(cleaned, rest=unit_text))
    sign_of = -1 if match["sign"] == "-" else 1
    value, form, is_reduced = _value(match)
    doubtful = _doubtful(match)
    return NumberReading(
        sign_of * value,
        form,
        is_reduced,
        units.canonical(unit_text) if unit_text else None,
        doubtful=doubtful,
        grouped=sign_of * _value(match, groups=True)[0] if doubtful else None,
    )


def with_groups(reading: NumberReading) -> NumberReading:
    """Return the reading with thousands where that is in doubt."""
    return reading if reading.grouped is None else replace(reading, value=reading.grouped)


def _clean(text: str) -> str:
    # Before superscripts become digits: "10⁵" is a power, "cm²" a unit.
    text = re.sub(
        r"(?<=10)\s*([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", lambda m: "^" + m[1].translate(_SUPERSCRIPTS), text
    )
    for symbol, fraction in _VULGAR.items():
        text = text.replace(symbol, f" {fraction} ")
    text = text.replace("\\$", "$").replace("\\%", "%").replace("**", "^").replace("\\cdot", "*")
    text = text.replace("\\times", "*")
    return " ".join(
        text.translate(_CLEAN).strip().strip("$" if text.count("$") == 2 else " ").split()
    )


_REASONS = (
    (
        _SEVERAL,
        gettext_noop("This looks like more than one number. Give one number only."),
    ),
    (
        re.compile(r"√|sqrt|\^"),
        gettext_noop("Work the number out, and write it as in 3, -2.5 or 3/4."),
    ),
    (
        re.compile(r"\d\s*[-+*/(]|\)"),
        gettext_noop(
            "This looks like a calculation. Work it out, and give one number, such as 3/4."
        ),
    ),
    (
        re.compile(r"^[^\d]+$"),
        gettext_noop("This is not a number. Write it with digits, as in 3, -2.5 or 3/4."),
    ),
)


def _why_not(text: str, rest: str = "") -> str:
    """Return the most helpful sentence about a text that is not one number."""
    if not text:
        return gettext("The answer is empty. Write a number.")
    for pattern, sentence in _REASONS:
        if pattern.search(text):
            return gettext(sentence)
    if not rest:
        return gettext("This cannot be read as a number. Write it as in 3, -2.5 or 3/4.")
    return gettext(
        "The part “%(part)s” cannot be read as a number. Write it as in 3, -2.5 or 3/4."
    ) % {"part": rest[:20]}


def thousand_or_decimal(text: str) -> str:
    """Return the sentence that asks what one mark before three digits is: "1,234" or "1.000".

    The decimal is in the page's notation, with a zero more where it would be asked about again.
    """
    whole, _, digits = text.replace(",", ".").partition(".")
    shown = digits.rstrip("0")
    if len(shown) == len(digits):
        shown += "0"
    mark = formats.get_format("DECIMAL_SEPARATOR")
    return two_ways(text, whole + digits, f"{whole}{mark}{shown}" if shown else whole)


def two_ways(text: str, one: str, other: str) -> str:
    """Return the sentence that asks which of two readings is meant."""
    told = gettext("%(text)s may be read in two ways. Write %(one)s or %(other)s.")
    return told % {"text": text, "one": one, "other": other}


def _doubtful(match: re.Match[str]) -> str:
    for name in ("amount", "top", "bottom"):
        digits = (match[name] or "").replace(" ", "").lstrip("+-")
        if ONE_GROUP.fullmatch(digits):
            return digits
    return ""


def _value(match: re.Match[str], *, groups: bool = False) -> tuple[Fraction, Form, bool]:
    """Return value, form and whether it is reduced; `groups`: one mark may separate thousands."""
    if match["whole"] is not None:
        whole = _plain(match["whole"])
        top, bottom = _plain(match["mixed_top"]), _nonzero(_plain(match["mixed_bottom"]))
        reduced = gcd(int(top), int(bottom)) == 1 and top < bottom and top > 0
        return whole + top / bottom, "mixed", reduced
    if match["top"] is not None:
        top, bottom = (
            _plain(match["top"], groups=groups),
            _nonzero(_plain(match["bottom"], groups=groups)),
        )
        both_whole = top.denominator == bottom.denominator == 1
        reduced = both_whole and bottom > 1 and gcd(int(top), int(bottom)) == 1
        return top / bottom, "fraction", reduced
    amount = _plain(match["amount"], groups=groups)
    if match["exponent"] is not None:
        exponent = int(match["exponent"].replace(" ", ""))
        if abs(exponent) > MAX_EXPONENT:
            raise UnreadableAnswer(
                gettext("The exponent is beyond %(max_exponent)s. Check the number.")
                % {"max_exponent": MAX_EXPONENT}
            )
        return amount * Fraction(10) ** exponent, "scientific", True
    has_decimals = re.search(r"\.\d", _digits(match["amount"], groups=groups))
    return amount, "decimal" if has_decimals else "integer", True


def _nonzero(bottom: Fraction) -> Fraction:
    if bottom == 0:
        raise UnreadableAnswer(gettext("A fraction cannot have 0 below the line."))
    return bottom


def _plain(text: str, *, groups: bool = False) -> Fraction:
    """Return the value of digits with separators."""
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-")
    if sum(char.isdigit() for char in text) > MAX_DIGITS:
        raise UnreadableAnswer(
            gettext("The number has more than %(max_digits)s digits.") % {"max_digits": MAX_DIGITS}
        )
    text = _digits(text, groups=groups)
    if not re.fullmatch(r"\d*(?:\.\d*)?", text) or not any(char.isdigit() for char in text):
        raise UnreadableAnswer(gettext("This cannot be read as one number. Write it as in 1234.5."))
    return sign * Fraction(text if text[-1] != "." else text[:-1])


def _digits(text: str, *, groups: bool) -> str:
    """Return the digits with a point as decimal mark and no group separators."""
    text = text.strip() if re.search(r"\d \d", text) else text.replace(" ", "")
    for group, mark in ((",", "."), (".", ","), (" ", "."), (" ", ","), ("'", "."), ("'", ",")):
        grouped = rf"[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{3}})+"
        many = groups or text.count(group) > 1 or group in " '"
        tail = rf"{re.escape(mark)}\d+"
        if re.fullmatch(grouped + tail, text) or (many and re.fullmatch(grouped, text)):
            return text.replace(group, "").replace(mark, ".")
    if text.count(",") == 1 and "." not in text and " " not in text:
        return text.replace(",", ".")
    return text
