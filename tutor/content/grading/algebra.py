"""The tree of an algebraic expression, and what its shape tells."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Number:
    """A literal; `is_decimal` tells 0.50 from 1."""

    value: Fraction
    is_decimal: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A letter."""

    name: str


@dataclass(frozen=True, slots=True)
class Negation:
    """Minus the inner expression."""

    inner: "Node"


@dataclass(frozen=True, slots=True)
class Sum:
    """left + right; a difference is a sum with a negation."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Product:
    """left times right."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Quotient:
    """left over right."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Power:
    """base to a whole exponent, -MAX_EXPONENT..MAX_EXPONENT."""

    base: "Node"
    exponent: int


@dataclass(frozen=True, slots=True)
class Root:
    """The non-negative square root."""

    inner: "Node"


Node = Number | Variable | Negation | Sum | Product | Quotient | Power | Root


def constant(node: Node) -> Fraction | None:
    """Return the value of a small tree of literals, signs and one quotient; None otherwise."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Negation):
        inner = constant(node.inner)
        return None if inner is None else -inner
    if isinstance(node, Quotient):
        top, bottom = constant(node.left), constant(node.right)
        return None if top is None or not bottom else top / bottom
    return None


def degree(node: Node) -> int:
    """Return an upper bound of the degrees of numerator and denominator, and of bit growth."""
    if isinstance(node, (Number, Variable)):
        return 1
    if isinstance(node, (Negation, Root)):
        return degree(node.inner)
    if isinstance(node, Power):
        return degree(node.base) * max(1, abs(node.exponent))
    if isinstance(node, Sum) and not _has_quotient(node):
        return max(degree(node.left), degree(node.right))
    return degree(node.left) + degree(node.right)


def _has_quotient(node: Node) -> bool:
    if isinstance(node, Quotient) or (isinstance(node, Power) and node.exponent < 0):
        return True
    return any(_has_quotient(child) for child in children(node))


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct parts of a node."""
    if isinstance(node, (Number, Variable)):
        return ()
    if isinstance(node, (Negation, Root)):
        return (node.inner,)
    return (node.base,) if isinstance(node, Power) else (node.left, node.right)
