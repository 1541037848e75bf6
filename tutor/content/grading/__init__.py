"""Judge an answer: pure functions from a rendered item and the client's JSON to a `Grade`."""

import html
import re

from tutor.content.grading import (
    algebra_text,
    choice,
    expression,
    given,
    number,
    number_sets,
    text,
)
from tutor.content.grading.answers_given import (
    anticipated_answers,
    key_text,
    right_answer,
    shown_key,
)
from tutor.content.grading.errors import UnreadableAnswer
from tutor.content.grading.polynomials import warm_up
from tutor.content.grading.result import Grade, right, wrong
from tutor.content.rendered import ExpressionAnswer, NumberAnswer, RenderedItem, TextAnswer

__all__ = [
    "Grade",
    "UnreadableAnswer",
    "answer_summary",
    "anticipated_answers",
    "grade",
    "response_text",
    "right_answer",
    "shown_answer",
    "warm_up",
]


def grade(item: RenderedItem, answer: object) -> Grade:
    """Return how `answer` is judged.

    `answer` is `{"choice": id}`, `{"choices": [ids]}`, `{"text": "..."}` or, for a self-marked
    item, `{"right": bool}`.

    Raises:
        UnreadableAnswer: it cannot be read; such an answer is never counted as wrong.
    """
    if item.kind == "single_choice":
        return choice.grade_single(item, given.given_choice(answer))
    if item.kind == "multiple_choice":
        return choice.grade_multiple(item, given.given_choices(answer))
    if item.kind == "self_marked":
        return right("right") if given.given_mark(answer) else wrong("wrong")
    return _grade_text(item, given.given_text(answer))


def _grade_text(item: RenderedItem, written: str) -> Grade:
    if isinstance(item.answer, NumberAnswer):
        judge = number_sets.grade_numbers if item.answer.is_set else number.grade_number
        return judge(item.answer, item.wrong, written)
    if isinstance(item.answer, ExpressionAnswer):
        return expression.grade_expression(item.answer, item.wrong, written)
    if isinstance(item.answer, TextAnswer):
        return text.grade_text(item.answer, item.wrong, written)
    raise TypeError(f"An item of kind {item.kind} has no typed answer.")


def answer_summary(item: RenderedItem) -> str:
    """Return the right answer in the item's markup (`markup.render`); "" without a key.

    It is the same in every language, for other programs: see `shown_answer`.
    """
    return _summary(item, key_text(item))


def shown_answer(item: RenderedItem) -> str:
    """Return `answer_summary` with its words and decimals in the page's language."""
    return _summary(item, shown_key(item))


def _summary(item: RenderedItem, key: str) -> str:
    if item.choices:
        return "; ".join(choice.text for choice in item.choices if choice.is_correct)
    if isinstance(item.answer, ExpressionAnswer):
        return f"${algebra_text.as_latex(key)}$"
    return _literal(key, item)


def response_text(item: RenderedItem, answer: object) -> str:
    """Return what the learner answered, to show, in the item's markup (`markup.render`).

    What the learner typed is escaped, so that it shows as typed. "" for a strange answer.
    """
    try:
        if item.kind == "self_marked":
            return "right" if given.given_mark(answer) else "wrong"
        if item.kind == "single_choice":
            chosen = frozenset({given.given_choice(answer)})
        elif item.kind == "multiple_choice":
            chosen = given.given_choices(answer)
        else:
            return _literal(given.given_text(answer), item)
    except UnreadableAnswer:
        return ""
    return "; ".join(choice.text for choice in item.choices if choice.id in chosen)


def _literal(text: str, item: RenderedItem) -> str:
    """Return text that shows as it stands when rendered in the item's markup."""
    if item.markup == "html":
        return html.escape(text)
    return re.sub(r"([$*`\\!])", r"\\\1", text)
