"""The tutor's door to `curriculum`: tracer and state in, decision out. Numpy only."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.bandits import POLICIES, BasePolicy, GainSoftmaxPolicy, LinearSoftmax, make_policy
from curriculum.bandits.errors import InvalidPolicy
from curriculum.scheduler import (
    Decision,
    Finish,
    Memory,
    ReasonCode,
    RecentAnswers,
    Situation,
    decide,
    replay,
)
from curriculum.scheduler.deciding import KILL_SWITCH
from curriculum.scheduler.facts import FactMemory, remember
from curriculum.scheduler.guards import count_attempts
from curriculum.scheduler.standing import MODES
from tutor.common.cache import new_cache
from tutor.content.selectors import CourseBank
from tutor.scheduling import lately, teachers_word, wishes
from tutor.scheduling.plans import (
    RULES,
    Conduct,
    Plan,
    Recent,
    build_bank,
    exposure_of,
    item_bank,
)
from tutor.tracing import engine as tracing_engine

__all__ = [
    "ASKED_AGAIN",
    "AUTOMATIC",
    "EXPLORE",
    "KILL_SWITCH",
    "LEARNT",
    "PILOT",
    "POLICY_NAMES",
    "Conduct",
    "Decision",
    "FactMemory",
    "Finish",
    "Plan",
    "Recent",
    "Situation",
    "build_bank",
    "choose",
    "item_bank",
    "policy_from",
    "remember",
    "replay",
]

# What a class may choose: the policies, or the learnt one as soon as there is one.
AUTOMATIC = "automatic"
LEARNT = LinearSoftmax.name
FIRST = GainSoftmaxPolicy.name
PILOT = ReasonCode.PILOT.value
ASKED_AGAIN = ReasonCode.ASKED_AGAIN.value
EXPLORE = ReasonCode.EXPLORE.value
POLICY_NAMES = (AUTOMATIC, *POLICIES)
# Those fit to serve a class as they are: placement alone, fits that nobody makes yet and the
# yardsticks of research are not among them.
SERVING = (
    AUTOMATIC,
    GainSoftmaxPolicy.name,
    LinearSoftmax.name,
    "zpdes",
    "sec",
    "ability-window",
    "mastery-threshold",
    "closest-to-target",
    "expert-order",
)
# As many decisions as the rules look back.
MODES_LOOKED_AT = 10

Floats = npt.NDArray[np.float64]
_minutes = new_cache(capacity=64)


def policy_from(name: str, body: Mapping[str, Any] | None = None) -> BasePolicy:
    """Return the policy of this name with what a version's body says it has learnt.

    A body that this program does not know any more gives way to the policy's own parameters.
    """
    try:
        return make_policy(name, (body or {}).get("parameters"))
    except InvalidPolicy:
        return make_policy(name)


def choose(
    *,
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
    plan: Plan,
    conduct: Conduct,
    recent: Recent,
    at: float,
    seed: int,
) -> Decision | Finish:
    """Return the next item for a learner, or why there is none; equal inputs give equal answers.

    `seen` is the learner at the moment `at`, epoch seconds.
    """
    situation = make_situation(
        tracer=tracer, seen=seen, plan=plan, conduct=conduct, recent=recent, at=at
    )
    return decide(situation, seed=seed, policy=conduct.policy)


def is_probe(chosen: Decision | Finish) -> bool:
    """Test whether the choice asks again what was practised a day or more ago."""
    return isinstance(chosen, Decision) and chosen.reason.code is ReasonCode.ASKED_AGAIN


def toss(seed: int, *, share: float) -> bool:
    """Return a coin that falls so with chance `share`; independent of the seed's choice of item."""
    return bool(np.random.default_rng([seed, 1]).random() < share)


def make_situation(
    *,
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
    plan: Plan,
    conduct: Conduct,
    recent: Recent,
    at: float,
) -> Situation:
    """Return everything the decision depends on, apart from its seed. `at` is in epoch seconds."""
    bank, state = tracer.bank, seen.state
    items, concepts = seen.survey.items, seen.survey.concepts
    known = teachers_word.bend(
        {
            "concept_prob": concepts.prob,
            "concept_lower_prob": concepts.lower_prob,
            "evidence_n": concepts.evidence_n,
            "concept_last_at": seen.survey.last_at,
            "mastered_before": np.isin(bank.concept_ids, state.mastered),
        },
        conduct.stated,
        bank=bank,
    )
    bounds = wishes.UNBOUNDED
    if conduct.wishes:
        item_ids, answered_at = lately.answers_counted(state, recent)
        bounds = wishes.bounds_of(
            conduct.wishes,
            bank,
            lower_prob=known["concept_lower_prob"],
            evidence_n=known["evidence_n"],
            item_ids=item_ids,
            answered_at=answered_at,
            at=at,
        )
    goal = np.ones(len(bank.concept_ids), dtype=np.bool_)
    if plan.goal_concepts:
        goal = np.isin(bank.concept_ids, plan.goal_concepts)
    if conduct.stated:
        released_at = teachers_word.released(conduct.stated, recent.released)
        recent = dataclasses.replace(recent, released=released_at)
    answers, released = _recent_answers(state, recent), lately.find_released(bank, recent)
    return Situation(
        bank=item_bank(bank),
        goal=goal,
        logit_mean=items.logit_mean,
        logit_var=items.logit_var,
        prob=items.prob,
        expected_gain=seen.survey.gains,
        at=at,
        policy_version=conduct.policy.version,
        recent=answers,
        rules=dataclasses.replace(RULES, kill_switch=True) if conduct.kill_switch else RULES,
        set_aside=items_set_aside(bank, plan),
        session_position=plan.answered,
        pilot_share=bank.pilot_share,
        opens_at=plan.opens_at,
        closes_at=plan.closes_at,
        item_minutes=_item_minutes(bank, conduct),
        discrimination=tracer.item_slopes,
        memory=_memory(tracer, seen),
        attempts=count_attempts(item_bank(bank), answers, at=at, rules=RULES, released=released),
        released=released,
        fact_stability=_stability(bank, recent),
        exposure=exposure_of(bank, recent),
        placing=recent.placing,
        exploration=wishes.exploration_of(bounds, conduct, explored=recent.explored),
        **known,
        **(wishes.fields_of(bounds, plan, at=at) | _asked(bank, plan)),
    )


def _stability(bank: CourseBank, recent: Recent) -> Floats | None:
    """Return [K] the stability of each fact, days; NaN for skills and facts never answered."""
    if not recent.stability:
        return None
    known = recent.stability
    return np.array([known.get(pk, np.nan) for pk in bank.concept_ids.tolist()])


def _asked(bank: CourseBank, plan: Plan) -> dict[str, Any]:
    """Return what a delayed probe sets: it comes alone, and a pin waits for one question."""
    if plan.asked_again is None:
        return {}
    items = _items_to_ask_again(bank, plan)
    return {"pinned": items, "pinned_since": {}, "asked_again": True}


def _recent_answers(state: tracing_engine.TracedLearner, recent: Recent) -> RecentAnswers:
    latest = lately.first_tries(state.recent)
    items = latest["item"].astype(np.int64)
    return RecentAnswers(
        item_ids=items,
        # A late answer is folded in its place, but two devices may tie or cross by a little.
        at=np.maximum.accumulate(latest["at"]),
        correct=latest["credit"].astype(np.float64),
        modes=_modes(items, recent),
    )


def _modes(items: npt.NDArray[np.int64], recent: Recent) -> npt.NDArray[np.int8] | None:
    """Return [R] what each recent answer was given for, as far back as that is known.

    Decisions and answers are matched from the newest back by their items; an answer that no
    decision led to (brought in from elsewhere) stays unknown.
    """
    if not recent.modes:
        return None
    codes = {mode.value: code for code, mode in enumerate(MODES)}
    found = np.full(len(items), -1, dtype=np.int8)
    place = len(items)
    for item, mode in recent.modes:
        earlier = np.flatnonzero(items[:place] == item)
        if len(earlier):
            place = int(earlier[-1])
            found[place] = codes.get(mode, -1)
    return found


def _items_to_ask_again(bank: CourseBank, plan: Plan) -> frozenset[int]:
    index = bank.index_of_concept.get(plan.asked_again) if plan.asked_again else None
    if index is None:
        return frozenset()
    return frozenset(bank.item_ids[(bank.concepts == index).any(axis=1)].tolist())


def items_set_aside(bank: CourseBank, plan: Plan) -> frozenset[int]:
    """Return the ids of items that the learner has put off, alone or with their concept."""
    resting = frozenset(plan.resting_items)
    if plan.resting_concepts:
        carry = np.isin(bank.concept_pks, plan.resting_concepts).any(axis=1)
        resting |= frozenset(bank.item_ids[carry].tolist())
    return resting


def _item_minutes(bank: CourseBank, conduct: Conduct) -> npt.NDArray[np.float64] | None:
    if not conduct.minutes:
        return None
    return _minutes.get(
        (bank.course_id, bank.revision, conduct.version_id),
        lambda: np.array(
            [conduct.minutes.get(pk, RULES.minutes_per_item) for pk in bank.version_ids.tolist()]
        ),
    )


def _memory(tracer: tracing_engine.CourseTracer, seen: tracing_engine.Seen) -> Memory:
    """Return how the tracer expects each concept to fade and to grow from here on."""
    parameters, state = tracer.parameters, seen.state.filter
    base = state.ability_mean + tracer.reference_offsets
    known = dict(zip(state.concept_ids.tolist(), state.practice_counts.tolist(), strict=True))
    practised = [known.get(pk, 0.0) for pk in tracer.bank.concept_ids.tolist()]
    return Memory(
        base=base,
        level=seen.survey.concepts.logit_mean - base,
        var=seen.survey.concepts.logit_var,
        practised=np.array(practised, dtype=np.float64),
        tau_days=parameters.decay_tau_days,
        power=parameters.decay_power,
        gain_rho=parameters.gain_rho,
    )
