"""Writes of teachers' rules: set one, take one back. Both are rows that say who, when and why."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import transaction

from tutor.accounts import services as account_services
from tutor.accounts.models import Learner, User
from tutor.classes import selectors as class_selectors
from tutor.classes import stated, terms
from tutor.classes.models import Assignment, Classroom
from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.content.models import Item
from tutor.scheduling import conduct, feasibility, rule_values, wishes
from tutor.scheduling.errors import InfeasibleRule, RuleTakenBack
from tutor.scheduling.models import SteeringRule
from tutor.scheduling.plans import Wish
from tutor.scheduling.rule_values import Order
from tutor.tracing import engine as tracing_engine
from tutor.tracing import selectors as tracing_selectors

Kind = SteeringRule.Kind
# Of these the newest for the same learners and assignment takes the place of the one before.
SINGLE = (Kind.EXAM, Kind.MINUTES, Kind.LENGTH, Kind.TIME, Kind.BAR, Kind.ORDER, Kind.TEST)


@transaction.atomic
def set_rule(
    *, classroom: Classroom, order: Order, actor: User | None, at: dt.datetime
) -> SteeringRule:
    """Put a rule in force; the next choice keeps to it.

    Raises:
        InvalidRule: a field is missing, or of another course or class.
        InfeasibleRule: it could not be kept, by itself or with the rules in force; says why.
    """
    # The class's row makes the second of two rules wait: each is checked against the other.
    Classroom.objects.select_for_update().get(pk=classroom.pk)
    classroom.course.refresh_from_db()
    rule = SteeringRule(
        classroom=classroom,
        kind=order.kind,
        item=order.item,
        concept=order.concept,
        value=rule_values.check(order, classroom=classroom, at=at),
        assignment=order.assignment,
        for_everybody=not order.learners,
        at=at,
        set_by=actor,
        reason=order.reason,
    )
    learner_ids = frozenset(learner.pk for learner in order.learners)
    current = list(conduct.list_rules(class_ids=[classroom.pk]))
    replaced = [row for row in current if _is_replaced(row, rule, learner_ids)]
    kept = [row for row in current if row not in replaced]
    _require_feasible(classroom, kept, conduct.wish_of(rule, learner_ids=learner_ids), at=at)
    for row in replaced:
        _take_back(row, actor=actor, at=at, reason="replaced")
    rule.save()
    rule.learners.set(order.learners)
    _tell(rule, "steering.set", actor, at)
    content_services.raise_revision(course=classroom.course)
    return rule


@transaction.atomic
def take_back(
    *, classroom: Classroom, rule_id: int, actor: User | None, at: dt.datetime, reason: str = ""
) -> SteeringRule:
    """Put a rule out of force by a row of its own; the next choice no longer keeps to it.

    Raises:
        RuleTakenBack: the class has no such rule in force.
    """
    Classroom.objects.select_for_update().get(pk=classroom.pk)
    rule = next(
        (row for row in conduct.list_rules(class_ids=[classroom.pk]) if row.pk == rule_id), None
    )
    if rule is None:
        raise RuleTakenBack("This rule is not in force any more.", rule=rule_id)
    row = _take_back(rule, actor=actor, at=at, reason=reason)
    _tell(rule, "steering.taken-back", actor, at)
    content_services.raise_revision(course=classroom.course)
    return row


def _take_back(
    rule: SteeringRule, *, actor: User | None, at: dt.datetime, reason: str
) -> SteeringRule:
    return SteeringRule.objects.create(
        classroom_id=rule.classroom_id,
        assignment_id=rule.assignment_id,
        for_everybody=rule.for_everybody,
        kind=rule.kind,
        item_id=rule.item_id,
        concept_id=rule.concept_id,
        value=rule.value,
        at=at,
        set_by=actor,
        reason=reason,
        reverts=rule,
    )


def _tell(rule: SteeringRule, action: str, actor: User | None, at: dt.datetime) -> None:
    account_services.record_audit(
        at=at,
        action=action,
        organisation=rule.classroom.organisation,
        actor=actor,
        subject=f"class {rule.classroom.public_id}",
        # Not what or for whom: accommodations are nobody's business but the class's teachers'.
        facts={"rule": rule.pk, "kind": rule.kind},
    )


def _is_replaced(old: SteeringRule, new: SteeringRule, learner_ids: frozenset[int]) -> bool:
    if old.kind != new.kind or old.assignment_id != new.assignment_id:
        return False
    if old.for_everybody != new.for_everybody:
        return False
    if {learner.pk for learner in old.learners.all()} != learner_ids:
        return False
    same = (old.item_id, old.concept_id) == (new.item_id, new.concept_id)
    return old.kind in SINGLE or same


def _require_feasible(
    classroom: Classroom, rules: Sequence[SteeringRule], new: Wish, *, at: dt.datetime
) -> None:
    before = conduct.list_wishes(rules)
    for learners, assignment, own in list_sets(classroom, [*before, new]):
        if new not in own:
            continue
        goal = None if assignment is None else goal_of(assignment)
        with_it, without = (
            find_problems(classroom, some, assignment)
            + ([] if goal is None else find_locked(classroom, some, goal, learners=learners, at=at))
            for some in (own, [wish for wish in own if wish != new])
        )
        fresh = [problem for problem in with_it if problem not in without]
        if fresh:
            whom = f" (for {learners[0].label})" if learners and _is_one_of_many(own) else ""
            what = f" in “{assignment.title}”" if assignment and fresh[0].rule < 0 else ""
            raise InfeasibleRule(f"{fresh[0].text.rstrip('.')}{what}{whom}.")


def _is_one_of_many(own: Sequence[Wish]) -> bool:
    return any(not wish.for_everybody for wish in own)


def list_sets(
    classroom: Classroom, rules: Sequence[Wish]
) -> list[tuple[list[Learner], Assignment | None, tuple[Wish, ...]]]:
    """Return every different set of rules that holds for somebody, with those it holds for.

    A class without learners counts as one with a learner whom no rule names. Who is excused from an
    assignment has nothing to do in it that a rule could stand in the way of.
    """
    learners = list(class_selectors.list_learners_of(classroom=classroom))
    course = classroom.course
    held = terms.read(course_id=course.pk, revision=course.revision)
    found = [(whom, None, own) for whom, own in sets_on(None, rules, learners)]
    for assignment in Assignment.objects.filter(classroom=classroom):
        excused = held[assignment.pk].wholly if assignment.pk in held else set()
        asked = [learner for learner in learners if learner.pk not in excused]
        if asked or not learners:
            sets = sets_on(assignment.pk, rules, asked)
            found += [(whom, assignment, own) for whom, own in sets]
    return found


def sets_on(
    assignment_id: int | None, rules: Sequence[Wish], learners: Sequence[Learner]
) -> list[tuple[list[Learner], tuple[Wish, ...]]]:
    """Return every different set of rules on an assignment, with the learners it holds for.

    Without a learner there is one set, of a learner whom no rule names.
    """
    found: dict[frozenset[int], tuple[list[Learner], tuple[Wish, ...]]] = {}
    for learner in learners or [None]:
        own = tuple(
            wish
            for wish in rules
            if wish.holds_for(learner_id=learner.pk if learner else 0, assignment_id=assignment_id)
        )
        whom, _ = found.setdefault(frozenset(wish.pk for wish in own), ([], own))
        if learner is not None:
            whom.append(learner)
    return list(found.values())


def goal_of(assignment: Assignment) -> tuple[int, ...]:
    """Return the concept ids that an assignment asks for now; empty means the whole course."""
    revision = assignment.classroom.course.revision
    return class_selectors.get_goal_concepts(assignment=assignment, revision=revision)


def find_problems(
    classroom: Classroom, own: Sequence[Wish], assignment: Assignment | None
) -> list[feasibility.Problem]:
    """Return what cannot be kept of rules that hold together for somebody."""
    course = classroom.course
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    goal: tuple[int, ...] = ()
    if assignment is not None:
        goal = class_selectors.get_goal_concepts(assignment=assignment, revision=course.revision)
    named = [wish.item_id for wish in own if wish.item_id is not None]
    names = feasibility.Names(
        items=dict(Item.objects.filter(pk__in=named).values_list("pk", "slug")),
        concepts=dict(zip(bank.concept_ids.tolist(), bank.concept_names, strict=True)),
    )
    return feasibility.find_problems(own, bank=bank, names=names, goal=goal)


def find_locked(
    classroom: Classroom,
    own: Sequence[Wish],
    goal: Sequence[int],
    *,
    learners: Sequence[Learner],
    at: dt.datetime,
) -> list[feasibility.Problem]:
    """Return what the rules lock of an assignment's goal for one at least of these learners.

    Without a learner, for somebody new.
    """
    course = classroom.course
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    given: dict[str, Any] = {
        "bank": bank,
        "names": feasibility.Names(
            items={},
            concepts=dict(zip(bank.concept_ids.tolist(), bank.concept_names, strict=True)),
        ),
        "goal": goal,
    }
    found = feasibility.find_locked(own, **given)
    if not found or not learners:
        return found
    # Only now everybody's mastery is looked at.
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    said = stated.read(course_id=course.pk, revision=course.revision)
    reached = np.ones(len(bank.concept_ids), dtype=np.bool_)
    for learner in learners:
        state = tracing_selectors.get_state(learner_id=learner.pk, tracer=tracer)
        concepts = tracing_engine.estimate_concepts(tracer, state, at=at.timestamp())
        theirs = wishes.is_reached(concepts.lower_prob, concepts.evidence_n)
        for pk, word in said.get(learner.pk, {}).items():
            if pk in bank.index_of_concept:
                theirs[bank.index_of_concept[pk]] = word.is_known
        reached &= theirs
    return feasibility.find_locked(own, **given, reached=reached)
