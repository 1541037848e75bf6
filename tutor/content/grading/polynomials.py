"""The bounded use of SymPy: expressions as quotients of polynomials over the rationals.

SymPy takes most of a second to import, so it is imported when first needed; `warm_up` lets a
server do that before the first learner waits for it.
"""

import functools
from math import gcd
from typing import Any

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
    degree,
)

# Expanding (a + b + c)^12 gives 91 terms; beyond this degree the evaluation has to do.
MAX_DEGREE = 12
MAX_TERMS = 300


class TooLarge(Exception):
    """The expanded form would be too long to be worth the time."""


@functools.lru_cache(maxsize=64)
def _ring(variables: tuple[str, ...]) -> Any:
    # The slow import (see above).
    from sympy.polys.domains import QQ  # type: ignore[import-untyped]  # noqa: PLC0415
    from sympy.polys.rings import PolyRing  # type: ignore[import-untyped]  # noqa: PLC0415

    return PolyRing(variables or ("x",), QQ)


def warm_up() -> None:
    """Import SymPy now."""
    _ring(("x",))


def are_identical(left: Node, right: Node, variables: tuple[str, ...]) -> bool | None:
    """Test whether two root-free expressions are the same rational function.

    None when they are too large to be expanded.
    """
    if max(degree(left), degree(right)) > MAX_DEGREE:
        return None
    try:
        top, bottom = as_quotient(left, variables)
        other_top, other_bottom = as_quotient(right, variables)
        return bool(_product(top, other_bottom) == _product(other_top, bottom))
    except TooLarge:
        return None


def as_quotient(node: Node, variables: tuple[str, ...]) -> tuple[Any, Any]:
    """Return (numerator, denominator) as elements of SymPy's sparse polynomial ring.

    Raises:
        TooLarge: a polynomial would have more than `MAX_TERMS` terms.
    """
    ring = _ring(variables)
    if isinstance(node, Number):
        value = ring.domain(node.value.numerator, node.value.denominator)
        return ring.ground_new(value), ring.one
    if isinstance(node, Variable):
        return ring.gens[variables.index(node.name)], ring.one
    if isinstance(node, Negation):
        top, bottom = as_quotient(node.inner, variables)
        return -top, bottom
    if isinstance(node, Root):
        raise TooLarge
    return _pair(node, variables)


def _pair(node: Sum | Product | Quotient | Power, variables: tuple[str, ...]) -> tuple[Any, Any]:
    if isinstance(node, Power):
        top, bottom = as_quotient(node.base, variables)
        if node.exponent < 0:
            top, bottom = bottom, top
        return _power(top, abs(node.exponent)), _power(bottom, abs(node.exponent))
    (a, b), (c, d) = as_quotient(node.left, variables), as_quotient(node.right, variables)
    if isinstance(node, Sum):
        return _product(a, d) + _product(c, b), _product(b, d)
    if isinstance(node, Product):
        return _product(a, c), _product(b, d)
    return _product(a, d), _product(b, c)


def _product(left: Any, right: Any) -> Any:
    if len(left) * len(right) > MAX_TERMS * 8:
        raise TooLarge
    result = left * right
    if len(result) > MAX_TERMS:
        raise TooLarge
    return result


def _power(base: Any, exponent: int) -> Any:
    result = base.ring.one
    for _ in range(exponent):
        result = _product(result, base)
    return result


def is_irreducible(node: Node, variables: tuple[str, ...]) -> bool:
    """Test whether an expression is a polynomial that cannot be factored over the rationals.

    A common whole factor counts: 2x + 6 can be factored. Meant for factors of an expression
    already known to equal the key, whose degree its author has chosen; above `MAX_DEGREE`
    it is taken for irreducible, because factoring has no useful bound of time there.
    """
    try:
        top, bottom = as_quotient(node, variables)
    except TooLarge:
        return False
    if not bottom.is_ground or top.is_ground:
        return False
    if sum(top.degrees()) > MAX_DEGREE:
        return True
    whole = all(coefficient.denominator == 1 for coefficient in top.values())
    if whole and bottom == 1 and abs(top.content()) != 1:
        return False
    _, factors = top.factor_list()
    return sum(int(multiplicity) for _, multiplicity in factors) <= 1


def are_coprime(left: Node, right: Node, variables: tuple[str, ...]) -> bool:
    """Test whether two polynomials with whole coefficients have no common factor but 1 and -1.

    False for what is no such polynomial, or is beyond `MAX_DEGREE`.
    """
    try:
        pairs = [as_quotient(node, variables) for node in (left, right)]
    except TooLarge:
        return False
    tops = [top for top, bottom in pairs if bottom == 1 and top]
    if len(tops) < 2 or any(sum(top.degrees()) > MAX_DEGREE for top in tops):
        return False
    if any(coefficient.denominator != 1 for top in tops for coefficient in top.values()):
        return False
    first, second = tops
    contents = gcd(*(int(abs(top.content())) for top in tops))
    return contents == 1 and bool(first.gcd(second).is_ground)
