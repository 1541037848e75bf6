"""Awards of many learners at once; `selectors.list_awards` is the same for one."""

import datetime as dt
from collections.abc import Sequence

from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.content import selectors as content_selectors
from tutor.tracing.models import AwardStep


def list_award_days(
    *, course_id: int, learner_ids: Sequence[int]
) -> list[tuple[int, int, dt.datetime]]:
    """Return (learner id, concept id, since when) of the awards that count, oldest first."""
    revision = content_selectors.get_revision(course_id=course_id)
    rules = class_selectors.get_award_rules(course_id=course_id, revision=revision)
    classes: dict[int, list[int]] = {}
    own = Classroom.objects.filter(course=course_id).values_list("pk", flat=True)
    members = class_selectors.list_members(class_ids=list(own), learner_ids=learner_ids)
    for learner, classroom in members:
        classes.setdefault(learner, []).append(classroom)
    rows = AwardStep.objects.filter(
        learner__in=learner_ids, concept__course=course_id, step=AwardStep.Step.AWARD
    )
    found: dict[tuple[int, int], dt.datetime] = {}
    facts = rows.order_by("at", "pk").values_list("learner", "concept", "percent", "at", "met_rule")
    for learner, concept, percent, at, met_rule in facts:
        if met_rule or class_selectors.is_awarded(
            rules, class_ids=classes.get(learner, ()), percent=percent, at=at
        ):
            found.setdefault((learner, concept), at)
    return [(*pair, at) for pair, at in found.items()]
