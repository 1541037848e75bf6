"""Read the key and the anticipated wrong answers of an item body, with values filled in."""

import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from tutor.content import exact, template_text
from tutor.content.errors import TemplateInvalid, ValueUndefined
from tutor.content.rendered import (
    AnswerSpec,
    ExpressionAnswer,
    NoAnswer,
    NumberAnswer,
    TextAnswer,
    WrongAnswer,
)

Names = Mapping[str, Any]
_DECIMAL = re.compile(r"[-+]?\d*\.\d+")
NUMBER_FORMS = ("any", "fraction", "decimal", "integer", "percent", "simplest")
EXPRESSION_FORMS = ("any", "expanded", "factored", "simplest")
# What `answer:` may hold for each kind; the course reader refuses anything else.
ANSWER_FIELDS: dict[str, tuple[str, ...]] = {
    "number": (
        *("value", "values", "ordered", "names", "tolerance"),
        *("unit", "unit_required", "form"),
    ),
    "expression": ("expression", "variables", "form", "equation"),
    "text": ("accepted", "ignore_case", "ignore_accents", "ignore_punctuation", "typos"),
    "single_choice": (),
    "multiple_choice": (),
    "self_marked": (),
}
WRONG_FIELDS: dict[str, tuple[str, ...]] = {
    "number": ("value", "values", "misconception", "feedback"),
    "expression": ("expression", "value", "misconception", "feedback"),
    "text": ("text", "value", "misconception", "feedback"),
}


def exact_number(expression: object, names: Names) -> Fraction:
    """Return the value of an expression that must be a number.

    Raises:
        TemplateInvalid: it is not a number.
    """
    value = exact.evaluate(str(expression), names)
    if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
        raise TemplateInvalid(f"{expression!r} is not a number.")
    return Fraction(value)


def _values(fields: Mapping[str, Any], names: Names) -> tuple[Fraction, ...]:
    if "values" in fields:
        return tuple(exact_number(expression, names) for expression in fields["values"])
    if "value" not in fields:
        raise TemplateInvalid("a number needs `value` (or `values`).")
    return (exact_number(fields["value"], names),)


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise TemplateInvalid(f"answer.form {value!r} is not one of {', '.join(allowed)}.")
    return value


def _number_answer(fields: Mapping[str, Any], names: Names) -> NumberAnswer:
    values = _values(fields, names)
    ordered = bool(fields.get("ordered", False))
    if not ordered:
        values = tuple(dict.fromkeys(values))  # a double root is one solution
    return NumberAnswer(
        values=values,
        is_set="values" in fields,
        ordered=ordered,
        names=tuple(fields.get("names") or ()),
        tolerance=exact_number(fields.get("tolerance") or 0, names),
        unit=fields.get("unit"),
        unit_required=bool(fields.get("unit_required", False)),
        form=_one_of(fields.get("form", "any"), NUMBER_FORMS),
        as_decimal=_are_decimals(fields),
    )


def _are_decimals(fields: Mapping[str, Any]) -> bool:
    written = fields.get("values") or [fields.get("value", "")]
    return any(_DECIMAL.fullmatch(str(value).strip()) for value in written)


def _expression_answer(fields: Mapping[str, Any], names: Names) -> ExpressionAnswer:
    if "expression" not in fields:
        raise TemplateInvalid("answer.expression is missing.")
    equation = fields.get("equation")
    return ExpressionAnswer(
        expression=template_text.fill(str(fields["expression"]), names, expression=True),
        variables=tuple(fields.get("variables") or ()),
        form=_one_of(fields.get("form", "any"), EXPRESSION_FORMS),
        equation=None if equation is None else str(equation),
    )


def _text_answer(fields: Mapping[str, Any], names: Names) -> TextAnswer:
    accepted = fields.get("accepted") or ()
    if not accepted or isinstance(accepted, str):
        raise TemplateInvalid("answer.accepted must be a list of at least one text.")
    return TextAnswer(
        accepted=tuple(template_text.fill(str(text), names) for text in accepted),
        ignore_case=bool(fields.get("ignore_case", True)),
        ignore_accents=bool(fields.get("ignore_accents", False)),
        ignore_punctuation=bool(fields.get("ignore_punctuation", True)),
        typos=int(fields.get("typos", 0)),
    )


_READERS: dict[str, Callable[[Mapping[str, Any], Names], AnswerSpec]] = {
    "number": _number_answer,
    "expression": _expression_answer,
    "text": _text_answer,
}


def read_answer(kind: str, fields: Mapping[str, Any], names: Names) -> AnswerSpec:
    """Return the key of an item of this kind.

    Raises:
        TemplateInvalid: a field is missing or a value is not what the kind needs.
    """
    reader = _READERS.get(kind)
    return NoAnswer() if reader is None else reader(fields, names)


def read_wrong(
    spec: AnswerSpec, entries: Iterable[Mapping[str, Any]], names: Names
) -> tuple[WrongAnswer, ...]:
    """Return the anticipated wrong answers that are wrong for these parameters.

    An entry without a value here (a zero in a denominator) or equal to the key is left out.
    """
    found: list[WrongAnswer] = []
    for entry in entries:
        try:
            wrong = _read_wrong_entry(spec, entry, names)
        except ValueUndefined:
            continue
        if not _equals_key(spec, wrong):
            found.append(wrong)
    return tuple(found)


def _read_wrong_entry(spec: AnswerSpec, entry: Mapping[str, Any], names: Names) -> WrongAnswer:
    misconception, feedback = str(entry["misconception"]), entry.get("feedback") or ""
    feedback = template_text.fill(feedback, names)
    if isinstance(spec, NumberAnswer):
        return WrongAnswer(misconception, values=_values(entry, names), feedback=feedback)
    is_expression = isinstance(spec, ExpressionAnswer)
    text = str(entry.get("expression" if is_expression else "text", entry.get("value", "")))
    if not text:
        raise TemplateInvalid("an entry of `wrong` has no value.")
    text = template_text.fill(text, names, expression=is_expression)
    return WrongAnswer(misconception, text=text, feedback=feedback)


def _equals_key(spec: AnswerSpec, wrong: WrongAnswer) -> bool:
    if isinstance(spec, NumberAnswer):
        if len(wrong.values) != len(spec.values):
            return False
        pairs = (
            zip(wrong.values, spec.values, strict=True)
            if spec.ordered
            else zip(sorted(wrong.values), sorted(spec.values), strict=True)
        )
        return all(abs(got - right) <= spec.tolerance for got, right in pairs)
    if isinstance(spec, ExpressionAnswer):
        # Only the obvious case: grading asks for the key first, so the rest can do no harm.
        return wrong.text.replace(" ", "") == spec.expression.replace(" ", "")
    return isinstance(spec, TextAnswer) and wrong.text in spec.accepted
