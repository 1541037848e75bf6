"""Estimates against known worth, and what is refused."""

import dataclasses

import numpy as np
import pytest

from curriculum.evaluation import Limits, NothingToEvaluate, SupportTooThin, TargetUnknown, evaluate
from curriculum.evaluation.estimators import find_terms
from curriculum.evaluation.rewards import NOT_TAKEN
from curriculum.evaluation.targets import find_target
from tests.curriculum.evaluation.worlds import KIND

LIMITS = Limits(resamples=400, min_learners=20)
ESTIMATORS = ("ips", "snips", "dr")


def test_intervals_cover_what_a_policy_is_worth(pool):
    # The smaller sister of tests/benchmarks/off_policy.py, which repeats it 1,000 times.
    rng = np.random.default_rng(0)
    truth = pool.worth(pool.targets["zpdes"])
    covered = dict.fromkeys(ESTIMATORS, 0)
    errors = {name: [] for name in ESTIMATORS}
    for turn in range(120):
        limits = dataclasses.replace(LIMITS, seed=turn)
        found = evaluate(pool.draw(rng, learners=100), "zpdes", limits=limits)
        for name, one in found.estimates.items():
            covered[name] += one.low <= truth <= one.high
            errors[name].append(one.value - truth)

    for name in ESTIMATORS:
        assert 0.88 <= covered[name] / 120 <= 0.995, name
        error = np.array(errors[name])
        assert abs(error.mean()) < 3.5 * error.std() / np.sqrt(120), name


def test_what_is_put_off_is_an_outcome_and_intervals_cover_the_worth_with_it(pool):
    """Learners put off what would teach them most: left out, nothing would tell of it."""
    rng, skipping = np.random.default_rng(21), pool.with_skips()
    truth = skipping.worth(pool.targets["zpdes"])
    covered = dict.fromkeys(ESTIMATORS, 0)
    errors = {name: [] for name in (*ESTIMATORS, "answered alone")}
    for turn in range(120):
        limits = dataclasses.replace(LIMITS, seed=turn, weight_tolerance=1e9)
        log = skipping.draw(rng, learners=100)
        for name, one in evaluate(log, "zpdes", limits=limits).estimates.items():
            covered[name] += one.low <= truth <= one.high
            errors[name].append(one.value - truth)
        answered = dataclasses.replace(
            log, reward=np.where(log.reward == NOT_TAKEN, np.nan, log.reward)
        )
        alone = evaluate(answered, "zpdes", limits=limits).estimates["dr"]
        errors["answered alone"].append(alone.value - truth)

    for name in ESTIMATORS:
        assert 0.88 <= covered[name] / 120 <= 0.995, name
        error = np.array(errors[name])
        assert abs(error.mean()) < 3.5 * error.std() / np.sqrt(120), name
    wrong = np.array(errors["answered alone"])
    assert abs(wrong.mean()) > 10.0 * wrong.std() / np.sqrt(120)


def test_the_logging_policy_is_worth_what_it_earned(pool):
    rng = np.random.default_rng(1)
    truth = pool.worth(pool.logged)
    log = pool.draw(rng, learners=300)
    found = evaluate(log, "logged", limits=LIMITS)

    for one in found.estimates.values():
        assert one.low <= truth <= one.high
    assert found.estimates["ips"].value == pytest.approx(log.reward.mean())
    assert found.estimates["ips"].over_logged == pytest.approx(0.0)
    assert found.effective == pytest.approx(len(log))
    # The same policy made from the arms' features has the same chances.
    again = evaluate(log, "gain-softmax", limits=LIMITS)
    assert again.estimates["ips"].value == pytest.approx(found.estimates["ips"].value, rel=1e-6)


def test_nothing_is_gained_on_permuted_rewards(pool):
    rng = np.random.default_rng(2)
    covered, over = 0, []
    for turn in range(100):
        log = pool.draw(rng, learners=100)
        shuffled = dataclasses.replace(log, reward=rng.permutation(log.reward))
        limits = dataclasses.replace(LIMITS, seed=turn, resamples=200)
        one = evaluate(shuffled, "closest-to-target", limits=limits).estimates["dr"]
        covered += one.over_low <= 0.0 <= one.over_high
        over.append(one.over_logged)

    assert 0.86 <= covered / 100 <= 1.0
    assert abs(np.mean(over)) < 3.5 * np.std(over) / 10.0


def test_a_better_policy_is_seen_to_be_better(pool):
    better = max(pool.targets, key=lambda name: pool.worth(pool.targets[name]))
    worse = min(pool.targets, key=lambda name: pool.worth(pool.targets[name]))
    log = pool.draw(np.random.default_rng(3), learners=1_500)

    values = {
        name: evaluate(log, name, limits=LIMITS).estimates["dr"].value for name in (better, worse)
    }

    assert values[better] > values[worse]


def test_weights_are_clipped_and_counted(pool):
    log = pool.draw(np.random.default_rng(4), learners=100)
    whole = evaluate(log, "closest-to-target", limits=LIMITS)
    clipped = evaluate(log, "closest-to-target", limits=dataclasses.replace(LIMITS, clip=1.5))

    raw = find_target(log, "closest-to-target").pair / log.propensity
    assert clipped.clipped == (raw > 1.5).sum() > whole.clipped
    assert clipped.largest_weight == whole.largest_weight == pytest.approx(raw.max())
    terms = find_terms(log, find_target(log, "closest-to-target"), clip=1.5, seed=0)
    assert clipped.estimates["ips"].value == pytest.approx(
        (np.minimum(raw, 1.5) * log.reward).mean()
    )
    assert terms.weight.max() == 1.5


def test_the_effective_sample_size_is_kishs(pool):
    log = pool.draw(np.random.default_rng(5), learners=100)
    weight = np.minimum(find_target(log, "zpdes").pair / log.propensity, 20.0)

    found = evaluate(log, "zpdes", limits=LIMITS)

    assert found.effective == pytest.approx(weight.sum() ** 2 / (weight**2).sum())


def test_doubly_robust_needs_no_weights_where_the_model_is_right(pool):
    log = pool.draw(np.random.default_rng(6), learners=200)
    slopes = np.linspace(0.1, -0.1, log.values.shape[1])
    linear = log.values @ slopes
    exact = dataclasses.replace(log, reward=linear[log.chosen])
    target = find_target(exact, "zpdes")

    terms = find_terms(exact, target, clip=20.0, seed=0)

    expected = np.add.reduceat(target.arms * linear, log.starts[:-1])
    # Weighted rewards scatter around what the policy is worth; this does not.
    assert np.std(terms.robust - expected) < 0.1 * np.std(terms.weight * exact.reward - expected)


def test_too_few_learners_are_refused(pool):
    log = pool.draw(np.random.default_rng(7), learners=30)

    with pytest.raises(SupportTooThin, match="30 learners are too few") as refusal:
        evaluate(log, "zpdes")
    assert refusal.value.facts["learners"] == 30
    assert (
        evaluate(log, "zpdes", limits=dataclasses.replace(LIMITS, min_learners=30)).learners == 30
    )


def test_a_policy_that_seldom_does_what_was_done_is_refused(pool):
    log = pool.draw(np.random.default_rng(8), learners=310)
    rare = np.where(log.propensity < np.quantile(log.propensity, 0.02), 1.0, 1e-6)
    arms = np.zeros(log.starts[-1])
    arms[log.starts[:-1]] = 1.0
    thin = dataclasses.replace(log, targets={"rare": (rare, arms)})

    with pytest.raises(SupportTooThin, match="it seldom does what was done") as refusal:
        evaluate(thin, "rare")
    assert refusal.value.facts["effective"] < 0.1 * len(log)


def test_propensities_that_are_not_the_chances_are_noticed(pool):
    log = pool.draw(np.random.default_rng(9), learners=300)
    wrong = dataclasses.replace(log, propensity=np.minimum(log.propensity * 2.0, 1.0))

    with pytest.raises(SupportTooThin, match="not the chances with which was drawn"):
        evaluate(wrong, "uniform", limits=LIMITS)


def test_only_what_was_left_to_chance_and_rewarded_counts(pool):
    log = pool.draw(np.random.default_rng(10), learners=100)
    reward, drew = log.reward.copy(), np.ones(len(log), dtype=bool)
    reward[:7], drew[5:20] = np.nan, False
    part = dataclasses.replace(log, reward=reward, left_to_chance=drew)

    found = evaluate(part, "zpdes", limits=LIMITS)

    assert (found.without_reward, found.not_left_to_chance) == (7, 13)
    assert found.decisions == len(log) - 20
    rest = log.only(np.arange(len(log)) >= 20)
    assert found.estimates == evaluate(rest, "zpdes", limits=LIMITS).estimates
    nothing = dataclasses.replace(log, left_to_chance=np.zeros(len(log), dtype=bool))
    with pytest.raises(NothingToEvaluate, match="was left to chance"):
        evaluate(nothing, "zpdes")


def test_kinds_of_reward_are_never_mixed(pool):
    log = pool.draw(np.random.default_rng(11), learners=100)
    kinds = np.where(np.arange(len(log)) % 2, KIND, "probe")
    mixed = dataclasses.replace(log, reward_kind=kinds)

    with pytest.raises(
        NothingToEvaluate, match="Name one kind of reward; the log has: probe, true"
    ):
        evaluate(mixed, "zpdes", limits=LIMITS)
    with pytest.raises(NothingToEvaluate, match="There is no reward clicks"):
        evaluate(mixed, "zpdes", reward_kind="clicks", limits=LIMITS)
    assert (
        evaluate(mixed, "zpdes", reward_kind="probe", limits=LIMITS).decisions
        == (kinds == "probe").sum()
    )


def test_a_policy_the_log_says_nothing_of_is_refused(pool):
    log = pool.draw(np.random.default_rng(12), learners=30)

    with pytest.raises(TargetUnknown, match="does not say what sec would have done"):
        find_target(log, "sec")
    other = dataclasses.replace(log, features=("something",))
    with pytest.raises(TargetUnknown, match="other features"):
        find_target(other, "linear-softmax")


def test_impossible_limits_are_refused():
    for wrong in ({"clip": 0.5}, {"min_learners": 1}, {"resamples": 3}, {"min_ess_share": 0.0}):
        with pytest.raises(NothingToEvaluate):
            Limits(**wrong)
