"""Runs held against each other on the very same answers."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kt_models.errors import KTModelError
from kt_models.evaluation import metrics, resampling
from kt_models.evaluation.figures import ScoredAnswers
from kt_models.evaluation.resampling import RESAMPLES, Interval
from kt_models.runs.benchmark import CANDIDATES, chosen_run
from kt_models.runs.folder import RUN, RunFolder
from kt_models.runs.predictions import NPZ, read_answers

COMPARED = {"auc": metrics.auc, "log_loss": metrics.log_loss, "brier": metrics.brier}


class NotComparable(KTModelError):
    """Runs were not asked the same answers, or left no predictions."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation, or the folds of one model in a benchmark.

    Attributes:
        name: the folder's.
        model: the model's.
        answers: by fold; one under -1 where the run stands alone.
        curves: steps of the fit of the first fold.
    """

    name: str
    model: str
    answers: dict[int, ScoredAnswers]
    curves: list[dict[str, float]]

    def whole(self, folds: Sequence[int]) -> ScoredAnswers:
        """Return the answers of some folds as one, with learners kept apart."""
        parts, shift = [], 0
        for fold in folds:
            part = self.answers[fold]
            parts.append(dataclasses.replace(part, learner=part.learner + shift))
            shift += int(part.learner.max(initial=-1)) + 1
        names = [f.name for f in dataclasses.fields(ScoredAnswers)]
        return ScoredAnswers(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        )


def read_evaluation(path: Path) -> Evaluation:
    """Return the evaluation in a run's folder, or in that of a model's folds.

    Of a fold whose settings are chosen among candidates it is the chosen run that counts, whatever
    else lies in its folder; a fold of which a candidate is missing is left out.

    Raises:
        RunUnreadable: the folder holds neither, or something in it is damaged.
        NotComparable: no run in it is finished.
    """
    folds = {int(one.name.split("-")[1]): one for one in path.glob("fold-*") if one.is_dir()}
    if not folds or (path / RUN).is_file():
        # What is no run at all is refused by what it lacks.
        if not (path / CANDIDATES).is_file():
            RunFolder(path).description()
        folds = {-1: path}
    found = {fold: chosen_run(place) for fold, place in sorted(folds.items())}
    done = {
        fold: run for fold, run in found.items() if run is not None and (run.path / NPZ).is_file()
    }
    if not done:
        raise NotComparable(f"{path} holds no predictions; is it a finished evaluation?")
    first = next(iter(done.values()))
    answers = {fold: read_answers(run.path) for fold, run in done.items()}
    return Evaluation(str(path), first.description().model, answers, first.curves())


def common_folds(evaluations: Sequence[Evaluation]) -> list[int]:
    """Return the folds that all evaluations have, which must be of the same answers.

    Raises:
        NotComparable: there is none, or they are of other answers.
    """
    folds = sorted(set.intersection(*(set(one.answers) for one in evaluations)))
    if not folds:
        names = ", ".join(one.name for one in evaluations)
        raise NotComparable(f"No fold is finished in all of {names}.")
    for fold in folds:
        hashes = [one.answers[fold].sha256() for one in evaluations]
        for one, found in zip(evaluations, hashes, strict=True):
            if found != hashes[0]:
                raise NotComparable(
                    f"{one.name} was asked other answers than {evaluations[0].name}: "
                    "compare runs of one log, protocol, fold and seed."
                )
    return folds


def compare(
    evaluations: Sequence[Evaluation], *, seed: int, resamples: int = RESAMPLES
) -> dict[str, dict[str, dict[str, Interval]]]:
    """Return name -> metric -> its value, and the difference to the first evaluation.

    Differences are paired: both models are resampled together, learner by learner.

    Args:
        evaluations: two or more, of the same answers; folds that not all have are left out.
        seed: of the bootstrap.
        resamples: of it.

    Raises:
        NotComparable: they were not asked the same answers.
    """
    folds = common_folds(evaluations)
    first = evaluations[0].whole(folds)
    shared: dict[str, Any] = {
        "correct": first.correct,
        "learner": first.learner,
        "seed": seed,
        "resamples": resamples,
    }
    found: dict[str, dict[str, dict[str, Interval]]] = {}
    for place, one in enumerate(evaluations):
        prob = one.whole(folds).prob
        rows: dict[str, dict[str, Interval]] = {}
        for name, metric in COMPARED.items():
            rows[name] = {"value": resampling.by_learner(metric, prob=prob, **shared)}
            if place:
                rows[name]["difference"] = resampling.paired(
                    metric, prob=prob, other=first.prob, **shared
                )
        found[one.name] = rows
    return found
