"""Grade single and multiple choice."""

from django.utils.translation import gettext

from tutor.content.grading.errors import UnreadableAnswer
from tutor.content.grading.result import Grade, right, wrong
from tutor.content.rendered import RenderedChoice, RenderedItem


def grade_single(item: RenderedItem, chosen: str) -> Grade:
    """Return the grade of one chosen option.

    Raises:
        UnreadableAnswer: there is no such option.
    """
    choice = _find(item, chosen)
    if choice.is_correct:
        return right(choice.text, choice.feedback)
    return wrong(choice.text, misconception=choice.misconception, feedback=choice.feedback)


def grade_multiple(item: RenderedItem, chosen: frozenset[str]) -> Grade:
    """Return the grade of a set of options.

    Correct only if exactly the correct options are chosen. Credit otherwise: the share of
    options judged rightly (chosen if correct, left if not) above one half, doubled, so that
    ticking all or none is worth nothing on a balanced item; never below 0.

    Raises:
        UnreadableAnswer: one of them is not an option.
    """
    picked = [_find(item, choice_id) for choice_id in sorted(chosen)]
    normalised = "; ".join(choice.text for choice in picked)
    missed = [c for c in item.choices if c.is_correct and c.id not in chosen]
    false = [c for c in picked if not c.is_correct]
    if not missed and not false:
        return right(normalised)
    judged = 1 - (len(missed) + len(false)) / len(item.choices)
    mistaken = next((c for c in false if c.misconception), None)
    return Grade(
        is_correct=False,
        credit=max(0.0, 2 * judged - 1),
        misconception=mistaken.misconception if mistaken else None,
        feedback=next((c.feedback for c in false if c.feedback), ""),
        normalised=normalised,
    )


def _find(item: RenderedItem, choice_id: str) -> RenderedChoice:
    for choice in item.choices:
        if choice.id == choice_id:
            return choice
    raise UnreadableAnswer(
        gettext("There is no option “%(id)s” in this item.") % {"id": choice_id[:20]}
    )
