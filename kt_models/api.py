"""The door to kt_models for programs that run models, the tutor's worker and commands among them.

The web process does not come here: it imports `kt_models.streaming` alone, which needs only numpy.
Importing this module is as light; what needs scipy or numba is loaded by the call that uses it.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kt_models.checkpoints import FittedFilter, Provenance, load_filter, save_filter
from kt_models.data.csv_log import LogUnreadable, read_csv
from kt_models.data.log import ResponseLog, build_log, shown_times
from kt_models.errors import KTModelError, ShapeMismatch, UnreadableModel
from kt_models.streaming import psi_filter
from kt_models.streaming.psi_filter import FilterParameters, FilterState
from kt_models.training.passing import FoldedLearner, PassingRule

if TYPE_CHECKING:
    from kt_models.models.base import AbstractModel
    from kt_models.training.pool_fit import PoolFit

__all__ = [
    "DEEP_MODELS",
    "FilterParameters",
    "FilterState",
    "FittedFilter",
    "FoldedLearner",
    "KTModelError",
    "LogUnreadable",
    "PassingRule",
    "Provenance",
    "ResponseLog",
    "ShapeMismatch",
    "UnreadableModel",
    "build_log",
    "fit_filter",
    "fit_model",
    "fit_pool",
    "fold_and_pass",
    "fold_learners",
    "load_filter",
    "model_from_bytes",
    "model_to_bytes",
    "read_csv",
    "save_filter",
    "shown_times",
]

# Below this many answers the streaming filter is done before compiled code is even loaded.
STREAMED_ANSWERS = 100_000
# Models that may stand beside the filter: each follows every learner by a state of its own.
DEEP_MODELS = (
    *("cakt-item", "dkt", "psi-kt", "psi-filter-graph", "cakt", "ensemble"),
    # Their states are hundreds of kilobytes a learner: they keep keys and values of a long window.
    *("simplekt", "akt"),
)


def fit_filter(
    log: ResponseLog,
    *,
    seed: int,
    fitted_on: dt.date,
    progress: Callable[[int], object] | None = None,
) -> FittedFilter:
    """Return the psi-filter fitted to a log; see `kt_models.training.psi_filter.fit_filter`."""
    from kt_models.training import psi_filter as training  # noqa: PLC0415

    return training.fit_filter(log, seed=seed, fitted_on=fitted_on, progress=progress)


def fit_model(
    name: str,
    log: ResponseLog,
    *,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    folder: Path | None = None,
    progress: Callable[[int, int, Mapping[str, float]], object] | None = None,
) -> "AbstractModel":
    """Return a model fitted to a log; loads torch.

    Args:
        name: one of `DEEP_MODELS`.
        log: of the training learners.
        settings: laid over the model's usual configuration.
        seed: of the split, the first weights and the order of batches.
        folder: where the fit keeps what it needs to go on after it was killed; None keeps nothing.
        progress: called after every step with steps done, steps planned and what was measured.

    Raises:
        UnknownName: there is no such model.
        ImpossibleSetting: the model has no such setting, or it cannot have that value.
        NothingToSplit: fewer than two learners.
    """
    from kt_models.models.base import Fitting, Step  # noqa: PLC0415
    from kt_models.runs.making_models import make_model  # noqa: PLC0415

    def report(step: Step) -> None:
        if progress is not None:
            progress(step.done, step.total, step.figures)

    model = make_model(name, settings)
    model.fit(log, Fitting(seed=seed, folder=folder, progress=report))
    return model


def fit_pool(
    log: ResponseLog,
    deep: "AbstractModel",
    parameters: FilterParameters,
    *,
    offsets: NDArray[np.float64],
    offset_vars: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> "PoolFit":
    """Return how much a deep model's shifts of the filter are to count, and what that is worth.

    Args:
        log: of learners whom neither the model nor the filter (scalars and offsets) has learnt
            from, at least two; only answers that count.
        deep: fitted.
        parameters: the filter's scalars.
        offsets: [R] logit offset of each answer's item.
        offset_vars: [R] variances of the offsets, finite; 0 by default.
        seed: of what is drawn to judge the weights.

    Raises:
        ShapeMismatch: the arrays differ in length.
        NothingToSplit: fewer than two learners.
        OneKindOfAnswer: all answers are right, or all wrong.
    """
    from kt_models.training import pool_fit, pool_replay  # noqa: PLC0415

    served = pool_replay.replay(
        log, deep, parameters, offsets=offsets, offset_vars=offset_vars, seed=seed
    )
    return pool_fit.fit_pool(served, seed=seed)


def model_to_bytes(
    model: "AbstractModel", *, provenance: Mapping[str, Any]
) -> tuple[dict[str, Any], bytes]:
    """Return a fitted model as JSON values and bytes; see `kt_models.saved_models`."""
    from kt_models import saved_models  # noqa: PLC0415 - safetensors

    return saved_models.model_to_bytes(model, provenance=provenance)


def model_from_bytes(
    description: Mapping[str, Any], weights: bytes, *, origin: str
) -> "AbstractModel":
    """Return the model that `model_to_bytes` wrote, ready to predict.

    Raises:
        UnreadableModel: it is of another kind or format, or damaged; the message says which.
    """
    from kt_models import saved_models  # noqa: PLC0415 - safetensors
    from kt_models.models import MODELS  # noqa: PLC0415 - torch

    return saved_models.model_from_bytes(description, weights, MODELS, origin=origin)


def fold_learners(
    parameters: FilterParameters,
    *,
    starts: NDArray[np.int64],
    concepts: NDArray[np.int64],
    item_offsets: NDArray[np.float64],
    correct: NDArray[np.float64],
    answered_at: NDArray[np.float64],
    assisted: NDArray[np.bool_],
) -> list[FilterState]:
    """Return the states of L learners after their answers.

    Byte for byte what `psi_filter.update` gives, answer after answer, from `psi_filter.init`.

    Args:
        parameters: the filter's scalars.
        starts: [L + 1]; learner l has the answers starts[l] to starts[l + 1] - 1, in order.
        concepts: [R, M] concept ids of each answer's item, padded with -1.
        item_offsets: [R] logit offsets of the items.
        correct: [R] 0 to 1.
        answered_at: [R] epoch seconds.
        assisted: [R] whether hints were seen before the answer.

    Raises:
        ShapeMismatch: an answer has no concept, or the arrays differ in length.
    """
    _require_fit(starts, concepts, item_offsets, correct, answered_at, assisted)
    if len(correct) < STREAMED_ANSWERS:
        return _stream(parameters, starts, concepts, item_offsets, correct, answered_at, assisted)
    from kt_models.training import psi_fold  # noqa: PLC0415

    return psi_fold.fold_states(
        parameters,
        starts=starts,
        concepts=concepts,
        offsets=item_offsets,
        correct=correct,
        answered_at=answered_at,
        assisted=assisted,
    )


def fold_and_pass(  # noqa: PLR0913 - one column of the log each
    parameters: FilterParameters,
    *,
    starts: NDArray[np.int64],
    concepts: NDArray[np.int64],
    item_offsets: NDArray[np.float64],
    correct: NDArray[np.float64],
    answered_at: NDArray[np.float64],
    assisted: NDArray[np.bool_],
    rule: PassingRule,
    item_vars: NDArray[np.float64] | None = None,
) -> list[FoldedLearner]:
    """Return the states of L learners and the concepts that each passed on the way, compiled.

    Args:
        parameters: the filter's scalars.
        starts: see `fold_learners`, as for all arrays that follow.
        concepts: [R, M].
        item_offsets: [R].
        correct: [R].
        answered_at: [R].
        assisted: [R].
        rule: when a concept counts as passed; asked right after every answer to it.
        item_vars: [R] variances of the offsets, inf where an answer is not counted; 0 by default.

    Raises:
        ShapeMismatch: an answer has no concept, or the arrays differ in length.
        KeyError: the rule has no reference offset for a concept.
    """
    _require_fit(starts, concepts, item_offsets, correct, answered_at, assisted)
    from kt_models.training import psi_fold  # noqa: PLC0415

    return psi_fold.fold_learners(
        parameters,
        starts=starts,
        concepts=concepts,
        offsets=item_offsets,
        correct=correct,
        answered_at=answered_at,
        assisted=assisted,
        offset_vars=item_vars,
        rule=rule,
    )


def _require_fit(
    starts: NDArray[np.int64],
    concepts: NDArray[np.int64],
    item_offsets: NDArray[np.float64],
    correct: NDArray[np.float64],
    answered_at: NDArray[np.float64],
    assisted: NDArray[np.bool_],
) -> None:
    count = len(correct)
    arrays = (concepts, item_offsets, answered_at, assisted)
    if any(len(array) != count for array in arrays) or concepts.ndim != 2:
        raise ShapeMismatch("concepts [R, M], and one value per answer in every other array.")
    if len(starts) < 1 or starts[0] != 0 or starts[-1] != count:
        raise ShapeMismatch("starts must run from 0 to the number of answers.")
    if count and not (concepts >= 0).any(axis=1).all():
        raise ShapeMismatch("An answer has no concept; give each at least one id >= 0.")


def _stream(
    parameters: FilterParameters,
    starts: NDArray[np.int64],
    concepts: NDArray[np.int64],
    item_offsets: NDArray[np.float64],
    correct: NDArray[np.float64],
    answered_at: NDArray[np.float64],
    assisted: NDArray[np.bool_],
) -> list[FilterState]:
    named = [tuple(k for k in ids if k >= 0) for ids in concepts.tolist()]
    per_answer = (item_offsets.tolist(), correct.tolist(), answered_at.tolist(), assisted.tolist())
    answers = list(zip(named, *per_answer, strict=True))
    states = []
    for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        state = psi_filter.init(parameters)
        for ids, offset, right, at, helped in answers[first:last]:
            state = psi_filter.update(
                state,
                parameters,
                concept_ids=ids,
                item_offset=offset,
                correct=right,
                at=at,
                assisted=helped,
            )
        states.append(state)
    return states
