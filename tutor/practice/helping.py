"""Help beyond the hints: an item's smaller steps, and a similar item worked out.

The ladder is hints, steps, example. Every rung that is opened is stored as a hint request, so an
answer after any of them counts as practice, not as proof.
"""

import datetime as dt
import uuid

from django.utils.translation import gettext

from tutor.accounts.models import Learner
from tutor.common import turns
from tutor.content import grading
from tutor.practice import selectors
from tutor.practice.errors import AlreadyAnswered, NoMoreHints, NoSuchStep
from tutor.practice.models import StepAnswer
from tutor.responses import selectors as response_selectors
from tutor.responses import services as response_services
from tutor.responses.models import HintRequest


@turns.atomic_turn()
def open_rung(
    *, learner: Learner, presentation: uuid.UUID, level: int, at: dt.datetime
) -> HintRequest:
    """Open this rung of the ladder, 1 the first; one that is open comes back.

    Raises:
        PresentationUnknown: the learner was not shown this item.
        NoMoreHints: the ladder has no such rung, or one before it is not open.
        AlreadyAnswered: the item is solved; the solution is there to read.
    """
    response_services.lock_learner(learner_id=learner.pk)
    shown = selectors.get_presentation(learner=learner, public_id=presentation)
    if 1 <= level <= shown.n_open:
        return response_selectors.get_hint(presentation=presentation, level=level)
    if shown.is_solved:
        raise AlreadyAnswered(gettext("This item is solved."), presentation=str(presentation))
    if not shown.next_rung or level != shown.n_open + 1:
        raise NoMoreHints(gettext("There is no further help."), open=shown.n_open)
    return response_services.record_hint(
        learner=learner, presentation=presentation, level=level, at=at
    )


@turns.atomic_turn()
def answer_step(
    *,
    learner: Learner,
    presentation: uuid.UUID,
    client_key: uuid.UUID,
    step: int,
    answer: dict[str, object],
    at: dt.datetime,
) -> StepAnswer:
    """Grade and store an answer to one of the item's steps, 1 the first; mastery is not touched.

    Raises:
        PresentationUnknown: the learner was not shown this item.
        NoSuchStep: the item has no such step, or the steps are not open.
        UnreadableAnswer: it cannot be read; nothing is stored.
    """
    response_services.lock_learner(learner_id=learner.pk)
    shown = selectors.get_presentation(learner=learner, public_id=presentation)
    if not shown.has_steps_open or not 1 <= step <= len(shown.item.steps):
        raise NoSuchStep(gettext("There is no such step here."), step=step)
    stored = StepAnswer.objects.filter(learner=learner, client_key=client_key).first()
    if stored is not None:
        return stored
    grade = grading.grade(shown.item.steps[step - 1], answer)
    return StepAnswer.objects.create(
        learner=learner,
        client_key=client_key,
        decision=shown.decision,
        step=step,
        answer=answer,
        is_correct=grade.is_correct,
        at=at,
    )
