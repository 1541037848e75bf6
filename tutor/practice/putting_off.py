"""Putting an item off: "I haven't learned this yet" and skipping. Neither is an answer.

Nothing is folded, so mastery stays as it is. What was put off rests: the item itself for the
rules' cool-down, as an answered one does, also in sessions begun meanwhile; of what is not learnt
yet every item of its concept, until the session ends.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.utils.translation import gettext

from tutor.accounts.models import Learner
from tutor.common import turns
from tutor.practice import remarks, selectors, timing
from tutor.practice.errors import AlreadyAnswered, KeyReused, NoMoreSkips, NotWaiting
from tutor.practice.models import PracticeSession, SetAside
from tutor.responses import selectors as response_selectors
from tutor.responses import services as response_services
from tutor.scheduling import services as scheduling_services
from tutor.scheduling.models import Decision
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing import services as tracing_services

# Why a session ends of which only what was put off is left.
ALL_SET_ASIDE = "set-aside"
_NOTHING_LEFT = frozenset({"exhausted-for-now", "blocked"})


@dataclass(frozen=True, slots=True)
class PutOff:
    """A wish to put off the item that is shown.

    Attributes:
        client_key: chosen by the page before sending; a repeat finds the first one's row.
        kind: `SetAside.Kind`.
        draw_seed: for the choice that follows.
    """

    presentation: uuid.UUID
    client_key: uuid.UUID
    kind: str
    at: dt.datetime
    draw_seed: int


@turns.atomic_turn()
def put_off(*, learner: Learner, wish: PutOff) -> SetAside:
    """Store that the learner puts the item off, and choose what comes instead.

    Sending it again returns the stored row, also under another key: an item is put off once.

    Raises:
        PresentationUnknown: the learner was not shown this item.
        AlreadyAnswered: the answer is in.
        NotWaiting: the session is over.
        NoMoreSkips: the day's skips are used up.
        KeyReused: the key names another item that was put off.
    """
    response_services.lock_learner(learner_id=learner.pk)
    showing = selectors.get_showing(learner=learner, public_id=wish.presentation)
    stored = remarks.get_set_aside(decision_id=showing.decision.pk)
    if stored is not None:
        return stored
    if response_selectors.list_for_presentation(
        learner_id=learner.pk, presentation=wish.presentation
    ):
        raise AlreadyAnswered(
            gettext("This item is answered."), presentation=str(wish.presentation)
        )
    session = showing.session
    if session is None:
        raise NotWaiting(gettext("This session is over."), presentation=str(wish.presentation))
    if wish.kind == SetAside.Kind.SKIP and not remarks.count_skips_left(
        session=session, at=wish.at
    ):
        raise NoMoreSkips(gettext("You have used the skips of today."), session=str(session.pk))
    # The learner is locked: nobody else can take the key between here and the insert.
    if SetAside.objects.filter(learner=learner, client_key=wish.client_key).exists():
        raise KeyReused(
            gettext("This page is broken; open it again."), client_key=str(wish.client_key)
        )
    row = SetAside.objects.create(
        learner=learner,
        client_key=wish.client_key,
        session=session,
        decision=showing.decision,
        kind=wish.kind,
        at=wish.at,
    )
    session.resting = _with(session.resting, showing.decision, wish.kind)
    _go_on(session, _decide(learner, session, wish), at=wish.at)
    return row


def _with(resting: dict[str, list[int]], decision: Decision, kind: str) -> dict[str, list[int]]:
    """Return what rests from now on."""
    if kind == SetAside.Kind.SKIP:
        name, pk = "items", decision.item_version.item_id
    else:
        name, pk = "concepts", selectors.main_concept_of(decision)
    return {**resting, name: [*resting.get(name, []), pk]}


def _decide(learner: Learner, session: PracticeSession, wish: PutOff) -> Decision:
    course = session.course
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    state = tracing_services.open_state(learner_id=learner.pk, tracer=tracer)
    return scheduling_services.decide_next(
        learner=learner,
        course=course,
        assignment=session.assignment,
        tracer=tracer,
        seen=tracing_selectors.see(
            learner_id=learner.pk,
            tracer=tracer,
            state=state.learner,
            n_responses=state.n_responses,
            prediction=tracing_selectors.get_prediction(learner_id=learner.pk, tracer=tracer),
            at=wish.at,
        ),
        at=wish.at,
        seed=wish.draw_seed,
        sitting=scheduling_services.Sitting(
            answered=session.n_answered,
            planned=session.planned_items,
            follows=wish.presentation,
            last_reason=session.current.reason,
            minutes_left=timing.find_minutes_left(
                session=session, learner_id=learner.pk, at=wish.at
            ),
            resting=session.resting,
            topic=session.topic_id,
            instead=wish.kind,
        ),
    )


def _go_on(session: PracticeSession, decision: Decision, *, at: dt.datetime) -> None:
    moves = {"current": decision, "resting": session.resting}
    if decision.item_version_id is None:
        reason = ALL_SET_ASIDE if decision.reason in _NOTHING_LEFT else decision.reason
        moves |= {"finished_at": at, "finish_reason": reason}
    PracticeSession.objects.filter(pk=session.pk).update(**moves)
