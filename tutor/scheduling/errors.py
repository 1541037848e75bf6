"""What can go wrong with scheduling."""

from tutor.common.errors import TutorError


class UnknownPolicy(TutorError):
    """There is no policy of this name."""

    code = "scheduling.unknown-policy"


class NotStuck(TutorError):
    """A release names a concept that the learner is not stuck on."""

    code = "scheduling.not-stuck"
    status = 409


class NothingLearnt(TutorError):
    """A course has too few decisions, or a policy version failed a gate."""

    code = "scheduling.nothing-learnt"
    status = 409


class InvalidRule(TutorError):
    """A teacher's rule lacks something, or names what is not of the class or its course."""

    code = "scheduling.invalid-rule"


class InfeasibleRule(TutorError):
    """A teacher's rule could never be kept, by itself or beside those in force."""

    code = "scheduling.infeasible-rule"
    status = 409


class InfeasibleAssignment(TutorError):
    """An assignment asks for what could not be given: the course or the rules do not have it."""

    code = "scheduling.infeasible-assignment"
    status = 409


class RuleTakenBack(TutorError):
    """A rule that is to be taken back is not in force."""

    code = "scheduling.rule-taken-back"
    status = 409
