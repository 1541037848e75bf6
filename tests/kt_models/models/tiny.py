"""Models of a size for tests: each learns in seconds what there is to learn in a small log."""

import dataclasses

from kt_models.models import MODELS
from kt_models.models.akt import AktConfig
from kt_models.models.base import AbstractModel
from kt_models.models.cakt import CaktConfig
from kt_models.models.cakt_item_config import CaktItemConfig
from kt_models.models.dkt import DktConfig
from kt_models.models.ensemble import EnsembleConfig
from kt_models.models.psi_filter_network import GraphFilterConfig
from kt_models.models.psi_kt_config import PsiKtConfig
from kt_models.models.simplekt import SimpleKtConfig
from kt_models.training.training_config import TrainingConfig

TRAINING = TrainingConfig(epochs=8, learning_rate=1e-2, positions=1024)
# Windows shorter than the histories, so that what falls out of them is tested too.
CONFIGS = {
    "dkt": DktConfig(hidden=16, width=8, training=TRAINING),
    "akt": AktConfig(width=16, heads=2, window=15, training=TRAINING),
    "simplekt": SimpleKtConfig(width=16, heads=2, window=15, training=TRAINING),
    "cakt-item": CaktItemConfig(
        hidden=16,
        width=8,
        window=12,
        recent_items=2,
        recent_concepts=3,
        branch="mean",
        surplus=True,
        attention=4,
        training=TRAINING,
    ),
    "ensemble": EnsembleConfig(
        components=("elo", "pfa", "dkt"),
        settings={
            "dkt": {
                "hidden": 16,
                "width": 8,
                "training": {"epochs": 8, "learning_rate": 1e-2, "positions": 1024},
            }
        },
    ),
    "cakt": CaktConfig(k=3, side=4, training=dataclasses.replace(TRAINING, positions=256)),
    "psi-filter-graph": GraphFilterConfig(
        alpha_nodes=3, training=TrainingConfig(epochs=2, learning_rate=2e-2, weight_decay=0.0)
    ),
    "psi-kt": PsiKtConfig(hidden=16, width=8, training=TRAINING),
}

# Attention keeps keys and values of its window in every layer: as large as the window asks for.
LARGE = ("akt", "simplekt")

# Those that are fitted without learners in mind: nothing that a learner does can move them.
BLIND = ("majority", "concept-mean", "item-mean")


def tiny(name: str) -> AbstractModel:
    model = MODELS[name](CONFIGS[name]) if name in CONFIGS else MODELS[name]()
    assert isinstance(model, AbstractModel)
    return model


NAMES = [
    name
    for name in MODELS
    if isinstance(MODELS[name], type) and issubclass(MODELS[name], AbstractModel)
]
