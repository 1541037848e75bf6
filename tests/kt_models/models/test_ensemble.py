"""The ensemble: who learns from whom, what it leaves out, what a kill costs, what it saves."""

import numpy as np
import pytest

from kt_models.data.splits import split_learners
from kt_models.errors import ImpossibleSetting
from kt_models.evaluation import metrics
from kt_models.models import MODELS, base, ensemble
from kt_models.models.base import Fitting
from kt_models.models.ensemble import Ensemble, EnsembleConfig
from kt_models.models.pfa import Pfa
from kt_models.saved_models import load_model, save_model
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.training.logits import to_logit
from kt_models.training.pooling import pooled_by_others
from kt_models.training.recalibration import Recalibration
from tests.kt_models.factories import simulated_log

CONFIG = EnsembleConfig(components=("item-mean", "pfa"), settings={"pfa": {"penalty": 3.0}})


@pytest.fixture(scope="module")
def log():
    found, _ = simulated_log(np.random.default_rng(3), FilterParameters(), learners=120, answers=40)
    return found


def test_weights_come_from_learners_that_no_component_has_seen(log, monkeypatch):
    seen, weighed = [], []

    def watched(self, log, fitting):
        seen.extend(log.learner_keys)
        return original(self, log, fitting)

    def pooling(logits, correct, *, learner):
        weighed.append(len(correct))
        return fit(logits, correct, learner=learner)

    original, fit = Pfa.fit, ensemble.fit_pooling
    monkeypatch.setattr(Pfa, "fit", watched)
    monkeypatch.setattr(ensemble, "fit_pooling", pooling)
    model = Ensemble(CONFIG)
    model.fit(log)

    unseen = set(log.learner_keys) - set(seen)
    assert len(unseen) == 12
    assert weighed == [12 * 40]


def test_pools_on_the_logit_scale_and_runs_none_without_weight(log):
    model = Ensemble(CONFIG)
    model.fit(log)
    logits = [np.log(p) - np.log1p(-p) for p in (c.predict(log) for c in model.components)]

    pooled = model.pooling.weights @ np.stack(logits) + model.pooling.intercept

    assert model._predict(log) == pytest.approx(1.0 / (1.0 + np.exp(-pooled)))
    model.pooling.weights[0] = 0.0
    assert {name.split(".")[0] for name in model.init(1)} == {"answers", "1"}


def test_is_judged_and_recalibrated_by_weights_of_other_learners(log, monkeypatch):
    judged = []

    def recalibration(*, prob, correct, learner):
        judged.append((prob, correct, learner))
        return Recalibration.none()

    monkeypatch.setattr(base, "fit_recalibration", recalibration)
    model = Ensemble(CONFIG)
    model.fit(log)

    # The last fit is the ensemble's own; those before are its components'.
    prob, correct, learner = judged[-1]
    assert len(prob) == 12 * 40
    assert model.validation_log_loss == pytest.approx(metrics.log_loss(correct, prob))
    held_out = log.only_learners(np.flatnonzero(~np.isin(log.learner_keys, _learnt_from(log))))
    logits = model._said(held_out)
    others = pooled_by_others(logits, correct, learner=learner)
    assert to_logit(prob) == pytest.approx(others)
    assert np.abs(others - model.pooling(logits)).max() > 1e-3


def _learnt_from(log):
    training, _ = split_learners(log, test_share=0.1, seed=0)
    return log.only_learners(training).learner_keys


def test_settings_reach_the_components():
    made = Ensemble(CONFIG)._made(1)

    assert made.config.penalty == 3.0


@pytest.mark.parametrize("name", ["oracle", "ensemble"])
def test_refuses_a_component_that_there_is_not(log, name):
    with pytest.raises(ImpossibleSetting, match=name):
        Ensemble(EnsembleConfig(components=(name,))).fit(log)


def test_a_component_finished_before_a_kill_is_read_back(log, tmp_path, monkeypatch):
    whole = Ensemble(CONFIG)
    whole.fit(log, Fitting(folder=tmp_path))

    def never(self, log, fitting):
        raise AssertionError("fitted again")

    monkeypatch.setattr(Pfa, "fit", never)
    again = Ensemble(CONFIG)
    again.fit(log, Fitting(folder=tmp_path))

    assert (again.predict(log) == whole.predict(log)).all()
    with pytest.raises(AssertionError, match="fitted again"):
        Ensemble(CONFIG).fit(log, Fitting(folder=tmp_path, seed=1))


def test_an_item_that_only_validation_learners_met_can_be_asked(log):
    # Item of which each component, having held out learners of its own, may have no answer.
    model = Ensemble(CONFIG)
    model.fit(log)
    for component in model.components:
        assert (component.vocabulary.item_sets == model.vocabulary.item_sets).all()


def test_loads_with_components_of_their_own_vocabulary(log, tmp_path):
    model = Ensemble(CONFIG)
    model.fit(log)
    save_model(model, tmp_path, provenance={})

    loaded, _ = load_model(tmp_path, MODELS)

    counts = loaded.components[0].vocabulary.item_counts
    assert (counts == model.components[0].vocabulary.item_counts).all()
    assert metrics.auc(log.correct, loaded.predict(log)) > 0.6
