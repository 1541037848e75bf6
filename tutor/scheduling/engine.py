"""The tutor's door to `curriculum.scheduler`: bank, tracer and state in, decision out. Numpy only."""

import numpy as np

from curriculum.scheduler.bank import ItemBank, build_bank
from curriculum.scheduler.decide import FIRST_POLICY, decide
from curriculum.scheduler.decision import Decision, Finish
from curriculum.scheduler.rules import Rules
from curriculum.scheduler.situation import RecentAnswers, Situation
from tutor.common.cache import new_cache
from tutor.content.selectors import CourseBank
from tutor.tracing import bands
from tutor.tracing import engine as tracing_engine

__all__ = ["Decision", "Finish", "POLICY", "choose"]

POLICY = "gain-softmax"
POLICY_VERSION = f"{POLICY}-1"
RULES = Rules(
    mastery_threshold=bands.MASTERED_LOWER_PROB, mastery_evidence=bands.MASTERED_EVIDENCE
)

_banks = new_cache(capacity=32)


def choose(
    *,
    tracer: tracing_engine.CourseTracer,
    state: tracing_engine.TracedLearner,
    goal_concepts: tuple[int, ...],
    at: float,
    seed: int,
    answered: int,
    planned: int,
    opens_at: float | None = None,
    closes_at: float | None = None,
) -> Decision | Finish:
    """Return the next item for a learner, or why there is none; equal inputs give equal answers.

    Args:
        goal_concepts: concept ids that the assignment asks for; empty means the whole course.
        at: now, epoch seconds.
        answered, planned: answers given in this sitting, and after how many it ends.
    """
    situation = make_situation(
        tracer=tracer,
        state=state,
        goal_concepts=goal_concepts,
        at=at,
        answered=answered,
        planned=planned,
        opens_at=opens_at,
        closes_at=closes_at,
    )
    return decide(situation, seed=seed, policy=FIRST_POLICY)


def make_situation(
    *,
    tracer: tracing_engine.CourseTracer,
    state: tracing_engine.TracedLearner,
    goal_concepts: tuple[int, ...],
    at: float,
    answered: int,
    planned: int,
    opens_at: float | None = None,
    closes_at: float | None = None,
) -> Situation:
    """Return everything the decision depends on, apart from its seed."""
    bank = tracer.bank
    items = tracing_engine.predict_items(tracer, state, at=at)
    concepts = tracing_engine.estimate_concepts(tracer, state, at=at)
    goal = np.ones(len(bank.concept_ids), dtype=np.bool_)
    if goal_concepts:
        goal = np.isin(bank.concept_ids, goal_concepts)
    return Situation(
        bank=_item_bank(bank),
        goal=goal,
        logit_mean=items.logit_mean,
        logit_var=items.logit_var,
        prob=items.prob,
        expected_gain=tracing_engine.expected_gain(tracer, state, at=at),
        concept_prob=concepts.prob,
        concept_lower_prob=concepts.lower_prob,
        evidence_n=concepts.evidence_n,
        concept_last_at=tracing_engine.last_practised(tracer, state),
        mastered_before=np.isin(bank.concept_ids, state.mastered),
        at=at,
        policy_version=POLICY_VERSION,
        recent=RecentAnswers(
            item_ids=state.recent["item"],
            # A late answer is folded in its place, but two devices may tie or cross by a little.
            at=np.maximum.accumulate(state.recent["at"]),
            correct=state.recent["credit"],
        ),
        rules=RULES,
        session_position=answered,
        session_limit=planned,
        opens_at=opens_at,
        closes_at=closes_at,
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
            is_template=bank.is_template.tolist(),
        ),
    )
