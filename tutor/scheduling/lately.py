"""What a learner's state still holds of the latest answers, and what it no longer does."""

import numpy as np
import numpy.typing as npt

from tutor.scheduling import wishes
from tutor.scheduling.plans import RULES, Conduct, Recent
from tutor.tracing import engine as tracing_engine

# Reasons of decisions that leave a newcomer one.
PLACING = frozenset({"placement", "teacher-pick"})


def first_tries(latest: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return the answers without the further tries at an item just answered wrong.

    No rule gives the same item twice in a row, so an answer to the item of the one before, which
    was not right, is another try: it must count neither as a further failure nor as a further
    showing.
    """
    if len(latest) < 2:
        return latest
    again = (latest["item"][1:] == latest["item"][:-1]) & (latest["credit"][:-1] < 1.0)
    return latest[np.concatenate([[True], ~again])]


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


def list_possibly_stuck(seen: tracing_engine.Seen) -> list[int]:
    """Return the ids of concepts with so many answers that a learner might be stuck on them."""
    state = seen.state.filter
    return state.concept_ids[state.practice_counts >= RULES.stuck_after].tolist()


def expect_items(minutes: float, conduct: Conduct) -> int:
    """Return how many items of usual length fit into so many minutes, at least 1."""
    usual = float(np.median([*conduct.minutes.values()] or [RULES.minutes_per_item]))
    return max(round(minutes / usual), 1)
