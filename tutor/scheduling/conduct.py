"""Reads of how items are chosen for a learner: the class's settings and what the policy learnt."""

import dataclasses
import datetime as dt
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import DatabaseError
from django.db.models import Max, QuerySet

from tutor.classes import selectors as class_selectors
from tutor.classes import stated
from tutor.classes.models import Assignment
from tutor.common.cache import new_cache
from tutor.scheduling import engine
from tutor.scheduling.engine import Conduct
from tutor.scheduling.models import ClassScheduling, PolicyPromotion, PolicyVersion, SteeringRule
from tutor.scheduling.plans import Wish

logger = logging.getLogger(__name__)
_conducts = new_cache(capacity=512)
_wishes = new_cache(capacity=512)


def find_conduct(
    *, learner_id: int, course_id: int, assignment: Assignment | None, revision: int
) -> Conduct:
    """Return how the next item is chosen for a learner.

    `revision` is the course's: changing the settings, a rule or a promotion raises it. For
    practice without an assignment the learner's classes of the course decide together: the first
    one's policy, and whatever any of them forbids is forbidden.
    """
    classes = _list_class_ids(learner_id=learner_id, course_id=course_id, assignment=assignment)
    found = _conducts.get(
        (course_id, revision, classes), lambda: _conduct(course_id=course_id, class_ids=classes)
    )
    said = stated.of(learner_id=learner_id, course_id=course_id, revision=revision)
    if not found.wishes and not said:
        return found
    own = _wishes_for(found.wishes, learner_id=learner_id, assignment=assignment)
    return dataclasses.replace(found, wishes=own, stated=said)


def find_or_stand_in(
    *, learner_id: int, course_id: int, assignment: Assignment | None, revision: int
) -> tuple[Conduct, Exception | None]:
    """Return how the next item is chosen, and what went wrong in finding it, None for nothing.

    What stands in draws nothing at random, asks nothing again and keeps to the teachers' rules, if
    they can be read by themselves: who follows it follows the course's own order. Errors of the
    database are raised: on PostgreSQL nothing more can be read or written in their transaction,
    which has to be rolled back.
    """
    given: dict[str, Any] = {
        "learner_id": learner_id,
        "course_id": course_id,
        "assignment": assignment,
    }
    try:
        return find_conduct(**given, revision=revision), None
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("How items are chosen could not be found: the defaults stand in.")
        return Conduct(wishes=_wishes_alone(**given)), error


def _wishes_alone(
    *, learner_id: int, course_id: int, assignment: Assignment | None
) -> tuple[Wish, ...]:
    """Return the teachers' rules by themselves; none where they cannot be read."""
    try:
        classes = _list_class_ids(learner_id=learner_id, course_id=course_id, assignment=assignment)
        read = list_wishes(list_rules(class_ids=classes))
        return _wishes_for(read, learner_id=learner_id, assignment=assignment)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("Nor could the teachers' rules be read: none holds.")
        return ()


def _list_class_ids(
    *, learner_id: int, course_id: int, assignment: Assignment | None
) -> tuple[int, ...]:
    if assignment is not None:
        return (assignment.classroom_id,)
    return class_selectors.list_class_ids_of(learner_id=learner_id, course_id=course_id)


def _wishes_for(
    wishes: Iterable[Wish], *, learner_id: int, assignment: Assignment | None
) -> tuple[Wish, ...]:
    on = None if assignment is None else assignment.pk
    return tuple(one for one in wishes if one.holds_for(learner_id=learner_id, assignment_id=on))


def get_settings(*, class_id: int) -> ClassScheduling:
    """Return the settings that hold for a class; unsaved defaults where nobody has set any."""
    rows = ClassScheduling.objects.filter(classroom=class_id).order_by("-pk")
    return rows.first() or ClassScheduling(classroom_id=class_id)


def list_settings(*, class_id: int) -> Sequence[ClassScheduling]:
    """Return the history of a class's settings, newest first."""
    rows = ClassScheduling.objects.filter(classroom=class_id)
    return list(rows.select_related("set_by").order_by("-pk"))


def list_rules(*, class_ids: Collection[int]) -> Sequence[SteeringRule]:
    """Return the teachers' rules of classes that are in force, the oldest first."""
    rows = SteeringRule.objects.filter(
        classroom__in=class_ids, reverts__isnull=True, reverted_by__isnull=True
    )
    return list(_with_all(rows))


def list_wishes(rules: Iterable[SteeringRule]) -> tuple[Wish, ...]:
    """Return the rules as the choice takes them; one that cannot be read is left out and logged."""
    found = []
    for rule in rules:
        try:
            found.append(wish_of(rule))
        except (TypeError, ValueError):
            logger.exception("Rule %s cannot be read and does not hold.", rule.pk)
    return tuple(found)


def read_wishes(*, rule_ids: Collection[int]) -> tuple[Wish, ...]:
    """Return the wishes of these rows, in force or not; a row is never changed, so it is cached."""
    return _wishes.get(
        tuple(rule_ids),
        lambda: list_wishes(_with_all(SteeringRule.objects.filter(pk__in=rule_ids))),
    )


def _with_all(rows: QuerySet[SteeringRule]) -> QuerySet[SteeringRule]:
    return rows.select_related("set_by").prefetch_related("learners").order_by("pk")


def wish_of(rule: SteeringRule, *, learner_ids: Collection[int] | None = None) -> Wish:
    """Return one rule as the choice takes it; `learner_ids` of one that is not stored yet."""
    if learner_ids is None:
        learner_ids = [learner.pk for learner in rule.learners.all()]
    value = rule.value
    if rule.kind == SteeringRule.Kind.EXAM:
        value = dt.datetime.fromisoformat(value).timestamp()
    elif isinstance(value, list):
        value = tuple(value)
    return Wish(
        pk=rule.pk or 0,
        kind=rule.kind,
        at=rule.at.timestamp(),
        item_id=rule.item_id,
        concept_id=rule.concept_id,
        value=value,
        assignment_id=rule.assignment_id,
        for_everybody=rule.for_everybody,
        learner_ids=frozenset(learner_ids),
    )


def get_live_version(*, course_id: int, policy: str) -> PolicyVersion | None:
    """Return the version that classes with this policy are served by."""
    newest = PolicyPromotion.objects.filter(course=course_id, version__policy=policy)
    found = newest.select_related("version").order_by("-pk").first()
    return None if found is None else found.version


def list_policies_in_use(*, course_id: int) -> set[str]:
    """Return the policies that the course's classes have chosen, the automatic one resolved."""
    newest = (
        ClassScheduling.objects.filter(classroom__course=course_id)
        .values("classroom")
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    names = set(ClassScheduling.objects.filter(pk__in=newest).values_list("policy", flat=True))
    return (names - {engine.AUTOMATIC}) | {engine.FIRST, engine.LEARNT}


def conduct_of(settings: Sequence[ClassScheduling], *, course_id: int) -> Conduct:
    """Return what these classes' settings come to, with what the policy has learnt so far."""
    first = settings[0] if settings else ClassScheduling()
    name, version = _resolve(first.policy, course_id=course_id)
    stopped = any(row.kill_switch for row in settings)
    return make_conduct(
        policy=name,
        version=version,
        settings_id=first.pk,
        explores=bool(settings) and all(row.explores for row in settings),
        probes=bool(settings) and all(row.probes for row in settings),
        kill_switch=stopped,
        # The teacher's order places nobody.
        places=bool(settings) and all(row.places for row in settings) and not stopped,
    )


def make_conduct(*, policy: str, version: PolicyVersion | None, **given: Any) -> Conduct:
    """Return a conduct with a policy version's parameters and minutes."""
    body: Mapping[str, Any] = {} if version is None else version.body
    return Conduct(
        policy=engine.policy_from(policy, body),
        version_id=None if version is None else version.pk,
        minutes=minutes_of(body),
        **given,
    )


def minutes_of(body: Mapping[str, Any]) -> dict[int, float]:
    """Return item version id -> the minutes that a policy version's body expects it to take."""
    return {int(pk): float(value) for pk, value in body.get("minutes", {}).items()}


def _conduct(*, course_id: int, class_ids: tuple[int, ...]) -> Conduct:
    settings = [get_settings(class_id=pk) for pk in class_ids]
    found = conduct_of(settings, course_id=course_id)
    return dataclasses.replace(found, wishes=list_wishes(list_rules(class_ids=class_ids)))


def _resolve(name: str, *, course_id: int) -> tuple[str, PolicyVersion | None]:
    """Return a policy that the program has, and its live version."""
    if name == engine.AUTOMATIC or name not in engine.POLICY_NAMES:
        learnt = get_live_version(course_id=course_id, policy=engine.LEARNT)
        if learnt is not None:
            return engine.LEARNT, learnt
        name = engine.FIRST
    return name, get_live_version(course_id=course_id, policy=name)
