"""Writes about alerts: when to call, and what somebody did when called."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, transaction

from tutor.accounts.models import Learner, User
from tutor.alerts import selectors
from tutor.alerts.errors import (
    ActionKeyReused,
    ActionUnusable,
    ThresholdOutOfRange,
    ThresholdsChanged,
)
from tutor.alerts.kinds import OF_CLASS, Kind, What
from tutor.alerts.models import AlertAction, AlertThresholds
from tutor.alerts.thresholds import BOUNDS, Thresholds
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Classroom
from tutor.scheduling import steering

LONGEST_TEXT = 500
# For longer nobody means to put something off; switch the kind off instead.
LONGEST_SNOOZE_DAYS = 60


@transaction.atomic
def set_thresholds(
    *,
    classroom: Classroom,
    actor: User,
    at: dt.datetime,
    values: Mapping[str, int],
    off: Collection[str] = (),
    base: int | None = None,
) -> AlertThresholds | None:
    """Set when the class's teachers are called, for all of them, from now on.

    Args:
        classroom, actor, at: of which class, who, when.
        values: every name of `thresholds.NAMES`.
        off: kinds that call nobody.
        base: id of the row that the form was filled from, 0 for none; None: whatever holds now.

    Returns:
        The row that holds; None where there is none, because nothing was changed.

    Raises:
        ThresholdOutOfRange: a value is missing or beyond its bounds, or a kind is none.
        ThresholdsChanged: somebody changed them since `base`.
    """
    wanted = _read_thresholds(values, off)
    # The class's row makes the second of two changes wait.
    Classroom.objects.select_for_update().get(pk=classroom.pk)
    current, row = selectors.get_thresholds(classroom=classroom)
    if wanted == current:
        return row
    if base is not None and base != (row.pk if row else 0):
        who = row.set_by.display_name if row and row.set_by else "Somebody"
        message = f"{who} has changed these in the meantime. Look at them, then save again."
        raise ThresholdsChanged(message)
    told = dataclasses.asdict(wanted) | {"off": sorted(wanted.off)}
    return AlertThresholds.objects.create(classroom=classroom, at=at, set_by=actor, **told)


def _read_thresholds(values: Mapping[str, int], off: Collection[str]) -> Thresholds:
    for bound in BOUNDS:
        value = values.get(bound.name)
        if value is None or not bound.low <= value <= bound.high:
            message = f"{bound.label}: choose from {bound.low} to {bound.high} {bound.unit}."
            raise ThresholdOutOfRange(message, threshold=bound.name)
    unknown = set(off) - set(Kind.values)
    if unknown:
        raise ThresholdOutOfRange("There is no such kind of call.", kinds=sorted(unknown))
    return Thresholds(**{bound.name: values[bound.name] for bound in BOUNDS}, off=frozenset(off))


def record_action(  # noqa: PLR0913 - what an action is
    *,
    classroom: Classroom,
    actor: User,
    kind: str,
    what: str,
    at: dt.datetime,
    learner: Learner | None = None,
    evidence: Mapping[str, Any] | None = None,
    seen_at: dt.datetime | None = None,
    text: str = "",
    days: int | None = None,
    client_key: uuid.UUID | None = None,
) -> AlertAction:
    """Keep what somebody did about an alert; it stays away until there is something new.

    Args:
        classroom, actor, at: in which class, who, when.
        kind: the alert, of `Kind`.
        what: what was done, of `What`.
        learner: about whom; None for the whole class.
        evidence: kind -> facts of every alert that this deals with; without it `kind` whatever
            it rests on, as where the date of an assignment was extended.
        seen_at: up to when what happened was known; `at` by default.
        text: what else is to be said, at most `LONGEST_TEXT` characters.
        days: for how long it is put off, with `What.SNOOZED` alone.
        client_key: the same key again returns the row stored under it.

    Raises:
        NotVisible: the class is not for `actor`, or the learner is not in it.
        ActionUnusable: there is no such kind or deed, it does not fit, or the text is too long.
        ActionKeyReused: the key names another action.
    """
    class_selectors.access_class(actor=actor, public_id=classroom.public_id)
    if learner is not None:
        class_selectors.access_learner_of(classroom=classroom, pseudonym=learner.pseudonym)
    _check_action(kind, what, learner, days)
    row = AlertAction(
        classroom=classroom,
        learner=learner,
        actor=actor,
        client_key=client_key or uuid.uuid4(),
        at=at,
        seen_at=min(seen_at or at, at),
        kind=kind,
        evidence=dict(evidence) if evidence else {kind: {}},
        what=what,
        text=_clean(text),
        until=at + dt.timedelta(days=days) if days else None,
    )
    return _store(row)


def _check_action(kind: str, what: str, learner: Learner | None, days: int | None) -> None:
    if kind not in Kind.values or what not in What.values or what == What.TAKEN_BACK:
        raise ActionUnusable("Choose what you did.", kind=kind[:20], what=what[:20])
    if (Kind(kind) in OF_CLASS) is not (learner is None):
        raise ActionUnusable("This is about the whole class, or about one learner.", kind=kind)
    if (what == What.SNOOZED) is not (days is not None):
        raise ActionUnusable("Say for how many days to put it off.", what=what)
    if days is not None and not 1 <= days <= LONGEST_SNOOZE_DAYS:
        raise ActionUnusable(f"Choose from 1 to {LONGEST_SNOOZE_DAYS} days.", days=days)


def _clean(text: str) -> str:
    # PostgreSQL keeps no NUL. Browsers send a new line as two characters, and count it as one.
    said = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if len(said) > LONGEST_TEXT:
        message = f"Write at most {LONGEST_TEXT} characters; these are {len(said)}."
        raise ActionUnusable(message, characters=len(said))
    return said


def _store(row: AlertAction) -> AlertAction:
    """Insert the row, or return the one stored under its key."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        stored = find_action(actor=row.actor, client_key=row.client_key)
        if stored is None:
            raise
        same = ("classroom_id", "learner_id", "kind", "what")
        if any(getattr(stored, name) != getattr(row, name) for name in same):
            message = "This form was sent before with something else. Open the page again."
            raise ActionKeyReused(message, client_key=str(row.client_key)) from None
        return stored
    return row


def find_action(*, actor: User, client_key: uuid.UUID) -> AlertAction | None:
    """Return what a person stored under a key."""
    return AlertAction.objects.filter(actor=actor, client_key=client_key).first()


@transaction.atomic
def let_go_on(
    *,
    classroom: Classroom,
    learner: Learner,
    concept_id: int,
    actor: User,
    at: dt.datetime,
    note: str = "",
    client_key: uuid.UUID | None = None,
) -> AlertAction:
    """Let a concept's items come again that a learner was stuck on, and keep that it was done.

    The same key again returns what was stored under it, and lets nobody go on twice.

    Raises:
        NotVisible: the class is not for `actor`, or the learner is not in it.
        NotStuck: by their newest decision the learner is not.
    """
    # The row makes the second of two clicks wait, and find the first one's.
    Learner.objects.select_for_update(no_key=True).get(pk=learner.pk)
    if client_key is not None:
        stored = find_action(actor=actor, client_key=client_key)
        if stored is not None:
            return stored
    release = steering.release_learner(
        learner=learner,
        course=classroom.course,
        concept_id=concept_id,
        actor=actor,
        at=at,
        note=note[:200],
    )
    topic = {
        "concept": concept_id,
        "answers": release.evidence_n,
        "slug": release.concept.slug,
        "topic": release.concept.name,
    }
    return record_action(
        classroom=classroom,
        actor=actor,
        kind=Kind.STUCK,
        what=What.LET_GO_ON,
        at=at,
        learner=learner,
        evidence={Kind.STUCK.value: {"names": [str(concept_id)], "topics": [topic]}},
        text=note,
        client_key=client_key,
    )


def take_back(*, action: AlertAction, actor: User, at: dt.datetime) -> AlertAction:
    """Let an alert stand as if the action had not been; twice is once.

    Raises:
        ActionUnusable: a learner was let go on, which this does not undo.
    """
    if action.what == What.LET_GO_ON:
        raise ActionUnusable("They have been let go on; that stays.", action=action.pk)
    row = AlertAction(
        classroom=action.classroom,
        learner=action.learner,
        actor=actor,
        at=at,
        seen_at=at,
        kind=action.kind,
        what=What.TAKEN_BACK,
        takes_back=action,
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        return AlertAction.objects.get(takes_back=action)
    return row
