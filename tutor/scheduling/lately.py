"""What a learner's state still holds of the latest answers, and what it no longer does."""

import numpy as np
import numpy.typing as npt

from tutor.content.selectors import CourseBank
from tutor.scheduling import wishes
from tutor.scheduling.plans import RULES, Conduct, Recent, item_bank
from tutor.tracing import engine as tracing_engine

# Reasons of decisions that leave a newcomer one.
PLACING = frozenset({"placement", "teacher-pick"})


def first_tries(latest: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return the answers without the further tries at what had just been answered wrong.

    Another try must count neither as a further failure nor as a further showing. A new showing of
    the same item counts, also where nothing else came between.
    """
    return latest[~latest["again"]]


def answers_counted(
    state: tracing_engine.TracedLearner, recent: Recent
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return [R] items and [R] times of the answers that wishes count, oldest first."""
    tries = first_tries(state.recent)
    earlier = np.array(recent.earlier, dtype=np.float64).reshape(-1, 2)
    item_ids = np.concatenate([earlier[:, 0].astype(np.int64), tries["item"].astype(np.int64)])
    return item_ids, np.concatenate([earlier[:, 1], tries["at"]])


def cut_off_at(state: tracing_engine.TracedLearner, conduct: Conduct) -> tuple[float, float] | None:
    """Return between which times answers count for a wish that the state no longer holds, if any.

    Epoch seconds: from the first, and before the second.
    """
    since = wishes.first_counted(conduct.wishes)
    if since is None or len(state.recent) < tracing_engine.RECENT_ANSWERS:
        return None
    oldest = float(state.recent["at"][0])
    return (since, oldest) if since < oldest else None


def may_be_new(state: tracing_engine.TracedLearner, conduct: Conduct) -> bool:
    """Test whether the learner might be in the middle of being placed, or before."""
    return conduct.places and len(first_tries(state.recent)) < RULES.placement_items


def is_placing(state: tracing_engine.TracedLearner, last_reason: str) -> bool:
    """Test whether the learner, who may be new, has had nothing but what places them.

    `last_reason` is that of the decision before; a teacher's pick does not end the placement.
    """
    return not len(state.recent) or last_reason in PLACING


def list_possibly_stuck(seen: tracing_engine.Seen, bank: CourseBank) -> list[int]:
    """Return the ids of concepts with so many answers that a learner might be stuck on them.

    Many on the concept, or as many on one of its items as its cap lets through.
    """
    state = seen.state.filter
    many = state.concept_ids[state.practice_counts >= RULES.stuck_after]
    items, times = np.unique(first_tries(seen.state.recent)["item"], return_counts=True)
    often = times >= RULES.max_exposures
    if not often.any():
        return many.tolist()
    rows = item_bank(bank).rows_of(items[often].astype(np.int64))
    times, rows = times[often][rows >= 0], rows[rows >= 0]
    limits = np.where(bank.is_template[rows], RULES.template_max_exposures, RULES.max_exposures)
    carried = bank.concept_pks[rows[times >= limits]]
    return np.union1d(many, carried[carried >= 0]).tolist()


def find_released(bank: CourseBank, recent: Recent) -> npt.NDArray[np.float64] | None:
    """Return [K] when a teacher last released the learner, -inf for never; None for nowhere."""
    if not recent.released:
        return None
    known = recent.released
    return np.array([known.get(pk, -np.inf) for pk in bank.concept_ids.tolist()])


def expect_items(minutes: float, conduct: Conduct) -> int:
    """Return how many items of usual length fit into so many minutes, at least 1."""
    usual = float(np.median([*conduct.minutes.values()] or [RULES.minutes_per_item]))
    return max(round(minutes / usual), 1)
