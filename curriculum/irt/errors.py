"""What can go wrong in a calibration, as facts."""

from curriculum.errors import CurriculumError


class NothingToCalibrate(CurriculumError):
    """No unassisted first attempt is left, or no item could be estimated from them."""


class ImpossibleResponse(CurriculumError):
    """A response is neither right, wrong nor missing, or names no learner or item."""


class ImpossibleParameters(CurriculumError):
    """Item parameters that no item can have, or arrays that do not belong together."""


class UnreadableParameters(CurriculumError):
    """A table of item parameters cannot be read; the message says line, column and why."""


class TooFewAnchors(CurriculumError):
    """Two calibrations share too few well-known items for one scale."""


class UnreadableGroups(CurriculumError):
    """The column of groups is missing from a log, or a learner stands in two groups."""


class ImpossibleSetting(CurriculumError):
    """A setting of a calibration lies outside its range."""


class CannotWrite(CurriculumError):
    """A result cannot be written where it was asked for."""
