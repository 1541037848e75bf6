"""The base of every failure that the tutor expects and reports."""

from typing import ClassVar


class TutorError(Exception):
    """An anticipated failure that an interface reports to its caller.

    Subclasses fix `code` (stable, machine-readable, part of the API) and `status`,
    and pass the facts as keyword arguments; `message` may change, `code` may not.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class NotVisible(TutorError):
    """The object does not exist, or is not for this person: the two look the same."""

    code = "common.not-found"
    status = 404


class NotAllowed(TutorError):
    """The person may see the object but not do this with it."""

    code = "common.not-allowed"
    status = 403
