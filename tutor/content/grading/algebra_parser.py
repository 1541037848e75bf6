"""Read a learner's algebra into a small tree; nothing a learner types is ever evaluated as code.

Grammar: sums, products, quotients, powers, roots, brackets and implicit multiplication.
Multiplication without a sign binds like multiplication with one, so 1/2x is (1/2)x.
"""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from django.utils.translation import gettext

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
    degree,
)
from tutor.content.grading.errors import UnreadableAnswer
from tutor.content.grading.number_reading import thousand_or_decimal, two_ways

MAX_LENGTH = 200
MAX_DEPTH = 20
MAX_EXPONENT = 50
MAX_DEGREE = 60
MAX_DIGITS = 15

_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_TO_DIGIT = str.maketrans(_SUPERSCRIPT, "0123456789-")
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("−–—﹣", "-"),
        **dict.fromkeys("×·∙⋅", "*"),
        **dict.fromkeys("÷∕⁄:", "/"),
        **dict.fromkeys("[{", "("),
        **dict.fromkeys("]}", ")"),
    }
)
_LATEX = (
    (re.compile(r"\\(?:left|right|,|;|!| )"), ""),
    (re.compile(r"\\(?:cdot|times)\b"), "*"),
    (re.compile(r"\\sqrt\b"), "sqrt"),
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"((\1)/(\2))"),
)
_PI = re.compile(r"\\?[Pp][Ii]")
_TOKEN = re.compile(r"\s*(\d+(?:[.,]\d+)?|\.\d+|sqrt|[A-Za-zα-ω]|\*\*|[-+*/^()√])")


_TWINS = {"**": "^", "√": "sqrt"}
# One mark before three digits, in no longer number: thousands, or decimals.
_ONE_GROUP = re.compile(r"(?<![\d.,])([1-9]\d{0,2})[.,](\d{3})(?![\d.,])", re.ASCII)
_POINT = re.compile(r"\s*[(\[{]\s*[-−]?\d+(?:,[-−]?\d+)+\s*[)\]}]\s*")


def with_points(text: str) -> str:
    """Return a learner's expression with a point where one mark before three digits is doubtful.

    Raises:
        UnreadableAnswer: it is a list of numbers in brackets, such as a point or an interval.
    """
    if _POINT.fullmatch(text):
        raise UnreadableAnswer(_unknown_sign(","))
    return _ONE_GROUP.sub(r"\1.\2", text)


def with_thousands(text: str) -> tuple[str, str]:
    """Return a learner's expression with thousands there, and the first such number, or "" twice.

    >>> with_thousands("1.500x + 2,25"), with_thousands("x")
    (('1500x + 2,25', '1.500'), ('', ''))
    """
    found = _ONE_GROUP.search(text)
    return (_ONE_GROUP.sub(r"\1\2", text), found[0]) if found else ("", "")


def _with_point(piece: str) -> str:
    """Return a token with a point as decimal mark; a key must not be read in two ways."""
    if "," in piece and _ONE_GROUP.fullmatch(piece):
        raise UnreadableAnswer(thousand_or_decimal(piece))
    return piece.replace(",", ".")


def _clean(text: str) -> str:
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    text = re.sub(f"[{_SUPERSCRIPT}]+", lambda m: f"^({m[0].translate(_TO_DIGIT)})", text)
    return text.translate(_SIGNS)


def tokens(text: str, variables: Sequence[str]) -> list[str]:
    """Return the tokens of an expression.

    Raises:
        UnreadableAnswer: a sign or letter is not known here.
    """
    if len(text) > MAX_LENGTH:
        raise UnreadableAnswer(
            gettext("The answer is longer than %(max_length)s characters.")
            % {"max_length": MAX_LENGTH}
        )
    # π is a letter like any other here: no polynomial in it with rational coefficients is zero.
    if "π" in variables and not {"p", "P"} & set(variables):
        text = _PI.sub("π", text)
    cleaned, found, at = _clean(text).strip(), [], 0
    while at < len(cleaned):
        match = _TOKEN.match(cleaned, at)
        if match is None:
            raise UnreadableAnswer(_unknown_sign(cleaned[at:].strip()[0]))
        found.append(_TWINS.get(match[1]) or _with_point(match[1]))
        at = match.end()
    for piece in found:
        if piece.isalpha() and piece != "sqrt" and piece not in variables:
            raise UnreadableAnswer(_unknown_letter(piece, variables))
    if not found:
        raise UnreadableAnswer(gettext("The answer is empty. Write an expression."))
    return found


def _unknown_sign(sign: str) -> str:
    if sign == ",":
        return gettext("Write a decimal as in 2.5, and give one expression only.")
    if sign in "=<>≤≥":
        return gettext("Leave out “%(sign)s”; give the expression only.") % {"sign": sign}
    told = gettext("The sign “%(sign)s” cannot be read here. Use + - * / ^ and brackets.")
    return told % {"sign": sign}


def _unknown_letter(letter: str, variables: Sequence[str]) -> str:
    if not variables:
        told = gettext("The letter “%(letter)s” does not occur in this task. Give a number.")
        return told % {"letter": letter}
    told = gettext("The letter “%(letter)s” does not occur in this task. Use %(letters)s.")
    return told % {"letter": letter, "letters": ", ".join(variables)}


def parse(text: str, variables: Sequence[str]) -> Node:
    """Return the tree of an expression in the given one-letter variables.

    Raises:
        UnreadableAnswer: it is not an expression, or larger than the limits of this module.
    """
    parser = _Parser(tokens(text, variables))
    node = parser.sum()
    parser.expect_end()
    if degree(node) > MAX_DEGREE:
        raise UnreadableAnswer(gettext("The powers in this answer are too high to be meant."))
    return node


class _Parser:
    """Recursive descent over a list of tokens."""

    def __init__(self, found: list[str]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        piece = self.peek()
        self.at += 1
        return piece

    def expect_end(self) -> None:
        piece = self.peek()
        if piece == ")":
            raise UnreadableAnswer(gettext("A closing bracket has no opening one."))
        if piece:
            raise UnreadableAnswer(_adjacent(self.tokens[self.at - 1], piece))

    def sum(self) -> Node:
        node = self.product()
        while self.peek() in ("+", "-"):
            sign = self.take()
            term = self.product()
            node = Sum(node, term if sign == "+" else Negation(term))
        return node

    def product(self) -> Node:
        node = self.signed()
        while True:
            piece = self.peek()
            if piece in ("*", "/"):
                self.take()
                factor = self.signed()
                node = Product(node, factor) if piece == "*" else Quotient(node, factor)
            elif piece == "(" or piece.isalpha():
                node = Product(node, self.power())
            else:
                return node

    def signed(self) -> Node:
        negative = False
        while self.peek() in ("+", "-"):
            negative ^= self.take() == "-"
        node = self.power()
        return Negation(node) if negative else node

    def power(self) -> Node:
        node = self.atom()
        if self.peek() != "^":
            return node
        self.take()
        exponent = self._exponent()
        if self.peek() == "^":
            raise UnreadableAnswer(gettext("Put brackets around a power of a power."))
        if exponent.denominator == 2 and exponent > 0:
            return Root(Power(node, exponent.numerator) if exponent.numerator > 1 else node)
        if exponent.denominator != 1:
            raise UnreadableAnswer(gettext("An exponent must be a whole number here."))
        if abs(exponent) > MAX_EXPONENT:
            raise UnreadableAnswer(
                gettext("Exponents are limited to %(max_exponent)s here.")
                % {"max_exponent": MAX_EXPONENT}
            )
        return Power(node, int(exponent))

    def _exponent(self) -> Fraction:
        negative = False
        while self.peek() in ("+", "-"):
            negative ^= self.take() == "-"
        value = constant(self.atom())
        if value is None:
            raise UnreadableAnswer(gettext("An exponent must be a whole number here."))
        return -value if negative else value

    def atom(self) -> Node:
        piece = self.take()
        if piece == "sqrt":
            return Root(self._nested(self.atom))
        if piece == "(":
            inner = self._nested(self.sum)
            if self.take() != ")":
                self.at -= 1
                self._missing_bracket()
            return inner
        if piece and piece[0] in "0123456789.":
            if len(piece) > MAX_DIGITS + 1:
                raise UnreadableAnswer(
                    gettext("A number has more than %(max_digits)s digits.")
                    % {"max_digits": MAX_DIGITS}
                )
            return Number(Fraction(piece), is_decimal="." in piece)
        if piece.isalpha():
            return Variable(piece)
        if not piece:
            raise UnreadableAnswer(gettext("Something is missing at the end."))
        raise UnreadableAnswer(
            gettext("Something is missing before “%(piece)s”.") % {"piece": piece}
        )

    def _nested(self, read: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UnreadableAnswer(
                gettext("Brackets are nested more than %(max_depth)s deep.")
                % {"max_depth": MAX_DEPTH}
            )
        node = read()
        self.depth -= 1
        return node

    def _missing_bracket(self) -> None:
        if self.peek():
            raise UnreadableAnswer(_adjacent(self.tokens[self.at - 1], self.peek()))
        raise UnreadableAnswer(gettext("A bracket is not closed."))


def _adjacent(before: str, after: str) -> str:
    if before[0].isdigit() and after[0].isdigit():
        told = gettext(
            "Two numbers, %(before)s and %(after)s, stand side by side. Write a sign between them."
        )
    elif after[0].isdigit():
        return two_ways(f"{before}{after}", f"{after}{before}", f"{before}^{after}")
    else:
        told = gettext("A sign is missing between %(before)s and %(after)s.")
    return told % {"before": before, "after": after}
