"""Why this item: the reason code of a drawn pair, with the facts a sentence needs."""

import math

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.arms import target_probs
from curriculum.scheduler.decision import Fact, Reason, ReasonCode
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import MODES, Mode, Standing

OF_MODE = {
    Mode.LEARN: ReasonCode.LEARN_NEW,
    Mode.PRACTISE: ReasonCode.PRACTISE,
    Mode.REVIEW: ReasonCode.REVIEW_DUE,
    Mode.PROBE: ReasonCode.PROBE,
}


def explain(
    situation: Situation,
    standing: Standing,
    *,
    concept: int,
    item: int,
    explored: bool,
    stood_in: bool = False,
) -> Reason:
    """Return why `item` was drawn for `concept`; both are bank indices.

    What the teacher's order gave where it `stood_in` places nobody.
    """
    mode = MODES[standing.mode[concept]]
    days = float(standing.days_since[concept])
    facts: dict[str, Fact] = {
        "concept_index": concept,
        "concept": int(situation.bank.concept_ids[concept]),
        "mode": mode.value,
        "item_prob": float(situation.prob[item]),
        "target_prob": float(target_probs(situation)[standing.mode[concept]]),
        "concept_prob": float(situation.concept_prob[concept]),
        "evidence_n": int(situation.evidence_n[concept]),
        "days_since": days if math.isfinite(days) else None,
    }
    code = OF_MODE[mode]
    if situation.bank.pilot[item]:
        code = ReasonCode.PILOT
    elif standing.pinned_now is not None and standing.pinned_now[item]:
        code = ReasonCode.ASKED_AGAIN if situation.asked_again else ReasonCode.TEACHER_PICK
    elif standing.placing and not stood_in:
        code = ReasonCode.PLACEMENT
    elif explored:
        code = ReasonCode.EXPLORE
    elif standing.step_back[concept]:
        code = ReasonCode.STEP_BACK
        facts |= _dependent(situation, standing.held, concept)
    elif standing.failed[concept]:
        code = ReasonCode.WORKED_EXAMPLE
    elif standing.backfill[concept]:
        code = ReasonCode.BACKFILL
        facts |= _dependent(situation, situation.goal, concept)
    return Reason(code=code, facts=facts)


def _dependent(situation: Situation, among: NDArray[np.bool_], concept: int) -> dict[str, Fact]:
    """Return the first concept, in teaching order, for whose sake this one is practised."""
    bank = situation.bank
    needing = np.flatnonzero(among & (bank.unlocks_weight[concept] > 0.0))
    if not len(needing):
        return {}
    first = int(needing[0])
    return {"for_concept_index": first, "for_concept": int(bank.concept_ids[first])}
