"""What can go wrong with tracer versions."""

from tutor.common.errors import TutorError


class TooFewAnswers(TutorError):
    """The log is too small to fit a tracer on."""

    code = "registry.too-few-answers"
    status = 409


class TracerOutdated(TutorError):
    """What a version was made from has changed while learners were folded under it."""

    code = "registry.tracer-outdated"
    status = 409


class TracerOfAnotherCourse(TutorError):
    """The tracer version belongs to another course."""

    code = "registry.tracer-of-another-course"
    status = 409


class TrainingUnderWay(TutorError):
    """A network is being trained for the course already."""

    code = "registry.training-under-way"
    status = 409


class TrainingImpossible(TutorError):
    """A network cannot be trained as it was asked for; the message says why."""

    code = "registry.training-impossible"
    status = 409


class SwitchUnderWay(TutorError):
    """The course's tracer is being switched already."""

    code = "registry.switch-under-way"
    status = 409


class GatesFailed(TutorError):
    """A tracer version did not pass its gates."""

    code = "registry.gates-failed"
    status = 409


class NothingToRollBack(TutorError):
    """No other tracer version was ever in use."""

    code = "registry.nothing-to-roll-back"
    status = 409
