"""What can go wrong with an export."""

from tutor.common.errors import TutorError


class NothingToExport(TutorError):
    """The course has no answer that was asked for."""

    code = "responses.nothing-to-export"


class ExportInvalid(TutorError):
    """The name of the file says no kind that is written, or there is such a file already."""

    code = "responses.export-invalid"


class ExportNotWritten(TutorError):
    """The file cannot be written: no such folder, no right to, disk full."""

    code = "responses.export-not-written"
