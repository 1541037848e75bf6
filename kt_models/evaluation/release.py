"""Judge a network, pooled with the filter, on learners whom neither has learnt from.

One network is to be used. Where its own held-out learners are too few to tell a gain of a few
thousandths of a nat from chance, sisters of it are trained without other learners and judged on
those; what holds of five networks that differ in who was left out holds of the one.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kt_models import api
from kt_models.checkpoints import FittedFilter
from kt_models.data.log import ResponseLog
from kt_models.evaluation import gates, metrics
from kt_models.evaluation.gates import Gate, HeldOut
from kt_models.evaluation.metrics import FloatArray
from kt_models.models.base import AbstractModel
from kt_models.models.folding import offsets_of_answers, sigmoid
from kt_models.streaming.pool import PoolWeights
from kt_models.training import pool_fit, pool_replay, psi_fold
from kt_models.training.pool_replay import Replay

# The next item is chosen in the request that stores an answer, so the prediction that counts then
# has seen all answers but that one.
LAG = 1
# A learner's answer taken in and their next items predicted, in a batch, on the machine that
# trains: a hundred answers a second and core.
BUDGET_MS = 10.0
BATCH, ASKED, GIVEN, ROUNDS = 256, 64, 20, 3
# Answers, and passes over them, that a network learns coin tosses from: whatever leaks is learnt
# first, because nothing else can be.
COIN_ANSWERS, COIN_EPOCHS = 20_000, 2
# Of a network's held-out learners so many answers are looked at; more tell no more.
MOST_ANSWERS = 200_000


@dataclass(frozen=True, slots=True)
class Judged:
    """A network's predictions of its held-out learners.

    Attributes:
        replay: what would have been served of each answer.
        group: [R] class of each answer's learner.
    """

    replay: Replay
    group: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a network is worth beside the filter.

    Attributes:
        pool: weights to be used, fitted on all held-out learners.
        scores: `filter`, `deep`, `pool` -> figures with intervals, see `gates.score`; `lags` -> a
            row for each number of answers missed, with the weight and the log loss.
        gates: conditions for its use.
    """

    pool: PoolWeights
    scores: dict[str, Any]
    gates: tuple[Gate, ...]

    @property
    def passed(self) -> bool:
        """Whether every condition is met."""
        return all(gate.passed for gate in self.gates)


def predict_held_out(
    model: AbstractModel,
    live_filter: FittedFilter,
    kept: ResponseLog,
    *,
    group: NDArray[np.int64],
    seed: int = 0,
) -> Judged:
    """Return what a network and the filter would have said of learners that they have not met.

    Args:
        model: fitted on others.
        live_filter: fitted on the same others.
        kept: the learners' answers; of very many, learners are drawn.
        group: [L] class of each learner.
        seed: of draws.
    """
    if len(kept) > MOST_ANSWERS:
        order = np.random.default_rng(seed).permutation(len(kept.learner_keys))
        held = np.cumsum(np.diff(kept.starts)[order])
        chosen = np.sort(order[: int(np.searchsorted(held, MOST_ANSWERS)) + 1])
        kept, group = kept.only_learners(chosen), group[chosen]
    replay = pool_replay.replay(
        kept, model, live_filter.parameters, offsets=_offsets(live_filter, kept), seed=seed
    )
    return Judged(replay, group[kept.learner])


def judge(
    parts: Sequence[Judged],
    *,
    groups: Sequence[str],
    seed: int = 0,
) -> Verdict:
    """Return the verdict on all that was predicted, but for the gates that need the network.

    Args:
        parts: of the network and its sisters, each of other learners.
        groups: names of the classes.
        seed: of draws.
    """
    whole = _joined([part.replay for part in parts])
    logits = crosswise(whole, seed=seed)
    held = HeldOut(
        correct=whole.correct,
        learner=whole.learner,
        group=np.concatenate([part.group for part in parts]),
        groups=groups,
        by_filter=whole.filter_prob,
        by_deep=whole.deep_prob,
        pooled=sigmoid(logits[:, LAG]),
    )
    pool = dataclasses.replace(
        pool_fit.fit_weights(whole), concepts=pool_fit.fit_concept_weight(whole)
    )
    lags = [
        {"lag": lag, "weight": weight, "log_loss": metrics.log_loss(held.correct, sigmoid(column))}
        for lag, (weight, column) in enumerate(zip(pool.lags, logits.T, strict=True))
    ]
    return Verdict(
        pool=pool,
        scores={**gates.score(held, seed=seed), "lags": lags},
        gates=(
            gates.enough_answers(held),
            gates.gain(held, seed=seed),
            gates.calibration(held, seed=seed),
            gates.classes(held),
        ),
    )


def crosswise(replay: Replay, *, seed: int) -> FloatArray:
    """Return [R, L] pooled logits, those of each half of the learners by weights of the other."""
    names, member = np.unique(replay.learner, return_inverse=True)
    side = (np.random.default_rng(seed).permutation(len(names)) % 2 == 0)[member]
    logits = np.empty(replay.shifts.shape)
    for here in (side, ~side):
        weights = pool_fit.fit_weights(replay.rows(~here))
        logits[here] = pool_fit.pooled_logits(replay.rows(here), weights)
    return logits


def _joined(replays: Sequence[Replay]) -> Replay:
    first = 0
    parts = []
    for one in replays:
        parts.append(dataclasses.replace(one, learner=one.learner + first))
        first += int(one.learner.max(initial=-1)) + 1
    names = [field.name for field in dataclasses.fields(Replay)]
    return Replay(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})


def inspect(
    model: AbstractModel,
    live_filter: FittedFilter,
    kept: ResponseLog,
    *,
    train: ResponseLog,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], object] = lambda *_: None,
) -> tuple[Gate, ...]:
    """Return the gates that look into the network that is to be used: leaks, and time.

    Args:
        model: fitted on `train`.
        live_filter: fitted on `train`.
        kept: answers of other learners.
        train: the answers that were learnt from, whose outcomes coin tosses take the place of.
        settings: that the model was made with.
        seed: of the tosses.
        progress: called with gates done and gates in all.
    """
    progress(0, 3)
    found = [_coins_predicted(model, live_filter, kept, seed)]
    progress(1, 3)
    found.append(_coins_learnt(model.name, settings, train, kept, seed))
    progress(2, 3)
    found.append(measured_latency(model, kept))
    progress(3, 3)
    return tuple(found)


def _tossed(log: ResponseLog, seed: int) -> ResponseLog:
    """Return the log with a coin's outcomes, and no hints that could tell of the real ones."""
    tosses = np.random.default_rng(seed).integers(0, 2, len(log)).astype(float)
    return dataclasses.replace(log, correct=tosses, assisted=np.zeros(len(log), dtype=bool))


def _coins_predicted(
    model: AbstractModel, live_filter: FittedFilter, kept: ResponseLog, seed: int
) -> Gate:
    tossed = _tossed(kept, seed)
    forecasts = psi_fold.forecast_log(
        tossed, live_filter.parameters, offsets=_offsets(live_filter, tossed)
    )
    return gates.coin_tosses(
        tossed.correct,
        {"network": model.predict(tossed), "filter": forecasts.prob},
        name="random-labels",
        of_what="Where coin tosses take the place of the outcomes to be predicted,",
    )


def _coins_learnt(
    name: str,
    settings: Mapping[str, Any] | None,
    train: ResponseLog,
    kept: ResponseLog,
    seed: int,
) -> Gate:
    few = int(np.searchsorted(train.starts, COIN_ANSWERS, side="right")) - 1
    some = train.only_learners(np.arange(max(few, min(10, len(train.learner_keys)))))
    own = dict(settings or {})
    briefly = own | {"training": {**own.get("training", {}), "epochs": COIN_EPOCHS}}
    ignorant = api.fit_model(name, _tossed(some, seed + 1), settings=briefly, seed=seed)
    tossed = _tossed(kept, seed + 2)
    return gates.coin_tosses(
        tossed.correct,
        {"network": ignorant.predict(tossed)},
        name="random-labels-learnt",
        of_what="Where the same network is trained on coin tosses and predicts coin tosses,",
    )


def measured_latency(model: AbstractModel, kept: ResponseLog) -> Gate:
    """Return the gate of time: of `BATCH` learners an answer each, and `ASKED` items predicted."""
    batch = kept.only_learners(np.arange(BATCH) % len(kept.learner_keys))
    last = np.repeat(np.diff(batch.starts) - 1, np.diff(batch.starts))
    states = model.advance(model.init(BATCH), batch.only_answers(batch.position < GIVEN))
    nexts = batch.only_answers(batch.position == np.minimum(GIVEN, last))
    known = np.flatnonzero(model.vocabulary.item_sets >= 0)
    items = np.tile(np.resize(known, ASKED), (BATCH, 1))
    shown_at = np.full(BATCH, float(kept.answered_at.max(initial=0.0)))
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        model.predict_each(model.advance(states, nexts), items=items, shown_at=shown_at)
        took.append(time.perf_counter() - began)
    return gates.latency(
        ms_per_learner=1000.0 * min(took) / BATCH, budget_ms=BUDGET_MS, batch=BATCH
    )


def _offsets(live_filter: FittedFilter, log: ResponseLog) -> FloatArray:
    """Return [R] the filter's offset of each answer's item, by what it knows."""
    item, concept = live_filter.item_offsets, live_filter.concept_offsets
    return offsets_of_answers(
        log,
        item=np.array([item.get(key, np.nan) for key in log.item_keys]),
        concept=np.array([concept.get(key, live_filter.intercept) for key in log.concept_keys]),
        unknown=live_filter.intercept,
    )
