"""What a simulated learner writes when they are right, and when they are wrong."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tutor.content import grading
from tutor.content.rendered import RenderedItem

# What somebody writes who does not know; tried in turn until one is wrong for the item.
LOST = ("0", "1", "10", "-1", "x", "I do not know")


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as a client sends it, and what grading says of it. `credit` is 0..1."""

    answer: dict[str, Any]
    credit: float
    misconception: str = ""


class NoWrongAnswer(Exception):
    """Nothing that was tried is graded wrong: the item takes any answer."""


def right(item: RenderedItem) -> Given:
    """Return the key."""
    return Given(grading.right_answer(item), 1.0)


def wrong(item: RenderedItem, *, rng: random.Random) -> Given:
    """Return an answer that is graded wrong: an anticipated mistake where the item names any.

    Raises:
        NoWrongAnswer: the item takes any answer.
    """
    anticipated = [answer for _, answer in grading.anticipated_answers(item)]
    rng.shuffle(anticipated)
    for answer in [*anticipated, *_unforeseen(item, rng)]:
        try:
            grade = grading.grade(item, answer)
        except grading.UnreadableAnswer:
            continue
        if not grade.is_correct:
            return Given(answer, grade.credit, grade.misconception or "")
    raise NoWrongAnswer(item.stem)


def _unforeseen(item: RenderedItem, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Yield answers of the item's kind that are probably wrong."""
    if item.kind == "self_marked":
        yield {"right": False}
    elif item.kind == "single_choice":
        options = [choice.id for choice in item.choices if not choice.is_correct]
        yield {"choice": rng.choice(options)}
    elif item.kind == "multiple_choice":
        yield {"choices": _one_option_amiss(item, rng)}
    else:
        yield from ({"text": text} for text in LOST)


def _one_option_amiss(item: RenderedItem, rng: random.Random) -> list[str]:
    """Return the right options, one of them left out or one too many ticked."""
    amiss = rng.choice(item.choices).id
    return [choice.id for choice in item.choices if choice.is_correct is not (choice.id == amiss)]
