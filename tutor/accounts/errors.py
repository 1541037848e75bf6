"""What can go wrong with accounts."""

from tutor.common.errors import TutorError


class LanguageUnknown(TutorError):
    """The pages do not come in this language."""

    code = "accounts.language-unknown"
