"""What a policy would have been worth, from the decisions that another one made; and rewards.

`read_decisions` reads a decision log, `evaluate` says what a policy is worth on it or refuses to;
`rewards` and `surrogate` say what a decision earned. numpy only.
"""

from curriculum.evaluation.decisions import DecisionLog, decision_row, read_decisions, write_rows
from curriculum.evaluation.errors import (
    DecisionsUnreadable,
    NothingToEvaluate,
    SupportTooThin,
    TargetUnknown,
)
from curriculum.evaluation.evaluating import Evaluation, Limits, evaluate
from curriculum.evaluation.targets import Target, find_target

__all__ = [
    "DecisionLog",
    "DecisionsUnreadable",
    "Evaluation",
    "Limits",
    "NothingToEvaluate",
    "SupportTooThin",
    "Target",
    "TargetUnknown",
    "decision_row",
    "evaluate",
    "find_target",
    "read_decisions",
    "write_rows",
]
