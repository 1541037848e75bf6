"""Equations and inequalities: y = 2x + 3, x > 4."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext

from tutor.content.grading import equivalence, surds
from tutor.content.grading.algebra import Negation, Node, Sum, Variable, children
from tutor.content.grading.algebra_parser import parse
from tutor.content.grading.errors import UnreadableAnswer

_SIGN = re.compile(r"<=|>=|=<|=>|≤|≥|\\leq?\b|\\geq?\b|[<>=]")
_MEANING = {"≤": "<=", "=<": "<=", "\\le": "<=", "\\leq": "<="}
_MEANING |= {"≥": ">=", "=>": ">=", "\\ge": ">=", "\\geq": ">="}
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}


@dataclass(frozen=True, slots=True)
class Relation:
    """left `sign` right, the sign one of = < > <= >=."""

    left: Node
    sign: str
    right: Node


def is_relation(text: str) -> bool:
    """Test whether a text has a relation sign."""
    return _SIGN.search(text) is not None


def without_left_side(text: str, left_side: str | None) -> str:
    """Return the expression of "y = 2x + 3" or "2x + 3 = y" when `left_side` is "y".

    Spaces do not count, so that "f(x)" works too. Any other text is returned as it is.
    """
    if left_side is None:
        return text
    sides = text.split("=")
    if len(sides) != 2:
        return text
    wanted = left_side.replace(" ", "")
    first, second = (side.replace(" ", "") for side in sides)
    if first == wanted:
        return sides[1]
    return sides[0] if second == wanted else text


def parse_relation(text: str, variables: tuple[str, ...]) -> Relation:
    """Return the relation in a text.

    Raises:
        UnreadableAnswer: there is none, or more than one.
    """
    signs = _SIGN.findall(text)
    if len(signs) != 1:
        raise UnreadableAnswer(
            gettext(
                "The answer has more than one of = < > ≤ ≥. Write it as in y = 2x + 1 or x > 3."
            )
            if signs
            else gettext("The answer has no sign = < > ≤ ≥. Write it as in y = 2x + 1 or x > 3.")
        )
    left, right = _SIGN.split(text)
    sign = _MEANING.get(signs[0], signs[0])
    return Relation(parse(left, variables), sign, parse(right, variables))


def are_equivalent(one: Relation, other: Relation, variables: tuple[str, ...]) -> bool:
    """Test whether left - right of one is a constant multiple of the other's.

    A negative multiple turns an inequality round. Enough for linear relations; x² = 4 and
    x = 2 are rightly different, x = 2 and 2^x = 4 are not meant to meet here.
    """
    sides = [Sum(relation.left, Negation(relation.right)) for relation in (one, other)]
    rows = equivalence.values_of(sides, variables)
    ratio: surds.Surd | None = None
    for first, second in rows:
        if not first or not second:
            if first or second:
                return False
            continue
        now = surds.multiply(first, surds.inverse(second))
        if ratio is not None and now != ratio:
            return False
        ratio = now
    if ratio is None or list(ratio) != [1]:
        return False
    flipped = ratio[1] < 0
    return one.sign == (_FLIPPED[other.sign] if flipped else other.sign)


def is_solved(relation: Relation) -> bool:
    """Test whether one side is a single letter that the other side does not contain."""
    for side, other in ((relation.left, relation.right), (relation.right, relation.left)):
        if isinstance(side, Variable) and not _contains(other, side.name):
            return True
    return False


def _contains(node: Node, name: str) -> bool:
    if isinstance(node, Variable):
        return node.name == name
    return any(_contains(child, name) for child in children(node))
