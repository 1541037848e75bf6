"""A history followed answer by answer: when concepts are reached, and what is known at a look."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.outlook.features import NAMES, Standing, describe
from curriculum.outlook.histories import DAY_S, Answer, Look, Tracing
from kt_models.streaming import psi_filter
from kt_models.streaming.psi_reading import LOWER_QUANTILE, ability_var_at

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A learner's history with the filter's states at some moments.

    Attributes:
        answers: in order.
        states: epoch second -> state after the answers before it, and how many these are.
        reached_at: concept id -> epoch seconds at which it was reached.
    """

    answers: Sequence[Answer]
    states: Mapping[float, tuple[psi_filter.FilterState, int]]
    reached_at: Mapping[int, float]

    @property
    def last_at(self) -> float:
        """When the learner was last seen, epoch seconds; -inf without answers."""
        return self.answers[-1].at if self.answers else -math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What was known at n looks of a learner, and what came of them.

    Attributes:
        standings: what is known at each.
        features: [n, F] as `features.NAMES`; nan where the goal was reached by then.
        days: [n] from the look until the goal was reached, or until the last answer if it was not.
        reached: [n] whether it was, at the look or later within the log.
    """

    standings: tuple[Standing, ...]
    features: FloatArray
    days: FloatArray
    reached: NDArray[np.bool_]


def trace(answers: Sequence[Answer], tracing: Tracing, moments: Collection[float]) -> Traced:
    """Return a learner's history with the states at the moments, epoch seconds, in any order.

    Some 30 µs an answer. The answers are never earlier than the one before.
    """
    state = psi_filter.init(tracing.parameters)
    reached_at: dict[int, float] = {}
    states: dict[float, tuple[psi_filter.FilterState, int]] = {}
    done = 0
    for moment in sorted(set(moments)):
        while done < len(answers) and answers[done].at < moment:
            state = _fold(state, answers[done], tracing, reached_at)
            done += 1
        states[moment] = state, done
    for answer in answers[done:]:
        state = _fold(state, answer, tracing, reached_at)
    return Traced(answers, states, reached_at)


def follow(traced: Traced, tracing: Tracing, looks: Sequence[Look]) -> Followed:
    """Return what is known at each look from the answers before it, and what came after.

    Args:
        traced: with the states at the looks' moments.
        tracing: by what it was traced.
        looks: any order.
    """
    standings = tuple(stand(traced, tracing, look) for look in looks)
    at = np.array([look.at for look in looks])
    goal_at = np.array([look.goal.reached_at(traced.reached_at) for look in looks])
    reached = np.isfinite(goal_at)
    until = np.where(reached, goal_at, traced.last_at)
    return Followed(
        standings=standings,
        features=np.array([describe(one) for one in standings]).reshape(len(looks), len(NAMES)),
        days=np.maximum(until - at, 0.0) / DAY_S,
        reached=reached,
    )


def stand(traced: Traced, tracing: Tracing, look: Look) -> Standing:
    """Return what is known at a look from the answers before it.

    Of a goal of so many among more concepts, those nearest to mastery are taken as what is left.
    """
    state, done = traced.states[look.at]
    goal = look.goal
    reached = sorted(
        traced.reached_at[pk]
        for pk in goal.concept_ids
        if traced.reached_at.get(pk, math.inf) < look.at
    )
    open_ids = [pk for pk in goal.concept_ids if traced.reached_at.get(pk, math.inf) >= look.at]
    left = max(goal.wanted - len(reached), 0)
    found = psi_filter.concept_estimates(
        state,
        tracing.parameters,
        concept_ids=np.array(open_ids, dtype=np.int64),
        concept_offsets=np.array([tracing.reference_offsets[pk] for pk in open_ids]),
        at=look.at,
    )
    sds = np.sqrt(found.logit_var)
    gaps = tracing.logit - (found.logit_mean + LOWER_QUANTILE * sds)
    nearest = np.argsort(gaps, kind="stable")[:left]
    return Standing(
        look=look,
        left=tuple(open_ids[place] for place in nearest),
        gaps=tuple(gaps[nearest].tolist()),
        sds=tuple(sds[nearest].tolist()),
        evidence=tuple(found.evidence_n[nearest].tolist()),
        ability=state.ability_mean,
        before=traced.answers[:done],
        reached_goal=tuple(reached),
        reached_before=tuple(sorted(at for at in traced.reached_at.values() if at < look.at)),
    )


def _fold(
    state: psi_filter.FilterState, answer: Answer, tracing: Tracing, reached_at: dict[int, float]
) -> psi_filter.FilterState:
    """Return the state after an answer; note which of its concepts are reached by it."""
    after = psi_filter.update(
        state,
        tracing.parameters,
        concept_ids=answer.concept_ids,
        item_offset=answer.offset,
        correct=answer.correct,
        at=answer.at,
        assisted=answer.assisted,
        item_var=answer.offset_var,
    )
    if after is state:
        return state
    ability_var = ability_var_at(after, tracing.parameters, answer.at)
    for pk in answer.concept_ids:
        if pk in reached_at or pk not in tracing.reference_offsets:
            continue
        row = int(after.concept_ids.searchsorted(pk))
        mean, var, _, _, measured, _ = after.values[row].tolist()
        lower = after.ability_mean + mean + tracing.reference_offsets[pk]
        lower += LOWER_QUANTILE * math.sqrt(ability_var + var)
        if measured >= tracing.evidence and lower >= tracing.logit:
            reached_at[pk] = answer.at
    return after
