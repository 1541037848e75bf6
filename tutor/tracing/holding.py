"""One switch of a course's tracer at a time, whoever asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tutor.common.alone import alone
from tutor.content.models import Course
from tutor.registry.errors import SwitchUnderWay


def lock_name(course: Course) -> str:
    """Return the name of the lock under which a course's tracer is switched, or its items fitted.

    Calibrations take it too: a calibration comes into use by a switch of the tracer.
    """
    return f"calibration-{course.pk}"


@contextmanager
def hold(course: Course) -> Iterator[None]:
    """Hold the course's lock; it goes with the process that holds it.

    Raises:
        SwitchUnderWay: a switch or a calibration of the course is under way.
    """
    with alone(lock_name(course)) as is_held:
        if not is_held:
            raise SwitchUnderWay(
                "This course's tracer is being switched, or its items calibrated.",
                course=course.pk,
            )
        yield
