"""What cannot be fitted."""

from curriculum.errors import CurriculumError


class NothingToFit(CurriculumError):
    """The table of decisions is too short, or its columns do not fit together."""
