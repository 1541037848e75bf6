"""AKT, simpleKT and DKT: what the papers' own inputs leave out, and what a window forgets."""

import dataclasses

import numpy as np
import pytest
import torch

from kt_models.data.vocabulary import Vocabulary
from kt_models.models.akt import Akt, AktConfig
from kt_models.models.dkt import Dkt, DktConfig
from kt_models.models.network import NetworkModel
from kt_models.models.simplekt import SimpleKt, SimpleKtConfig
from kt_models.training.sequences import encode, windows
from tests.kt_models.factories import random_log
from tests.kt_models.models.tiny import tiny

PUBLISHED = {
    "akt": Akt(AktConfig(width=8, heads=2, window=10, difficulty=False, times=False)),
    "simplekt": SimpleKt(
        SimpleKtConfig(width=8, heads=2, window=10, difficulty=False, times=False)
    ),
    "dkt": Dkt(DktConfig(hidden=8, width=8, items=False, times=False)),
}
FULL = {
    "akt": Akt(AktConfig(width=8, heads=2, window=10)),
    "simplekt": SimpleKt(SimpleKtConfig(width=8, heads=2, window=10)),
    "dkt": Dkt(DktConfig(hidden=8, width=8)),
}
LOG = random_log(np.random.default_rng(0), learners=3, answers=30)


def logits(model, **changes):
    torch.manual_seed(0)
    vocabulary = Vocabulary.of(LOG)
    net = model.build(vocabulary).eval()
    for weights in net.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    batch = encode(LOG, vocabulary).whole()
    with torch.inference_mode():
        return net(
            dataclasses.replace(batch, **{n: f(getattr(batch, n)) for n, f in changes.items()})
        )


@pytest.mark.parametrize("field", ["gap", "elapsed", "assisted", "difficulty"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_inputs_hold_no_times_and_no_shares_right(name, field):
    def other(values):
        return values + 1.0

    assert torch.equal(logits(PUBLISHED[name]), logits(PUBLISHED[name], **{field: other}))
    assert not torch.allclose(logits(FULL[name]), logits(FULL[name], **{field: other}))


def test_dkt_as_published_knows_concepts_alone():
    def other(item):
        return torch.ones_like(item)

    assert torch.equal(logits(PUBLISHED["dkt"]), logits(PUBLISHED["dkt"], item=other))
    assert not torch.allclose(logits(FULL["dkt"]), logits(FULL["dkt"], item=other))


@pytest.mark.parametrize(
    ("name", "config", "reach"),
    [
        # Two layers of ten answers each.
        ("simplekt", SimpleKtConfig(width=8, heads=2, layers=2, window=10), 20),
        # An encoder of ten under a retriever of ten.
        ("akt", AktConfig(width=8, heads=2, layers=1, window=10), 20),
    ],
)
def test_an_answer_is_forgotten_when_it_has_left_every_window(name, config, reach):
    model = {"akt": Akt, "simplekt": SimpleKt}[name](config)

    def turned(correct):
        changed = correct.clone()
        changed[:, 3] = 1.0 - changed[:, 3]
        return changed

    moved = (logits(model) - logits(model, correct=turned)).abs().amax(dim=0)

    assert (moved[:4] == 0.0).all()
    assert (moved[4:14] > 0.0).all()
    assert (moved[4 + reach :] == 0.0).all()


@pytest.mark.parametrize("name", ["akt", "simplekt"])
def test_a_rare_item_shares_what_is_known_of_its_concepts(name):
    torch.manual_seed(0)
    vocabulary = Vocabulary.of(LOG)
    net = PUBLISHED[name].build(vocabulary).eval()
    batch = encode(LOG, vocabulary).whole()

    # No item differs from its concepts before it is learnt about.
    unknown = dataclasses.replace(batch, item=torch.zeros_like(batch.item))

    with torch.inference_mode():
        assert torch.equal(net(batch), net(unknown))


@pytest.mark.parametrize("name", ["dkt", "akt", "simplekt", "cakt", "cakt-item"])
def test_a_piece_with_its_context_is_predicted_as_in_the_whole_history(name):
    log = random_log(np.random.default_rng(3), learners=5, answers=24)
    model = tiny(name)
    assert isinstance(model, NetworkModel)
    model.vocabulary = Vocabulary.of(log)
    torch.manual_seed(0)
    net = model.build(model.vocabulary).eval()
    # Some networks say nothing of outcomes before the first step.
    with torch.no_grad():
        for weights in net.parameters():
            weights.add_(torch.randn_like(weights) * 0.1)
    sequences = encode(log, model.vocabulary)

    def logits(spans):
        batch = sequences.batch(spans)
        with torch.inference_mode():
            found = net(batch)
        rows = batch.row[batch.scored]
        return found[batch.scored][rows.argsort()].numpy()

    whole = logits(np.stack([sequences.starts[:-1], sequences.starts[1:]], axis=1))

    told = logits(windows(sequences.starts, longest=8, context=16))
    untold = logits(windows(sequences.starts, longest=8, context=0))

    assert told == pytest.approx(whole, abs=1e-5)
    first, later = (np.arange(len(whole)) % 24 < 8), (np.arange(len(whole)) % 24 == 8)
    assert untold[first] == pytest.approx(whole[first], abs=1e-5)
    assert np.abs(untold[later] - whole[later]).max() > 1e-3
