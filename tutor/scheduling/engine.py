"""The tutor's door to `curriculum.scheduler`: tracer and state in, decision out. Numpy only."""

from dataclasses import dataclass

import numpy as np

from curriculum.scheduler import (
    Decision,
    Finish,
    GainSoftmax,
    ItemBank,
    ReasonCode,
    RecentAnswers,
    Rules,
    Situation,
    build_bank,
    decide,
)
from tutor.common.cache import new_cache
from tutor.content.selectors import CourseBank
from tutor.tracing import bands
from tutor.tracing import engine as tracing_engine

__all__ = ["PILOT", "POLICY", "Decision", "Finish", "Plan", "choose"]

POLICY = "gain-softmax"
POLICY_VERSION = f"{POLICY}-1"
POLICY_RULE = GainSoftmax()
PILOT = ReasonCode.PILOT.value
RULES = Rules(mastery_threshold=bands.MASTERED_LOWER_PROB, mastery_evidence=bands.MASTERED_EVIDENCE)

_banks = new_cache(capacity=32)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sitting is for, and how far it is.

    Attributes:
        goal_concepts: concept ids that the assignment asks for; empty means the whole course.
        answered: answers given in this sitting.
        planned: answers after which it ends.
        opens_at, closes_at: the assignment's dates, epoch seconds.
    """

    goal_concepts: tuple[int, ...]
    answered: int
    planned: int
    opens_at: float | None = None
    closes_at: float | None = None


def choose(
    *,
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
    plan: Plan,
    at: float,
    seed: int,
) -> Decision | Finish:
    """Return the next item for a learner, or why there is none; equal inputs give equal answers.

    `seen` is the learner at the moment `at`, epoch seconds.
    """
    situation = make_situation(tracer=tracer, seen=seen, plan=plan, at=at)
    return decide(situation, seed=seed, policy=POLICY_RULE)


def make_situation(
    *,
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
    plan: Plan,
    at: float,
) -> Situation:
    """Return everything the decision depends on, apart from its seed. `at` is in epoch seconds."""
    bank, state = tracer.bank, seen.state
    items, concepts = seen.survey.items, seen.survey.concepts
    goal = np.ones(len(bank.concept_ids), dtype=np.bool_)
    if plan.goal_concepts:
        goal = np.isin(bank.concept_ids, plan.goal_concepts)
    return Situation(
        bank=_item_bank(bank),
        goal=goal,
        logit_mean=items.logit_mean,
        logit_var=items.logit_var,
        prob=items.prob,
        expected_gain=seen.survey.gains,
        concept_prob=concepts.prob,
        concept_lower_prob=concepts.lower_prob,
        evidence_n=concepts.evidence_n,
        concept_last_at=seen.survey.last_at,
        mastered_before=np.isin(bank.concept_ids, state.mastered),
        at=at,
        policy_version=POLICY_VERSION,
        recent=RecentAnswers(
            item_ids=state.recent["item"].astype(np.int64),
            # A late answer is folded in its place, but two devices may tie or cross by a little.
            at=np.maximum.accumulate(state.recent["at"]),
            correct=state.recent["credit"].astype(np.float64),
        ),
        rules=RULES,
        session_position=plan.answered,
        session_limit=plan.planned,
        pilot_share=bank.pilot_share,
        opens_at=plan.opens_at,
        closes_at=plan.closes_at,
    )


def _item_bank(bank: CourseBank) -> ItemBank:
    return _banks.get(
        (bank.course_id, bank.revision),
        lambda: build_bank(
            item_ids=bank.item_ids.tolist(),
            concepts=bank.concepts,
            concept_ids=bank.concept_ids.tolist(),
            requires=[(required, concept) for concept, required in bank.requires],
            operational=bank.operational.tolist(),
            pilot=bank.pilot.tolist(),
            is_template=bank.is_template.tolist(),
        ),
    )
