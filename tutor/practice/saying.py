"""What a learner says beside answering: a problem with an item, a call for help, a pause.

Each is one row, stored once however often it is sent.
"""

import datetime as dt
import uuid
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from tutor.accounts.models import Learner
from tutor.practice import selectors
from tutor.practice.errors import KeyReused
from tutor.practice.models import ItemReport, Pause, PracticeSession, Said, TeacherNote

MAX_TEXT = 1000
SaidRow = TypeVar("SaidRow", bound=Said)


def report_item(
    *,
    learner: Learner,
    presentation: uuid.UUID,
    client_key: uuid.UUID,
    kind: str,
    text: str,
    at: dt.datetime,
) -> ItemReport:
    """Store what the learner says is wrong with an item; a longer text is cut.

    Raises:
        PresentationUnknown: the learner was not shown this item.
        KeyReused: the key names a report on another item.
    """
    decision = selectors.get_showing(learner=learner, public_id=presentation).decision
    kind = kind if kind in ItemReport.Kind.values else ItemReport.Kind.OTHER
    row = _store(
        ItemReport(
            learner=learner,
            client_key=client_key,
            at=at,
            decision=decision,
            kind=kind,
            text=_clean(text),
        )
    )
    _require_same(row, "decision_id", decision.pk)
    return row


def _clean(text: str) -> str:
    # PostgreSQL stores no NUL.
    return text.replace("\x00", "\ufffd").strip()[:MAX_TEXT]


def write_note(
    *, learner: Learner, session: PracticeSession, client_key: uuid.UUID, text: str, at: dt.datetime
) -> TeacherNote:
    """Store a call for the teacher's help; a longer text is cut.

    Raises:
        KeyReused: the key names a note from another session.
    """
    row = _store(
        TeacherNote(
            learner=learner,
            client_key=client_key,
            at=at,
            session=session,
            text=_clean(text),
        )
    )
    _require_same(row, "session_id", session.pk)
    return row


def pause(
    *, learner: Learner, presentation: uuid.UUID, client_key: uuid.UUID, at: dt.datetime
) -> Pause:
    """Store that the learner left the item for a while; the session waits.

    Raises:
        PresentationUnknown: the learner was not shown this item.
        KeyReused: the key names a pause at another item.
    """
    decision = selectors.get_showing(learner=learner, public_id=presentation).decision
    row = _store(Pause(learner=learner, client_key=client_key, at=at, decision=decision))
    _require_same(row, "decision_id", decision.pk)
    return row


def _store(row: SaidRow) -> SaidRow:
    """Insert the row, or return the one stored under its key."""
    model: Any = type(row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        stored: SaidRow | None = model.objects.filter(
            learner=row.learner_id, client_key=row.client_key
        ).first()
        if stored is None:
            raise
        return stored
    return row


def _require_same(row: Said, name: str, wanted: int) -> None:
    if getattr(row, name) != wanted:
        raise KeyReused(
            gettext("This page is broken; open it again."), client_key=str(row.client_key)
        )
