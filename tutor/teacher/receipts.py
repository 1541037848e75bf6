"""Decisions told to a teacher: why this item, and why not the others."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from tutor.accounts.models import Learner
from tutor.common.errors import NotVisible
from tutor.content import selectors as content_selectors
from tutor.content.models import Course, Item
from tutor.content.rendered import RenderedItem
from tutor.content.selectors import CourseBank
from tutor.practice import feedback as feedbacks
from tutor.practice import selectors as practice_selectors
from tutor.practice.feedback import Feedback
from tutor.responses import selectors as response_selectors
from tutor.responses.models import Response
from tutor.scheduling import reasons
from tutor.scheduling import selectors as scheduling_selectors
from tutor.scheduling.models import Decision

RULES = {
    "not-operational": "not released, or withdrawn",
    "outside-assignment": "not asked for by the assignment",
    "banned": "not wanted by the teacher",
    "prerequisite-not-reached": "a prerequisite is not reached yet",
    "stepping-back": "failed several times; its prerequisites come first",
    "concept-mastered": "the concept is mastered and not due for review",
    "cool-down": "answered a short while ago",
    "exposure-cap": "seen often enough this month",
    "difficulty-jump": "too big a jump in difficulty",
    "just-answered": "just answered",
    "quota-used": "as many on the concept as the teacher wants",
    "accommodation": "demands what the learner cannot be given",
    "time-left": "takes longer than the sitting lasts",
    "stuck": "many answers without mastery; the teacher takes over",
    "over-exposed": "too many comparable learners had it",
    "same-concept": "the last answers were all about the concept",
    "review-share": "enough reviews for now",
}

MODES = {
    "learn": "learn something new",
    "practise": "practise",
    "review": "review",
    "probe": "find out",
}


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision in the list, with the answers that followed."""

    decision: Decision
    chip: str
    sentence: str
    responses: tuple[Response, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """What else might have come: a concept in a mode."""

    concept: str
    mode: str
    score: float
    propensity: float
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item of the chosen arm."""

    item: str
    prob: float
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """A decision in full; `item` and `answers` are what the learner saw and gave."""

    line: DecisionLine
    item: RenderedItem | None
    answers: tuple[Feedback, ...]
    arms: tuple[Arm, ...]
    candidates: tuple[Candidate, ...]
    removed: tuple[tuple[str, int], ...]
    relaxed: tuple[str, ...]


def list_lines(*, learner: Learner, course: Course) -> QuerySet[Decision]:
    """Return the learner's decisions, newest first."""
    return scheduling_selectors.list_decisions(learner=learner, course=course)


def describe(decision: Decision) -> DecisionLine:
    """Return a decision with its sentence and the answers that followed."""
    bank = _bank(decision.course)
    responses = response_selectors.list_for_presentation(
        learner_id=decision.learner_id, presentation=decision.public_id
    )
    return DecisionLine(
        decision=decision,
        chip=reasons.chip(decision) if decision.item_version_id else "End",
        sentence=reasons.sentence(decision, bank),
        responses=tuple(responses),
    )


def explain(*, learner: Learner, course: Course, public_id: uuid.UUID) -> Receipt:
    """Return a decision in full.

    Raises:
        NotVisible: this learner has no such decision in this course.
    """
    decision = list_lines(learner=learner, course=course).filter(public_id=public_id).first()
    if decision is None:
        raise NotVisible("There is no such decision.", decision=str(public_id))
    receipt, bank = decision.receipt, _bank(course)
    shown = None
    if decision.item_version_id is not None:
        shown = practice_selectors.get_presentation(learner=learner, public_id=public_id)
    return Receipt(
        line=describe(decision),
        item=shown.item if shown else None,
        answers=tuple(feedbacks.explain(shown, given) for given in shown.responses)
        if shown
        else (),
        arms=_arms(receipt, bank),
        candidates=_candidates(receipt),
        removed=tuple(
            (RULES.get(rule, rule), count) for rule, count in receipt.get("removed", {}).items()
        ),
        relaxed=tuple(RULES.get(rule, rule) for rule in receipt.get("relaxed", [])),
    )


def _arms(receipt: Mapping[str, Any], bank: CourseBank) -> tuple[Arm, ...]:
    arms = receipt.get("arms")
    if not arms:
        return ()
    columns = (arms["concept"], arms["mode"], arms["score"], arms["propensity"])
    found = [
        Arm(
            concept=_concept_name(bank, concept),
            mode=MODES.get(mode, mode),
            score=score,
            propensity=propensity,
            is_chosen=(concept, mode) == (receipt["concept"], receipt["mode"]),
        )
        for concept, mode, score, propensity in zip(*columns, strict=True)
    ]
    return tuple(sorted(found, key=lambda arm: -arm.propensity))


def _candidates(receipt: Mapping[str, Any]) -> tuple[Candidate, ...]:
    candidates = receipt.get("candidates")
    if not candidates:
        return ()
    names = dict(Item.objects.filter(pk__in=candidates["item"]).values_list("pk", "slug"))
    return tuple(
        Candidate(item=names.get(pk, f"item {pk}"), prob=prob, is_chosen=pk == receipt["item"])
        for pk, prob in zip(candidates["item"], candidates["prob"], strict=True)
    )


def _concept_name(bank: CourseBank, concept_id: int) -> str:
    index = bank.index_of_concept.get(concept_id)
    return f"concept {concept_id}" if index is None else bank.concept_names[index]


def _bank(course: Course) -> CourseBank:
    return content_selectors.get_bank(course_id=course.pk, revision=course.revision)
