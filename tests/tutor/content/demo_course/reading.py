"""Read rendered LaTeX back into exact numbers, without the course engine.

The keys of the demo course are checked from what a learner sees. This reader shares no code
with the templates or the grader.
"""

import ast
import math
import operator
import re
from collections.abc import Callable
from fractions import Fraction


def exact_power(base: Fraction, exponent: Fraction) -> Fraction:
    """Return base to a whole exponent by repeated multiplication."""
    if exponent.denominator != 1:
        raise ValueError("only whole exponents")
    result = Fraction(1)
    for _ in range(abs(exponent.numerator)):
        result *= base
    return result if exponent >= 0 else 1 / result


_BINARY: dict[type[ast.AST], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: exact_power,
}
_FRACTION = re.compile(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}")
_MIXED = re.compile(r"(?<![\d^.{])(\d+)\s*\\d?frac\{(\d+)\}\{(\d+)\}")
_ROOT = re.compile(r"\\sqrt\{([^{}]*)\}")
_LETTERS = {letter: Fraction(11 + 3 * n, 7) for n, letter in enumerate("abcdefghkmnpqrstuvwxyz")}
_WORDS = {r"\left": "", r"\right": "", r"\cdot": "*", r"\times": "*", r"\div": "/", r"\,": ""}


def maths(text: str) -> list[str]:
    """Return the formulas between dollar signs, in order."""
    return [
        display or inline
        for display, inline in re.findall(r"\$\$(.+?)\$\$|(?<!\\)\$(.+?)(?<!\\)\$", text, re.DOTALL)
    ]


def numbers(text: str) -> list[Fraction]:
    """Return all numbers that occur in a text, in order, without their signs."""
    return [Fraction(found) for found in re.findall(r"\d+(?:\.\d+)?", text.replace("{,}", ""))]


def exact_root(value: Fraction) -> Fraction:
    """Return the square root of a number whose root is rational."""
    root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
    if root * root != value:
        raise ValueError("the root is not rational")
    return root


def value(latex: str) -> Fraction:
    """Return the value of a formula without relation signs.

    Letters count as fixed odd fractions, so that two formulas that are equal as expressions
    have the same value and others almost surely not.

    Raises:
        ValueError: it cannot be read, or has no rational value.
    """
    try:
        return _evaluate(ast.parse(_as_python(latex), mode="eval").body)
    except (SyntaxError, KeyError, ZeroDivisionError) as error:
        raise ValueError(f"cannot be read: {latex!r}") from error


def choice_value(text: str) -> Fraction | None:
    """Return the value of a choice that is one formula, or None."""
    found = re.fullmatch(r"\$(.+)\$", text.strip(), re.DOTALL)
    try:
        return value(found[1]) if found else None
    except ValueError:
        return None


def _as_python(latex: str) -> str:
    text = latex.replace("{,}", "").strip().rstrip(".")
    for word, sign in _WORDS.items():
        text = text.replace(word, sign)
    text = _MIXED.sub(r"(\1+\2/\3)", text)
    text = text.replace("^", "**")
    text = re.sub(r"\*\*\{([^{}]*)\}", r"**(\1)", text)
    while re.search(r"\\d?frac|\\sqrt", text):
        before = text
        text = _FRACTION.sub(r"((\1)/(\2))", text)
        text = _ROOT.sub(r"root(\1)", text)
        text = re.sub(r"\*\*\{([^{}]*)\}", r"**(\1)", text)
        if text == before:
            raise ValueError(f"cannot be read: {latex!r}")
    text = re.sub(r"\s+", "", text)
    text = re.sub(r"(?<=[\d)])(?=[a-z(])|(?<=[a-z])(?=[a-z(\d])", "*", text.replace("root", "@"))
    text = re.sub(r"(?<=[\d)a-z])(?=@)", "*", text).replace("@*", "@").replace("@", "root")
    return re.sub(r"\d+(?:\.\d+)?", lambda found: f"'{found[0]}'", text)


def _evaluate(node: ast.AST) -> Fraction:
    if isinstance(node, ast.Constant):
        return Fraction(str(node.value))
    if isinstance(node, ast.Name):
        return _LETTERS[node.id]
    if isinstance(node, ast.UnaryOp):
        inner = _evaluate(node.operand)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_evaluate(node.left), _evaluate(node.right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "root":
        return exact_root(_evaluate(node.args[0]))
    raise ValueError(f"cannot be read: {ast.dump(node)}")
