"""Write the key of a number item as a learner would, in plain notation or in the page's."""

import re
from collections.abc import Sequence
from fractions import Fraction

from django.utils import formats
from django.utils.translation import gettext, pgettext

from tutor.content.errors import ValueUndefined
from tutor.content.formatting import decimal_text, plain_value
from tutor.content.rendered import NumberAnswer


def with_mark(text: str, mark: str | None = None) -> str:
    """Return a text with `mark` between the digits of its decimals, by default the page's."""
    shown = formats.get_format("DECIMAL_SEPARATOR") if mark is None else mark
    return re.sub(r"(?<=\d)\.(?=\d)", shown, text)


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
    written = [with_mark(_value_text(value, spec), mark) for value in spec.values]
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
