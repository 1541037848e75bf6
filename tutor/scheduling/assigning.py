"""Writes of assignments: what could not be worked on is refused before anybody is given it.

Above the classes' own services because the teachers' rules in force decide what is left to give.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes import services as class_services
from tutor.classes import terms
from tutor.classes.errors import DatesReversed
from tutor.classes.models import Assignment, Classroom
from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.content.models import Concept
from tutor.scheduling import conduct, ruling, supply
from tutor.scheduling.errors import InfeasibleAssignment
from tutor.scheduling.feasibility import Names, Problem
from tutor.tracing import engine as tracing_engine
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.errors import NoTracer


@transaction.atomic
def create_assignment(
    *,
    classroom: Classroom,
    title: str,
    opens_at: dt.datetime,
    at: dt.datetime,
    due_at: dt.datetime | None = None,
    concepts: Iterable[Concept] = (),
    items_per_session: int = 10,
) -> Assignment:
    """Assign the course, or some of its concepts, to a class that can work on them.

    Raises:
        ConceptOfAnotherCourse: a concept is not of the class's course.
        DatesReversed: `due_at` is not after `opens_at`.
        InfeasibleAssignment: something it asks for could not be given to somebody; names the
            concepts, and the difficulty of what is missing. Nothing is stored.
    """
    chosen = list(concepts)
    class_services.check_concepts(classroom=classroom, concepts=chosen)
    require_feasible(classroom=classroom, concepts=chosen, at=at)
    return class_services.create_assignment(
        classroom=classroom,
        title=title,
        opens_at=opens_at,
        due_at=due_at,
        concepts=chosen,
        items_per_session=items_per_session,
    )


def require_feasible(
    *,
    classroom: Classroom,
    concepts: Sequence[Concept],
    at: dt.datetime,
    assignment: Assignment | None = None,
) -> None:
    """Refuse a goal of which something could not be given; in a transaction.

    Args:
        classroom: whose.
        concepts: of the class's course; none: the whole course.
        at: now.
        assignment: whose goal it is to be; None for a new one.

    Raises:
        InfeasibleAssignment: names all that is missing, for the first learners it is missing for.
        NoTracer: rules lock something, and what learners have reached cannot be told.
    """
    # A rule that is being set meanwhile waits, and is then checked against the assignment.
    Classroom.objects.select_for_update().get(pk=classroom.pk)
    classroom.course.refresh_from_db()
    rules = conduct.list_wishes(conduct.list_rules(class_ids=[classroom.pk]))
    learners = list(class_selectors.list_learners_of(classroom=classroom))
    on = None if assignment is None else assignment.pk
    goal = tuple(concept.pk for concept in concepts)
    sets = [
        (asked, whom, own)
        for asked, some in _list_goals(classroom, assignment, goal, learners).items()
        for whom, own in ruling.sets_on(on, rules, some)
    ]
    for asked, whom, own in sets:
        found = _find_missing(classroom, own, asked)
        if asked and not found:
            found = ruling.find_locked(classroom, own, asked, learners=whom, at=at)
        if found:
            text = "; ".join(problem.text.rstrip(".") for problem in found)
            alone = f" (for {whom[0].label})" if whom and len(sets) > 1 else ""
            raise InfeasibleAssignment(f"{text}{alone}.", concepts=list(goal))


def _list_goals(
    classroom: Classroom,
    assignment: Assignment | None,
    goal: tuple[int, ...],
    learners: Sequence[Learner],
) -> dict[tuple[int, ...], list[Learner]]:
    """Return what is asked of whom: who is excused from something need not be given it."""
    course, held = classroom.course, None
    if assignment is not None:
        known = terms.read(course_id=course.pk, revision=course.revision)
        held = known.get(assignment.pk)
    if held is None:
        return {goal: list(learners)}
    found: dict[tuple[int, ...], list[Learner]] = {}
    for learner in learners:
        left_out = held.excused.get(learner.pk, set())
        asked = tuple(pk for pk in goal if pk not in left_out)
        if learner.pk not in held.wholly and (asked or not goal):
            found.setdefault(asked, []).append(learner)
    return found or {goal: []}


def _find_missing(
    classroom: Classroom, rules: Sequence[ruling.Wish], goal: Sequence[int]
) -> list[Problem]:
    course = classroom.course
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    names = Names({}, dict(zip(bank.concept_ids.tolist(), bank.concept_names, strict=True)))
    found = supply.find_missing(rules, bank=bank, names=names, goal=goal)
    if not found:
        return []
    # Only now it is worth to ask the tracer what a newcomer could be given.
    try:
        tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    except NoTracer:
        return found
    newcomer = tracing_engine.estimate_concepts(tracer, tracing_engine.start(tracer), at=0.0)
    wanted = supply.difficulty_wanted(
        bank=bank,
        newcomer=newcomer.logit_mean - tracer.reference_offsets,
        offsets=tracer.item_offsets,
    )
    return supply.find_missing(rules, bank=bank, names=names, goal=goal, wanted=wanted)


@transaction.atomic
def change_assignment(
    *,
    assignment: Assignment,
    title: str,
    opens_at: dt.datetime,
    due_at: dt.datetime | None,
    concepts: Iterable[Concept],
    items_per_session: int,
    at: dt.datetime,
) -> Assignment:
    """Change an assignment; the next choice follows it. What learners were given apart stays.

    Raises:
        ConceptOfAnotherCourse, DatesReversed, InfeasibleAssignment: as for a new one; nothing is
            changed.
    """
    chosen, classroom = list(concepts), assignment.classroom
    class_services.check_concepts(classroom=classroom, concepts=chosen)
    if due_at is not None and due_at <= opens_at:
        raise DatesReversed("The assignment would be due before it opens.")
    require_feasible(classroom=classroom, concepts=chosen, at=at, assignment=assignment)
    assignment.title, assignment.items_per_session = title, items_per_session
    assignment.opens_at, assignment.due_at = opens_at, due_at
    assignment.save(update_fields=["title", "opens_at", "due_at", "items_per_session"])
    assignment.concepts.set(chosen)
    content_services.raise_revision(course=classroom.course)
    return assignment
