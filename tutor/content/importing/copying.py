r"""See to it that the question's own formula, typed in as it stands, is no right answer.

"Simplify 12/18" is not answered by 12/18, though it is equal to 2/3. OATutor refuses the very
formula of the question; we ask for a form that the key has and the question's formula has not.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from tutor.content.errors import TemplateInvalid
from tutor.content.grading import UnreadableAnswer, algebra_text, grade
from tutor.content.grading.algebra_parser import parse
from tutor.content.importing import latex
from tutor.content.importing.keys import Key
from tutor.content.importing.listed import Unfit
from tutor.content.importing.numerals import Numeral, read_numeral
from tutor.content.rendered import RenderedItem
from tutor.content.templates import instantiate

COPIED = "question whose own formula would count as the answer"

_FACTOR = re.compile(r"\bfactor", re.IGNORECASE)
_EXPAND = re.compile(r"\bexpand|\bmultipl|\bproduct\b|\bdistribut", re.IGNORECASE)
_SIDES = re.compile(r"<=|>=|[<>=≤≥]|\\(?:leq?|geq?|approx|neq|Rightarrow|to)(?![a-z])|,|;")
MOST_FORMULAS = 12


def with_form(key: Key, *, question: Sequence[str]) -> Key:
    """Return the key, in a form that no formula of the question has where that is needed.

    Args:
        key: of a number or an expression; others are returned as they are.
        question: the texts that ask, in OATutor's markup.

    Raises:
        Unfit: no form tells the answer from the question.
    """
    if key.kind not in ("number", "expression") or "values" in key.answer:
        return key
    copies = tuple(_copies(key, question))
    if not copies or not any(_is_right(key, copy) for copy in copies):
        return key
    for form in _forms(key, " ".join(question)):
        asked = dataclasses.replace(key, answer={**key.answer, "form": form})
        if _is_right(asked, _own_text(key)) and not any(_is_right(asked, copy) for copy in copies):
            return asked
    raise Unfit(COPIED, "; ".join(copy for copy in copies if _is_right(key, copy)))


def _own_text(key: Key) -> str:
    if key.literal is not None:
        return key.literal.text
    expression = str(key.answer.get("expression", ""))
    written = _written(expression)
    return written if written is not None else expression


def _written(text: str) -> str | None:
    """Return an expression as a learner would type it; None if it cannot be read."""
    try:
        reading = latex.read_expression(text)
        return algebra_text.written(parse(reading.text, reading.variables))
    except (Unfit, UnreadableAnswer):
        return None


def _copies(key: Key, question: Sequence[str]) -> Iterator[str]:
    """Yield what a learner would type to copy a formula, save what is the key itself."""
    seen = {_own_text(key).replace(" ", "")}
    for formula in _formulas(question):
        # "z = 2" states a number; for a number its sides alone matter.
        pieces = _SIDES.split(formula) + ([formula] if key.kind == "expression" else [])
        for piece in pieces:
            numeral = read_numeral(latex.bare(piece))
            typed = numeral.text + (numeral.unit or "") if numeral else _typed(piece)
            if typed and typed.replace(" ", "") not in seen and not _is_same(key, numeral):
                seen.add(typed.replace(" ", ""))
                yield typed


def _is_same(key: Key, numeral: Numeral | None) -> bool:
    """Test for the key's number in the key's notation: 0.250 is 0.25, but 1/4 is not."""
    own = key.literal
    if own is None or numeral is None or own.form == "fraction":
        return False
    return (own.value, own.form, own.unit) == (numeral.value, numeral.form, numeral.unit)


def _typed(piece: str) -> str | None:
    sides = _SIDES.split(piece)
    if len(sides) == 2 and "=" in piece:
        written = [_written(side) for side in sides]
        return None if None in written else " = ".join(map(str, written))
    return _written(piece)


def _formulas(question: Iterable[str]) -> list[str]:
    found = [part for text in question for part in text.split("$$")[1::2] if part.strip()]
    return found[:MOST_FORMULAS]


def _forms(key: Key, words: str) -> tuple[str, ...]:
    if key.kind == "expression":
        if _FACTOR.search(words):
            return ("factored", "simplest", "expanded")
        return ("expanded", "simplest", "factored") if _EXPAND.search(words) else _ALGEBRA_FORMS
    literal = key.literal
    if literal is None or literal.unit is not None:
        return ()
    if literal.form != "fraction":
        return (literal.form,)
    top, bottom = literal.text.split("/")
    is_reduced = Fraction(literal.text).denominator == abs(int(bottom)) > 1 and bool(top)
    return ("simplest", "fraction") if is_reduced else ("fraction",)


_ALGEBRA_FORMS = ("simplest", "expanded", "factored")


def _is_right(key: Key, typed: str) -> bool:
    try:
        return grade(rendered(key), {"text": typed}).is_correct
    except (UnreadableAnswer, TemplateInvalid):
        return False


def rendered(key: Key) -> RenderedItem:
    """Return an item with this key and nothing else, to grade with."""
    body = {"slug": "key", "kind": key.kind, "stem": "", "answer": dict(key.answer)}
    return instantiate({**body, "choices": [dict(choice) for choice in key.choices]}, seed=0)
