"""Grade number items: one value, or a set or an ordered list of values."""

import itertools
import re
from collections.abc import Sequence
from fractions import Fraction

from django.utils import formats
from django.utils.translation import gettext, gettext_noop, ngettext, pgettext

from tutor.content.errors import ValueUndefined
from tutor.content.formatting import decimal_text, plain_value
from tutor.content.grading import units
from tutor.content.grading.errors import UnreadableAnswer
from tutor.content.grading.number_reading import NumberReading, read_number
from tutor.content.grading.result import Grade, other_form, right, wrong
from tutor.content.rendered import NumberAnswer, WrongAnswer

_FORM_FEEDBACK = {
    "fraction": gettext_noop("The value is right. Write it as a fraction."),
    "decimal": gettext_noop("The value is right. Write it as a decimal."),
    "integer": gettext_noop("The value is right. Write it as a whole number."),
    "percent": gettext_noop("The value is right. Write it as a per cent."),
    "simplest": gettext_noop("Your answer is equal to the right one, but not in simplest form."),
}
_FORMS = {
    "fraction": ("fraction", "mixed"),
    "decimal": ("decimal", "integer"),
    "integer": ("integer",),
    "simplest": ("fraction", "mixed", "integer"),
}
# In every language that the pages come in: what an answer is worth must not depend on the page's.
_NONE = re.compile(
    r"(?:no|none|nothing)(?:\s+(?:real\s+)?(?:solutions?|roots?|answers?|values?))?"
    r"|(?:keine?|nichts)(?:\s+(?:reellen?\s+)?(?:lösung(?:en)?|nullstellen?|antwort|werte?))?",
    re.IGNORECASE,
)
_SPLIT = re.compile(r";|\b(?:or|and|oder|und)\b|\n", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_NAMED = re.compile(r"^\s*([A-Za-z])(?:[_ ]?\d)?\s*=\s*(.*)$", re.DOTALL)
MAX_VALUES = 8


def grade_number(spec: NumberAnswer, wrong_answers: tuple[WrongAnswer, ...], text: str) -> Grade:
    """Return the grade of a number or of several.

    Raises:
        UnreadableAnswer: the text is not the kind of number asked for.
    """
    if spec.is_set:
        return _grade_several(spec, wrong_answers, text)
    reading = read_number(text)
    normalised = " ".join(text.split())
    candidates = _in_unit(reading, spec)
    [key] = spec.values
    if candidates and _near(candidates[0], key, spec):
        return _judge_form(spec, reading, normalised)
    if any(_near(value, key, spec) for value in candidates[1:]):
        return other_form(normalised, gettext(_FORM_FEEDBACK["percent"]))
    for entry in wrong_answers:
        if any(_near(value, entry.values[0], spec) for value in candidates):
            return wrong(normalised, misconception=entry.misconception, feedback=entry.feedback)
    unit_feedback = "" if candidates else _other_unit(spec)
    return wrong(normalised, feedback=unit_feedback)


def _other_unit(spec: NumberAnswer) -> str:
    return gettext("The unit of the answer should be %(unit)s.") % {"unit": spec.unit}


def _near(value: Fraction, key: Fraction, spec: NumberAnswer) -> bool:
    return abs(value - key) <= spec.tolerance


def _in_unit(reading: NumberReading, spec: NumberAnswer) -> list[Fraction]:
    """Return the value in the item's unit, then a value in the wrong notation, if any.

    Empty when the learner's unit measures something else.

    Raises:
        UnreadableAnswer: a unit is missing, or not known.
    """
    if spec.unit is not None and units.canonical(spec.unit) != "%":
        return _measured(reading, spec, units.canonical(spec.unit))
    asks_percent = spec.form == "percent" or spec.unit is not None
    if reading.unit not in (None, "%"):
        if not reading.unit:
            raise UnreadableAnswer(gettext("The answer is a plain number."))
        raise UnreadableAnswer(
            gettext("The answer is a plain number, so leave out “%(unit)s”.")
            % {"unit": reading.unit[:20]}
        )
    scale = Fraction(1) if spec.unit is not None else Fraction(1, 100)
    if reading.unit == "%":
        return [reading.value * (scale if asks_percent else Fraction(1, 100))]
    if asks_percent:
        # A bare number counts per cents where per cents are asked for; 0.5 for 50 % is equal
        # but not in that form.
        if spec.unit_required:
            raise UnreadableAnswer(gettext("Give the per cent sign too, as in 5 %."))
        return [reading.value * scale, reading.value * scale * 100]
    return [reading.value]


def _measured(reading: NumberReading, spec: NumberAnswer, wanted: str) -> list[Fraction]:
    if reading.unit is None:
        if spec.unit_required:
            raise UnreadableAnswer(
                gettext("Give the unit too, as in 5 %(unit)s.") % {"unit": spec.unit}
            )
        return [reading.value]
    factor = units.factor(given=reading.unit, wanted=wanted)
    if factor is not None:
        return [reading.value * factor]
    if not units.is_known(reading.unit):
        raise UnreadableAnswer(
            gettext("The unit “%(given)s” is not known here. The answer is in %(unit)s.")
            % {"given": reading.unit[:20], "unit": spec.unit}
        )
    return []


def _judge_form(spec: NumberAnswer, reading: NumberReading, normalised: str) -> Grade:
    if spec.form in ("any", "percent"):
        return right(normalised)
    allowed = _FORMS[spec.form]
    if spec.form == "fraction" and spec.values[0].denominator == 1:
        allowed = (*allowed, "integer")
    fits = reading.form in allowed and reading.unit != "%"
    if spec.form == "simplest" and not reading.is_reduced:
        fits = False
    return right(normalised) if fits else other_form(normalised, gettext(_FORM_FEEDBACK[spec.form]))


def _grade_several(spec: NumberAnswer, wrong_answers: tuple[WrongAnswer, ...], text: str) -> Grade:
    given = _with_decimal_commas(spec, text) or read_values(spec, text)
    normalised = "; ".join(plain_value(value) for value in given) or "no solution"
    if not spec.ordered:
        given = tuple(dict.fromkeys(given))
    elif len(given) != len(spec.values):
        raise UnreadableAnswer(
            ngettext("Give %(n)d number.", "Give %(n)d numbers, in order.", len(spec.values))
            % {"n": len(spec.values)}
        )
    hits = _hits(given, spec.values, spec)
    if hits == len(spec.values) == len(given):
        return right(normalised)
    for entry in wrong_answers:
        if len(entry.values) == len(given) == _hits(given, entry.values, spec):
            return wrong(normalised, misconception=entry.misconception, feedback=entry.feedback)
    false = len(given) - hits
    credit = max(0.0, (hits - false) / max(len(spec.values), 1))
    feedback = gettext("This is a part of the answer.") if hits and not false else ""
    return Grade(is_correct=False, credit=credit, feedback=feedback, normalised=normalised)


def _with_decimal_commas(spec: NumberAnswer, text: str) -> tuple[Fraction, ...]:
    """Return the values with "0,5" as one half where that makes them right, else none.

    "2,3" may be two numbers or one. Whoever is right under either reading is right.
    """
    if not _DECIMAL_COMMA.search(text):
        return ()
    try:
        given = read_values(spec, _DECIMAL_COMMA.sub(".", text))
    except UnreadableAnswer:
        return ()
    if not spec.ordered:
        given = tuple(dict.fromkeys(given))
    is_right = len(given) == len(spec.values) == _hits(given, spec.values, spec)
    return given if is_right else ()


def _hits(given: Sequence[Fraction], keys: Sequence[Fraction], spec: NumberAnswer) -> int:
    if spec.ordered:
        return sum(_near(a, b, spec) for a, b in zip(given, keys, strict=True))
    left = list(keys)
    for value in given:
        match = next((key for key in left if _near(value, key, spec)), None)
        if match is not None:
            left.remove(match)
    return len(keys) - len(left)


def read_values(spec: NumberAnswer, text: str) -> tuple[Fraction, ...]:
    """Return all values in `text`; "2 or -3", "x = 2; x = -3", "2, -3", "±3", "(1, 2)", "none".

    A comma separates here; `grade_number` also tries it as a decimal mark.

    Raises:
        UnreadableAnswer: a part is not a number, or there are more than `MAX_VALUES`.
    """
    text = text.strip().strip("{}[]() ").strip()
    if _NONE.fullmatch(text.rstrip(".")) or text in ("∅", "{}"):
        if spec.ordered:
            raise UnreadableAnswer(
                ngettext("Give %(n)d number.", "Give %(n)d numbers.", len(spec.values))
                % {"n": len(spec.values)}
            )
        return ()
    parts = [
        part.strip() for chunk in _SPLIT.split(text) for part in chunk.split(",") if part.strip()
    ]
    if not parts:
        raise UnreadableAnswer(gettext("The answer is empty. Write the numbers."))
    if len(parts) > MAX_VALUES:
        raise UnreadableAnswer(
            gettext("Give at most %(max_values)s numbers.") % {"max_values": MAX_VALUES}
        )
    if spec.ordered and spec.names:
        parts = _by_name(parts, spec.names)
    signed = itertools.chain.from_iterable(_both_signs(part) for part in parts)
    return tuple(_bare(part, spec) for part in signed)


def _by_name(parts: list[str], names: tuple[str, ...]) -> list[str]:
    """Return the parts in the order of `names` when every part says its name."""
    named = [match for part in parts if (match := _NAMED.match(part))]
    if not named:
        return parts
    found = {match[1].casefold(): match[2] for match in named}
    wanted = [name.casefold() for name in names]
    if len(named) < len(parts) or sorted(found) != sorted(wanted):
        raise UnreadableAnswer(
            gettext("Give a value for each of %(names)s.") % {"names": ", ".join(names)}
        )
    return [found[name] for name in wanted]


def _both_signs(part: str) -> list[str]:
    match = re.match(r"^(.*?)(?:±|\+\s*/?\s*-)\s*(.+)$", part)
    if match is None:
        return [part]
    return [f"{match[1]}{match[2]}", f"{match[1]}-{match[2]}"]


def _bare(part: str, spec: NumberAnswer) -> Fraction:
    named = _NAMED.match(part)
    candidates = _in_unit(read_number(named[2] if named else part), spec)
    if not candidates:
        raise UnreadableAnswer(_other_unit(spec))
    return candidates[0]


def shown_key(spec: NumberAnswer) -> str:
    """Return the key to show: `key_text` with its words and decimals in the page's language."""
    return key_text(
        spec,
        none=gettext("no solution"),
        either=pgettext("between two right answers", "or"),
        mark=formats.get_format("DECIMAL_SEPARATOR"),
    )


def key_text(
    spec: NumberAnswer, *, none: str = "no solution", either: str = "or", mark: str = "."
) -> str:
    """Return the key as a learner would write it, in the form asked for.

    `none` stands for an empty solution set, `either` between values in any order,
    `mark` before decimals.
    """
    if spec.is_set and not spec.values:
        return none
    written = [_value_text(value, spec).replace(".", mark) for value in spec.values]
    if spec.is_set and spec.ordered:
        between = "; " if mark == "," else ", "
        if spec.names:
            return between.join(f"{n} = {v}" for n, v in zip(spec.names, written, strict=False))
        return f"({between.join(written)})"
    return f" {either} ".join(written)


def values_text(values: Sequence[Fraction], spec: NumberAnswer) -> str:
    """Return values as `{"text": ...}` that reads back to them."""
    return "; ".join(_value_text(value, spec) for value in values) or "no solution"


def _value_text(value: Fraction, spec: NumberAnswer) -> str:
    unit = spec.unit
    if spec.form == "percent" and unit is None:
        value, unit = value * 100, "%"
    text = plain_value(value)
    if spec.form in ("decimal", "percent") or (spec.as_decimal and spec.form == "any"):
        try:
            text = decimal_text(value)
        except ValueUndefined:
            text = plain_value(value) if not spec.tolerance else decimal_text(value, 6)
    if unit is None:
        return text
    return f"{unit}{text}" if unit in ("$", "€", "£") and value >= 0 else f"{text} {unit}"
