"""Grade algebraic expressions, equations and inequalities."""

import functools

from django.utils.translation import gettext

from tutor.content.errors import TemplateInvalid
from tutor.content.grading import algebra_text, equivalence, forms, relations
from tutor.content.grading.algebra import Node
from tutor.content.grading.algebra_parser import parse, with_points, with_thousands
from tutor.content.grading.errors import UnreadableAnswer
from tutor.content.grading.number_reading import thousand_or_decimal
from tutor.content.grading.result import Grade, other_form, right, wrong
from tutor.content.rendered import ExpressionAnswer, WrongAnswer


def grade_expression(
    spec: ExpressionAnswer, wrong_answers: tuple[WrongAnswer, ...], text: str
) -> Grade:
    """Return the grade of an expression, or of a relation if the key is one.

    One mark before three digits marks decimals, unless thousands make the answer right: then the
    learner is asked.

    Raises:
        UnreadableAnswer: it cannot be read, may be read in two ways, or is too large to be meant.
        TemplateInvalid: the key itself cannot be read.
    """
    normalised = " ".join(text.split())
    grade = _grade(spec, wrong_answers, with_points(text), normalised)
    grouped, doubtful = with_thousands(text)
    if doubtful and not grade.credit and _grade(spec, (), grouped, normalised).credit:
        raise UnreadableAnswer(thousand_or_decimal(doubtful))
    return grade


def _grade(
    spec: ExpressionAnswer, wrong_answers: tuple[WrongAnswer, ...], text: str, normalised: str
) -> Grade:
    if relations.is_relation(spec.expression):
        return _grade_relation(spec, wrong_answers, text, normalised)
    given = parse(relations.without_left_side(text, spec.equation), spec.variables)
    if equivalence.are_equal(given, _key(spec.expression, spec.variables), spec.variables):
        if forms.has_form(given, spec.form, spec.variables):
            return right(normalised)
        return other_form(normalised, gettext(forms.FEEDBACK[spec.form]))
    for entry in wrong_answers:
        anticipated = _key(relations.without_left_side(entry.text, spec.equation), spec.variables)
        if equivalence.are_equal(given, anticipated, spec.variables):
            return wrong(normalised, misconception=entry.misconception, feedback=entry.feedback)
    return wrong(normalised)


@functools.lru_cache(maxsize=2048)
def _key(expression: str, variables: tuple[str, ...]) -> Node:
    try:
        return parse(expression, variables)
    except UnreadableAnswer as error:
        raise TemplateInvalid(f"The key {expression!r} cannot be read: {error.message}") from error


def key_text(spec: ExpressionAnswer, text: str) -> str:
    """Return a key or an anticipated wrong answer as a learner would write it.

    Raises:
        TemplateInvalid: it cannot be read.
    """
    if relations.is_relation(spec.expression):
        relation = relations.parse_relation(text, spec.variables)
        left, right_side = algebra_text.written(relation.left), algebra_text.written(relation.right)
        return f"{left} {relation.sign} {right_side}"
    bare = relations.without_left_side(text, spec.equation)
    body = algebra_text.written(_key(bare, spec.variables))
    return body if spec.equation is None else f"{spec.equation} = {body}"


def _grade_relation(
    spec: ExpressionAnswer, wrong_answers: tuple[WrongAnswer, ...], text: str, normalised: str
) -> Grade:
    key = relations.parse_relation(spec.expression, spec.variables)
    given = relations.parse_relation(text, spec.variables)
    if relations.are_equivalent(given, key, spec.variables):
        if relations.is_solved(given) or not relations.is_solved(key):
            return right(normalised)
        return other_form(normalised, gettext("Your answer says the same, but is not solved yet."))
    for entry in wrong_answers:
        anticipated = relations.parse_relation(entry.text, spec.variables)
        if relations.are_equivalent(given, anticipated, spec.variables):
            return wrong(normalised, misconception=entry.misconception, feedback=entry.feedback)
    return wrong(normalised)
