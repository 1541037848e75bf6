"""Saved models: what was saved comes back, and every kind of damage is refused with its reason."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
from safetensors.numpy import load, save

from kt_models.data.vocabulary import Vocabulary
from kt_models.errors import ImpossibleSetting, UnreadableModel
from kt_models.models import MODELS
from kt_models.models.dkt import Dkt, DktConfig
from kt_models.saved_models import (
    DESCRIPTION,
    WEIGHTS,
    config_from,
    load_model,
    model_from_bytes,
    model_to_bytes,
    save_model,
)
from kt_models.training.recalibration import Recalibration
from kt_models.training.training_config import TrainingConfig
from tests.kt_models.factories import random_log

LOG = random_log(np.random.default_rng(0), learners=5, answers=12)
CONFIG = DktConfig(hidden=8, width=4, training=TrainingConfig(epochs=3))


def model_of(config=CONFIG):
    model = Dkt(config)
    model.vocabulary = Vocabulary.of(LOG)
    model.recalibration = Recalibration(np.array([0.3]), np.array([0.9, 1.2]), -0.1)
    return model


@pytest.fixture
def folder(tmp_path):
    save_model(model_of(), tmp_path / "model", provenance={"seed": 4, "auc": 0.8})
    return tmp_path / "model"


def rewrite(folder, **changes):
    path = folder / DESCRIPTION
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refused(folder):
    with pytest.raises(UnreadableModel) as caught:
        load_model(folder, MODELS)
    return str(caught.value)


class TestWhole:
    def test_comes_back_as_it_was(self, folder):
        saved = model_of()
        model, provenance = load_model(folder, MODELS)

        assert model.config == CONFIG
        assert provenance == {"seed": 4, "auc": 0.8}
        assert model.vocabulary.item_keys == saved.vocabulary.item_keys
        assert model.recalibration.arrays()["slopes"].tolist() == [0.9, 1.2]
        arrays = load((folder / WEIGHTS).read_bytes())
        assert all((model.arrays()[name] == arrays[name]).all() for name in model.arrays())

    def test_saving_again_replaces_the_model(self, folder):
        save_model(model_of(dataclasses.replace(CONFIG, hidden=6)), folder, provenance={})

        model, _ = load_model(folder, MODELS)

        assert model.config.hidden == 6
        assert sorted(path.name for path in folder.iterdir()) == [DESCRIPTION, WEIGHTS]

    def test_holds_nothing_that_runs(self, folder):
        json.loads((folder / DESCRIPTION).read_text())
        assert set(load((folder / WEIGHTS).read_bytes())) >= {"recalibration.slopes", "easiness"}


class TestBytes:
    def test_come_back_without_a_folder(self):
        described, weights = model_to_bytes(model_of(), provenance={"seed": 4})
        described = json.loads(json.dumps(described))

        model = model_from_bytes(described, weights, MODELS, origin="a row")

        arrays = load(weights)
        assert all((model.arrays()[name] == arrays[name]).all() for name in model.arrays())
        assert (model.config, described["provenance"]) == (CONFIG, {"seed": 4})

    def test_that_do_not_belong_together_are_refused(self):
        described, weights = model_to_bytes(model_of(), provenance={})

        with pytest.raises(UnreadableModel, match="a row: not the weights"):
            model_from_bytes(described, weights[:-1] + b"x", MODELS, origin="a row")

    @pytest.mark.parametrize(
        ("described", "reason"), [({}, "not a saved model"), ({"format": 4}, "format 4")]
    )
    def test_of_something_else_are_refused(self, described, reason):
        usual, weights = model_to_bytes(model_of(), provenance={})
        described = described and usual | described

        with pytest.raises(UnreadableModel, match=f"a row: {reason}"):
            model_from_bytes(described, weights, MODELS, origin="a row")


class TestDamage:
    @pytest.mark.parametrize("name", [DESCRIPTION, WEIGHTS])
    def test_a_file_that_is_missing(self, folder, name):
        (folder / name).unlink()

        message = refused(folder)

        assert name in message
        assert "No such file" in message

    def test_weights_that_were_cut_off(self, folder):
        path = folder / WEIGHTS
        path.write_bytes(path.read_bytes()[:-100])

        assert "not the weights that model.json names" in refused(folder)

    def test_one_bit_of_the_weights(self, folder):
        path = folder / WEIGHTS
        data = bytearray(path.read_bytes())
        data[-5] ^= 1
        path.write_bytes(bytes(data))

        assert "not the weights that model.json names" in refused(folder)

    def test_weights_of_another_model(self, folder, tmp_path):
        other = model_of()
        other.arrays()
        save_model(other, tmp_path / "other", provenance={})
        (tmp_path / "other" / WEIGHTS).replace(folder / WEIGHTS)

        assert "not the weights that model.json names" in refused(folder)

    def test_a_description_that_was_cut_off(self, folder):
        path = folder / DESCRIPTION
        path.write_text(path.read_text()[:200])

        assert DESCRIPTION in refused(folder)

    @pytest.mark.parametrize("text", ["[]", "{}", '{"kind": "dkt", "format": 1}', "\xff\x00"])
    def test_a_description_of_something_else(self, folder, text):
        (folder / DESCRIPTION).write_text(text, encoding="latin-1")

        assert DESCRIPTION in refused(folder)

    def test_another_kind(self, folder):
        rewrite(folder, kind="oracle")

        message = refused(folder)

        assert "'oracle'" in message
        assert "dkt" in message

    def test_another_format(self, folder):
        rewrite(folder, format=4)

        assert "format 4, this code reads 1, 2, 3" in refused(folder)

    def test_before_format_3_pieces_were_trained_without_context(self, folder):
        values = json.loads((folder / DESCRIPTION).read_text())
        del values["config"]["training"]["context"]
        (folder / DESCRIPTION).write_text(json.dumps(values))
        assert "context is not given" in refused(folder)

        rewrite(folder, format=1)

        found = load_model(folder, MODELS)[0].config
        assert found.training == dataclasses.replace(CONFIG.training, context=0)

    def test_format_1_is_read_without_a_hash_of_the_description(self, folder):
        values = json.loads((folder / DESCRIPTION).read_text())
        del values["description_sha256"]
        (folder / DESCRIPTION).write_text(json.dumps(values))
        assert "not what was saved" in refused(folder)

        rewrite(folder, format=1)

        assert load_model(folder, MODELS)[0].config == CONFIG

    def test_numbers_survive_a_database_that_writes_them_otherwise(self):
        described, weights = model_to_bytes(model_of(), provenance={})
        right = described["vocabulary"]["item_right"]
        described["vocabulary"]["item_right"] = [int(n) if n == int(n) else n for n in right]

        assert model_from_bytes(described, weights, MODELS, origin="a row").config == CONFIG

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"hidden": 9}, "size mismatch"),
            ({"hidden": "8"}, "hidden = '8': must be int"),
            ({"hidden": True}, "hidden = True: must be int"),
            ({"memory": 3}, "DktConfig has no memory"),
            ({"training": {"epochs": 1.5}}, "epochs = 1.5: must be int"),
            ({"training": {"schedule": "cosine"}}, "must be one of linear, refined"),
            ({"items": False}, "Unexpected key"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_a_configuration_that_does_not_fit(self, folder, change, reason):
        config = json.loads((folder / DESCRIPTION).read_text())["config"]
        rewrite(folder, config=config | change)

        assert reason in refused(folder)

    def test_a_configuration_that_is_none(self, folder):
        rewrite(folder, config=7)

        assert "does not fit this code" in refused(folder)

    def test_a_vocabulary_of_other_items(self, folder):
        values = json.loads((folder / DESCRIPTION).read_text())["vocabulary"]
        rewrite(folder, vocabulary=values | {"item_keys": values["item_keys"][:-1]})

        assert "size mismatch" in refused(folder)

    def test_weights_without_the_recalibration(self, folder):
        arrays = load((folder / WEIGHTS).read_bytes())
        arrays = {name: value for name, value in arrays.items() if "recal" not in name}
        self.replace_weights(folder, arrays)

        assert "'knots'" in refused(folder)

    def test_weights_with_one_missing(self, folder):
        arrays = load((folder / WEIGHTS).read_bytes())
        del arrays["easiness"]
        self.replace_weights(folder, arrays)

        assert "easiness" in refused(folder)

    def replace_weights(self, folder, arrays):
        data = save(arrays)
        (folder / WEIGHTS).write_bytes(data)
        rewrite(folder, weights_sha256=hashlib.sha256(data).hexdigest())


class TestConfigFrom:
    def test_whole_numbers_do_for_real_ones(self):
        found = config_from(TrainingConfig, {"learning_rate": 1})

        assert found.learning_rate == 1.0
        assert isinstance(found.learning_rate, float)

    def test_what_is_not_named_keeps_its_default(self):
        assert config_from(DktConfig, {"hidden": 5}) == DktConfig(hidden=5)

    def test_a_number_for_a_flag_is_refused(self):
        with pytest.raises(ImpossibleSetting, match="items = 1: must be bool"):
            config_from(DktConfig, {"items": 1})
