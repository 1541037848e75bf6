"""What a simulation refuses."""

from curriculum.errors import CurriculumError


class UnknownSimulator(CurriculumError):
    """No simulator has this name."""


class MatrixUnusable(CurriculumError):
    """Too few learners, or nothing, was asked for."""


class CannotWrite(CurriculumError):
    """The folder for the results cannot be written to."""


class PolicyFailed(CurriculumError):
    """A policy raised, or rated arms unsoundly; `facts["policy"]` names it."""
