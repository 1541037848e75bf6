"""Django's sessions in the database, read by a query that is compiled once.

Every request of a signed-in person reads its session.
"""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from typing_extensions import override

from tutor.common import clock
from tutor.common.prepared import Prepared, slot

_CURRENT = Prepared(
    lambda: Session.objects.filter(
        session_key=slot("session_key", Session),
        expire_date__gt=slot("now", Session, "expire_date"),
    )
)


class SessionStore(db.SessionStore):
    """The store named by SESSION_ENGINE."""

    @override
    def _get_session_from_db(self) -> Session | None:
        found = _CURRENT.first(session_key=self.session_key, now=clock.now())
        if found is None:
            # As in Django's: a key that leads nowhere is not used again.
            self._session_key = None
        return found
