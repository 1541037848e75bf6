"""Models by name with settings from texts."""

import math
import re

import pytest

from kt_models.errors import ImpossibleSetting, UnknownName
from kt_models.models.dkt import DktConfig
from kt_models.runs.making_models import config_of, make_model, parse_settings, written_settings


class TestParseSettings:
    def test_reads_numbers_words_and_nested_names(self):
        found = parse_settings(["hidden=8", "training.epochs=3", "training.schedule=refined"])

        assert found == {"hidden": 8, "training": {"epochs": 3, "schedule": "refined"}}

    def test_reads_back_what_it_writes(self):
        settings = {"a": 1, "b": {"c": [1, 2], "d": "word", "e": {"f": False}}}

        assert parse_settings(written_settings(settings)) == settings

    @pytest.mark.parametrize("text", ["hidden", "=3", "training.=3"])
    def test_refuses_what_names_nothing(self, text):
        with pytest.raises(ImpossibleSetting, match="name=value"):
            parse_settings([text])

    def test_refuses_a_value_and_a_part_under_one_name(self):
        with pytest.raises(ImpossibleSetting, match="given a value before"):
            parse_settings(["training=1", "training.epochs=3"])


class TestMakeModel:
    def test_lays_settings_over_the_usual_configuration(self):
        model = make_model("dkt", {"hidden": 8, "training": {"epochs": 3}})

        usual = DktConfig()
        assert (model.config.hidden, model.config.width) == (8, usual.width)
        assert model.config.training.epochs == 3
        assert model.config.training.positions == usual.training.positions
        assert config_of(model)["training"]["epochs"] == 3

    def test_leaves_the_usual_configuration_without_settings(self):
        assert make_model("dkt").config == DktConfig()

    def test_refuses_a_model_that_there_is_not(self):
        with pytest.raises(UnknownName, match="dkt"):
            make_model("oracle")

    @pytest.mark.parametrize(
        "settings", [{"layers": 1}, {"hidden": "wide"}, {"training": {"speed": 1}}]
    )
    def test_refuses_settings_that_the_model_has_not(self, settings):
        with pytest.raises(ImpossibleSetting):
            make_model("dkt", settings)

    @pytest.mark.parametrize(
        ("name", "settings", "said"),
        [
            ("dkt", {"hidden": 0}, "hidden = 0 must be a number of at least 1"),
            ("dkt", {"hidden": -1}, "hidden = -1"),
            ("dkt", {"dropout": 1.0}, "dropout = 1.0 must be from 0 to below 1"),
            ("dkt", {"training": {"epochs": 0}}, "TrainingConfig: epochs = 0"),
            ("dkt", {"training": {"patience": 0}}, "patience = 0"),
            ("dkt", {"training": {"learning_rate": 0}}, "learning_rate = 0.0 must be .* above 0"),
            ("dkt", {"training": {"learning_rate": math.nan}}, "learning_rate = nan"),
            ("dkt", {"training": {"clip": math.inf}}, "clip = inf"),
            ("dkt", {"training": {"weight_decay": -0.1}}, "weight_decay = -0.1"),
            ("dkt", {"training": {"warm_up": 1.5}}, "warm_up = 1.5"),
            ("akt", {"heads": 5}, "heads = 5 must divide width = 64"),
            ("akt", {"heads": 0}, "heads = 0"),
            ("simplekt", {"heads": 5}, "heads = 5 must divide width = 64"),
            ("simplekt", {"heads": 1, "width": 9}, "width = 9 must be even"),
            ("cakt", {"theta": 0.0}, "theta must be above 0"),
            ("cakt-item", {"hidden": 1250}, "hidden = 1250 leaves no room .* at most"),
            ("cakt-item", {"window": 0}, "window = 0"),
            ("cakt-item", {"attention": -1}, "attention = -1"),
            ("psi-kt", {"width": 0}, "width = 0"),
            ("psi-filter-graph", {"alpha_nodes": 0}, "alpha_nodes = 0"),
            ("psi-filter-graph", {"memory": 1.1}, "memory = 1.1 must be at most 1"),
            ("logistic", {"windows": ["a"]}, "windows = 'a': must be float"),
            ("logistic", {"windows": "day"}, "windows = 'day': must be a list"),
            ("logistic", {"windows": [60, 30]}, "must be above 0 and ascend"),
            ("logistic", {"windows": [-1]}, "must be above 0 and ascend"),
            ("logistic", {"memory": 2}, "memory = 2 must be a number of at least 5"),
            ("logistic", {"penalty": 0}, "penalty = 0"),
            ("pfa", {"penalty": -1}, "penalty = -1"),
            ("item-mean", {"hold": 0}, "hold = 0"),
            ("elo", {"sample": 0}, "sample = 0"),
            ("bkt", {"largest": 1.0}, "largest = 1.0"),
            ("bkt", {"steps": 0}, "steps = 0"),
            ("ensemble", {"components": []}, "at least one model"),
            ("ensemble", {"components": [3]}, "components = 3: must be str"),
        ],
    )
    def test_refuses_a_value_that_cannot_be_built(self, name, settings, said):
        with pytest.raises(ImpossibleSetting, match=said):
            make_model(name, settings)

    def test_takes_the_largest_state_that_holds_an_answer(self):
        with pytest.raises(ImpossibleSetting, match="at most") as refused:
            make_model("cakt-item", {"hidden": 100_000})
        most = int(re.findall("at most ([0-9]+) do", str(refused.value))[0])

        assert make_model("cakt-item", {"hidden": most}).config.hidden == most
        with pytest.raises(ImpossibleSetting):
            make_model("cakt-item", {"hidden": most + 1})
