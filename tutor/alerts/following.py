"""What followed after something was done about an alert. What goes together is no cause.

All of it is read from the log when it is asked for. Whether an alert came back is told by what is
there: it stands now, or somebody has acted on it again. One that came and cleared itself between
two looks is not seen.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from tutor.alerts.kinds import Kind, What
from tutor.alerts.models import AlertAction
from tutor.alerts.selectors import Need
from tutor.classes.models import Classroom, Enrolment
from tutor.content.models import ItemVersionConcept
from tutor.responses import tallies
from tutor.responses.tallies import Scope
from tutor.tracing import awards as tracing_awards

# Looked at before and after.
SPAN = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Span:
    """First answers of some days: how many, how many right without help, on how many days.

    `learners` are those who answered, `showed` those who showed the wrong idea it was about.
    """

    answers: int
    right: int
    days: int
    learners: int
    showed: int


@dataclass(frozen=True, slots=True)
class Followed:
    """What followed an action.

    Attributes:
        before, after: the `SPAN` before it and after it, or what of that is over. Of the class:
            the answers on the topic it was about.
        awards: topics awarded to the learner after it, within the span.
        is_over: whether the span after it is.
        stands: whether an alert of the kind stands now, put off ones left out.
        again_at: when somebody next acted on one of the kind; None: nobody has.
    """

    before: Span
    after: Span
    awards: int
    is_over: bool
    stands: bool
    again_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class _Row:
    """A first answer, as far as it is counted here."""

    learner_id: int
    at: dt.datetime
    is_right: bool
    misconception: str
    version_id: int


def follow(
    *,
    actions: Sequence[AlertAction],
    classroom: Classroom,
    needs: Sequence[Need],
    at: dt.datetime,
) -> dict[int, Followed]:
    """Return action id -> what followed, with as many queries for any number of actions.

    `needs` are those of the class now.
    """
    versions = _versions_about(actions, classroom)
    rows = _read_answers(actions, classroom, versions)
    learners = {one.learner_id for one in actions if one.learner_id is not None}
    awarded = tracing_awards.list_award_days(
        course_id=classroom.course_id, learner_ids=sorted(learners)
    )
    standing = {(need.learner, alert.kind) for need in needs for alert in need.alerts}
    standing_ids = {(who.pk if who else None, kind) for who, kind in standing}
    again = _acted_again(actions, classroom)
    return {
        one.pk: Followed(
            before=_sum(rows, one, versions, one.at - SPAN, one.at),
            after=_sum(rows, one, versions, one.at, one.at + SPAN),
            awards=sum(
                pk == one.learner_id and one.at < moment <= one.at + SPAN
                for pk, _, moment in awarded
            ),
            is_over=at >= one.at + SPAN,
            stands=(one.learner_id, Kind(one.kind)) in standing_ids,
            again_at=again.get(one.pk),
        )
        for one in actions
    }


def _topic_of(action: AlertAction) -> str:
    """Return the slug of the topic that an action about the class is about; "" for none."""
    if action.learner_id is not None:
        return ""
    return str(action.evidence.get(action.kind, {}).get("slug", ""))


def _versions_about(
    actions: Sequence[AlertAction], classroom: Classroom
) -> dict[str, frozenset[int]]:
    """Return concept slug -> its item versions, of what was done about the class."""
    slugs = {_topic_of(one) for one in actions} - {""}
    links = ItemVersionConcept.objects.filter(
        concept__course=classroom.course_id, concept__slug__in=slugs
    )
    found: dict[str, set[int]] = {}
    for slug, version in links.values_list("concept__slug", "version"):
        found.setdefault(slug, set()).add(version)
    return {slug: frozenset(own) for slug, own in found.items()}


def _read_answers(
    actions: Sequence[AlertAction],
    classroom: Classroom,
    versions: Mapping[str, frozenset[int]],
) -> list[_Row]:
    """Return the first answers around the actions, in one pass over the learners' histories."""
    wanted, learners = Q(), set[int]()
    for one in actions:
        around = Q(answered_at__gt=one.at - SPAN, answered_at__lte=one.at + SPAN)
        if one.learner_id is not None:
            wanted |= around & Q(learner=one.learner_id)
            learners.add(one.learner_id)
        elif _topic_of(one) in versions:
            wanted |= around & Q(item_version__in=versions[_topic_of(one)])
    if not wanted:
        return []
    if versions:
        members = Enrolment.objects.filter(classroom=classroom)
        learners |= set(members.values_list("learner", flat=True))
    scope = Scope(classroom.course_id, tuple(sorted(learners)))
    rows = tallies.list_standing_in(scope).filter(wanted, attempt=1)
    columns = (
        "learner",
        "answered_at",
        "is_correct",
        "hints_seen",
        "misconception",
        "item_version",
    )
    return [
        _Row(learner, moment, right and not hints, idea, version)
        for learner, moment, right, hints, idea, version in rows.values_list(*columns)
    ]


def _sum(
    rows: Sequence[_Row],
    action: AlertAction,
    versions: Mapping[str, frozenset[int]],
    since: dt.datetime,
    until: dt.datetime,
) -> Span:
    """Return the sums over the answers that an action is held against."""
    own = [row for row in rows if since < row.at <= until and _is_of(row, action, versions)]
    idea = action.evidence.get(action.kind, {}).get("idea", "")
    return Span(
        answers=len(own),
        right=sum(row.is_right for row in own),
        days=len({timezone.localdate(row.at) for row in own}),
        learners=len({row.learner_id for row in own}),
        showed=len({row.learner_id for row in own if idea and row.misconception == idea}),
    )


def _is_of(row: _Row, action: AlertAction, versions: Mapping[str, Collection[int]]) -> bool:
    if action.learner_id is not None:
        return row.learner_id == action.learner_id
    return row.version_id in versions.get(_topic_of(action), ())


def _acted_again(actions: Sequence[AlertAction], classroom: Classroom) -> dict[int, dt.datetime]:
    """Return action id -> when somebody next dealt with an alert of its kind."""
    if not actions:
        return {}
    later = AlertAction.objects.filter(
        classroom=classroom,
        at__gt=min(one.at for one in actions),
        taken_back_by__isnull=True,
    )
    later = later.exclude(what__in=[What.TAKEN_BACK, What.SNOOZED]).order_by("at", "pk")
    columns = ("pk", "learner", "kind", "at")
    found: dict[int, dt.datetime] = {}
    every = list(later.values_list(*columns))
    for one in actions:
        for pk, learner, kind, moment in every:
            is_same = (learner, kind) == (one.learner_id, one.kind) and pk != one.pk
            if is_same and moment > one.at:
                found[one.pk] = moment
                break
    return found


def say(action: AlertAction, found: Followed) -> str:
    """Return what followed in words."""
    span = f"{SPAN.days} days"
    after = f"In the {span} after" if found.is_over else f"So far in the {span} after"
    told = _say_class if action.learner_id is None else _say_learner
    return f"{after}: {told(action, found, span)} {_say_return(found)}"


def _say_learner(_: AlertAction, found: Followed, span: str) -> str:
    awards = f", {_many(found.awards, 'topic')} awarded" if found.awards else ""
    after, before = found.after, found.before
    return (
        f"{_many(after.answers, 'first answer')} on {_many(after.days, 'day')}, {after.right} "
        f"right without help{awards} (in the {span} before: {before.answers} on "
        f"{_many(before.days, 'day')}, {before.right} right)."
    )


def _say_class(action: AlertAction, found: Followed, span: str) -> str:
    after, before = found.after, found.before
    said = (
        f"{_many(after.answers, 'first answer')} on the topic by {_many(after.learners, 'learner')}"
        f", {after.right} right without help (in the {span} before: {before.answers}, "
        f"{before.right} right)."
    )
    if action.kind != Kind.IDEA:
        return said
    return f"{said} The idea was shown by {after.showed}, before by {before.showed}."


def _say_return(found: Followed) -> str:
    if found.again_at is not None:
        day = date_format(timezone.localtime(found.again_at), "j M")
        return f"It came back: somebody acted on it again on {day}."
    return "It stands again." if found.stands else "It has not come back."


def _many(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
