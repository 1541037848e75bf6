"""Deciding again: from a stored decision and the log before it, the same choice.

It holds while the course's items are the ones that the decision knew: the log and all that was
learnt are kept, a course's earlier list of items is not.
"""

import datetime as dt

from tutor.classes import selectors as class_selectors
from tutor.content import selectors as content_selectors
from tutor.responses import selectors as response_selectors
from tutor.scheduling import conduct as conducts
from tutor.scheduling import engine
from tutor.scheduling.models import Decision, StuckRelease
from tutor.tracing import engine as tracing_engine
from tutor.tracing import services as tracing_services

FREE_PRACTICE = 10


def decide_again(decision: Decision) -> engine.Decision | engine.Finish:
    """Return what comes of the decision's inputs today.

    Raises:
        ReceiptDiffers: something else than what was stored, and in which field.
    """
    conduct = conduct_of(decision)
    situation = situation_of(decision)
    return engine.replay(situation, receipt=decision.receipt, policy=conduct.policy)


def conduct_of(decision: Decision) -> engine.Conduct:
    """Return how items were chosen for the learner then."""
    receipt = decision.receipt
    # The version ends in a digest of the parameters: what stands before it is the name.
    return conducts.make_conduct(
        policy=decision.policy.rpartition("-")[0],
        version=decision.policy_version,
        settings_id=decision.settings_id,
        explores=receipt.get("exploring") != "not-allowed",
        kill_switch=receipt.get("fallback") == "kill-switch",
    )


def situation_of(decision: Decision) -> engine.Situation:
    """Return everything that the decision depended on, from the log alone."""
    course = decision.course
    tracer = tracing_services.tracer_of_version(version=decision.tracer, revision=course.revision)
    rows = [
        row
        for row in response_selectors.iterate_fold_rows(
            course_id=course.pk, learner_ids=[decision.learner_id]
        )
        if row.answered_at <= decision.at
    ]
    pairs = (
        (row, content_selectors.get_concepts_of_version(version_id=row.version_id)) for row in rows
    )
    state = tracing_engine.fold(tracer, tracing_engine.start(tracer), pairs)
    seen = tracing_engine.see(tracer, state, at=decision.at.timestamp())
    return engine.make_situation(
        tracer=tracer,
        seen=seen,
        plan=_plan_of(decision),
        conduct=conduct_of(decision),
        recent=_recent_of(decision, seen),
        at=decision.at.timestamp(),
    )


def _plan_of(decision: Decision) -> engine.Plan:
    assignment, earlier = decision.assignment, Decision.objects.filter(learner=decision.learner_id)
    started = decision
    if decision.follows is not None:
        started = earlier.filter(pk__lt=decision.pk, follows=None).latest("pk")
    answered = earlier.filter(pk__gt=started.pk, pk__lte=decision.pk).count()
    goal: tuple[int, ...] = ()
    if assignment is not None:
        goal = class_selectors.get_goal_concepts(
            assignment=assignment, revision=decision.course.revision
        )
    asked = decision.reason_facts.get("concept") if decision.reason == "asked-again" else None
    return engine.Plan(
        goal_concepts=goal,
        answered=answered,
        planned=assignment.items_per_session if assignment else FREE_PRACTICE,
        opens_at=assignment.opens_at.timestamp() if assignment else None,
        closes_at=assignment.due_at.timestamp() if assignment and assignment.due_at else None,
        asked_again=asked,
    )


def _recent_of(decision: Decision, seen: tracing_engine.Seen) -> engine.Recent:
    earlier = Decision.objects.filter(
        learner=decision.learner_id, course=decision.course_id, pk__lt=decision.pk
    )
    shown = earlier.filter(item_version__isnull=False).order_by("-at", "-pk")
    window = dt.timedelta(days=engine.RULES.exposure_days)
    releases = StuckRelease.objects.filter(
        learner=decision.learner_id,
        concept__in=engine.list_possibly_stuck(seen),
        at__lte=decision.at,
    )
    return engine.Recent(
        modes=tuple(shown.values_list("item_version__item", "mode")[: engine.MODES_LOOKED_AT])
        if len(seen.state.mastered)
        else (),
        explored=earlier.filter(reason="explore", at__gte=decision.at - window).count(),
        released=dict(releases.order_by("pk").values_list("concept", "evidence_n")),
    )
