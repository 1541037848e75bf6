"""What is refused about alerts."""

from tutor.common.errors import TutorError


class ThresholdOutOfRange(TutorError):
    """A threshold is no number, or beyond what makes sense."""

    code = "alerts.threshold-out-of-range"


class ThresholdsChanged(TutorError):
    """Somebody else changed the class's thresholds since the form was opened."""

    code = "alerts.thresholds-changed"
    status = 409


class ActionUnusable(TutorError):
    """What was done about an alert is not told, too long, or does not fit whom it is about."""

    code = "alerts.action-unusable"


class ActionKeyReused(TutorError):
    """A key of the client's names another action."""

    code = "alerts.key-reused"
    status = 409
