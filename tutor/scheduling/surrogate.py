"""What delayed probes say of the fast reward: which modes' gains have stayed a day later.

For workers: the parts of the reward are weighed anew by `curriculum.evaluation.surrogate`, or keep
their weights where the probes do not follow them.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from curriculum.evaluation.surrogate import Reweighting, reweigh
from tutor.content.models import Course
from tutor.scheduling.models import DelayedProbe

MODES = ("learn", "practise", "review", "probe")
Earned = dict[tuple[str, int], list[tuple[float, int, float]]]


def weigh_modes(
    *, course: Course, rows: Iterable[Mapping[str, Any]], previous: Mapping[str, float], seed: int
) -> tuple[dict[str, float], Reweighting]:
    """Return the weight of each mode's gains, and what the probes said.

    Args:
        course: whose probes.
        rows: lines of its decision log.
        previous: weights in use; modes that are not named have 1.
        seed: of the folds.
    """
    earned = _earned(rows)
    probes = list(
        DelayedProbe.objects.filter(
            course=course, credit__isnull=False, expected__isnull=False
        ).select_related("learner", "practised", "asked")
    )
    parts = np.array([_parts(earned, probe) for probe in probes]).reshape(-1, len(MODES))
    found = reweigh(
        parts,
        probe=np.array([probe.credit for probe in probes], dtype=np.float64),
        foretold=np.array([_foretold(probe) for probe in probes], dtype=np.float64),
        delay_hours=np.array([_delay_h(earned, probe) for probe in probes], dtype=np.float64),
        learner=np.array([probe.learner_id for probe in probes], dtype=np.int64),
        previous=np.array([previous.get(mode, 1.0) for mode in MODES]),
        seed=seed,
    )
    weights = found.weights
    if not found.frozen:
        # Only their ratio matters to a choice; a mode whose gains never stay earns nothing.
        kept = np.maximum(weights, 0.0)
        weights = kept / kept.mean() if kept.any() else np.ones(len(MODES))
    return dict(zip(MODES, np.round(weights, 6).tolist(), strict=True)), found


def _earned(rows: Iterable[Mapping[str, Any]]) -> Earned:
    """Return (learner, concept) -> (time, mode's place, reward) of the answers on it."""
    found: Earned = {}
    for row in rows:
        # What was put off or left is no practice.
        if row["reward"] is None or row.get("outcome", "answered") != "answered":
            continue
        concept, _, mode = row["arm"].partition(":")
        if mode in MODES:
            one = (float(row["at"]), MODES.index(mode), float(row["reward"]))
            found.setdefault((row["learner"], int(concept)), []).append(one)
    return found


def _parts(earned: Earned, probe: DelayedProbe) -> list[float]:
    """Return what each mode earned on the probe's concept from the noted answer to the probe."""
    begin, end = probe.practised.at.timestamp(), probe.asked.at.timestamp()
    sums = [0.0] * len(MODES)
    for at, mode, reward in earned.get((str(probe.learner.pseudonym), probe.concept_id), ()):
        if begin <= at < end:
            sums[mode] += reward
    return sums


def _foretold(probe: DelayedProbe) -> float:
    """Return the success expected on the asked item before the noted answer.

    That on the concept's reference item then, moved by how much harder or easier the asked item
    was when it was asked: the rest is what practice may have taught, and forgetting taken.
    """
    facts = probe.asked.reason_facts
    harder = _logit(float(facts["item_prob"])) - _logit(float(facts["concept_prob"]))
    before = _logit(float(probe.practised.reason_facts["concept_prob"]))
    return 1.0 / (1.0 + math.exp(-(before + harder)))


def _logit(prob: float) -> float:
    inside = min(max(prob, 1e-4), 1.0 - 1e-4)
    return math.log(inside / (1.0 - inside))


def _delay_h(earned: Earned, probe: DelayedProbe) -> float:
    """Return the hours from the last answer on the concept to the probe."""
    asked = probe.asked.at.timestamp()
    times = [at for at, _, _ in earned.get((str(probe.learner.pseudonym), probe.concept_id), ())]
    last = max((at for at in times if at < asked), default=probe.practised.at.timestamp())
    return (asked - last) / 3600.0
