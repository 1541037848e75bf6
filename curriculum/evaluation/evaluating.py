"""What a policy is worth on a log, with intervals by learner, or why that cannot be said."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.evaluation.decisions import DecisionLog
from curriculum.evaluation.errors import NothingToEvaluate, SupportTooThin
from curriculum.evaluation.estimators import Terms, find_terms
from curriculum.evaluation.targets import find_target

FloatArray = NDArray[np.float64]
LEVEL = (2.5, 97.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When an estimate is given, and how it is made.

    Attributes:
        clip: largest weight.
        min_learners: fewest learners; with 100, intervals for a policy that shares a fifth of the
            decisions held the truth a little less often than they say (docs/benchmarks.md).
        min_ess_share: smallest effective sample size, as a share of the decisions.
        weight_tolerance: standard errors by which the mean weight may differ from 1.
        resamples: of the bootstrap.
        seed: of bootstrap and folds.
    """

    clip: float = 20.0
    min_learners: int = 300
    min_ess_share: float = 0.10
    weight_tolerance: float = 4.5
    resamples: int = 2_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse limits under which no estimate means anything.

        Raises:
            NothingToEvaluate: naming the setting.
        """
        if self.clip < 1.0 or self.min_learners < 2 or self.resamples < 100:
            raise NothingToEvaluate("Give a clip of at least 1, 2 learners and 100 resamples.")
        if not 0.0 < self.min_ess_share <= 1.0 or self.seed < 0:
            raise NothingToEvaluate("Give a share of the decisions above 0, and a seed from 0.")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean reward per decision with its 95 % interval by learner and its standard error.

    `over_logged` is how much it is above what the log itself earned, with its interval.
    """

    value: float
    low: float
    high: float
    se: float
    over_logged: float
    over_low: float
    over_high: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a policy is worth on a log.

    Attributes:
        policy: name of the target.
        reward_kind: what is counted.
        decisions, learners: that the estimates are from.
        without_reward, not_left_to_chance: decisions left out, and why.
        logged: mean reward of the decisions as they were made.
        effective: effective sample size, (sum w)^2 / sum w^2, in decisions.
        mean_weight, largest_weight: before clipping; the mean is 1 up to chance if propensities
            are right.
        clip, clipped: the largest weight allowed, and how many decisions it touched.
        estimates: by estimator: ips, snips, dr.
    """

    policy: str
    reward_kind: str
    decisions: int
    learners: int
    without_reward: int
    not_left_to_chance: int
    logged: float
    effective: float
    mean_weight: float
    largest_weight: float
    clip: float
    clipped: int
    estimates: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def evaluate(
    log: DecisionLog,
    policy: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    reward_kind: str | None = None,
    limits: Limits | None = None,
) -> Evaluation:
    """Return what a policy would have earned per decision, at the logged situations.

    The situations are those that the logging policy led to: what is estimated is the worth of
    deciding otherwise once, at each of them, and not of another policy's whole path.

    Raises:
        NothingToEvaluate: no decision with a reward of this kind was left to chance, or the log
            has several kinds and none was named.
        TargetUnknown: the log does not say what the policy would have done.
        SupportTooThin: too few learners, too small an effective sample, or propensities that do
            not fit the log.
    """
    limits = limits or Limits()
    kind = _kind(log, reward_kind)
    of_kind = log.reward_kind == kind
    rewarded = of_kind & ~np.isnan(log.reward)
    usable = log.only(rewarded & log.left_to_chance)
    if not len(usable):
        raise NothingToEvaluate(f"No decision with a reward of the kind {kind} was left to chance.")
    target = find_target(usable, policy, parameters)
    terms = find_terms(usable, target, clip=limits.clip, seed=limits.seed)
    sums = _Sums(usable.learner, terms, limits=limits)
    effective = float(terms.weight.sum() ** 2 / max(float((terms.weight**2).sum()), 1e-300))
    found = Evaluation(
        policy=policy,
        reward_kind=kind,
        decisions=len(usable),
        learners=sums.learners,
        without_reward=int((of_kind & np.isnan(log.reward)).sum()),
        not_left_to_chance=int((rewarded & ~log.left_to_chance).sum()),
        logged=float(usable.reward.mean()),
        effective=effective,
        mean_weight=float(terms.raw_weight.mean()),
        largest_weight=float(terms.raw_weight.max()),
        clip=limits.clip,
        clipped=int((terms.raw_weight > limits.clip).sum()),
        estimates=sums.estimates(),
    )
    _require_support(found, sums, limits)
    return found


def _kind(log: DecisionLog, wanted: str | None) -> str:
    kinds: list[str] = sorted(set(log.reward_kind.tolist()))
    if wanted is None and len(kinds) == 1:
        return kinds[0]
    if wanted is None or wanted not in kinds:
        asked = "Name one kind of reward" if wanted is None else f"There is no reward {wanted}"
        raise NothingToEvaluate(f"{asked}; the log has: {', '.join(kinds)}.", kinds=kinds)
    return wanted


class _Sums:
    """The terms summed by learner, and resampled learner by learner."""

    def __init__(self, learner: NDArray[np.int64], terms: Terms, *, limits: Limits) -> None:
        met, index = np.unique(learner, return_inverse=True)
        self.learners = len(met)
        columns = {
            "n": np.ones(len(index)),
            "w": terms.weight,
            "raw": terms.raw_weight,
            "wr": terms.weight * terms.reward,
            "robust": terms.robust,
            "r": terms.reward,
        }
        summed = np.stack(
            [np.bincount(index, weights=values, minlength=len(met)) for values in columns.values()],
            axis=1,
        )
        rng = np.random.default_rng([limits.seed, 8])
        share = np.full(len(met), 1.0 / len(met))
        counts = rng.multinomial(len(met), share, size=limits.resamples)
        drawn = np.vstack([summed.sum(axis=0), counts @ summed])
        self._of = dict(zip(columns, drawn.T, strict=True))

    def estimates(self) -> dict[str, Estimate]:
        """Return the three estimates; the first row is the log itself."""
        of = self._of
        logged = of["r"] / of["n"]
        with np.errstate(invalid="ignore", divide="ignore"):
            values = {
                "ips": of["wr"] / of["n"],
                "snips": np.where(of["w"] > 0.0, of["wr"] / of["w"], np.nan),
                "dr": of["robust"] / of["n"],
            }
        return {name: _estimate(one, logged) for name, one in values.items()}

    def weight_error(self) -> float:
        """Return by how many standard errors the mean weight differs from 1."""
        means = self._of["raw"] / self._of["n"]
        return float(abs(means[0] - 1.0) / max(float(means[1:].std()), 1e-12))


def _estimate(values: FloatArray, logged: FloatArray) -> Estimate:
    over = values - logged
    low, high = np.nanpercentile(values[1:], LEVEL) if len(values) > 1 else (np.nan, np.nan)
    over_low, over_high = np.nanpercentile(over[1:], LEVEL)
    return Estimate(
        value=float(values[0]),
        low=float(low),
        high=float(high),
        se=float(np.nanstd(values[1:])),
        over_logged=float(over[0]),
        over_low=float(over_low),
        over_high=float(over_high),
    )


def _require_support(found: Evaluation, sums: _Sums, limits: Limits) -> None:
    facts = {
        "decisions": found.decisions,
        "learners": found.learners,
        "effective": found.effective,
        "largest_weight": found.largest_weight,
        "mean_weight": found.mean_weight,
    }
    if found.learners < limits.min_learners:
        raise SupportTooThin(
            f"{found.learners} learners are too few to say what {found.policy} is worth: "
            f"at least {limits.min_learners} are needed.",
            **facts,
        )
    share = found.effective / found.decisions
    if share < limits.min_ess_share:
        raise SupportTooThin(
            f"{found.decisions} decisions say as much about {found.policy} as "
            f"{found.effective:.0f} of its own would ({share:.1%}, at least "
            f"{limits.min_ess_share:.0%} is needed; largest weight {found.largest_weight:.3g}): it "
            "seldom does what was done. Let more be drawn at random, or try a policy nearer to "
            "the logged one.",
            **facts,
        )
    if sums.weight_error() > limits.weight_tolerance:
        # Too large propensities make it too small, and so do rare large weights that never came.
        cause = "the logged propensities are not the chances with which was drawn"
        if found.mean_weight < 1.0:
            cause += f", or much of what {found.policy} would do was never done"
        raise SupportTooThin(
            f"The mean weight is {found.mean_weight:.3f} and should be 1: {cause}.", **facts
        )
