"""What teachers decided otherwise, in words: for the pages of a learner and of assignments."""

import datetime as dt
from dataclasses import dataclass

from django.utils import formats, timezone

from tutor.accounts.models import Learner
from tutor.classes import stated, terms
from tutor.classes.models import Assignment, AssignmentOverride, Classroom, StatedMastery
from tutor.classes.terms import Terms
from tutor.content.models import Concept
from tutor.scheduling import conduct
from tutor.scheduling.models import SteeringRule
from tutor.teacher.events import Event

Kind = AssignmentOverride.Kind


@dataclass(frozen=True, slots=True)
class Decision:
    """A row in force, in words."""

    row: AssignmentOverride
    what: str
    whom: str


@dataclass(frozen=True, slots=True)
class Own:
    """An assignment as it is for one learner; `state` is in words."""

    assignment: Assignment
    terms: Terms
    state: str


@dataclass(frozen=True, slots=True)
class Word:
    """A teacher's word on a topic; said in another class, its reason stays there."""

    row: StatedMastery
    what: str
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class OfLearner:
    """What is decided for a learner, and what may be.

    Attributes:
        assignments: of the class, as they are for the learner.
        topics: asked for by any of them.
        decisions: in force for the learner or everybody.
        extra_time: the accommodation in force; None for none.
        words: on what the learner knows, in force, whichever class they were said in.
        every_topic: of the course.
    """

    assignments: tuple[Own, ...]
    topics: tuple[Concept, ...]
    decisions: tuple[Decision, ...]
    extra_time: SteeringRule | None
    words: tuple[Word, ...]
    every_topic: tuple[Concept, ...]


def view_learner(*, learner: Learner, classroom: Classroom, at: dt.datetime) -> OfLearner:
    """Return the class's assignments as they are for a learner, and what was decided."""
    rows = list(Assignment.objects.filter(classroom=classroom))
    course = classroom.course
    wanted: set[int] = set()
    own = []
    for row in rows:
        found = terms.find(
            assignment=row,
            learner_id=learner.pk,
            course_id=course.pk,
            revision=course.revision,
        )
        own.append(Own(assignment=row, terms=found, state=say_state(found, at=at)))
        wanted.update(found.goal)
    topics = tuple(Concept.objects.filter(course=course).order_by("position", "pk"))
    names_all = all(one.terms.goal for one in own)
    return OfLearner(
        assignments=tuple(own),
        topics=tuple(one for one in topics if one.pk in wanted) if names_all else topics,
        words=_list_words(learner, classroom),
        every_topic=topics,
        decisions=list_decisions(classroom=classroom, learner_id=learner.pk),
        extra_time=find_extra_time(classroom, learner),
    )


def list_decisions(
    *, classroom: Classroom, learner_id: int | None = None, assignment: Assignment | None = None
) -> tuple[Decision, ...]:
    """Return what is in force in a class, newest first; of a learner, or of an assignment."""
    rows = terms.list_in_force().filter(classroom=classroom)
    if learner_id is not None:
        rows = rows.filter(learner=learner_id) | rows.filter(learner=None)
    if assignment is not None:
        rows = rows.filter(assignment=assignment)
    related = ("assignment", "concept", "set_by", "learner__user")
    return tuple(
        Decision(row, describe(row), whom(row))
        for row in rows.select_related(*related).order_by("-pk")
    )


def describe(row: AssignmentOverride) -> str:
    """Return what a row says, in words."""
    title = f"“{row.assignment.title}”"
    if row.kind == Kind.EXCUSE:
        what = f"“{row.concept.name}” in {title}" if row.concept else title
        return f"Excused from {what}"
    until = f"until {say_moment(row.until)}" if row.until else "without end"
    return f"{title} open again, {until}" if row.kind == Kind.REOPEN else f"{title} {until}"


def whom(row: AssignmentOverride) -> str:
    """Return for whom a row is."""
    return row.learner.label if row.learner else "The whole class"


def say_state(found: Terms, *, at: dt.datetime) -> str:
    """Return how an assignment stands, in a word or two."""
    if found.is_excused:
        return "excused"
    if found.opens_at > at:
        return f"opens {say_moment(found.opens_at)}"
    return "closed" if found.is_closed(at) else "open"


def say_moment(moment: dt.datetime) -> str:
    """Return a date and time as the pages say it."""
    return str(formats.date_format(timezone.localtime(moment), "j M Y, H:i"))


def _list_words(learner: Learner, classroom: Classroom) -> tuple[Word, ...]:
    rows = stated.list_in_force().filter(learner=learner, concept__course=classroom.course_id)
    found = []
    for row in rows.select_related("concept", "set_by").order_by("concept__position", "pk"):
        is_own = row.classroom_id == classroom.pk
        who = row.set_by.display_name if is_own and row.set_by else ""
        why = row.reason if is_own else "said in another class"
        found.append(Word(row, say_word(row), who, why))
    return tuple(found)


def say_word(row: StatedMastery) -> str:
    """Return what was said of a learner, in words."""
    knows = "Knows" if row.is_known else "Does not know yet:"
    return f"{knows} “{row.concept.name}”"


def find_extra_time(classroom: Classroom, learner: Learner) -> SteeringRule | None:
    """Return the extra time that a learner has for questions everywhere in the class."""
    own = [
        rule
        for rule in conduct.list_rules(class_ids=[classroom.pk])
        if rule.kind == SteeringRule.Kind.TIME
        and rule.assignment_id is None
        and learner in rule.learners.all()
    ]
    # Of several the longest holds.
    return max(own, key=lambda rule: float(rule.value), default=None)


def list_events(*, learner: Learner, classroom: Classroom, most: int) -> list[Event]:
    """Return what was decided of a learner, or said of them, and taken back."""
    of = {"classroom_id": classroom.pk, "learner_id": learner.pk, "most": most}
    return [
        *(tell(row) for row in terms.list_history(**of)),
        *(_tell_word(row) for row in stated.list_history(**of)),
    ]


def _tell_word(row: StatedMastery) -> Event:
    said = f"Taken back: {say_word(row)}" if row.reverts_id else f"Said: {say_word(row)}"
    return Event(row.at, said, row.set_by.display_name if row.set_by else "", row.reason)


def tell(row: AssignmentOverride, *, with_whom: bool = False) -> Event:
    """Return a row as a change; `with_whom` where it may be anybody's."""
    said = describe(row)
    if with_whom or row.learner_id is None:
        said = f"{said} ({whom(row)})"
    if row.reverts_id is not None:
        said = f"Taken back: {said}"
    who = "" if row.set_by is None else row.set_by.display_name
    return Event(row.at, said, who, row.reason)
