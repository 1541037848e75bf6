"""An item's life: every change of status is a row that says who, when and why."""

from collections.abc import Mapping

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
    """Take a change back, if the item still is where it led and it was not taken back before.

    Returns:
        The row that says so, or None where there was nothing to take back.
    """
    item = Item.objects.select_for_update().get(pk=change.item_id)
    is_reverted = StatusChange.objects.filter(reverts=change).exists()
    if is_reverted or item.status != change.after:
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
