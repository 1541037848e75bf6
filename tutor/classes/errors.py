"""What can go wrong with classes."""

from tutor.common.errors import TutorError


class ConceptOfAnotherCourse(TutorError):
    """An assignment asks for a concept that its class's course does not have."""

    code = "classes.concept-of-another-course"


class DatesReversed(TutorError):
    """An assignment would be due before it opens."""

    code = "classes.dates-reversed"


class RuleOutOfRange(TutorError):
    """An award would be given to everybody, or to nobody."""

    code = "classes.rule-out-of-range"


class GoalOutOfRange(TutorError):
    """A week has no such number of days."""

    code = "classes.goal-out-of-range"


class NoteUnusable(TutorError):
    """A note about a learner is empty or too long."""

    code = "classes.note-unusable"


class OverrideUnusable(TutorError):
    """What a teacher decided for a learner lacks something, or would change nothing."""

    code = "classes.override-unusable"


class OverrideTakenBack(TutorError):
    """What is to be taken back was never decided in this class."""

    code = "classes.override-taken-back"
    status = 409


class Excused(TutorError):
    """A learner means to work on an assignment that they are excused from."""

    code = "classes.excused"
    status = 409
