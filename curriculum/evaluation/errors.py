"""What an evaluation refuses."""

from curriculum.errors import CurriculumError


class DecisionsUnreadable(CurriculumError):
    """A decision log is not what the format says; `facts["line"]` tells where."""


class NothingToEvaluate(CurriculumError):
    """No decision of the log has a reward of the kind asked for and was left to chance."""


class TargetUnknown(CurriculumError):
    """The log does not say what this policy would have done."""


class SupportTooThin(CurriculumError):
    """The decisions say too little about this policy; `facts` have the figures that say so."""


class CannotWrite(CurriculumError):
    """The file for the results cannot be written."""
