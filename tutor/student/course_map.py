"""The course as a map: concepts below what they build on, each with its band in words."""

import datetime as dt
import textwrap
from collections import Counter
from dataclasses import dataclass

from tutor.accounts.models import Learner
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.student import map_layout
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.bands import Band, Mastery

LINE_CHARACTERS = 22


@dataclass(frozen=True, slots=True)
class Node:
    """A concept on the map; x and y are its upper left corner, `lines` its name in the box.

    `mastery` is thought now and may fall. `is_learned`: it was mastered at some moment.
    `awarded_at`: it was proved on two days, for good.
    """

    number: int
    name: str
    lines: tuple[str, ...]
    x: int
    y: int
    mastery: Mastery
    requires: tuple[str, ...]
    slug: str
    is_learned: bool
    awarded_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class CourseMap:
    """Everything that the drawing and its list twin show; `counts` is concepts per band."""

    nodes: tuple[Node, ...]
    edges: tuple[map_layout.Edge, ...]
    width: int
    height: int
    counts: tuple[tuple[Band, int], ...]
    n_awarded: int
    n_learned: int

    @property
    def has_words(self) -> bool:
        """Whether some band is a teacher's word."""
        return any(node.mastery.is_set_by_teacher for node in self.nodes)

    @property
    def begun(self) -> list[Node]:
        """Concepts with answers."""
        return [node for node in self.nodes if node.mastery.evidence_n]

    @property
    def untouched(self) -> list[Node]:
        """Concepts without an answer yet."""
        return [node for node in self.nodes if not node.mastery.evidence_n]


def draw(*, learner: Learner, course: Course, at: dt.datetime) -> CourseMap:
    """Return the map of a course for a learner."""
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    masteries = tracing_selectors.get_masteries(learner=learner, course=course, at=at)
    awards = tracing_selectors.list_awards(learner=learner, course=course)
    learned = tracing_selectors.list_learned(learner=learner, course=course)
    slugs = dict(course.concepts.values_list("pk", "slug"))
    layout = map_layout.lay_out(n_concepts=len(bank.concept_names), requires=bank.requires)
    nodes = tuple(
        Node(
            number=index,
            name=bank.concept_names[index],
            lines=_lines(bank.concept_names[index]),
            x=layout.corners[index][0],
            y=layout.corners[index][1],
            mastery=masteries[pk],
            requires=tuple(bank.concept_names[r] for c, r in bank.requires if c == index),
            slug=slugs[pk],
            is_learned=pk in learned or pk in awards,
            awarded_at=awards.get(pk),
        )
        for index, pk in enumerate(bank.concept_ids.tolist())
    )
    counts = Counter(node.mastery.band for node in nodes)
    return CourseMap(
        nodes=nodes,
        edges=layout.edges,
        width=layout.width,
        height=layout.height,
        counts=tuple((band, counts[band]) for band in Band),
        n_awarded=sum(node.awarded_at is not None for node in nodes),
        n_learned=sum(node.is_learned for node in nodes),
    )


def _lines(name: str) -> tuple[str, ...]:
    """Return the name in at most two lines; what does not fit ends in an ellipsis."""
    return tuple(
        textwrap.wrap(name, width=LINE_CHARACTERS, max_lines=2, placeholder=" …")
        or [name[:LINE_CHARACTERS]]
    )
