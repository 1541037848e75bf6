"""Evaluate the expressions of item templates: exact, bounded and without side effects.

Numbers are int and Fraction, never float; a decimal literal becomes the fraction it names.
Built on simpleeval with attributes, subscripts, comprehensions, f-strings and assignments
taken away.
"""

import ast
import functools
import math
import operator
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import simpleeval  # type: ignore[import-untyped]

from tutor.content.errors import TemplateInvalid, ValueUndefined
from tutor.content.formatting import Formatter, Mode

MAX_LENGTH = 400
MAX_NODES = 200
MAX_BITS = 2048
MAX_EXPONENT = 64
MAX_RANGE = 20_000
MAX_LIST = 200

Value = int | Fraction | str | list[Any]


def tidy(value: Fraction) -> int | Fraction:
    """Return an int when the fraction is whole.

    Raises:
        TemplateInvalid: the number has more than `MAX_BITS` bits.
    """
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise TemplateInvalid("A number became too large.")
    return value.numerator if value.denominator == 1 else value


def _number(value: object) -> Fraction:
    if not isinstance(value, (int, Fraction)):
        raise TemplateInvalid(f"{value!r} is not a number, so it cannot be calculated with.")
    return Fraction(value)


def _arithmetic(function: Callable[..., Fraction | int]) -> Callable[..., int | Fraction]:
    def exact(*values: object) -> int | Fraction:
        return tidy(Fraction(function(*(_number(value) for value in values))))

    return exact


def _power(base: object, exponent: object) -> int | Fraction:
    base, exponent = _number(base), _number(exponent)
    if exponent.denominator != 1 or abs(exponent) > MAX_EXPONENT:
        raise TemplateInvalid(f"An exponent must be whole and at most {MAX_EXPONENT}.")
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if size * abs(exponent) > MAX_BITS:
        raise TemplateInvalid("A number became too large.")
    return tidy(base ** int(exponent))


def _whole(value: object) -> int:
    number = _number(value)
    if number.denominator != 1:
        raise ValueUndefined(f"{number} is not a whole number.")
    return int(number)


def _root(value: object) -> int | Fraction:
    """Return the exact square root."""
    number = _number(value)
    if number >= 0:
        top, bottom = math.isqrt(number.numerator), math.isqrt(number.denominator)
        if top * top == number.numerator and bottom * bottom == number.denominator:
            return tidy(Fraction(top, bottom))
    raise ValueUndefined(f"{number} has no exact square root.")


def _round(value: object, places: object = 0) -> int | Fraction:
    """Round half away from zero, as schools do; Python would round half to even."""
    number, scale = _number(value), 10 ** min(max(_whole(places), -30), 30)
    size = math.floor(abs(number) * scale + Fraction(1, 2))
    return tidy(Fraction(size if number >= 0 else -size) / scale)


def _flat(values: Sequence[object]) -> list[Fraction]:
    parts = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    return [_number(value) for value in parts]


def _is_square(value: object) -> bool:
    try:
        _root(value)
    except ValueUndefined:
        return False
    return True


def _squarefree_part(value: object) -> int:
    """Return the whole number left under the root when all squares are taken out."""
    number = _whole(value)
    if not 0 < number <= 10**6:
        raise ValueUndefined("squarefree() takes whole numbers from 1 to a million.")
    return next(
        number // (k * k) for k in range(math.isqrt(number), 0, -1) if number % (k * k) == 0
    )


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": _arithmetic(abs),
    "min": lambda *values: tidy(min(_flat(values))),
    "max": lambda *values: tidy(max(_flat(values))),
    "sum": lambda *values: tidy(sum(_flat(values), Fraction(0))),
    "gcd": lambda *values: math.gcd(*(_whole(value) for value in values)),
    "lcm": lambda *values: math.lcm(*(_whole(value) for value in values)),
    "floor": lambda value: math.floor(_number(value)),
    "ceil": lambda value: math.ceil(_number(value)),
    "round": _round,
    "sqrt": _root,
    "is_square": _is_square,
    "squarefree": _squarefree_part,
    "fraction": lambda top, bottom=1: tidy(_number(top) / _number(bottom)),
    "numerator": lambda value: _number(value).numerator,
    "denominator": lambda value: _number(value).denominator,
    "is_integer": lambda value: _number(value).denominator == 1,
}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _arithmetic(operator.add),
    ast.Sub: _arithmetic(operator.sub),
    ast.Mult: _arithmetic(operator.mul),
    ast.Div: _arithmetic(operator.truediv),
    ast.FloorDiv: _arithmetic(operator.floordiv),
    ast.Mod: _arithmetic(operator.mod),
    ast.Pow: _power,
    ast.USub: _arithmetic(operator.neg),
    ast.UAdd: _arithmetic(operator.pos),
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda part, whole: part in whole,
    ast.NotIn: lambda part, whole: part not in whole,
}
_NODES = (
    *(ast.Name, ast.Load, ast.Constant, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.And, ast.Or),
    *(ast.Compare, ast.IfExp, ast.Call, ast.keyword, ast.List),
    *_OPERATORS,
)
_FORMATTERS: dict[Mode, Formatter] = {
    "math": Formatter("math"),
    "plain": Formatter("plain"),
    "expression": Formatter("expression"),
}


class _Evaluator(simpleeval.SimpleEval):  # type: ignore[misc]
    """Walks one parsed expression; one instance per thread, its fields set for each use."""

    nodes: dict[Any, Any]

    def __init__(self) -> None:
        super().__init__(operators=_OPERATORS, functions={}, names={})
        drawing = {"integer": self._integer, "choice": self._choice}
        self.by_mode = {
            mode: {**_FUNCTIONS, **formatter.functions()} for mode, formatter in _FORMATTERS.items()
        }
        self.with_drawing = {**_FUNCTIONS, **drawing}
        self.rng: random.Random | None = None
        self.nodes = {
            kind: handler
            for kind, handler in self.nodes.items()
            if kind in _NODES and kind is not ast.Constant
        }
        self.nodes[ast.Constant] = self._eval_literal
        self.nodes[ast.List] = self._eval_list

    def _eval_name(self, node: ast.Name) -> Any:
        # The base class would hand out function objects too.
        if node.id not in self.names:
            raise simpleeval.NameNotDefined(node.id, self.expr)
        return self.names[node.id]

    @staticmethod
    def _eval_literal(node: ast.Constant) -> Value:
        if isinstance(node.value, float):
            return tidy(Fraction(repr(node.value)))
        if isinstance(node.value, (int, str)):
            return node.value
        raise TemplateInvalid(f"{node.value!r} cannot be used here.")

    def _eval_list(self, node: ast.List) -> list[Any]:
        return [self._eval(part) for part in node.elts]

    def _integer(
        self, low: object, high: object, exclude: Sequence[object] = (), step: object = 1
    ) -> int:
        first, last, stride = _whole(low), _whole(high), _whole(step)
        if stride < 1 or last - first > MAX_RANGE * stride:
            raise TemplateInvalid(f"integer({first}, {last}) is too wide, or its step is not 1 up.")
        # An empty range is left to the redraw: its ends may be parameters themselves.
        return int(self._pick([v for v in range(first, last + 1, stride) if v not in exclude]))

    def _choice(self, options: Sequence[Any]) -> Any:
        return self._pick(options)

    def _pick(self, options: Sequence[Any]) -> Any:
        if self.rng is None or not isinstance(options, list) or not options:
            raise ValueUndefined("There is nothing left to choose from.")
        # Only random() is promised to give the same stream in every Python version.
        return options[int(self.rng.random() * len(options))]


_local = threading.local()


@functools.lru_cache(maxsize=20_000)
def parse(text: str) -> ast.expr:
    """Return the checked syntax tree of one expression.

    Raises:
        TemplateInvalid: it is too long, not an expression, or uses what is not allowed.
    """
    if len(text) > MAX_LENGTH:
        raise TemplateInvalid(f"The expression is longer than {MAX_LENGTH} characters.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TemplateInvalid(f"{text!r} is not an expression.") from error
    nodes = list(ast.walk(tree))
    if len(nodes) > MAX_NODES:
        raise TemplateInvalid(f"{text!r} is too complicated.")
    for node in nodes:
        if not isinstance(node, _NODES):
            raise TemplateInvalid(f"{text!r} uses {type(node).__name__}, which is not allowed.")
        if isinstance(node, ast.List) and len(node.elts) > MAX_LIST:
            raise TemplateInvalid(f"{text!r} has a list of more than {MAX_LIST} entries.")
    return tree


def evaluate(
    text: str,
    names: Mapping[str, Any],
    *,
    rng: random.Random | None = None,
    mode: Mode | None = None,
) -> Any:
    """Return the value of an expression over `names`.

    With `rng` the drawing functions are available, with `mode` the formatting functions.

    Raises:
        ValueUndefined: there is no exact value for these parameters.
        TemplateInvalid: the expression is wrong whatever the parameters.
    """
    tree = parse(text)
    if not hasattr(_local, "evaluator"):
        _local.evaluator = _Evaluator()
    evaluator: _Evaluator = _local.evaluator
    evaluator.names = names
    evaluator.rng = rng
    if rng is not None:
        evaluator.functions = evaluator.with_drawing
    else:
        evaluator.functions = evaluator.by_mode[mode] if mode else _FUNCTIONS
    try:
        return evaluator.eval(text, previously_parsed=tree)
    except ZeroDivisionError as error:
        raise ValueUndefined(f"{text!r} divides by zero.") from error
    except simpleeval.NameNotDefined as error:
        raise TemplateInvalid(f"{text!r}: {error.name!r} is not a parameter.") from error
    except simpleeval.FunctionNotDefined as error:
        raise TemplateInvalid(f"{text!r}: there is no function {error.func_name!r}.") from error
    except (simpleeval.InvalidExpression, TypeError, ValueError, AttributeError) as error:
        raise TemplateInvalid(f"{text!r}: {error}") from error
    except TemplateInvalid as error:
        raise type(error)(f"{text!r}: {error.message}") from error


def format_value(value: object, *, mode: Mode) -> str:
    """Return a value as text for one mode."""
    return _FORMATTERS[mode].value(value)
