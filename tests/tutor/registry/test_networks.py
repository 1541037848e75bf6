"""Networks in the database: what was stored predicts the same, and equal ones are one."""

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.errors import UnreadableModel
from kt_models.models.cakt_item import CaktItem, CaktItemConfig
from kt_models.training.trainer import TrainingConfig
from tutor.common.append_only import RowIsFinal
from tutor.registry import networks
from tutor.registry.models import Network

pytestmark = pytest.mark.django_db


def make_log():
    rng = np.random.default_rng(0)
    rows = [(learner, item) for learner in range(12) for item in rng.permutation(8)]
    return build_log(
        learners=[f"l{learner}" for learner, _ in rows],
        items=[str(item) for _, item in rows],
        concepts=[(f"{item % 3}",) for _, item in rows],
        correct=np.array([float(rng.random() < 0.3 + item / 16) for _, item in rows]),
        answered_at=np.arange(len(rows)) * 60.0,
    )


@pytest.fixture(scope="module")
def model():
    model = CaktItem(CaktItemConfig(hidden=4, width=4, window=8, training=TrainingConfig(epochs=1)))
    model.fit(make_log())
    return model


def test_predicts_as_before(course, model):
    stored = networks.store_network(course=course, model=model, provenance={"seed": 0})

    opened = networks.open_network(stored.pk)

    assert opened is not model
    assert np.array_equal(opened.predict(make_log()), model.predict(make_log()))
    assert networks.open_network(stored.pk) is opened


def test_knows_an_equal_one_again(course, model):
    first = networks.store_network(course=course, model=model, provenance={"seed": 0})

    assert networks.store_network(course=course, model=model, provenance={}) == first
    assert first.number == 1


def test_is_final(course, model):
    stored = networks.store_network(course=course, model=model, provenance={})

    with pytest.raises(RowIsFinal):
        Network.objects.filter(pk=stored.pk).update(number=2)


def test_refuses_damaged_weights(course, model):
    row = networks.store_network(course=course, model=model, provenance={})
    damaged = bytes(row.weights)[:-4] + b"\1\2\3\4"
    broken = Network.objects.create(
        course=course,
        number=2,
        model=row.model,
        description=row.description,
        weights=damaged,
        sha256="0" * 64,
        provenance={},
    )

    with pytest.raises(UnreadableModel, match="network 2 of course"):
        networks.open_network(broken.pk)
