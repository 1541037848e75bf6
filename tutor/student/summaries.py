"""What changed, in words."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from tutor.accounts.models import Learner
from tutor.classes import stated, terms
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.practice.models import PracticeSession
from tutor.responses.models import Response
from tutor.scheduling import reasons, reviews
from tutor.scheduling.models import Decision
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.bands import Band, band_stated
from tutor.tracing.standing import BETWEEN_PROOFS

# Finishes after which there is more to do.
GOES_ON = ("limit-reached", "stopped", "switched")


@dataclass(frozen=True, slots=True)
class Shift:
    """How an answer or a session moved one concept; probabilities in 0..1.

    Of a session, `why` says what came in it, and `is_awarded_now` whether the award came with it.
    `is_set_by_teacher`: the band is a teacher's word, whatever the estimate is.
    """

    name: str
    before: float
    after: float
    band_before: Band | None
    band_after: Band
    why: str = ""
    is_awarded_now: bool = False
    is_set_by_teacher: bool = False

    @property
    def before_percent(self) -> int:
        """`before` for a bar."""
        return round(100 * self.before)

    @property
    def after_percent(self) -> int:
        """`after` for a bar."""
        return round(100 * self.after)

    @property
    def word(self) -> str:
        """The direction, in a word."""
        if self.after_percent > self.before_percent:
            return "up"
        return "down" if self.after_percent < self.before_percent else "same"


def describe_shifts(
    shifts: dict[str, Any], *, course: Course, learner: Learner | None = None
) -> list[Shift]:
    """Return what an answer changed, from what its decision kept; bands as they are shown now."""
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    kept = [(pk, shifts[str(pk)]) for pk in bank.order_concepts(shifts)]
    said = _words_on(learner, course)
    return [
        Shift(
            name=bank.concept_names[bank.index_of_concept[pk]],
            before=before,
            after=after,
            band_before=None if pk in said else Band(band_before),
            band_after=_shown(pk, band_after, said),
            is_set_by_teacher=pk in said,
        )
        for pk, (before, band_before, after, band_after) in kept
    ]


def _words_on(learner: Learner | None, course: Course) -> stated.Of:
    if learner is None:
        return {}
    return stated.of(learner_id=learner.pk, course_id=course.pk, revision=course.revision)


def _shown(concept_id: int, band: str, said: stated.Of) -> Band:
    """Return the band that is shown: a teacher's word before the estimate's."""
    word = said.get(concept_id)
    return Band(band) if word is None else band_stated(is_known=word.is_known)


def describe_session(session: PracticeSession, *, at: dt.datetime) -> list[Shift]:
    """Return the concepts practised in the session, from where to where they went."""
    bank = content_selectors.get_bank(course_id=session.course_id, revision=session.course.revision)
    until = session.finished_at or at
    ends = _last_shifts(session)
    tallies = _count(session)
    awards = tracing_selectors.list_awards(learner=session.learner, course=session.course)
    said = _words_on(session.learner, session.course)
    return [
        Shift(
            name=bank.concept_names[bank.index_of_concept[pk]],
            before=session.mastery_at_start.get(str(pk), first),
            after=last,
            band_before=None,
            band_after=_shown(pk, band, said),
            is_set_by_teacher=pk in said,
            why=_why(tallies.get(pk, Counter())),
            is_awarded_now=pk in awards and session.started_at <= awards[pk] <= until,
        )
        for pk, (first, _, last, band) in ends.items()
    ]


def _last_shifts(session: PracticeSession) -> dict[int, list[Any]]:
    """Return concept id -> what the last answer on it in the session changed, first met first.

    As it was told then: what the learner did in later sessions is no part of this one.
    """
    bank = content_selectors.get_bank(course_id=session.course_id, revision=session.course.revision)
    found: dict[int, list[Any]] = {}
    for shifts in _decided(session).order_by("pk").values_list("shifts", flat=True):
        found |= {pk: shifts[str(pk)] for pk in bank.order_concepts(shifts)}
    return found


def _count(session: PracticeSession) -> dict[int, Counter[str]]:
    """Return concept id -> how many first tries of the session were right, helped and wrong."""
    shown = _decided(session).exclude(follows=None).values_list("follows", flat=True)
    rows = Response.objects.filter(
        learner=session.learner, presentation__in=list(shown), attempt=1, corrects=None
    )
    found: dict[int, Counter[str]] = {}
    for version_id, is_correct, hints in rows.values_list(
        "item_version", "is_correct", "hints_seen"
    ):
        what = "wrong" if not is_correct else "helped" if hints else "right"
        for pk in content_selectors.get_concepts_of_version(version_id=version_id):
            found.setdefault(pk, Counter())[what] += 1
    return found


def _why(tally: Counter[str]) -> str:
    """Return what came, in a sentence or two."""
    right, helped, wrong = tally["right"], tally["helped"], tally["wrong"]
    n = right + helped + wrong
    if not n:
        return ""
    if right == n:
        first = ngettext(
            "Right at the first try, without help.", "All %(n)d right without help.", n
        )
    elif n == 1:
        first = gettext("Not right at the first try.") if wrong else ""
    elif right or wrong == n:
        first = gettext("%(right)d of %(n)d right without help.")
    else:
        first = gettext("None of %(n)d right without help.")
    told = first % {"right": right, "n": n}
    if helped:
        counts = ngettext(
            "%(n)d right with help: practice, which proves nothing yet.",
            "%(n)d right with help: practice, which proves nothing yet.",
            helped,
        )
        told = f"{told} {counts % {'n': helped}}".strip()
    return told


def describe_next(session: PracticeSession, *, at: dt.datetime) -> list[str]:
    """Return what comes next, in sentences: an award at hand, what to reach, a review."""
    learner, course = session.learner, session.course
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    names = dict(zip(bank.concept_ids.tolist(), bank.concept_names, strict=True))
    told = []
    proofs = tracing_selectors.list_proofs(learner=learner, course=course)
    practised = practised_concepts(session)
    masteries = tracing_selectors.get_masteries(learner=learner, course=course, at=at)
    # Said only where it is still sure: after a long pause one right answer would not do.
    at_hand = [pk for pk in proofs if pk in masteries and masteries[pk].band is Band.MASTERED]
    at_hand.sort(key=lambda pk: pk not in practised)
    if at_hand:
        if proofs[at_hand[0]] + BETWEEN_PROOFS <= at:
            said = gettext("One more right answer without help gives you “%(name)s” for good.")
        else:
            said = gettext(
                "One more right answer without help, from tomorrow on, "
                "gives you “%(name)s” for good."
            )
        told.append(said % {"name": names[at_hand[0]]})
    open_ = [pk for pk in practised if pk in masteries and masteries[pk].band is not Band.MASTERED]
    if open_:
        best = max(open_, key=lambda pk: masteries[pk].prob)
        told.append(
            gettext("Nearest to mastered is “%(name)s”: a few more right answers.")
            % {"name": names[best]}
        )
    told += _next_review(learner, course, names, at)
    return told


def _next_review(
    learner: Learner, course: Course, names: dict[int, str], at: dt.datetime
) -> list[str]:
    found = reviews.list_reviews(learner=learner, course=course, at=at)
    waiting = [(review.due_on, names[review.concept_id]) for review in found if review.due_on]
    if not waiting:
        return []
    due_on, name = min(waiting)
    if due_on <= timezone.localdate(at):
        return [gettext("“%(name)s” is due for review.") % {"name": name}]
    day = date_format(due_on, gettext("l, j F"))
    return [
        gettext("“%(name)s” comes back on %(day)s, to see what has stayed.")
        % {"name": name, "day": day}
    ]


def practised_concepts(session: PracticeSession) -> list[int]:
    """Return the concepts of the items that the session showed and got answered."""
    return list(_last_shifts(session))


def _decided(session: PracticeSession) -> QuerySet[Decision]:
    """Return the decisions that followed the session's answers."""
    shown = Decision.objects.filter(
        learner=session.learner, course=session.course, at__gte=session.started_at
    ).exclude(shifts={})
    if session.finished_at is not None:
        shown = shown.filter(at__lte=session.finished_at)
    return shown


def finish_sentence(session: PracticeSession) -> str:
    """Return why the session ended."""
    return str(reasons.FINISHES.get(session.finish_reason, reasons.OVER))


def may_go_on(session: PracticeSession, *, at: dt.datetime) -> bool:
    """Test whether starting the same again would bring another question."""
    if session.finish_reason not in GOES_ON:
        return False
    if session.assignment is None:
        return True
    own = terms.find(
        assignment=session.assignment,
        learner_id=session.learner_id,
        course_id=session.course_id,
        revision=session.course.revision,
    )
    return own.is_running(at)
