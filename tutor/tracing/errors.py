"""What can go wrong with estimates."""

from tutor.common.errors import TutorError


class NoTracer(TutorError):
    """The course has no tracer yet; loading a course gives it one."""

    code = "tracing.no-tracer"
    status = 503
