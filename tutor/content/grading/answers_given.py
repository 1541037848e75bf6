"""The answers a learner who is right, or makes an anticipated mistake, would send."""

from typing import Any

from tutor.content.grading import expression, number_keys
from tutor.content.rendered import (
    ExpressionAnswer,
    NumberAnswer,
    RenderedItem,
    TextAnswer,
    WrongAnswer,
)


def right_answer(item: RenderedItem) -> dict[str, Any]:
    """Return an answer that `grade` judges right."""
    if item.kind == "single_choice":
        return {"choice": next(c.id for c in item.choices if c.is_correct)}
    if item.kind == "multiple_choice":
        return {"choices": [c.id for c in item.choices if c.is_correct]}
    if item.kind == "self_marked":
        return {"right": True}
    return {"text": key_text(item)}


def key_text(item: RenderedItem) -> str:
    """Return the key of a number, expression or text item as a learner would write it."""
    spec = item.answer
    if isinstance(spec, NumberAnswer):
        return number_keys.key_text(spec)
    if isinstance(spec, ExpressionAnswer):
        return expression.key_text(spec, spec.expression)
    return spec.accepted[0] if isinstance(spec, TextAnswer) else ""


def shown_key(item: RenderedItem) -> str:
    """Return `key_text` with its words and decimals in the page's language; it grades as right."""
    if isinstance(item.answer, NumberAnswer):
        return number_keys.shown_key(item.answer)
    if isinstance(item.answer, ExpressionAnswer):
        return number_keys.with_mark(key_text(item))
    return key_text(item)


def anticipated_answers(item: RenderedItem) -> list[tuple[str, dict[str, Any]]]:
    """Return (misconception, answer) for each anticipated mistake of this item."""
    found: list[tuple[str, dict[str, Any]]] = [
        (choice.misconception, {"choice": choice.id})
        for choice in item.choices
        if choice.misconception and item.kind == "single_choice"
    ]
    found += [(entry.misconception, {"text": _wrong_text(item, entry)}) for entry in item.wrong]
    return found


def _wrong_text(item: RenderedItem, entry: WrongAnswer) -> str:
    if isinstance(item.answer, NumberAnswer):
        return number_keys.values_text(entry.values, item.answer)
    if isinstance(item.answer, ExpressionAnswer):
        return expression.key_text(item.answer, entry.text)
    return entry.text
