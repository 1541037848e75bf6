"""A person's word on how hard an item is: set, kept from an earlier run, and lifted again. Light.

It reaches learners as soon as the calibration in use has been put to use again, which is asked for
here. Runs that come later are told it too (`collecting`): they fit the item from its answers as
before and show both, but let it hold no scale.
"""

import math

from django.db import transaction

from tutor.accounts import services as account_services
from tutor.accounts.models import User
from tutor.calibration import selectors, services
from tutor.calibration.errors import OverrideRefused
from tutor.calibration.models import CalibrationRun, DifficultyOverride
from tutor.common import clock
from tutor.content import services as content_services
from tutor.content.models import ItemVersion

Rule = DifficultyOverride.Rule

# Beyond it no learner of the population is; calibrations look no further either: logits.
FARTHEST = 6.0
LEAST_SE, MOST_SE = 0.05, 3.0


def set_difficulty(
    *,
    version: ItemVersion,
    difficulty: float,
    se: float,
    actor: User | None,
    reason: str,
    is_held: bool = True,
) -> DifficultyOverride:
    """Decide how hard an item version is, on the scale of the calibration in use.

    Args:
        version: of the item.
        difficulty: logits, -6 to 6, larger is harder.
        se: how sure that is, in logits, 0.05 to 3.
        actor: who decides; None for a command of the operator.
        reason: why, for others.
        is_held: whether it is used as it is; else it is what to expect before any answer, and is
            weighed with the answers.

    Raises:
        OverrideRefused: no reason, a figure that cannot be, or no calibration to be on a scale of.
    """
    if not (math.isfinite(difficulty) and abs(difficulty) <= FARTHEST):
        raise _refused(version, f"A difficulty is from -{FARTHEST:g} to {FARTHEST:g} logits.")
    if not LEAST_SE <= se <= MOST_SE:
        raise _refused(version, f"A standard error is from {LEAST_SE:g} to {MOST_SE:g} logits.")
    run = _require_scale(version)
    rule = Rule.HELD if is_held else Rule.PRIOR
    return _decide(version, run, rule, reason, actor, difficulty=difficulty, se=se)


def keep_difficulty(
    *, version: ItemVersion, run: CalibrationRun, actor: User | None, reason: str
) -> DifficultyOverride:
    """Keep what a run said of an item version, whatever later answers and runs say.

    Raises:
        OverrideRefused: no reason, the run says nothing of it, or is on another scale than the
            calibration in use.
    """
    row = run.items.filter(version=version).first()
    if row is None:
        raise _refused(version, f"Calibration {run.number} says nothing of this item.")
    if selectors.get_scale(run=run) != selectors.get_scale(run=_require_scale(version)):
        raise _refused(
            version, f"Calibration {run.number} is on another scale than the one in use."
        )
    figures = {"difficulty": row.pooled_difficulty, "se": max(row.pooled_se, LEAST_SE)}
    return _decide(version, run, Rule.HELD, reason, actor, **figures)


def lift(*, version: ItemVersion, actor: User | None, reason: str) -> DifficultyOverride:
    """Take back what was decided: the calibration alone says again how hard the item version is.

    Raises:
        OverrideRefused: no reason, or nothing was decided.
    """
    newest = selectors.get_newest_override(version=version)
    if newest is None or newest.rule == Rule.LIFTED:
        raise _refused(version, "Nothing was decided by hand about this item.")
    return _decide(version, newest.run, Rule.LIFTED, reason, actor)


@transaction.atomic
def _decide(
    version: ItemVersion,
    run: CalibrationRun,
    rule: str,
    reason: str,
    actor: User | None,
    **figures: float,
) -> DifficultyOverride:
    if not reason.strip():
        raise _refused(version, "Say why: others have to understand it later.")
    course = version.item.course
    content_services.lock_course(course=course)
    done = DifficultyOverride.objects.create(
        version=version, run=run, rule=rule, reason=reason[:300], actor=actor, **figures
    )
    account_services.record_audit(
        at=clock.now(),
        action=f"calibration.difficulty-{rule}",
        organisation=course.organisation,
        actor=actor,
        subject=str(version),
        facts={"reason": reason[:300], "calibration": run.number, **figures},
    )
    services.ask_again(course=course, actor=actor)
    return done


def _require_scale(version: ItemVersion) -> CalibrationRun:
    run = selectors.get_reference(course_id=version.item.course_id)
    if run is None:
        raise _refused(
            version,
            "There is no calibration yet whose scale a difficulty could be on; until then the "
            "author's difficulty counts, which the course says.",
        )
    return run


def _refused(version: ItemVersion, message: str) -> OverrideRefused:
    return OverrideRefused(message, item=version.item.slug)
