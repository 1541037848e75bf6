"""What can go wrong with classes."""

from tutor.common.errors import TutorError


class ConceptOfAnotherCourse(TutorError):
    """An assignment asks for a concept that its class's course does not have."""

    code = "classes.concept-of-another-course"


class DatesReversed(TutorError):
    """An assignment would be due before it opens."""

    code = "classes.dates-reversed"
