"""What can go wrong with an import as a whole."""

from tutor.common.errors import TutorError


class UnreadableLog(TutorError):
    """The input as a whole cannot be read: missing file, missing column, not text."""

    code = "responses.unreadable-log"
