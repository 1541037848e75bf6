"""The outcome of grading one answer."""

from dataclasses import dataclass

# Credit for the right value in another form than the one asked for.
FORM_CREDIT = 0.5


@dataclass(frozen=True, slots=True)
class Grade:
    """How an answer was judged.

    Attributes:
        is_correct: right in value and in form.
        credit: 0..1; 1 exactly when `is_correct`. The right value in the wrong form gets 0.5;
            several choices or solutions get the share found less the share wrongly given.
        misconception: slug of the anticipated mistake, if the answer shows one.
        feedback: a sentence about this very answer, or "". The course's own sentence about
            the misconception is not in it.
        normalised: the answer as it was read.
    """

    is_correct: bool
    credit: float
    misconception: str | None = None
    feedback: str = ""
    normalised: str = ""


def right(normalised: str, feedback: str = "") -> Grade:
    """Return full credit."""
    return Grade(is_correct=True, credit=1.0, feedback=feedback, normalised=normalised)


def wrong(normalised: str, *, misconception: str | None = None, feedback: str = "") -> Grade:
    """Return no credit."""
    return Grade(
        is_correct=False,
        credit=0.0,
        misconception=misconception,
        feedback=feedback,
        normalised=normalised,
    )


def other_form(normalised: str, feedback: str) -> Grade:
    """Return half credit: the right value, not in the form asked for."""
    return Grade(is_correct=False, credit=FORM_CREDIT, feedback=feedback, normalised=normalised)
