"""What the filter, the true-parameter posterior and weak peers say of simulated learners.

Every estimate is of a (learner, practised concept) pair right after the learner's 40th answer, of
three quantities: the *state* (level on the concept, logits), the *mastery* (P(unassisted right
answer) averaged over the concept's items, the number a learner is shown) and success on the
concept's *one item* of median difficulty.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum.simulation import Cohort
from curriculum.simulation.posterior import history_of, infer_states, world_of
from kt_models.checkpoints import FittedFilter
from kt_models.data.log import ResponseLog, build_log
from kt_models.streaming import psi_filter

FloatArray = npt.NDArray[np.float64]

ANSWERS = 40
TARGETS = ("state", "mastery_logit", "mastery_prob", "item_logit", "item_prob")


@dataclass(frozen=True, slots=True)
class Pairs:
    """The practised (learner, concept) pairs of some learners, and their truths by target."""

    learner: npt.NDArray[np.int64]
    concept: npt.NDArray[np.int64]
    truth: dict[str, FloatArray]


def logit(prob: FloatArray) -> FloatArray:
    return np.log(prob / (1.0 - prob))


def log_of(cohort: Cohort, learners: range) -> ResponseLog:
    """Return some learners' answers as a tracer reads them; items "i7", concepts "c3"."""
    log, items = cohort.responses, cohort.course.items
    rows = np.concatenate([np.r_[cohort.rows_of(learner)] for learner in learners])
    return build_log(
        learners=[f"l{learner}" for learner in log.learner[rows]],
        items=[f"i{item}" for item in log.item[rows]],
        concepts=[tuple(f"c{k}" for k in items[item].concepts) for item in log.item[rows]],
        correct=log.correct[rows].astype(float),
        answered_at=log.answered_at[rows],
        shown_at=log.presented_at[rows],
        assisted=log.hints[rows] > 0,
    )


def practised_pairs(cohort: Cohort, learners: range) -> Pairs:
    """Return the pairs practised within the first 40 answers, with the truth."""
    main = np.array([item.concepts[0] for item in cohort.course.items])
    met = [np.unique(main[history_of(cohort, one, answers=ANSWERS).item]) for one in learners]
    learner = np.repeat(np.array(learners), [len(concepts) for concepts in met])
    concept = np.concatenate(met)
    mastery = cohort.bank_probs[learner, 0, concept]
    item = cohort.reference_probs[learner, 0, concept]
    truth = {
        "state": cohort.levels[learner, 0, concept],
        "mastery_logit": logit(mastery),
        "mastery_prob": mastery,
        "item_logit": logit(item),
        "item_prob": item,
    }
    return Pairs(learner, concept, truth)


def posterior_estimates(cohort: Cohort, pairs: Pairs, *, particles: int) -> dict[str, FloatArray]:
    """Return posterior means under the true parameters, by target."""
    course, found = cohort.course, []
    for learner in np.unique(pairs.learner).tolist():
        concepts = pairs.concept[pairs.learner == learner].tolist()
        one = infer_states(
            history_of(cohort, learner, answers=ANSWERS),
            world=world_of(cohort),
            concepts=concepts,
            banks=[course.items_by_concept[k] for k in concepts]
            + [(int(cohort.reference_items[k]),) for k in concepts],
            at=float(cohort.snapshot_at[learner, 0]),
            particles=particles,
            seed=learner,
        )
        n = len(concepts)
        means = (one.logit_mean[:n], one.prob_mean[:n], one.logit_mean[n:], one.prob_mean[n:])
        found.append(np.array([one.level_mean, *means]))
    return dict(zip(TARGETS, np.concatenate(found, axis=1), strict=True))


def filter_estimates(
    cohort: Cohort,
    pairs: Pairs,
    fitted: FittedFilter,
    *,
    correct: npt.NDArray[np.bool_] | FloatArray,
) -> dict[str, FloatArray]:
    """Return the filter's estimates by target, from outcomes that may be other than the true ones.

    Args:
        cohort: the learners.
        pairs: what to estimate.
        fitted: the filter.
        correct: one outcome, 0 to 1, per response of the cohort.
    """
    found = []
    for learner in np.unique(pairs.learner).tolist():
        concepts = pairs.concept[pairs.learner == learner]
        state = _state_of(cohort, learner, fitted, correct)
        found.append(_read_state(cohort, concepts, fitted, state, cohort.snapshot_at[learner, 0]))
    return dict(zip(TARGETS, np.concatenate(found, axis=1), strict=True))


def _state_of(
    cohort: Cohort, learner: int, fitted: FittedFilter, correct: npt.NDArray[np.bool_] | FloatArray
) -> psi_filter.FilterState:
    """Return the streaming state after the first 40 answers."""
    log, items = cohort.responses, cohort.course.items
    first = cohort.rows_of(learner).start
    state = psi_filter.init(fitted.parameters)
    for row in range(first, min(first + ANSWERS, cohort.rows_of(learner).stop)):
        concepts = items[log.item[row]].concepts
        state = psi_filter.update(
            state,
            fitted.parameters,
            concept_ids=concepts,
            item_offset=fitted.offset_of(f"i{log.item[row]}", [f"c{k}" for k in concepts]),
            correct=float(correct[row]),
            at=float(log.answered_at[row]),
            assisted=bool(log.hints[row] > 0),
        )
    return state


def _read_state(
    cohort: Cohort,
    concepts: npt.NDArray[np.int64],
    fitted: FittedFilter,
    state: psi_filter.FilterState,
    at: float,
) -> FloatArray:
    """Return [5, K]: the targets in their order."""
    offsets = np.array([fitted.offset_of("", [f"c{k}"]) for k in concepts])
    levels, mastery = (
        psi_filter.concept_estimates(
            state, fitted.parameters, concept_ids=concepts, concept_offsets=added, at=at
        )
        for added in (np.zeros(len(concepts)), offsets)
    )
    references = [int(item) for item in cohort.reference_items[concepts]]
    sets = [cohort.course.items[item].concepts for item in references]
    table = np.full((len(sets), max(map(len, sets))), -1, dtype=np.int64)
    for row, ids in enumerate(sets):
        table[row, : len(ids)] = ids
    one = psi_filter.predict(
        state,
        fitted.parameters,
        concepts=table,
        item_offsets=np.array(
            [
                fitted.offset_of(f"i{item}", [f"c{k}" for k in ids])
                for item, ids in zip(references, sets, strict=True)
            ]
        ),
        at=at,
    )
    return np.array([levels.logit_mean, mastery.logit_mean, mastery.prob, one.logit_mean, one.prob])


def peer_estimates(cohort: Cohort, pairs: Pairs, training: range) -> dict[str, FloatArray]:
    """Return three weak peers: the concept's mean, the learner's mean, and the sum of their logits.

    Means are held to one half by two pseudo-answers.
    """
    log = cohort.responses
    main = np.array([item.concepts[0] for item in cohort.course.items])[log.item]
    train = np.isin(log.learner, np.array(training))
    size = cohort.course.n_concepts
    right = np.bincount(main[train], log.correct[train], minlength=size)
    concept = (right + 1.0) / (np.bincount(main[train], minlength=size) + 2.0)
    own = {
        learner: (history_of(cohort, learner, answers=ANSWERS).correct.sum() + 1.0) / (ANSWERS + 2)
        for learner in np.unique(pairs.learner).tolist()
    }
    learner = logit(np.array([own[one] for one in pairs.learner.tolist()]))
    by_concept = logit(concept[pairs.concept])
    return {
        "concept mean": by_concept,
        "proportion correct": learner,
        "both": by_concept + learner,
    }
