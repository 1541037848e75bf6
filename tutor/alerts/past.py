"""What has been acted on, as far as it keeps alerts away."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tutor.alerts.kinds import OF_CLASS, STANDING, Kind
from tutor.alerts.models import AlertAction

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Acted:
    """An action about one alert.

    Attributes:
        seen_at: up to when what happened had been seen.
        until: until when it was put off; None for what was dealt with.
        names: of what the alert was about, such as topics or a call for help.
    """

    seen_at: dt.datetime
    until: dt.datetime | None
    names: frozenset[str]


class Past:
    """The actions of a class that count, by alert."""

    def __init__(self, rows: Iterable[AlertAction], *, rest_days: int) -> None:
        """Take rows, the newest first; those taken back are left out by whoever reads them."""
        self._rest = dt.timedelta(days=rest_days)
        self._found: dict[tuple[Kind, int | None], list[Acted]] = {}
        for row in rows:
            for kind, facts in row.evidence.items():
                acted = Acted(row.seen_at, row.until, frozenset(facts.get("names", ())))
                self._found.setdefault((Kind(kind), row.learner_id), []).append(acted)

    def since(
        self, kind: Kind, learner_id: int | None, *, name: str | None = None
    ) -> dt.datetime | None:
        """Return up to when somebody has dealt with it: what came before does not count again."""
        for acted in self._about(kind, learner_id, name):
            if acted.until is None:
                return acted.seen_at
        return None

    def hides(
        self, kind: Kind, learner_id: int | None, *, names: Iterable[str], at: dt.datetime
    ) -> bool:
        """Test whether all that an alert is about is put off, or left alone for the time being."""
        return all(self._rests(kind, learner_id, name, at) for name in names)

    def _rests(self, kind: Kind, learner_id: int | None, name: str, at: dt.datetime) -> bool:
        newest = next(iter(self._about(kind, learner_id, name)), None)
        if newest is None:
            return False
        if newest.until is not None:
            return at < newest.until
        return kind in STANDING and at < newest.seen_at + self._rest

    def _about(self, kind: Kind, learner_id: int | None, name: str | None) -> Iterable[Acted]:
        found = self._found.get((kind, learner_id), ())
        if name is None:
            return found
        # What somebody did without an alert, as where a date was extended, is about all of it.
        told = kind in OF_CLASS
        return [one for one in found if name in one.names or (not one.names and not told)]
