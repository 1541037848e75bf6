"""Pictures of runs: learning curves, reliability, AUC by length of history."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kt_models.evaluation import metrics
from kt_models.evaluation.power_law import MoreLearners
from kt_models.runs.comparing import Evaluation
from kt_models.runs.files import CannotWrite, writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Draw the runs over each other and write the picture.

    Args:
        evaluations: one or more; each with all the folds that it has.
        path: where to; its ending says the format.

    Raises:
        CannotWrite: the file cannot be written, or the format is unknown.
    """
    plt = _pyplot()
    figure, (learning, calibration, length) = plt.subplots(1, 3, figsize=(15, 4.5))
    try:
        for one in evaluations:
            _learning(learning, one)
            _reliability(calibration, one)
            _positions(length, one)
        _label(learning, "Learning", "epoch", "log loss (nats)")
        _label(calibration, "Reliability", "predicted", "share right")
        calibration.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=":")
        _label(length, "AUC by history", "earlier answers of the learner", "AUC")
        length.set_xscale("symlog", linthresh=1)
        length.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
        figure.tight_layout()
        _save(figure, path)
    finally:
        plt.close(figure)


def plot_learning_curve(found: MoreLearners, path: Path, *, name: str) -> None:
    """Draw error over training learners with the fitted power law, and write the picture.

    Raises:
        CannotWrite: the file cannot be written, or the format is unknown.
    """
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(6, 4.5))
    try:
        axes.plot(found.sizes, found.errors, "o", label=name)
        most = max(found.sizes)
        learners = np.geomspace(min(found.sizes), 4.0 * most, 100)
        law = f"{found.law.a:.3g} n^-{found.law.b:.2f} + {found.law.c:.3f}"
        axes.plot(learners, [found.law.error(n) for n in learners], linestyle="--", label=law)
        axes.axvline(most, color="grey", linewidth=0.8, linestyle=":")
        axes.set_xscale("log")
        _label(axes, "Error over learners", "training learners", "log loss (nats)")
        figure.tight_layout()
        _save(figure, path)
    finally:
        plt.close(figure)


def _pyplot() -> Any:
    import matplotlib as mpl  # noqa: PLC0415

    # No screen is needed, and none is asked for.
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    return plt


def _save(figure: Any, path: Path) -> None:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            figure.savefig(path, dpi=120)
        except ValueError as error:
            raise CannotWrite(f"{path}: {error}.") from error


def _learning(axes: "Axes", one: Evaluation) -> None:
    steps = [step for step in one.curves if "validation_log_loss" in step]
    if not steps:
        return
    # Not the step's own number: a model of several parts counts the steps of all of them.
    epochs = range(1, len(steps) + 1)
    held_out = [step["validation_log_loss"] for step in steps]
    (line,) = axes.plot(epochs, held_out, label=f"{one.model}, validation")
    training = [step["train_loss"] for step in steps]
    axes.plot(epochs, training, color=line.get_color(), linestyle="--", label="training")


def _reliability(axes: "Axes", one: Evaluation) -> None:
    answers = one.whole(sorted(one.answers))
    bins = metrics.reliability(answers.correct, answers.prob)
    axes.plot([b.prob for b in bins], [b.right for b in bins], marker=".", label=one.model)


def _positions(axes: "Axes", one: Evaluation) -> None:
    answers = one.whole(sorted(one.answers))
    parts = metrics.auc_by_position(answers.correct, answers.prob, answers.position)
    shown = [(part.first, part.auc) for part in parts if part.auc is not None]
    axes.plot([x for x, _ in shown], [y for _, y in shown], marker=".", label=one.model)


def _label(axes: "Axes", title: str, across: str, up: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="small")
