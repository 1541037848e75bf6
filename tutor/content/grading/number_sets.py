"""Grade items that ask for several numbers: a set of solutions, or values in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import gettext

from tutor.content.formatting import plain_value
from tutor.content.grading import number_lists
from tutor.content.grading.errors import UnreadableAnswer
from tutor.content.grading.number import in_unit, is_near, other_unit
from tutor.content.grading.number_reading import (
    NumberReading,
    read_number,
    thousand_or_decimal,
    with_groups,
)
from tutor.content.grading.result import Grade, right, wrong
from tutor.content.rendered import NumberAnswer, WrongAnswer


@dataclass(frozen=True, slots=True)
class _Given:
    """What was given, read one way.

    Attributes:
        values: in the item's unit.
        grouped: the same where single marks before three digits separate thousands.
        doubtful: the first number with such a mark, or "".
    """

    values: tuple[Fraction, ...]
    is_likely: bool = True
    grouped: tuple[Fraction, ...] = ()
    doubtful: str = ""


def grade_numbers(spec: NumberAnswer, wrong_answers: tuple[WrongAnswer, ...], text: str) -> Grade:
    """Return the grade of several numbers, or of "no solution".

    Where a text can be read in several ways, the one that makes it right counts; else the likely
    one with the most credit.

    Raises:
        UnreadableAnswer: a part is no number, there are too many or not as many as asked for, or
            a mark before three digits makes all the difference.
    """
    if number_lists.says_none(text):
        if spec.ordered:
            raise UnreadableAnswer(number_lists.count_asked_for(spec))
        return _judge(spec, wrong_answers, ())
    read = _readings(spec, text)
    graded = [_judge(spec, wrong_answers, given.values) for given in read]
    for grade in graded:
        if grade.is_correct:
            return grade
    likely = [n for n, given in enumerate(read) if given.is_likely] or [0]
    best = max((graded[n] for n in likely), key=lambda g: (g.credit, g.misconception is not None))
    for given in read:
        if given.doubtful and (
            spec.form == "integer" or _judge(spec, (), given.grouped).credit > best.credit
        ):
            raise UnreadableAnswer(thousand_or_decimal(given.doubtful))
    return best


def _readings(spec: NumberAnswer, text: str) -> list[_Given]:
    read: list[_Given] = []
    failure: UnreadableAnswer | None = None
    for way in number_lists.ways(spec, text):
        try:
            read.append(_read(spec, way))
        except UnreadableAnswer as error:
            failure = failure or error
    if failure is not None and not read:
        raise failure
    return read


def _read(spec: NumberAnswer, way: number_lists.Way) -> _Given:
    numbers = [read_number(part) for part in number_lists.numbers_of(spec, way.parts)]
    return _Given(
        values=tuple(_value(number, spec) for number in numbers),
        is_likely=way.is_likely,
        grouped=tuple(_value(with_groups(number), spec) for number in numbers),
        doubtful=next((number.doubtful for number in numbers if number.doubtful), ""),
    )


def _value(number: NumberReading, spec: NumberAnswer) -> Fraction:
    candidates = in_unit(number, spec)
    if not candidates:
        raise UnreadableAnswer(other_unit(spec))
    return candidates[0]


def _judge(
    spec: NumberAnswer, wrong_answers: tuple[WrongAnswer, ...], given: tuple[Fraction, ...]
) -> Grade:
    normalised = "; ".join(plain_value(value) for value in given) or "no solution"
    if not spec.ordered:
        given = tuple(dict.fromkeys(given))
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


def _hits(given: Sequence[Fraction], keys: Sequence[Fraction], spec: NumberAnswer) -> int:
    if spec.ordered:
        return sum(is_near(a, b, spec) for a, b in zip(given, keys, strict=False))
    left = list(keys)
    for value in given:
        match = next((key for key in left if is_near(value, key, spec)), None)
        if match is not None:
            left.remove(match)
    return len(keys) - len(left)
