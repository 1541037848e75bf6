"""The door for programs that keep models in a database: fitted, written as bytes, opened again."""

import json

import numpy as np
import pytest

from kt_models import api
from kt_models.errors import ImpossibleSetting, UnknownName
from kt_models.models import MODELS
from tests.kt_models.factories import random_log
from tests.kt_models.models.tiny import BLIND

LOG = random_log(np.random.default_rng(0), learners=12, answers=15)
SETTINGS = {"hidden": 8, "width": 4, "training": {"epochs": 2}}


@pytest.fixture(scope="module")
def model():
    return api.fit_model("dkt", LOG, settings=SETTINGS, seed=3)


def test_what_was_kept_as_bytes_predicts_the_very_same(model):
    described, weights = api.model_to_bytes(model, provenance={"learners": 12})

    again = api.model_from_bytes(described, weights, origin="a row")

    assert (again.predict(LOG) == model.predict(LOG)).all()


def test_settings_are_laid_over_the_usual_ones(model):
    assert (model.config.hidden, model.config.training.epochs) == (8, 2)
    assert model.config.training.patience == MODELS["dkt"]().config.training.patience


def test_progress_and_what_a_killed_fit_needs_are_told(tmp_path):
    told = []

    api.fit_model(
        "dkt", LOG, settings=SETTINGS, folder=tmp_path, progress=lambda *step: told.append(step)
    )

    done, total, figures = told[-1]
    assert 0 < done <= total == 2
    assert figures["validation_log_loss"] > 0.0
    assert list(tmp_path.iterdir())


def test_weights_of_a_pool_come_with_what_they_are_worth(model):
    held_out = random_log(np.random.default_rng(1), learners=6, answers=15)

    fit = api.fit_pool(held_out, model, api.FilterParameters(), offsets=np.zeros(len(held_out)))

    assert len(fit.weights.lags) == len(fit.figures["pooled"]) == 4
    assert json.loads(json.dumps(fit.figures)) == fit.figures


def test_refuses_what_there_is_not():
    with pytest.raises(UnknownName, match="oracle"):
        api.fit_model("oracle", LOG)
    with pytest.raises(ImpossibleSetting, match="memory"):
        api.fit_model("dkt", LOG, settings={"memory": 3})


def test_deep_models_are_there_and_each_listens_to_the_learner():
    assert set(api.DEEP_MODELS) <= set(MODELS) - set(BLIND)
