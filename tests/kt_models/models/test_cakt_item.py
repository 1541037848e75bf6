"""What the window says about a question, against a plain reading of the same history."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from kt_models.data.vocabulary import Vocabulary
from kt_models.models import cakt_item_memory as memory
from kt_models.models import cakt_item_window as windows
from kt_models.models.cakt_item import CaktItem
from kt_models.models.cakt_item_config import CaktItemConfig
from kt_models.models.cakt_item_parts import TryEmbedding
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.training.sequences import Batch, encode
from tests.kt_models.factories import simulated_log
from tests.kt_models.models.tiny import tiny

WINDOW, SIZE = 5, 3


@pytest.fixture(scope="module")
def simulated():
    rng = np.random.default_rng(4)
    log, _ = simulated_log(rng, FilterParameters(), learners=12, answers=25)
    return log


def drawn(*, learners=3, answers=14, concepts=2, seed=0):
    """Few names and small numbers, so that matches of every kind come up."""
    rng = np.random.default_rng(seed)
    size = (learners, answers)
    mask = np.arange(answers) < np.array([answers, answers - 5, 2])[:learners, None]

    def whole(limit, shape=size):
        return torch.from_numpy(rng.integers(0, limit, shape) * _on(mask, shape))

    def real(scale):
        return torch.from_numpy((rng.exponential(scale, size) * mask).astype(np.float32))

    return Batch(
        item=whole(5),
        concepts=whole(4, (*size, concepts)),
        concept_set=whole(4),
        difficulty=torch.from_numpy((rng.normal(size=size) * mask).astype(np.float32)),
        correct=whole(2).float(),
        gap=real(5000.0),
        elapsed=real(40.0),
        assisted=whole(2).float(),
        step=torch.arange(answers).expand(size),
        mask=torch.from_numpy(mask),
        scored=torch.from_numpy(mask),
        row=torch.zeros(size, dtype=torch.int64),
    )


def _on(mask, shape):
    return mask.reshape(mask.shape + (1,) * (len(shape) - 2))


def blank(batch):
    return windows.nothing(
        len(batch.item),
        window=WINDOW,
        concepts=batch.concepts.shape[2],
        device=torch.device("cpu"),
    )


def sighted(batch):
    history = windows.joined(blank(batch), batch, window=WINDOW)
    surplus = history.answers.correct - torch.sigmoid(history.answers.difficulty)
    return history, surplus


def plain_matches(batch, learner, question, kind):
    """Columns of the last W answers that match the question, the newest first."""
    found = []
    for column in range(question - 1, max(question - 1 - WINDOW, -1), -1):
        if kind == "item":
            mine, theirs = {int(batch.item[learner, question])}, {int(batch.item[learner, column])}
        else:
            mine = set(batch.concepts[learner, question].tolist())
            theirs = set(batch.concepts[learner, column].tolist())
        if (mine & theirs) - {0}:
            found.append(column)
    return found


def plain_figures(batch, learner, question, columns):
    """What `recalled_figures` promises, one answer after the other."""
    surplus = batch.correct - torch.sigmoid(batch.difficulty)
    figures = []
    for nth in range(SIZE):
        if nth >= len(columns):
            figures += [0.0] * memory.PER_ANSWER
            continue
        at = columns[nth]
        between = batch.gap[learner, at + 1 : question + 1].sum()
        between += batch.elapsed[learner, at + 1 : question].sum()
        figures += [
            1.0,
            2.0 * float(batch.correct[learner, at]) - 1.0,
            float(surplus[learner, at]),
            math.log1p(question - at) / 3.0,
            math.log1p(float(between)) / 10.0,
            float(batch.assisted[learner, at]),
        ]
    total = sum(float(surplus[learner, at]) for at in columns)
    newest = float(batch.elapsed[learner, columns[0]]) if columns else 0.0
    return [
        *figures,
        math.log1p(len(columns)) / 3.0,
        total / (len(columns) + memory.PRIOR),
        0.0 if columns else 1.0,
        math.log1p(newest) / 5.0,
    ]


@pytest.mark.parametrize("kind", ["item", "concept"])
def test_recalled_answers_are_those_that_match(kind):
    batch = drawn()
    history, surplus = sighted(batch)
    match = (
        memory.same_item(history, batch.item)
        if kind == "item"
        else memory.shared_concept(history, batch.concepts)
    )
    shown = history.clock[:, WINDOW:] - batch.elapsed.double()

    found = memory.recall(history, match, surplus, size=SIZE)
    figures = memory.recalled_figures(found, history, surplus, shown)

    for learner, question in torch.nonzero(batch.mask).tolist():
        columns = plain_matches(batch, learner, question, kind)
        lags = [question - at for at in columns[:SIZE]]
        assert found.lag[learner, question].tolist() == lags + [0.0] * (SIZE - len(lags))
        expected = plain_figures(batch, learner, question, columns)
        assert figures[learner, question].tolist() == pytest.approx(expected, abs=1e-5)


def test_averages_of_the_surplus_forget_by_half_lives():
    batch = drawn()
    history, surplus = sighted(batch)

    found = memory.running_surplus(history, surplus)

    own = (batch.correct - torch.sigmoid(batch.difficulty)).double().numpy()
    for learner, question in torch.nonzero(batch.mask).tolist():
        near = own[learner, max(question - WINDOW, 0) : question]
        lags = np.arange(len(near))[::-1]
        for place, half in enumerate([*memory.HALF_LIVES, math.inf]):
            weights = 0.5 ** (lags / half)
            expected = (weights * near).sum() / (weights.sum() + memory.PRIOR)
            assert float(found[learner, question, place]) == pytest.approx(expected, abs=1e-5)


def test_attention_sees_the_window_alone():
    batch = drawn(answers=23)
    history, _ = sighted(batch)
    rng = torch.Generator().manual_seed(1)
    query = torch.randn(*batch.item.shape, 4, generator=rng)
    keys, values = torch.randn(2, *history.clock.shape, 4, generator=rng)
    bias = torch.randn(*batch.item.shape, WINDOW, generator=rng)
    bias = bias.masked_fill(~history.seen(history.answers.mask), -math.inf)

    found = memory.attended(history, query, keys, values, bias)

    for learner, question in torch.nonzero(batch.mask).tolist():
        near = slice(question, question + WINDOW)
        scores = keys[learner, near] @ query[learner, question] / 2.0 + bias[learner, question]
        weights = torch.softmax(torch.cat([scores, torch.zeros(1)]), dim=0)[:-1]
        expected = weights @ values[learner, near]
        assert found[learner, question].tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_each_try_at_an_item_has_weights_of_its_own():
    tries = TryEmbedding(items=4, width=8, tries=3)
    with torch.no_grad():
        tries.offsets.weight.copy_(torch.arange(15.0).view(5, 3))
        tries.vectors.weight.copy_(torch.arange(4.0)[:, None].expand(4, 8))

    vectors, offsets = tries(torch.tensor([[2, 2, 4]]), torch.tensor([[0, 2, 9]]))

    # Rows are items, columns the tries after the first; later ones share the last column.
    assert offsets.tolist() == [[0.0, 7.0, 14.0]]
    assert vectors[..., 0].tolist() == [[0.0, 2.0, 3.0]]


def test_a_stored_window_is_the_end_of_the_history():
    batch = drawn()
    history, _ = sighted(batch)

    stored = windows.stored_after(history, batch)

    for learner, length in enumerate(batch.mask.sum(dim=1).tolist()):
        near = slice(max(length - WINDOW, 0), length)
        many = near.stop - near.start
        assert stored["mask"][learner].tolist() == [False] * (WINDOW - many) + [True] * many
        for name in ("item", "concepts", "correct", "elapsed", "difficulty"):
            expected = getattr(batch, name)[learner, near].tolist()
            assert stored[name][learner, WINDOW - many :].tolist() == expected
        passed = (batch.gap + batch.elapsed)[learner, :length].double().cumsum(dim=0)
        ages = (passed - passed[-1])[near].tolist()
        assert stored["clock"][learner, WINDOW - many :].tolist() == pytest.approx(ages, rel=1e-6)


@pytest.mark.parametrize("concepts", [1, 7, 40])
def test_any_course_has_a_state_of_at_most_ten_thousand_bytes(concepts, simulated):
    vocabulary = Vocabulary.of(simulated)
    sets = np.full((len(vocabulary.concept_sets), concepts), -1)
    sets[:, 0] = vocabulary.concept_sets[:, 0]
    model = CaktItem()
    model.vocabulary = dataclasses.replace(vocabulary, concept_sets=sets)

    (packed,) = model.pack(model.init(1))

    assert 5_000 < len(packed) <= 10_000


@pytest.mark.parametrize(
    "off",
    [
        {"branch": "none"},
        {"recall": False},
        {"surplus": False},
        {"attention": 0},
        {"tries": 0},
        {"product": False},
        {"times": False},
        {"items": False},
    ],
    ids=str,
)
def test_each_ingredient_can_be_left_out(off, simulated):
    whole = tiny("cakt-item")
    model = CaktItem(dataclasses.replace(whole.config, **off))
    vocabulary = Vocabulary.of(simulated)
    batch = encode(simulated, vocabulary).whole()

    torch.manual_seed(0)
    without = model.build(vocabulary)
    loss = without.loss(batch)
    loss.backward()

    unused = [name for name, weight in without.named_parameters() if weight.grad is None]
    assert math.isfinite(float(loss.detach()))
    # What is left out must leave no weights behind, save the easiness that only items have.
    assert unused in ([], ["easiness"])
    sizes = [sum(p.numel() for p in net.parameters()) for net in (without, whole.build(vocabulary))]
    assert sizes[0] < sizes[1] or "times" in off


def test_without_times_no_time_matters(simulated):
    model = CaktItem(dataclasses.replace(tiny("cakt-item").config, times=False))
    vocabulary = Vocabulary.of(simulated)
    net = model.build(vocabulary).eval()
    batch = encode(simulated, vocabulary).whole()
    later = dataclasses.replace(batch, gap=batch.gap * 3.0 + 7.0, elapsed=batch.elapsed + 100.0)

    with torch.inference_mode():
        assert torch.equal(net(batch), net(later))


def test_the_outcome_of_a_question_is_not_looked_at(simulated):
    vocabulary = Vocabulary.of(simulated)
    net = CaktItem(CaktItemConfig(hidden=16, width=8)).build(vocabulary).eval()
    batch = encode(simulated, vocabulary).whole()
    at = 9
    changed = {name: getattr(batch, name).clone() for name in ("correct", "elapsed", "assisted")}
    changed["correct"][:, at] = 1.0 - batch.correct[:, at]
    changed["elapsed"][:, at] += 500.0
    changed["assisted"][:, at] = 1.0 - batch.assisted[:, at]

    with torch.inference_mode():
        before, after = net(batch), net(dataclasses.replace(batch, **changed))

    assert (before - after)[:, : at + 1].abs().max() == 0.0
    assert (before - after)[:, at + 1].abs().max() > 0.0
