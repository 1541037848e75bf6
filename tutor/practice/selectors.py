"""Reads of practising: what a learner has before them."""

import uuid
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext

from tutor.accounts.models import Learner
from tutor.common.prepared import Prepared, slot
from tutor.content import rendered
from tutor.content import selectors as content_selectors
from tutor.practice.errors import PresentationUnknown
from tutor.practice.models import PracticeSession
from tutor.responses import selectors as response_selectors
from tutor.responses.models import Response
from tutor.scheduling import selectors as scheduling_selectors
from tutor.scheduling.engine import ASKED_AGAIN
from tutor.scheduling.models import Decision

# What the pages show; an item's body is cached by version, and a receipt is a few KB of JSON.
_PRESENTATION_FIELDS = (
    "public_id",
    "learner",
    "at",
    "item_seed",
    "propensity",
    "reason",
    "reason_facts",
    "course__slug",
    "course__title",
    "course__revision",
    "course__language",
    "item_version__number",
    "item_version__item__slug",
)
_SESSION_FIELDS = (
    "public_id",
    "learner",
    "planned_items",
    "planned_minutes",
    "n_answered",
    "n_correct",
    "started_at",
    "finished_at",
    "finish_reason",
    "resting",
    "course__slug",
    "course__title",
    "course__revision",
    "course__language",
    "current__public_id",
    "current__steering",
    "assignment__public_id",
    "assignment__title",
    "assignment__items_per_session",
    "assignment__opens_at",
    "assignment__due_at",
    "topic__slug",
    "topic__name",
)


@dataclass(frozen=True, slots=True)
class Presentation:
    """One showing of an item to a learner, as it stands now.

    `slug` and `version_number` name the item; `responses` are the answers to it so far, first
    attempt first; `hints` those opened, `n_open` the rungs opened of the whole ladder.
    """

    decision: Decision
    item: rendered.RenderedItem
    slug: str
    version_number: int
    concept_ids: tuple[int, ...]
    hints: tuple[str, ...]
    responses: tuple[Response, ...]
    n_open: int = 0

    @property
    def rungs(self) -> tuple[str, ...]:
        """The ladder: hints, then smaller steps, then a similar item worked out.

        None where the learner is asked without help.
        """
        if self.decision.reason == ASKED_AGAIN and not self.is_answered:
            return ()
        steps = ("steps",) if self.item.steps else ()
        # Another seed of a template is a sibling; where there is none, the solution would tell all.
        example = ("example",) if self.item.parameters and self.item.solution else ()
        return ("hint",) * len(self.item.hints) + steps + example

    @property
    def next_rung(self) -> str:
        """What the learner may ask for next: hint, steps, example, or nothing."""
        return self.rungs[self.n_open] if self.n_open < len(self.rungs) else ""

    @property
    def has_steps_open(self) -> bool:
        """Whether the smaller steps are there to answer."""
        return "steps" in self.rungs[: self.n_open]

    @property
    def has_example_open(self) -> bool:
        """Whether the similar item is there to read."""
        return "example" in self.rungs[: self.n_open]

    @property
    def is_answered(self) -> bool:
        """Whether the answer that counts is in."""
        return bool(self.responses)

    @property
    def is_solved(self) -> bool:
        """Whether any attempt was right."""
        return any(response.is_correct for response in self.responses)

    @property
    def hints_left(self) -> int:
        """Rungs of the ladder not opened yet; none where the learner is asked without help."""
        if self.decision.reason == ASKED_AGAIN and not self.is_answered:
            return 0
        return len(self.item.hints) - len(self.hints)


def get_presentation(*, learner: Learner, public_id: uuid.UUID) -> Presentation:
    """Return a showing of an item to this learner.

    Raises:
        PresentationUnknown: the learner was never shown anything under this number.
    """
    decision = _PRESENTATION.first(learner=learner.pk, public_id=public_id)
    if decision is None or decision.item_version_id is None:
        raise PresentationUnknown(
            gettext("There is no such item for you."), presentation=str(public_id)
        )
    return _presentation(
        decision,
        hints_seen=response_selectors.count_hints(presentation=decision.public_id),
        responses=tuple(
            response_selectors.list_for_presentation(
                learner_id=learner.pk, presentation=decision.public_id
            )
        ),
    )


def presentation_answered(decision: Decision, response: Response) -> Presentation:
    """Return a showing that has just got its first answer; nothing is read."""
    return _presentation(decision, hints_seen=response.hints_seen, responses=(response,))


def presentation_decided(decision: Decision) -> Presentation:
    """Return the showing of an item that has just been chosen out of its course's bank."""
    bank = content_selectors.get_bank(
        course_id=decision.course_id, revision=decision.course_revision
    )
    name = bank.name_of_version[decision.item_version_id]
    return _presentation(decision, name=name, hints_seen=0, responses=())


def _presentation(
    decision: Decision,
    *,
    hints_seen: int,
    responses: tuple[Response, ...],
    name: tuple[str, int] | None = None,
) -> Presentation:
    item, version_id = rendered_item(decision), decision.item_version_id
    if name is None:
        name = (decision.item_version.item.slug, decision.item_version.number)
    return Presentation(
        decision=decision,
        item=item,
        slug=name[0],
        version_number=name[1],
        concept_ids=content_selectors.get_concepts_of_version(version_id=version_id),
        hints=item.hints[:hints_seen],
        n_open=hints_seen,
        responses=responses,
    )


def rendered_item(decision: Decision) -> rendered.RenderedItem:
    """Return the item that a decision shows, with its parameters filled in."""
    return content_selectors.get_rendered_item(
        version_id=decision.item_version_id, seed=decision.item_seed
    )


def get_session(*, learner: Learner, public_id: uuid.UUID) -> PracticeSession | None:
    """Return a session of this learner."""
    return _SESSION.first(learner=learner.pk, public_id=public_id)


def get_open_session(*, learner: Learner, course_id: int) -> PracticeSession | None:
    """Return the learner's session of the course that is not finished."""
    return _OPEN_SESSION.first(learner=learner.pk, course=course_id)


def _sessions() -> QuerySet[PracticeSession]:
    rows = PracticeSession.objects.select_related("course", "current", "assignment", "topic")
    return rows.only(*_SESSION_FIELDS)


# What taking an answer touches: every further column costs the ORM time in the request.
_SHOWING_FIELDS = (
    "public_id",
    "started_at",
    "n_answered",
    "n_correct",
    "planned_items",
    "planned_minutes",
    "started_at",
    "finished_at",
    "finish_reason",
    "assignment__public_id",
    "assignment__items_per_session",
    "resting",
    "topic",
    "assignment__classroom",
    "assignment__opens_at",
    "assignment__due_at",
    "current__public_id",
    "current__at",
    "current__reason",
    "current__mode",
    "current__item_seed",
    "current__course__slug",
    "current__course__revision",
    "current__item_version__number",
    "current__item_version__item__slug",
)


_PRESENTATION = Prepared(
    lambda: (
        Decision.objects.filter(
            learner=slot("learner", Decision), public_id=slot("public_id", Decision)
        )
        .select_related("course", "item_version__item")
        .only(*_PRESENTATION_FIELDS)
    )
)
_SHOWING = Prepared(
    lambda: (
        PracticeSession.objects.filter(
            learner=slot("learner", PracticeSession),
            current__public_id=slot("public_id", Decision),
            finished_at__isnull=True,
        )
        .select_related("current__course", "current__item_version__item", "assignment")
        .only(*_SHOWING_FIELDS)
    )
)
_SESSION = Prepared(
    lambda: _sessions().filter(
        learner=slot("learner", PracticeSession), public_id=slot("public_id", PracticeSession)
    )
)
_OPEN_SESSION = Prepared(
    lambda: _sessions().filter(
        learner=slot("learner", PracticeSession),
        course=slot("course", PracticeSession),
        finished_at__isnull=True,
    )
)


@dataclass(frozen=True, slots=True)
class Showing:
    """What an answer needs to know of its showing.

    `session` is the open session that waits for this answer, or None: it is over or went on.
    """

    decision: Decision
    session: PracticeSession | None


def get_showing(*, learner: Learner, public_id: uuid.UUID) -> Showing:
    """Return a showing with its session, in one query for the usual case.

    Raises:
        PresentationUnknown: the learner was never shown anything under this number.
    """
    session = _SHOWING.first(learner=learner.pk, public_id=public_id)
    if session is not None:
        session.course = session.current.course
        session.current.assignment = session.assignment
        return Showing(session.current, session)
    decision = (
        Decision.objects.filter(learner=learner, public_id=public_id, item_version__isnull=False)
        .select_related("course", "item_version")
        .defer("receipt", "item_version__body")
        .first()
    )
    if decision is None:
        raise PresentationUnknown(
            gettext("There is no such item for you."), presentation=str(public_id)
        )
    return Showing(decision, None)


def get_open_or_last_session(*, learner: Learner, course_id: int) -> PracticeSession | None:
    """Return the learner's open session of the course, else the one finished last."""
    opened = get_open_session(learner=learner, course_id=course_id)
    if opened is not None:
        return opened
    finished = _sessions().filter(learner=learner, course=course_id)
    return finished.order_by("-finished_at").first()


def get_next_decision(*, learner: Learner, follows: uuid.UUID) -> Decision | None:
    """Return what was decided after the answer to a presentation."""
    return scheduling_selectors.get_follower(learner_id=learner.pk, follows=follows)


def main_concept_of(decision: Decision) -> int:
    """Return the id of the concept that an item was chosen for, else the item's first."""
    concepts = content_selectors.get_concepts_of_version(version_id=decision.item_version_id)
    wanted = decision.reason_facts.get("concept")
    return wanted if wanted in concepts else concepts[0]


# Seeds tried for a sibling that is not the very same question.
_SIBLING_TRIES = 8


def get_sibling(*, shown: Presentation) -> rendered.RenderedItem | None:
    """Return the same template with other numbers; None where it always asks the same.

    Then the solution would be that of the very question, which may still be answered.
    """
    decision = shown.decision
    for step in range(1, _SIBLING_TRIES + 1):
        sibling = content_selectors.get_rendered_item(
            version_id=decision.item_version_id, seed=(decision.item_seed + step) % 2**31
        )
        if sibling.stem != shown.item.stem:
            return sibling
    return None
