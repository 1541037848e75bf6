"""Anticipated failures of content imports."""

from tutor.common.errors import TutorError


class ContentUnreadable(TutorError):
    """What was given is not the content that was announced, as a whole."""

    code = "content.unreadable"
    status = 422


class PrerequisitesInCircle(TutorError):
    """The prerequisites of a file run in a circle, which the message names."""

    code = "content.prerequisites-in-circle"
    status = 422
