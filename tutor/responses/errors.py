"""What can go wrong with the log."""

from tutor.common.errors import TutorError


class AnsweredInTheFuture(TutorError):
    """The answer's time lies after the moment it arrived: the sender's clock is wrong."""

    code = "responses.answered-in-the-future"


class ArrivedTooLate(TutorError):
    """The answer was given longer ago than late uploads are taken for."""

    code = "responses.arrived-too-late"


class AnswerStored(TutorError):
    """The log has an answer under this client key, or to this presentation and attempt."""

    code = "responses.answer-stored"
    status = 409


class ClientKeyReused(TutorError):
    """The client key already names another answer of this learner."""

    code = "responses.client-key-reused"
    status = 409


class CorrectionInvalid(TutorError):
    """The row to be corrected is another learner's or already has a correction."""

    code = "responses.correction-invalid"
    status = 409
