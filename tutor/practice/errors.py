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


class NoMoreSkips(TutorError):
    """A session lets a learner skip so many items and no more."""

    code = "practice.no-more-skips"
    status = 409


class NotWaiting(TutorError):
    """Only the item that waits in an open session can be put off."""

    code = "practice.not-waiting"
    status = 409


class KeyReused(TutorError):
    """The client key names something else that was said."""

    code = "practice.key-reused"
    status = 409


class NoSuchStep(TutorError):
    """The item has no such step, or its steps are not open."""

    code = "practice.no-such-step"
    status = 404


class NoMoreHints(TutorError):
    """The ladder has no further rung."""

    code = "practice.no-more-hints"
    status = 409
