"""Writes of deep states and predictions."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from tutor.common import turns
from tutor.tracing import due, selectors
from tutor.tracing.deep_reading import Place
from tutor.tracing.forward import After
from tutor.tracing.models import DeepPrediction, DeepState, LearnerState


@turns.atomic_turn()
def store_pass(
    *, held: due.Claim, tracer_id: int, done: Sequence[After], now: dt.datetime
) -> list[int]:
    """Store what a pass found and strike the learners off the list; return whose was stored.

    Of those whose claim is void by now nothing is stored: somebody else has them. Nor of those
    whose stored state turns out to be torn, unless the pass began anew: they are folded anew next.
    Nor where a rebuild has stored another state since this pass began: that is gone on from next.
    """
    own = set(due.lock_held(held, learner_ids=[one.learner_id for one in done]))
    mine = [one for one in done if one.learner_id in own]
    stored = _lock_states(tracer_id=tracer_id, learner_ids=own)
    moved = {one.learner_id for one in mine if not _goes_on(one, stored)}
    gone_on = own - held.refold - moved
    torn = set(selectors.list_deep_torn(tracer_id=tracer_id, learner_ids=gone_on))
    kept = [one for one in mine if one.learner_id not in torn | moved]
    # Whoever saw a learner's row saw all that they have with an earlier id.
    through = {
        one.learner_id: max(
            0 if one.began is None else stored[one.learner_id].folded_through,
            one.place.last_response_id,
        )
        for one in kept
    }
    _store(tracer_id=tracer_id, done=kept, through=through, now=now)
    due.finish(held, learner_ids=own, now=now)
    # Where it began anew it is the filter that lags; see `have_filter_refolded`.
    wrong = {one.learner_id for one in kept if one.began and not one.is_consistent}
    due.mark_all(learner_ids=torn | wrong, course_id=held.course_id, at=now, refold=True)
    due.mark_all(learner_ids=moved, course_id=held.course_id, at=now, refold=False)
    return sorted(one.learner_id for one in kept)


@turns.atomic_turn()
def store_unclaimed(
    *, tracer_id: int, done: Sequence[After], through: Mapping[int, int], now: dt.datetime
) -> list[int]:
    """Store what was folded without a claim, where nobody has stored more since.

    A worker that stores meanwhile strikes its learner off the list: a state that was read before
    that must not replace its.

    Args:
        tracer_id: of the version.
        done: learners after their answers.
        through: learner id -> the id up to which all of their rows are folded in.
        now: when it was predicted.

    Returns:
        Whose was not stored: they are to be folded once more.
    """
    learners = [one.learner_id for one in done]
    stored = _lock_states(tracer_id=tracer_id, learner_ids=learners)
    kept = [
        one
        for one in done
        if _goes_on(one, stored)
        and (
            one.learner_id not in stored
            or stored[one.learner_id].folded_through <= through[one.learner_id]
        )
    ]
    _store(tracer_id=tracer_id, done=kept, through=through, now=now)
    return sorted({*learners} - {one.learner_id for one in kept})


def _lock_states(*, tracer_id: int, learner_ids: Collection[int]) -> dict[int, DeepState]:
    rows = DeepState.objects.filter(tracer=tracer_id, learner__in=learner_ids)
    return {row.learner_id: row for row in rows.select_for_update().order_by("learner")}


def _goes_on(one: After, stored: Mapping[int, DeepState]) -> bool:
    """Test whether what is stored is still what the pass went on from."""
    if one.began is None:
        return True
    row = stored.get(one.learner_id)
    if row is None:
        return False
    place = Place(row.last_answered_at, row.last_response_id, row.n_responses)
    return one.began == (bytes(row.state), place)


def _store(
    *, tracer_id: int, done: Sequence[After], through: Mapping[int, int], now: dt.datetime
) -> None:
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
def have_filter_refolded(*, tracer_id: int, learner_ids: Collection[int], now: dt.datetime) -> None:
    """Mark the filter's states of learners of whom the log holds more than those have seen.

    Older answers were imported and their fold is still to come. Until then the network predicts
    nothing of them; to pass them again and again would not help.
    """
    # A transaction of its own: an answer takes its state's row before the work list's.
    rows = LearnerState.objects.filter(tracer=tracer_id, learner__in=learner_ids)
    rows.filter(stale_since__isnull=True).update(stale_since=now)


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
