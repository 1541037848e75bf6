"""The policies that choose an arm, one file each, behind the interface of `curriculum.scheduler`.

`POLICIES` has them by name; `make_policy(name, parameters)` builds one from the JSON body of a
policy version. All are pure: equal situations and parameters give equal chances. What has to be
fitted (`fit_linear`, `fit_alp_gmm`) is fitted elsewhere and frozen in the body. numpy only, apart
from `fit_alp_gmm`, which this package does not import.
"""

from collections.abc import Mapping
from typing import Any

from curriculum.bandits.ability_window import AbilityWindow
from curriculum.bandits.alp_gmm import AlpGmm
from curriculum.bandits.base import BasePolicy
from curriculum.bandits.closest_to_target import ClosestToTarget
from curriculum.bandits.errors import InvalidPolicy, UnknownPolicy
from curriculum.bandits.expert_order import ExpertOrder
from curriculum.bandits.gain_softmax import GainSoftmaxPolicy
from curriculum.bandits.linear_softmax import LinearSoftmax
from curriculum.bandits.mastery_threshold import MasteryThreshold
from curriculum.bandits.maximum_information import MaximumInformation
from curriculum.bandits.sec import SelfEvolvingCurriculum
from curriculum.bandits.thompson import Thompson
from curriculum.bandits.uniform import Uniform
from curriculum.bandits.zpdes import Zpdes

__all__ = [
    "POLICIES",
    "AbilityWindow",
    "AlpGmm",
    "BasePolicy",
    "ClosestToTarget",
    "ExpertOrder",
    "GainSoftmaxPolicy",
    "InvalidPolicy",
    "LinearSoftmax",
    "MasteryThreshold",
    "MaximumInformation",
    "SelfEvolvingCurriculum",
    "Thompson",
    "Uniform",
    "UnknownPolicy",
    "Zpdes",
    "make_policy",
]

POLICIES: Mapping[str, type[BasePolicy]] = {
    policy.name: policy
    for policy in (
        LinearSoftmax,
        GainSoftmaxPolicy,
        Thompson,
        SelfEvolvingCurriculum,
        Zpdes,
        AlpGmm,
        AbilityWindow,
        MasteryThreshold,
        ClosestToTarget,
        MaximumInformation,
        ExpertOrder,
        Uniform,
    )
}


def make_policy(name: str, parameters: Mapping[str, Any] | None = None) -> BasePolicy:
    """Return the policy of this name with the parameters of a version, or with its defaults.

    Raises:
        UnknownPolicy: there is none of this name.
        InvalidPolicy: a parameter is unknown, missing or out of range.
    """
    if name not in POLICIES:
        raise UnknownPolicy(f"There is no policy {name}: choose from {', '.join(POLICIES)}.")
    return POLICIES[name].from_dict(parameters or {})
