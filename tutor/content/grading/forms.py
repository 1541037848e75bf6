"""Check how an expression is written: multiplied out, factored, simplified."""

from fractions import Fraction
from math import gcd

from django.utils.translation import gettext_noop

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
    constant,
)

# Marked for translators here and translated where they are given.
FEEDBACK = {
    "expanded": gettext_noop(
        "Your answer is equal to the right one, but not multiplied out and collected."
    ),
    "factored": gettext_noop("Your answer is equal to the right one, but not fully factored."),
    "simplest": gettext_noop("Your answer is equal to the right one, but not in simplest form."),
}


def has_form(node: Node, form: str, variables: tuple[str, ...]) -> bool:
    """Test whether the expression is written in the form "any", "expanded", "factored", "simplest".

    Expanded: a sum of different monomials, each with one reduced coefficient, each letter once
    and roots of square-free numbers only. Simplest: the same, where monomials may have letters
    below the line; or one quotient in lowest terms. Factored: a product of factors that cannot
    be factored over the rationals.
    """
    if form == "factored":
        return is_factored(node, variables)
    if form == "expanded":
        return is_collected(node, allow_quotient=False)
    if form == "simplest":
        return is_collected(node, allow_quotient=True) or is_in_lowest_terms(node, variables)
    return True


def is_in_lowest_terms(node: Node, variables: tuple[str, ...]) -> bool:
    """Test for one quotient of tidy polynomials without a common factor, as (x + 2)/(3x - 1)."""
    while isinstance(node, Negation):
        node = node.inner
    if not isinstance(node, Quotient):
        return False
    return all(
        _is_tidy_polynomial(part, variables) for part in (node.left, node.right)
    ) and polynomials.are_coprime(node.left, node.right, variables)


def _is_tidy_polynomial(node: Node, variables: tuple[str, ...]) -> bool:
    if is_collected(node, allow_quotient=False):
        return True
    factors = _factors(node)
    return is_factored(node, variables) and all(
        is_collected(factor, allow_quotient=False) for factor in factors
    )


def is_factored(node: Node, variables: tuple[str, ...]) -> bool:
    """Test whether every factor is irreducible and free of common whole factors."""
    factors = [factor for factor in _factors(node) if constant(factor) is None]
    return all(
        isinstance(factor, Variable)
        or (isinstance(factor, Sum) and polynomials.is_irreducible(factor, variables))
        for factor in factors
    )


def _factors(node: Node) -> list[Node]:
    """Return the factors of a product, powers taken apart, signs dropped."""
    if isinstance(node, Negation):
        return _factors(node.inner)
    if isinstance(node, Product):
        return _factors(node.left) + _factors(node.right)
    if isinstance(node, Quotient) and constant(node.right) is not None:
        return _factors(node.left)
    if isinstance(node, Power) and node.exponent > 0:
        return _factors(node.base)
    return [node]


def is_collected(node: Node, *, allow_quotient: bool) -> bool:
    """Test whether the expression is a sum of tidy monomials, no two alike."""
    shapes: set[object] = set()
    for term in _terms(node):
        shape = _Monomial(allow_quotient=allow_quotient)
        if not shape.read(term, 1) or not shape.is_tidy():
            return False
        key = shape.key()
        if key in shapes:
            return False
        shapes.add(key)
    return True


def _terms(node: Node) -> list[Node]:
    if isinstance(node, Sum):
        return _terms(node.left) + _terms(node.right)
    if isinstance(node, Negation):
        return _terms(node.inner)
    if isinstance(node, Quotient) and isinstance(node.left, (Sum, Negation)):
        # (1 + √5)/2 is as usual as 1/2 + √5/2.
        if isinstance(node.right, Number) and isinstance(node.left, Sum):
            return [Quotient(term, node.right) for term in _terms(node.left)]
        if isinstance(node.left, Negation):
            return _terms(Quotient(node.left.inner, node.right))
    return [node]


class _Monomial:
    """Collects the parts of one product; `read` fails on what a monomial cannot hold."""

    def __init__(self, *, allow_quotient: bool) -> None:
        self.allow_quotient = allow_quotient
        self.above: list[Number] = []
        self.below: list[Number] = []
        self.letters: list[tuple[str, int]] = []
        self.roots: list[int] = []

    def read(self, node: Node, side: int) -> bool:
        """Take in one factor; `side` is 1 above the line and -1 below."""
        if isinstance(node, (Product, Quotient)):
            other = side if isinstance(node, Product) else -side
            return self.read(node.left, side) and self.read(node.right, other)
        if isinstance(node, Negation):
            return self.read(node.inner, side)
        return self._read_single(node, side)

    def _read_single(self, node: Node, side: int) -> bool:
        if isinstance(node, Number):
            (self.above if side == 1 else self.below).append(node)
            return True
        if isinstance(node, Variable):
            return self._letter(node.name, side)
        if isinstance(node, Power) and isinstance(node.base, Variable):
            plain = node.exponent not in (0, 1)
            return plain and self._letter(node.base.name, side * node.exponent)
        return isinstance(node, Root) and self._root(node, side)

    def _letter(self, name: str, exponent: int) -> bool:
        self.letters.append((name, exponent))
        return self.allow_quotient or exponent > 0

    def _root(self, node: Root, side: int) -> bool:
        radicand = constant(node.inner)
        if radicand is None or radicand.denominator != 1 or radicand <= 1 or side != 1:
            return False
        self.roots.append(int(radicand))
        return surds.split_square(int(radicand))[0] == 1 if radicand < 10**9 else False

    def is_tidy(self) -> bool:
        """Test for one reduced coefficient, each letter once and at most one root."""
        names = [name for name, _ in self.letters]
        if max(len(self.above), len(self.below), len(self.roots)) > 1:
            return False
        return len(set(names)) == len(names) and self._has_reduced_coefficient()

    def _has_reduced_coefficient(self) -> bool:
        top = self.above[0].value if self.above else Fraction(1)
        if top == 0 and (self.letters or self.roots):
            return False
        if not self.below:
            return True
        bottom = self.below[0].value
        if top.denominator != 1 or bottom.denominator != 1:
            return False
        return gcd(int(top), int(bottom)) == 1 and bottom != 1

    def key(self) -> object:
        """Return what makes two monomials alike."""
        return frozenset(self.letters), tuple(self.roots)
