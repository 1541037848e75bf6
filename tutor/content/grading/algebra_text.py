"""Write a tree of algebra as people do: 2x - 3, not (2)*x + (-3)."""

import re
from fractions import Fraction

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

_DECIMAL = r"\d+(?:[.,]\d+)?"
_LATEX = (
    (re.compile(r"sqrt\(([^()]*)\)"), r"\\sqrt{\1}"),
    (re.compile(r"\^\((-?\d+)\)|\^(\d\d+)"), r"^{\1\2}"),
    (
        # Neither x^2/3 nor 1/2^3 nor (1/2)^3 has such a fraction in it, or not in this place.
        re.compile(
            rf"\(({_DECIMAL})/({_DECIMAL})\)(?!\^)"
            rf"|(?<![\w.,^])({_DECIMAL})/({_DECIMAL})\b(?![.,]\d|[(^])"
        ),
        r"\\frac{\1\3}{\2\4}",
    ),
    (re.compile(r"\*"), r" \\cdot "),
    (re.compile("<="), r"\\le"),
    (re.compile(">="), r"\\ge"),
    (re.compile(r"(?<=\d),(?=\d)"), "{,}"),
)


def written(node: Node) -> str:
    """Return the expression as text that reads back to an equal one.

    Zero terms and factors of 1, which templates leave behind, are dropped.
    """
    node = _tidy(node)
    if isinstance(node, Sum):
        return f"{written(node.left)}{_following(node.right)}"
    if isinstance(node, Negation):
        inner = written(node.inner)
        return f"-({inner})" if isinstance(node.inner, (Sum, Negation)) else f"-{inner}"
    if isinstance(node, Product):
        return _product(node)
    if isinstance(node, Quotient):
        return f"{_factor(node.left)}/{_denominator(node.right)}"
    return _atom(node)


def as_latex(text: str) -> str:
    """Return what `written` returned, perhaps with decimal commas, as LaTeX."""
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    return text


def _atom(node: Number | Variable | Root | Power) -> str:
    if isinstance(node, Number):
        return _number(node)
    if isinstance(node, Variable):
        return node.name
    if isinstance(node, Root):
        return f"sqrt({written(node.inner)})"
    return _power(node)


def _power(node: Power) -> str:
    exponent = str(node.exponent) if node.exponent >= 0 else f"({node.exponent})"
    is_simple = isinstance(node.base, (Variable, Root)) or _is_whole(node.base)
    base = written(node.base)
    return f"{base}^{exponent}" if is_simple else f"({base})^{exponent}"


def _number(node: Number) -> str:
    if not node.is_decimal:
        return str(node.value)
    places = next(n for n in range(40) if 10**n % node.value.denominator == 0)
    digits = str(int(node.value * 10**places)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def _is_whole(node: Node) -> bool:
    return isinstance(node, Number) and node.value.denominator == 1 and node.value >= 0


def _following(term: Node) -> str:
    """Return a later term of a sum with its sign."""
    text = written(term)
    return f" - {text[1:]}" if text.startswith("-") else f" + {text}"


def _product(node: Product) -> str:
    left, right = _factor(node.left), _factor(node.right)
    # 2*3, x*2 and the like need the sign; 2x, x(x + 1) do not.
    needs_sign = right[0].isdigit() or right[0] == "-" or (left[-1].isdigit() and right[0] == ".")
    return f"{left}*{right}" if needs_sign else f"{left}{right}"


def _factor(node: Node) -> str:
    text = written(node)
    # (1/2)x, though 1/2x is read the same: people read the latter in two ways.
    if isinstance(node, (Sum, Quotient)):
        return f"({text})"
    return f"({text})" if text.startswith("-") else text


def _denominator(node: Node) -> str:
    text = written(node)
    return text if isinstance(node, (Number, Variable, Power, Root)) else f"({text})"


def _tidy(node: Node) -> Node:
    """Return the node without zero terms, factors of 1 and signs inside products."""
    if isinstance(node, (Sum, Product, Quotient)):
        left, right = _tidy(node.left), _tidy(node.right)
        if isinstance(node, Product):
            return _tidy_product(left, right)
        return _tidy_sum(left, right) if isinstance(node, Sum) else _tidy_quotient(left, right)
    if isinstance(node, Negation):
        inner = _tidy(node.inner)
        if isinstance(inner, Negation):
            return inner.inner
        return inner if _is(inner, 0) else Negation(inner)
    return _tidy(node.base) if isinstance(node, Power) and node.exponent == 1 else node


def _tidy_sum(left: Node, right: Node) -> Node:
    if _is(left, 0):
        return right
    return left if _is(right, 0) else Sum(left, right)


def _tidy_product(left: Node, right: Node) -> Node:
    if isinstance(left, Negation):
        return _tidy(Negation(Product(left.inner, right)))
    if isinstance(right, Negation):
        return _tidy(Negation(Product(left, right.inner)))
    if _is(left, 0) or _is(right, 1):
        return left
    return right if _is(left, 1) or _is(right, 0) else Product(left, right)


def _tidy_quotient(left: Node, right: Node) -> Node:
    if isinstance(left, Negation):
        return Negation(_tidy_quotient(left.inner, right))
    return left if _is(right, 1) else Quotient(left, right)


def _is(node: Node, value: int) -> bool:
    return isinstance(node, Number) and node.value == Fraction(value)
