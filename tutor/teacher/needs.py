"""Who needs their teacher, as pages and files show it: in words, with a way to act."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.urls import reverse

from tutor.accounts.models import Learner
from tutor.alerts import wording
from tutor.alerts.errors import ActionUnusable
from tutor.alerts.kinds import OFFERED, OFFERED_OF_CLASS, Kind, What
from tutor.alerts.seen import Alert
from tutor.alerts.selectors import Need
from tutor.classes.models import Classroom

SALT = "tutor.teacher.needs"
# What somebody saw so long ago is nothing to act on without another look.
TOKEN_LASTS = dt.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Link:
    """A way on, named by what is done there."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Line:
    """A need as a page shows it.

    Attributes:
        need: the need.
        key, later: of the forms, so that two clicks are one.
        name: whom it is about.
        address: of their page.
        why: the leading reason in words, with its numbers.
        others: the other reasons, each in a few words, with the whole sentence.
        said: what the learner wrote.
        change: the smallest change that goes together with another outcome.
        evidence: where the reason can be seen; None where that is the next action.
        next: what to do next.
        release: the topic that the learner may be let go on with here; None for none.
        token: what was seen, signed: it is kept with what is done about it.
        offered: what may be said to have been done.
    """

    need: Need
    key: uuid.UUID
    later: uuid.UUID
    name: str
    address: str
    why: str
    others: tuple[tuple[str, str], ...]
    said: str
    change: str
    evidence: Link | None
    next: Link
    release: dict[str, Any] | None
    token: str
    offered: tuple[What, ...]

    @property
    def kind(self) -> Kind:
        """The leading reason."""
        return self.need.lead.kind


def list_lines(needs: Sequence[Need], *, at: dt.datetime) -> list[Line]:
    """Return needs as lines of a page, in their order."""
    return [_line(need, at) for need in needs]


def _line(need: Need, at: dt.datetime) -> Line:
    lead, room = need.lead, need.classroom
    is_stuck = lead.kind is Kind.STUCK
    evidence, following = _links(need)
    return Line(
        need=need,
        key=uuid.uuid4(),
        later=uuid.uuid4(),
        name=need.learner.label if need.learner else "The whole class",
        address=_page_of(room, need.learner),
        why=wording.say(lead.kind, lead.facts, at=at),
        others=tuple(
            (alert.kind.label, wording.say(alert.kind, alert.facts, at=at)) for alert in need.others
        ),
        said=lead.text,
        change=str(lead.facts.get("change", "")),
        evidence=evidence,
        next=following,
        release=lead.facts["topics"][0] if is_stuck else None,
        token=_sign(need, at),
        offered=OFFERED if need.learner else OFFERED_OF_CLASS,
    )


def _page_of(room: Classroom, learner: Learner | None) -> str:
    if learner is None:
        return reverse("teacher:classroom", args=[room.public_id])
    return reverse("teacher:learner", args=[room.public_id, learner.pseudonym])


# Reasons whose next step is a part of the learner's page.
_ON_PAGE = {
    Kind.HELP: ("See where they are, and help", "#said"),
    Kind.RISK: ("See what would change it", "#dates"),
    Kind.FADING: ("See their topics", "#topics-head"),
    Kind.QUIET: ("See what they did last", ""),
}


def _links(need: Need) -> tuple[Link | None, Link]:
    """Return where the leading reason can be seen, and the one thing to do next."""
    kind, page = need.lead.kind, _page_of(need.classroom, need.learner)
    if need.learner is None:
        return None, _link_of_class(need, page)
    if kind in _ON_PAGE:
        label, anchor = _ON_PAGE[kind]
        return None, Link(label, f"{page}{anchor}")
    receipt, answers = _receipt(need), Link("See their answers", page)
    if kind in {Kind.HINTS, Kind.GUESSING}:
        return None, receipt or answers
    return receipt, _topic(need) or answers


def _link_of_class(need: Need, page: str) -> Link:
    slug, room = need.lead.facts.get("slug"), need.classroom.public_id
    address = reverse("teacher:concept", args=[room, slug]) if slug else page
    if need.lead.kind is Kind.UNTAUGHT:
        return Link("See who stands where", address)
    return Link("See the wrong answers", f"{address}#mistakes" if slug else address)


def _topic(need: Need) -> Link | None:
    """Return how the topic went for the learner that the leading reason is about."""
    facts = need.lead.facts
    about = facts["topics"][0] if need.lead.kind is Kind.STUCK else facts
    if "slug" not in about or need.learner is None:
        return None
    names = [need.classroom.public_id, need.learner.pseudonym, about["slug"]]
    label = f"See how “{about['topic']}” went"
    return Link(label, reverse("teacher:learner-concept", args=names))


def _receipt(need: Need) -> Link | None:
    """Return the receipt of the newest question that the leading reason rests on."""
    facts = need.lead.facts
    found = facts.get("receipt") or facts.get("decision")
    if found is None or need.learner is None:
        return None
    names = [need.classroom.public_id, need.learner.pseudonym, found]
    label = "Why it stopped" if need.lead.kind is Kind.STUCK else "See the newest question"
    return Link(label, reverse("teacher:receipt", args=names))


@dataclass(frozen=True, slots=True)
class Token:
    """What somebody saw when they acted."""

    learner_id: int | None
    kind: str
    evidence: dict[str, Any]
    seen_at: dt.datetime


def _sign(need: Need, at: dt.datetime) -> str:
    told = {
        "class": need.classroom.pk,
        "learner": need.learner.pk if need.learner else None,
        "kind": need.lead.kind.value,
        "evidence": need.evidence,
        "seen_at": at.isoformat(),
    }
    return signing.dumps(told, salt=SALT, compress=True)


def read_token(text: str, *, classroom: Classroom) -> Token:
    """Return what a page of this class showed when it was made.

    Raises:
        ActionUnusable: it is of another class, or too old, or nobody's.
    """
    try:
        told = signing.loads(text, salt=SALT, max_age=TOKEN_LASTS)
    except signing.BadSignature:
        told = {}
    if told.get("class") != classroom.pk:
        raise ActionUnusable("This page is too old to act on. Look at who needs you now.")
    seen_at = dt.datetime.fromisoformat(told["seen_at"])
    return Token(told["learner"], told["kind"], told["evidence"], seen_at)


def list_reasons(needs: Sequence[Need]) -> list[tuple[int, Need, Alert, bool]]:
    """Return (place, need, alert, whether it leads) of every reason, as files list them."""
    return [
        (place, need, alert, alert is need.lead)
        for place, need in enumerate(needs, start=1)
        for alert in need.alerts
    ]
