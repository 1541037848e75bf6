"""Models by name with settings from texts."""

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
