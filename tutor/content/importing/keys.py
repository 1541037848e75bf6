"""From the answer of a step to the key of an item, or the reason why there is none."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tutor.content.grading import UnreadableAnswer, polynomials
from tutor.content.grading.algebra import Node, constant
from tutor.content.grading.algebra_parser import parse
from tutor.content.importing import latex
from tutor.content.importing.listed import Unfit
from tutor.content.importing.numerals import Numeral, read_numeral
from tutor.content.rendered import Kind

NO_ANSWER = "step without an answer"
UNSUPPORTED = "formula beyond our grader"
RELATION = "equation or inequality beyond our grader"
SEVERAL_WAYS = "several answers that nothing says to be alternatives"

_SIGN = re.compile(r"<=|>=|\\leq?(?![a-z])|\\geq?(?![a-z])|[<>=≤≥]")
_NAMES = {"\\leq": "<=", "\\le": "<=", "≤": "<=", "\\geq": ">=", "\\ge": ">=", "≥": ">="}
# "y", "f(x)", "C(x)": what may stand before the sign of an answer that is solved.
_FUNCTION_NAME = re.compile(r"([A-Za-z])\s*(?:\\left)?\(\s*([A-Za-z])\s*(?:\\right)?\)")


@dataclass(frozen=True, slots=True)
class Key:
    """What judges an answer: kind, `answer` and `choices` as in the course format.

    `literal` is the number as its author wrote it, for the choice of a form.
    """

    kind: Kind
    answer: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[Mapping[str, Any], ...] = ()
    keep_order: bool = False
    literal: Numeral | None = None


def read_formula(answers: Sequence[str]) -> Key:
    """Return the key of a step that OATutor compares as mathematics.

    Raises:
        Unfit: our grader could not judge it soundly.
    """
    answer = single(answers)
    text = latex.bare(answer)
    numeral = read_numeral(text)
    if numeral is not None:
        return number_key(numeral)
    return _relation(text) if _SIGN.search(text) else _expression(text)


def single(answers: Sequence[str]) -> str:
    """Return the one answer.

    Raises:
        Unfit: there is none, or several.
    """
    given = list(dict.fromkeys(answer.strip() for answer in answers if answer.strip()))
    if not given:
        raise Unfit(NO_ANSWER)
    if len(given) > 1:
        raise Unfit(SEVERAL_WAYS, " | ".join(given))
    return given[0]


def number_key(numeral: Numeral) -> Key:
    """Return the key of a number item."""
    answer = {"value": numeral.text}
    if numeral.unit is not None:
        answer["unit"] = numeral.unit
    return Key("number", answer, literal=numeral)


def _expression(text: str, *, equation: str | None = None) -> Key:
    reading = latex.read_expression(text)
    node = parsed(reading)
    value = constant(node)
    if value is not None:
        numeral = read_numeral(text) or Numeral(_as_text(value, reading.text))
        return number_key(numeral)
    answer: dict[str, Any] = {"expression": reading.text, "variables": list(reading.variables)}
    if equation is not None:
        answer["equation"] = equation
    return Key("expression", answer)


def _as_text(value: Fraction, written: str) -> str:
    """Return the value in the way it was written: 36/16 stays, (-4)/(21) becomes -4/21."""
    match = re.fullmatch(r"\(*(-?)\(*(-?)(\d+)\)*/\(*(-?)(\d+)\)*", written)
    if match is None:
        return str(value)
    negative = sum(sign == "-" for sign in (match[1], match[2], match[4])) % 2
    return f"{'-' if negative else ''}{match[3]}/{match[5]}"


def parsed(reading: latex.Reading) -> Node:
    """Return the tree that the grader makes of it.

    Raises:
        Unfit: the grader cannot read it.
    """
    try:
        return parse(reading.text, reading.variables)
    except UnreadableAnswer as error:
        raise Unfit(UNSUPPORTED, error.message) from error


def _relation(text: str) -> Key:
    signs = _SIGN.findall(text)
    if len(signs) != 1:
        raise Unfit(RELATION, f"{len(signs)} signs of relation")
    left, right = (side.strip() for side in _SIGN.split(text))
    sign = _NAMES.get(signs[0], signs[0])
    if sign == "=":
        name = _left_side(left)
        if name is not None and not _mentions(right, name):
            return _expression(right, equation=name)
    return _whole_relation(left, sign, right)


def _left_side(text: str) -> str | None:
    """Return the letter or the function that the answer is solved for."""
    if re.fullmatch(r"[A-Za-z]", text):
        return text
    match = _FUNCTION_NAME.fullmatch(text)
    return f"{match[1]}({match[2]})" if match else None


def _mentions(text: str, name: str) -> bool:
    return len(name) == 1 and name in latex.read_expression(text).variables


def _whole_relation(left: str, sign: str, right: str) -> Key:
    """Return the key of a relation that is judged as a whole.

    The grader takes two relations for the same when one is a constant multiple of the other.
    That is enough for equations between polynomials, and for linear inequalities.
    """
    sides = [latex.read_expression(side) for side in (left, right)]
    variables = tuple(dict.fromkeys(sides[0].variables + sides[1].variables))
    degree = max(_polynomial_degree(parsed(side), side.variables) for side in sides)
    if degree < 1:
        raise Unfit(RELATION, "no letter in it")
    if sign != "=" and degree > 1:
        raise Unfit(RELATION, "an inequality that is not linear")
    expression = f"{sides[0].text} {sign} {sides[1].text}"
    return Key("expression", {"expression": expression, "variables": list(variables)})


def _polynomial_degree(node: Node, variables: tuple[str, ...]) -> int:
    try:
        top, bottom = polynomials.as_quotient(node, variables)
    except (polynomials.TooLarge, ZeroDivisionError) as error:
        raise Unfit(RELATION, "a root, or more terms than can be checked") from error
    if not bottom.is_ground:
        raise Unfit(RELATION, "a letter below a line")
    return max((sum(powers) for powers in top.monoms()), default=0)
