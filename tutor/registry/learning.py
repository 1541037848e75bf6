"""Train a network on a course's log, judge it on learners kept aside, make a candidate of it.

The door to kt_models' deep models, for workers and commands; it loads torch. The web process never
comes here.
"""

import dataclasses
import datetime as dt
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kt_models import api
from kt_models.evaluation import release
from kt_models.models.base import AbstractModel
from kt_models.runs import making_models
from kt_models.training.resuming import CannotResume
from tutor.registry import networks, selectors, services, snapshots
from tutor.registry.errors import TooFewAnswers, TrainingImpossible
from tutor.registry.models import Network, TracerVersion, TrainingJob
from tutor.registry.training import MINIMUM_ANSWERS, MINIMUM_LEARNERS

logger = logging.getLogger(__name__)

# Told the step that begins, and how many parts of how many of it are done.
Tell = Callable[[str, int, int], object]
READING, FILTER = "reading the log", "fitting the filter"
TRAINING = "training network"
JUDGING, INSPECTING = "judging it on learners kept aside", "looking for leaks"
# Held-out answers that tell half a thousandth of a nat from chance. Where one fifth of the learners
# has not so many, networks that were trained without another fifth tell too.
TELLING_ANSWERS = 100_000


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training found."""

    model: AbstractModel
    verdict: release.Verdict
    snapshot: Mapping[str, Any]
    folds: int
    seconds: float


def learn(
    *,
    job: TrainingJob,
    folder: Path,
    at: dt.datetime,
    tell: Tell,
    note: Callable[[Mapping[str, Any]], object],
) -> Trained:
    """Return the network that the job asks for, and what it is worth.

    Killed and called again with the same folder and the row as it was noted, it goes on after the
    last epoch and ends with the very same weights. Where the log cannot be read again as it was, it
    begins anew.

    Args:
        job: the row.
        folder: where the network's state is kept after every epoch.
        at: the present, for the provenance.
        tell: called as the work goes on; what it raises ends the work.
        note: called with what was read, before anything is learnt.

    Raises:
        TooFewAnswers: the log says too little about anybody.
        TrainingImpossible: kt_models refuses the model, its settings or the log, and says why.
    """
    tell(READING, 0, 0)
    snapshot = _read(job, folder, note)
    try:
        return _learn(job, folder, snapshot, at, tell)
    except CannotResume:
        # Of other code: what is kept helps nobody any more.
        logger.warning("Training %s begins anew: what it had kept does not fit.", job.pk)
        shutil.rmtree(folder, ignore_errors=True)
        snapshot = snapshots.keep_classes(snapshot, folder=folder)
        return _learn(job, folder, snapshot, at, tell)
    except api.KTModelError as error:
        raise TrainingImpossible(str(error), model=job.model) from error


def _read(
    job: TrainingJob, folder: Path, note: Callable[[Mapping[str, Any]], object]
) -> snapshots.Snapshot:
    if job.model not in api.DEEP_MODELS:
        known = ", ".join(api.DEEP_MODELS)
        raise TrainingImpossible(f"No network is called {job.model}; there are {known}.")
    snapshot = snapshots.take(course=job.course, pinned=job.snapshot)
    if job.snapshot is not None and snapshot.pinned != job.snapshot:
        shutil.rmtree(folder, ignore_errors=True)
        snapshot = snapshots.take(course=job.course)
    log = snapshot.log
    if len(log) < MINIMUM_ANSWERS or len(log.learner_keys) < MINIMUM_LEARNERS:
        raise TooFewAnswers(
            f"{len(log)} answers of {len(log.learner_keys)} learners are too few to learn from; "
            f"it takes {MINIMUM_ANSWERS} of {MINIMUM_LEARNERS}.",
            answers=len(log),
            learners=len(log.learner_keys),
        )
    if snapshot.pinned != job.snapshot:
        note(snapshot.pinned)
    return snapshots.keep_classes(snapshot, folder=folder)


def _learn(
    job: TrainingJob, folder: Path, snapshot: snapshots.Snapshot, at: dt.datetime, tell: Tell
) -> Trained:
    began = time.perf_counter()
    folds = snapshots.deal_out(snapshot, seed=job.seed)[: _needed(snapshot)]
    everybody = np.arange(len(snapshot.log.learner_keys))
    judged: list[release.Judged] = []
    used: _Fold | None = None
    for number, aside in enumerate(folds):
        train = snapshot.log.only_learners(np.setdiff1d(everybody, aside))
        fold = _fit(job, folder, train, at, tell, (number, len(folds)))
        used = used or fold
        tell(JUDGING, number, len(folds))
        kept = snapshot.log.only_learners(aside)
        judged.append(
            release.predict_held_out(
                fold.model, fold.live_filter, kept, group=snapshot.group[aside], seed=job.seed
            )
        )
    assert used is not None  # noqa: S101 - there is always a first fold
    verdict = release.judge(judged, groups=snapshot.groups, seed=job.seed)
    looked_at = release.inspect(
        used.model,
        used.live_filter,
        snapshot.log.only_learners(folds[0]),
        train=used.train,
        settings=job.settings,
        seed=job.seed,
        progress=lambda done, total: tell(INSPECTING, done, total),
    )
    return Trained(
        model=used.model,
        verdict=dataclasses.replace(verdict, gates=(*verdict.gates, *looked_at)),
        snapshot=snapshot.pinned,
        folds=len(folds),
        seconds=time.perf_counter() - began,
    )


def _needed(snapshot: snapshots.Snapshot) -> int:
    """Return how many networks are trained, each judged on another fifth of the learners."""
    each = max(len(snapshot.log) // snapshots.FOLDS, 1)
    return min(snapshots.FOLDS, -(-TELLING_ANSWERS // each))


@dataclass(frozen=True, slots=True)
class _Fold:
    model: AbstractModel
    live_filter: api.FittedFilter
    train: api.ResponseLog


def _fit(
    job: TrainingJob,
    folder: Path,
    train: api.ResponseLog,
    at: dt.datetime,
    tell: Tell,
    place: tuple[int, int],
) -> _Fold:
    number, count = place
    tell(FILTER, number, count)
    live_filter = api.fit_filter(train, seed=job.seed, fitted_on=at.date())
    tell(f"{TRAINING}, {number + 1} of {count}", 0, 0)
    model = api.fit_model(
        job.model,
        train,
        settings=job.settings,
        seed=job.seed,
        # A killed training finds the folds that were done, and fits them no more.
        folder=folder / f"fold-{number}",
        progress=lambda done, total, _: tell(f"{TRAINING}, {number + 1} of {count}", done, total),
    )
    return _Fold(model, live_filter, train)


def store(*, job: TrainingJob, trained: Trained) -> tuple[Network, TracerVersion | None]:
    """Return the network and the candidate, both stored: the live tracer version with it in.

    Without a live version there is no candidate. Where the pool gives the network no weight there
    is one, which estimates as the live version does; the gates judge it.
    """
    verdict = trained.verdict
    network = networks.store_network(
        course=job.course,
        model=trained.model,
        provenance={
            "snapshot": dict(trained.snapshot),
            "held_out": 1.0 / snapshots.FOLDS,
            "judged_with": trained.folds,
            "seed": job.seed,
            "settings": job.settings,
            "seconds": round(trained.seconds, 1),
            "scores": verdict.scores,
        },
    )
    live = selectors.get_live_tracer(course_id=job.course_id)
    if live is None:
        return network, None
    deep = {"network": network.pk, "sha256": network.sha256, "pool": verdict.pool.to_dict()}
    return network, services.store_tracer(
        course=job.course,
        body={**live.body, "deep": deep},
        provenance={
            # Without its seconds: no filter was fitted that estimates could be made from.
            **{name: told for name, told in live.provenance.items() if name != "seconds"},
            "based_on": live.number,
            "network": network.number,
        },
    )


def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Return a model's settings from texts like `training.epochs=30`.

    Raises:
        TrainingImpossible: a text is no setting.
    """
    try:
        return making_models.parse_settings(texts)
    except api.KTModelError as error:
        raise TrainingImpossible(str(error)) from error


def gates_of(trained: Trained) -> list[dict[str, Any]]:
    """Return the gates as JSON values."""
    return [_plain(dataclasses.asdict(gate)) for gate in trained.verdict.gates]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(own) for own in value]
    if isinstance(value, np.generic):
        return value.item()
    return value
