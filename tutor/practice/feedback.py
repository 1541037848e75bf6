"""What a learner is told after an answer: made from the log at any time, never stored."""

from dataclasses import dataclass

from tutor.content import grading
from tutor.content import selectors as content_selectors
from tutor.practice.selectors import Presentation
from tutor.responses.models import Response


@dataclass(frozen=True, slots=True)
class Feedback:
    """One answer explained.

    Attributes:
        was_assisted: hints had been opened, or it was another try after a wrong one.
        given: the answer as text, in the item's markup.
        remark: a sentence about this very answer, or "", too where it was judged otherwise then.
        misconception: name and helping sentence of the mistake it shows, or None.
        right_answer: the key in the page's language, in the item's markup.
        solution: the worked solution, in the item's markup.
    """

    is_correct: bool
    credit: float
    was_assisted: bool
    given: str
    remark: str
    misconception: tuple[str, str] | None
    right_answer: str
    solution: str


def explain(shown: Presentation, response: Response) -> Feedback:
    """Return the feedback for one of the responses to a showing."""
    course = shown.decision.course
    known = content_selectors.get_misconceptions(course_id=course.pk, revision=course.revision)
    return Feedback(
        is_correct=response.is_correct,
        credit=response.credit,
        was_assisted=response.hints_seen > 0 or response.attempt > 1,
        given=grading.response_text(shown.item, response.answer),
        remark=_remark(shown, response),
        misconception=known.get(response.misconception),
        right_answer=grading.shown_answer(shown.item),
        solution=shown.item.solution,
    )


def _remark(shown: Presentation, response: Response) -> str:
    # The log keeps the verdict: rules of reading may have changed since.
    try:
        grade = grading.grade(shown.item, response.answer)
    except grading.UnreadableAnswer:
        return ""
    is_as_then = (grade.is_correct, grade.credit) == (response.is_correct, response.credit)
    return grade.feedback if is_as_then else ""
