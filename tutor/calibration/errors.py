"""What can go wrong with calibrations and items' lives."""

from tutor.common.errors import TutorError


class CalibrationBusy(TutorError):
    """The course is being calibrated, or a calibration of it promoted, right now."""

    code = "calibration.busy"
    status = 409


class NothingToCalibrate(TutorError):
    """The course's log has no answer that could be calibrated, or none that is new."""

    code = "calibration.nothing"
    status = 409


class CalibrationImpossible(TutorError):
    """The course's log cannot be calibrated as it was asked for."""

    code = "calibration.impossible"
    status = 409


class RunRefused(TutorError):
    """The run may not be promoted: a gate failed, or it is another course's."""

    code = "calibration.refused"
    status = 409


class NothingToRollBack(TutorError):
    """No other calibration was ever in use."""

    code = "calibration.nothing-to-roll-back"
    status = 409


class NoCrowd(TutorError):
    """No respondent is configured, or its address is none."""

    code = "calibration.no-crowd"
    status = 409


class OverrideRefused(TutorError):
    """The difficulty cannot be set, kept or lifted by hand."""

    code = "calibration.override-refused"
    status = 409


class StatusRefused(TutorError):
    """The item cannot get this status by hand."""

    code = "calibration.status-refused"
    status = 409
