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
