"""What can go wrong with bringing a log in the browser."""

from tutor.common.errors import TutorError


class FileRefused(TutorError):
    """The file is empty, too big, or of a kind that holds no log."""

    code = "intake.file-refused"


class TooManyUploads(TutorError):
    """The organisation has brought too many files in the last hour, or too many wait."""

    code = "intake.too-many-uploads"
    status = 429


class NoRoom(TutorError):
    """The disk has no room for the file."""

    code = "intake.no-room"
    status = 507


class ImportRunning(TutorError):
    """Another import of the organisation is running; there is one at a time."""

    code = "intake.import-running"
    status = 409


class MovedOn(TutorError):
    """Somebody else, or an earlier click, has moved the upload on meanwhile."""

    code = "intake.moved-on"
    status = 409
