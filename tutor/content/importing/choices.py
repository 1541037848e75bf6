"""From the choices of a step to those of an item."""

import re
from collections.abc import Sequence

from tutor.content.importing.keys import NO_ANSWER, Key
from tutor.content.importing.listed import Unfit
from tutor.content.importing.texts import PICTURE, to_markup

ABSENT = "right answer that is not among the choices"
TOO_FEW = "fewer than two different choices"

# Such choices speak of the others, so they stay where their author put them.
_ABOUT_OTHERS = re.compile(
    r"\b(?:all|none|both|neither|any|either) of (?:the (?:above|below|others?)|these|them)\b"
    r"|\b(?:above|below)\b|\b(?:both )?[A-D] (?:and|or) [A-D]\b|^[A-D][.)]",
    re.IGNORECASE,
)


def read_choices(answers: Sequence[str], choices: Sequence[str]) -> Key:
    """Return the key of a step with choices, each once, in their author's order.

    Raises:
        Unfit: a choice cannot be shown, the answer is missing or not among them.
    """
    texts = list(dict.fromkeys(_text(choice) for choice in choices if choice.strip()))
    right = {_text(answer) for answer in answers if answer.strip()}
    if not right:
        raise Unfit(NO_ANSWER)
    if not right <= set(texts):
        raise Unfit(ABSENT, "; ".join(sorted(right - set(texts))))
    if len(texts) < 2 or len(right) == len(texts):
        raise Unfit(TOO_FEW, "; ".join(texts))
    return Key(
        kind="single_choice" if len(right) == 1 else "multiple_choice",
        choices=tuple({"text": text, "correct": text in right} for text in texts),
        keep_order=any(_ABOUT_OTHERS.search(text) for text in texts),
    )


def _text(choice: str) -> str:
    converted = to_markup(choice)
    if converted.has_picture or not converted.text:
        raise Unfit(PICTURE, choice)
    # Lines do not matter inside a choice, and two that differ in spaces read the same.
    return " ".join(converted.text.split())
