"""What the policies refuse."""

from curriculum.errors import CurriculumError


class UnknownPolicy(CurriculumError):
    """No policy has this name."""


class InvalidPolicy(CurriculumError):
    """A policy's parameters are not what it can be made of."""
