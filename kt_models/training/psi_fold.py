"""Folding many learners at once: forecasts of a log, and states equal to the streaming ones."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog
from kt_models.errors import ShapeMismatch
from kt_models.streaming import psi_core
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.streaming.psi_reading import LOWER_QUANTILE
from kt_models.streaming.psi_state import COLUMNS, FilterState
from kt_models.training import psi_kernel
from kt_models.training.passing import PASSING_MARGIN, FoldedLearner, PassingRule

# Dense tables of learners x concepts are folded in pieces of this many rows, which fit a cache.
TABLE_ROWS = 20_000
# Practice counts whose damping is computed once; few learners practise a concept more often.
DAMPED = 200
# Concept ids up to here are ranked through a table, larger ones by search.
TABLE_IDS = 4_000_000


@dataclass(frozen=True, slots=True)
class Forecasts:
    """What the filter expected of each answer when its item was shown, [R] each."""

    logit_mean: NDArray[np.float64]
    logit_var: NDArray[np.float64]

    @property
    def prob(self) -> NDArray[np.float64]:
        """P(right answer | the learner's earlier answers), [R]."""
        shrunk = self.logit_mean / np.sqrt(1.0 + np.pi / 8.0 * self.logit_var)
        return 0.5 * (1.0 + np.tanh(0.5 * shrunk))


def forecast_log(
    log: ResponseLog,
    parameters: FilterParameters,
    *,
    offsets: NDArray[np.float64],
    learners: NDArray[np.int64] | None = None,
    offset_vars: NDArray[np.float64] | None = None,
) -> Forecasts:
    """Return prequential forecasts of every answer; nan for learners not asked for.

    Args:
        log: the answers.
        parameters: the filter's scalars.
        offsets: [R] logit offset of each answer's item.
        learners: the learners to fold; all by default.
        offset_vars: [R] variances of the offsets; 0 by default.
    """
    chosen = np.arange(len(log.learner_keys)) if learners is None else learners
    answers = _answers_of(log, parameters, offsets)
    if offset_vars is not None:
        answers = answers._replace(offset_var=offset_vars)
    forecasts = np.full((len(log), 2), np.nan)
    rows = np.empty((len(log.concept_keys), COLUMNS))
    scalars = psi_kernel.Scalars.of(parameters)
    psi_kernel.forecast_log(log.starts, chosen, answers, scalars, rows, forecasts)
    return Forecasts(forecasts[:, 0], forecasts[:, 1])


def continue_tables(
    log: ResponseLog,
    parameters: FilterParameters,
    *,
    offsets: NDArray[np.float64],
    ability: NDArray[np.float64],
    rows: NDArray[np.float64],
) -> None:
    """Fold a log into the tables of its L learners, in place.

    Args:
        log: the answers that come next.
        parameters: the filter's scalars.
        offsets: [R] logit offset of each answer's item.
        ability: [L, 4] mean, variance, epoch second of the last answer, answers.
        rows: [L, K, 6] `FilterState.values` of every concept of the log's vocabulary.
    """
    everyone = np.arange(rows.shape[1])
    marks = np.zeros(rows.shape[:2], dtype=np.uint8)
    psi_kernel.fold_answers(
        log.starts,
        _answers_of(log, parameters, offsets),
        psi_kernel.Scalars.of(parameters),
        _passing(None, everyone),
        rows,
        ability,
        marks,
    )


def fold_states(
    parameters: FilterParameters,
    *,
    starts: NDArray[np.int64],
    concepts: NDArray[np.int64],
    offsets: NDArray[np.float64],
    correct: NDArray[np.float64],
    answered_at: NDArray[np.float64],
    assisted: NDArray[np.bool_],
) -> list[FilterState]:
    """Return each learner's state, equal to repeated `psi_filter.update` to the last bit.

    Args:
        parameters: the filter's scalars.
        starts: [L + 1]; learner l has the answers starts[l] to starts[l + 1] - 1, in order.
        concepts: [R, M] concept ids of the answers' items, padded with -1, any order.
        offsets: [R] logit offsets of the items.
        correct: [R] 0 to 1.
        answered_at: [R] epoch seconds.
        assisted: [R].

    Raises:
        ShapeMismatch: an answer has no concept, or the arrays differ in length.
    """
    folded = fold_learners(
        parameters,
        starts=starts,
        concepts=concepts,
        offsets=offsets,
        correct=correct,
        answered_at=answered_at,
        assisted=assisted,
    )
    return [learner.state for learner in folded]


def fold_learners(  # noqa: PLR0913 - one column of the log each
    parameters: FilterParameters,
    *,
    starts: NDArray[np.int64],
    concepts: NDArray[np.int64],
    offsets: NDArray[np.float64],
    correct: NDArray[np.float64],
    answered_at: NDArray[np.float64],
    assisted: NDArray[np.bool_],
    offset_vars: NDArray[np.float64] | None = None,
    rule: PassingRule | None = None,
) -> list[FoldedLearner]:
    """Return each learner's state, and the concepts that they passed on the way.

    Args:
        parameters: the filter's scalars.
        starts: see `fold_states`, as for all that follow.
        concepts: [R, M].
        offsets: [R].
        correct: [R].
        answered_at: [R].
        assisted: [R].
        offset_vars: [R] variances of the offsets, inf where an answer is not counted; 0 by
            default.
        rule: when a concept counts as passed; by default none does.

    Raises:
        ShapeMismatch: an answer has no concept, or the arrays differ in length.
        KeyError: a concept has no reference offset.
    """
    if not len(concepts) == len(offsets) == len(correct) == len(answered_at) == len(assisted):
        raise ShapeMismatch(
            "concepts, offsets, correct, answered_at, assisted: one row per answer."
        )
    ids, ranked = _ranked(concepts)
    sizes = np.count_nonzero(ranked >= 0, axis=1)
    if len(concepts) and not sizes.min():
        raise ShapeMismatch("An answer has no concept; give each at least one id >= 0.")
    shares = _shares(parameters, sizes)
    variances = np.zeros(len(offsets)) if offset_vars is None else offset_vars
    scalars, damping = psi_kernel.Scalars.of(parameters), _damping_table(parameters)
    passing = _passing(rule, ids)
    folded: list[FoldedLearner] = []
    piece = max(1, TABLE_ROWS // max(1, len(ids)))
    for first in range(0, len(starts) - 1, piece):
        bounds = starts[first : first + piece + 1]
        cut = slice(bounds[0], bounds[-1])
        answers = psi_kernel.Answers(
            offset=offsets[cut],
            concept_set=np.arange(bounds[-1] - bounds[0]),
            concept_sets=ranked[cut],
            set_sizes=sizes[cut],
            set_shares=shares[cut],
            correct=correct[cut],
            shown_at=answered_at[cut],
            answered_at=answered_at[cut],
            assisted=assisted[cut],
            offset_var=variances[cut],
            damping=damping,
        )
        rows, ability = _fresh_tables(len(bounds) - 1, len(ids), parameters)
        marks = np.zeros(rows.shape[:2], dtype=np.uint8)
        psi_kernel.fold_answers(bounds - bounds[0], answers, scalars, passing, rows, ability, marks)
        folded += _folded(ids, rows, ability, marks)
    return folded


def _answers_of(
    log: ResponseLog, parameters: FilterParameters, offsets: NDArray[np.float64]
) -> psi_kernel.Answers:
    """Return a log as the kernel reads it."""
    sizes = np.count_nonzero(log.concept_sets >= 0, axis=1)
    return psi_kernel.Answers(
        offset=offsets,
        concept_set=log.concept_set,
        concept_sets=log.concept_sets,
        set_sizes=sizes,
        set_shares=_shares(parameters, sizes),
        correct=log.correct,
        shown_at=log.shown_at,
        answered_at=log.answered_at,
        assisted=log.assisted,
        offset_var=np.zeros(len(log)),
        damping=_damping_table(parameters),
    )


def _passing(rule: PassingRule | None, ids: NDArray[np.int64]) -> psi_kernel.Passing:
    """Return the rule for these concepts in a form that compiled code can take."""
    if rule is None:
        return psi_kernel.Passing(np.zeros(len(ids)), math.inf, 0.0, 0.0, 0.0)
    return psi_kernel.Passing(
        offset=np.array([rule.reference_offsets[pk] for pk in ids.tolist()], dtype=float),
        evidence=float(rule.evidence),
        logit=math.log(rule.lower_prob / (1.0 - rule.lower_prob)),
        margin=PASSING_MARGIN,
        quantile=LOWER_QUANTILE,
    )


def _shares(parameters: FilterParameters, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the weight of a concept in sets of these sizes."""
    # By the same Python power as the streaming update, for equality to the last bit.
    by_size = [parameters.share(max(size, 1)) for size in range(int(sizes.max(initial=0)) + 1)]
    return np.array(by_size)[sizes]


def _damping_table(parameters: FilterParameters) -> NDArray[np.float64]:
    return np.array([psi_core.damping(float(n), parameters.gain_rho) for n in range(DAMPED)])


def _ranked(concepts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct ids [K] ascending, and `concepts` as their ranks.

    Rows are ascending, distinct, and padded with -1 at the end. Ranks keep the order of the ids, so
    sums over concepts run in the streaming update's order.
    """
    met = concepts >= 0
    largest = int(concepts.max(initial=0))
    if largest < TABLE_IDS:
        seen = np.zeros(largest + 1, dtype=bool)
        seen[concepts[met]] = True
        ids, found = np.flatnonzero(seen), (np.cumsum(seen) - 1)[concepts]
    else:
        ids = np.unique(concepts[met])
        found = np.searchsorted(ids, concepts)
    past = len(ids)
    ranks = np.where(met, found, past)
    falls = ranks[:, 1:] < ranks[:, :-1]
    if falls.any():
        ranks.sort(axis=1)
    repeats = (ranks[:, 1:] == ranks[:, :-1]) & (ranks[:, 1:] < past)
    if repeats.any():
        ranks[:, 1:][repeats] = past
        ranks.sort(axis=1)
    return ids, np.where(ranks < past, ranks, -1)


def _fresh_tables(
    learners: int, concepts: int, parameters: FilterParameters
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = np.zeros((learners, concepts, COLUMNS))
    rows[:, :, 1] = parameters.concept_prior_var
    rows[:, :, 2] = -np.inf
    ability = np.empty((learners, 4))
    ability[:] = (parameters.ability_prior_mean, parameters.ability_prior_var, -np.inf, 0.0)
    return rows, ability


def _folded(
    ids: NDArray[np.int64],
    rows: NDArray[np.float64],
    ability: NDArray[np.float64],
    marks: NDArray[np.uint8],
) -> list[FoldedLearner]:
    met = rows[:, :, 3] > 0.0
    decided = (marks != psi_kernel.UNDECIDED).all(axis=1).tolist()
    each = zip(ability.tolist(), met, rows, marks == psi_kernel.PASSED, decided, strict=True)
    return [
        FoldedLearner(
            FilterState(mean, var, t_last, int(n), ids[touched], table[touched]),
            ids[passed],
            is_decided,
        )
        for (mean, var, t_last, n), touched, table, passed, is_decided in each
    ]
