"""What can go wrong while practising."""

from tutor.common.errors import TutorError


class PresentationUnknown(TutorError):
    """The learner was never shown this item under this number."""

    code = "practice.presentation-unknown"
    status = 404


class AlreadyAnswered(TutorError):
    """This showing of the item has its answer; the first one counts."""

    code = "practice.already-answered"
    status = 409


class NothingToRetry(TutorError):
    """Another try is only for an item that was just answered wrong."""

    code = "practice.nothing-to-retry"
    status = 409


class NoMoreHints(TutorError):
    """The ladder has no further rung."""

    code = "practice.no-more-hints"
    status = 409
