"""Attention over a sliding window against a slow twin that follows the equations query by query."""

import pytest
import torch

from kt_models.models.akt import MonotonicAttention
from kt_models.models.attention import BLOCK, DotProductAttention, Layer, Memory

WIDTH, HEADS, WINDOW = 6, 2, 7
# More than two blocks, the last of them not full.
STEPS = 2 * BLOCK + 5
KINDS = [DotProductAttention, MonotonicAttention]


def made(kind, *, own):
    torch.manual_seed(0)
    attention = kind(WIDTH, heads=HEADS, window=WINDOW, own=own).double()
    # Large enough for the weights to differ visibly.
    for weights in attention.parameters():
        torch.nn.init.normal_(weights)
    return attention


def inputs(steps=STEPS, batch=2):
    torch.manual_seed(1)
    return [torch.randn(batch, steps, WIDTH, dtype=torch.float64) for _ in range(3)]


def slow(attention, queries, keys, values, *, learner, step):
    """One query's answer, written down as in the papers."""
    q, k, v = attention.query(queries), attention.key(keys), attention.value(values)
    last = step if attention.own else step - 1
    seen = list(range(max(step - WINDOW, 0), last + 1))
    size = WIDTH // HEADS
    out = torch.zeros(WIDTH, dtype=torch.float64)
    for head in range(HEADS if seen else 0):
        part = slice(head * size, (head + 1) * size)
        scores = torch.stack([q[learner, step, part] @ k[learner, t, part] for t in seen])
        scores = scores / size**0.5
        if isinstance(attention, MonotonicAttention):
            gamma = torch.softmax(scores, 0)
            theta = torch.exp(attention.log_theta[head])
            for place, t in enumerate(seen):
                distance = abs(step - t) * gamma[place + 1 :].sum()
                scores[place] = torch.exp(-theta * distance) * scores[place]
        weights = torch.softmax(scores, 0)
        out[part] = sum(w * v[learner, t, part] for w, t in zip(weights, seen, strict=True))
    return attention.out(out)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_is_what_the_equations_say(kind, own):
    attention, given = made(kind, own=own), inputs()

    found, _ = attention(*given)

    for step in (0, 1, WINDOW - 1, WINDOW, WINDOW + 1, BLOCK - 1, BLOCK, STEPS - 1):
        for learner in (0, 1):
            expected = slow(attention, *given, learner=learner, step=step)
            assert found[learner, step].tolist() == pytest.approx(expected.tolist())


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_pieces_of_any_length_equal_the_whole(kind, own):
    attention, (queries, keys, values) = made(kind, own=own), inputs()
    whole, _ = attention(queries, keys, values)
    blank = torch.zeros(2, WINDOW, WIDTH, dtype=torch.float64)
    past = Memory(blank, blank, torch.zeros(2, dtype=torch.int64))
    found, at = [], 0

    for many in (1, 3, 2 * WINDOW, STEPS - 4 - 2 * WINDOW):
        piece = slice(at, at + many)
        out, memory = attention(queries[:, piece], keys[:, piece], values[:, piece], past)
        past = memory.recent(torch.tensor([many, many]), window=WINDOW)
        found.append(out)
        at += many

    assert at == STEPS
    assert torch.allclose(torch.cat(found, 1), whole)
    assert past.keys.shape == (2, WINDOW, WIDTH)
    assert past.held.tolist() == [WINDOW, WINDOW]


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_questions_are_each_asked_as_if_they_came_next(kind, own):
    attention, (queries, keys, values) = made(kind, own=own), inputs(steps=11)
    whole, _ = attention(queries, keys, values)
    blank = torch.zeros(2, WINDOW, WIDTH, dtype=torch.float64)
    empty = Memory(blank, blank, torch.zeros(2, dtype=torch.int64))
    for answered in (0, 3, 10):
        memory = attention.remember(keys[:, :answered], values[:, :answered], empty)
        past = memory.recent(torch.tensor([answered, answered]), window=WINDOW)
        other = torch.randn(2, 1, WIDTH, dtype=torch.float64)
        last = slice(answered, answered + 1)

        found = attention.ask(
            torch.cat([other, queries[:, last]], 1),
            torch.cat([other, keys[:, last]], 1),
            torch.cat([other, values[:, last]], 1),
            past,
        )

        assert torch.allclose(found[:, 1], whole[:, answered])


@torch.no_grad()
def test_learners_with_fewer_answers_keep_what_they_have():
    attention, (_, keys, values) = made(DotProductAttention, own=False), inputs(steps=9)
    blank = torch.zeros(2, WINDOW, WIDTH, dtype=torch.float64)
    memory = attention.remember(
        keys, values, Memory(blank, blank, torch.zeros(2, dtype=torch.int64))
    )

    recent = memory.recent(torch.tensor([9, 2]), window=WINDOW)

    assert recent.held.tolist() == [WINDOW, 2]
    assert torch.equal(recent.keys[0], attention.key(keys)[0, 2:])
    assert torch.equal(recent.keys[1, -2:], attention.key(keys)[1, :2])


@torch.no_grad()
def test_a_layer_without_anything_to_attend_to_passes_the_query_on():
    torch.manual_seed(0)
    attention = made(DotProductAttention, own=False)
    layer = Layer(attention, width=WIDTH, dropout=0.0).double()
    queries, keys, values = inputs(steps=1)

    found, _ = layer(queries, keys, values)
    again, _ = layer(queries, 5.0 * keys, -values)

    assert torch.equal(found, again)


def test_the_fading_is_learnt():
    attention = made(MonotonicAttention, own=True)

    found, _ = attention(*inputs(steps=12))
    found.square().sum().backward()

    assert (attention.log_theta.grad.abs() > 0.0).all()
