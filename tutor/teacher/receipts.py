"""Decisions told to a teacher: why this item, and why not the others."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from tutor.accounts.models import Learner
from tutor.classes.models import Classroom
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
from tutor.teacher import rules as wording

RULES = {
    "not-operational": "not released, or withdrawn",
    "outside-assignment": "not asked for by the assignment",
    "banned": "not wanted by the teacher",
    "set-aside": "put off by the learner for this session",
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
    "another-class": wording.ANOTHERS,
}

EXPLORING = {
    "not-allowed": "the class has not opted in",
    "test": "this is a test",
    "flagged": "this learner is exempt",
    "near-deadline": "the due date is near",
    "capped": "this learner has had enough of these this month",
    "another-class": wording.ANOTHERS,
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


# What moves a score, said of an arm that has less of it than the chosen one, and of one with more.
TERMS = {
    "gain": ("less to learn a minute", "more to learn a minute"),
    "retention": ("less to lose by waiting", "more to lose by waiting"),
    "recency": ("practised more recently", "not practised for longer"),
    "order": ("later in your order", "earlier in your order"),
    "step_back": ("not what helps with the failures", "what helps with the failures"),
    "plan": ("worth less by the date", "worth more by the date"),
}
# Two scores that differ by less than this are as good as equal.
EQUAL = 0.02


@dataclass(frozen=True, slots=True)
class Arm:
    """What else might have come: a concept in a mode, and what told it from the chosen one."""

    concept: str
    mode: str
    score: float
    propensity: float
    is_chosen: bool
    why_not: str = ""


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
    circumstances: tuple[str, ...] = ()


def list_lines(*, learner: Learner, course: Course) -> QuerySet[Decision]:
    """Return the learner's decisions, newest first."""
    return scheduling_selectors.list_decisions(learner=learner, course=course)


def describe(decision: Decision) -> DecisionLine:
    """Return a decision with its sentence and the answers that followed."""
    return describe_all([decision])[0]


def describe_all(decisions: Sequence[Decision]) -> list[DecisionLine]:
    """Return decisions with what followed each, in one query for all of them."""
    shown = [decision.public_id for decision in decisions]
    found = response_selectors.map_for_presentations(presentations=shown)
    return [
        DecisionLine(
            decision=decision,
            chip=reasons.chip(decision) if decision.item_version_id else "End",
            sentence=reasons.sentence(decision, _bank(decision.course)),
            responses=tuple(found.get((decision.learner_id, decision.public_id), ())),
        )
        for decision in decisions
    ]


def explain(*, learner: Learner, classroom: Classroom, public_id: uuid.UUID) -> Receipt:
    """Return a decision in full, as who teaches the class may read it.

    Raises:
        NotVisible: this learner has no such decision in this course.
    """
    course = classroom.course
    decision = list_lines(learner=learner, course=course).filter(public_id=public_id).first()
    if decision is None:
        raise NotVisible("There is no such decision.", decision=str(public_id))
    receipt, bank = _seen_from(classroom, decision), _bank(course)
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
        circumstances=(*_circumstances(receipt), *_rules_then(decision, classroom)),
    )


def record(*, learner: Learner, classroom: Classroom, public_id: uuid.UUID) -> dict[str, Any]:
    """Return a decision as researchers read it: the stored receipt, its versions, what followed.

    What tells of an accommodation that another class has set is named `another-class`.

    Raises:
        NotVisible: this learner has no such decision in this course.
    """
    course = classroom.course
    decision = list_lines(learner=learner, course=course).filter(public_id=public_id).first()
    if decision is None:
        raise NotVisible("There is no such decision.", decision=str(public_id))
    answers = response_selectors.list_for_presentation(
        learner_id=decision.learner_id, presentation=decision.public_id
    )
    return {
        "decision": str(decision.public_id),
        "learner": str(learner.pseudonym),
        "course": course.slug,
        "course_revision": decision.course_revision,
        "at": decision.at.isoformat(),
        "policy": decision.policy,
        "policy_version": decision.policy_version_id,
        "class_settings": decision.settings_id,
        "rules": decision.steering or [],
        "tracer": decision.tracer.number if decision.tracer else None,
        "item_version": decision.item_version_id,
        "item_seed": decision.item_seed,
        "propensity": decision.propensity,
        "fallback": decision.fallback,
        "receipt": _seen_from(classroom, decision),
        "answers": [
            {
                "attempt": answer.attempt,
                "correct": answer.credit,
                "hints": answer.hints_seen,
                "elapsed_ms": answer.elapsed_ms,
                "answered_at": answer.answered_at.isoformat(),
            }
            for answer in answers
        ],
    }


def _circumstances(receipt: Mapping[str, Any]) -> list[str]:
    """Return what else decided, in sentences."""
    said = []
    fallback, exploring = receipt.get("fallback"), receipt.get("exploring")
    if fallback == "kill-switch":
        said.append("Choosing was stopped for the class, so your order was followed.")
    elif fallback:
        said.append(f"Choosing failed ({fallback}), so your order was followed.")
    if receipt.get("explored") and receipt["reason"]["code"] == "explore":
        said.append("Drawn at random, as one question in twenty is.")
    if receipt.get("placing") and not fallback:
        said.append("To find out where a newcomer stands: one of the questions that tell most.")
    if exploring in EXPLORING:
        said.append(f"Nothing could be drawn at random: {EXPLORING[exploring]}.")
    return said


def _rules_then(decision: Decision, classroom: Classroom) -> list[str]:
    """Return the teachers' rules that held for the choice."""
    said = wording.describe_all(rule_ids=decision.steering or (), classroom=classroom)
    return [
        "A rule of another class held." if text == wording.ANOTHERS else f"Your rule held: {text}."
        for text in said
    ]


def _seen_from(classroom: Classroom, decision: Decision) -> dict[str, Any]:
    """Return the stored receipt without what tells of another class's accommodations."""
    receipt: dict[str, Any] = decision.receipt
    rule_ids = decision.steering or ()
    if not wording.accommodated_elsewhere(rule_ids=rule_ids, classroom=classroom):
        return receipt
    removed = {
        "another-class" if rule == "accommodation" else rule: count
        for rule, count in receipt.get("removed", {}).items()
    }
    exploring = receipt.get("exploring")
    return receipt | {
        "removed": removed,
        "exploring": "another-class" if exploring == "flagged" else exploring,
    }


def _arms(receipt: Mapping[str, Any], bank: CourseBank) -> tuple[Arm, ...]:
    arms = receipt.get("arms")
    if not arms:
        return ()
    size = len(arms["concept"])
    terms = [
        {name: values[place] for name, values in arms.get("terms", {}).items()}
        for place in range(size)
    ]
    is_chosen = [
        (concept, mode) == (receipt["concept"], receipt["mode"])
        for concept, mode in zip(arms["concept"], arms["mode"], strict=True)
    ]
    chosen = is_chosen.index(True) if True in is_chosen else 0
    found = [
        Arm(
            concept=_concept_name(bank, arms["concept"][place]),
            mode=MODES.get(arms["mode"][place], arms["mode"][place]),
            score=arms["score"][place],
            propensity=arms["propensity"][place],
            is_chosen=is_chosen[place],
            why_not=""
            if is_chosen[place]
            else _why_not(
                terms[place],
                terms[chosen],
                apart=arms["score"][place] - arms["score"][chosen],
                is_drawn=receipt.get("exploring") in {None, "capped"},
            ),
        )
        for place in range(size)
    ]
    return tuple(sorted(found, key=lambda arm: -arm.propensity))


def _why_not(
    own: Mapping[str, float], chosen: Mapping[str, float], *, apart: float, is_drawn: bool
) -> str:
    """Return in words what most told an arm from the chosen one.

    Args:
        own: the terms of its score.
        chosen: those of the chosen one's.
        apart: its score less the chosen one's.
        is_drawn: arms were drawn by their chances, rather than the best one taken.
    """
    drew = "; the draw decided" if is_drawn else ""
    if abs(apart) < EQUAL:
        return f"about as good{drew}"
    sign = 1.0 if apart > 0.0 else -1.0
    terms = {name: sign * (own[name] - chosen.get(name, 0.0)) for name in own}
    strongest = max(terms, key=lambda name: terms[name], default="")
    if strongest not in TERMS or terms[strongest] <= 0.0:
        return f"ranked higher{drew}" if apart > 0.0 else "ranked lower by the policy in use"
    less, more = TERMS[strongest]
    return f"{more}{drew}" if apart > 0.0 else less


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
