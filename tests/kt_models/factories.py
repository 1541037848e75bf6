"""Logs for tests: random ones, and ones whose truth is known."""

import csv

import numpy as np

from kt_models.data.log import ResponseLog, build_log
from kt_models.streaming import psi_filter

DAY = 86_400.0


def random_log(rng, *, learners=20, answers=50, items=15, concepts=5) -> ResponseLog:
    """Return learners x answers random answers; right or wrong has no pattern."""
    size = learners * answers
    of_item = [
        tuple(
            f"k{k}" for k in rng.choice(concepts, size=rng.integers(1, 4), replace=False).tolist()
        )
        for _ in range(items)
    ]
    item = rng.integers(0, items, size)
    answered_at = 1.6e9 + rng.exponential(0.05 * DAY, (learners, answers)).cumsum(axis=1).ravel()
    return build_log(
        learners=[f"l{k:03d}" for k in np.repeat(np.arange(learners), answers)],
        items=[f"i{k}" for k in item],
        concepts=[of_item[k] for k in item],
        correct=rng.integers(0, 2, size).astype(float),
        answered_at=answered_at,
        shown_at=answered_at - rng.exponential(60.0, size),
        assisted=rng.random(size) < 0.2,
    )


def simulated_log(rng, parameters, *, learners=120, answers=80, items=60, concepts=8):
    """Return a log drawn from the filter's own model, and the items' true offsets by key.

    Sampling each answer from the filter's forecast is drawing from the model that it assumes.
    """
    offset = rng.normal(0.3, 1.0, items)
    of_item = rng.integers(0, concepts, items)
    rows = []
    for learner in range(learners):
        state = psi_filter.init(parameters)
        at = 1.6e9
        for _ in range(answers):
            at += float(rng.exponential(0.3 * DAY))
            item = int(rng.integers(0, items))
            asked = np.array([[of_item[item]]])
            told = psi_filter.predict(
                state, parameters, concepts=asked, item_offsets=offset[[item]], at=at
            )
            correct = float(rng.random() < told.prob[0])
            rows.append((f"l{learner}", f"i{item}", (f"k{of_item[item]}",), correct, at))
            state = psi_filter.update(
                state,
                parameters,
                concept_ids=(int(of_item[item]),),
                item_offset=float(offset[item]),
                correct=correct,
                at=at,
            )
    names, item_names, concept_names, correct, at = zip(*rows, strict=True)
    log = build_log(
        learners=names,
        items=item_names,
        concepts=concept_names,
        correct=np.array(correct),
        answered_at=np.array(at),
        shown_at=np.array(at),
    )
    return log, {f"i{item}": float(value) for item, value in enumerate(offset)}


def write_log(log, path):
    """Write a log as the project's CSV and return the path."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["learner", "item", "correct", "concepts", "answered_at"])
        for r in range(len(log)):
            concepts = "|".join(log.concept_keys[k] for k in log.concepts[r] if k >= 0)
            learner, item = log.learner_keys[log.learner[r]], log.item_keys[log.item[r]]
            writer.writerow([learner, item, log.correct[r], concepts, log.answered_at[r]])
    return path
