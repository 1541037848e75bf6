"""The course's own order, for when a choice cannot be made or what it is made from is broken."""

import dataclasses
import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tutor.content.selectors import CourseBank
from tutor.scheduling import engine, lately, teachers_word, wishes
from tutor.scheduling.plans import Conduct, Plan
from tutor.tracing import engine as tracing_engine

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Failed:
    """A policy that raises what went wrong before it could be asked: so that is what is told."""

    version: str
    error: Exception
    name: str = field(default="failed")

    def rate(self, _: Any) -> Any:
        raise self.error


def follow_order(
    *,
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
    plan: Plan,
    conduct: Conduct,
    at: float,
    seed: int,
    error: Exception,
) -> engine.Decision | engine.Finish:
    """Return the next item of the course's order with propensity 1, or why there is none.

    The learner's mastery and newest answers count if they can be read, so that the rules hold, and
    what the teacher banned or wants no more of holds; memory, minutes, attempts, earlier modes and
    pins are left out. If they cannot be read, the learner counts as new; if the rules cannot be
    applied, bans alone hold.
    """
    policy = _Failed(conduct.policy.version, error)
    bans = tuple(wish for wish in conduct.wishes if wish.kind == "ban")
    attempts = [
        (known, dataclasses.replace(conduct, wishes=rules))
        for rules in (conduct.wishes, bans)
        for known in (_mastery, _nothing)
    ]
    for known, bounded in attempts:
        try:
            situation = _situation(tracer.bank, plan, bounded, at, known(tracer.bank, seen))
            return engine.decide(situation, seed=seed, policy=policy)
        except Exception:
            logger.exception("Nor could the course's own order be followed so.")
    raise error


def _situation(
    bank: CourseBank, plan: Plan, conduct: Conduct, at: float, known: dict[str, Any]
) -> engine.Situation:
    known = _with_words(known, conduct, bank)
    goal = np.ones(len(bank.concept_ids), dtype=np.bool_)
    if plan.goal_concepts:
        goal = np.isin(bank.concept_ids, plan.goal_concepts)
    bounds = wishes.UNBOUNDED
    if conduct.wishes:
        answers = known.get("recent") or engine.RecentAnswers(
            np.empty(0, dtype=np.int64), np.empty(0), np.empty(0)
        )
        bounds = wishes.bounds_of(
            conduct.wishes,
            bank,
            lower_prob=known["concept_lower_prob"],
            evidence_n=known["evidence_n"],
            item_ids=answers.item_ids,
            answered_at=answers.at,
            at=at,
        )
    n_items = len(bank.item_ids)
    return engine.Situation(
        bank=engine.build_bank(
            item_ids=bank.item_ids.tolist(),
            concepts=bank.concepts,
            concept_ids=bank.concept_ids.tolist(),
            requires=[(required, concept) for concept, required in bank.requires],
            operational=bank.operational.tolist(),
            pilot=bank.pilot.tolist(),
            is_template=bank.is_template.tolist(),
            features=bank.needs.tolist(),
            is_fact=bank.is_fact.tolist(),
        ),
        goal=goal,
        # Even odds of every item: no rule removes one by how hard it is.
        logit_mean=np.zeros(n_items),
        logit_var=np.ones(n_items),
        prob=np.full(n_items, 0.5),
        expected_gain=np.zeros(n_items),
        at=at,
        policy_version=conduct.policy.version,
        rules=engine.RULES,
        set_aside=engine.items_set_aside(bank, plan),
        session_position=plan.answered,
        opens_at=plan.opens_at,
        closes_at=plan.closes_at,
        exploration=wishes.exploration_of(bounds, conduct),
        **wishes.fields_of(dataclasses.replace(bounds, pinned=frozenset()), plan, at=at),
        **known,
    )


def _mastery(bank: CourseBank, seen: tracing_engine.Seen) -> dict[str, Any]:
    concepts, recent = seen.survey.concepts, lately.first_tries(seen.state.recent)
    return {
        "concept_prob": concepts.prob,
        "concept_lower_prob": concepts.lower_prob,
        "evidence_n": concepts.evidence_n,
        "concept_last_at": seen.survey.last_at,
        "mastered_before": np.isin(bank.concept_ids, seen.state.mastered),
        "recent": engine.RecentAnswers(
            item_ids=recent["item"].astype(np.int64),
            at=np.maximum.accumulate(recent["at"]),
            correct=recent["credit"].astype(np.float64),
        ),
    }


def _with_words(known: dict[str, Any], conduct: Conduct, bank: CourseBank) -> dict[str, Any]:
    """Return what is known with what teachers say in its place."""
    mastery = {name: values for name, values in known.items() if name != "recent"}
    return {**known, **teachers_word.bend(mastery, conduct.stated, bank=bank)}


def _nothing(bank: CourseBank, _: tracing_engine.Seen) -> dict[str, Any]:
    size = len(bank.concept_ids)
    return {
        "concept_prob": np.full(size, 0.5),
        "concept_lower_prob": np.zeros(size),
        "evidence_n": np.zeros(size, dtype=np.int64),
        "concept_last_at": np.full(size, -np.inf),
        "mastered_before": np.zeros(size, dtype=np.bool_),
    }
