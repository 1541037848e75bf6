"""Writes of deep states and predictions."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from tutor.common import turns
from tutor.tracing import due, selectors
from tutor.tracing.forward import After
from tutor.tracing.models import DeepPrediction, DeepState


@turns.atomic_turn()
def store_pass(
    *, held: due.Claim, tracer_id: int, done: Sequence[After], now: dt.datetime
) -> list[int]:
    """Store what a pass found and strike the learners off the list; return whose was stored.

    Of those whose claim is void by now nothing is stored: somebody else has them. Nor of those
    whose stored state turns out to be torn, unless the pass began anew: they are folded anew next.
    """
    own = set(due.lock_held(held, learner_ids=[one.learner_id for one in done]))
    gone_on = own - held.refold
    torn = set(selectors.list_deep_torn(tracer_id=tracer_id, learner_ids=gone_on))
    before = dict(
        DeepState.objects.filter(tracer=tracer_id, learner__in=gone_on).values_list(
            "learner", "folded_through"
        )
    )
    kept = [one for one in done if one.learner_id in own - torn]
    # Whoever saw a learner's row saw all that they have with an earlier id.
    through = {
        one.learner_id: max(before.get(one.learner_id, 0), one.place.last_response_id)
        for one in kept
    }
    store(tracer_id=tracer_id, done=kept, through=through, now=now)
    due.finish(held, learner_ids=own, now=now)
    again = sorted(torn.union(one.learner_id for one in kept if not one.is_consistent))
    if again:
        due.mark_all(learner_ids=again, course_id=held.course_id, at=now, refold=True)
    return sorted(own - torn)


def store(
    *, tracer_id: int, done: Sequence[After], through: Mapping[int, int], now: dt.datetime
) -> None:
    """Store states and predictions; the caller sees to it that nobody else does the same.

    `through`: learner id -> the id up to which all of their rows are folded in.
    """
    DeepState.objects.bulk_create(
        [
            DeepState(
                learner_id=one.learner_id,
                tracer_id=tracer_id,
                state=one.packed,
                last_answered_at=one.place.last_answered_at,
                last_response_id=one.place.last_response_id,
                n_responses=one.place.n_responses,
                folded_through=through[one.learner_id],
            )
            for one in done
        ],
        update_conflicts=True,
        unique_fields=["learner", "tracer"],
        update_fields=[
            "state",
            "last_answered_at",
            "last_response_id",
            "n_responses",
            "folded_through",
        ],
        batch_size=200,
    )
    DeepPrediction.objects.bulk_create(
        [
            DeepPrediction(
                learner_id=one.learner_id,
                tracer_id=tracer_id,
                made_at=now,
                last_response_id=one.place.last_response_id,
                n_responses=one.place.n_responses,
                shifts=one.shifts.to_bytes(),
            )
            for one in done
            if one.shifts is not None
        ],
        batch_size=200,
    )


@turns.atomic_turn()
def drop_without_answers(
    *, held: due.Claim, tracer_id: int, learner_ids: Collection[int], now: dt.datetime
) -> None:
    """Forget the states of learners all of whose answers are gone, and strike them off."""
    own = due.lock_held(held, learner_ids=sorted(learner_ids))
    DeepState.objects.filter(tracer=tracer_id, learner__in=own).delete()
    due.finish(held, learner_ids=own, now=now)


@turns.atomic_turn()
def strike_off(*, held: due.Claim, now: dt.datetime) -> None:
    """Strike off learners of a course whose tracer has no deep part any more."""
    own = due.lock_held(held, learner_ids=sorted(held.marks))
    due.finish(held, learner_ids=own, now=now)
