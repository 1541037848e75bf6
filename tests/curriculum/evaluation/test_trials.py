"""Items on trial have a share of the decisions and no line: what is left must still be chances."""

import numpy as np
import pytest

from curriculum.bandits import make_policy
from curriculum.evaluation import decision_row, evaluate, find_target, read_decisions, write_rows
from curriculum.evaluation.evaluating import Limits
from curriculum.scheduler import ReasonCode, Rules, decide, find_distribution
from tests.curriculum.scheduler.factories import knows, make_bank, make_situation

SHARE = 0.2
LEARNERS, EACH = 110, 5
LOGGING = make_policy("gain-softmax")
# What an item earns, by its row.
WORTH = np.linspace(-1.0, 1.0, 12) ** 3


def a_situation(rng, *, pilot_share):
    pilot = np.isin(np.arange(12), [1, 2, 6])
    bank = make_bank(requires=(), operational=~pilot, pilot=pilot)
    return make_situation(
        bank,
        prob=rng.uniform(0.3, 0.95, 12),
        logit_mean=np.full(12, 0.7),
        expected_gain=rng.uniform(0.02, 0.1, 12),
        pilot_share=pilot_share,
        # Half by chance: weights of at most 2 show a wrong mean on few decisions.
        rules=Rules(cooldown_s=0.0, epsilon=0.5),
        **knows(*rng.choice(["new", "seen", "reached"], 3)),
    )


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A log in which about one decision of five was a trial; the situations, without trials."""
    rows, situations, trials = [], [], 0
    for number in range(LEARNERS * EACH):
        situation = a_situation(np.random.default_rng([number, 7]), pilot_share=SHARE)
        chosen = decide(situation, seed=number, policy=LOGGING)
        if chosen.reason.code is ReasonCode.PILOT:
            trials += 1
            continue
        chances = find_distribution(situation, policy=LOGGING)
        item = int(situation.bank.rows_of(np.array([chosen.item_id]))[0])
        (pair,) = np.flatnonzero(chances.choices.item == item)
        row = decision_row(
            decision_id=f"d{number}",
            learner=f"l{number % LEARNERS}",
            chances=chances,
            pair=int(pair),
            policy=LOGGING,
            reward=float(WORTH[item]),
            reward_kind="worth",
            targets=[make_policy("sec")],
        )
        rows.append(row)
        plain = a_situation(np.random.default_rng([number, 7]), pilot_share=0.0)
        situations.append((plain, int(pair)))
    assert trials > 60
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    write_rows(rows, path)
    return read_decisions(path), situations


def test_a_log_with_trials_is_read(logged):
    log, _ = logged
    np.testing.assert_allclose(np.add.reduceat(log.arm_propensity, log.starts[:-1]), 1.0)


@pytest.mark.parametrize("name", ["logged", "uniform", "gain-softmax", "linear-softmax", "sec"])
def test_chances_are_those_of_a_course_without_trials(logged, name):
    log, situations = logged
    target = find_target(log, name)
    policy = LOGGING if name == "logged" else make_policy(name)

    for row in range(0, len(log), 17):
        situation, pair = situations[row]
        exact = find_distribution(situation, policy=policy)
        arms = np.bincount(exact.choices.arm, weights=exact.joint)
        span = slice(log.starts[row], log.starts[row + 1])
        assert target.pair[row] == pytest.approx(exact.joint[pair], rel=1e-3)
        np.testing.assert_allclose(target.arms[span], arms, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["uniform", "gain-softmax", "sec"])
def test_what_a_policy_is_worth_is_not_moved_by_trials(logged, name):
    log, situations = logged
    limits = Limits(min_learners=100, resamples=300)

    found = evaluate(log, name, limits=limits)

    truth = []
    for situation, _ in situations:
        exact = find_distribution(situation, policy=make_policy(name))
        truth.append(exact.joint @ WORTH[exact.choices.item])
    # With the shared-out chances every weight would be 1.25 times too large.
    assert found.mean_weight == pytest.approx(1.0, abs=0.1)
    ips = found.estimates["ips"]
    assert ips.value == pytest.approx(np.mean(truth), abs=2.5 * ips.se)
