"""Delayed probes: what was practised is asked again after a day or more, without help.

A share of the concepts practised is chosen by a coin, so that what is measured is no choice of the
learner's or the scheduler's. One probe begins a sitting; its item is one that the learner has not
had lately.
"""

import datetime as dt

from tutor.responses.models import Response
from tutor.scheduling import conduct as conducts
from tutor.scheduling import engine
from tutor.scheduling.models import Decision, DelayedProbe
from tutor.tracing import engine as tracing_engine

SHARE = 0.1
DELAY = dt.timedelta(hours=24)
LASTS = dt.timedelta(days=14)
MOST_WAITING = 3
PRACTISED = ("learn", "practise")


def note_answer(*, decision: Decision, response: Response, revision: int, draw_seed: int) -> None:
    """Score the probe that was answered, or note one for later; the learner is locked.

    An answer with help measures nothing: the probe is closed without a credit.
    """
    if decision.reason == engine.ASKED_AGAIN:
        credit = None if response.hints_seen else response.credit
        DelayedProbe.objects.filter(asked=decision, answered_at=None).update(
            credit=credit, answered_at=response.answered_at
        )
    elif decision.mode in PRACTISED and engine.toss(draw_seed, share=SHARE):
        _note_for_later(decision, response, revision)


def _note_for_later(decision: Decision, response: Response, revision: int) -> None:
    conduct, _ = conducts.find_or_stand_in(
        learner_id=response.learner_id,
        course_id=decision.course_id,
        assignment=decision.assignment,
        revision=revision,
    )
    waiting = DelayedProbe.objects.filter(
        learner=response.learner_id, course=decision.course_id, asked=None
    )
    current = waiting.filter(expires_at__gt=response.answered_at)
    if not conduct.probes or current.count() >= MOST_WAITING:
        return
    concept = decision.reason_facts["concept"]
    # One that has expired makes room; another that waits on the concept stays the one.
    waiting.filter(concept=concept, expires_at__lte=response.answered_at).delete()
    DelayedProbe.objects.bulk_create(
        [
            DelayedProbe(
                learner_id=response.learner_id,
                course_id=decision.course_id,
                concept_id=concept,
                practised=decision,
                due_at=response.answered_at + DELAY,
                expires_at=response.answered_at + DELAY + LASTS,
            )
        ],
        ignore_conflicts=True,
    )


def has_rested(
    probe: DelayedProbe,
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
    *,
    at: dt.datetime,
) -> bool:
    """Test whether the concept has not been practised for a day, later than the probe was noted.

    Asked sooner it would measure what is fresh, not what has stayed.
    """
    index = tracer.bank.index_of_concept.get(probe.concept_id)
    if index is None:
        return False
    return bool(at.timestamp() - seen.survey.last_at[index] >= DELAY.total_seconds())


def note_asked(*, probe: DelayedProbe, decision: Decision) -> None:
    """Note which decision asks, and what was expected of it."""
    probe.asked, probe.expected = decision, decision.reason_facts["item_prob"]
    probe.save(update_fields=["asked", "expected"])
