"""Whether one policy teaches better than others across simulators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curriculum.simulation.matrix import Cell
from curriculum.simulation.measures import Figure, compare
from curriculum.simulation.student import Kind

RANDOM = "uniform"
BASELINES = (RANDOM, "expert-order", "mastery-threshold", "closest-to-target", "zpdes")
# Share of simulators in which a policy has to be better than each baseline.
WANTED_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a policy compares with the baselines on the learning simulators.

    Attributes:
        policy: its name.
        differences: by baseline and simulator, how much more the same learners gained.
        shares: by baseline, the share of simulators in which the policy gained more.
        below_random: simulators in which it is more than one standard error below random.
        moved_controls: controls in which its gain differs from 0 (its interval leaves 0 out).
    """

    policy: str
    differences: Mapping[str, Mapping[str, Figure]]
    shares: Mapping[str, float]
    below_random: tuple[str, ...]
    moved_controls: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether it is better often enough, never below random, and moves no control."""
        often = all(share >= WANTED_SHARE for share in self.shares.values())
        return often and not self.below_random and not self.moved_controls


def judge(cells: Sequence[Cell], policy: str, *, seed: int) -> Verdict | None:
    """Return the verdict, or None if the matrix lacks the policy, a baseline, or learning."""
    by_place = {(cell.simulator, cell.policy): cell for cell in cells}
    learning = sorted({cell.simulator for cell in cells if cell.kind is Kind.LEARNING})
    present = {cell.policy for cell in cells}
    baselines = [name for name in BASELINES if name in present and name != policy]
    if policy not in present or not baselines or not learning:
        return None
    differences = {
        baseline: {
            simulator: compare(
                by_place[simulator, policy].gains, by_place[simulator, baseline].gains, seed=seed
            )
            for simulator in learning
        }
        for baseline in baselines
    }
    against_random = differences.get(RANDOM, {})
    return Verdict(
        policy=policy,
        differences=differences,
        shares={
            baseline: sum(one.value > 0.0 for one in found.values()) / len(found)
            for baseline, found in differences.items()
        },
        below_random=tuple(name for name, one in against_random.items() if one.value < -one.se),
        moved_controls=tuple(
            cell.simulator
            for cell in cells
            if cell.policy == policy
            and cell.kind is Kind.CONTROL
            and not cell.figures["gain"].low <= 0.0 <= cell.figures["gain"].high
        ),
    )
