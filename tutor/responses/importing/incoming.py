"""What every reader makes of its input."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tutor.content.course_format import CourseSpec

if TYPE_CHECKING:
    from tutor.responses.importing.staging import Staging


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken: where, which field, what stood there, and why.

    `file` names the file within a folder or archive; empty where the input is one file.
    """

    line: int
    field: str
    value: str
    reason: str
    file: str = ""

    @property
    def place(self) -> str:
        """Where it stands, as the file of rejects says it."""
        return f"{self.file}:{self.line}" if self.file else str(self.line)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A log that was read whole.

    Attributes:
        source: names the origin; with a learner's id in it, it makes their pseudonym.
        source_hash: SHA-256 of the input.
        course: the content that comes with it, or what can be said of the items from the log;
            where the course is there already, what it shall be afterwards.
        keeps_content: the course exists already and is used as it is.
        staging: the answers and the rejected rows.
        warnings: what somebody should know before applying.
        course_warnings: likewise, of the course that is made from the input.
    """

    format: str
    source: str
    source_hash: str
    course: CourseSpec
    staging: "Staging"
    warnings: list[str] = field(default_factory=list)
    course_warnings: list[str] = field(default_factory=list)
    keeps_content: bool = False
