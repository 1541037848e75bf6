"""Fitting: the truth is found again, the same way every time, and the result survives its file."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest

from kt_models import api
from kt_models.checkpoints import load_filter, save_filter
from kt_models.errors import UnreadableModel
from kt_models.streaming.psi_filter import FilterParameters
from kt_models.training import psi_filter, psi_fold
from kt_models.training.psi_filter import LogTooSmall
from tests.kt_models.factories import random_log, simulated_log

TRUTH = FilterParameters(
    ability_prior_var=1.2,
    ability_drift_var=0.0,
    ability_drift_var_per_day=0.0,
    concept_prior_var=0.8,
    concept_drift_var=0.01,
    decay_power=0.15,
    gain_right=0.15,
    gain_wrong=0.05,
)
DATE = dt.date(2026, 3, 1)


@pytest.fixture(scope="module")
def simulated():
    return simulated_log(np.random.default_rng(11), TRUTH)


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def fitted(simulated, told):
    return psi_filter.fit_filter(simulated[0], seed=1, fitted_on=DATE, progress=told.append)


class TestFitFilter:
    def test_finds_the_items_again(self, simulated, fitted):
        log, offset = simulated
        true = np.array([offset[key] for key in log.item_keys])
        found = np.array([fitted.item_offsets[key] for key in log.item_keys])

        assert np.corrcoef(true, found)[0, 1] > 0.97
        # Practice raises everybody's logits a little; the fit may put part of that on the items.
        assert np.mean(found - true) == pytest.approx(0.0, abs=0.25)

    def test_finds_how_much_learners_differ(self, fitted):
        # The standard error of a variance over 120 learners is 13 % before any other doubt.
        assert 0.7 < fitted.parameters.ability_prior_var < 1.9
        assert 0.4 < fitted.parameters.concept_prior_var < 1.6

    def test_loses_next_to_nothing_against_the_truth(self, simulated, fitted):
        log, offset = simulated
        offsets = np.array([offset[key] for key in log.item_keys])[log.item]
        prob = psi_fold.forecast_log(log, TRUTH, offsets=offsets).prob
        best = -np.log(np.where(log.correct > 0.5, prob, 1.0 - prob)).mean()

        # Fitted on these answers, it may be a little better than the truth that drew them.
        assert fitted.provenance["log_loss"] == pytest.approx(best, abs=0.006)
        assert fitted.provenance["log_loss"] < best + 0.001

    def test_says_where_it_comes_from(self, simulated, fitted):
        assert fitted.provenance["log_sha256"] == simulated[0].sha256()
        assert fitted.provenance["answers"] == 120 * 80
        assert fitted.provenance["fitted_on"] == "2026-03-01"

    def test_reports_all_of_its_work(self, fitted, told):
        assert sum(told) == 100

    def test_refuses_a_log_of_one_answer(self):
        log = random_log(np.random.default_rng(0), learners=1, answers=1)

        with pytest.raises(LogTooSmall):
            psi_filter.fit_filter(log, seed=0, fitted_on=DATE)

    def test_fits_a_tiny_log_the_same_way_twice_and_stays_near_the_defaults(self):
        log = random_log(np.random.default_rng(1), learners=3, answers=4)

        one, two = (psi_filter.fit_filter(log, seed=0, fitted_on=DATE) for _ in range(2))

        assert one == two
        assert 0.05 < one.parameters.ability_prior_var < 5.0
        assert max(map(abs, one.item_offsets.values())) < 3.0

    def test_survives_learners_who_are_always_right(self):
        log = random_log(np.random.default_rng(2), learners=5, answers=10)
        log.correct[:] = 1.0

        fitted = psi_filter.fit_filter(log, seed=0, fitted_on=DATE)

        assert np.isfinite(list(fitted.item_offsets.values())).all()


class TestAnswersWithHelp:
    @pytest.fixture
    def helped(self):
        """Every third answer was helped, and is then right."""
        log, offset = simulated_log(np.random.default_rng(5), TRUTH, learners=60, answers=60)
        third = np.random.default_rng(0).random(len(log)) < 1 / 3
        correct = np.where(third, 1.0, log.correct)
        return dataclasses.replace(log, correct=correct, assisted=third), offset

    def error(self, fitted, offset):
        return np.mean([fitted.item_offsets[key] - value for key, value in offset.items()])

    def test_make_no_item_easier(self, helped):
        log, offset = helped

        fitted = psi_filter.fit_filter(log, seed=0, fitted_on=DATE)
        whole = psi_filter.fit_filter(
            log, seed=0, fitted_on=DATE, scored=np.ones(len(log), dtype=bool)
        )

        assert self.error(fitted, offset) == pytest.approx(0.0, abs=0.25)
        assert self.error(whole, offset) > 0.4
        unassisted = np.bincount(log.item[~log.assisted], minlength=len(log.item_keys))
        assert fitted.item_ns == dict(zip(log.item_keys, unassisted.tolist(), strict=True))

    def test_still_move_the_learner_who_gave_them(self, helped):
        log, _ = helped
        without = psi_filter.fit_filter(log.only_answers(~log.assisted), seed=0, fitted_on=DATE)
        fitted = psi_filter.fit_filter(log, seed=0, fitted_on=DATE)

        assert fitted.parameters != without.parameters

    def test_give_an_item_nothing_of_its_own(self):
        log = random_log(np.random.default_rng(3), learners=6, answers=20)
        log = dataclasses.replace(log, assisted=log.item == 0)

        fitted = psi_filter.fit_filter(log, seed=0, fitted_on=DATE)

        assert log.item_keys[0] not in fitted.item_offsets
        assert len(fitted.item_offsets) == len(np.unique(log.item)) - 1

    def test_are_scored_where_there_are_hardly_any_others(self):
        log = random_log(np.random.default_rng(3), learners=4, answers=12)
        every = np.ones(48, dtype=bool)
        helped = dataclasses.replace(log, assisted=np.arange(48) > 0)

        assert psi_filter.fit_filter(helped, seed=0, fitted_on=DATE) == psi_filter.fit_filter(
            helped, seed=0, fitted_on=DATE, scored=every
        )

    def test_a_log_without_any_is_fitted_to_all_of_it(self):
        log = random_log(np.random.default_rng(4), learners=5, answers=8)
        log = dataclasses.replace(log, assisted=np.zeros(40, dtype=bool))
        every = np.ones(40, dtype=bool)

        assert psi_filter.fit_filter(log, seed=0, fitted_on=DATE) == psi_filter.fit_filter(
            log, seed=0, fitted_on=DATE, scored=every
        )


class TestFittedFilter:
    def test_survives_its_file(self, fitted, tmp_path):
        path = tmp_path / "model.json"

        save_filter(fitted, path)

        assert load_filter(path) == fitted

    def test_gives_an_unknown_item_the_offset_of_its_concepts(self, fitted):
        both = [fitted.concept_offsets["k1"], fitted.concept_offsets["k2"]]

        assert fitted.offset_of("new", ["k1", "k2", "unheard"]) == pytest.approx(np.mean(both))
        assert fitted.offset_of("new") == fitted.intercept
        assert fitted.offset_of("i3", ["k1"]) == fitted.item_offsets["i3"]

    @pytest.mark.parametrize(
        "change",
        [
            {"kind": "dkt"},
            {"format": 99},
            {"parameters": {}},
            {"intercept": "high"},
            {"item_offsets": [1]},
            {"provenance": {}},
        ],
    )
    def test_refuses_a_damaged_file(self, fitted, tmp_path, change):
        path = tmp_path / "model.json"
        path.write_text(json.dumps(fitted.to_dict() | change))

        with pytest.raises(UnreadableModel):
            load_filter(path)

    @pytest.mark.parametrize("text", ["", "[]", "{"])
    def test_refuses_what_is_no_model(self, tmp_path, text):
        path = tmp_path / "model.json"
        path.write_text(text)

        with pytest.raises(UnreadableModel):
            load_filter(path)
        with pytest.raises(UnreadableModel):
            load_filter(tmp_path / "none.json")


def test_forecasts_of_a_log_with_unknown_items_use_their_concepts(simulated, fitted):
    log = simulated[0]
    known = set(fitted.item_offsets) - {log.item_keys[0]}
    partial = dataclasses.replace(
        fitted, item_offsets={key: fitted.item_offsets[key] for key in known}
    )

    offsets = psi_filter.offsets_of_answers(partial, log)

    row = int(np.argmax(log.item == 0))
    [concept] = log.concepts[row]
    assert offsets[row] == fitted.concept_offsets[log.concept_keys[concept]]
    assert offsets[log.item == 1][0] == fitted.item_offsets[log.item_keys[1]]


class TestFoldLearners:
    @pytest.mark.parametrize("streamed", [0, 10**9])
    def test_gives_the_same_bytes_streamed_or_compiled(self, monkeypatch, streamed):
        log = random_log(np.random.default_rng(3))
        arrays = {
            "starts": log.starts,
            "concepts": log.concepts,
            "item_offsets": np.random.default_rng(4).normal(size=len(log)),
            "correct": log.correct,
            "answered_at": log.answered_at,
            "assisted": log.assisted,
        }
        expected = api.fold_learners(FilterParameters(), **arrays)
        monkeypatch.setattr(api, "STREAMED_ANSWERS", streamed)

        assert api.fold_learners(FilterParameters(), **arrays) == expected

    @pytest.mark.parametrize(
        "change",
        [
            {"starts": np.array([0, 2])},
            {"concepts": np.array([[1], [-1], [2]])},
            {"correct": np.ones(2)},
            {"concepts": np.array([1, 2, 3])},
        ],
    )
    def test_refuses_arrays_that_do_not_fit(self, change):
        arrays = {
            "starts": np.array([0, 3]),
            "concepts": np.array([[1], [2], [2]]),
            "item_offsets": np.zeros(3),
            "correct": np.ones(3),
            "answered_at": np.zeros(3),
            "assisted": np.zeros(3, dtype=bool),
        } | change

        with pytest.raises(api.ShapeMismatch):
            api.fold_learners(FilterParameters(), **arrays)
