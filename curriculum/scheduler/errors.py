"""What the scheduler refuses: inputs that no decision could be trusted on."""

from curriculum.errors import CurriculumError


class InvalidBank(CurriculumError):
    """The item bank's arrays do not fit together."""


class InvalidSituation(CurriculumError):
    """A situation has arrays of the wrong shape or numbers that are not numbers."""


class InvalidRules(CurriculumError):
    """A rule's setting is outside the range in which the rules make sense."""


class ReceiptDiffers(CurriculumError):
    """Deciding again did not give the stored receipt; `facts["field"]` names the difference."""


class InvalidRating(CurriculumError):
    """A policy returned what is no distribution over the arms it was given."""


class InvalidTable(CurriculumError):
    """The columns of a table do not belong together."""
