"""CAKT: what it looks back at, what it makes of it, and what it remembers."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from kt_models.data.vocabulary import Vocabulary
from kt_models.errors import ImpossibleSetting
from kt_models.models import cakt_branches
from kt_models.models.cakt import Cakt, CaktConfig, CaktNetwork, published_program
from kt_models.models.cakt_branches import Conv3dBranch
from kt_models.models.cakt_history import recent_same_concept
from kt_models.training.sequences import Batch
from tests.kt_models.factories import random_log

CONCEPTS = 5
SMALL = CaktConfig(k=3, side=4, window=16)
BRANCHES = ("conv3d", "none", "fc", "lstm", "self-attention", "cnn", "mean")


def answers(seed, *, lengths, concepts=CONCEPTS, unknown=0.0):
    """Return a batch of learners who answered that many questions each."""
    rng = np.random.default_rng(seed)
    shape = (len(lengths), max(lengths))
    mask = torch.arange(shape[1]) < torch.tensor(lengths)[:, None]
    concept = rng.integers(1, concepts + 1, shape) * (rng.random(shape) >= unknown)
    drawn = torch.from_numpy(rng.integers(0, 2, shape)).float()
    zero = torch.zeros(shape)
    return Batch(
        item=torch.zeros(shape, dtype=torch.int64),
        concepts=torch.zeros((*shape, 1), dtype=torch.int64),
        concept_set=torch.from_numpy(concept) * mask,
        difficulty=zero,
        correct=drawn * mask,
        gap=zero,
        elapsed=zero,
        assisted=zero,
        step=torch.arange(shape[1]).expand(shape),
        mask=mask,
        scored=mask,
        row=torch.zeros(shape, dtype=torch.int64),
    )


def network(config=SMALL, seed=0):
    torch.manual_seed(seed)
    net = CaktNetwork(config, concepts=CONCEPTS)
    # A few steps away from the first weights, so that nothing is right by being zero.
    with torch.no_grad():
        for buffer in net.buffers():
            if buffer.is_floating_point():
                buffer.add_(torch.rand_like(buffer) * 0.3)
    return net.eval()


class TestRecentSameConcept:
    @pytest.mark.parametrize("window", [4, 100])
    def test_equals_a_search_one_by_one(self, window):
        batch = answers(1, lengths=[30, 7, 1, 22], unknown=0.1)
        concept, known, k = batch.concept_set, batch.mask, 3
        before = torch.arange(30).expand(4, 30)

        found = recent_same_concept(
            concept=concept, known=known, asked=concept, before=before, k=k, window=window
        )

        for b in range(4):
            for t in range(30):
                asked = int(concept[b, t])
                earlier = [
                    i
                    for i in range(max(0, t - window), t)
                    if known[b, i] and asked > 0 and int(concept[b, i]) == asked
                ][-k:]
                assert found[b, t].tolist() == [-1] * (k - len(earlier)) + earlier

    def test_nothing_is_found_in_an_empty_history(self):
        nothing = torch.zeros(2, 8, dtype=torch.int64)

        found = recent_same_concept(
            concept=nothing,
            known=nothing > 0,
            asked=torch.tensor([[1, 2], [3, 0]]),
            before=torch.full((2, 2), 8),
            k=4,
            window=8,
        )

        assert (found == -1).all()


class TestCompiledConvolutions:
    @pytest.mark.parametrize(
        ("k", "side", "squeeze", "positions"),
        [(4, 15, True, 37), (6, 17, True, 16), (3, 4, False, 21), (2, 7, True, 1)],
    )
    def test_equal_those_of_torch(self, k, side, squeeze, positions):
        torch.manual_seed(k)
        fast = Conv3dBranch(k=k, side=side, squeeze=squeeze)
        for norm in (m for m in fast.modules() if isinstance(m, torch.nn.BatchNorm3d)):
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
            torch.nn.init.uniform_(norm.bias, -0.3, 0.3)
        exact = copy.deepcopy(fast).double()
        embedded = torch.randn(positions, k, side * side)
        upward = torch.randn(positions, side * side)
        ours, theirs = embedded.clone().requires_grad_(), embedded.double().requires_grad_()

        got = fast(ours)
        (got * upward).sum().backward()
        wanted = exact.plain(theirs)
        (wanted * upward).sum().backward()

        assert got.detach().numpy() == pytest.approx(wanted.detach().numpy(), abs=2e-5)
        assert relative(ours.grad, theirs.grad) < 5e-3
        # The gain of a channel that the next layer normalises again hardly matters: its
        # gradient is a difference of large numbers, so errors are weighed against the largest.
        largest = max(float(p.grad.abs().max()) for p in exact.parameters())
        for (name, mine), other in zip(fast.named_parameters(), exact.parameters(), strict=True):
            worst = float((mine.grad - other.grad).abs().max())
            assert worst < 2e-3 * max(float(other.grad.abs().max()), 0.05 * largest), name
        for (name, mine), other in zip(fast.named_buffers(), exact.buffers(), strict=True):
            assert mine.numpy() == pytest.approx(other.numpy(), abs=1e-5), name
        fast.eval(), exact.eval()
        with torch.no_grad():
            got, wanted = fast(embedded), exact.plain(embedded.double())
        assert got.numpy() == pytest.approx(wanted.numpy(), abs=2e-5)

    def test_many_positions_are_judged_in_parts(self, monkeypatch):
        branch = Conv3dBranch(k=3, side=4, squeeze=True).eval()
        embedded = torch.randn(83, 3, 16)
        with torch.no_grad():
            whole = branch(embedded)
            monkeypatch.setattr(cakt_branches, "AT_ONCE", 32)
            parts = branch(embedded)

        assert (parts == whole).all()

    def test_two_threads_give_what_one_gives(self):
        torch.manual_seed(0)
        branch = Conv3dBranch(k=3, side=5, squeeze=True)
        embedded, upward = torch.randn(70, 3, 25), torch.randn(70, 25)
        results = []
        before = torch.get_num_threads()

        for threads in (1, 2):
            torch.set_num_threads(threads)
            own = copy.deepcopy(branch)
            (own(embedded) * upward).sum().backward()
            results.append([p.grad.clone() for p in own.parameters()])
        torch.set_num_threads(before)

        largest = max(float(one.abs().max()) for one in results[0])
        for one, two in zip(*results, strict=True):
            assert float((two - one).abs().max()) < 1e-4 * largest


class TestNetwork:
    def test_the_mean_of_the_k_last_is_what_it_says(self):
        net = network(dataclasses.replace(SMALL, branch="mean", theta=2.5))
        batch = answers(3, lengths=[12])
        tokens, table = net.tokens(batch), net.table()

        looked = net.look_back(
            tokens=tokens, table=table, asked=batch.concept_set, before=torch.arange(12)[None]
        )

        for t in range(12):
            same = [i for i in range(t) if batch.concept_set[0, i] == batch.concept_set[0, t]][-3:]
            faded = [table[tokens[0, i]] * np.exp(-(t - i) / 2.5) for i in same]
            wanted = sum(faded, torch.zeros(16)) / 3
            assert looked[t].detach().numpy() == pytest.approx(wanted.detach().numpy(), abs=1e-6)

    def test_the_published_program_looks_at_the_concept_of_the_last_answer(self):
        net = network(published_program(k=3, side=4, branch="mean"))
        batch = answers(4, lengths=[12])
        tokens, table = net.tokens(batch), net.table()

        looked = net.look_back(
            tokens=tokens, table=table, asked=batch.concept_set, before=torch.arange(12)[None]
        )

        concept = batch.concept_set[0]
        for t in range(12):
            same = [i for i in range(t) if concept[i] == concept[t - 1]][-3:]
            faded = [table[tokens[0, i]] * np.exp(-float(t - 1 - i)) for i in same]
            wanted = sum(faded, torch.zeros(16)) / 3
            assert looked[t].detach().numpy() == pytest.approx(wanted.detach().numpy(), abs=1e-6)

    def test_without_decay_old_answers_weigh_as_much(self):
        batch = answers(3, lengths=[40])
        faded, kept = (
            network(dataclasses.replace(SMALL, branch="mean", theta=1.0, decay=decay))
            for decay in (True, False)
        )

        sizes = [
            net.look_back(
                tokens=net.tokens(batch),
                table=net.table(),
                asked=batch.concept_set,
                before=torch.tensor([[40]]).expand(1, 40),
            ).norm()
            for net in (faded, kept)
        ]

        assert sizes[0] < 0.5 * sizes[1]

    @pytest.mark.parametrize("branch", BRANCHES)
    @pytest.mark.parametrize("variant", ["paper", "code"])
    def test_every_branch_predicts_and_learns(self, branch, variant):
        net = network(dataclasses.replace(SMALL, branch=branch, variant=variant))
        batch = answers(5, lengths=[10, 4, 7])

        logits = net.train()(batch)
        net.loss(batch).backward()

        assert logits.shape == (3, 10)
        unused = {name for name, p in net.named_parameters() if p.grad is None}
        idle = {"none": {"log_theta", "gates.weight", "gates.bias"}}.get(branch, set())
        assert unused == idle
        assert all(p.grad.abs().max() > 0 for name, p in net.named_parameters() if name not in idle)

    def test_padding_is_neither_convolved_nor_counted(self):
        batch = answers(6, lengths=[12, 3])
        padded = {}
        for field in dataclasses.fields(batch):
            values = getattr(batch, field.name)
            blank = torch.zeros((2, 28, *values.shape[2:]), dtype=values.dtype)
            padded[field.name] = torch.cat([values, blank], dim=1)
        first, second = network().train(), network().train()

        alone, together = first(batch), second(Batch(**padded))

        assert together[:, :12][batch.mask].detach().numpy() == pytest.approx(
            alone[batch.mask].detach().numpy(), abs=1e-6
        )
        for (name, one), two in zip(first.named_buffers(), second.buffers(), strict=True):
            assert two.numpy() == pytest.approx(one.numpy(), abs=1e-6), name

    @pytest.mark.parametrize("variant", ["paper", "code"])
    def test_an_answer_moves_later_predictions_only(self, variant):
        net = network(dataclasses.replace(SMALL, variant=variant))
        batch = answers(7, lengths=[20])
        turned = batch.correct.clone()
        turned[0, 8] = 1.0 - turned[0, 8]

        with torch.no_grad():
            moved = (net(dataclasses.replace(batch, correct=turned)) - net(batch)).abs()[0]

        assert moved[:9].max() == 0.0
        assert (moved[9:] > 0.0).all()

    def test_an_unknown_concept_is_the_mean_of_the_known(self):
        net = network()
        table, hidden = net.table(), torch.randn(1, 16)
        logits = [net.read(hidden, torch.tensor([c])) for c in range(CONCEPTS + 1)]

        assert torch.allclose(table[1], table[2 : 2 + CONCEPTS].mean(dim=0), atol=1e-6)
        assert torch.allclose(logits[0], torch.cat(logits[1:]).mean(), atol=1e-6)


class TestStreaming:
    @pytest.mark.parametrize("variant", ["paper", "code"])
    @pytest.mark.parametrize("branch", ["conv3d", "none"])
    def test_answer_by_answer_equals_the_whole_beyond_the_window(self, variant, branch):
        net = network(dataclasses.replace(SMALL, variant=variant, branch=branch))
        batch = answers(8, lengths=[40, 9], unknown=0.1)
        state = net.start(2)
        with torch.no_grad():
            whole = net(batch)
            for t in range(40):
                here = batch.columns(t, t + 1)
                asked = net.ask(state, here)[:, 0]
                seen = batch.mask[:, t]
                assert asked[seen].numpy() == pytest.approx(whole[seen, t].numpy(), abs=1e-5)
                state = net.absorb(state, here)

    def test_a_longer_window_sees_more(self):
        batch = answers(9, lengths=[40])
        near, far = (
            network(dataclasses.replace(SMALL, window=window, theta=50.0)) for window in (3, 16)
        )

        with torch.no_grad():
            assert (near(batch) - far(batch)).abs().max() > 1e-4

    def test_asking_does_not_commit(self):
        net = network()
        batch = answers(10, lengths=[12])
        with torch.no_grad():
            state = net.absorb(net.start(1), batch)
            before = {name: value.clone() for name, value in state.items()}
            net.ask(state, answers(11, lengths=[30]))

        assert all((state[name] == before[name]).all() for name in before)

    def test_the_published_size_stays_under_ten_kilobytes(self):
        net = CaktNetwork(CaktConfig(), concepts=CONCEPTS)
        state = net.start(1)
        with torch.no_grad():
            after = net.eval().absorb(state, answers(12, lengths=[30]))

        sizes = [sum(v.nbytes for v in s.values()) for s in (state, after)]
        assert sizes[0] == sizes[1] < 10_000


class TestConfig:
    @pytest.mark.parametrize(
        "wrong", [{"k": 1}, {"side": 2}, {"window": 0}, {"theta": 0.0}, {"window": 2048}]
    )
    def test_refuses_what_cannot_be_built(self, wrong):
        with pytest.raises(ImpossibleSetting):
            CaktConfig(**wrong)

    def test_the_bytes_it_reckons_with_are_those_of_a_state(self):
        model = Cakt(CaktConfig(side=5, window=40))
        model.vocabulary = Vocabulary.of(random_log(np.random.default_rng(0), learners=2))

        assert len(model.pack(model.init(1))[0]) == 16 * 25 + 4 * 40 + 16

    def test_the_defaults_have_the_published_number_of_weights(self):
        # 1,780,303 for 110 concepts in the published program, of which it never uses 4,030, and
        # 289 are a row for padding; 4,881 are in the convolutions.
        net = CaktNetwork(CaktConfig(), concepts=110)

        assert sum(p.numel() for p in net.parameters()) == 1_780_303 - 4_030 - 289
        assert sum(p.numel() for p in net.branch.parameters()) == 4_881


def relative(got, wanted):
    return float((got - wanted).abs().max() / wanted.abs().max())
