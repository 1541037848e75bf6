"""Training: what decides when it stops, how fast it learns, and that a killed one goes on."""

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from kt_models.data.log import build_log
from kt_models.data.vocabulary import Vocabulary
from kt_models.models.base import Fitting
from kt_models.models.dkt import Dkt, DktConfig, DktNetwork
from kt_models.training import trainer
from kt_models.training.networks import Network
from kt_models.training.resuming import RESUME, CannotResume
from kt_models.training.schedules import POINTS, learning_rates
from kt_models.training.sequences import encode
from kt_models.training.trainer import Diverged
from kt_models.training.training_config import TrainingConfig
from tests.kt_models.factories import random_log

ROOT = Path(__file__).parents[3]
# 27 training learners of 20 answers in batches of 5: six steps an epoch.
TRAINING = TrainingConfig(epochs=5, patience=5, learning_rate=1e-2, positions=100)
CONFIG = DktConfig(hidden=8, width=4, training=TRAINING)


class Level(Network):
    """Says the same of every answer: the sum of two numbers, of which each has the gradient."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    @property
    def level(self):
        return self.one + self.other

    def forward(self, batch):
        return self.level.expand(batch.correct.shape)


class Beginner(Network):
    """Tells what it takes for a first answer from all others."""

    def __init__(self):
        super().__init__()
        self.first, self.later = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def forward(self, batch):
        column = torch.arange(batch.item.shape[1]).expand_as(batch.item)
        return torch.where(column == 0, self.first, self.later)


def answers(correct):
    """Sequences of learners with four answers each."""
    correct = np.asarray(correct, dtype=float)
    log = build_log(
        learners=[f"l{k // 4:03d}" for k in range(len(correct))],
        items=["i"] * len(correct),
        concepts=[("k",)] * len(correct),
        correct=correct,
        answered_at=np.arange(len(correct), dtype=float),
    )
    return encode(log, Vocabulary.of(log))


ALL_RIGHT = answers(np.ones(40))
MOSTLY_RIGHT = answers(np.arange(40) % 10 < 7)


def train_level(*, seen=None, **changes):
    net = Level()
    config = dataclasses.replace(TrainingConfig(positions=8, warm_up=0.0), **changes)

    def report(done, total, figures):
        if seen is not None:
            seen.append(float(net.level.detach()))

    history = trainer.train(
        net,
        training=ALL_RIGHT,
        held_out=MOSTLY_RIGHT,
        config=config,
        seed=0,
        report=lambda done, total, figures: (
            seen is not None and seen.append(float(net.level.detach()))
        ),
    )
    return net, history


class TestStopping:
    def test_keeps_the_epoch_with_the_lowest_validation_loss(self):
        levels = []

        net, history = train_level(seen=levels, epochs=30, patience=3, learning_rate=0.02)

        # Training on right answers alone overshoots what the held-out answers are best told by.
        told = np.array(levels)
        best = int((np.logaddexp(0.0, told) - 0.7 * told).argmin())
        assert 0 < best < len(levels) - 1
        assert history.best == best
        assert float(net.level.detach()) == levels[best] != levels[-1]
        assert len(history.epochs) == best + 1 + 3

    def test_ends_after_the_planned_epochs(self):
        _, history = train_level(epochs=3, learning_rate=1e-3)

        assert len(history.epochs) == 3

    def test_names_a_rate_that_was_too_high(self, monkeypatch):
        monkeypatch.setattr(Level, "loss", lambda self, batch: self.level * float("nan"))

        with pytest.raises(Diverged, match=r"epoch 1; take a lower learning rate than 0.25"):
            train_level(learning_rate=0.25)


class TestPieces:
    def test_score_every_answer_once_and_read_what_came_before(self, monkeypatch):
        scored, read = [], []

        def loss(self, batch):
            scored.extend(batch.row[batch.scored].tolist())
            read.extend(batch.row[batch.mask].tolist())
            return usual(self, batch)

        usual = Level.loss
        monkeypatch.setattr(Level, "loss", loss)
        train_level(epochs=1, longest=2, context=1)

        # Of four answers the second is read before the third once more.
        again = [row for row in range(40) if row % 4 == 1]
        assert sorted(scored) == list(range(40))
        assert sorted(read) == sorted([*range(40), *again])

    @pytest.mark.parametrize(("context", "low", "high"), [(0, 0.4, 0.6), (20, 0.0, 0.2)])
    def test_a_beginner_is_not_taken_for_who_has_answered_for_long(self, context, low, high):
        # Everybody is wrong twenty times and right from then on.
        correct = np.tile(np.arange(40) >= 20, 10).astype(float)
        log = build_log(
            learners=[f"l{k // 40:03d}" for k in range(len(correct))],
            items=["i"] * len(correct),
            concepts=[("k",)] * len(correct),
            correct=correct,
            answered_at=None,
        )
        sequences, net = encode(log, Vocabulary.of(log)), Beginner()
        training = TrainingConfig(
            epochs=40, patience=40, learning_rate=0.2, positions=800, longest=20, context=context
        )

        trainer.train(net, training=sequences, held_out=sequences, config=training, seed=0)

        assert low <= float(torch.sigmoid(net.first.detach())) <= high


class TestLearningRate:
    def test_follows_the_linear_schedule(self):
        _, history = train_level(epochs=4, patience=4, learning_rate=0.1, warm_up=0.25)

        # Five steps an epoch: the last of epoch e is at (e + 4/5) / 4 of the run.
        at = (np.arange(4) + 0.8) / 4
        expected = 0.1 * np.interp(at, np.linspace(0, 1, POINTS), learning_rates(0.25))
        found = [epoch["learning_rate"] for epoch in history.epochs]
        assert found == pytest.approx(expected.tolist())

    def test_gradient_norms_are_sums_of_absolute_values(self):
        _, history = train_level(epochs=1, learning_rate=1e-9, clip=0.01)

        # At a level of 0 the loss of a right answer falls by 1/2 along each of the two numbers.
        assert history.gradient_norms == pytest.approx([1.0] * 5)

    def test_refined_follows_the_norms_of_a_first_run_that_leaves_no_trace(self):
        changes = {"epochs": 4, "learning_rate": 0.1}
        _, first = train_level(patience=4, **changes)

        _, history = train_level(patience=4, schedule="refined", **changes)

        rates = learning_rates(0.0, gradient_norms=np.array(first.gradient_norms))
        at = (np.arange(4) + 0.8) / 4
        expected = 0.1 * np.interp(at, np.linspace(0, 1, POINTS), rates)
        found = [epoch["learning_rate"] for epoch in history.epochs]
        assert found == pytest.approx(expected.tolist())
        assert found != pytest.approx([epoch["learning_rate"] for epoch in first.epochs])
        # It began at the first weights again.
        assert history.gradient_norms[0] == pytest.approx(1.0)

    def test_the_first_run_of_a_refined_one_does_not_stop_early(self):
        _, history = train_level(epochs=30, patience=3, learning_rate=0.1, schedule="refined")

        _, whole = train_level(epochs=30, patience=30, learning_rate=0.1)
        rates = learning_rates(0.0, gradient_norms=np.array(whole.gradient_norms))
        expected = 0.1 * np.interp(0.8 / 30, np.linspace(0, 1, POINTS), rates)
        assert history.epochs[0]["learning_rate"] == pytest.approx(expected)


def the_log():
    return random_log(np.random.default_rng(0), learners=30, answers=20)


def fitted(folder, *, config=CONFIG, log=None, seed=0):
    model = Dkt(config)
    model.fit(log or the_log(), Fitting(seed=seed, folder=folder))
    return model


def fit_and_die(folder, *, after):
    """Fit until a step, then be killed; run in a process of its own."""
    loss, steps = DktNetwork.loss, []

    def counted(self, batch):
        steps.append(batch)
        if len(steps) > after:
            os.kill(os.getpid(), signal.SIGKILL)
        return loss(self, batch)

    DktNetwork.loss = counted
    fitted(folder)


def killed(folder, *, after):
    """Let a child fit until it is killed in step `after` + 1; how many epochs it has left."""
    code = (
        "from pathlib import Path; from tests.kt_models.training import test_trainer as t; "
        f"t.fit_and_die(Path({str(folder)!r}), after={after})"
    )
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert child.returncode == -signal.SIGKILL
    if not (folder / RESUME).exists():
        return 0
    return len(torch.load(folder / RESUME, weights_only=True)["epochs"])


def same(one, other):
    ours, theirs = one.arrays(), other.arrays()
    return ours.keys() == theirs.keys() and all((ours[n] == theirs[n]).all() for n in ours)


@pytest.fixture(scope="module")
def whole():
    return fitted(None)


class TestResuming:
    def test_a_killed_fit_goes_on_to_the_very_same_weights(self, whole, tmp_path):
        # In the middle of the third epoch.
        assert killed(tmp_path, after=15) == 2
        seen = []
        model = Dkt(CONFIG)

        model.fit(the_log(), Fitting(folder=tmp_path, progress=seen.append))

        assert [step.done for step in seen] == [3, 4, 5]
        assert same(model, whole)
        losses = [
            [epoch["validation_log_loss"] for epoch in one.history.epochs] for one in (model, whole)
        ]
        assert losses[0] == losses[1]

    def test_a_fit_that_was_done_is_not_done_again(self, whole, tmp_path):
        fitted(tmp_path)
        seen = []
        model = Dkt(CONFIG)

        model.fit(the_log(), Fitting(folder=tmp_path, progress=seen.append))

        assert not seen
        assert same(model, whole)

    def test_a_kill_while_writing_leaves_the_last_whole_state(self, whole, tmp_path):
        (tmp_path / f"{RESUME}.part").write_bytes(b"half a sta")

        assert same(fitted(tmp_path), whole)

    def test_a_refined_fit_keeps_its_first_run(self, tmp_path):
        config = dataclasses.replace(
            CONFIG, training=dataclasses.replace(TRAINING, schedule="refined")
        )
        once = fitted(None, config=config)
        fitted(tmp_path, config=config)
        (tmp_path / RESUME).unlink()
        before = (tmp_path / "first_run" / RESUME).stat().st_mtime_ns

        again = fitted(tmp_path, config=config)

        assert same(again, once)
        assert (tmp_path / "first_run" / RESUME).stat().st_mtime_ns == before

    @pytest.mark.parametrize(
        "changes",
        [
            {"seed": 1},
            {"log": random_log(np.random.default_rng(1), learners=30, answers=20)},
            {"config": dataclasses.replace(CONFIG, training=TrainingConfig(epochs=6))},
            # The same weights, another network.
            {"config": dataclasses.replace(CONFIG, dropout=0.7)},
        ],
        ids=["seed", "log", "training", "network"],
    )
    def test_the_state_of_another_fit_is_refused(self, changes, tmp_path):
        fitted(tmp_path)
        before = (tmp_path / RESUME).read_bytes()

        with pytest.raises(CannotResume, match="another log, configuration or version"):
            fitted(tmp_path, **changes)

        assert (tmp_path / RESUME).read_bytes() == before

    def test_other_times_of_the_same_answers_are_another_log(self, tmp_path):
        fitted(tmp_path)
        log = the_log()
        later = dataclasses.replace(log, answered_at=log.answered_at + 5.0)

        with pytest.raises(CannotResume):
            fitted(tmp_path, log=later)

    def test_pieces_that_were_cut_otherwise_are_those_of_another_fit(self, tmp_path, monkeypatch):
        config = dataclasses.replace(CONFIG, training=dataclasses.replace(TRAINING, longest=8))
        fitted(tmp_path, config=config)
        usual = trainer.windows
        monkeypatch.setattr(trainer, "windows", lambda starts, **how: usual(starts, **how)[::-1])

        with pytest.raises(CannotResume):
            fitted(tmp_path, config=config)

    def test_a_damaged_state_is_refused_by_name(self, tmp_path):
        (tmp_path / RESUME).write_bytes(b"PK nothing that torch wrote")

        with pytest.raises(CannotResume, match=r"resume\.pt is damaged; delete it"):
            fitted(tmp_path)
