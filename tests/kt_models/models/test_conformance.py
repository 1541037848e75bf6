"""What every model must do, whatever it is: a new one is held to this before it has own tests."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
import safetensors.numpy
import torch

from kt_models.errors import ImpossibleAnswer, ShapeMismatch, UnknownName, UnreadableModel
from kt_models.evaluation import metrics
from kt_models.models import MODELS
from kt_models.models.base import Fitting
from kt_models.saved_models import load_model, model_from_bytes, model_to_bytes, save_model
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.training import trainer
from tests.kt_models.factories import random_log, simulated_log
from tests.kt_models.models.tiny import BLIND, LARGE, NAMES, tiny

# They know no items and concepts by name (CAKT knows sets of them), so that nothing but the hash
# tells another vocabulary.
WORDLESS = ("majority", "cakt")
TRAINED = np.arange(100)
OTHERS = np.arange(100, 140)


@pytest.fixture(scope="module")
def log():
    """Answers with something to learn: learners, items and concepts differ."""
    found, _ = simulated_log(np.random.default_rng(3), FilterParameters(), learners=140, answers=40)
    return found


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def fitted(name, log):
    model = tiny(name)
    model.fit(log.only_learners(TRAINED))
    return model


@pytest.fixture(scope="module")
def test_log(log):
    return log.only_learners(OTHERS)


@pytest.fixture(scope="module")
def prob(fitted, test_log):
    return fitted.predict(test_log)


@pytest.fixture(scope="module")
def states(fitted, test_log):
    """Learner l after l answers, so that none, some and all stand beside each other."""
    given = test_log.position < np.arange(len(OTHERS))[test_log.learner]
    return fitted.advance(fitted.init(len(OTHERS)), test_log.only_answers(given))


@pytest.fixture(scope="module")
def own_items():
    """[40, 12] with gaps anywhere; the last learner is asked nothing."""
    rng = np.random.default_rng(8)
    found = rng.integers(0, 60, (len(OTHERS), 12))
    found[rng.random(found.shape) < rng.random(len(OTHERS))[:, None]] = -1
    found[-1] = -1
    return found


@pytest.fixture(scope="module")
def noise():
    return random_log(np.random.default_rng(5), learners=150, answers=60)


@pytest.fixture(scope="module")
def fitted_to_noise(name, noise):
    model = tiny(name)
    model.fit(noise.only_learners(np.arange(100)))
    return model


def saved(model):
    """Return a model's description, as a file gives it back, and its weights."""
    described, weights = model_to_bytes(model, provenance={})
    return json.loads(json.dumps(described)), weights


def replaced(log, **changes):
    return dataclasses.replace(log, **changes)


def answered(model, log, states, first, last):
    """Advance by each learner's answers first to last - 1."""
    lengths = np.minimum(np.diff(log.starts), last)
    rows = np.concatenate(
        [
            np.arange(start + min(first, n), start + n)
            for start, n in zip(log.starts[:-1], lengths, strict=True)
        ]
    )
    taken = {
        f: getattr(log, f)[rows]
        for f in ("item", "concept_set", "correct", "shown_at", "answered_at", "assisted")
    }
    sizes = np.maximum(lengths - first, 0)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return model.advance(states, replaced(log, starts=starts, **taken))


class TestPrediction:
    def test_gives_probabilities(self, prob, test_log):
        assert prob.shape == (len(test_log),)
        assert ((prob > 0.0) & (prob < 1.0)).all()

    def test_sorts_random_labels_no_better_than_chance(self, fitted_to_noise, noise):
        test = noise.only_learners(np.arange(100, 150))

        prob = fitted_to_noise.predict(test)

        assert metrics.auc(test.correct, prob) == pytest.approx(0.5, abs=0.035)
        assert metrics.log_loss(test.correct, prob) == pytest.approx(np.log(2), abs=0.02)
        assert metrics.brier(test.correct, prob) == pytest.approx(0.25, abs=0.01)

    def test_the_future_never_moves_a_past_prediction(self, fitted, test_log, prob):
        at = 20
        later = np.arange(len(test_log)) - test_log.starts[test_log.learner] >= at
        rng = np.random.default_rng(1)
        changed = replaced(
            test_log,
            correct=np.where(later, 1.0 - test_log.correct, test_log.correct),
            assisted=np.where(later, ~test_log.assisted, test_log.assisted),
        )
        # The question at `at` itself is known; those after it are not.
        after = later & (np.arange(len(test_log)) - test_log.starts[test_log.learner] > at)
        other = rng.integers(0, len(test_log), len(test_log))
        changed = replaced(
            changed,
            item=np.where(after, changed.item[other], changed.item),
            concept_set=np.where(after, changed.concept_set[other], changed.concept_set),
            shown_at=changed.shown_at + 7e5 * after,
            answered_at=changed.answered_at + 40.0 * later + 7e5 * after,
        )

        found = fitted.predict(changed)

        assert np.abs(found - prob)[~after].max() <= 1e-6

    def test_what_belongs_to_an_answer_never_moves_its_own_prediction(self, fitted_to_noise, noise):
        # Here items have several concepts, answers take time and some had hints.
        test = noise.only_learners(np.arange(100, 150))
        position = np.arange(len(test)) - test.starts[test.learner]
        own = position == 20
        changed = replaced(
            test,
            correct=np.where(own, 1.0 - test.correct, test.correct),
            assisted=np.where(own, ~test.assisted, test.assisted),
            answered_at=np.where(own, 0.5 * (test.shown_at + test.answered_at), test.answered_at),
        )

        moved = np.abs(fitted_to_noise.predict(changed) - fitted_to_noise.predict(test))

        assert moved[position <= 20].max() <= 1e-6

    def test_who_else_is_predicted_does_not_matter(self, fitted, test_log, prob):
        for learner in (0, 7):
            alone = fitted.predict(test_log.only_learners(np.array([learner])))

            own = prob[test_log.starts[learner] : test_log.starts[learner + 1]]
            assert alone == pytest.approx(own, abs=1e-5)

    def test_a_shorter_neighbour_does_not_matter(self, fitted, test_log, prob):
        # Lengths 40, 13 and 1: padding of every kind.
        keep = np.concatenate(
            [
                np.arange(test_log.starts[k], test_log.starts[k] + n)
                for k, n in ((0, 40), (1, 13), (2, 1))
            ]
        )
        fields = ("item", "concept_set", "correct", "shown_at", "answered_at", "assisted")
        ragged = replaced(
            test_log,
            learner_keys=test_log.learner_keys[:3],
            starts=np.array([0, 40, 53, 54]),
            **{f: getattr(test_log, f)[keep] for f in fields},
        )

        assert fitted.predict(ragged) == pytest.approx(prob[keep], abs=1e-5)

    def test_outcomes_matter(self, name, fitted, test_log, prob):
        if name in BLIND:
            pytest.skip("ignores the learner by design")
        rng = np.random.default_rng(2)
        noise = replaced(test_log, correct=rng.permutation(test_log.correct))

        without = metrics.log_loss(test_log.correct, fitted.predict(noise))

        assert metrics.log_loss(test_log.correct, prob) < without - 0.01

    def test_an_item_and_a_concept_never_met_are_predicted(self, fitted, test_log):
        keys = (*test_log.item_keys[:-1], "a new item")
        concepts = (*test_log.concept_keys[:-1], "a new concept")

        found = fitted.predict(replaced(test_log, item_keys=keys, concept_keys=concepts))

        assert ((found > 0.0) & (found < 1.0)).all()

    def test_the_numbering_of_names_does_not_matter(self, fitted, test_log, prob):
        size = len(test_log.item_keys)
        turned = replaced(
            test_log, item_keys=test_log.item_keys[::-1], item=size - 1 - test_log.item
        )

        assert fitted.predict(turned) == pytest.approx(prob, abs=1e-6)


class TestOwnQuestions:
    def test_each_learner_on_their_own_items_equals_all_on_all(self, fitted, states, own_items):
        at = 1.7e9 + 3600.0 * np.arange(len(OTHERS))
        everything = fitted.predict_all(states, items=np.arange(60), shown_at=at)
        asked = own_items >= 0

        found = fitted.predict_each(states, items=own_items, shown_at=at)

        expected = np.take_along_axis(everything, np.where(asked, own_items, 0), axis=1)
        assert found[asked] == pytest.approx(expected[asked], abs=1e-6)
        assert np.isnan(found[~asked]).all()
        assert 0 < asked.sum() < asked.size

    def test_one_learner_alone_is_told_the_same(self, fitted, states, own_items):
        at = np.full(len(OTHERS), 1.7e9)
        together = fitted.predict_each(states, items=own_items, shown_at=at)

        for row in (0, 3, 39):
            own = {name: array[row : row + 1] for name, array in states.items()}
            alone = fitted.predict_each(own, items=own_items[row : row + 1], shown_at=at[:1])
            assert alone[0] == pytest.approx(together[row], abs=1e-6, nan_ok=True)

    def test_a_question_of_a_log_is_asked_at_its_own_time(self, fitted, states, test_log):
        answers = test_log.only_answers(test_log.position >= 30)

        found = fitted.ask(states, answers)

        for place in (0, 3, 9):
            rows = answers.starts[:-1] + place
            each = fitted.predict_each(
                states, items=answers.item[rows][:, None], shown_at=answers.shown_at[rows]
            )
            assert found[rows] == pytest.approx(each[:, 0], abs=1e-6)

    def test_what_is_answered_does_not_matter(self, fitted, states, test_log):
        changed = replaced(test_log, correct=1.0 - test_log.correct, assisted=~test_log.assisted)
        changed = replaced(changed, answered_at=changed.answered_at + 5.0)

        assert (fitted.ask(states, changed) == fitted.ask(states, test_log)).all()

    def test_nobody_asked_anything_is_told_nothing(self, fitted, states):
        at = np.full(len(OTHERS), 1.7e9)

        found = fitted.predict_each(states, items=np.full((len(OTHERS), 3), -1), shown_at=at)

        assert np.isnan(found).all()
        assert (
            fitted.predict_each(states, items=np.empty((len(OTHERS), 0), int), shown_at=at).size
            == 0
        )

    @pytest.mark.parametrize("item", [60, -2])
    def test_refuses_an_item_that_there_is_not(self, fitted, item):
        with pytest.raises(UnknownName, match="60 items"):
            fitted.predict_each(fitted.init(1), items=np.array([[item]]), shown_at=np.zeros(1))

    def test_refuses_other_shapes(self, fitted):
        for items, at in ((np.array([1]), np.zeros(1)), (np.array([[1]]), np.zeros(2))):
            with pytest.raises(ShapeMismatch, match=r"\[B, M\]"):
                fitted.predict_each(fitted.init(1), items=items, shown_at=at)


class TestStreaming:
    def test_answer_by_answer_equals_the_whole(self, fitted, test_log, prob):
        whole = prob.reshape(len(OTHERS), -1)
        items = test_log.item.reshape(len(OTHERS), -1)
        shown = test_log.shown_at.reshape(len(OTHERS), -1)
        states = fitted.init(len(OTHERS))
        worst = 0.0

        for step in range(whole.shape[1]):
            asked = fitted.predict_all(states, items=items[:, step], shown_at=shown[:, step])
            worst = max(worst, float(np.abs(np.diag(asked) - whole[:, step]).max()))
            states = answered(fitted, test_log, states, step, step + 1)

        assert worst <= 1e-5

    def test_it_does_with_several_concepts_response_times_and_hints(self, fitted_to_noise, noise):
        few = noise.only_learners(np.arange(100, 104))
        few = few.only_answers(few.position < 24)
        assert (few.concepts >= 0).sum(axis=1).max() > 1
        assert few.assisted.any()
        assert (few.answered_at > few.shown_at).all()
        whole = fitted_to_noise.predict(few)
        states = fitted_to_noise.init(4)

        for step in range(24):
            rows = few.starts[:-1] + step
            asked = fitted_to_noise.predict_each(
                states, items=few.item[rows][:, None], shown_at=few.shown_at[rows]
            )
            assert asked[:, 0] == pytest.approx(whole[rows], abs=1e-5)
            states = answered(fitted_to_noise, few, states, step, step + 1)

    def test_many_answers_at_once_equal_one_by_one(self, fitted, test_log):
        at = test_log.answered_at[test_log.starts[1:] - 1] + 3600.0
        items = np.arange(10)
        whole = fitted.advance(fitted.init(len(OTHERS)), test_log)
        pieces = fitted.init(len(OTHERS))
        for first, last in ((0, 1), (1, 17), (17, 40)):
            pieces = answered(fitted, test_log, pieces, first, last)

        found = fitted.predict_all(pieces, items=items, shown_at=at)

        assert found == pytest.approx(fitted.predict_all(whole, items=items, shown_at=at), abs=1e-5)

    def test_a_state_survives_as_bytes_and_never_grows(self, name, fitted, test_log):
        before = fitted.init(len(OTHERS))
        states = fitted.advance(before, test_log)
        at = np.full(len(OTHERS), test_log.answered_at.max() + 60.0)

        packed = fitted.pack(states)

        assert {len(data) for data in packed} == {len(data) for data in fitted.pack(before)}
        assert len(packed[0]) <= 10_000 or name in LARGE
        again = fitted.predict_all(fitted.unpack(packed), items=np.arange(5), shown_at=at)
        assert (again == fitted.predict_all(states, items=np.arange(5), shown_at=at)).all()

    def test_advancing_leaves_the_given_state_alone(self, fitted, test_log):
        states = fitted.init(len(OTHERS))
        before = fitted.pack(states)

        fitted.advance(states, test_log)

        assert fitted.pack(states) == before

    def test_a_concept_is_asked_with_its_reference_item(self, fitted):
        states, at = fitted.init(1), np.array([1.7e9])
        reference = fitted.vocabulary.reference_items

        by_concept = fitted.predict_all(states, concepts=np.arange(8), shown_at=at)

        assert (by_concept == fitted.predict_all(states, items=reference, shown_at=at)).all()

    @pytest.mark.parametrize("correct", [7.0, -0.1, float("nan")])
    def test_refuses_an_outcome_that_there_is_not(self, fitted, correct):
        with pytest.raises(ImpossibleAnswer, match="from 0"):
            fitted.update(fitted.init(1), item=0, correct=correct)


class TestSaving:
    def test_a_loaded_model_predicts_the_very_same(self, name, fitted, test_log, prob, tmp_path):
        save_model(fitted, tmp_path, provenance={"seed": 0})

        loaded, provenance = load_model(tmp_path, MODELS)

        assert (loaded.predict(test_log) == prob).all()
        assert loaded.config == fitted.config
        assert provenance == {"seed": 0}

    def test_a_description_that_is_not_the_whole_is_refused(self, name, fitted):
        described, weights = saved(fitted)
        for setting in described["config"]:
            config = {k: v for k, v in described["config"].items() if k != setting}
            with pytest.raises(UnreadableModel, match=f"{setting}.* is not given"):
                model_from_bytes(described | {"config": config}, weights, MODELS, origin="here")
        config = described["config"] | {"unheard_of": 1}
        with pytest.raises(UnreadableModel, match="has no unheard_of"):
            model_from_bytes(described | {"config": config}, weights, MODELS, origin="here")

    def test_another_vocabulary_is_refused(self, name, fitted):
        described, weights = saved(fitted)
        words = described["vocabulary"]
        longer = words | {
            "item_keys": [*words["item_keys"], "one more"],
            "concept_keys": [*words["concept_keys"], "one more"],
            "item_sets": [*words["item_sets"], 0],
            "item_counts": [*words["item_counts"], 0],
            "item_right": [*words["item_right"], 0.0],
            "reference_items": [*words["reference_items"], 0],
        }
        changed = described | {"vocabulary": longer}
        with pytest.raises(UnreadableModel):
            model_from_bytes(changed, weights, MODELS, origin="here")
        if name in WORDLESS:
            return
        # Without the hash the arrays themselves do not fit.
        with pytest.raises(UnreadableModel, match=r"shape|size"):
            model_from_bytes(changed | {"format": 1}, weights, MODELS, origin="here")

    def test_arrays_that_are_not_its_own_are_refused(self, fitted):
        described, weights = saved(fitted)
        arrays = safetensors.numpy.load(weights)
        own = [key for key in arrays if "recalibration" not in key]
        for key in {own[0], own[-1]}:
            data = safetensors.numpy.save(arrays | {key: np.zeros((3, 5, 2))})
            told = described | {"weights_sha256": hashlib.sha256(data).hexdigest()}
            with pytest.raises(UnreadableModel):
                model_from_bytes(told, data, MODELS, origin="here")

    def test_the_same_seed_gives_the_same_model(self, name, log, test_log):
        first, again = tiny(name), tiny(name)
        for model in (first, again):
            model.fit(log.only_learners(TRAINED[:20]), Fitting(seed=0))

        assert (again.predict(test_log) == first.predict(test_log)).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("learners", [1, 3])
def test_cuda_predicts_as_the_cpu_does(fitted, test_log, prob, learners, monkeypatch):
    few = test_log.only_learners(np.arange(learners))
    asked = {"items": np.arange(5), "shown_at": np.full(learners, few.answered_at.max())}

    def streamed():
        return fitted.predict_all(fitted.advance(fitted.init(learners), few), **asked)

    step_by_step = streamed()
    arrays = fitted.arrays()
    monkeypatch.setattr(trainer, "device", lambda: torch.device("cpu"))
    fitted.restore(arrays)
    try:
        assert fitted.predict(test_log) == pytest.approx(prob, abs=1e-4)
        assert streamed() == pytest.approx(step_by_step, abs=1e-4)
    finally:
        monkeypatch.undo()
        fitted.restore(arrays)
