"""What cannot be graded."""

from tutor.common.errors import TutorError


class UnreadableAnswer(TutorError):
    """The answer cannot be read, so it counts as neither right nor wrong."""

    code = "content.answer-unreadable"
    status = 422
