"""What a network has to show before it is used: each gate fails on what must fail."""

import numpy as np
import pytest

from kt_models.evaluation import gates
from kt_models.evaluation.gates import HeldOut


def sigmoid(logit):
    return 1.0 / (1.0 + np.exp(-logit))


def held_out(*, learners=60, answers=60, classes=2, seed=0, deep_error=0.3, worse_class=None):
    """A truth, a filter that sees it dimly, and a network that sees it better."""
    rng = np.random.default_rng(seed)
    learner = np.repeat(np.arange(learners), answers)
    truth = rng.normal(0.0, 1.0, len(learner))
    correct = (rng.random(len(truth)) < sigmoid(truth)).astype(float)
    seen = 0.6 * truth
    group = learner % classes
    deep = truth + rng.normal(0.0, deep_error, len(truth))
    if worse_class is not None:
        deep = np.where(group == worse_class, -truth, deep)
    return HeldOut(
        correct=correct,
        learner=learner,
        group=group,
        groups=[f"class {k}" for k in range(classes)],
        by_filter=sigmoid(seen),
        by_deep=sigmoid(deep),
        pooled=sigmoid(0.5 * seen + 0.5 * deep),
    )


def replaced(held, **fields):
    return HeldOut(**{name: fields.get(name, getattr(held, name)) for name in HeldOut.__slots__})


def test_a_network_that_sees_more_passes():
    held = held_out()

    assert gates.enough_answers(held).passed
    assert gates.gain(held).passed
    assert gates.gain(held).value < -0.005
    assert gates.classes(held).passed


def test_scores_come_with_intervals_and_counts():
    told = gates.score(held_out())

    assert told["pool"]["n"] == 3600
    assert told["pool"]["learners"] == 60
    for name in ("auc", "log_loss", "brier", "ece"):
        value, low, high = told["deep"][name]
        assert low <= value + 0.02
        assert value <= high + 0.02
    assert told["pool"]["log_loss"][0] < told["filter"]["log_loss"][0]


def test_answers_of_one_kind_have_no_auc():
    held = held_out(learners=4, answers=5)

    told = gates.score(replaced(held, correct=np.ones(20)))

    assert told["pool"]["auc"] is None
    assert told["pool"]["log_loss"] is not None


def test_noise_gains_nothing():
    held = held_out()
    noise = sigmoid(np.random.default_rng(5).normal(0.0, 1.0, len(held.correct)))

    assert not gates.gain(replaced(held, pooled=noise)).passed
    assert not gates.gain(replaced(held, pooled=held.by_filter)).passed


@pytest.mark.parametrize(("learners", "answers"), [(19, 100), (60, 10)])
def test_few_answers_or_learners_decide_nothing(learners, answers):
    assert not gates.enough_answers(held_out(learners=learners, answers=answers)).passed


class TestCalibration:
    def test_chances_that_come_true_pass_though_their_error_is_not_zero(self):
        held = held_out()
        truth = sigmoid(np.random.default_rng(0).normal(0.0, 1.0, len(held.correct)))
        found = gates.calibration(replaced(held, pooled=truth))

        assert found.passed
        assert found.details["ece"] > 0.01
        assert abs(found.value) < 0.01

    def test_overconfidence_fails(self):
        held = held_out()
        logit = np.log(held.pooled / (1 - held.pooled))

        assert not gates.calibration(replaced(held, pooled=sigmoid(4.0 * logit))).passed

    def test_no_better_than_the_filter_is_asked_for(self):
        held = held_out()
        logit = np.log(held.by_filter / (1 - held.by_filter))
        off = sigmoid(4.0 * logit)

        assert gates.calibration(replaced(held, pooled=off, by_filter=off)).passed


class TestClasses:
    def test_one_class_that_gets_worse_fails_and_is_named(self):
        found = gates.classes(held_out(learners=200, answers=30, classes=10, worse_class=3))

        assert not found.passed
        assert "class 3" in found.words
        assert "class 4" not in found.words
        worse = [row["name"] for row in found.details["classes"] if row["low"] > 0.001]
        assert worse == ["class 3"]

    def test_small_classes_are_judged_together(self):
        held = held_out(learners=60, answers=20, classes=30)

        rows = gates.classes(held).details["classes"]

        assert [row["name"] for row in rows] == ["smaller classes together"]
        assert rows[0]["n"] == 1200
        assert rows[0]["low"] is not None

    def test_too_few_altogether_are_not_judged(self):
        found = gates.classes(held_out(learners=4, answers=100, classes=1))

        assert found.passed
        assert found.value is None
        assert "could not be judged" in found.words

    def test_equal_classes_are_seldom_called_worse(self):
        """At most one trial in twenty, over all classes together."""
        failed = 0
        for seed in range(100):
            held = held_out(learners=100, answers=40, classes=10, seed=seed)
            rng = np.random.default_rng(seed)
            logit = np.log(held.by_filter / (1.0 - held.by_filter))
            # As good on average: the filter's own logits, blurred, on both sides.
            blurred = [sigmoid(logit + rng.normal(0.0, 0.3, len(logit))) for _ in range(2)]
            failed += not gates.classes(
                replaced(held, pooled=blurred[0], by_filter=blurred[1])
            ).passed
        assert failed <= 8

    def test_the_interval_is_student_s(self):
        """Equal learners of one class: the mean and its t interval, by hand."""
        difference = np.array([0.010, 0.014, 0.006, 0.012, 0.008])
        learner = np.repeat(np.arange(5), 40)

        row = gates._of_class("x", np.repeat(difference, 40), learner, classes=1)

        error = difference.std(ddof=1) / np.sqrt(5)
        assert row["mean"] == pytest.approx(0.010)
        # 2.1318 is the 95 % quantile of Student's t with 4 degrees of freedom.
        assert row["low"] == pytest.approx(0.010 - 2.1318 * error, abs=1e-6)
        assert row["high"] == pytest.approx(0.010 + 2.1318 * error, abs=1e-6)


class TestCoins:
    def test_blind_predictions_pass_and_a_peep_fails(self):
        rng = np.random.default_rng(0)
        tosses = rng.integers(0, 2, 4000).astype(float)
        blind = rng.random(4000)
        peep = sigmoid(0.3 * (tosses - 0.5) + rng.normal(0.0, 1.0, 4000))

        for told, passed in ((blind, True), (peep, False)):
            found = gates.coin_tosses(tosses, {"network": told}, name="coins", of_what="There")
            assert found.passed is passed

    def test_the_worst_of_several_counts(self):
        tosses = np.tile([0.0, 1.0], 500)

        found = gates.coin_tosses(
            tosses, {"a": np.full(1000, 0.5), "b": tosses}, name="coins", of_what="There"
        )

        assert found.value == 1.0
        assert found.details["auc"] == {"a": 0.5, "b": 1.0}

    def test_the_standard_error_is_that_of_the_rank_sum(self):
        found = gates.coin_tosses(
            np.tile([0.0, 1.0], 50), {"a": np.full(100, 0.5)}, name="coins", of_what="There"
        )

        # sqrt(101 / (12 * 50 * 50)) = 0.058023
        assert found.bound == pytest.approx(3.5 * 0.058023, abs=1e-5)


def test_latency_has_a_budget():
    assert gates.latency(ms_per_learner=9.9, budget_ms=10.0, batch=256).passed
    assert not gates.latency(ms_per_learner=10.1, budget_ms=10.0, batch=256).passed
