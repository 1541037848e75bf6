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
