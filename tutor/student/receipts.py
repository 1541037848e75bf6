"""The learner's latest choices in sentences: why each question, what was expected and what came."""

import datetime as dt
from dataclasses import dataclass

from tutor.accounts.models import Learner
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.practice import remarks
from tutor.practice.models import SetAside
from tutor.responses.models import Response
from tutor.scheduling import reasons
from tutor.scheduling import selectors as scheduling_selectors

LATEST = 10


@dataclass(frozen=True, slots=True)
class Told:
    """A choice; `expected` is the chance of a right answer, 0..1, None where it was not stated."""

    at: dt.datetime
    chip: str
    reason: str
    expected: float | None
    response: Response | None
    put_off: SetAside | None = None

    @property
    def expected_in_ten(self) -> int | None:
        """The chance as so many in ten, as people say it."""
        return None if self.expected is None else round(10 * self.expected)

    @property
    def came(self) -> str:
        """What came: right, helped, wrong, how it was put off (`SetAside.Kind`), or open."""
        if self.response is None:
            return "open" if self.put_off is None else self.put_off.kind
        if not self.response.is_correct:
            return "wrong"
        return "helped" if self.response.hints_seen else "right"


def list_latest(*, learner: Learner, course: Course) -> list[Told]:
    """Return the learner's latest choices of a course, the newest first."""
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    rows = scheduling_selectors.list_decisions(learner=learner, course=course)
    decisions = list(rows.filter(item_version__isnull=False).defer("receipt")[:LATEST])
    shown = [decision.public_id for decision in decisions]
    responses = Response.objects.filter(
        learner=learner, presentation__in=shown, attempt=1
    ).order_by("pk")
    answered = {response.presentation: response for response in responses}
    put_off = remarks.map_set_aside(decision_ids=[decision.pk for decision in decisions])
    return [
        Told(
            at=decision.at,
            chip=str(reasons.chip(decision)),
            reason=str(reasons.sentence(decision, bank)),
            expected=decision.expected,
            response=answered.get(decision.public_id),
            put_off=put_off.get(decision.pk),
        )
        for decision in decisions
    ]
