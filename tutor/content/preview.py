"""How what somebody is typing will be read, as maths: shown beside the field, never stored."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import formats
from django.utils.translation import gettext

from tutor.content import maths
from tutor.content.grading import algebra_parser, number_lists, number_reading, relations
from tutor.content.grading.algebra import (
    Negation,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Root,
    Sum,
    Variable,
)
from tutor.content.grading.errors import UnreadableAnswer
from tutor.content.grading.given import MAX_ANSWER_LENGTH
from tutor.content.rendered import ExpressionAnswer, NumberAnswer, RenderedItem

_SIGNS = {"=": "=", "<": "<", ">": ">", "<=": r"\le", ">=": r"\ge"}
_MIXED = re.compile(r"([-−]?)\s*(\d+)\s+(\d+)\s*/\s*(\d+)")
_PLAIN = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
_PART = re.compile(r"\s*(?:;|\b(?:or|and|oder|und)\b)\s*")
_TRAILING = re.compile(r"(.*?)\s*(%|°|[A-Za-zµ]+[²³]?)\s*$")


@dataclass(frozen=True, slots=True)
class Preview:
    """`mathml` is a `<math>` element or empty; `problem` says why there is none, or is empty."""

    mathml: str = ""
    problem: str = ""


def preview(item: RenderedItem, text: str) -> Preview:
    """Return how a text typed into the item's field reads; empty for items without maths.

    The structure is shown as typed, nothing is simplified: a preview must not help.
    """
    text = text.strip()
    if not text or len(text) > MAX_ANSWER_LENGTH:
        return Preview()
    try:
        if isinstance(item.answer, ExpressionAnswer):
            return Preview(_localised(maths.to_mathml(_of_algebra(text, item.answer))))
        if isinstance(item.answer, NumberAnswer):
            return Preview(_localised(_of_numbers(text, item.answer)))
    except UnreadableAnswer as error:
        # Of a number the grading reads more than this does, such as "no solution".
        return Preview(problem=error.message if isinstance(item.answer, ExpressionAnswer) else "")
    return Preview()


def _localised(mathml: str) -> str:
    """Return maths with the decimal mark of the page's language."""
    mark = formats.get_format("DECIMAL_SEPARATOR")
    return re.sub(r"(<mn>\d*)\.(\d+</mn>)", rf"\g<1>{mark}\g<2>", mathml)


def _of_algebra(text: str, key: ExpressionAnswer) -> str:
    text = algebra_parser.with_points(text)
    if relations.is_relation(key.expression):
        relation = relations.parse_relation(text, key.variables)
        sides = latex_of(relation.left), latex_of(relation.right)
        return f"{sides[0]} {_SIGNS[relation.sign]} {sides[1]}"
    bare = relations.without_left_side(text, key.equation)
    body = latex_of(algebra_parser.parse(bare, key.variables))
    return body if bare == text else f"{key.equation} = {body}"


def _of_numbers(text: str, key: NumberAnswer) -> str:
    """Return how the grading reads a wrong answer, as MathML; nothing where that goes by the key.

    A plain number is not shown again, unless somebody may take its mark for one of thousands.
    """
    is_doubtful = number_reading.ONE_GROUP.fullmatch(text.lstrip("+-− ")) is not None
    if _PLAIN.fullmatch(text) and not is_doubtful:
        return ""
    if is_doubtful and key.form == "integer":
        raise UnreadableAnswer(gettext("This may be read in two ways."))
    parts = _parts(text, key) if key.is_set else _PART.split(text)
    return maths.to_mathml(r"\;;\;".join(_of_number(part) for part in parts if part))


def _parts(text: str, key: NumberAnswer) -> tuple[str, ...]:
    likely = [way for way in number_lists.ways(key, text) if way.is_likely]
    if len(likely) > 1:
        raise UnreadableAnswer(gettext("This may be read in two ways."))
    return likely[0].parts


def _of_number(text: str) -> str:
    name, sign, value = text.rpartition("=")
    if sign and not re.fullmatch(r"\s*[A-Za-z]\s*", name):
        raise UnreadableAnswer(gettext("This is not a number."))
    trailing = _TRAILING.fullmatch(value)
    value, unit = (trailing[1], trailing[2]) if trailing else (value, "")
    mixed = _MIXED.fullmatch(value.strip())
    if mixed:
        body = rf"{'-' if mixed[1] else ''}{mixed[2]}\,\frac{{{mixed[3]}}}{{{mixed[4]}}}"
    else:
        # A decimal comma is a point for the grading.
        value = re.sub(r"(?<=\d),(?=\d)", ".", value.strip())
        body = value if _PLAIN.fullmatch(value) else latex_of(algebra_parser.parse(value, ()))
    shown = (r"\,\%" if unit == "%" else rf"\,\text{{{unit}}}") if unit else ""
    return f"{name.strip()} = {body}{shown}" if sign else f"{body}{shown}"


def latex_of(node: Node) -> str:
    """Return a tree as LaTeX, with its own brackets, quotients as fractions and roots as roots."""
    written = _WRITERS[type(node)](node)
    return str(written)


def _number(node: Number) -> str:
    return f"{float(node.value):.15g}" if node.is_decimal else str(node.value)


def _sum(node: Sum) -> str:
    if isinstance(node.right, Negation):
        return f"{latex_of(node.left)} - {_bracketed(node.right.inner, Sum, Negation)}"
    return f"{latex_of(node.left)} + {latex_of(node.right)}"


def _product(node: Product) -> str:
    left, right = _bracketed(node.left, Sum), _bracketed(node.right, Sum, Negation)
    return f"{left} \\cdot {right}" if right[0].isdigit() else f"{left}{right}"


def _power(node: Power) -> str:
    base = _bracketed(node.base, Sum, Negation, Product, Quotient, Power)
    return f"{base}^{{{node.exponent}}}"


_WRITERS: dict[type, Callable[[Any], str]] = {
    Number: _number,
    Variable: lambda node: node.name,
    Negation: lambda node: f"-{_bracketed(node.inner, Sum, Negation)}",
    Sum: _sum,
    Product: _product,
    Quotient: lambda node: rf"\frac{{{latex_of(node.left)}}}{{{latex_of(node.right)}}}",
    Root: lambda node: rf"\sqrt{{{latex_of(node.inner)}}}",
    Power: _power,
}


def _bracketed(node: Node, *kinds: type) -> str:
    inner = latex_of(node)
    return rf"\left({inner}\right)" if isinstance(node, kinds) else inner
