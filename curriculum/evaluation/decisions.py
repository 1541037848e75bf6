"""The decision log: one line per choice, with all that another policy's chances are made from.

The format is that of `docs/simulation.md`, JSON Lines; in a CSV, `eligible_arms` is the same JSON
in a cell.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.evaluation.reading import parse_rows
from curriculum.scheduler import Distribution, Policy, Situation, find_distribution
from curriculum.scheduler.features import FEATURES, describe_arms
from curriculum.scheduler.standing import MODES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
DIGITS = 8


@dataclass(frozen=True, slots=True, eq=False)
class DecisionLog:
    """n decisions of some learners, with T open arms in all and F features of an arm.

    Attributes:
        learner: [n] number of the learner, from 0.
        propensity: [n] chance with which exactly this arm and item were drawn, 0..1; like all
            chances here, given that no item of the pilot was tried out.
        chosen: [n] row of the chosen arm among all T.
        starts: [n + 1]; the arms of decision i are the rows starts[i] to starts[i + 1] - 1.
        within: [n] chance that the scheduler's own rule gives the item within its arm.
        uniform: [n] chance of the pair under a uniform draw.
        epsilon: [n] weight of that uniform draw.
        temperature, top_share: [n] of the softmax over arms.
        left_to_chance: [n] whether the policy drew; not where exploration was off or the
            teacher's sequence stood in.
        arm_propensity, arm_uniform: [T] chance of each arm, logged and under a uniform draw.
        features: F names.
        values: [T, F].
        targets: by policy, [n] chances of the logged pairs and [T] of the arms, for policies
            whose chances were written down with every decision.
        reward: [n] or nan where there is none.
        reward_kind: [n] what it is.
        policies: the versions that decided.
    """

    learner: IntArray
    propensity: FloatArray
    chosen: IntArray
    starts: IntArray
    within: FloatArray
    uniform: FloatArray
    epsilon: FloatArray
    temperature: FloatArray
    top_share: FloatArray
    left_to_chance: NDArray[np.bool_]
    arm_propensity: FloatArray
    arm_uniform: FloatArray
    features: tuple[str, ...]
    values: FloatArray
    targets: Mapping[str, tuple[FloatArray, FloatArray]]
    reward: FloatArray
    reward_kind: NDArray[np.str_]
    policies: tuple[str, ...]

    def __len__(self) -> int:
        """Return n."""
        return len(self.learner)

    @property
    def decision_of_arm(self) -> IntArray:
        """[T] the decision that each arm was open at."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def only(self, keep: NDArray[np.bool_]) -> "DecisionLog":
        """Return some decisions, in their order."""
        arms = keep[self.decision_of_arm]
        sizes = np.diff(self.starts)[keep]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        place = (self.chosen - self.starts[:-1])[keep]
        per_decision = {
            name: getattr(self, name)[keep]
            for name in (
                *("learner", "propensity", "within", "uniform", "epsilon", "temperature"),
                *("top_share", "left_to_chance", "reward", "reward_kind"),
            )
        }
        per_arm = {
            name: getattr(self, name)[arms] for name in ("arm_propensity", "arm_uniform", "values")
        }
        return DecisionLog(
            **per_decision,
            **per_arm,
            chosen=starts[:-1] + place,
            starts=starts,
            features=self.features,
            targets={name: (one[keep], all_[arms]) for name, (one, all_) in self.targets.items()},
            policies=self.policies,
        )


def decision_row(
    *,
    decision_id: str,
    learner: str,
    chances: Distribution,
    pair: int,
    policy: Policy,
    reward: float | None,
    reward_kind: str,
    targets: Sequence[Policy] = (),
) -> dict[str, Any]:
    """Return one line of the log, JSON values; the writer of `docs/simulation.md`'s format.

    All chances are those given that no item of the pilot is tried out: such decisions have no line,
    and chances that left room for them would not sum to 1.

    Args:
        decision_id: unique.
        learner: a pseudonym.
        chances: what `find_distribution` gave for the situation and `policy`.
        pair: row of `chances.choices` that was drawn.
        policy: that decided.
        reward: what it earned; None if that is not known yet. Of one that was skipped or left it
            is known (`rewards.NOT_TAKEN`).
        reward_kind: names the reward.
        targets: policies whose chances shall be written down too, so that they can be evaluated
            though their chances cannot be made from the arms' features.
    """
    choices, situation = chances.choices, chances.choices.situation
    bank = situation.bank
    arms, arm = choices.arms, int(choices.arm[pair])
    size = len(arms.concept)
    names = [
        f"{bank.concept_ids[concept]}:{MODES[mode].value}"
        for concept, mode in zip(arms.concept, arms.mode.tolist(), strict=True)
    ]
    described = np.round(describe_arms(choices), 6).tolist()
    joint = _without_trials(chances)
    logged = np.bincount(choices.arm, weights=joint, minlength=size)
    uniform = np.bincount(choices.arm, weights=choices.uniform, minlength=size)
    return {
        "decision_id": decision_id,
        "learner": learner,
        "at": situation.at,
        "policy": policy.name,
        "policy_version": policy.version,
        "arm": names[arm],
        "item": int(bank.item_ids[choices.item[pair]]),
        "propensity": float(joint[pair]),
        "eligible_arms": {
            "epsilon": chances.epsilon,
            "temperature": situation.rules.temperature,
            "top_share": situation.rules.top_share,
            "exploring": chances.exploring,
            "fallback": chances.fallback,
            "within": float(choices.within[pair]),
            "uniform": float(choices.uniform[pair]),
            "features": list(FEATURES),
            "arms": [
                {
                    "arm": names[row],
                    "propensity": float(logged[row]),
                    "uniform": float(uniform[row]),
                    "values": described[row],
                }
                for row in range(size)
            ],
            "targets": {
                target.name: _chances_of(situation, target, pair=pair, size=size)
                for target in targets
            },
        },
        "reward": reward,
        "reward_kind": reward_kind,
    }


def _chances_of(situation: Situation, target: Policy, *, pair: int, size: int) -> dict[str, Any]:
    other = find_distribution(situation, policy=target)
    if not isinstance(other, Distribution):
        raise TypeError("A finish where there was a decision: the situation is another one.")
    joint = _without_trials(other)
    arms = np.bincount(other.choices.arm, weights=joint, minlength=size)
    return {"pair": float(joint[pair]), "arms": arms.tolist()}


def _without_trials(chances: Distribution) -> FloatArray:
    """Return [Q] the chance of each pair, given that no item of the pilot is tried out."""
    if chances.trials is None:
        return chances.joint
    return chances.joint / (1.0 - chances.choices.situation.pilot_share)


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write a decision log as JSON Lines and return how many; the file appears when it is whole."""
    waiting = path.with_name(f".{path.name}.writing")
    count = 0
    try:
        with waiting.open("w", encoding="utf-8") as lines:
            for row in rows:
                lines.write(json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n")
                count += 1
            lines.flush()
            os.fsync(lines.fileno())
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)
    return count


def read_decisions(path: Path) -> DecisionLog:
    """Return the decisions of a `.jsonl` or `.csv` file.

    Raises:
        DecisionsUnreadable: the file, or a line of it, is not what the format says.
    """
    return DecisionLog(**parse_rows(path))
