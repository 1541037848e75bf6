"""Training of a network: Adam, linear decay after a warm-up, early stopping, resumable.

The schedule is that of Defazio, Cutkosky, Mehta & Mishchenko (2023), arXiv 2310.07831: a linear
decay to zero does as well as any other that knows the last step in advance.
"""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kt_models.errors import KTModelError
from kt_models.evaluation import metrics
from kt_models.training.networks import Network
from kt_models.training.resuming import fingerprint, load_state, save_state
from kt_models.training.schedules import learning_rates
from kt_models.training.sequences import Batch, Sequences, batches, windows
from kt_models.training.training_config import TrainingConfig


class Diverged(KTModelError):
    """The loss is no number any more."""


@dataclass(slots=True)
class History:
    """What was measured on the way.

    Attributes:
        epochs: of each: `train_loss`, `validation_log_loss`, `validation_auc`, `learning_rate` (of
            the last step), `seconds`.
        gradient_norms: of each step: the L1 norm before clipping.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)

    @property
    def best(self) -> int:
        """The epoch of the least validation log loss; -1 before the first."""
        losses = [epoch["validation_log_loss"] for epoch in self.epochs]
        return int(np.argmin(losses)) if losses else -1


def device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextlib.contextmanager
def inference() -> Iterator[None]:
    """Predict without gradients and in full 32-bit floats on every device.

    On a GPU, convolutions and LSTMs round their factors to 10 bits (TF32) unless told otherwise,
    which moved CAKT's probabilities by up to 2e-4 against the CPU's.
    """
    usual = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = usual


def train(
    net: Network,
    *,
    training: Sequences,
    held_out: Sequences,
    config: TrainingConfig,
    seed: int,
    settings: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    report: Callable[[int, int, dict[str, float]], object] | None = None,
) -> History:
    """Train a network and leave it with the weights of its best epoch.

    With a folder, the fit goes on where a killed one with the same arguments stopped, and on one
    machine ends with the very same weights.

    Args:
        net: with its first weights.
        training: answers to learn from.
        held_out: answers of other learners, which decide when to stop.
        config: how.
        seed: of the order of batches and of dropout.
        settings: of the network; a state kept under others is refused.
        folder: where to keep the state after every epoch.
        report: called with (epochs done, epochs planned, figures of the last).

    Raises:
        CannotResume: the folder holds the state of another fit.
        Diverged: the loss is no number any more.
    """
    net.to(device())
    rates = learning_rates(config.warm_up)
    if config.schedule == "refined":
        rates = _refined_rates(net, training, held_out, config, seed, settings, folder)
    fit = _Fit(net, training, held_out, config, seed, rates)
    own = ""
    if folder is not None:
        own = fingerprint(
            net,
            settings={"training": dataclasses.asdict(config), "network": dict(settings or {})},
            seed=seed,
            logs=(training, held_out),
            spans=fit.spans,
        )
        fit.resume(folder, own)
    while fit.goes_on():
        figures = fit.run_epoch()
        if folder is not None:
            fit.save(folder, own)
        if report is not None:
            report(len(fit.history.epochs), config.epochs, figures)
    net.load_state_dict(fit.best_weights)
    net.eval()
    return fit.history


class _Fit:
    """The state of a training run between two epochs."""

    def __init__(
        self,
        net: Network,
        training: Sequences,
        held_out: Sequences,
        config: TrainingConfig,
        seed: int,
        rates: NDArray[np.float64],
    ) -> None:
        self.net, self.config, self.seed = net, config, seed
        self.training, self.held_out = training, held_out
        self.spans = windows(training.starts, longest=config.longest, context=config.context)
        self.optimizer = torch.optim.AdamW(_groups(net, config.weight_decay), lr=0.0)
        # Batches differ a little in number from epoch to epoch, so progress counts epochs.
        self.rates = rates
        self.history = History()
        self.best_weights = _copy(net.state_dict())

    def goes_on(self) -> bool:
        done, best = len(self.history.epochs), self.history.best
        return done < self.config.epochs and done - 1 - best < self.config.patience

    def run_epoch(self) -> dict[str, float]:
        epoch, began = len(self.history.epochs), time.perf_counter()
        torch.manual_seed(1_000_003 * self.seed + epoch)
        loss = self._learn(np.random.default_rng([self.seed, epoch]), epoch)
        if not np.isfinite(loss):
            raise Diverged(
                f"The training loss is {loss} in epoch {epoch + 1}; "
                f"take a lower learning rate than {self.config.learning_rate}."
            )
        prob = predicted(self.net, self.held_out)
        correct = self.held_out.correct.astype(float)
        figures = {
            "train_loss": loss,
            "validation_log_loss": metrics.log_loss(correct, prob),
            "validation_auc": _auc_or_chance(correct, prob),
            "learning_rate": float(self.optimizer.param_groups[0]["lr"]),
            "seconds": time.perf_counter() - began,
        }
        self.history.epochs.append(figures)
        if self.history.best == epoch:
            self.best_weights = _copy(self.net.state_dict())
        return figures

    def _learn(self, rng: np.random.Generator, epoch: int) -> float:
        self.net.train()
        turns = list(batches(self.training, self.spans, positions=self.config.positions, rng=rng))
        total, answers = 0.0, 0
        for place, batch in enumerate(turns):
            done = (epoch + place / len(turns)) / self.config.epochs
            rate = float(np.interp(done, np.linspace(0.0, 1.0, len(self.rates)), self.rates))
            for group in self.optimizer.param_groups:
                group["lr"] = self.config.learning_rate * rate
            here = batch.to(device())
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.net.loss(here)
            loss.backward()  # type: ignore[no-untyped-call]
            norm = _l1_norm(self.net)
            nn.utils.clip_grad_norm_(self.net.parameters(), self.config.clip)
            self.optimizer.step()
            count = int(here.scored.sum())
            total, answers = total + float(loss.detach()) * count, answers + count
            self.history.gradient_norms.append(norm)
        return total / max(answers, 1)

    def save(self, folder: Path, fingerprint: str) -> None:
        state = {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best_weights": self.best_weights,
            "epochs": self.history.epochs,
            "gradient_norms": self.history.gradient_norms,
        }
        save_state(folder, state, fingerprint=fingerprint)

    def resume(self, folder: Path, fingerprint: str) -> None:
        state = load_state(folder, fingerprint=fingerprint, device=device())
        if state is None:
            return
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best_weights = state["best_weights"]
        self.history = History(state["epochs"], state["gradient_norms"])


def _refined_rates(
    net: Network,
    training: Sequences,
    held_out: Sequences,
    config: TrainingConfig,
    seed: int,
    settings: Mapping[str, Any] | None,
    folder: Path | None,
) -> NDArray[np.float64]:
    first = _copy(net.state_dict())
    # Every planned step is needed for the curve, so this run does not stop early.
    plain = dataclasses.replace(config, schedule="linear", patience=config.epochs)
    history = train(
        net,
        training=training,
        held_out=held_out,
        config=plain,
        seed=seed,
        settings=settings,
        folder=None if folder is None else folder / "first_run",
    )
    net.load_state_dict(first)
    return learning_rates(config.warm_up, gradient_norms=np.array(history.gradient_norms))


def _l1_norm(net: nn.Module) -> float:
    gradients = [p.grad for p in net.parameters() if p.grad is not None]
    return float(nn.utils.get_total_norm(gradients, norm_type=1.0))


def predicted(
    net: Network, sequences: Sequences, *, positions: int = 32_768
) -> NDArray[np.float64]:
    """Return [R] a network's probabilities, every learner's history whole."""
    prob = np.empty(len(sequences.item))
    net.eval()
    for batch, logits in _asked(net, sequences, positions):
        mask = batch.mask.cpu().numpy()
        prob[batch.row.cpu().numpy()[mask]] = torch.sigmoid(logits.double()).cpu().numpy()[mask]
    return prob


def _asked(net: Network, sequences: Sequences, positions: int) -> Iterator[tuple[Batch, Tensor]]:
    starts = sequences.starts
    spans = np.stack([starts[:-1], starts[1:]], axis=1)
    spans = spans[spans[:, 1] > spans[:, 0]]
    with inference():
        for batch in batches(sequences, spans, positions=positions):
            here = batch.to(device())
            yield here, net(here)


def _auc_or_chance(correct: NDArray[np.float64], prob: NDArray[np.float64]) -> float:
    try:
        return metrics.auc(correct, prob)
    except metrics.OneKindOfAnswer:
        return 0.5


def _groups(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    # A decayed bias or scalar would pull levels to zero that the data have set.
    matrices = [p for p in net.parameters() if p.requires_grad and p.dim() > 1]
    vectors = [p for p in net.parameters() if p.requires_grad and p.dim() <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


def _copy(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in weights.items()}
