"""Decide whether two expressions are equal wherever both are defined.

First both are evaluated exactly at pseudo-random points. Two different rational functions of
degree at most d agree at a point drawn from n values with probability at most d/n (Schwartz,
JACM 27(4), 1980; Zippel, EUROSAM 1979), which settles nearly every wrong answer in
microseconds. A pair that agrees everywhere and has no roots is then confirmed by SymPy as an
identity of polynomials, if small enough to be expanded in bounded time.
"""

import functools
import random
from collections.abc import Mapping, Sequence
from fractions import Fraction

from django.utils.translation import gettext

from tutor.content.grading import polynomials, surds
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
    children,
)
from tutor.content.grading.errors import UnreadableAnswer

POINTS = 5
TRIES = 40
Point = Mapping[str, surds.Surd]


def evaluate(node: Node, point: Point) -> surds.Surd:
    """Return the exact value at a point.

    Raises:
        surds.Undefined: the expression has no real value there.
        UnreadableAnswer: numbers grow beyond the limits.
    """
    if isinstance(node, Number):
        return surds.rational(node.value)
    if isinstance(node, Variable):
        return point[node.name]
    if isinstance(node, Negation):
        return surds.negate(evaluate(node.inner, point))
    if isinstance(node, Root):
        return surds.root(evaluate(node.inner, point))
    return _evaluate_pair(node, point)


def _evaluate_pair(node: Sum | Product | Quotient | Power, point: Point) -> surds.Surd:
    if isinstance(node, Power):
        return surds.power(evaluate(node.base, point), node.exponent)
    left, right = evaluate(node.left, point), evaluate(node.right, point)
    if isinstance(node, Sum):
        return surds.add(left, right)
    return surds.multiply(left, right if isinstance(node, Product) else surds.inverse(right))


def has_root(node: Node) -> bool:
    """Test whether a root occurs anywhere."""
    return isinstance(node, Root) or any(has_root(child) for child in children(node))


@functools.lru_cache(maxsize=256)
def points(variables: tuple[str, ...], *, small: bool) -> tuple[Point, ...]:
    """Return the points to try, the same each time; small whole numbers when roots occur.

    Under a root large fractions would have to be factorised.
    """
    rng = random.Random(20_011)  # any fixed number: grading must not depend on chance
    found: list[Point] = []
    for _ in range(TRIES if variables else 1):
        point: dict[str, surds.Surd] = {}
        for name in variables:
            size = 1 + int(rng.random() * (40 if small else 99_000))
            bottom = 1 if small else 1 + int(rng.random() * 6)
            sign = -1 if rng.random() < 0.5 else 1
            point[name] = surds.rational(Fraction(sign * size, bottom))
        found.append(point)
    return tuple(found)


def values_of(
    nodes: Sequence[Node], variables: tuple[str, ...], *, count: int = POINTS
) -> list[tuple[surds.Surd, ...]]:
    """Return the values of all nodes at up to `count` points where all are defined.

    Raises:
        UnreadableAnswer: there is no such point, as for 1/(x - x).
    """
    small = any(has_root(node) for node in nodes)
    rows: list[tuple[surds.Surd, ...]] = []
    for point in points(variables, small=small):
        try:
            rows.append(tuple(evaluate(node, point) for node in nodes))
        except surds.Undefined:
            continue
        if len(rows) == count:
            break
    if not rows:
        raise UnreadableAnswer(
            gettext("This expression has no value. Check denominators and roots.")
        )
    return rows


def are_equal(left: Node, right: Node, variables: tuple[str, ...]) -> bool:
    """Test whether two expressions are equal wherever both are defined.

    Raises:
        UnreadableAnswer: one of them is nowhere defined or beyond the limits.
    """
    if left == right:
        values_of((left,), variables, count=1)
        return True
    if any(a != b for a, b in values_of((left, right), variables)):
        return False
    if not variables or has_root(left) or has_root(right):
        # Numbers are compared exactly, so there is nothing to confirm without variables.
        return True
    return polynomials.are_identical(left, right, variables) is not False
