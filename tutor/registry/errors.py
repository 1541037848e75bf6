"""What can go wrong with tracer versions."""

from tutor.common.errors import TutorError


class TooFewAnswers(TutorError):
    """The log is too small to fit a tracer on."""

    code = "registry.too-few-answers"
    status = 409


class TracerOfAnotherCourse(TutorError):
    """The tracer version belongs to another course."""

    code = "registry.tracer-of-another-course"
    status = 409
