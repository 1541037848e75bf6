"""What can go wrong with an import as a whole."""

from tutor.common.errors import TutorError


class UnreadableLog(TutorError):
    """The input as a whole cannot be read: missing file, missing column, not text."""

    code = "responses.unreadable-log"


class NothingToImport(TutorError):
    """Not one row of the input can be taken."""

    code = "responses.nothing-to-import"


class OtherContent(TutorError):
    """The course exists with content that does not come from here; it would be retired."""

    code = "responses.other-content"


class MappingInvalid(TutorError):
    """A column mapping names what does not exist, or leaves out what is needed."""

    code = "responses.mapping-invalid"


class RejectsNotWritten(TutorError):
    """Rows are rejected, and the file that shall name them cannot be written."""

    code = "responses.rejects-not-written"


class MapNotWritten(TutorError):
    """The list of learners and pseudonyms cannot be written."""

    code = "responses.map-not-written"
