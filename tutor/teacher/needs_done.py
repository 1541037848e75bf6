"""What was done about alerts, in words, with what followed."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from tutor.accounts.models import Learner
from tutor.alerts import following, wording
from tutor.alerts import selectors as alerts
from tutor.alerts.kinds import Kind, What
from tutor.alerts.models import AlertAction, AlertThresholds
from tutor.alerts.thresholds import BOUNDS, DEFAULTS
from tutor.classes.models import Classroom
from tutor.teacher.events import Event


@dataclass(frozen=True, slots=True)
class Line:
    """An action as a page shows it; `text` is empty for whoever does not teach the class."""

    row: AlertAction
    who: str
    about: str
    reasons: tuple[tuple[str, str], ...]
    did: str
    text: str
    followed: str
    taken_back: AlertAction | None
    may_take_back: bool


def list_lines(
    rows: Sequence[AlertAction], *, classroom: Classroom, with_texts: bool, at: dt.datetime
) -> list[Line]:
    """Return actions as lines of a page, in their order, with as many queries for any number."""
    needs = alerts.find_needs(classrooms=[classroom], at=at)[classroom.pk]
    found = following.follow(actions=rows, classroom=classroom, needs=needs, at=at)
    return [_line(row, found[row.pk], with_texts=with_texts) for row in rows]


def _line(row: AlertAction, found: following.Followed, *, with_texts: bool) -> Line:
    undone = getattr(row, "taken_back_by", None)
    is_put_off = row.what == What.SNOOZED
    return Line(
        row=row,
        who=row.actor.display_name,
        about=row.learner.label if row.learner else "The whole class",
        reasons=_reasons(row),
        did=say_deed(row),
        text=row.text if with_texts else "",
        followed="" if is_put_off or undone else following.say(row, found),
        taken_back=undone,
        may_take_back=undone is None and row.what != What.LET_GO_ON,
    )


def _reasons(row: AlertAction) -> tuple[tuple[str, str], ...]:
    """Return each reason there was, the leading one first, in a few words and in a sentence."""
    kinds = sorted(row.evidence, key=lambda kind: (kind != row.kind, Kind(kind).rank))
    return tuple(
        (Kind(kind).label, wording.say(Kind(kind), row.evidence[kind], at=row.seen_at))
        for kind in kinds
    )


def say_deed(row: AlertAction) -> str:
    """Return what was done, in words."""
    if row.until is not None:
        days = round((row.until - row.at) / dt.timedelta(days=1))
        return f"put off for {days} day{'' if days == 1 else 's'}"
    return What(row.what).label


def list_events(
    *, learner: Learner, classroom: Classroom, with_texts: bool, at: dt.datetime, most: int
) -> list[Event]:
    """Return what was done about a learner's alerts, with what followed, for their history."""
    rows = list(alerts.list_actions(classroom=classroom, learner=learner)[:most])
    if not rows:
        return []
    events = []
    for line in list_lines(rows, classroom=classroom, with_texts=with_texts, at=at):
        words = ", ".join(label for label, _ in line.reasons)
        said = f"{line.did.capitalize()} ({words})."
        if line.followed:
            said = f"{said} {line.followed}"
        events.append(Event(line.row.at, said, line.who, line.text))
        if line.taken_back is not None:
            undone, who = line.taken_back, line.taken_back.actor.display_name
            events.append(Event(undone.at, f"Taken back: {line.did} ({words})", who))
    return events


def describe_changes(rows: Sequence[AlertThresholds]) -> list[tuple[AlertThresholds, str]]:
    """Return changes of thresholds, newest first, each with what it changed in words."""
    found = []
    for place, row in enumerate(rows):
        before = rows[place + 1] if place + 1 < len(rows) else None
        found.append((row, _describe(row, before)))
    return found


def _describe(row: AlertThresholds, before: AlertThresholds | None) -> str:
    said = []
    for bound in BOUNDS:
        old, new = getattr(before or DEFAULTS, bound.name), getattr(row, bound.name)
        if old != new:
            said.append(f"{bound.label}: {new} {bound.unit}, before {old}")
    was_off = set(before.off if before else ())
    said += [f"“{Kind(kind).label}” switched off" for kind in sorted(set(row.off) - was_off)]
    said += [f"“{Kind(kind).label}” switched on" for kind in sorted(was_off - set(row.off))]
    return "; ".join(said) or "Nothing changed"
