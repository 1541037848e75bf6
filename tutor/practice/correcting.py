"""Correcting an answer that was judged wrongly: a new row, and the state that follows from it."""

import datetime as dt
import uuid

from tutor.common import turns
from tutor.practice.answering import advance_state
from tutor.responses import services as response_services
from tutor.responses.models import Response


@turns.atomic_turn()
def correct_answer(
    *, response: Response, is_correct: bool, client_key: uuid.UUID, at: dt.datetime, source: str
) -> Response:
    """Record that an answer is right, or wrong, after all; sending it again changes nothing.

    The first row stays as it was; every fold takes the correction in its place. A long history
    is folded again by a worker, a short one at once.

    Raises:
        CorrectionInvalid: the answer has a correction already.
    """
    correction = response_services.record_correction(
        learner=response.learner,
        corrected=response,
        is_correct=is_correct,
        credit=float(is_correct),
        client_key=client_key,
        received_at=at,
        source=source,
    )
    advance_state(correction.course, correction)
    return correction
