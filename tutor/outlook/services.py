"""Writes of forecasts: a whole class's rows at once, each once a moment."""

import datetime as dt
from collections.abc import Mapping, Sequence

from tutor.classes.models import Assignment
from tutor.outlook.engine import Told
from tutor.outlook.models import Forecast, OutlookVersion


def store_version(version: OutlookVersion) -> OutlookVersion:
    """Insert a version that has been learnt; from now on it holds for its course."""
    version.save()
    return version


def store_forecasts(
    *,
    assignment: Assignment,
    told: Mapping[int, Told],
    version: OutlookVersion | None,
    at: dt.datetime,
) -> int:
    """Insert what was told of learners, by id; repeated for the same moment it changes nothing."""
    rows: Sequence[Forecast] = [
        Forecast(
            learner_id=learner_id,
            assignment=assignment,
            version=version,
            at=at,
            chance=one.chance,
            low=one.low,
            high=one.high,
            median_at=_after(at, one.median_days),
            is_at_risk=one.is_at_risk,
            facts=one.facts,
            drivers=one.drivers,
            change=one.change,
        )
        for learner_id, one in told.items()
    ]
    Forecast.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(rows)


def _after(at: dt.datetime, days: float | None) -> dt.datetime | None:
    return None if days is None else at + dt.timedelta(days=days)
