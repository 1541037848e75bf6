"""CAKT on the splits it was published on, by the published protocol, beside the paper's figures.

    .venv/bin/python -m tests.benchmarks.cakt_legacy run SET VARIANT [--branch BRANCH] \\
        [--epochs N] [--positions N] --data DIR --runs RUNS
    .venv/bin/python -m tests.benchmarks.cakt_legacy report --runs RUNS

SET is assist2009, assist2015, assist2017 or statics, VARIANT is paper or code, DIR holds the
published splits, BRANCH is what stands in place of the convolutions (see CaktConfig). A run writes
RUNS/SET-VARIANT-BRANCH/metrics.json after every epoch and goes on where a killed one stopped.
`report` gathers what is there into docs/benchmarks/cakt_legacy.json and its section; a run of the
JSON that is not in RUNS stays as it was measured before.

Two figures of each run: `honest_auc`, the test AUC at the epoch that validation learners chose, and
`best_epoch_on_test_auc`, the highest test AUC of all epochs, as the published program reports it.
"""

import argparse
import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch import nn

from kt_models.data.legacy_splits import (
    LEGACY_SETS,
    LegacySet,
    read_legacy_split,
    split_off_validation,
)
from kt_models.data.log import ResponseLog
from kt_models.data.vocabulary import Vocabulary
from kt_models.evaluation import metrics
from kt_models.models.cakt import Branch, CaktConfig, CaktNetwork, published_program
from kt_models.training import trainer
from kt_models.training.sequences import Sequences, batches, encode, windows
from tests.benchmarks.cakt_legacy_report import write_report
from tests.benchmarks.product.circumstances import measured

SEED = 0
VARIANTS = {"paper": CaktConfig(), "code": published_program()}


@dataclass(frozen=True, slots=True)
class Recipe:
    """The published training: Adam at 1e-3, times 0.3 every five epochs, L2 (program's value)."""

    epochs: int = 10
    learning_rate: float = 1e-3
    fall: float = 0.3
    every: int = 5
    betas: tuple[float, float] = (0.9, 0.99)
    l2: float = 1e-5
    positions: int = 800


@dataclass(frozen=True, slots=True)
class Parts:
    """Encoded answers: to learn from, to choose the epoch by, and to report."""

    train: Sequences
    validation: Sequences
    test: Sequences


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "report"))
    parser.add_argument("set", choices=LEGACY_SETS, nargs="?")
    parser.add_argument("variant", choices=VARIANTS, nargs="?")
    parser.add_argument("--branch", choices=get_args(Branch), default="conv3d")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=Recipe().epochs)
    # Answers of a batch at most, padding included: runs are compared at the same number alone.
    parser.add_argument("--positions", type=int, default=Recipe().positions)
    given = parser.parse_args()
    if given.what == "report":
        write_report(given.runs)
        return
    torch.set_num_threads(1)
    kind, config = LEGACY_SETS[given.set], VARIANTS[given.variant]
    config = dataclasses.replace(config, branch=given.branch)
    parts, concepts = load(given.data, kind)
    torch.manual_seed(SEED)
    run(
        CaktNetwork(config, concepts=concepts).to(trainer.device()),
        parts,
        recipe=Recipe(epochs=given.epochs, positions=given.positions),
        folder=given.runs / f"{given.set}-{given.variant}-{given.branch}",
    )


def load(data: Path, kind: LegacySet) -> tuple[Parts, int]:
    """Return the parts and the number of concepts, which both files of a set share."""
    split = read_legacy_split(data, kind)
    train, validation = split_off_validation(split.train, seed=SEED)
    # Concepts are numbered by both files together, as the published program numbers them.
    everything = [train, validation, split.test]
    vocabulary = Vocabulary.of(train)
    encoded = [_encoded(log, vocabulary) for log in everything]
    return Parts(*encoded), len(train.concept_sets)


def _encoded(log: ResponseLog, vocabulary: Vocabulary) -> Sequences:
    found = encode(vocabulary.align(log), vocabulary)
    return dataclasses.replace(found, concept_set=log.concept_set + 1)


def run(net: CaktNetwork, parts: Parts, *, recipe: Recipe, folder: Path) -> None:
    """Train and judge epoch by epoch; all that is known so far is on disk after each."""
    folder.mkdir(parents=True, exist_ok=True)
    require_same_recipe(folder / "metrics.json", recipe)
    optimizer = torch.optim.Adam(
        net.parameters(), lr=recipe.learning_rate, betas=recipe.betas, weight_decay=recipe.l2
    )
    epochs = _resume(net, optimizer, folder)
    while len(epochs) < recipe.epochs:
        began = time.perf_counter()
        epoch = len(epochs)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * recipe.fall ** (epoch // recipe.every)
        loss = _learn(net, optimizer, parts.train, recipe, epoch)
        learnt = time.perf_counter()
        figures = {"train_loss": loss} | _judged(net, parts.validation, "validation")
        figures |= _judged(net, parts.test, "test")
        figures["train_seconds"] = learnt - began
        figures["judging_seconds"] = time.perf_counter() - learnt
        epochs.append({name: round(value, 5) for name, value in figures.items()})
        _save(net, optimizer, epochs, folder)
        result = {"config": dataclasses.asdict(net.config), "recipe": dataclasses.asdict(recipe)}
        counts = {name: len(getattr(parts, name).item) for name in ("train", "validation", "test")}
        result |= {"answers": counts, "epochs": epochs, "measured": measured()}
        (folder / "metrics.json").write_text(json.dumps(result, indent=1) + "\n")
        print(json.dumps(epochs[-1]), flush=True)


def require_same_recipe(path: Path, recipe: Recipe) -> None:
    """Refuse to go on with a run of another recipe; more epochs are the same run for longer.

    Raises:
        SystemExit: saying what differs.
    """
    if not path.is_file():
        return
    before = json.loads(path.read_text())["recipe"]
    now = json.loads(json.dumps(dataclasses.asdict(recipe)))
    other = [name for name in now if name != "epochs" and now[name] != before[name]]
    if other:
        told = ", ".join(f"{name} = {before[name]}" for name in other)
        raise SystemExit(f"{path} is of a run with {told}: name other --runs.")


def _learn(
    net: CaktNetwork,
    optimizer: torch.optim.Optimizer,
    train: Sequences,
    recipe: Recipe,
    epoch: int,
) -> float:
    net.train()
    rng = np.random.default_rng([SEED, epoch])
    spans = windows(train.starts, longest=10_000, context=0)
    total, answers = 0.0, 0
    for batch in batches(train, spans, positions=recipe.positions, rng=rng):
        here = batch.to(trainer.device())
        # The published network predicts from the second answer on.
        scored = here.mask & (here.step > 0)
        losses = nn.functional.binary_cross_entropy_with_logits(
            net(here)[scored], here.correct[scored]
        )
        optimizer.zero_grad(set_to_none=True)
        losses.backward()
        optimizer.step()
        count = int(scored.sum())
        total, answers = total + float(losses.detach()) * count, answers + count
    return total / answers


def _judged(net: CaktNetwork, part: Sequences, name: str) -> dict[str, float]:
    prob = trainer.predicted(net, part, positions=8192)
    scored = part.step > 0
    correct = part.correct[scored].astype(float)
    return {
        f"{name}_auc": metrics.auc(correct, prob[scored]),
        f"{name}_log_loss": metrics.log_loss(correct, prob[scored]),
    }


def _save(
    net: CaktNetwork,
    optimizer: torch.optim.Optimizer,
    epochs: list[dict[str, float]],
    folder: Path,
) -> None:
    state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epochs": epochs}
    torch.save(state, folder / "state.part")
    (folder / "state.part").replace(folder / "state.pt")


def _resume(
    net: CaktNetwork, optimizer: torch.optim.Optimizer, folder: Path
) -> list[dict[str, float]]:
    path = folder / "state.pt"
    if not path.is_file():
        return []
    state = torch.load(path, weights_only=True, map_location=trainer.device())
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    epochs: list[dict[str, float]] = state["epochs"]
    return epochs


if __name__ == "__main__":
    main()
