"""An item's life: every change of status is a row that says who, when and why."""

from collections.abc import Iterable, Mapping

from django.db import transaction

from tutor.accounts.models import User
from tutor.content.models import Item, StatusChange

# Ids named in one statement; SQLite was long built to take 999 values at most.
CHUNK = 500


@transaction.atomic
def change_statuses(
    *,
    changes: Mapping[int, str],
    reason: str,
    actor: User | None = None,
    calibration: int | None = None,
) -> list[StatusChange]:
    """Set items' statuses, by id; those that are there already stay without a row.

    The caller raises the course's revision, once for all that it changes.

    Returns:
        A row for each item that moved.
    """
    rows: list[StatusChange] = []
    ids = sorted(changes)
    for first in range(0, len(ids), CHUNK):
        chunk = ids[first : first + CHUNK]
        # Locked, so that `before` is what it says when two people change one item.
        stored = Item.objects.select_for_update().filter(pk__in=chunk).order_by("pk")
        rows += [
            StatusChange(
                item_id=pk,
                before=before,
                after=changes[pk],
                actor=actor,
                reason=reason,
                calibration=calibration,
            )
            for pk, before in stored.values_list("pk", "status")
            if before != changes[pk]
        ]
    for status in sorted({row.after for row in rows}):
        moved = [row.item_id for row in rows if row.after == status]
        for first in range(0, len(moved), CHUNK):
            Item.objects.filter(pk__in=moved[first : first + CHUNK]).update(status=status)
    return StatusChange.objects.bulk_create(rows, batch_size=CHUNK)


@transaction.atomic
def revert_change(*, change: StatusChange, reason: str, actor: User | None) -> StatusChange | None:
    """Take a change back, if it is the newest that stands and was not taken back before.

    An item that left its status and came back to it is not where this change led: somebody
    decided anew.

    Returns:
        The row that says so, or None where there was nothing to take back.
    """
    item = Item.objects.select_for_update().get(pk=change.item_id)
    is_reverted = StatusChange.objects.filter(reverts=change).exists()
    if is_reverted or item.status != change.after or _has_moved_on(change):
        return None
    Item.objects.filter(pk=item.pk).update(status=change.before)
    return StatusChange.objects.create(
        item=item,
        before=change.after,
        after=change.before,
        actor=actor,
        reason=reason,
        reverts=change,
    )


def _has_moved_on(change: StatusChange) -> bool:
    """Test whether a later change of the item stands, that is, was not taken back."""
    later = StatusChange.objects.filter(item=change.item_id, pk__gt=change.pk).order_by("-pk")
    taken_back: set[int] = set()
    for pk, reverts in later.values_list("pk", "reverts"):
        if pk in taken_back:
            continue
        if reverts is None or reverts <= change.pk:
            return True
        taken_back.add(reverts)
    return False


@transaction.atomic
def confirm_status(*, item: Item, reason: str, actor: User) -> StatusChange | None:
    """Note that a person wants the item where a change has put it, so that it stays there.

    Returns:
        The row that says so, or None where that person said so before for the same reason, or
        nothing has moved the item yet.
    """
    stored = Item.objects.select_for_update().get(pk=item.pk)
    newest = StatusChange.objects.filter(item=item.pk).order_by("-pk").first()
    if newest is None or (newest.actor_id, newest.reason) == (actor.pk, reason):
        return None
    return StatusChange.objects.create(
        item=stored, before=stored.status, after=stored.status, actor=actor, reason=reason
    )


def list_retired_by_hand(*, items: Iterable[int]) -> set[int]:
    """Return those of the items that a person has retired, and no import."""
    ids, by_hand = sorted(items), set()
    for first in range(0, len(ids), CHUNK):
        rows = StatusChange.objects.filter(item__in=ids[first : first + CHUNK]).order_by("pk")
        newest = {item: told for item, *told in rows.values_list("item", "after", "actor")}
        by_hand |= {
            item
            for item, (after, actor) in newest.items()
            if after == Item.Status.RETIRED and actor is not None
        }
    return by_hand
