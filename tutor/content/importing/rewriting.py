r"""Find answers that contradict their question: "Factor x^2+18x+45" is not (x-15)(x-3).

Who is told to factor, expand, multiply or simplify one formula gives an equal one. Where a key
is not equal, the question or the key is wrong, and a learner who is right would be told off.
"""

import re
from collections.abc import Sequence

from tutor.content.grading import UnreadableAnswer
from tutor.content.grading.algebra_parser import parse
from tutor.content.grading.equivalence import are_equal
from tutor.content.importing import latex
from tutor.content.importing.keys import Key
from tutor.content.importing.listed import Unfit

CONTRADICTS = "answer that is not equal to the formula it should rewrite"

_REWRITE = re.compile(r"\b(?:factor(?:ing|ize)?|expand|simplify|multiply)\b", re.IGNORECASE)
# Here the answer is a part of the formula, or something made of it.
_A_PART = re.compile(
    r"\bterm\b|\bgreatest common|\bgcf\b|\bcoefficient|\bdegree|\bremain|\bsolve\b|\bevaluate"
    r"|\bhow many|\bconjugate|\blcd\b|\bcommon denominator|\bwhich\b|\bwhat is the (?!product)",
    re.IGNORECASE,
)


def check_rewritten(key: Key, *, question: Sequence[str], step: Sequence[str]) -> None:
    """Refuse a key that is not equal to the one formula that the step says to rewrite.

    Args:
        key: of an expression; others pass.
        question: all texts that ask, in OATutor's markup.
        step: those of the step itself.

    Raises:
        Unfit: they are not equal.
    """
    words = " ".join(" ".join(text.split("$$")[::2]) for text in question)
    if not _is_plain_expression(key) or not _REWRITE.search(words) or _A_PART.search(words):
        return
    formulas = [part for text in step for part in text.split("$$")[1::2] if part.strip()]
    if len(formulas) != 1:
        return
    variables = tuple(key.answer["variables"])
    try:
        reading = latex.read_expression(formulas[0])
        # i times i is -1, which the grader's polynomials do not know.
        if set(reading.variables) != set(variables) or "i" in variables:
            return
        own = parse(str(key.answer["expression"]), variables)
        is_equal = are_equal(parse(reading.text, variables), own, variables)
    except (Unfit, UnreadableAnswer):
        return
    if not is_equal:
        raise Unfit(CONTRADICTS, f"{formulas[0]} and {key.answer['expression']}")


def _is_plain_expression(key: Key) -> bool:
    is_relation = re.search(r"[<>=]", str(key.answer.get("expression", ""))) is not None
    return key.kind == "expression" and "equation" not in key.answer and not is_relation
