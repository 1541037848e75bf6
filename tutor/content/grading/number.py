"""Grade items that ask for one number."""

from fractions import Fraction

from django.utils.translation import gettext, gettext_noop

from tutor.content.grading import units
from tutor.content.grading.errors import UnreadableAnswer
from tutor.content.grading.number_reading import (
    NumberReading,
    read_number,
    thousand_or_decimal,
    with_groups,
)
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


def grade_number(spec: NumberAnswer, wrong_answers: tuple[WrongAnswer, ...], text: str) -> Grade:
    """Return the grade of a number.

    One mark before three digits marks decimals, unless thousands make the answer right: then the
    learner is asked, and always where whole numbers are asked for.

    Raises:
        UnreadableAnswer: the text is not the kind of number asked for, or may be read in two ways.
    """
    reading = read_number(text)
    normalised = " ".join(text.split())
    [key] = spec.values
    candidates = in_unit(reading, spec)
    is_key = bool(candidates) and is_near(candidates[0], key, spec)
    grouped = in_unit(with_groups(reading), spec) if reading.doubtful else []
    in_doubt = not is_key and any(is_near(value, key, spec) for value in grouped)
    if reading.doubtful and (in_doubt or spec.form == "integer"):
        raise UnreadableAnswer(thousand_or_decimal(reading.doubtful))
    if is_key:
        return _judge_form(spec, reading, normalised)
    if any(is_near(value, key, spec) for value in candidates[1:]):
        return other_form(normalised, gettext(_FORM_FEEDBACK["percent"]))
    for entry in wrong_answers:
        if any(is_near(value, entry.values[0], spec) for value in [*candidates, *grouped]):
            return wrong(normalised, misconception=entry.misconception, feedback=entry.feedback)
    return wrong(normalised, feedback="" if candidates else other_unit(spec))


def other_unit(spec: NumberAnswer) -> str:
    """Return the sentence that says in which unit the answer should be."""
    return gettext("The unit of the answer should be %(unit)s.") % {"unit": spec.unit}


def is_near(value: Fraction, key: Fraction, spec: NumberAnswer) -> bool:
    """Test whether a value is as near to the key as the item asks for."""
    return abs(value - key) <= spec.tolerance


def in_unit(reading: NumberReading, spec: NumberAnswer) -> list[Fraction]:
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
