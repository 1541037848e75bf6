"""The decisions of a simulation as the log that `curriculum.evaluation` reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from curriculum.evaluation import decision_row, write_rows
from curriculum.evaluation.rewards import KIND, mastery_gain_per_minute
from curriculum.scheduler import Policy
from curriculum.simulation.desk import Answered, Choice
from curriculum.simulation.practising import Listener


class DecisionNotes:
    """Keeps every decision with its reward, and what the other policies would have done."""

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        """Take the policies of the matrix: each is written down at the decisions of the others."""
        self.policies = policies
        self.rows: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def listen(self, simulator: str, policy: str, learner: int) -> Listener:
        """Return who notes one learner's decisions."""
        rows = self.rows.setdefault((simulator, policy), [])
        return _Notes(rows, self.policies, policy=policy, learner=learner)

    def write(self, folder: Path) -> list[Path]:
        """Write one file per simulator and policy, and return them."""
        paths = []
        for (simulator, policy), rows in self.rows.items():
            path = folder / f"decisions-{simulator}-{policy}.jsonl"
            write_rows(rows, path)
            paths.append(path)
        return paths


class _Notes:
    """One learner's decisions."""

    def __init__(
        self,
        rows: list[dict[str, Any]],
        policies: Mapping[str, Policy],
        *,
        policy: str,
        learner: int,
    ) -> None:
        self._rows = rows
        self._policies = policies
        self._policy = policy
        self._learner = learner
        self._count = 0
        self._minutes = 0.0

    def chosen(self, choice: Choice) -> None:
        """Write down what was open and what every policy would have done."""
        others = [one for name, one in self._policies.items() if name != self._policy]
        self._rows.append(
            decision_row(
                decision_id=f"{self._learner}-{self._count}",
                learner=str(self._learner),
                chances=choice.chances,
                pair=choice.pair,
                policy=self._policies[self._policy],
                reward=None,
                reward_kind=KIND,
                targets=others,
            )
        )
        self._count += 1
        # As the tutor has it: by the answer's own time, being quick would earn.
        minutes = choice.situation.item_minutes
        usual = choice.situation.rules.minutes_per_item
        self._minutes = usual if minutes is None else float(minutes[choice.item])

    def answered(self, answered: Answered) -> None:
        """Add what the decision earned."""
        before, after = answered.before, answered.after
        earned = mastery_gain_per_minute(
            before_mean=before.logit_mean[None],
            before_var=before.logit_var[None],
            after_mean=after.logit_mean[None],
            after_var=after.logit_var[None],
            goal=np.ones(len(before.prob)),
            minutes=np.array([self._minutes]),
        )
        self._rows[-1]["reward"] = float(earned.value[0])
