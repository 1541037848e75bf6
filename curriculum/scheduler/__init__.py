"""Which item next: rules say what may be given, a policy rates it, a seeded draw decides.

`decide(situation, seed=...)` is the door; `build_bank` prepares a course once. numpy only.
"""

from curriculum.scheduler.bank import ItemBank, build_bank
from curriculum.scheduler.deciding import decide, find_distribution, replay
from curriculum.scheduler.decision import Decision, Finish, FinishCode, Reason, ReasonCode
from curriculum.scheduler.distribution import Distribution
from curriculum.scheduler.errors import (
    InvalidBank,
    InvalidRating,
    InvalidRules,
    InvalidSituation,
    ReceiptDiffers,
)
from curriculum.scheduler.exposure import Exposure
from curriculum.scheduler.policy import GainSoftmax, Policy, Rating
from curriculum.scheduler.rules import Rules, Targets, Weights
from curriculum.scheduler.situation import (
    Exploration,
    Memory,
    RecentAnswers,
    Situation,
    no_recent_answers,
)
from curriculum.scheduler.standing import Mode

__all__ = [
    "Decision",
    "Distribution",
    "Exploration",
    "Exposure",
    "Finish",
    "FinishCode",
    "GainSoftmax",
    "InvalidBank",
    "InvalidRating",
    "InvalidRules",
    "InvalidSituation",
    "ItemBank",
    "Memory",
    "Mode",
    "Policy",
    "Rating",
    "Reason",
    "ReasonCode",
    "ReceiptDiffers",
    "RecentAnswers",
    "Rules",
    "Situation",
    "Targets",
    "Weights",
    "build_bank",
    "decide",
    "find_distribution",
    "no_recent_answers",
    "replay",
]
