"""What cannot be graded."""

from tutor.common.errors import TutorError


class UnreadableAnswer(TutorError):
    """The answer cannot be read, so it is neither right nor wrong; the message says how to write it."""

    code = "content.answer-unreadable"
    status = 422
